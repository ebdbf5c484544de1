"""Pictures of the items, found by the items' names as in `classify`.

A folder is listed and its files are looked up by name: an id is never made into a path,
so that one such as `../secret` opens nothing. A list of paths, or a Parquet file with
images in it, names its items itself.

Pictures are made in threads, for Pillow works without Python's lock, and wait in a
temporary file: however many they are, few are in memory.
"""

import io
import re
import tempfile
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from os import cpu_count
from pathlib import Path
from typing import Literal, get_args

from consilience.classifiers.images import (
    SUFFIXES,
    Files,
    Image,
    Images,
    Naming,
    UnusableImageError,
    decode,
    list_images,
    quiet,
    read_ahead,
)
from consilience.errors import FolderExistsError, OptionError, SourceError
from consilience.progress import Progress, Reporter, silent
from consilience.whole_folder import refusals

SIDE = 320  # pixels of the longer side: ten to thirty thousand bytes each
SIDES = (32, 4096)
QUALITY = 75
_AHEAD = 16  # pictures for each thread that may wait in memory
type Placing = Literal["embedded", "linked"]
_MARK = "consilience-report.txt"
_OURS = re.compile(r"[0-9]{6,}\.jpg|" + re.escape(_MARK))


class Pictures(Mapping[str, bytes]):
    """JPEG files by item, in a temporary file that goes when they are not used."""

    def __init__(self, pictures: Iterable[tuple[str, bytes]]) -> None:
        self._place: dict[str, tuple[int, int]] = {}
        with refusals(Path(tempfile.gettempdir())):
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed when it goes)
            weakref.finalize(self, self._file.close)
            for item, content in pictures:
                self._place[item] = self._file.tell(), len(content)
                self._file.write(content)

    def __getitem__(self, item: str) -> bytes:
        """Return the picture of an item."""
        start, length = self._place[item]
        self._file.seek(start)
        return self._file.read(length)

    def __iter__(self) -> Iterator[str]:
        """Go through the items that have a picture."""
        return iter(self._place)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._place)


def make_pictures(
    source: Path, items: Sequence[str], *, size: int = SIDE, report: Reporter = silent
) -> Pictures:
    """Make a picture of each item that has one."""
    check_images(source, size)
    number, images = _find(source, items)
    return Pictures(_made(images, number, size, report))


def check_images(source: Path, size: int) -> None:
    """Refuse a place of images that is none, and pictures of no size."""
    low, high = SIDES
    if not low <= size <= high:
        raise OptionError(
            f"`picture_size={size}`: give the pixels of a side, from {low} to {high}"
        )
    if not source.exists():
        raise SourceError(
            f"{source}: there is no such folder of images, or list; check the path"
        )


def _find(source: Path, items: Sequence[str]) -> tuple[int, Iterator[Image]]:
    if source.is_dir():
        paths = _paths_by_name(source)
        named = tuple(item for item in items if item in paths)
        files = Files(named, tuple(paths[item] for item in named))
        return len(named), files.besides(())
    wanted = set(items)
    images = _list_with_common_naming(source, wanted)
    others = set(images.items) - wanted
    return len(images.items) - len(others), images.besides(others)


def _made(
    images: Iterator[Image], number: int, size: int, report: Reporter
) -> Iterator[tuple[str, bytes]]:
    """Give the pictures in the order of the images."""

    def make(image: Image) -> tuple[str, bytes]:
        return image.item, _picture(image, size)

    threads = cpu_count() or 1
    ahead = read_ahead(images, make, threads, threads * _AHEAD)
    with quiet(), closing(ahead) as made:
        for done, (item, content) in enumerate(made, 1):
            report(Progress("pictures", done, number))
            if content:
                yield item, content


def _list_with_common_naming(source: Path, wanted: set[str]) -> Images:
    """Return a list's images, named by what of a path is the name of most items."""
    ways: list[Images] = []
    for naming in get_args(Naming.__value__):
        # Two paths may end in one name: then that does not name them.
        with suppress(SourceError):
            ways.append(list_images([source], naming=naming))
    if not ways:
        return list_images([source])
    return max(ways, key=lambda images: len(wanted & set(images.items)))


def _paths_by_name(folder: Path) -> dict[str, Path]:
    """Return pictures by every name that an item may have, where it names just one."""
    pictures = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file()
    )
    named: dict[str, Path] = {}
    relative = {path: path.relative_to(folder) for path in pictures}
    for name in (
        lambda path: path.stem,
        lambda path: relative[path].with_suffix("").as_posix(),
        lambda path: path.name,
        lambda path: relative[path].as_posix(),
    ):
        count = Counter(map(name, pictures))
        named |= {name(path): path for path in pictures if count[name(path)] == 1}
    return named


def _picture(image: Image, size: int) -> bytes:
    try:
        picture = decode(image.load(), side=size).rgb
    except (OSError, UnusableImageError, MemoryError):
        return b""
    picture.thumbnail((size, size))
    picture.info.clear()  # no place, name or comment goes with it
    kept = io.BytesIO()
    picture.save(kept, "JPEG", quality=QUALITY, optimize=True)
    return kept.getvalue()


def folder_of(page: Path) -> Path:
    """Return the folder of the pictures of a page."""
    return page.with_name(f"{page.stem}_files")


def is_ours(folder: Path) -> bool:
    """Say whether a folder has been written by this program and has nothing else."""
    return (folder / _MARK).is_file() and all(
        _OURS.fullmatch(file.name) and file.is_file() for file in folder.iterdir()
    )


def check_folder(page: Path, placing: str, *, overwrite: bool) -> None:
    """Refuse a folder that is taken."""
    choices = get_args(Placing.__value__)
    if placing not in choices:
        raise OptionError(
            f"pictures is {placing!r}; choose {' or '.join(map(repr, choices))}"
        )
    if placing == "linked":
        other = "has more than pictures of a report"
        check_free(folder_of(page), is_ours, other, overwrite=overwrite)


def check_free(
    path: Path, ours: Callable[[Path], bool], other: str, *, overwrite: bool
) -> None:
    """Refuse a place where something else is, or what may not be replaced."""
    if path.exists():
        remedy = "choose another name for the report"
        msg = f"{path}: already exists and {other}, so it is not replaced; {remedy}"
        if ours(path):
            msg = (
                f"{path}: already exists; {remedy}, or pass `overwrite=True` to "
                "replace it"
            )
        if not (overwrite and ours(path)):
            raise FolderExistsError(msg)


def write_pictures(
    folder: Path, pictures: Mapping[str, bytes], items: Sequence[str]
) -> None:
    """Write the pictures one by one; a file's name is the place of its item."""
    (folder / _MARK).write_text("Pictures of the report of the same name.\n")
    for at, item in enumerate(items):
        if item in pictures:
            (folder / f"{at:06}.jpg").write_bytes(pictures[item])
