"""Excel workbooks: a sheet for each table, and one that says what the numbers mean.

All text is marked as text, so that no cell is a formula, whatever a label is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from consilience.errors import OptionError
from consilience.visible import visible

if TYPE_CHECKING:
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

ABOUT = "about"
_MAX_ROWS, _MAX_COLUMNS, _MAX_TEXT = 1_048_576, 16_384, 32_767


def write_workbook(
    tables: Mapping[str, pd.DataFrame], path: Path, note: Mapping[str, str | float]
) -> None:
    """Write tables as the sheets of one workbook."""
    from openpyxl import Workbook  # noqa: PLC0415 (only where a workbook is written)

    for name, frame in tables.items():
        if len(frame) >= _MAX_ROWS or len(frame.columns) > _MAX_COLUMNS:
            msg = (
                f"{path.name}: the table {name} has {len(frame):,} rows and "
                f"{len(frame.columns):,} columns, and a sheet has {_MAX_ROWS:,} and "
                f"{_MAX_COLUMNS:,}; use the format parquet or csv"
            )
            raise OptionError(msg)
    book = Workbook(write_only=True)
    about = pd.DataFrame({"name": list(note), "value": list(map(str, note.values()))})
    for name, frame in {**tables, **({ABOUT: about} if note else {})}.items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        for row in _rows(frame, sheet):
            sheet.append(row)
    book.save(path)


def _rows(frame: pd.DataFrame, sheet: WriteOnlyWorksheet) -> Iterator[list[Any]]:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 (as above)

    def cell(value: Any) -> Any:
        if isinstance(value, str):
            # A cell of a text that looks like a formula is otherwise one.
            written = WriteOnlyCell(sheet, visible(value)[:_MAX_TEXT])
            written.data_type = "s"
            return written
        if isinstance(value, np.generic):
            value = value.item()
        return None if pd.isna(value) else value

    yield [cell(str(name)) for name in frame.columns]
    columns = [frame[name].astype("object").tolist() for name in frame.columns]
    for row in zip(*columns, strict=True):
        yield list(map(cell, row))
