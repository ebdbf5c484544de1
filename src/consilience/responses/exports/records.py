"""Records of JSON, JSON lines, Parquet and CSV files, each with its place."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from consilience.errors import NoResponsesError, UnreadableFileError
from consilience.responses.options import ReadOptions
from consilience.responses.sources.arrow_columns import open_parquet
from consilience.responses.sources.frames import Frame
from consilience.responses.sources.json_file import decode_json, read_json
from consilience.responses.sources.library_errors import readable
from consilience.responses.sources.load import Source, load_table

_LISTS = ("items", "docs", "records")  # keys under which an API lists records


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record of an export."""

    value: Mapping[str, Any]
    place: str
    file: Path | None


def records(sources: Sequence[Source]) -> list[Record]:
    """Return the records of files, one below the other."""
    collected = [record for source in sources for record in _records(source)]
    if not collected:
        msg = f"{names(sources)}: there is no record; check that it is the right file"
        raise NoResponsesError(msg)
    return collected


def rows(sources: Sequence[Source], options: ReadOptions) -> list[Record]:
    """Return the rows of CSV or TSV files as records of texts; empty cells are None."""
    given: list[Record] = []
    for source in sources:
        table = load_table(source, options)
        columns = {}
        for name, column in table.columns.items():
            texts = [*column.values.to_pylist(), None]
            columns[name] = [texts[code] for code in column.codes]
        columns |= {name: cells.to_pylist() for name, cells in table.lists.items()}
        file = source if isinstance(source, Path) else None
        given += [
            Record(
                value=dict(zip(columns, row, strict=True)),
                place=table.where(number),
                file=file,
            )
            for number, row in enumerate(zip(*columns.values(), strict=True))
        ]
    return given


def names(sources: Sequence[Source]) -> str:
    """Names of the sources, for messages."""
    shown = [s.name if isinstance(s, Frame) else str(s) for s in sources]
    more = f" and {len(shown) - 3} more" if len(shown) > 3 else ""
    return ", ".join(shown[:3]) + more


def _records(source: Source) -> Iterator[Record]:
    if isinstance(source, Path) and source.suffix.lower() in {".parquet", ".pq"}:
        source = open_parquet(source)
    if isinstance(source, Frame):
        for number, value in enumerate(_rows(source), start=1):
            place = f"{source.name}, row {number}"
            yield Record(value=value, place=place, file=source.file)
        return
    with readable(str(source)), source.open("rb") as file:
        first = file.readline().removeprefix(b"\xef\xbb\xbf").strip()
        more = any(line.strip() for line in file)
    if first.startswith(b"{") and first.endswith(b"}") and (more or _is_lines(source)):
        yield from _lines(source)
        return
    document: Any = read_json(source)
    if isinstance(document, dict):
        wrapped = (document[key] for key in _LISTS if _is_records(document.get(key)))
        document = next(wrapped, [document])
    if not _is_records(document):
        msg = f"{source}: expected JSON records; export it again, or name the format"
        raise UnreadableFileError(msg)
    for number, value in enumerate(document, start=1):
        yield Record(value=value, place=f"{source}, record {number}", file=source)


def _lines(path: Path) -> Iterator[Record]:
    with readable(str(path)):
        text = path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode()
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        value = decode_json(line, place)
        if not isinstance(value, dict):
            msg = f"{place}: expected a JSON object; export it again"
            raise UnreadableFileError(msg)
        yield Record(value=value, place=place, file=path)


def _is_lines(path: Path) -> bool:
    return path.suffix.lower() in {".jsonl", ".ndjson", ".manifest"}


def _is_records(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(part, dict) for part in value)


def _rows(frame: Frame) -> list[dict[str, Any]]:
    """Rows of a table in memory as JSON would have them."""
    data = frame.data
    if isinstance(data, pa.Table):
        with readable(frame.name):
            rows: list[dict[str, Any]] = data.to_pylist(maps_as_pydicts="lossy")
            return rows
    values = data if isinstance(data, list) else data.to_dict("records")
    return [{str(n): _plain(cell) for n, cell in value.items()} for value in values]


def _plain(cell: object) -> object:
    """Return a cell of a data frame as JSON would have it."""
    if hasattr(cell, "tolist"):
        return cell.tolist()
    if cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and cell != cell):  # noqa: PLR0124 - NaN
        return None
    return cell
