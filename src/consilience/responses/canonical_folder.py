"""The canonical folder: responses as Parquet files that are whole or absent.

`responses.parquet` holds the answers and, in its schema's metadata under the key
``consilience``, how they were read; `offered`, `items`, `labels` and `gold` stand
beside it where they are known.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from consilience.errors import (
    ColumnError,
    ConsilienceError,
    DataError,
    FolderExistsError,
    OptionError,
    SourceError,
)
from consilience.responses.columns.names import listing
from consilience.responses.draft import Cleaning
from consilience.responses.format_table import Reader
from consilience.responses.id_types import type_of_arrow
from consilience.responses.options import ANSWERS, KINDS, Offer, ReadOptions
from consilience.responses.reading_plan import Plan
from consilience.responses.side_tables import asked_items, checked_labels
from consilience.responses.sources.arrow_columns import NOT_WHOLE, as_text
from consilience.responses.sources.frames import Source, only_path, readable
from consilience.responses.summary import is_given
from consilience.responses.table import Responses
from consilience.responses.text import (
    Coded,
    check_names,
    check_texts,
    encode,
    has_order,
    index,
    not_as_text,
    places,
    refuse_rows,
    text_array,
    unusable_notes,
)
from consilience.whole_folder import whole_folder

KEY = b"consilience"
SIDES = ("offered", "items", "labels", "gold")
# By table: the columns that must be there, and other columns of text that may be.
_TEXTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "responses": (("item", "kind", "label"), ("annotator", "answer", "response_id")),
    "labels": (("label",), ("name", "parent")),
    "gold": (("item", "label"), ("annotator", "answer")),
    "offered": (("label",), ("item", "annotator", "response_id")),
    "items": (("item",), ("dataset_label",)),
}
# Columns of numbers: their type, and the least and the largest value.
_NUMBERS = {
    "object": ("Int32", 0, 2**31 - 1),
    "main": ("boolean", 0, 1),
    "n": ("int64", 1, 2**53),
}
_WHOLE = {
    pa.type_for_alias(name.lower()): pd.api.types.pandas_dtype(name)
    for size in (8, 16, 32, 64)
    for name in (f"Int{size}", f"UInt{size}")
}


class _Metadata(msgspec.Struct, frozen=True):
    """How the responses were read."""

    offer: Offer
    assumptions: tuple[str, ...]
    cleaning: Cleaning
    sources: dict[str, str]
    types: dict[str, str] | None = None
    in_order: bool = False
    plan: Any = None


def write(responses: Responses, out: str | Path, *, overwrite: bool = False) -> Path:
    """Write responses as a canonical folder; if that fails, nothing is left behind.

    Parameters
    ----------
    responses : Responses
        The responses to write.
    out : str or Path
        The folder to create.
    overwrite : bool, default False
        Replace a canonical folder that already exists.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    FolderExistsError
        If the folder exists and `overwrite` is false, or if it is not a canonical
        folder.
    CannotWriteError
        If the folder cannot be written.

    See Also
    --------
    read : Read a canonical folder, or any other source.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> responses = study(0, num_photos=30).responses()
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     folder = cs.write(responses, Path(parent) / "study")
    ...     again = cs.read(folder)
    >>> again.num_responses == responses.num_responses
    True
    """
    folder = Path(out)

    def replaceable(place: Path) -> bool:
        ours = (place / "responses.parquet").exists()
        empty = place.is_dir() and not any(place.iterdir())
        if not (empty or (overwrite and ours)):
            what = "already exists" if ours else "exists and is not a responses folder"
            how = "pass `overwrite=True` to replace it, or " if ours else ""
            raise FolderExistsError(f"{folder} {what}; {how}choose another name")
        return True

    with whole_folder(folder, replaceable=replaceable) as partial:
        _write_files(responses, partial)
    return folder


def read_folder(folder: str | Path) -> Responses:
    """Read a canonical folder."""
    folder = Path(folder)
    main = folder / "responses.parquet"
    if not main.exists():
        raise SourceError(
            f"{folder}: holds no responses.parquet; name a folder written by read"
        )
    parts = {
        name: _part(path, name)
        for name in ("responses", *SIDES)
        if (path := folder / f"{name}.parquet").exists()
    }
    encoded = (parts["responses"].table.schema.metadata or {}).get(KEY)
    metadata = None
    if encoded is not None:
        with readable(str(main), "its metadata is broken", "write the folder again"):
            metadata = msgspec.json.decode(encoded, type=_Metadata)
    return _responses(parts, folder, metadata)


def _write_files(responses: Responses, part: Path) -> None:
    account = {
        "offer": responses.offer,
        "assumptions": responses.assumptions,
        "cleaning": asdict(responses.cleaning),
        "sources": dict(responses.sources),
        "types": dict(responses.types),
        "in_order": responses.in_order,
        "plan": None if responses.plan is None else responses.plan.record(),
    }
    table = pa.Table.from_pandas(responses.typed(), preserve_index=False)
    metadata = {**(table.schema.metadata or {}), KEY: msgspec.json.encode(account)}
    table = table.replace_schema_metadata(metadata)
    parquet.write_table(table, part / "responses.parquet", compression="zstd")
    for name in SIDES:
        side = responses.typed(name)
        if side is not None:
            side.to_parquet(part / f"{name}.parquet", index=False, compression="zstd")


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A table of the folder: its texts, and the columns that no rule is about."""

    source: str
    table: pa.Table
    texts: Mapping[str, Coded]
    others: Mapping[str, pd.Series]
    refused: Mapping[str, str]

    def check(self, good: np.ndarray, what: str) -> None:
        """Refuse a row that breaks a rule."""
        why = f"{what}; fix the file or write the folder again"
        refuse_rows(~good, places(self.source, first=1), why)

    def check_filled(self, names: Iterable[str]) -> None:
        """Refuse a gap where there must be a text."""
        for name in names:
            self.check(self.texts[name].codes >= 0, f"the {name} is empty")

    def text(self, name: str) -> Coded:
        """Return a column of texts; without any, where the file has none."""
        return self.texts.get(name, Coded.nothing(self.table.num_rows))

    def label(self, labels: pd.DataFrame) -> Coded:
        """Return the labels, coded by the list of all."""
        given = self.text("label")
        label = given.coded_by(text_array(labels["label"]))
        listed = (given.codes < 0) | (label.codes >= 0)
        self.check(listed, "the label is not in labels.parquet")
        return label

    def words(self, name: str, words: Sequence[str], *, null: bool) -> Coded:
        """Return a column of some words, coded by these."""
        given = self.text(name)
        coded = given.coded_by(text_array(words))
        good = (coded.codes >= 0) | (null & (given.codes < 0))
        self.check(good, f"{name} is not one of {', '.join(words)}")
        return coded

    def numbers(self, name: str) -> pd.Series:
        """Return a column of whole numbers (or booleans) within their limits."""
        dtype, least, most = _NUMBERS[name]
        if name not in self.table.column_names:
            fill = 1 if name == "n" else None
            return pd.Series([fill] * self.table.num_rows, dtype=dtype)
        column = self.table.column(name)
        try:
            with readable(self.source):
                if dtype == "boolean":
                    column = column.cast(pa.bool_())
                numbers = column.cast(pa.int64())
        except ConsilienceError as error:
            place = f"{self.source}: column {name!r}"
            raise DataError(
                f"{place} is not of type {dtype} ({error}); fix it"
            ) from None
        good = pc.and_(pc.greater_equal(numbers, least), pc.less_equal(numbers, most))
        good = good.fill_null(name != "n").to_numpy()
        self.check(good, f"column {name!r} must be from {least:,} to {most:,}")
        values: pd.Series = numbers.to_pandas(types_mapper=_WHOLE.get)
        return values.astype(pd.api.types.pandas_dtype(dtype))

    def frame(self) -> pd.DataFrame:
        """Return all columns, in the order of the file."""
        columns = {n: c.series().astype("str") for n, c in self.texts.items()}
        columns |= self.others
        order = [name for name in self.table.column_names if name in columns]
        return pd.DataFrame({name: columns[name] for name in order})


def _part(path: Path, name: str) -> _Part:
    source = str(path)
    with readable(source, NOT_WHOLE):
        given = parquet.ParquetFile(path).read()
    table = given.rename_columns(check_names(given.column_names, source))
    table = table.replace_schema_metadata(given.schema.metadata)
    needed, more = _TEXTS[name]
    for column in needed:
        if column not in table.column_names:
            raise ColumnError(
                f"{source}: there is no column {column!r}; found "
                f"{listing(table.column_names)}; expected {', '.join(needed)}"
            )
    texts, others, refused = {}, {}, {}
    for column in table.column_names:
        if column in (*needed, *more):
            texts[column] = _text(table.column(column), column, source)
        elif name != "responses" or column not in _NUMBERS:
            series = _as_pandas(table.column(column))
            if series is None:
                refused[column] = str(table.schema.field(column).type)
            else:
                others[column] = series
    part = _Part(source, table, texts, others, refused)
    if name != "responses":
        part.check_filled(needed)
    return part


def _text(column: pa.ChunkedArray, name: str, source: str) -> Coded:
    try:
        with readable(source):
            coded = encode(as_text(column)[0])
    except ConsilienceError:
        raise not_as_text(source, name, str(column.type)) from None
    check_texts(coded, name, places(source, first=1))
    return coded


def _as_pandas(column: pa.ChunkedArray) -> pd.Series | None:
    """Column of any single values, written and read again the same; None: of others."""
    kind = column.type
    if pa.types.is_nested(kind):
        return None
    try:
        with readable("column"):
            column.validate(full=True)
            if pa.types.is_dictionary(kind):
                return encode(as_text(column)[0]).series()
            # Whole numbers with gaps would become floats, and not all exactly.
            gaps = kind in _WHOLE and column.null_count > 0
            types = _WHOLE.get if gaps else None
            return column.to_pandas(types_mapper=types)
    except ConsilienceError:
        return None


def _responses(
    parts: Mapping[str, _Part], folder: Path, metadata: _Metadata | None
) -> Responses:
    """Make responses of columns that have the canonical names."""
    answers = parts["responses"]
    answers.check_filled(["item"])
    labels, items = _beside(parts, "labels"), _beside(parts, "items")
    if labels is None:
        labels = pd.DataFrame({"label": index(answers.text("label").sorted().values)})
    labels = labels if labels.empty else checked_labels(labels)
    table = _answers(answers, labels, items)
    offered, gold = (_beside(parts, name, labels) for name in ("offered", "gold"))
    given, rows = int(table["n"][is_given(table)].sum()), len(table)
    if metadata is None:  # another program wrote the folder
        metadata = _Metadata(
            offer="unknown" if offered is None else "listed",
            assumptions=(),
            cleaning=Cleaning(read=rows, kept=rows, answers=given),
            sources={},
        )
    if (metadata.offer == "listed") != (offered is not None):
        there = f"is there, but the offer is {metadata.offer}"
        what = "is missing" if offered is None else there
        raise SourceError(
            f"{folder / 'offered.parquet'} {what}; write the folder again"
        )
    notes = [
        note if name == "responses" else f"{name}.parquet: {note}"
        for name, part in parts.items()
        for note in unusable_notes(part.refused)
    ]
    cleaning = metadata.cleaning
    if cleaning.answers != given:
        notes.append(
            f"the folder holds {given:,} answers; {cleaning.answers:,} were read "
            "when its account was written"
        )
    notes = [*dict.fromkeys((*cleaning.notes, *notes))]
    schema = answers.table.schema
    typed = {
        role: kind
        for role in ("item", "annotator", "label")
        if role in schema.names and (kind := type_of_arrow(schema.field(role).type))
    }
    dtype = pd.CategoricalDtype(pd.Index(labels["label"], dtype="str"))
    return Responses(
        table=table,
        offer=metadata.offer,
        offered=offered,
        items=items,
        labels=labels,
        gold=None if gold is None else gold.astype({"label": dtype}),
        assumptions=metadata.assumptions,
        cleaning=replace(cleaning, notes=tuple(notes)),
        sources=metadata.sources,
        types=typed if metadata.types is None else metadata.types,
        plan=None if metadata.plan is None else Plan.of(metadata.plan, str(folder)),
        in_order=metadata.in_order or has_order(labels["label"].tolist()),
    )


def _beside(
    parts: Mapping[str, _Part], name: str, labels: pd.DataFrame | None = None
) -> pd.DataFrame | None:
    """Return a table beside the answers, held to its rules."""
    part = parts.get(name)
    if part is None:
        return None
    frame = part.frame()
    if name in {"labels", "items"}:
        key = name.removesuffix("s")
        part.check(~frame[key].duplicated().to_numpy(), f"the {key} stands twice")
    keys = [text for text in part.texts if text != "label"]
    if name == "offered" and not keys:
        raise ColumnError(
            f"{part.source}: found {listing(part.table.column_names)}; expected the "
            "label and whom it was offered to: item, annotator or response_id"
        )
    if name == "offered":
        part.check_filled(keys)
    if labels is not None:
        part.label(labels)
    if name == "gold" and "answer" in part.texts:
        part.words("answer", ANSWERS, null=False)
    return frame


def _answers(
    part: _Part, labels: pd.DataFrame, items: pd.DataFrame | None
) -> pd.DataFrame:
    """Return the answers, held to their rules."""
    more = None if items is None else text_array(asked_items(items))
    label = part.label(labels)
    kind = part.words("kind", KINDS, null=False)
    asked = (kind.codes != KINDS.index("contains")) | (label.codes >= 0)
    part.check(asked, "the label asked about is empty")
    answer = part.words("answer", ANSWERS, null=True)
    columns = {
        "item": part.text("item").sorted(more).series(),
        "annotator": part.text("annotator").sorted().series(),
        "kind": kind.series(),
        "label": label.series(),
        "answer": answer.series(ordered=True),
        **{name: part.numbers(name) for name in _NUMBERS},
        "response_id": part.text("response_id").sorted().series(),
    }
    return pd.DataFrame({**columns, **part.others})


def read_canonical(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read one canonical folder; all but the kind was settled when it was written."""
    folder = only_path(sources, "responses", "folder")
    # Frames are not compared.
    beside = (options.gold, options.offered, options.labels, options.items)
    rest = replace(options, gold=None, offered=None, labels=None, items=None)
    others = any(value is not None for value in beside)
    if others or rest != ReadOptions(kind=rest.kind):
        raise OptionError(
            f"{folder} is a folder of responses: its columns, offer and repeats "
            "were settled when it was written; read the export again to change them"
        )
    responses = read_folder(folder)
    return responses if options.kind is None else responses.of_kind(options.kind)


READER = Reader(
    name="responses",
    what="a folder written by this program (responses.parquet and more)",
    read=read_canonical,
)
