"""Data sets with gold: found in folders, and read so that no method sees the gold."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from consilience.errors import GoldError, KindError, OptionError, SourceNotFoundError
from consilience.responses import ReadOptions, Responses, read_with

# What marks a folder as a data set: as it comes, or canonical.
_MARKS = ("labels.csv", "responses.parquet")


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """One set."""

    name: str
    responses: Responses
    gold: pd.DataFrame
    unanswered: int
    fingerprint: str

    @property
    def items(self) -> list[str]:
        """Items with gold, in its order."""
        return list(self.gold["item"].unique())

    @property
    def labels(self) -> list[str]:
        """All labels."""
        return [str(label) for label in self.responses.labels["label"]]


def find(folders: Sequence[Path]) -> list[Path]:
    """Return the folders of data sets."""
    paths: list[Path] = []
    for folder in folders:
        inside = sorted(folder.iterdir()) if folder.is_dir() else []
        sets = [folder] if _is_set(folder) else [one for one in inside if _is_set(one)]
        if not sets:
            msg = (
                f"{folder}: holds no data set; a set is a folder with labels.csv "
                "(task, worker, label) and truth.csv (task, label)"
            )
            raise SourceNotFoundError(msg)
        paths += sets
    named: dict[str, Path] = {}
    for one in paths:
        other = named.setdefault(one.resolve().name, one)
        if other.resolve() != one.resolve():
            msg = (
                f"{other} and {one}: two data sets have the same name; rename one "
                "folder"
            )
            raise OptionError(msg)
    return list(named.values())


def load(folder: Path, options: ReadOptions, *, format: str | None = None) -> DataSet:
    """Read a data set.

    Parameters
    ----------
    folder
        Its folder.
    options
        How to read it.
    format
        Name of the format; None: recognised.

    Raises
    ------
    KindError
        Its answers are not of the kind choice.
    GoldError
        It has no gold, or none about an item with answers.
    """
    read = read_with([folder], options, format=format)
    if read.kind != "choice":
        msg = f"{folder}: answers of the kind {read.kind}; only choice is compared"
        raise KindError(msg)
    if read.gold is None or read.gold.empty:
        msg = f"{folder}: no gold; put the true labels in truth.csv (task, label)"
        raise GoldError(msg)
    gold = read.gold[["item", "label"]].dropna().astype("str").drop_duplicates()
    given = read.table[read.table["label"].notna()]
    answered = gold["item"].isin(given["item"].astype("str").unique())
    if not answered.any():
        msg = f"{folder}: none of the {len(gold)} gold items has an answer"
        raise GoldError(msg)
    return DataSet(
        name=folder.resolve().name,
        responses=replace(read, gold=None),
        gold=gold[answered].reset_index(drop=True),
        unanswered=int((~answered).sum()),
        fingerprint=_fingerprint(read),
    )


def load_all(
    folders: Sequence[Path],
    options: ReadOptions,
    format: str | None,
    leave_out: Callable[[str], None],
) -> list[DataSet]:
    """Read all sets; those without gold are left out, and this is reported."""
    sets = []
    for folder in folders:
        try:
            sets.append(load(folder, options, format=format))
        except GoldError as error:
            leave_out(str(error))
    if not sets:
        msg = f"{folders[0]}: there is no gold to compare with; add truth.csv"
        raise GoldError(msg)
    return sets


def _is_set(folder: Path) -> bool:
    return any((folder / mark).is_file() for mark in _MARKS)


def _fingerprint(responses: Responses) -> str:
    table = responses.table[["item", "annotator", "label", "n"]]
    text = table.astype(dict.fromkeys(("item", "annotator", "label"), "str"))
    rows = pd.util.hash_pandas_object(text, index=False).to_numpy()
    return hashlib.sha256(np.ascontiguousarray(rows).tobytes()).hexdigest()[:16]
