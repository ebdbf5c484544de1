"""Read responses from anything, or plan how: open, recognize, hand over."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from inspect import signature
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from consilience.errors import (
    ConsilienceError,
    ConsilienceWarning,
    OptionError,
    SourceError,
    not_among,
)
from consilience.responses.canonical_folder import read_folder
from consilience.responses.columns.names import listing
from consilience.responses.format_table import Reader
from consilience.responses.options import Kind, ReadOptions, Repeats, read_options
from consilience.responses.reading_plan import Plan
from consilience.responses.recognition import (
    choose_reader,
    is_format,
    of_one_format,
    probe,
)
from consilience.responses.sources.csv_file import assumed_encoding
from consilience.responses.sources.frames import (
    Frame,
    Source,
    as_frame,
    is_mistake,
    is_sources,
    unreadable,
)
from consilience.responses.sources.opening import (
    existing,
    fingerprints,
    kind_of,
    opened,
    unfolded,
)
from consilience.responses.table import Responses
from consilience.responses.tools.tool import Tool

# What stands for a table in memory has no one type: see `as_frame`.
type Sources = object


def read(  # noqa: PLR0913 - the public face spells out every option
    source: Sources,
    *,
    plan: Plan | str | Path | None = None,
    format: str | Tool | None = None,
    kind: Kind | None = None,
    question: str | None = None,
    item: str | Sequence[str] | None = None,
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
    annotator_columns: Sequence[str] = (),
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
    plan : Plan or path, optional
        How to read it: a plan, a file of one, or a folder of responses that were read
        by one. The columns of the source must be those of the plan, and there are no
        other options beside it.
    format : str or Tool, optional
        Name of the format, recognized by default; or a format of one's own, a
        `consilience.responses.tools.Tool`, or the name of its module.
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
        Further words that count as empty cells, as NA, NaN, nan, <NA>, null, NULL and
        errors of spreadsheets such as #N/A do, unless `labels` lists them.
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
    annotator_columns : sequence of str
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
    given = locals()
    if plan is not None:
        _check_alone(given)
        responses = read_by(source, plan)
    else:
        responses = read_with(source, read_options(given), format=format)
    place = Path(source) if isinstance(source, (str, Path)) else None
    if place is not None and (place / "responses.parquet").exists():
        return responses  # what looks wrong was reported when its source was read
    for sentence in responses.cleaning.warnings:
        warnings.warn(sentence, ConsilienceWarning, stacklevel=2)
    return responses


def _check_alone(given: Mapping[str, Any]) -> None:
    """Refuse options beside a plan, which settles them."""
    usual = signature(read).parameters
    names = given.keys() - {"source", "plan"}
    others = [name for name in names if given[name] is not usual[name].default]
    if others:
        raise OptionError(
            f"`plan=` settles how a source is read; leave out {', '.join(others)}, or "
            "plan the reading again with them"
        )


def _loaded(plan: Plan | str | Path) -> Plan:
    """Return a plan, that of a file, or that by which a folder was read."""
    if isinstance(plan, Plan):
        return plan
    if not Path(plan).is_dir():
        return Plan.load(plan)
    kept = read_folder(plan).plan
    if kept is None:
        raise SourceError(f"{plan}: keeps no plan; name a file of one")
    return kept


def plan(source: Sources, **options: Any) -> Plan:
    """Plan how a source is read, without reading it whole where that can be.

    Parameters
    ----------
    source : path, data frame, or sequence of these
        As for `read`.
    **options
        As for `read`.

    Returns
    -------
    Plan
        The format, the role of each column, all options, and why. `read` takes it back
        (`plan=`), and so for the next export of the same columns.

    Raises
    ------
    SourceError
        If it does not show how the source is to be read; the message says which
        options would read it.
    OptionError
        If an option does not exist.

    See Also
    --------
    read : Read the source.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> answers = study(0, num_photos=30).answers
    >>> print(cs.plan(answers, label="animal"))  # doctest: +ELLIPSIS
    format  long
    ...
    annotator  annotator
    ...
    >>> plan = cs.plan(answers, label="animal")
    >>> cs.read(answers, plan=plan).num_items
    30
    """
    usual = {name: each.default for name, each in signature(read).parameters.items()}
    for name in options:
        if name not in usual or name == "plan":
            raise OptionError(not_among("option", name, [*usual]))
    chosen = usual | options
    return plan_with(source, read_options(chosen), format=chosen["format"])


def plan_with(
    source: Sources, options: ReadOptions, *, format: str | Tool | None = None
) -> Plan:
    """Plan how a source is read, with a record of options."""
    return _of_sources(source, options, format, _planned)


def read_by(source: Sources, by: Plan | str | Path) -> Responses:
    """Read responses as a plan says, from a source of the same columns."""
    plan = _loaded(by)
    work = partial(_read, plan=plan)
    responses = _of_sources(source, plan.options, plan.format, work)
    every = dict.fromkeys((*plan.reasons, *responses.assumptions))
    return replace(responses, assumptions=tuple(every))


def read_with(
    source: Sources, options: ReadOptions, *, format: str | Tool | None = None
) -> Responses:
    """Read responses with a record of options; what looks wrong is in the account."""
    return _of_sources(source, options, format, _read)


def _of_sources[T](
    source: Sources,
    options: ReadOptions,
    format: str | Tool | None,
    work: Callable[[Sequence[str | Path | Frame], ReadOptions, str | Tool | None], T],
) -> T:
    """Do what is to be done with a source; what fails of itself is of the source."""
    if format is None and options.one_hot:
        format = "long"
    if format is None and options.annotator_columns:
        format = "wide"
    given = _given(source)
    try:
        result = work(given, options, format)
    except ConsilienceError:
        raise
    except Exception as error:
        if is_mistake(error):
            raise
        raise unreadable(", ".join(map(str, given)), error) from error
    # Arrow keeps what it worked in; a fit that follows would come on top of it.
    pa.default_memory_pool().release_unused()
    return result


class _Chosen(NamedTuple):
    """Sources that are open, and how they are to be read."""

    reader: Reader
    sources: list[Source]
    rest: list[Source]
    options: ReadOptions
    assumed: list[str]
    plan: Plan


@contextmanager
def _chosen(
    given: Sequence[str | Path | Frame],
    options: ReadOptions,
    name: str | Tool | None,
    plan: Plan | None = None,
) -> Iterator[_Chosen]:
    """Open sources and choose how to read them, by a plan where there is one."""
    given_sources = existing(given)
    with ExitStack() as stack:
        is_whole = partial(is_format, given=name)
        files = stack.enter_context(unfolded(given_sources, is_whole))
        sources = [stack.enter_context(opened(file, options)) for file in files]
        rest: list[Source] = []
        if files != given_sources:
            name, sources, rest = of_one_format(sources, name, options)
        assumed: list[str] = []
        for each in sources:
            if isinstance(each, Frame):
                assumed += each.assumptions
            elif kind_of(each) == "text" and each.is_file():
                assumed += assumed_encoding(each, options.encoding)
        names = [probe(each, options).names for each in sources]
        for each, columns in zip(sources, names, strict=True):
            if plan is not None:
                plan.check(list(columns), str(each))
        reader, sources, options = choose_reader(sources, name, options, assumed)
        tables = reader.name in {"long", "wide", "counts"}
        made = plan or Plan(
            format=reader.name,
            columns=tuple(dict.fromkeys(chain(*names))) if tables else (),
            options=options,
            reasons=tuple(assumed),
        )
        yield _Chosen(reader, sources, rest, options, assumed, made)


def _planned(
    given: Sequence[str | Path | Frame], options: ReadOptions, name: str | Tool | None
) -> Plan:
    with _chosen(given, options, name) as chosen:
        return chosen.plan


def _read(
    given: Sequence[str | Path | Frame],
    options: ReadOptions,
    name: str | Tool | None,
    plan: Plan | None = None,
) -> Responses:
    with _chosen(given, options, name, plan) as chosen:
        reader, sources, rest, options, assumed, plan = chosen
        if options.question is not None and not reader.questions:
            raise OptionError(
                f"a source of format {reader.name!r} holds one question; leave out "
                "`question=`, or name another format"
            )
        responses = reader.read(sources, options)
        files_read = responses.sources
        if not files_read and reader.name != "responses":  # which names those before
            files_read = fingerprints(sources)
    cleaning = responses.cleaning
    if rest:
        left = listing(list(map(str, rest)), 3)
        notes = (*cleaning.notes, f"files beside, not read: {left}")
        cleaning = replace(cleaning, notes=notes)
    return replace(
        responses,
        assumptions=(*assumed, *responses.assumptions),
        cleaning=cleaning,
        sources=files_read,
        plan=responses.plan or plan,
    )


def _given(source: Any) -> list[str | Path | Frame]:
    if isinstance(source, (str, Path)):
        return [source]
    sources = source if is_sources(source) else [source]
    return [s if isinstance(s, (str, Path)) else as_frame(s) for s in sources]
