"""Images: where they are, their bytes as eight-bit RGB, and the square of a network.

**Sources are folders, files, lists of paths, and Parquet files with images.** Every
image has the name that its item has among the responses: in a folder the path below it,
in a list or a table what the column `item` says. Bytes are read only when an image's
turn has come.

**Whatever a file claims to be, what it is is seen from its bytes.** The first frame
counts; a photograph is turned as its EXIF orientation says; transparency is laid over
white; sixteen bits are scaled to eight, not cut off.

**The square is one resampling by Pillow**, straight from the decoded picture: cropping
is a box given to it, not a second step. Pillow's filters look at as many pixels as the
scale asks for; those of other libraries do not, and change the answers as much as int8
weights would.
"""

import csv
import functools
import io
import warnings
from collections import Counter, deque
from collections.abc import Callable, Container, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
from jaxtyping import UInt8
from pyarrow import parquet

from consilience.classifiers.manifest import Preprocessing
from consilience.errors import SourceError

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

MAX_BYTES = 2**29  # of one image file
ROWS = 64  # of a table's images in memory at a time
type Naming = Literal["path", "name", "stem"]
SUFFIXES = frozenset(
    (
        *(".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png"),
        *(".ppm", ".tif", ".tiff", ".webp"),
    )
)
LISTS = frozenset((".csv", ".tsv", ".txt"))
TABLES = frozenset((".parquet", ".pq"))
# What browsers and cameras write. Pillow knows more, some of which start other programs
# (EPS) or lead to other files.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
MAX_PIXELS = 100_000_000  # 300 MB as RGB; beyond it a small file may be a trap
MIN_SIDE = 2
_ORIENTATION = 0x0112  # of EXIF
_SIXTEEN_BITS = 65535
_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_SEE_THROUGH = ("RGBA", "LA", "PA", "RGBa", "La")
_DAMAGED = (OSError, ValueError, SyntaxError, EOFError, IndexError, OverflowError)


@dataclass(frozen=True, slots=True)
class Image:
    """An image that is yet to be read."""

    item: str
    load: Callable[[], bytes]


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


def _read_list(source: Path, item: str, path: str, naming: Naming) -> Files:
    """Read a list of paths, by the columns of items and of paths."""
    try:
        lines = source.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise SourceError(f"{source}: is not UTF-8 text; save it as UTF-8") from None
    ending = source.suffix.lower()
    if ending == ".txt":
        paths = [line.strip() for line in lines if line.strip()]
        return _listed(source, paths, None, naming)
    rows = csv.DictReader(lines, delimiter="\t" if ending == ".tsv" else ",")
    names = list(rows.fieldnames or ())
    _require(path, names, source)
    listed = [row for row in rows if row[path]]
    items = [row[item] or "" for row in listed] if item in names else None
    return _listed(source, [row[path] for row in listed], items, naming)


def _read_table(
    source: Path, item: str, image: str, path: str, naming: Naming
) -> "Files | Table":
    """Read what a Parquet file holds: images, or paths to them."""
    beside: list[str] = []
    try:
        with parquet.ParquetFile(source) as table:
            names = table.schema_arrow.names
            side = table.read(columns=[n for n in (item, path) if n in names])
            inside = image in names
            kind = table.schema_arrow.field(image).type if inside else pa.null()
            # Paths that stand beside the bytes, in a struct of both.
            if pa.types.is_struct(kind) and kind.get_field_index("path") >= 0:
                cells = table.read(columns=[f"{image}.path"]).column(0).to_pylist()
                beside = [cell["path"] for cell in cells]
    except (pa.ArrowInvalid, OSError) as error:
        why = str(error).splitlines()[0]
        raise SourceError(
            f"{source}: not a whole Parquet file ({why}); copy or export it again"
        ) from None
    given = side.to_pydict()
    if not inside:
        _require(path, names, source)
    paths = [str(p) for p in given.get(path, beside if all(beside) else ())]
    items = None
    if item in given:
        items = ["" if i is None else str(i) for i in given[item]]
    elif not paths:
        _require(item, names, source)
    files = _listed(source, paths, items, naming)
    return Table(files.items, source, image) if inside else files


def _listed(
    source: Path, paths: Sequence[str], items: Sequence[str] | None, naming: Naming
) -> Files:
    """Return images whose paths are listed, named by their items or their paths."""
    names = item_names(paths, naming) if items is None else tuple(items)
    if not all(names):
        row = names.index("") + 1
        raise SourceError(
            f"{source}, row {row}: the item has no name; fix or drop the row"
        )
    return Files(names, tuple(source.parent / path for path in paths))


def _require(column: str, names: Sequence[str], source: Path) -> None:
    if column not in names:
        columns = ", ".join(map(repr, names)) or "none"
        raise SourceError(
            f"{source}: there is no column {column!r}; found {columns}; name the "
            "columns with `item=`, `image=` and `path=`"
        )


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
    SourceError
        A source is not there, there is no image, two have the same name, or a list
        lacks a column.
    """
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
            raise SourceError(
                f"{source}: there is no such file or folder; check the path"
            )
        elif source.suffix.lower() in LISTS:
            parts.append(_read_list(source, item, path, naming))
        elif source.suffix.lower() in TABLES:
            parts.append(_read_table(source, item, image, path, naming))
        else:
            parts.append(Files(item_names([source.name], naming), (source,)))
    items = tuple(name for part in parts for name in part.items)
    if not items:
        raise SourceError(
            f"{', '.join(map(str, sources))}: no image was found ({left_aside:,} files "
            "with other endings); give folders, image files, lists or Parquet files"
        )
    name, times = Counter(items).most_common(1)[0]
    if times > 1:
        raise SourceError(
            f"{times} images are named {name!r}, and predictions would be mixed up; "
            'name items by their path (`naming="path"`) or give a list with a column '
            "item"
        )
    return Images(items, left_aside, tuple(parts))


def read_ahead[Made](
    images: Iterable[Image], make: Callable[[Image], Made], threads: int, most: int
) -> Generator[Made]:
    """Make something of images in threads, at most so many ahead, in their order."""
    ahead: deque[Future[Made]] = deque()
    pool = ThreadPoolExecutor(threads, "reader")
    try:
        for image in images:
            ahead.append(pool.submit(make, image))
            if len(ahead) >= most:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


class UnusableImageError(Exception):
    """An image that cannot be used, and why; recorded, never fatal."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded image."""

    rgb: "PillowImage"
    note: str


def decode(data: bytes, *, side: int | None = None) -> Picture:
    """Decode the bytes of an image file."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 (an extra)

    if not data:
        raise UnusableImageError("the file is empty")
    Image.init()  # loads the formats; after the first time it does nothing
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            return _as_rgb(opened, side)
    except UnidentifiedImageError:
        raise UnusableImageError(
            f"not an image of a known format ({', '.join(FORMATS)})"
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnusableImageError(f"over {MAX_PIXELS:,} pixels") from None
    except _DAMAGED as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnusableImageError(f"damaged: {why}") from None


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Pillow's warnings about odd files to itself: what is wrong is recorded.

    Filters belong to the whole process, so one thread enters it for all.
    """
    from PIL import Image  # noqa: PLC0415 (an extra)

    Image.init()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


def _as_rgb(image: "PillowImage", side: int | None) -> Picture:
    from PIL import Image, ImageOps  # noqa: PLC0415

    width, height = image.size
    if width * height > MAX_PIXELS:
        raise UnusableImageError(f"{width:,} x {height:,} pixels, over {MAX_PIXELS:,}")
    if min(width, height) < MIN_SIDE:
        raise UnusableImageError(f"only {width} x {height} pixels")
    if side is not None:
        image.draft(None, (side, side))
    notes = []
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        image.seek(0)
        notes.append(f"the first of {frames} frames")
    image.load()
    if image.mode in _DEEP or image.mode == "F":
        notes.append(f"{image.mode} scaled to eight bits")
        image = Image.fromarray(_eight_bits(np.asarray(image), image.mode == "F"))
    elif image.getexif().get(_ORIENTATION, 1) != 1:
        notes.append("turned as EXIF says")
        image = ImageOps.exif_transpose(image)
    if image.mode in _SEE_THROUGH or "transparency" in image.info:
        notes.append("laid over white")
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, layered)
    if image.mode == "CMYK":
        notes.append("CMYK converted without a colour profile")
    return Picture(image.convert("RGB"), "; ".join(notes))


def _eight_bits(pixels: np.ndarray, by_range: bool) -> np.ndarray:  # noqa: FBT001
    """Scale deep pixels to 0..255: sixteen bits by 257, others by their own range."""
    values = pixels.astype(np.float64)
    if not np.isfinite(values).all():
        raise UnusableImageError("pixels that are not finite")
    low, high = min(float(values.min()), 0.0), float(values.max())
    if not by_range and low == 0 and high <= _SIXTEEN_BITS:
        high = _SIXTEEN_BITS
    scaled = (values - low) / max(high - low, 1e-9) * 255
    return np.rint(scaled).astype(np.uint8)


def prepare(picture: "PillowImage", how: Preprocessing) -> UInt8[np.ndarray, "S S 3"]:
    """Return the square of a picture."""
    from PIL.Image import Resampling  # noqa: PLC0415 (an extra)

    square = (how.size, how.size)
    chosen = Resampling[how.filter.upper()]
    width, height = picture.size
    shorter = min(width, height)
    whole = (shorter, shorter) if how.mode == "crop" else (width, height)
    share = how.size / (how.resize or how.size)
    across, down = share * whole[0], share * whole[1]
    left, top = (width - across) / 2, (height - down) / 2
    box = (left, top, left + across, top + down)
    return np.asarray(picture.resize(square, chosen, box=box))
