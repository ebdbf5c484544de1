"""Sources of images: folders, files, lists of paths, Parquet files with images.

Every image has the name that its item has among the responses: in a folder the path
below it, in a list or a table what the column `item` says. Bytes are read only when an
image's turn has come.
"""

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from consilience.classifiers.images.sources import (
    Columns,
    Files,
    Image,
    Naming,
    Table,
    item_names,
    read_list,
    read_table,
)
from consilience.errors import ImagesError, SourceNotFoundError

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
