"""Helpers of every command: the terminal, JSON, the destination of output."""

import json
import shlex
import sys
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consilience.errors import FolderExistsError
from consilience.visible import escape_json
from consilience.whole_folder import check_writable, clean_path

if TYPE_CHECKING:
    import pandas as pd

    from consilience.console import Console


def screen(*, as_json: bool) -> "Console":
    """Return where people read: standard output, or standard error beside JSON."""
    from consilience.console import Console

    return Console(stderr=as_json)


def print_json(result: Mapping[str, Any]) -> None:
    """Print one JSON object on standard output; what is not finite becomes null."""
    text = json.dumps(plain(result), ensure_ascii=False, allow_nan=False, indent=2)
    sys.stdout.write(escape_json(text) + "\n")


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: paths as text, no NaN."""
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not isfinite(value):
        return None
    return value


def finish(show: "Console", out: Path | None, *following: str | Path) -> None:
    """Say what was written, and which command usually follows.

    Parameters
    ----------
    show
        Where people read.
    out
        What was written; None: nothing.
    following
        Words of the command that usually follows, without the program's name.
    """
    if out is not None:
        show.print(f"written to {out}", soft_wrap=True)
    if not show.stderr:  # beside JSON a program reads, which knows what follows
        suggest(*following)


def suggest(*following: str | Path) -> None:
    """Say on standard error which command usually follows; words in capitals stand in.

    Parameters
    ----------
    following
        Its words, without the program's name.
    """
    command = shlex.join(["consilience", *map(str, following)])
    screen(as_json=True).print(f"next: {command}", style="dim", soft_wrap=True)


def rows(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return a table as one object per row."""
    decoded: list[dict[str, Any]] = json.loads(
        table.to_json(orient="records", double_precision=15)
    )
    return decoded


def check_free(folder: Path, *, marker: str | None, overwrite: bool) -> None:
    """Refuse a place that is taken before any work is done.

    Parameters
    ----------
    folder
        The folder or file to be written.
    marker
        A file that every folder of this sort holds; what lacks it is never replaced.
        None: a file is to be written.
    overwrite
        Whether what is there may be replaced.

    Raises
    ------
    FolderExistsError
        If the place is taken.
    CannotWriteError
        If nothing can be written there.
    """
    clean_path(folder)
    if folder.exists() or folder.is_symlink():
        if marker is None:
            if folder.is_dir():
                msg = f"{folder}: is a folder; choose another name for --out"
                raise FolderExistsError(msg)
        elif not (folder / marker).is_file():
            msg = (
                f"{folder}: already exists and holds no {marker}, so it is not "
                "replaced; choose another name for --out"
            )
            raise FolderExistsError(msg)
        if not overwrite:
            msg = (
                f"{folder}: already exists; choose another name for --out, or pass "
                "--overwrite to replace it"
            )
            raise FolderExistsError(msg)
    check_writable(folder)
