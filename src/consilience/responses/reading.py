"""Read responses from anything: find the reader, hand over, return one record."""

import importlib
import pkgutil
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from glob import glob
from pathlib import Path
from types import ModuleType

import pandas as pd
import pyarrow as pa

from consilience.deprecation import warn_renamed
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
from consilience.responses import public_studies, readers
from consilience.responses.columns.names import find, listing
from consilience.responses.columns.yes_or_no import propose_one_hot
from consilience.responses.options import (
    MISSING,
    Columns,
    Kind,
    ReadOptions,
    Repeats,
)
from consilience.responses.reader import Reader
from consilience.responses.sources.folders import unfolded
from consilience.responses.sources.json_file import read_json, read_json_lines
from consilience.responses.sources.library_errors import readable
from consilience.responses.sources.load import Source, load_table
from consilience.responses.sources.probe import Probe, probe
from consilience.responses.table import Responses
from consilience.responses.unknown_format import looks_wide, unknown_format

_CERTAIN = 3  # grade of a reader

type Sources = str | Path | pd.DataFrame | Sequence[str | Path | pd.DataFrame]


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
    missing: Sequence[str] = MISSING,
    separator: str | None = None,
    encoding: str | None = None,
    header: bool = True,
    statuses: Sequence[str] | None = None,
    extras: Sequence[str] = (),
    annotators: Sequence[str] = (),
    exclude: Sequence[str] = (),
    split: str | None = None,
    one_hot: Sequence[str] = (),
    fold_case: bool = False,
    normalize: bool = False,
    part: str | None = None,
) -> Responses:
    """Read crowd responses from an export, a folder or a data frame.

    Suspicious data are reported by a `ConsilienceWarning`.

    Parameters
    ----------
    source : path, data frame, or sequence of paths
        A file, a folder, a data frame, or several files of one format.
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
    repeats : {"keep", "distinct", "first", "last", "drop", "error"}, default "keep"
        How to treat further answers of an annotator to the same question: keep all,
        keep ``distinct`` answers once each, keep the ``first`` or ``last``, ``drop``
        all, or raise an ``error``.
    answers : mapping of str to str, optional
        Words of the source for ``yes``, ``no``, ``maybe`` and ``skipped``.
    missing : sequence of str
        Cells that count as empty.
    separator : str, optional
        Separator of the columns of a text file; recognized by default.
    encoding : str, optional
        Encoding of text files (CSV, TSV), such as ``cp1252``. By default UTF-8, or
        UTF-16 where the file has a byte-order mark.
    header : bool, default True
        Whether the first line names the columns.
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
    part : str, optional
        Deprecated; name the format of the part instead.

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
    if part is not None:
        format = "reassessed_imagenet" + (f"_{part}" if part != "main" else "")
        warn_renamed("part", f"format {format}")
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
        missing=_words("missing", missing),
        separator=separator,
        encoding=encoding,
        header=header,
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
    """Read responses with a record of options; what looks wrong is in the account.

    Parameters
    ----------
    source
        A file, a folder, a data frame, or several of one format.
    options
        How to read.
    format
        Name of the format; None: recognised.
    """
    if format is None and options.one_hot:
        format = "long"
    if format is None and options.annotators:
        format = "wide"
    formats()  # whose files are imported here, and not inside
    given = _given(source)
    with readable(", ".join(map(_name_of, given)), but_mistakes=True):
        sources = _sources(given)
        with unfolded(sources, partial(_is_format, format=format)) as (files, prefix):
            responses = _read_files(files, prefix, options, format)
    # Arrow keeps what it worked in; a fit that follows would come on top of it.
    pa.default_memory_pool().release_unused()
    return responses


def _is_format(folder: Path, format: str | None) -> bool:
    """Say whether a folder is itself of a format, and not a folder of exports."""
    probed = probe(folder, Columns())
    named = [reader for name, reader in formats().items() if format in {None, name}]
    return not named or any(reader.sniff(probed) for reader in named)


def _read_files(
    files: list[Source],
    prefix: str | None,
    options: ReadOptions,
    format: str | None,
) -> Responses:
    """Read files; of a folder or an archive, those that are the export."""
    if prefix is None:
        return _read_by(_reader(files, format, options), files, options)
    try:
        reader, chosen = _of_one_format(files, format, options)
        responses = _read_by(reader, chosen, options)
    except ConsilienceError as error:
        raise type(error)(_without(prefix, str(error))) from error
    account = responses.cleaning
    rest = [str(file) for file in files if str(file) not in map(str, chosen)]
    left = (f"files beside the export, not read: {listing(rest, 3)}",) * bool(rest)
    cleaning = replace(
        account,
        dropped=tuple(
            replace(part, example=_without(prefix, part.example))
            for part in account.dropped
        ),
        notes=tuple(_without(prefix, note) for note in (*account.notes, *left)),
        warnings=tuple(_without(prefix, sentence) for sentence in account.warnings),
    )
    sources = {_without(prefix, name): sha for name, sha in responses.sources.items()}
    return replace(responses, cleaning=cleaning, sources=sources)


def _read_by(reader: Reader, files: list[Source], options: ReadOptions) -> Responses:
    if options.question is not None and not reader.questions:
        msg = (
            f"a source of format {reader.name!r} holds one question; leave out "
            "`question=`, or name another format"
        )
        raise OptionError(msg)
    return reader.read(files, options)


def _of_one_format(
    files: list[Source], format: str | None, options: ReadOptions
) -> tuple[Reader, list[Source]]:
    """Return the reader that recognizes the most files, best, and these files."""
    every = formats()
    if format is not None and format not in every:
        raise UnknownFormatError(not_among("format", format, every))
    looks = [probe(file, options.columns, options.encoding) for file in files]
    looks = [replace(look, several=len(files) > 1) for look in looks]
    marks = {}  # by format: its best grade, and the files that have it
    for name in every if format is None else [format]:
        grades = [every[name].sniff(look) for look in looks]
        best = max(grades)
        fit = [file for file, g in zip(files, grades, strict=True) if g == best]
        marks[name] = (best, fit)
    grade, number = max((best, len(fit)) for best, fit in marks.values())
    names = [
        n for n, (best, fit) in marks.items() if (best, len(fit)) == (grade, number)
    ]
    if grade == 0 or len(names) > 1:
        return _reader(files, format, options), files
    tables = {tuple(sorted(look.names)) for look in looks}
    if grade < _CERTAIN and len(tables) > 1:
        msg = (
            f"{listing([str(file) for file in files], 4)}: these files have different "
            "columns, so they are not one table; pass the files that hold answers"
        )
        raise UnknownFormatError(msg)
    return every[names[0]], marks[names[0]][1]


def _without(prefix: str, text: str) -> str:
    """Return a text without the folder that an archive was unpacked into."""
    if not prefix:
        return text
    return re.sub(rf"{re.escape(prefix)}[/\\]\d+[/\\]", "", text)


def _name_of(source: str | Path | pd.DataFrame) -> str:
    return "the data frame" if isinstance(source, pd.DataFrame) else str(source)


@cache
def formats() -> Mapping[str, Reader]:
    """Readers by name: the files of the folders `readers` and `public_studies`."""
    collected = [module.READER for module in _modules(readers)]
    for module in _modules(public_studies):
        collected += module.READERS
    return {reader.name: reader for reader in collected}


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


def _given(source: object) -> list[str | Path | pd.DataFrame]:
    many = isinstance(source, Sequence) and not isinstance(source, (str, bytes))
    given: list[str | Path | pd.DataFrame] = []
    for each in source if many else [source]:  # type: ignore[attr-defined]
        if not isinstance(each, (str, Path, pd.DataFrame)):
            expected = "a file, a folder, a data frame, or a list of these"
            raise OptionError(not_a("a source", each, expected))
        given.append(each)
    return given


def _sources(given: Sequence[str | Path | pd.DataFrame]) -> list[Source]:
    sources = [path for each in given for path in _matching(each)]
    if not sources:
        msg = "no source was given; name a file, a folder or a data frame"
        raise OptionError(msg)
    for path in sources:
        if isinstance(path, Path) and not path.exists():
            msg = f"{path}: there is no such file or folder; check the path"
            raise SourceNotFoundError(msg)
    return sources


def _matching(source: str | Path | pd.DataFrame) -> list[Source]:
    """Return the files that a pattern such as ``exports/*.json`` fits; else a path."""
    if isinstance(source, pd.DataFrame):
        return [source]
    path = Path(source)
    if path.exists() or not set(str(source)) & set("*?["):
        return [path]
    return sorted(map(Path, glob(str(source), recursive=True))) or [path]  # noqa: PTH207


def _reader(sources: list[Source], name: str | None, options: ReadOptions) -> Reader:
    readers = formats()
    if name is not None:
        if name not in readers:
            raise UnknownFormatError(not_among("format", name, readers))
        return readers[name]
    columns = options.columns
    if not options.header:
        if columns.item and (columns.label or columns.answer):
            return readers["long"]
        msg = (
            'without a header no column has a name: add `format="wide"` for one '
            "column per annotator, or name columns by their place, such as "
            '`item="column 1"` `annotator="column 2"` `label="column 3"`'
        )
        raise OptionError(msg)
    probed = probe(sources[0], columns, options.encoding)
    probed = replace(probed, several=len(sources) > 1)
    sure = {reader.name: reader.sniff(probed) for reader in readers.values()}
    best = max(sure.values())
    fit = [name for name, grade in sure.items() if grade == best]
    if best == 0:
        _say_what_is_wrong(sources[0], probed)
        raise unknown_format(probed, list(readers))
    if len(fit) > 1:
        may = " or ".join(f'`format="{name}"`' for name in fit)
        msg = f"{probed.name}: may be read in several ways; choose {may}"
        raise UnknownFormatError(msg)
    return readers[fit[0]]


def _say_what_is_wrong(source: Source, probed: Probe) -> None:
    """Raise the plainer error where a file is broken, or lacks just one column."""
    if probed.start and isinstance(source, Path) and source.suffix.lower() == ".json":
        read_json(source)
    if isinstance(source, Path) and source.suffix.lower() in {".jsonl", ".ndjson"}:
        read_json_lines(source, ReadOptions())
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
