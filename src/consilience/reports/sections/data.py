"""Data and cleaning: what was read, kept and dropped, and what was assumed."""

from dataclasses import asdict, replace
from urllib.parse import urlencode

import pandas as pd

from consilience.reports.content import (
    Facts,
    Listing,
    Note,
    Part,
    Report,
    Section,
    mistaken,
    sentence,
    suffix,
)
from consilience.responses import Cleaning, Description
from consilience.tables import CATALOGUE, estimate, schema_of
from consilience.tables.html import Cell as PageCell
from consilience.tables.html import Column, Table, html

_MAX_LABELS = 30
_MAX_PAIRS = 60
_MAX_ROWS = 300
# What the items of a row have in common, as the address of the page says it.
_ITEMS = (
    (("dataset_label", "label"), {"class": 0, "pair": 1}),
    (("true_label", "given_label"), {"class": 0, "pair": 1}),
    (("label", "other_label"), {"pair": 0, "with": 1}),
    (("label",), {"class": 0}),
)


def data(report: Report) -> Section:
    """Return the section."""
    unknown = (
        "What reading the export kept and dropped is not kept in a run; name the "
        "responses beside it to see it here"
    )
    parts: list[Part] = [Note(unknown)]
    if report.cleaning is not None:
        parts = _cleaning(report.cleaning)
    if report.description is not None:
        parts += _description(report.description)
    assumptions = [*report.cleaned_assumptions]
    assumptions += [each for run in report.runs for each in run.assumptions]
    if assumptions:
        parts.append(Listing("Assumed", tuple(dict.fromkeys(assumptions))))
    read = dict(pair for run in report.runs for pair in run.sources.items())
    if read:
        files = tuple(f"{name}: SHA-256 {sum_}" for name, sum_ in read.items())
        parts.append(Listing("Files read", files))
    return Section("data", "Data and cleaning", tuple(parts))


def _cleaning(cleaning: Cleaning) -> list[Part]:
    kept = (
        f"Read {cleaning.read:,} {cleaning.unit}, kept {cleaning.kept:,}: "
        f"{cleaning.answers:,} answers"
    )
    parts: list[Part] = [Note(kept)]
    if cleaning.dropped:
        dropped = pd.DataFrame([asdict(part) for part in cleaning.dropped])
        parts.append(html(CATALOGUE["dropped"].of(dropped)))
    if cleaning.notes:
        parts.append(Listing("Noticed", tuple(map(sentence, cleaning.notes))))
    return parts


def _description(description: Description) -> list[Part]:
    per_question = description.answers_per_question
    per_annotator = description.answers_per_annotator
    spread = "{0.min:,} to {0.max:,}, median {0.median:g}"
    unit = (
        "pairs of item and label" if description.kind == "contains" else "items asked"
    )
    screen = {"all": "every label", "listed": "listed labels", "unknown": "not known"}
    pairs = [
        ("Kind of question", description.kind),
        ("On screen", screen[description.offer]),
        ("Answers", f"{description.answers:,}"),
        ("Skipped", f"{description.skipped:,}"),
        (unit.capitalize(), f"{description.questions:,}"),
        ("Answers per question", spread.format(per_question)),
        ("Answers per annotator", spread.format(per_annotator)),
        ("Repeated answers", f"{description.repeated:,}"),
        ("Coverage", estimate(description.coverage, form=".1%").text),
    ]
    what = "answer" if description.kind == "contains" else "label"
    given = pd.DataFrame(description.frequencies.items(), columns=[what, "responses"])
    given = given.sort_values(["responses", what], ascending=[False, True])
    given["share"] = given["responses"] / max(description.answers, 1)
    table = CATALOGUE["given"].of(given).first(_MAX_LABELS)
    return [Facts(tuple(pairs)), html(table)]


def pairs(report: Report) -> Section | None:
    """Return the section; None where no run knows pairs."""
    parts: list[Part] = []
    for run in report.runs:
        taken, same = mistaken(run), run.table("same_object")
        if len(taken):
            table = CATALOGUE["mistaken"].of(taken, report.prob).first(_MAX_PAIRS)
            drawn = html(table, of=suffix(report, run))
            parts.append(with_items(drawn, taken))
        if len(same):
            doubt = (same["probability"] - 0.5).abs().sort_values(kind="stable")
            table = CATALOGUE["same_object"].of(same.loc[doubt.index]).first(_MAX_PAIRS)
            parts.append(html(table, of=suffix(report, run)))
    for name, rows in report.pairs.items():
        if len(rows):
            parts.append(with_items(plain_table(name, rows), rows))
    return Section("pairs", "Pairs", tuple(parts)) if parts else None


def plain_table(name: str, table: pd.DataFrame, most: int = _MAX_ROWS) -> Table:
    """Return a table drawn column by column, a value and its bounds as one."""
    return html(schema_of(name, table).of(table).first(most))


def with_items(drawn: Table, table: pd.DataFrame) -> Table:
    """Return a table with a last column that leads to the items of each row."""
    of_labels = (pair for pair in _ITEMS if set(pair[0]) <= set(table.columns))
    columns, keys = next(of_labels, ((), {}))
    if not columns:
        return drawn
    rows = table[list(columns)].head(len(drawn.rows)).astype("str").to_numpy()
    cells = []
    for row in rows:
        asked = urlencode({key: row[place] for key, place in keys.items()})
        cells.append(PageCell("show", link=f"#items?{asked}"))
    return replace(
        drawn, columns=(*drawn.columns, Column("Items", tuple(cells), numeric=False))
    )
