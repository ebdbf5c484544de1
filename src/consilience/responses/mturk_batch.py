"""A batch of MTurk results: its cells, and the assignments that count."""

import csv
import html
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from consilience.errors import NoResponsesError, UnreadableFileError
from consilience.responses.coding import Coded, encode_texts, recoded
from consilience.responses.draft import Draft
from consilience.responses.mturk_answers import Given
from consilience.responses.options import ReadOptions
from consilience.responses.selections import Unrolled
from consilience.responses.text_table import TextTable, check_names, places, tidy

_LAST = ("Approve", "Reject")  # a header may end before these, or before the rows do


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """A batch and the assignments of it that count.

    Parameters
    ----------
    table
        All cells.
    answers
        Labels by question, a list entry per row.
    rows
        Rows of the assignments that count.
    options
        How to read.
    """

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
    def inputs(self) -> list[str]:
        """Columns that say what was on screen."""
        return [name for name in self.table.names if name.startswith("Input.")]


def read_batch(path: Path, options: ReadOptions) -> TextTable:
    """Read one file of batch results.

    Raises
    ------
    UnreadableFileError
        If a row is cut short or the bytes are not UTF-8.
    NoResponsesError
        If there is no row.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if any(row)]
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        msg = f"{path}, near row {line}: not UTF-8 text; save the file again as UTF-8"
        raise UnreadableFileError(msg) from None
    if len(rows) < 2:
        msg = f"{path}: there is no assignment; download the results again"
        raise NoResponsesError(msg)
    header, body = rows[0], rows[1:]
    width = max(map(len, rows))
    least = len([name for name in header if name not in _LAST])
    for number, row in enumerate(body, start=2):
        if len(row) < least:
            msg = (
                f"{path}, row {number}: {len(row)} cells where the header names "
                f"{len(header)}; the file was cut off, download it again"
            )
            raise UnreadableFileError(msg)
    names = check_names(header + [""] * (width - len(header)), str(path))
    padded = [row + [""] * (width - len(row)) for row in body]
    coded = {
        name: _unescaped(encode_texts(cells)) if "." in name else encode_texts(cells)
        for name, cells in zip(names, map(list, zip(*padded, strict=True)), strict=True)
    }
    columns, notes = tidy(coded, options.missing)
    return TextTable(
        source=str(path),
        columns=columns,
        lists={},
        num_rows=len(body),
        where=places(str(path), first=2),
        notes=notes,
    )


def batch_draft(rows: Unrolled, table: TextTable, note: str) -> Draft:
    """Make a draft of unrolled answers; the reader adds the account."""
    return Draft(
        kind=rows.kind,
        item=rows.item,
        annotator=rows.annotator,
        label=rows.label,
        answer=rows.answer,
        object=rows.object,
        response_id=rows.response_id,
        row=rows.row,
        where=table.where,
        num_read=table.num_rows,
        notes=(note,),
    )


def _unescaped(column: Coded) -> Coded:
    """Texts with HTML's ``&#44;`` and the like written out."""
    texts = [None if t is None else html.unescape(t) for t in column.values.to_pylist()]
    return recoded(column.codes, pa.array(texts, pa.string()))
