"""Images in files, lists of paths and Parquet files: names first, bytes in turn.

**Sources of images: folders, files, lists of paths, Parquet files with images.** Every
image has the name that its item has among the responses: in a folder the path below it,
in a list or a table what the column `item` says. Bytes are read only when an image's
turn has come.
"""

import csv
import functools
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
from pyarrow import parquet

from consilience.errors import ImagesError, SourceNotFoundError

MAX_BYTES = 2**29  # of one image file
ROWS = 64  # of a table's images in memory at a time
type Naming = Literal["path", "name", "stem"]
SUFFIXES = frozenset(
    [
        ".bmp",
        ".gif",
        ".jfif",
        ".jpe",
        ".jpeg",
        ".jpg",
        ".pbm",
        ".pgm",
        ".png",
        ".ppm",
        ".tif",
        ".tiff",
        ".webp",
    ]
)
LISTS = frozenset((".csv", ".tsv", ".txt"))
TABLES = frozenset((".parquet", ".pq"))


@dataclass(frozen=True, slots=True)
class Image:
    """An image that is yet to be read."""

    item: str
    load: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns of lists and tables."""

    item: str
    image: str
    path: str


@dataclass(frozen=True, slots=True)
class Files:
    """Images that are files."""

    items: tuple[str, ...]
    paths: tuple[Path, ...]

    def besides(self, done: Container[str]) -> Iterator[Image]:
        """Give those that are not done."""
        for item, path in zip(self.items, self.paths, strict=True):
            if item not in done:
                yield Image(item, functools.partial(_read, path))


@dataclass(frozen=True, slots=True)
class Table:
    """Images inside a Parquet file; some rows are in memory at a time."""

    items: tuple[str, ...]
    file: Path
    column: str

    def besides(self, done: Container[str]) -> Iterator[Image]:
        """Give those that are not done."""
        row = 0
        with parquet.ParquetFile(self.file) as table:
            for group in range(table.num_row_groups):
                end = row + table.metadata.row_group(group).num_rows
                here, row = self.items[row:end], end
                if all(item in done for item in here):
                    continue
                names = iter(here)
                for rows in table.iter_batches(
                    ROWS, row_groups=[group], columns=[self.column]
                ):
                    for cell in rows.column(0):
                        item = next(names)
                        if item not in done:
                            yield Image(item, functools.partial(_unpack, cell))


def _read(path: Path) -> bytes:
    if path.stat().st_size > MAX_BYTES:
        raise OSError(27, f"the file is over {MAX_BYTES // 2**20} MiB")
    return path.read_bytes()


def _unpack(cell: pa.Scalar) -> bytes:
    value = cell.as_py()
    if isinstance(value, dict):
        value = value.get("bytes")
    if not isinstance(value, bytes):
        raise OSError(22, "the cell holds no bytes")
    return value


def item_names(paths: Sequence[str], naming: Naming) -> tuple[str, ...]:
    """Return the names of items whose paths are these."""
    if naming == "path":
        return tuple(paths)
    parts = [Path(path) for path in paths]
    return tuple(part.name if naming == "name" else part.stem for part in parts)


def read_list(source: Path, columns: Columns, naming: Naming) -> Files:
    """Read a list of paths."""
    try:
        text = source.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        msg = f"{source}: is not UTF-8 text; save it as UTF-8"
        raise ImagesError(msg) from None
    lines = text.splitlines()
    if source.suffix.lower() == ".txt":
        paths = [line.strip() for line in lines if line.strip()]
        return Files(item_names(paths, naming), tuple(source.parent / p for p in paths))
    rows = csv.DictReader(
        lines, delimiter="\t" if source.suffix.lower() == ".tsv" else ","
    )
    names = list(rows.fieldnames or ())
    _require(columns.path, names, source)
    listed = [row for row in rows if row[columns.path]]
    paths = [row[columns.path] for row in listed]
    items = item_names(paths, naming)
    if columns.item in names:
        items = tuple(row[columns.item] or "" for row in listed)
    _no_gaps(items, source)
    return Files(items, tuple(source.parent / p for p in paths))


def read_table(source: Path, columns: Columns, naming: Naming) -> "Files | Table":
    """Read what a Parquet file holds: images, or paths to them."""
    try:
        with parquet.ParquetFile(source) as table:
            schema = table.schema_arrow
            wanted = [n for n in (columns.item, columns.path) if n in schema.names]
            side = table.read(columns=wanted).to_pydict()
            inner = _inner_paths(table, columns.image, schema)
    except (pa.ArrowInvalid, OSError) as error:
        why = str(error).splitlines()[0]
        msg = f"{source}: not a whole Parquet file ({why}); copy or export it again"
        raise ImagesError(msg) from None
    inside = columns.image in schema.names
    if not inside:
        _require(columns.path, schema.names, source)
    paths = [str(p) for p in side.get(columns.path, inner or ())]
    if columns.item in side:
        items = tuple("" if i is None else str(i) for i in side[columns.item])
    elif paths:
        items = item_names(paths, naming)
    else:
        _require(columns.item, schema.names, source)
    _no_gaps(items, source)
    if inside:
        return Table(items, source, columns.image)
    return Files(items, tuple(source.parent / p for p in paths))


def _inner_paths(
    table: parquet.ParquetFile, image: str, schema: pa.Schema
) -> list[str] | None:
    """Return the paths that stand beside the bytes in a struct of both."""
    if image not in schema.names or not pa.types.is_struct(schema.field(image).type):
        return None
    kind = schema.field(image).type
    if "path" not in {kind.field(i).name for i in range(kind.num_fields)}:
        return None
    cells = table.read(columns=[f"{image}.path"]).column(0).to_pylist()
    paths = [cell["path"] for cell in cells]
    return paths if all(paths) else None


def _require(column: str, names: Sequence[str], source: Path) -> None:
    if column not in names:
        columns = ", ".join(map(repr, names)) or "none"
        msg = (
            f"{source}: there is no column {column!r}; found {columns}; name the "
            "columns with `item=`, `image=` and `path=`"
        )
        raise ImagesError(msg)


def _no_gaps(items: Sequence[str], source: Path) -> None:
    if not all(items):
        row = list(items).index("") + 1
        msg = f"{source}, row {row}: the item has no name; fix or drop the row"
        raise ImagesError(msg)


@dataclass(frozen=True, slots=True)
class Images:
    """Images in their order."""

    items: tuple[str, ...]
    left_aside: int
    _sources: "tuple[Files | Table, ...]"

    def besides(self, done: Container[str]) -> Iterator[Image]:
        """Give the images that are not done yet, in order."""
        for source in self._sources:
            yield from source.besides(done)


def list_images(
    sources: Sequence[str | Path],
    *,
    naming: Naming = "path",
    item: str = "item",
    image: str = "image",
    path: str = "path",
) -> Images:
    """List images.

    Parameters
    ----------
    sources
        Folders; image files; lists (.txt: a path in each line; .csv, .tsv: a column of
        paths); Parquet files with a column of images (bytes, or a struct that holds
        bytes) or of paths. Paths are taken from the folder of the list.
    naming
        What of a path names the item, where no column does: all of it (below the
        folder), the file's name, or that without its ending.
    item, image, path
        Names of columns.

    Raises
    ------
    SourceNotFoundError
        A source is not there.
    ImagesError
        There is no image, two have the same name, or a list lacks a column.
    """
    columns = Columns(item, image, path)
    parts: list[Files | Table] = []
    left_aside = 0
    for source in map(Path, sources):
        if source.is_dir():
            here = sorted(file for file in source.rglob("*") if file.is_file())
            shown = [file for file in here if file.suffix.lower() in SUFFIXES]
            left_aside += len(here) - len(shown)
            named = [file.relative_to(source).as_posix() for file in shown]
            parts.append(Files(item_names(named, naming), tuple(shown)))
        elif not source.exists():
            msg = f"{source}: there is no such file or folder; check the path"
            raise SourceNotFoundError(msg)
        elif source.suffix.lower() in LISTS:
            parts.append(read_list(source, columns, naming))
        elif source.suffix.lower() in TABLES:
            parts.append(read_table(source, columns, naming))
        else:
            parts.append(Files(item_names([source.name], naming), (source,)))
    items = tuple(name for part in parts for name in part.items)
    _check(items, sources, left_aside)
    return Images(items, left_aside, tuple(parts))


def _check(items: tuple[str, ...], sources: Sequence[object], left: int) -> None:
    if not items:
        msg = (
            f"{', '.join(map(str, sources))}: no image was found ({left:,} files with "
            "other endings); give folders, image files, lists or Parquet files"
        )
        raise ImagesError(msg)
    name, times = Counter(items).most_common(1)[0]
    if times > 1:
        msg = (
            f"{times} images are named {name!r}, and predictions would be mixed up; "
            'name items by their path (`naming="path"`) or give a list with a column '
            "item"
        )
        raise ImagesError(msg)
