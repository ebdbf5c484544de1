"""Thumbnails of the items, found by the items' names as in `classify`.

A folder is listed and its files are looked up by name: an id is never made into a path,
so that one such as `../secret` opens nothing. A list of paths, or a Parquet file with
images in it, names its items itself.
"""

import contextlib
import io
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

from consilience.classifiers.images.listing import Images, list_images
from consilience.classifiers.images.sources import Naming
from consilience.errors import ImagesError, SourceNotFoundError

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
)
SIDE = 96  # pixels: a few hundred to a few thousand bytes each
QUALITY = 60


def thumbnails(source: Path, items: Sequence[str]) -> dict[str, bytes]:
    """Make a small picture of each item that has one.

    Parameters
    ----------
    source
        A folder of pictures, named as the items are, with or without the suffix;
        folders within are looked into. Or a list (.txt, .csv, .tsv) of paths, or a
        Parquet file of images, as `classify` takes.
    items
        Ids.

    Returns
    -------
    JPEG files by item. What is not a picture, or is broken, is left out.

    Raises
    ------
    SourceNotFoundError
        The folder or file is not there.
    ImagesError
        A list or table has not the columns that it must.
    """
    if not source.exists():
        msg = f"{source}: there is no such folder of images, or list; check the path"
        raise SourceNotFoundError(msg)
    if source.is_dir():
        files = _paths_by_name(source)
        pictures = {item: _thumbnail(files[item]) for item in items if item in files}
    else:
        wanted = set(items)
        images = _list_with_common_naming(source, wanted)
        others = set(images.items) - wanted
        pictures = {
            image.item: _thumbnail_of_image(image.load)
            for image in images.besides(others)
        }
    return {item: picture for item, picture in pictures.items() if picture}


def _list_with_common_naming(source: Path, wanted: set[str]) -> Images:
    """Return a list's images, named by what of a path is the name of most items."""
    ways: list[Images] = []
    for naming in get_args(Naming.__value__):
        # Two paths may end in one name: then that does not name them.
        with contextlib.suppress(ImagesError):
            ways.append(list_images([source], naming=naming))
    if not ways:
        return list_images([source])
    return max(ways, key=lambda images: len(wanted & set(images.items)))


def _thumbnail_of_image(load: Callable[[], bytes]) -> bytes:
    try:
        return _thumbnail(io.BytesIO(load()))
    except OSError:
        return b""


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


def _thumbnail(file: Path | io.BytesIO) -> bytes:
    from PIL import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415 (an extra)

    kept = io.BytesIO()
    try:
        with Image.open(file) as picture:
            picture.draft("RGB", (SIDE * 2, SIDE * 2))
            upright = ImageOps.exif_transpose(picture).convert("RGB")
            upright.thumbnail((SIDE, SIDE))
            upright.save(kept, "JPEG", quality=QUALITY, optimize=True)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return b""
    return kept.getvalue()
