"""Linked pictures: a folder beside the page, of files that this program names."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

from consilience.errors import FolderExistsError, OptionError

type Placing = Literal["embedded", "linked"]

_MARK = "consilience-report.txt"
_OURS = re.compile(r"[0-9]{6,}\.jpg|" + re.escape(_MARK))


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
        msg = f"pictures is {placing!r}; choose {' or '.join(map(repr, choices))}"
        raise OptionError(msg)
    folder = folder_of(page)
    if placing == "embedded" or not folder.exists():
        return
    if not folder.is_dir() or not is_ours(folder):
        msg = (
            f"{folder}: already exists and has more than pictures of a report, so it "
            "is not replaced; choose another name for the report"
        )
        raise FolderExistsError(msg)
    if not overwrite:
        msg = (
            f"{folder}: already exists; choose another name for the report, or pass "
            "`overwrite=True` to replace it"
        )
        raise FolderExistsError(msg)


def write_pictures(
    folder: Path, pictures: Mapping[str, bytes], items: Sequence[str]
) -> None:
    """Write the pictures one by one; a file's name is the place of its item."""
    (folder / _MARK).write_text("Pictures of the report of the same name.\n")
    for at, item in enumerate(items):
        if item in pictures:
            (folder / f"{at:06}.jpg").write_bytes(pictures[item])
