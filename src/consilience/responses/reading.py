"""Read responses from anything: find the reader, hand over, return one record."""

import importlib
import pkgutil
import re
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cache, partial
from glob import glob
from pathlib import Path
from types import ModuleType

import pyarrow as pa

from consilience.errors import (
    ConsilienceError,
    ConsilienceWarning,
    MissingColumnError,
    OptionError,
    SourceNotFoundError,
    UnknownFormatError,
    not_a,
    not_among,
)
from consilience.responses import public_studies, readers, tools
from consilience.responses.columns.looks import propose_one_hot
from consilience.responses.columns.names import find, listing
from consilience.responses.columns.recognition import Understood, understand
from consilience.responses.draft import Reader
from consilience.responses.options import (
    MISSING,
    Columns,
    Kind,
    ReadOptions,
    Repeats,
)
from consilience.responses.sources.folders import unfolded
from consilience.responses.sources.frames import Frame, as_frame, is_sources
from consilience.responses.sources.hugging_face import is_data_set
from consilience.responses.sources.json_file import read_json, read_records
from consilience.responses.sources.library_errors import readable
from consilience.responses.sources.load import (
    TABLE_SUFFIXES,
    Probe,
    Source,
    assumptions_of,
    load_table,
    load_tables,
    opened,
    probe,
)
from consilience.responses.table import Responses

_CERTAIN = 3  # grade of a reader
# What stands for a table in memory has no one type: see `as_frame`.
type Sources = object
type _Chosen = tuple[Reader, ReadOptions, tuple[str, ...]]
_ROLES = ("item", "annotator", "label")


def read(  # noqa: PLR0913 - the public face spells out every option
    source: Sources,
    *,
    format: str | None = None,
    kind: Kind | None = None,
    question: str | None = None,
    item: str | None = None,
    annotator: str | None = None,
    label: str | None = None,
    answer: str | None = None,
    n: str | None = None,
    object: str | None = None,  # noqa: A002 - the name of the column
    main: str | None = None,
    response_id: str | None = None,
    selected: str | None = None,
    gold_column: str | None = None,
    gold: object = None,
    items: object = None,
    offered: object = None,
    labels: object = None,
    label_column: str | None = None,
    repeats: Repeats = "keep",
    answers: Mapping[str, str] | None = None,
    missing: Sequence[str] = (),
    separator: str | None = None,
    encoding: str | None = None,
    header: bool = True,
    sheet: str | None = None,
    query: str | None = None,
    statuses: Sequence[str] | None = None,
    extras: Sequence[str] = (),
    annotators: Sequence[str] = (),
    exclude: Sequence[str] = (),
    split: str | None = None,
    one_hot: Sequence[str] = (),
    fold_case: bool = False,
    normalize: bool = False,
) -> Responses:
    """Read crowd responses from an export, a folder or a data frame.

    Suspicious data are reported by a `ConsilienceWarning`.

    Parameters
    ----------
    source : path, data frame, or sequence of these
        A file, a folder, or several of one format; ``-`` is standard input. Or a table:
        a data frame of pandas, polars or any other library that narwhals knows, a
        relation of DuckDB, a dict of lists, a list of dicts, or an array of items by
        annotators.
    format : str, optional
        Name of the format (see `formats`); recognized by default.
    kind : {"choice", "contains", "objects"}, optional
        Kind of question; inferred from the columns by default.
    question : str, optional
        Of several questions in one export, the one to read. Without it, an error lists
        them.
    item, annotator, label, answer, n, object, main, response_id, selected, gold_column
        Names of the source's columns; by default the usual names are looked for.
    gold : data frame or path, optional
        Table of true labels.
    items : data frame or path, optional
        Table about items: item, dataset_label (or label) for the label that the item
        has in the data set, and more. Items that nobody was asked about are kept in
        this table (`asked` is false), and no count and no fit includes them.
    offered : sequence of str, data frame or path, optional
        What was on screen: labels, a table, or a Label Studio configuration (XML).
    labels : sequence of str, data frame or path, optional
        All labels in their order.
    label_column : str, optional
        Column of the table of labels that the answers refer to. By default the column
        that holds most of their labels, which is named in `assumptions` if it is not
        the usual one.
    repeats : {"keep", "all", "distinct", "first", "last", "drop", "error"}
        How to treat further answers of an annotator to the same question: keep them,
        keep ``distinct`` answers once each, keep the ``first`` or ``last``, ``drop``
        all, or raise an ``error``. Rows of a table that are equal in every column
        count once; with ``all``, each of them counts. Default "keep".
    answers : mapping of str to str, optional
        Words of the source for ``yes``, ``no``, ``maybe`` and ``skipped``. Where
        answers are labels, only ``skipped`` has a meaning.
    missing : sequence of str
        Further words that count as empty cells, as NA, NaN, nan, <NA>, null and NULL
        do, unless `labels` lists them.
    separator : str, optional
        Separator of the columns of a text file; recognized by default.
    encoding : str, optional
        Encoding of text files (CSV, TSV), such as ``cp1252``. By default UTF-8, or
        UTF-16 where the file has a byte-order mark; in files that are neither, it is
        recognized by their words.
    header : bool, default True
        Whether the first line names the columns.
    sheet : str, optional
        Sheet of a workbook; by default the one that holds answers.
    query : str, optional
        What to select from an SQLite or DuckDB file: a query, or the name of a table;
        by default the table that holds answers.
    statuses : sequence of str, optional
        Statuses of assignments to keep; all but rejected by default.
    extras : sequence of str
        Further columns to keep.
    annotators : sequence of str
        The columns of annotators in a wide table; recognized if empty.
    exclude : sequence of str
        Columns to ignore.
    split : str, optional
        Separator of several labels in one cell, such as ``|`` (objects).
    one_hot : sequence of str
        Columns named after labels, whose cells say whether the label was selected.
    fold_case : bool, default False
        Treat labels that differ only in case as one.
    normalize : bool, default False
        Treat labels that differ only in Unicode form (NFKC) or in zero-width
        characters as one.

    Returns
    -------
    Responses
        The canonical tables. `cleaning` reports what was kept and dropped, and why;
        `summary` reports what was understood.

    Raises
    ------
    ConsilienceError
        If something cannot be read; the message says where, and how to fix it.

    See Also
    --------
    write : Write responses as a canonical folder.
    fit : Fit a model to responses.

    Examples
    --------
    >>> import consilience as cs
    >>> import pandas as pd
    >>> rows = [("a", "ann", "cat"), ("a", "bob", "dog"), ("b", "ann", "cat")]
    >>> table = pd.DataFrame(rows, columns=["image", "worker", "animal"])
    >>> responses = cs.read(table, item="image", annotator="worker", label="animal")
    >>> responses.kind, responses.num_items, responses.num_annotators
    ('choice', 2, 2)
    """
    columns = Columns(
        item=item,
        annotator=annotator,
        label=label,
        answer=answer,
        n=n,
        object=object,
        main=main,
        response_id=response_id,
        selected=selected,
        gold=gold_column,
    )
    options = ReadOptions(
        kind=kind,
        columns=columns,
        question=question,
        offered=offered,
        labels=labels,
        label_column=label_column,
        gold=gold,
        items=items,
        repeats=repeats,
        answers=_meanings(answers),
        missing=(*MISSING, *_words("missing", missing)),
        separator=separator,
        encoding=encoding,
        header=header,
        sheet=sheet,
        query=query,
        statuses=None if statuses is None else _words("statuses", statuses),
        extras=_words("extras", extras),
        annotators=_words("annotators", annotators),
        exclude=_words("exclude", exclude),
        split=split,
        one_hot=_words("one_hot", one_hot),
        fold_case=fold_case,
        normalize=normalize,
    )
    responses = read_with(source, options, format=format)
    for sentence in responses.cleaning.warnings:
        warnings.warn(sentence, ConsilienceWarning, stacklevel=2)
    return responses


def read_with(
    source: Sources,
    options: ReadOptions,
    *,
    format: str | None = None,
) -> Responses:
    """Read responses with a record of options; what looks wrong is in the account."""
    if format is None and options.one_hot:
        format = "long"
    if format is None and options.annotators:
        format = "wide"
    formats()  # whose files are imported here, and not inside
    given = _given(source)
    with readable(", ".join(map(_name_of, given)), but_mistakes=True):
        responses = _read(given, options, format)
    # Arrow keeps what it worked in; a fit that follows would come on top of it.
    pa.default_memory_pool().release_unused()
    return responses


def _read(
    given: Sequence[str | Path | Frame], options: ReadOptions, name: str | None
) -> Responses:
    given_sources = _sources(given)
    with ExitStack() as stack:
        is_format = partial(_is_format, name=name)
        files = stack.enter_context(unfolded(given_sources, is_format))
        sources = [stack.enter_context(opened(file, options)) for file in files]
        rest: list[Source] = []
        if files != given_sources:
            name, sources, rest = _of_one_format(sources, name, options)
        reader, applied, assumed = _chosen(sources, name, options)
        if options.question is not None and not reader.questions:
            msg = (
                f"a source of format {reader.name!r} holds one question; leave out "
                "`question=`, or name another format"
            )
            raise OptionError(msg)
        responses = reader.read(sources, applied)
        assumed = (*assumptions_of(sources, applied), *assumed)
    if rest:
        left = listing([_name_of(file) for file in rest], 3)
        notes = (*responses.cleaning.notes, f"files beside, not read: {left}")
        cleaning = replace(responses.cleaning, notes=notes)
        responses = replace(responses, cleaning=cleaning)
    if not assumed:
        return responses
    return replace(responses, assumptions=(*assumed, *responses.assumptions))


def _is_format(folder: Path, name: str | None) -> bool:
    """Say whether a folder is itself of a format, and not a folder of exports."""
    probed = probe(folder, Columns())
    named = [reader for each, reader in formats().items() if name in {None, each}]
    return (
        not named
        or is_data_set(folder)
        or any(reader.sniff(probed) for reader in named)
    )


def _of_one_format(
    files: list[Source], name: str | None, options: ReadOptions
) -> tuple[str | None, list[Source], list[Source]]:
    """Return the format of which most files are, for certain, these and the others."""
    every = formats()
    if name is not None and name not in every:
        raise UnknownFormatError(not_among("format", name, every))
    looks = [probe(file, options.columns, options.encoding) for file in files]
    looks = [replace(look, several=len(files) > 1) for look in looks]
    marks = {}  # by format: its best grade, and the places of the files that have it
    for each in every if name is None else [name]:
        grades = [every[each].sniff(look) for look in looks]
        best = max(grades)
        marks[each] = (best, [i for i, grade in enumerate(grades) if grade == best])
    grade, number = max((best, len(fit)) for best, fit in marks.values())
    certain = [n for n, (g, fit) in marks.items() if (g, len(fit)) == (grade, number)]
    if grade < _CERTAIN or len(certain) > 1:
        if len({tuple(sorted(look.names)) for look in looks}) > 1:
            msg = (
                f"{listing([_name_of(file) for file in files], 4)}: these files have "
                "different columns, so they are not one table; pass the files that "
                "hold answers"
            )
            raise UnknownFormatError(msg)
        return name, files, []
    fit = marks[certain[0]][1]
    rest = [file for i, file in enumerate(files) if i not in set(fit)]
    return certain[0], [files[i] for i in fit], rest


def _name_of(source: str | Path | Frame) -> str:
    return source.name if isinstance(source, Frame) else str(source)


@cache
def formats() -> Mapping[str, Reader]:
    """Readers by name: of the folders `readers`, `tools` and `public_studies`."""
    collected = [module.READER for module in _modules(readers)]
    parts = (module for module in _modules(tools) if hasattr(module, "READER"))
    collected += [module.READER for module in parts]
    for module in _modules(public_studies):
        collected += module.READERS
    return {r.name: r for r in sorted(collected, key=lambda reader: reader.name)}


def _modules(package: ModuleType) -> list[ModuleType]:
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]


def _meanings(given: Mapping[str, str] | None) -> dict[str, str]:
    if given is not None and not isinstance(given, Mapping):
        raise OptionError(not_a("answers", given, "a dictionary: {'ja': 'yes'}"))
    return dict(given or {})


def _words(what: str, given: Sequence[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        msg = f"{what} is the text {given!r}; give a list of texts: [{given!r}]"
        raise OptionError(msg)
    try:
        words = tuple(given)
    except TypeError:
        raise OptionError(not_a(what, given, "a list of texts")) from None
    for word in words:
        if not isinstance(word, str):
            raise OptionError(not_a(f"{word!r} in {what}", word, "text"))
    return words


def _given(source: object) -> list[str | Path | Frame]:
    sources = source if is_sources(source) else [source]
    return [
        each if isinstance(each, (str, Path)) else as_frame(each)
        for each in sources  # type: ignore[attr-defined]
    ]


def _sources(given: Sequence[str | Path | Frame]) -> list[Source]:
    sources = [path for each in given for path in _matching(each)]
    if not sources:
        msg = "no source was given; name a file, a folder or a data frame"
        raise OptionError(msg)
    for path in sources:
        if isinstance(path, Path) and not path.exists() and str(path) != "-":
            msg = f"{path}: there is no such file or folder; check the path"
            raise SourceNotFoundError(msg)
    return sources


def _matching(source: str | Path | Frame) -> list[Source]:
    """Return the files that a pattern such as ``exports/*.json`` fits; else a path."""
    if isinstance(source, Frame):
        return [source]
    path = Path(source)
    if path.exists() or not set(str(source)) & set("*?["):
        return [path]
    matches = sorted(glob(str(source), recursive=True))  # noqa: PTH207
    return [Path(match) for match in matches] or [path]


def _chosen(sources: list[Source], name: str | None, options: ReadOptions) -> _Chosen:
    """Return the reader, how it is to read, and what was assumed."""
    readers = formats()
    first = sources[0]
    if name is None and isinstance(first, Frame) and first.matrix:
        name = "wide"
    if name is not None:
        if name not in readers:
            raise UnknownFormatError(not_among("format", name, readers))
        return readers[name], options, ()
    columns = options.columns
    if not options.header:
        if columns.item and (columns.label or columns.answer):
            return readers["long"], options, ()
        msg = (
            'without a header no column has a name: add `format="wide"` for one '
            "column per annotator, or name columns by their place, such as "
            '`item="column 1"` `annotator="column 2"` `label="column 3"`'
        )
        raise OptionError(msg)
    probed = replace(probe(first, columns, options.encoding), several=len(sources) > 1)
    sure = {reader.name: reader.sniff(probed) for reader in readers.values()}
    best = max(sure.values())
    fit = [name for name, grade in sure.items() if grade == best]
    if best <= 1:
        understood = _by_content(first, options)
        if understood is not None:
            reader = readers[understood.format]
            return reader, understood.applied(options), understood.assumptions
    if best == 0:
        _say_what_is_wrong(first, probed)
        raise unknown_format(probed, list(readers))
    if len(fit) > 1:
        may = " or ".join(f'`format="{name}"`' for name in fit)
        msg = f"{probed.name}: may be read in several ways; choose {may}"
        raise UnknownFormatError(msg)
    return readers[fit[0]], options, ()


def _by_content(source: Source, options: ReadOptions) -> Understood | None:
    """Look into a table whose names of columns do not say what it is."""
    if isinstance(source, Path) and (
        source.is_dir() or source.suffix.lower() not in {*TABLE_SUFFIXES, ""}
    ):
        return None
    try:
        table = load_tables([source], options, unnested=True)
    except ConsilienceError:
        return None  # the reader states what is wrong with it
    return understand(table, options)


def _say_what_is_wrong(source: Source, probed: Probe) -> None:
    """Raise the plainer error where a file is broken, or lacks just one column."""
    if probed.start and isinstance(source, Path) and source.suffix.lower() == ".json":
        read_json(source)
    if isinstance(source, Path) and source.suffix.lower() in {".jsonl", ".ndjson"}:
        read_records(source, lines=True)
    roles = ("item", "label")
    names = list(probed.names)
    columns = {role: find(names, role, None, probed.name) for role in roles}
    lacking = [role for role in roles if columns[role] is None]
    if lacking == ["label"]:
        propose_one_hot(load_table(source, ReadOptions()), names)
    if len(lacking) == 1 and not looks_wide(names):
        role = lacking[0]
        other = next(column for column in columns.values() if column is not None)
        msg = (
            f"{probed.name}: there is a column {other!r} but none for {role} among "
            f"{listing(names)}; name it (`{role}=NAME`)"
        )
        raise MissingColumnError(msg)


def unknown_format(probed: Probe, formats: list[str]) -> UnknownFormatError:
    """Return the error: the columns there are, and the call that may be meant."""
    names = list(probed.names)
    if len(names) < 2:
        what = f"the one column {names[0]!r}" if names else "no columns"
        msg = (
            f"{probed.name}: no reader knows it, as it has {what}; name the format "
            f"(`format=NAME`), one of {', '.join(formats)}"
        )
    elif looks_wide(names):
        item = find(names, "item", None, probed.name) or names[0]
        msg = (
            f"{probed.name}: no column looks like the label; the columns "
            f"{listing(names, 6)} look like one for each annotator: if they are, read "
            f'it with `format="wide"` {_argument("item", item)}'
        )
    else:
        guess = " ".join(_argument(*role) for role in _guessed(names).items())
        msg = (
            f"{probed.name}: which column is which does not show from the names "
            f"{listing(names, 6)}; name them, such as {guess}, or read it with "
            '`format="wide"` if all columns but the item\'s are annotators'
        )
    return UnknownFormatError(msg)


def looks_wide(names: list[str]) -> bool:
    """Say whether most columns are numbered ones of one name, such as rater_1."""
    stems = [re.sub(r"[\W_]*\d+$", "", name) for name in names]
    numbered = [stem for stem, name in zip(stems, names, strict=True) if stem != name]
    most = max(map(numbered.count, numbered), default=0)
    return most >= 2 and most >= len(names) - 2


def _guessed(names: list[str]) -> dict[str, str]:
    """Return a column for each role: by its usual name, else the next that is free."""
    columns = {role: find(names, role, None, "") for role in _ROLES}
    free = [name for name in names if name not in columns.values()]
    roles = _ROLES if len(names) > 2 else ("item", "label")
    return {
        role: columns[role] or free.pop(0) for role in roles if columns[role] or free
    }


def _argument(role: str, name: str) -> str:
    return f'`{role}="{name}"`'
