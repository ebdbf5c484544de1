"""The study: what was found in words and numbers, then every figure."""

import pandas as pd

from consilience.figures import Figure, StudyFigures
from consilience.reports.content import (
    Drawing,
    Findings,
    Models,
    Note,
    Part,
    Section,
)
from consilience.reports.record import Report
from consilience.reports.sections.table import plain_table, with_items

_MAX_ROWS = 40
_PLAIN = {"superclass_confusion"}  # its labels are superclasses: no item has them


def findings(report: Report) -> Section | None:
    """Return the section that leads the page; None where there is no figure."""
    if report.study is None or not report.study.figures:
        return None
    figures = report.study.figures.values()
    entries = [
        (anchor(figure.name), figure.title, figure.finding) for figure in figures
    ]
    leading = {anchor(figure.name) for figure in figures if figure.leads}
    entries.sort(key=lambda entry: entry[0] not in leading)
    return Section("findings", "Findings", (Findings(tuple(entries)),))


def figures(report: Report) -> Section | None:
    """Return the section of all figures; None where there is no figure."""
    if report.study is None or not report.study.figures:
        return None
    study = report.study
    made = study.figures.values()
    parts: list[Part] = []
    if any(figure.models for figure in made):
        parts.append(Models(tuple(study.colours.items())))
    parts += [_drawing(study, figure) for figure in made]
    parts += [
        Note(f"Not drawn: {', '.join(names)}: {why}.")
        for why, names in study.lacking.items()
    ]
    return Section("figures", "Figures", tuple(parts))


def anchor(name: str) -> str:
    """Return the anchor of a figure."""
    return f"figure-{name.replace('_', '-')}"


def _drawing(study: StudyFigures, figure: Figure) -> Drawing:
    named = study.named(_first_rows(figure.table))
    table = plain_table(f"numbers_of_{figure.name}", named, _MAX_ROWS)
    if figure.name not in _PLAIN:
        table = with_items(table, named)
    return Drawing(
        id=anchor(figure.name),
        title=figure.title,
        finding=figure.finding,
        note=figure.note,
        frames=tuple(study.drawings(figure.name).items()),
        frames_of=figure.frames,
        table=table,
    )


def _first_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose rows that say most stand first, where there are many."""
    if len(table) <= _MAX_ROWS or not {"true_label", "probability"} <= set(table):
        return table
    apart = table["true_label"].astype("str") != table["given_label"].astype("str")
    return table[apart].sort_values("probability", ascending=False, kind="stable")
