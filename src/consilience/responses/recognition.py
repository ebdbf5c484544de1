"""What format a source has, and which reader and options read it.

A format of one's own is a `Tool`: `read` takes it, or the name of its module, and an
installed package names it as an entry point in the group `consilience.formats`.
"""

import importlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from consilience.errors import OptionError, SourceError, not_among
from consilience.responses.columns.cells import together
from consilience.responses.columns.comparisons import refuse_comparisons
from consilience.responses.columns.long import one_question, without_refused
from consilience.responses.columns.names import find, listing
from consilience.responses.columns.proposer import understand
from consilience.responses.format_table import FORMATS, Probe, Reader, is_marked
from consilience.responses.options import ReadOptions
from consilience.responses.sources.csv_file import find_layout
from consilience.responses.sources.frames import Frame, Source, open_bytes
from consilience.responses.sources.hugging_face import is_data_set
from consilience.responses.sources.json_file import first_records
from consilience.responses.sources.opening import kind_of, load_table, without
from consilience.responses.text import Coded, TextTable, stack
from consilience.responses.tools.reading import reader_of_tool
from consilience.responses.tools.tool import Tool

FILE = "(file)"  # column of annotators that are named by their files
_LOOK = 1 << 22  # bytes that are looked at


def formats() -> Mapping[str, Reader]:
    """Readers by name, those of installed packages among them."""
    return {name: reader_of(name) for name in names()}


def names() -> tuple[str, ...]:
    """Return the names of all formats."""
    return (*FORMATS, *(name for name in _installed() if name not in FORMATS))


@cache
def _installed() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group="consilience.formats")}


@cache
def _tool(name: str) -> Tool:
    """Return the tool of an installed package, or of a module that is named."""
    module, _, attribute = name.partition(":")
    try:
        if name in _installed():
            tool = _installed()[name].load()
        else:
            tool = getattr(importlib.import_module(module), attribute or "TOOL", None)
    except ImportError as error:
        raise SourceError(f"the format {name} cannot be imported: {error}") from error
    if not isinstance(tool, Tool):
        raise SourceError(
            f"the format {name} is {tool!r}; expected a Tool of "
            "consilience.responses.tools"
        )
    return tool


def reader_of(given: str | Tool) -> Reader:
    """Return the reader of a format."""
    if isinstance(given, Tool):
        return reader_of_tool(given)
    is_module = "." in given or ":" in given
    if given not in FORMATS and (is_module or given in _installed()):
        return reader_of_tool(replace(_tool(given), name=given))
    if given not in FORMATS:
        raise SourceError(not_among("format", given, names()))
    return _of_library(given)


@cache
def _of_library(name: str) -> Reader:
    at, marks = FORMATS[name]
    place, _, attribute = at.partition(":")
    module = importlib.import_module(f".{place}", "consilience.responses")
    reader: Reader | Tool = getattr(module, attribute or "READER")
    if isinstance(reader, Tool):
        return reader_of_tool(replace(reader, marks=marks))
    return reader


def formats_of(probe: Probe, among: Iterable[str | Tool] | None = None) -> list[Any]:
    """Return the formats that a source is of, by its marks."""
    inside = (replace(probe, record=r, names=[*r]) for r in probe.inside)
    among = names() if among is None else list(among)
    for each in (probe, *inside):
        if fit := [name for name in among if _is_of(name, each)]:
            return fit
    return []


def _is_of(given: str | Tool, probe: Probe) -> bool:
    if isinstance(given, str) and given in FORMATS:
        marks = FORMATS[given][1]
    else:
        marks = (given if isinstance(given, Tool) else _tool(given)).marks
    return is_marked(probe, marks) and reader_of(given).is_one(probe)


def probe(source: Source, options: ReadOptions, *, several: bool = False) -> Probe:
    """Look at a source without reading it whole."""
    seen = Probe(name=str(source), several=several)
    if isinstance(source, Frame):
        return replace(seen, names=source.names)
    if source.is_dir():
        files = frozenset(path.name for path in source.iterdir())
        return replace(seen, is_folder=True, files=files)
    kind = kind_of(source)
    if kind == "text":
        names = find_layout(source, ReadOptions(encoding=options.encoding)).names
        return replace(seen, names=[each.strip() for each in names])
    if kind not in {"json", "lines", "xml"}:
        return seen
    with open_bytes(source) as file:
        start = file.read(_LOOK).removeprefix(b"\xef\xbb\xbf").lstrip()
    record, *inside = [{}] if kind == "xml" else first_records(start)
    row = inside[0] if len(inside) == 1 else record
    return replace(seen, names=[*row], start=start, record=record, inside=inside)


def is_format(folder: Path, given: str | Tool | None) -> bool:
    """Say whether a folder is itself of a format, and not a folder of exports."""
    if is_data_set(folder):
        return True
    among = None if given is None else [given]
    return bool(formats_of(probe(folder, ReadOptions()), among))


def of_one_format(
    files: list[Source], given: str | Tool | None, options: ReadOptions
) -> tuple[str | Tool | None, list[Source], list[Source]]:
    """Return the format of which most files are, these, and the others."""
    among = None if given is None else [given]
    looks = [probe(file, options, several=len(files) > 1) for file in files]
    fits = [formats_of(look, among) for look in looks]
    number = Counter(name for fit in fits for name in fit).most_common()
    most = [name for name, count in number if count == number[0][1]]
    if len(most) != 1:
        if len({tuple(sorted(look.names)) for look in looks}) > 1:
            raise SourceError(
                f"{listing(list(map(str, files)), 4)}: these files have "
                "different columns, so they are not one table; pass the files that "
                "hold answers"
            )
        return given, files, []
    pairs = list(zip(files, fits, strict=True))
    rest = [file for file, fit in pairs if most[0] not in fit]
    return most[0], [file for file, fit in pairs if most[0] in fit], rest


def choose_reader(
    sources: list[Source],
    name: str | Tool | None,
    options: ReadOptions,
    assumed: list[str],
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
    fit = formats_of(probed)
    if not fit and not probed.is_folder and kind_of(first) not in {"", "xml", "zip"}:
        return _by_columns(sources, options, assumed)
    if not fit:
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
    if options.columns.label is None:
        refuse_comparisons(shown)
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
        f"(`format=NAME`), one of {', '.join(FORMATS)}"
    )
