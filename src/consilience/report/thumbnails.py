"""Small pictures of the items, found in a folder by the items' names.

The folder is listed and its files are looked up by name: an id is never made into a
path, so that one such as `../secret` opens nothing.
"""

import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from consilience.errors import SourceNotFoundError

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
)
SIDE = 96  # pixels: a few hundred to a few thousand bytes each
QUALITY = 60


def thumbnails(folder: Path, items: Sequence[str]) -> dict[str, bytes]:
    """Make a small picture of each item that has one.

    Parameters
    ----------
    folder
        Pictures, named as the items are, with or without the suffix; folders within
        are looked into.
    items
        Ids.

    Returns
    -------
    JPEG files by item. What is no picture, or broken, is left out.

    Raises
    ------
    SourceNotFoundError
        The folder is not there.
    """
    if not folder.is_dir():
        msg = f"{folder}: there is no such folder of images; mend the path"
        raise SourceNotFoundError(msg)
    files = _by_name(folder)
    found = {item: _small(files[item]) for item in items if item in files}
    return {item: picture for item, picture in found.items() if picture}


def _by_name(folder: Path) -> dict[str, Path]:
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


def _small(path: Path) -> bytes:
    from PIL import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415 (an extra)

    kept = io.BytesIO()
    try:
        with Image.open(path) as picture:
            picture.draft("RGB", (SIDE * 2, SIDE * 2))
            upright = ImageOps.exif_transpose(picture).convert("RGB")
            upright.thumbnail((SIDE, SIDE))
            upright.save(kept, "JPEG", quality=QUALITY, optimize=True)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return b""
    return kept.getvalue()
