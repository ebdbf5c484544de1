"""What is asked of each item, before it takes the form of a tool."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args
from urllib.parse import quote

from consilience.classifiers.images import Naming, item_names, list_images
from consilience.errors import ImagesError, OptionError
from consilience.responses.tools.on_screen import OnScreen

QUESTIONS = {
    "choice": "Which of these is in the image?",
    "contains": "Which of these are in the image? Select all that apply.",
    "objects": "Which objects are in the image? Select one name for each object.",
}
MAIN_QUESTION = "Which of them is the main object?"
SCHEMES = ("https://", "http://", "s3://", "gs://", "/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One item: its image, and the labels on the screen in their order."""

    image: str
    shown: OnScreen


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """All tasks and their question."""

    tasks: Sequence[Task]
    kind: str
    question: str
    remote: bool


def image_places(
    items: list[str], images: Path | None, prefix: str | None, folder: Path
) -> list[str]:
    """Return the address of each item's image, or its path from a folder."""
    if prefix is not None and not prefix.startswith(SCHEMES):
        msg = (
            f"image_prefix {prefix!r}: addresses start with {', '.join(SCHEMES)}; give "
            "one such beginning"
        )
        raise OptionError(msg)
    if images is None:
        if prefix is None:
            msg = (
                "where the images are is not known; give their folder (`images=`), or "
                "the beginning of their addresses (`image_prefix=`)"
            )
            raise OptionError(msg)
        return [prefix + quote(item) for item in items]
    paths = _paths(items, images)
    if prefix is not None:
        return [prefix + quote(path) for path in paths]
    start = Path(os.path.relpath(images, folder)).as_posix()
    return [f"./{start}/{path}" for path in paths]


def _paths(items: list[str], images: Path) -> list[str]:
    """Return the path of each item's image below the folder."""
    if not images.is_dir():
        msg = f"{images}: is no folder of images; give one (`images=`)"
        raise ImagesError(msg)
    every = list_images([images]).items
    lacking: list[str] = []
    for naming in get_args(Naming.__value__):
        names = item_names(every, naming)
        if len(set(names)) < len(names):
            continue
        path_of = dict(zip(names, every, strict=True))
        missing = [item for item in items if item not in path_of]
        if not missing:
            return [path_of[item] for item in items]
        lacking = min(lacking or missing, missing, key=len)
    msg = (
        f"{images}: {len(lacking):,} of {len(items):,} items have no image there, such "
        f"as {lacking[0]!r}; items are named after the path of their image, its name, "
        "or its name without ending"
    )
    raise ImagesError(msg)
