"""Workbooks of Excel (.xlsx): one sheet as a table."""

import zipfile
from collections.abc import Iterator
from datetime import datetime, time
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from consilience.errors import NoResponsesError, UnreadableFileError
from consilience.responses.options import ReadOptions
from consilience.responses.sources.frames import Frame
from consilience.responses.sources.library_errors import readable
from consilience.responses.sources.parts import choose_part

_MOST = 1 << 30  # bytes of all parts of a workbook, unpacked
_HEAD = 50  # rows within which a table begins


def read_workbook(path: Path, options: ReadOptions) -> Frame:
    """Read the sheet that holds the answers.

    Numbers that are whole are written without a point. A formula is the text that was
    entered: nothing is computed.
    """
    # Only where a workbook is read.
    import openpyxl  # noqa: PLC0415

    source = str(path)
    with readable(source, "not a whole workbook"), path.open("rb") as file:
        _check_size(path)
        book = openpyxl.load_workbook(file, read_only=True)
        sheets = {sheet.title: sheet for sheet in book.worksheets}
        heads = {
            title: _names(_header(list(_rows(sheet, _HEAD)))[1])
            for title, sheet in sheets.items()
        }
        title, assumptions = choose_part(heads, source, "sheet", "sheet", options.sheet)
        rows = list(_rows(sheets[title]))
        first = rows.index(_header(rows)) if rows else 0
    where = source if len(sheets) == 1 else f"{source}, sheet {title!r}"
    names = heads[title]
    above = [str(_plain(row[0])) for _, row in rows[:first]]
    rows = rows[first:]
    if options.header:
        rows = rows[1:]
    else:
        names = [f"column {i}" for i in range(1, max(len(r) for _, r in rows) + 1)]
    if not rows:
        msg = f"{where}: there is a header but no row below it; export the file again"
        raise NoResponsesError(msg)
    _check_widths(where, names, rows)
    columns = {
        place: pd.Series(
            [_plain(row[place]) if place < len(row) else None for _, row in rows],
            dtype=object,
        )
        for place in range(len(names))
    }
    formulas = sum(cell.data_type == "f" for _, row in rows for cell in row)
    title_note = f"lines above the header were left out: {', '.join(above)[:80]!r}"
    note = f"{formulas:,} cells hold formulas, which are read as the text entered"
    return Frame(
        data=pd.DataFrame(columns).set_axis(names, axis=1),
        name=where,
        file=path,
        notes=((note,) * bool(formulas) + (title_note,) * bool(above)),
        assumptions=assumptions,
        numbers=[number for number, _ in rows],
    )


def _rows(sheet: Any, most: int | None = None) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Yield number and cells of each row that holds anything."""
    sheet.reset_dimensions()  # what a program wrote there is often wrong
    for number, row in enumerate(islice(sheet.iter_rows(), most), start=1):
        width = max((i for i, c in enumerate(row, 1) if c.value is not None), default=0)
        if width:
            yield number, row[:width]


def _header(rows: list[tuple[int, tuple[Any, ...]]]) -> tuple[int, tuple[Any, ...]]:
    """Return the row that names the columns: the first that is no title above them."""
    for row in rows:
        if sum(cell.value is not None for cell in row[1]) > 1:
            return row
    return rows[0] if rows else (0, ())


def _names(row: tuple[Any, ...]) -> list[str]:
    return ["" if c.value is None else str(_plain(c)).strip() for c in row]


def _check_widths(
    source: str, names: list[str], rows: list[tuple[int, tuple[Any, ...]]]
) -> None:
    for number, row in rows:
        if len(row) > len(names):
            msg = (
                f"{source}, row {number}: a cell stands beside the {len(names)} "
                f"columns of the header ({', '.join(names[:6])}); name its column or "
                "clear the cell"
            )
            raise UnreadableFileError(msg)


def _plain(cell: Any) -> object:
    """Return the value of a cell; a whole number has no point, a day no midnight."""
    value: object = cell.value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, datetime) and value.time() == time():
        return value.date()
    return value.isoformat() if isinstance(value, time) else value


def _check_size(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        size = sum(part.file_size for part in archive.infolist())
    if size > _MOST:
        msg = (
            f"{path}: unpacked it holds {size / 2**20:,.0f} MiB; at most "
            f"{_MOST >> 20:,} MiB are read: save the sheet as CSV"
        )
        raise UnreadableFileError(msg)
