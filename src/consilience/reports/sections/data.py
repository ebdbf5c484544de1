"""Data and cleaning: what was read, kept and dropped, and what was assumed."""

from dataclasses import replace
from urllib.parse import urlencode

import pandas as pd

from consilience.reports.content import (
    Cell,
    Column,
    Facts,
    Listing,
    Note,
    Part,
    Section,
    Table,
    counts,
    estimates,
    number,
    numbers,
    texts,
)
from consilience.reports.record import Report, Run
from consilience.reports.sections.annotators import title as title_of
from consilience.reports.sections.annotators import words
from consilience.responses import Cleaning, Description

_MAX_LABELS = 30
_MAX_PAIRS = 60
_MIN_PROBABILITY = 0.01  # of a confusion that is worth a row
_MAX_ROWS = 300
# What the items of a row have in common, as the address of the page says it.
_ITEMS = (
    (("class_label", "label"), {"class": 0, "pair": 1}),
    (("true_label", "given_label"), {"class": 0, "pair": 1}),
    (("label_a", "label_b"), {"pair": 0, "with": 1}),
    (("label",), {"class": 0}),
)


def data(report: Report) -> Section:
    """Return the section."""
    parts: list[Part] = []
    if report.cleaning is None:
        parts.append(
            Note(
                "What reading the export kept and dropped is not kept in a run; name "
                "the responses beside it to see it here"
            )
        )
    else:
        parts += _cleaning(report.cleaning)
    if report.description is not None:
        parts += _description(report.description)
    assumptions = [*report.cleaned_assumptions]
    assumptions += [sentence for run in report.runs for sentence in run.assumptions]
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
        parts.append(
            Table(
                "Dropped",
                (
                    texts("Why", [part.reason for part in cleaning.dropped]),
                    counts("Rows", [part.count for part in cleaning.dropped]),
                    texts("The first", [part.example for part in cleaning.dropped]),
                ),
            )
        )
    if cleaning.notes:
        parts.append(Listing("Noticed", cleaning.notes))
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
        ("Coverage", number(description.coverage, "{:.1%}")),
    ]
    first = sorted(
        description.frequencies.items(), key=lambda pair: (-pair[1], pair[0])
    )
    shown = first[:_MAX_LABELS]
    total = max(description.answers, 1)
    what = "Answer" if description.kind == "contains" else "Label"
    note = ""
    if len(first) > len(shown):
        note = f"The {len(shown)} most frequent of {len(first):,}."
    table = Table(
        "How often each label was given",
        (
            texts(what, [name for name, _ in shown]),
            counts("Answers", [count for _, count in shown]),
            numbers("Share", [count / total for _, count in shown], "{:.1%}"),
        ),
        note,
    )
    return [Facts(tuple(pairs)), table]


def pairs(report: Report) -> Section | None:
    """Return the section; None where no run knows pairs."""
    parts: list[Part] = []
    for run in report.runs:
        who = f", {run.name}" if len(report.runs) > 1 else ""
        taken = _taken(run)
        if len(taken):
            parts.append(_table(taken, who))
        same = run.table("same_object")
        if len(same):
            parts.append(_same(same, who))
    tables = report.pairs.items()
    parts += [plain_table(name, table) for name, table in tables if len(table)]
    return Section("pairs", "Pairs", tuple(parts)) if parts else None


def _taken(run: Run) -> pd.DataFrame:
    """Return confusions of the population between labels, each with its reverse."""
    table = run.table("confusion")
    if run.kind == "contains" or table.empty:
        return pd.DataFrame()
    table = table[table["annotator"].isna()].drop(columns="annotator")
    true, given = table["true_label"].astype(str), table["given_label"].astype(str)
    table = table.assign(true_label=true, given_label=given)
    table = table[true != given]
    turned = {"true_label": "given_label", "given_label": "true_label"}
    back = table.rename(columns=turned)
    both = table.merge(
        back, on=["true_label", "given_label"], how="left", suffixes=("", "_back")
    )
    both = both[both["probability"] >= _MIN_PROBABILITY]
    return both.sort_values("probability", ascending=False, kind="stable")


def _table(taken: pd.DataFrame, who: str) -> Table:
    shown = taken.head(_MAX_PAIRS)
    back = ("probability_back", "lower_back", "upper_back")
    note = "An answer drawn at random from those given. "
    if len(shown) < len(taken):
        note += f"The {len(shown):,} of {len(taken):,} that are most probable."
    return Table(
        f"Labels mistaken for each other{who}",
        (
            texts("Truth", shown["true_label"]),
            texts("Answer", shown["given_label"]),
            estimates("P(answer given truth)", shown),
            estimates("The other way round", shown, back),
        ),
        note.strip(),
    )


def _same(table: pd.DataFrame, who: str) -> Table:
    unsure = (table["probability"] - 0.5).abs()
    shown = table.loc[unsure.sort_values(kind="stable").index[:_MAX_PAIRS]]
    return Table(
        f"Two names that may be one object, the most doubtful first{who}",
        (
            texts("Item", shown["item"]),
            texts("Label", shown["label_a"]),
            texts("Other label", shown["label_b"]),
            estimates("P(one object)", shown),
        ),
        "Every pair of an item stands with the item.",
    )


def plain_table(name: str, table: pd.DataFrame, most: int = _MAX_ROWS) -> Table:
    """Return a table drawn column by column, a value and its bounds as one."""
    shown = table.head(most)
    bounded = [
        (column, bounds)
        for column in shown
        if (bounds := _bounds(str(column), shown)) is not None
    ]
    spent = {bound for _, bounds in bounded for bound in bounds}
    of_column = dict(bounded)
    columns = [
        _column(str(column), shown, of_column.get(column))
        for column in shown
        if column not in spent
    ]
    cut = len(table) > len(shown)
    note = f"The first {len(shown):,} of {len(table):,} rows." * cut
    return Table(name.replace("_", " ").capitalize(), tuple(columns), note)


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
        cells.append(Cell("show", "show", link=f"#items?{asked}"))
    return replace(
        drawn, columns=(*drawn.columns, Column("Items", tuple(cells), numeric=False))
    )


def _bounds(column: str, table: pd.DataFrame) -> tuple[str, str] | None:
    """Return the columns of a value's interval: its own, or those of no other."""
    if not pd.api.types.is_numeric_dtype(table[column]):
        return None
    bounds = (f"{column}_lower", f"{column}_upper")
    if set(bounds) <= set(table.columns):
        return bounds
    plain = ("lower", "upper")
    if not set(plain) <= set(table.columns):
        return None
    # Bounds belong to the column that stands before them.
    before = list(table.columns).index("lower") - 1
    return plain if before >= 0 and table.columns[before] == column else None


def _column(name: str, table: pd.DataFrame, bounds: tuple[str, str] | None) -> Column:
    title = title_of(name)
    values = table[name]
    if bounds is not None:
        return estimates(title, table, (name, *bounds))
    if pd.api.types.is_bool_dtype(values):
        return texts(title, ["yes" if value else "no" for value in values])
    if pd.api.types.is_integer_dtype(values):
        return numbers(title, list(values.astype(float)), "{:,.0f}")
    if pd.api.types.is_numeric_dtype(values):
        return numbers(title, list(values.astype(float)))
    return texts(
        title, [words(value) if pd.notna(value) else value for value in values]
    )
