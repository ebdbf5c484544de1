"""The canonical folder: responses as Parquet files that are whole or absent.

`responses.parquet` holds the answers and, in its schema's metadata under the key
``consilience``, how they were read; `offered`, `items`, `labels` and `gold` stand
beside it where they are known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from consilience.errors import (
    BadCellError,
    ConsilienceError,
    FolderExistsError,
    MissingColumnError,
    OptionError,
    UnreadableFileError,
)
from consilience.responses.columns.names import listing
from consilience.responses.format_table import Reader
from consilience.responses.options import Offer, ReadOptions
from consilience.responses.quality.cleaning import Cleaning
from consilience.responses.side_tables import asked_items, checked_labels
from consilience.responses.sources.arrow_columns import NOT_WHOLE, as_text
from consilience.responses.sources.frames import Source
from consilience.responses.sources.library_errors import readable
from consilience.responses.table import ANSWERS, CANONICAL, KINDS, Responses, is_given
from consilience.responses.tables.coding import (
    Coded,
    encode,
    index,
    natural_order,
    nothing,
    recode_to,
    sort_values,
    text_array,
)
from consilience.responses.tables.id_types import type_of_arrow
from consilience.responses.tables.scales import has_order
from consilience.responses.tables.text_table import (
    check_names,
    check_texts,
    not_as_text,
    unusable_notes,
)
from consilience.whole_folder import whole_folder

KEY = b"consilience"
SIDES = ("offered", "items", "labels", "gold")
_TEXTS = ("item", "annotator", "kind", "label", "answer", "response_id")
_OFFER_KEYS = ("item", "annotator", "response_id")
_NEEDED = {
    "responses": ("item", "kind", "label"),
    "labels": ("label",),
    "gold": ("item", "label"),
    "offered": ("label",),
    "items": ("item",),
}
_CANONICAL_COLUMNS = {
    "responses": set(CANONICAL),
    "labels": {"label", "name", "parent"},
    "gold": {"item", "annotator", "label", "answer"},
    "offered": {"label", *_OFFER_KEYS},
    "items": {"item", "dataset_label"},
}
_MAX_VALUES = {"Int32": 2**31 - 1, "boolean": 1, "int64": 2**53}
_WHOLE = {
    pa.type_for_alias(name.lower()): pd.api.types.pandas_dtype(name)
    for size in (8, 16, 32, 64)
    for name in (f"Int{size}", f"UInt{size}")
}


class _Account(msgspec.Struct, frozen=True):
    """What the metadata holds."""

    offer: Offer
    assumptions: tuple[str, ...]
    cleaning: Cleaning
    sources: dict[str, str]
    types: dict[str, str] | None = None
    in_order: bool = False


def write(responses: Responses, folder: str | Path, *, overwrite: bool = False) -> Path:
    """Write responses as a canonical folder; if that fails, nothing is left behind.

    Parameters
    ----------
    responses : Responses
        The responses to write.
    folder : str or Path
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
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     folder = cs.write(responses, Path(parent) / "study")
    ...     again = cs.read(folder)
    >>> again.num_responses == responses.num_responses
    True
    """
    folder = Path(folder)

    def replaceable(place: Path) -> bool:
        _check_replaceable(place, folder, overwrite=overwrite)
        return True

    with whole_folder(folder, replaceable=replaceable) as partial:
        _write_files(responses, partial)
    return folder


def read_folder(folder: str | Path) -> Responses:
    """Read a canonical folder."""
    folder = Path(folder)
    main = folder / "responses.parquet"
    if not main.exists():
        msg = f"{folder}: holds no responses.parquet; name a folder written by read"
        raise UnreadableFileError(msg)
    tables = {
        name: _read_file(folder / f"{name}.parquet")
        for name in ("responses", *SIDES)
        if (folder / f"{name}.parquet").exists()
    }
    metadata = (tables["responses"].schema.metadata or {}).get(KEY)
    account = None
    if metadata is not None:
        with readable(str(main), "its metadata is broken", "write the folder again"):
            account = msgspec.json.decode(metadata, type=_Account)
    return _responses(tables, folder, account)


def _check_replaceable(place: Path, folder: Path, *, overwrite: bool) -> None:
    empty = place.is_dir() and not any(place.iterdir())
    ours = (place / "responses.parquet").exists()
    if empty or (overwrite and ours):
        return
    what = "already exists" if ours else "exists and is not a responses folder"
    how = "pass `overwrite=True` to replace it, or " if ours else ""
    msg = f"{folder} {what}; {how}choose another name"
    raise FolderExistsError(msg)


def _write_files(responses: Responses, part: Path) -> None:
    account = {
        "offer": responses.offer,
        "assumptions": responses.assumptions,
        "cleaning": asdict(responses.cleaning),
        "sources": dict(responses.sources),
        "types": dict(responses.types),
        "in_order": responses.in_order,
    }
    table = pa.Table.from_pandas(responses.typed(), preserve_index=False)
    metadata = {**(table.schema.metadata or {}), KEY: msgspec.json.encode(account)}
    table = table.replace_schema_metadata(metadata)
    parquet.write_table(table, part / "responses.parquet", compression="zstd")
    for name in SIDES:
        side = responses.typed(name)
        if side is not None:
            side.to_parquet(part / f"{name}.parquet", index=False, compression="zstd")


def _read_file(path: Path) -> pa.Table:
    with readable(str(path), NOT_WHOLE):
        table = parquet.ParquetFile(path).read()
    names = check_names(table.column_names, str(path))
    return table.rename_columns(names).replace_schema_metadata(table.schema.metadata)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A table, where it stands, and its columns that no rule is about."""

    table: pa.Table
    source: str
    others: Mapping[str, pd.Series]
    refused: Mapping[str, str]

    def notes(self, name: str) -> tuple[str, ...]:
        """Say which columns were put aside; those of the answers without the file."""
        place = "" if name == "responses" else f"{name}.parquet: "
        return tuple(f"{place}{note}" for note in unusable_notes(self.refused))


def _responses(
    tables: Mapping[str, pa.Table], folder: Path, account: _Account | None
) -> Responses:
    """Make responses of columns that have the canonical names."""
    parts = {
        name: _part(table, name, f"{folder / name}.parquet")
        for name, table in tables.items()
    }
    table, source = parts["responses"].table, parts["responses"].source
    text = {name: _text(table, name, source) for name in _TEXTS}
    _check(text["item"].codes >= 0, source, "the item is empty")
    labels = _labels(text["label"], parts)
    label_values = text_array(labels["label"])
    items = _items(parts)
    columns = _answers(text, parts["responses"], label_values, items)
    offered = _offered(parts, label_values)
    offer = account.offer if account else None
    _check_offer(offer, offered, folder)
    types = account.types if account else None
    ordered = account is not None and account.in_order
    whole = pd.DataFrame({**columns, **parts["responses"].others})
    return Responses(
        table=whole,
        offer=offer or ("unknown" if offered is None else "listed"),
        offered=offered,
        items=items,
        labels=labels,
        gold=_gold(parts, labels),
        assumptions=account.assumptions if account else (),
        cleaning=_with_notes(account.cleaning if account else None, parts, whole),
        sources=account.sources if account else {},
        types=_types(table) if types is None else types,
        in_order=ordered or has_order(labels["label"].tolist()),
    )


def _answers(
    text: Mapping[str, Coded],
    part: _Part,
    labels: pa.Array,
    items: pd.DataFrame | None,
) -> dict[str, pd.Series]:
    """Return the columns of the answers, held to their rules."""
    table, source = part.table, part.source
    item_values = None if items is None else text_array(asked_items(items))
    label = recode_to(text["label"], labels)
    unknown = (text["label"].codes >= 0) & (label.codes < 0)
    _check(~unknown, source, "the label is not in labels.parquet")
    kind = _among(text["kind"], KINDS, source, "kind", null=False)
    is_contains = kind.codes == KINDS.index("contains")
    _check(~is_contains | (label.codes >= 0), source, "the label asked about is empty")
    answer = _among(text["answer"], ANSWERS, source, "answer", null=True)
    return {
        "item": sort_values(text["item"], item_values).series(),
        "annotator": sort_values(text["annotator"]).series(),
        "kind": kind.series(),
        "label": label.series(),
        "answer": answer.series(ordered=True),
        "object": _numbers(table, "object", "Int32", 0, source),
        "main": _numbers(table, "main", "boolean", 0, source),
        "n": _numbers(table, "n", "int64", 1, source),
        "response_id": sort_values(text["response_id"]).series(),
    }


def _with_notes(
    cleaning: Cleaning | None, parts: Mapping[str, _Part], table: pd.DataFrame
) -> Cleaning:
    """Return the account of the folder, with notes on what differs from it."""
    answers = int(table["n"][is_given(table)].sum())
    rows = len(table)
    cleaning = cleaning or Cleaning(read=rows, kept=rows, answers=answers)
    notes = [note for name, part in parts.items() for note in part.notes(name)]
    if cleaning.answers != answers:
        notes.append(
            f"the folder holds {answers:,} answers; {cleaning.answers:,} were read "
            "when its account was written"
        )
    return replace(cleaning, notes=tuple(dict.fromkeys((*cleaning.notes, *notes))))


def _types(table: pa.Table) -> dict[str, str]:
    """Return the types of ids and labels in a table of another program."""
    types = {
        role: type_of_arrow(table.schema.field(role).type)
        for role in ("item", "annotator", "label")
        if role in table.column_names
    }
    return {role: kind for role, kind in types.items() if kind is not None}


def _part(table: pa.Table, name: str, source: str) -> _Part:
    for needed in _NEEDED[name]:
        if needed not in table.column_names:
            msg = (
                f"{source}: there is no column {needed!r}; found "
                f"{listing(table.column_names)}; expected {', '.join(_NEEDED[name])}"
            )
            raise MissingColumnError(msg)
    others, refused = {}, {}
    for column in table.column_names:
        if column not in _CANONICAL_COLUMNS[name]:
            series = _as_pandas(table.column(column))
            if series is None:
                refused[column] = str(table.schema.field(column).type)
            else:
                others[column] = series
    return _Part(table, source, others, refused)


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
            series: pd.Series = column.to_pandas(
                types_mapper=_WHOLE.get if gaps else None
            )
            return series
    except ConsilienceError:
        return None


def _text(table: pa.Table, name: str, source: str) -> Coded:
    if name not in table.column_names:
        return nothing(table.num_rows)
    column = table.column(name)
    try:
        with readable(source):
            coded = encode(as_text(column)[0])
    except ConsilienceError:
        raise not_as_text(source, name, str(column.type)) from None
    check_texts(coded, name, lambda row: f"{source}, row {row + 1}")
    return coded


def _side(part: _Part, name: str) -> tuple[pd.DataFrame, dict[str, Coded]]:
    """Take a side table as a frame; what its rules are about is text and there."""
    names = part.table.column_names
    coded = {
        column: _text(part.table, column, part.source)
        for column in names
        if column in _CANONICAL_COLUMNS[name]
    }
    for column in _NEEDED[name]:
        _check(coded[column].codes >= 0, part.source, f"the {column} is empty")
    columns = {n: coded[n].series().astype("str") for n in coded} | dict(part.others)
    order = [column for column in names if column in columns]
    return pd.DataFrame({column: columns[column] for column in order}), coded


def _labels(label: Coded, parts: Mapping[str, _Part]) -> pd.DataFrame:
    if "labels" not in parts:
        values = sort_values(label).values
        values = values.take(pa.array(natural_order(values)))
        frame = pd.DataFrame({"label": index(values)})
        return frame if frame.empty else checked_labels(frame)
    frame, _ = _side(parts["labels"], "labels")
    twice = frame["label"].duplicated().to_numpy()
    _check(~twice, parts["labels"].source, "the label stands twice")
    return frame if frame.empty else checked_labels(frame)


def _items(parts: Mapping[str, _Part]) -> pd.DataFrame | None:
    if "items" not in parts:
        return None
    frame, _ = _side(parts["items"], "items")
    twice = frame["item"].duplicated().to_numpy()
    _check(~twice, parts["items"].source, "the item stands twice")
    return frame


def _offered(
    parts: Mapping[str, _Part], label_values: pa.StringArray
) -> pd.DataFrame | None:
    if "offered" not in parts:
        return None
    table, source = parts["offered"].table, parts["offered"].source
    keys = [name for name in _OFFER_KEYS if name in table.column_names]
    if not keys:
        msg = (
            f"{source}: found {listing(table.column_names)}; expected the "
            "label and whom it was offered to: item, annotator or response_id"
        )
        raise MissingColumnError(msg)
    frame, coded = _side(parts["offered"], "offered")
    for name in keys:
        _check(coded[name].codes >= 0, source, f"the {name} is empty")
    _check(
        recode_to(coded["label"], label_values).codes >= 0,
        source,
        "the label is not in labels.parquet",
    )
    return frame


def _gold(parts: Mapping[str, _Part], labels: pd.DataFrame) -> pd.DataFrame | None:
    if "gold" not in parts:
        return None
    source = parts["gold"].source
    frame, coded = _side(parts["gold"], "gold")
    label = recode_to(coded["label"], text_array(labels["label"]))
    _check(label.codes >= 0, source, "the label is not in labels.parquet")
    if "answer" in coded:
        _among(coded["answer"], ANSWERS, source, "answer", null=False)
    dtype = pd.CategoricalDtype(pd.Index(labels["label"], dtype="str"))
    return frame.assign(label=frame["label"].astype(dtype))


def _check_offer(
    offer: Offer | None, offered: pd.DataFrame | None, folder: Path
) -> None:
    if offer is not None and (offer == "listed") != (offered is not None):
        what = (
            "is missing" if offered is None else f"is there, but the offer is {offer}"
        )
        msg = f"{folder / 'offered.parquet'} {what}; write the folder again"
        raise UnreadableFileError(msg)


def _among(
    column: Coded, words: tuple[str, ...], source: str, what: str, *, null: bool
) -> Coded:
    coded = recode_to(column, text_array(words))
    good = (coded.codes >= 0) | (null & (column.codes < 0))
    _check(good, source, f"{what} is not one of {', '.join(words)}")
    return coded


def _numbers(
    table: pa.Table, name: str, dtype: str, least: int, source: str
) -> pd.Series:
    """Read a column of whole numbers (or booleans) and hold it to its least value."""
    if name not in table.column_names:
        fill = 1 if name == "n" else None
        return pd.Series([fill] * table.num_rows, dtype=dtype)
    column = table.column(name)
    try:
        with readable(source):
            if dtype == "boolean":
                column = column.cast(pa.bool_())
            numbers = column.cast(pa.int64())
    except ConsilienceError as error:
        msg = f"{source}: column {name!r} is not of type {dtype} ({error}); fix it"
        raise BadCellError(msg) from None
    most = _MAX_VALUES[dtype]
    good = pc.and_(pc.greater_equal(numbers, least), pc.less_equal(numbers, most))
    good = good.fill_null(name != "n").to_numpy()
    _check(good, source, f"column {name!r} must be from {least:,} to {most:,}")
    gaps = numbers.is_null().to_numpy()
    values = pd.Series(numbers.fill_null(1).to_numpy()).astype("Int64")
    out: pd.Series = values.mask(gaps).astype(pd.api.types.pandas_dtype(dtype))
    return out


def _check(good: np.ndarray, source: str, what: str) -> None:
    if not good.all():
        row = int((~good).argmax()) + 1
        msg = f"{source}, row {row}: {what}; fix the file or write the folder again"
        raise BadCellError(msg)


def read_canonical(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read one canonical folder; all but the kind was settled when it was written."""
    if len(sources) != 1 or not isinstance(sources[0], Path):
        msg = f"format 'responses' reads one folder; {len(sources)} sources were given"
        raise OptionError(msg)
    # Frames are not compared.
    beside = (options.gold, options.offered, options.labels, options.items)
    rest = replace(options, gold=None, offered=None, labels=None, items=None)
    if any(value is not None for value in beside) or rest != ReadOptions(
        kind=rest.kind
    ):
        msg = (
            f"{sources[0]} is a folder of responses: its columns, offer and repeats "
            "were settled when it was written; read the export again to change them"
        )
        raise OptionError(msg)
    responses = read_folder(sources[0])
    return responses if options.kind is None else responses.of_kind(options.kind)


READER = Reader(
    name="responses",
    what="a folder written by this program (responses.parquet and more)",
    read=read_canonical,
)
