"""A batch of MTurk results: its cells, and the assignments that count."""

import html
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from consilience.errors import NoResponsesError, UnreadableFileError
from consilience.responses.mturk.answers import Given
from consilience.responses.options import ReadOptions
from consilience.responses.sources.csv_file import find_layout
from consilience.responses.sources.csv_rows import check_line_breaks, csv_rows
from consilience.responses.sources.library_errors import readable
from consilience.responses.tables.coding import Coded, encode_texts, recode
from consilience.responses.tables.text_table import TextTable, check_names, places, tidy

_LAST = ("Approve", "Reject")  # a header may end before these, or before the rows do


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """A batch and the assignments of it that count."""

    table: TextTable
    answers: dict[str, list[Given | None]]
    rows: list[int]
    options: ReadOptions

    def text(self, name: str | None, row: int) -> str | None:
        """Cell of an assignment."""
        if name is None or name not in self.table.columns:
            return None
        return self.table.columns[name].text(row)

    def picked(self, question: str, row: int) -> tuple[str, ...] | None:
        """Labels that an assignment picked; None: the question was skipped."""
        given = self.answers[question][row]
        return None if given is None else given.picked

    def shown(self, question: str, row: int) -> tuple[str, ...] | None:
        """Labels that an assignment could pick, where the answers say so."""
        given = self.answers[question][row]
        return None if given is None else given.shown

    @property
    def question(self) -> str | None:
        """The question that the caller named, as the column is named."""
        name = self.options.question
        whole = f"Answer.{name}"
        return whole if name and whole in self.answers else name

    @property
    def inputs(self) -> list[str]:
        """Columns that say what was on screen."""
        return [name for name in self.table.names if name.startswith("Input.")]


def read_batch(path: Path, options: ReadOptions) -> TextTable:
    """Read one file of batch results."""
    layout = find_layout(path, replace(options, header=True))
    lines = csv_rows(path, layout.separator, layout.encoding, skip=layout.skip)
    numbered = [
        (number, row)
        for number, (_, row) in enumerate(lines, start=layout.above + 1)
        if any(row)
    ]
    if not numbered:
        msg = f"{path}: there is no assignment; download the results again"
        raise NoResponsesError(msg)
    header = layout.names
    least = len([name for name in header if name not in _LAST])
    widths = {least, least + len(_LAST), len(header)}
    for number, row in numbered:
        if len(row) not in widths:
            msg = (
                f"{path}, row {number}: {len(row)} cells where the header names "
                f"{len(header)}; the file was cut off or a cell was split, download "
                "it again"
            )
            raise UnreadableFileError(msg)
    width = max(len(header), *(len(row) for _, row in numbered))
    names = check_names(header + [""] * (width - len(header)), str(path))
    padded = [row + [""] * (width - len(row)) for _, row in numbered]
    with readable(str(path)):
        coded = {
            name: encode_texts(cells)
            for name, cells in zip(
                names, map(list, zip(*padded, strict=True)), strict=True
            )
        }
    where = places(str(path), first=2, numbers=[number for number, _ in numbered])
    check_line_breaks(coded, layout.separator, where)
    coded = {n: _unescaped(c) if "." in n else c for n, c in coded.items()}
    columns, notes = tidy(coded, options.missing_words)
    return TextTable(
        source=str(path),
        columns=columns,
        lists={},
        num_rows=len(padded),
        where=where,
        notes=notes,
    )


def _unescaped(column: Coded) -> Coded:
    """Texts with HTML's ``&#44;`` and the like written out."""
    texts = [None if t is None else html.unescape(t) for t in column.values.to_pylist()]
    return recode(column.codes, pa.array(texts, pa.string()))
