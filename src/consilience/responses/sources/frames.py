"""Tables in memory, from whatever library, as one record.

Every library of data frames is taken through narwhals and handed over as Arrow; pandas
stays pandas, whose columns of mixed objects Arrow does not have. Lists of dicts stay
records, as JSON has them.

**What libraries raise, as one error with the place.** Arrow, csv, msgspec, NumPy,
pandas, pickle, zipfile and XML parsers each raise errors of their own, and more than
they document. All that is read by one of them is read inside `readable`, so that a
damaged source is an error with its name, and never a traceback.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from io import BufferedReader, BytesIO, TextIOWrapper
from os import PathLike
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from consilience import errors
from consilience.errors import ConsilienceError, OptionError, SourceError, not_a
from consilience.responses.text import TextTable

if TYPE_CHECKING:
    import narwhals as nw

AGAIN = "copy or export it again"
_SOURCE = Path(errors.__file__).parent
_MISTAKES = (AssertionError, AttributeError, NameError, TypeError)

_FREE = 1 << 28  # bytes that any file may unpack to
_RATIO = 100  # beyond these, at most so many times those of the packed file


@contextmanager
def readable(
    place: str, what: str = "cannot be read", remedy: str = AGAIN
) -> Iterator[None]:
    """Turn an exception of a library into a `SourceError`."""
    try:
        yield
    except ConsilienceError:
        raise
    except Exception as error:
        raise unreadable(place, error, what, remedy) from error


def unreadable(
    place: str, error: Exception, what: str = "cannot be read", remedy: str = AGAIN
) -> SourceError:
    """Return the error that stands for one of a library."""
    return SourceError(f"{place}: {what} ({_reason(error)}); {remedy}")


def is_mistake(error: Exception) -> bool:
    """Say whether our own source, and no library that it calls, raised this."""
    if not isinstance(error, _MISTAKES):
        return False
    *_, (frame, _) = walk_tb(error.__traceback__)
    return Path(frame.f_code.co_filename).is_relative_to(_SOURCE)


def _reason(error: Exception) -> str:
    """First line of what a library says, in short; its class where it says nothing."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    line = next(iter(str(error).splitlines()), "").strip()
    return line[:300] or type(error).__name__


type Records = list[dict[str, Any]]
type Source = Path | Frame


class File(Path):
    """A file that is opened once, and may stand for the one that messages name."""

    def __init__(self, path: Path, shown: str | None = None) -> None:
        super().__init__(path)
        self.shown = super().__str__() if shown is None else shown
        self.is_shown = shown is None
        self.content: bytes | None = None
        self.digest = ""

    def with_segments(self, *segments: str | PathLike[str]) -> Path:  # type: ignore[override]
        """Return a path beside this one, which is a path like any other."""
        return Path(*segments)

    def __str__(self) -> str:
        """Return what the caller gave."""
        return self.shown

    def __fspath__(self) -> str:
        """Return where the bytes are."""
        return super().__str__()

    def read_bytes(self) -> bytes:
        """Return the content of the file."""
        if self.content is None:
            self.content = super().read_bytes()
            self.digest = sha256(self.content).hexdigest()
        return self.content


def open_bytes(path: Path) -> BufferedReader | BytesIO:
    """Open a file for reading; one that is kept is not opened again."""
    return BytesIO(path.read_bytes()) if isinstance(path, File) else path.open("rb")


def open_text(path: Path, encoding: str) -> TextIOWrapper:
    """Open a file as text whose line breaks stay as they are."""
    return TextIOWrapper(open_bytes(path), encoding, newline="")


def last_bytes(path: Path) -> bytes:
    """Return the content of a file, which is not kept any longer."""
    content = path.read_bytes()
    if isinstance(path, File):
        path.content = None
    return content


DATA_FRAME = "the data frame"
EXPECTED = (
    "a file, a folder, a table (a data frame of pandas, polars or Arrow, a relation of "
    "DuckDB, a dict of lists, a list of dicts, an array of items by annotators), or a "
    "list of files or tables"
)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Frame:
    """A table in memory."""

    data: pd.DataFrame | pa.Table | Records
    table: TextTable | None = None  # where it was looked at before
    name: str = DATA_FRAME
    file: Path | None = None
    notes: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    numbers: Sequence[int] | None = None
    index: str | None = None
    matrix: bool = False
    orders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unusable: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the name, as of a file its path."""
        return self.name

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        if isinstance(self.data, list):
            return list(dict.fromkeys(key for record in self.data for key in record))
        if isinstance(self.data, pa.Table):
            return list(self.data.column_names)
        return [str(name) for name in self.data.columns]

    def is_ordered(self, name: str | None) -> bool:
        """Say whether a column is categorical, with categories that have an order."""
        if name not in self.names or isinstance(self.data, list):
            return False
        place = self.names.index(name)
        if isinstance(self.data, pa.Table):
            kind = self.data.schema.field(place).type
            return bool(pa.types.is_dictionary(kind) and kind.ordered)
        dtype = self.data.dtypes.iloc[place]
        return isinstance(dtype, pd.CategoricalDtype) and bool(dtype.ordered)


def as_frame(given: object, what: str = "a source", expected: str = EXPECTED) -> Frame:
    """Return a table that a caller gives as whatever his library has."""
    if isinstance(given, Frame):
        return given
    if isinstance(given, pd.DataFrame):
        return _of_pandas(given)
    if isinstance(given, Mapping):
        return Frame(data=_of_columns(given, what))
    if isinstance(given, np.ndarray):
        return _of_array(given, what, expected)
    if isinstance(given, Sequence) and not isinstance(given, (str, bytes)):
        return _of_rows(given, what, expected)
    # Of the libraries that narwhals knows, none is loaded by it.
    import narwhals as nw  # noqa: PLC0415

    table = nw.from_native(given, allow_series=True, pass_through=True)
    if isinstance(table, nw.Series):
        name = f" {table.name!r}" if table.name else ""
        raise OptionError(
            f"{what} is of type {type(given).__name__}, the one column{name}; give a "
            "table of several, such as a data frame with item and label"
        )
    if isinstance(table, nw.LazyFrame):
        table = table.collect(backend="pyarrow")
    if not isinstance(table, nw.DataFrame):
        raise OptionError(not_a(what, given, expected))
    return Frame(data=_as_arrow(table))


def _as_arrow(table: "nw.DataFrame[Any]") -> pa.Table:
    import narwhals as nw  # noqa: PLC0415

    arrow = table.to_arrow()
    for place, (name, kind) in enumerate(table.schema.items()):
        if kind == nw.Enum and pa.types.is_dictionary(arrow.schema.field(place).type):
            arrow = arrow.set_column(place, name, _ordered(arrow.column(place)))
    return arrow


def _ordered(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return categories whose type says that they have an order; polars 1 says none."""
    kind = pa.dictionary(column.type.index_type, column.type.value_type, ordered=True)
    chunks = [
        pa.DictionaryArray.from_arrays(each.indices, each.dictionary, ordered=True)
        for each in column.chunks
    ]
    return pa.chunked_array(chunks, kind)


def is_table(given: Sequence[Any]) -> bool:
    """Say whether a sequence is itself a table: of dicts, or of tuples."""
    return bool(given) and all(isinstance(row, (Mapping, tuple)) for row in given)


def is_sources(given: object) -> bool:
    """Say whether a sequence is one of several sources, and no table."""
    is_text = isinstance(given, (str, bytes))
    return isinstance(given, Sequence) and not is_text and not is_table(given)


def only_path(sources: Sequence[Source], name: str, what: str) -> Path:
    """Return the one file or folder of a format that reads no more."""
    if len(sources) != 1 or not isinstance(sources[0], Path):
        raise OptionError(
            f"format {name!r} reads one {what}; {len(sources)} sources were given"
        )
    return sources[0]


def _of_pandas(frame: pd.DataFrame) -> Frame:
    """Make columns of what the labels of rows and columns say."""
    if isinstance(frame.columns, pd.MultiIndex):
        frame = frame.set_axis(_flat(frame.columns), axis=1)
    names = [str(name) for name in frame.columns]
    if isinstance(frame.index, pd.MultiIndex):
        levels = [n for n in frame.index.names if n is None or str(n) not in names]
        rest = [n for n in frame.index.names if n not in levels]
        return Frame(data=frame.reset_index(rest, drop=True).reset_index())
    index = frame.index.name
    if index is None or str(index) in names:
        return Frame(data=frame)
    return Frame(data=frame.reset_index(), index=str(index))


def _flat(columns: pd.MultiIndex) -> list[str]:
    """Return one name for each column: its levels, but for those that are all alike."""
    telling = [
        level
        for level in range(columns.nlevels)
        if len(columns.get_level_values(level).unique()) > 1
    ]
    levels = [columns.get_level_values(level).astype("str") for level in telling or [0]]
    return [" ".join(filter(None, parts)) for parts in zip(*levels, strict=True)]


def _of_columns(columns: Mapping[Any, Any], what: str) -> pd.DataFrame:
    lengths = {}
    for name, column in columns.items():
        if isinstance(column, (str, bytes, Mapping)) or not hasattr(column, "__len__"):
            raise OptionError(
                f"{what} is a dict whose {name!r} is of type {type(column).__name__}; "
                "give a list of cells for each column"
            )
        lengths[name] = len(column)
    if len(set(lengths.values())) > 1:
        shortest, longest = (f(lengths, key=lengths.__getitem__) for f in (min, max))
        raise OptionError(
            f"{what} is a dict of columns of different lengths: {lengths[shortest]:,} "
            f"cells of {shortest!r} and {lengths[longest]:,} of {longest!r}"
        )
    return pd.DataFrame({str(n): _column(cells) for n, cells in columns.items()})


def _column(cells: Any) -> Any:
    """Return cells as a column; a list of several types keeps each cell as it is."""
    if not isinstance(cells, (list, tuple)):
        return np.asarray(cells) if isinstance(cells, range) else cells
    kinds = {type(cell) for cell in cells if cell is not None}
    if len(kinds) > 1 or (None in cells and kinds <= {int, bool}):
        column = pd.Series(cells, dtype=object)
        return column.astype("Int64") if kinds == {int} else column
    return pd.Series(cells, dtype=None if cells else object)


def _of_array(given: np.ndarray, what: str, expected: str) -> Frame:
    if given.dtype.names:
        return Frame(data=pd.DataFrame({n: given[n] for n in given.dtype.names}))
    if given.ndim != 2:
        array = f"{what}, an array of {given.ndim} dimension{'s' * (given.ndim != 1)}"
        raise OptionError(not_a(array, given, expected))
    if isinstance(given, np.ma.MaskedArray):
        cells = given.data.astype(object)
        cells[np.ma.getmaskarray(given)] = None
        given = cells
    table = pd.DataFrame(given).rename(columns=str)
    if given.dtype.kind in "OSU":
        # Columns of which no two share a value are no answers of annotators.
        values = [set(column.dropna()) for _, column in table.items()]
        several = len(table) > 2 and len(values) > 1
        if several and len(set().union(*values)) == sum(map(len, values)):
            array = f"{what}, an array whose columns hold different values,"
            expected = "items by annotators, or a data frame"
            raise OptionError(not_a(array, given, expected))
    return Frame(data=table, name="the array", matrix=True)


def _of_rows(rows: Sequence[Any], what: str, expected: str) -> Frame:
    name = "the list"
    if all(isinstance(row, Mapping) for row in rows) and rows:
        records = [{str(key): cell for key, cell in row.items()} for row in rows]
        return Frame(data=records, name=name)
    if not is_table(rows):
        raise OptionError(not_a(what, rows, expected))
    names = getattr(rows[0], "_fields", None)
    width = len(rows[0])
    wrong = next((k for k, row in enumerate(rows) if len(row) != width), None)
    if wrong is not None:
        raise OptionError(
            f"{name}, row {wrong + 1}: {len(rows[wrong])} cells where the first row "
            f"has {width}; give rows of one length"
        )
    names = names or [f"column {i}" for i in range(1, width + 1)]
    columns = zip(names, zip(*rows, strict=True), strict=True)
    table = pd.DataFrame({name: _column(list(cells)) for name, cells in columns})
    return Frame(data=table, name=name)


def check_size(packed: Path, size: int, shown: str) -> None:
    """Refuse what unpacks to more bytes than answers take."""
    before = packed.stat().st_size
    if size > max(_FREE, _RATIO * before):
        raise SourceError(
            f"{shown}: unpacked it holds more than {_FREE >> 20:,} MiB, over "
            f"{size // before} times its size, as no table of answers does; if it is "
            "one, unpack it and read the result"
        )
