"""Tables as files of their own: CSV, JSON, Excel; Parquet is in `results.tables`.

**Text in CSV.** A spreadsheet takes a cell for a formula when it starts with `=`, `+`,
`-`, `@` or a tab, and runs it, wherever the text came from. In CSV, text (and a
column's name) that starts with one of these, or with an apostrophe, gets one
apostrophe before it; a plain number such as `-1` is left as it is. Whoever reads the
file takes one leading apostrophe off and has the text back. The other formats hold the
text as it is; in Excel its cells are marked as text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import pyarrow as pa
import pyarrow.csv

from consilience.posterior.files.workbook import write_workbook
from consilience.posterior.results.tables import write_parquet

type Note = Mapping[str, str | float]

# The full-width forms are read as the plain ones by spreadsheets set to Japanese.
_FORMULA = re.compile("[=+\\-@\t\r\n'\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
CSV_RULE = (
    "text that starts with = + - @, a tab, a line break or an apostrophe has one more "
    "apostrophe before it, numbers excepted; take one leading apostrophe off"
)


def safe_text(text: str) -> str:
    """Mark text that a spreadsheet would take for a formula."""
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def _write_csv(frame: pd.DataFrame, path: Path, _: Note) -> None:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    columns = [_safe_column(column) for column in table.columns]
    safe = pa.table(columns, names=[safe_text(name) for name in table.column_names])
    # Arrow's writer quotes all text, so that a null (an empty cell) and an empty text
    # (an empty cell in quotes) stay apart, and writes the shortest digits that give
    # the same number back.
    pyarrow.csv.write_csv(safe, path)


def _safe_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Mark a column's text; coded text once per name, however many rows bear it."""
    if pa.types.is_dictionary(column.type) and not _is_text(column.type.value_type):
        return column.cast(column.type.value_type)
    if pa.types.is_dictionary(column.type):
        return pa.chunked_array(
            [
                pa.DictionaryArray.from_arrays(
                    chunk.indices, _safe_array(chunk.dictionary)
                )
                for chunk in column.chunks
            ]
        )
    if _is_text(column.type):
        return pa.chunked_array(
            [_safe_array(chunk) for chunk in column.chunks], type=column.type
        )
    return column


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _safe_array(texts: pa.Array) -> pa.Array:
    return pa.array(
        [None if text is None else safe_text(text) for text in texts.to_pylist()],
        type=texts.type,
    )


def _write_json(frame: pd.DataFrame, path: Path, _: Note) -> None:
    path.write_text(_json(frame), encoding="utf-8")


def _json(frame: pd.DataFrame) -> str:
    return frame.to_json(
        orient="records", force_ascii=False, double_precision=15, indent=None
    )


def _write_excel(frame: pd.DataFrame, path: Path, note: Note) -> None:
    write_workbook({path.stem: frame}, path, note)


WRITERS: Mapping[str, Callable[[pd.DataFrame, Path, Note], None]] = MappingProxyType(
    {
        "csv": _write_csv,
        "parquet": write_parquet,
        "json": _write_json,
        "xlsx": _write_excel,
    }
)


def write_json_tables(
    tables: Mapping[str, pd.DataFrame], path: Path, note: Note
) -> None:
    """Write several tables as one JSON object: each by its name, and `about`."""
    with path.open("w", encoding="utf-8") as file:
        file.write(f'{{"about": {json.dumps(note)}')
        for name, frame in tables.items():
            file.write(f",\n{json.dumps(name)}: {_json(frame)}")
        file.write("}\n")


# Formats in which one file holds several tables.
SEVERAL: Mapping[str, Callable[[Mapping[str, pd.DataFrame], Path, Note], None]] = (
    MappingProxyType({"json": write_json_tables, "xlsx": write_workbook})
)
