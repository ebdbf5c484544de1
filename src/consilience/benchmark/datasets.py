r"""Data sets with gold: found in folders, and read so that no method sees the gold.

**One method on one set: its metrics, what each item adds, and the bootstrap's.** Every
method is measured under the same bootstrap of a set's items, so that a difference of
two methods is free of the luck that they share. The standard error of a difference is
that of the mean of the items' differences, :math:`\operatorname{sd}(d_1, \dots, d_I) /
\sqrt{I}` (for the ECE, which is not a mean over items, the spread of the bootstrap's
differences).
"""

import hashlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.errors import DataError, KindError, OptionError, SourceError
from consilience.responses import ReadOptions, Responses, read_with
from consilience.scoring.item_metrics import choice_columns, means
from consilience.scoring.metrics import bootstrapped

# What marks a folder as a data set: as it comes, or canonical.
_MARKS = ("labels.csv", "responses.parquet")
METRICS = ("accuracy", "log_loss", "log_loss_1e-3", "brier", "ece")
# A method that is sure of a wrong label loses 23 nats here, as in crowd-kit's own code,
# and 7 there: between the two lies what one thinks such a mistake costs.
CLIPS: Mapping[str, float] = {"log_loss": 1e-10, "log_loss_1e-3": 1e-3}


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """One set."""

    name: str
    responses: Responses
    gold: pd.DataFrame
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
            raise SourceError(
                f"{folder}: holds no data set; a set is a folder with labels.csv "
                "(task, worker, label) and truth.csv (task, label)"
            )
        paths += sets
    named: dict[str, Path] = {}
    for one in paths:
        other = named.setdefault(one.resolve().name, one)
        if other.resolve() != one.resolve():
            raise OptionError(
                f"{other} and {one}: two data sets have the same name; rename one "
                "folder"
            )
    return list(named.values())


def load(folder: Path, options: ReadOptions, *, format: str | None = None) -> DataSet:
    """Read a data set; refuse answers of another kind than choice, and no gold."""
    return _with_gold(folder, _read(folder, options, format))


def _read(folder: Path, options: ReadOptions, format: str | None) -> Responses:
    read = read_with([folder], options, format=format)
    if read.kind != "choice":
        raise KindError(
            f"{folder}: answers of the kind {read.kind}; only choice is compared"
        )
    return read


def _with_gold(folder: Path, read: Responses) -> DataSet:
    if read.gold is None or read.gold.empty:
        raise DataError(
            f"{folder}: no gold; put the true labels in truth.csv (task, label)"
        )
    gold = read.gold[["item", "label"]].dropna().astype("str").drop_duplicates()
    given = read.table[read.table["label"].notna()]
    answered = gold["item"].isin(given["item"].astype("str").unique())
    if not answered.any():
        raise DataError(f"{folder}: none of the {len(gold)} gold items has an answer")
    return DataSet(
        name=folder.resolve().name,
        responses=replace(read, gold=None),
        gold=gold[answered].reset_index(drop=True),
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
        read = _read(folder, options, format)
        try:
            sets.append(_with_gold(folder, read))
        except DataError as error:
            leave_out(str(error))
    if not sets:
        raise DataError(
            f"{folders[0]}: there is no gold to compare with; add truth.csv"
        )
    return sets


def _is_set(folder: Path) -> bool:
    return any((folder / mark).is_file() for mark in _MARKS)


def _fingerprint(responses: Responses) -> str:
    table = responses.table[["item", "annotator", "label", "n"]]
    text = table.astype(dict.fromkeys(("item", "annotator", "label"), "str"))
    rows = pd.util.hash_pandas_object(text, index=False).to_numpy()
    return hashlib.sha256(np.ascontiguousarray(rows).tobytes()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """How to compare."""

    seed: int = 0
    resamples: int = 1000
    prob: float = 0.9
    bins: int | None = None
    against: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One method on one set."""

    values: Mapping[str, float]
    by_item: Mapping[str, Float[np.ndarray, " I"]]
    resampled: Mapping[str, Float[np.ndarray, " R"]]


def measure(
    table: pd.DataFrame,
    name: str,
    gold: pd.DataFrame,
    metrics: Sequence[str],
    protocol: Protocol,
) -> Measured:
    """Measure what a method says of a set."""
    columns, _ = choice_columns(table, gold, CLIPS, protocol.bins)
    wanted = {metric: columns[metric] for metric in metrics}
    values, resampled = bootstrapped(
        means(wanted),
        len(columns["accuracy"]),
        protocol.resamples,
        protocol.seed + zlib.crc32(name.encode()),
    )
    by_item = {metric: part for metric, part in wanted.items() if part.ndim == 1}
    return Measured(values=values, by_item=by_item, resampled=resampled)


def paired(
    one: Measured, other: Measured, metric: str
) -> tuple[float, float, Float[np.ndarray, " R"]]:
    """Return the first's metric less the second's, paired by item."""
    resampled = np.asarray(one.resampled[metric]) - np.asarray(other.resampled[metric])
    difference = one.values[metric] - other.values[metric]
    if metric not in one.by_item:
        return difference, float(resampled.std(ddof=1)), resampled
    gaps = np.asarray(one.by_item[metric]) - np.asarray(other.by_item[metric])
    error = gaps.std(ddof=1) / np.sqrt(len(gaps)) if len(gaps) > 1 else np.nan
    return difference, float(error), resampled
