"""What format a source has, and which reader and options read it."""

import importlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from consilience.errors import OptionError, SourceError, not_among
from consilience.responses.columns.cells import together
from consilience.responses.columns.long import one_question, without_refused
from consilience.responses.columns.names import find, listing
from consilience.responses.columns.proposer import understand
from consilience.responses.format_table import (
    CERTAIN,
    FORMATS,
    NAMES,
    Probe,
    Reader,
    has_mark,
)
from consilience.responses.options import ReadOptions
from consilience.responses.sources.arrow_columns import read_schema
from consilience.responses.sources.csv_file import find_layout
from consilience.responses.sources.frames import Frame, Source
from consilience.responses.sources.hugging_face import is_data_set
from consilience.responses.sources.json_file import first_record
from consilience.responses.sources.opening import kind_of, load_table, without
from consilience.responses.text import Coded, TextTable, stack
from consilience.responses.tools.reading import reader_of_tool
from consilience.responses.tools.tool import Tool

FILE = "(file)"  # column of annotators that are named by their files
_LOOK = 1 << 22  # bytes that are looked at


def formats() -> Mapping[str, Reader]:
    """Readers by name."""
    return {name: reader_of(name) for name in NAMES}


@cache
def reader_of(name: str) -> Reader:
    """Return the reader of a format."""
    if name not in FORMATS:
        raise SourceError(not_among("format", name, FORMATS))
    place, _, attribute = FORMATS[name][0].partition(":")
    module = importlib.import_module(f"consilience.responses.{place}")
    given: Reader | Tool = getattr(module, attribute or "READER")
    return reader_of_tool(given) if isinstance(given, Tool) else given


def grade(name: str, probe: Probe) -> int:
    """Say how sure it is that a source is of a format: from 0 to `CERTAIN`."""
    keys = probe.files if probe.is_folder else probe.names
    record = probe.record or dict.fromkeys(keys)
    marks = FORMATS[name][1]
    if isinstance(marks, bytes):
        marked = re.match(marks, probe.start) is not None
    else:
        marked = has_mark(record, marks)
    return reader_of(name).sniff(probe) if marked else 0


def probe(source: Source, options: ReadOptions, *, several: bool = False) -> Probe:
    """Look at a source without reading it whole."""
    seen = Probe(name=str(source), several=several)
    if isinstance(source, Frame):
        return replace(seen, names=source.names)
    if source.is_dir():
        files = frozenset(path.name for path in source.iterdir())
        return replace(seen, is_folder=True, files=files)
    kind = kind_of(source)
    if kind == "parquet":
        return replace(seen, names=read_schema(source))
    if kind == "text":
        names = find_layout(source, ReadOptions(encoding=options.encoding)).names
        return replace(seen, names=[each.strip() for each in names])
    if kind not in {"json", "lines", "xml"}:
        return seen
    with source.open("rb") as file:
        start = file.read(_LOOK).removeprefix(b"\xef\xbb\xbf").lstrip()
    record = {} if kind == "xml" else first_record(start)
    return replace(seen, names=[*record], start=start, record=record)


def is_format(folder: Path, name: str | None) -> bool:
    """Say whether a folder is itself of a format, and not a folder of exports."""
    if name not in {None, *NAMES} or is_data_set(folder):
        return True
    probed = probe(folder, ReadOptions())
    return any(grade(each, probed) for each in ([name] if name else NAMES))


def of_one_format(
    files: list[Source], name: str | None, options: ReadOptions
) -> tuple[str | None, list[Source], list[Source]]:
    """Return the format of which most files are, for certain, these and the others."""
    if name is not None:
        reader_of(name)
    looks = [probe(file, options, several=len(files) > 1) for file in files]
    marks = {}  # by format: its best grade, and the places of the files that have it
    for each in NAMES if name is None else [name]:
        grades = [grade(each, look) for look in looks]
        best = max(grades)
        marks[each] = (best, [i for i, g in enumerate(grades) if g == best])
    most = max((best, len(fit)) for best, fit in marks.values())
    certain = [n for n, (best, fit) in marks.items() if (best, len(fit)) == most]
    if most[0] < CERTAIN or len(certain) > 1:
        if len({tuple(sorted(look.names)) for look in looks}) > 1:
            raise SourceError(
                f"{listing(list(map(str, files)), 4)}: these files have "
                "different columns, so they are not one table; pass the files that "
                "hold answers"
            )
        return name, files, []
    fit = set(marks[certain[0]][1])
    rest = [file for i, file in enumerate(files) if i not in fit]
    return certain[0], [files[i] for i in sorted(fit)], rest


def choose_reader(
    sources: list[Source], name: str | None, options: ReadOptions, assumed: list[str]
) -> tuple[Reader, list[Source], ReadOptions]:
    """Choose the reader, and how it is to read; a table that was looked at is given."""
    first, columns = sources[0], options.columns
    if name is None and isinstance(first, Frame) and first.matrix:
        name = "wide"
    if name is None and not options.header:
        if not (columns.item and (columns.label or columns.answer)):
            raise OptionError(
                'without a header no column has a name: add `format="wide"` for one '
                "column per annotator, or name columns by their place, such as "
                '`item="column 1"` `annotator="column 2"` `label="column 3"`'
            )
        name = "long"
    if name is not None:
        if columns.annotator == FILE:  # by a plan
            tables = [load_table(each, options, unnested=True) for each in sources]
            sources = [*map(_looked_at, sources, _with_files(tables))]
        return reader_of(name), sources, options
    probed = probe(first, options, several=len(sources) > 1)
    grades = {each: grade(each, probed) for each in NAMES}
    best = max(grades.values())
    fit = [each for each in NAMES if grades[each] == best]
    table_like = not probed.is_folder and kind_of(first) not in {"", "xml", "zip"}
    if best < CERTAIN and table_like:
        return _by_columns(sources, options, assumed)
    if best == 0:
        raise _unknown(probed.name, probed.names)
    if len(fit) > 1:
        may = " or ".join(f'`format="{name}"`' for name in fit)
        raise SourceError(f"{probed.name}: may be read in several ways; choose {may}")
    return reader_of(fit[0]), sources, options


def _by_columns(
    sources: list[Source], options: ReadOptions, assumed: list[str]
) -> tuple[Reader, list[Source], ReadOptions]:
    """Choose how tables are read by what their columns hold."""
    tables = [load_table(each, options, unnested=True) for each in sources]
    table = stack(tables)
    for role in ("item", "label"):  # that cannot be written as texts
        if getattr(options.columns, role) is None:
            find(table.names, role, None, table.source, table.unusable)
    if len(table.names) < 2:
        raise _unknown(str(sources[0]), table.names)
    shown = together(without(table, options.exclude), options)
    shown = one_question(without_refused(shown, options), options)
    name, options = understand(shown, options, assumed)
    frames = [each for each in sources if isinstance(each, Frame)]
    if name == "long" and not frames:
        tables, options = _by_file(tables, options, assumed)
    # A matrix in a data frame may have an index, which is not a column yet.
    if name == "long" or not any(isinstance(e.data, pd.DataFrame) for e in frames):
        sources = [*map(_looked_at, sources, tables)]
    return reader_of(name), sources, options


def _by_file(
    tables: list[TextTable], options: ReadOptions, assumed: list[str]
) -> tuple[list[TextTable], ReadOptions]:
    """Name annotators by files that each have one answer about the same items."""
    people, columns = [*map(_stem, tables)], options.columns
    file = np.repeat(range(len(tables)), [each.num_rows for each in tables])
    whole = together(stack(tables), options).columns
    question = (columns.item, columns.answer and columns.label)
    asked = pd.DataFrame({n: whole[n].codes for n in question if n and n in whole})
    named = columns.annotator or columns.response_id or columns.n
    again = asked.assign(file=file).duplicated().any() or len({*people}) < len(people)
    if named or again or not asked.duplicated().any():
        return tables, options
    assumed.append(
        f"No column names the annotator: each of the files {listing(people, 6)}, which "
        "share items, holds the answers of one annotator."
    )
    named_so = replace(options, columns=replace(columns, annotator=FILE))
    return _with_files(tables), named_so


def _with_files(tables: list[TextTable]) -> list[TextTable]:
    """Return tables with a column of the names of their files."""
    return [
        replace(t, columns={**t.columns, FILE: Coded.of([_stem(t)] * t.num_rows)})
        for t in tables
    ]


def _stem(table: TextTable) -> str:
    return Path(table.source).stem


def _looked_at(source: Source, table: TextTable) -> Source:
    """Return a source whose table was loaded to be looked at, to be read as it is."""
    if not isinstance(source, Frame):
        return Frame(data=[], table=table, name=str(source), file=source)
    return replace(source, table=table)


def _unknown(name: str, names: Sequence[str]) -> SourceError:
    """Return the error of a source of which no reader knows what it holds."""
    what = f"the one column {names[0]!r}" if names else "no columns"
    return SourceError(
        f"{name}: no reader knows it, as it has {what}; name the format "
        f"(`format=NAME`), one of {', '.join(NAMES)}"
    )
