"""Classifiers with ranks only: top-five files and tables, as predictions.

Many published classifiers are known by their best few labels alone, in order. They
pool with the others; the weight of their ranks is learned where there is gold.

**The accuracy of each rank of a list.** Learned from gold, each list's own shares
shrunk to those of all lists; or else in proportion to one over the rank.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Bool, Float, Int, UInt8
from scipy.special import softmax

from consilience.classifiers.pooled.predictions import ANSWER_SCHEMA, Predictions
from consilience.classifiers.running.classifier import Classifier
from consilience.classifiers.running.preprocessing import Prepared, Workers
from consilience.errors import PredictionsError

KEPT = 20  # of scores for all labels: as many as `classify` keeps
COLUMNS = ("item", "model", "rank", "label", "logit", "probability")
# What a list of ranks leaves to labels that it does not list, where no gold says;
# judgement. It orders nothing, and without gold no prior is made of it.
OFF_LIST = 0.05
# Gold items that the pool of lists counts for in the ranks of one of them; judgement.
SHRINKAGE = 50.0


def from_table(
    table: pd.DataFrame, name: str, source: str, num_labels: int | None = None
) -> Predictions:
    """Take a table as predictions."""
    lacking = [column for column in ("item", "label", "rank") if column not in table]
    if lacking:
        columns = ", ".join(map(repr, table.columns))
        msg = (
            f"{source}: there is no column {lacking[0]!r}; found {columns}; "
            "predictions have item, label, rank, and, where there are several, model"
        )
        raise PredictionsError(msg)
    rank = _numbers(table, "rank", source)
    if (rank < 1).any() or (rank % 1 != 0).any() or (rank >= 2**15).any():
        row = int(np.argmax((rank < 1) | (rank % 1 != 0) | (rank >= 2**15)))
        msg = f"{source}, row {row + 1}: rank {rank[row]:g}; ranks are 1, 2, 3, …"
        raise PredictionsError(msg)
    probability = np.full(len(table), np.nan)
    if "probability" in table:
        probability = _numbers(table, "probability", source)
        if not ((probability >= 0) & (probability <= 1)).all():
            msg = f"{source}: a probability is not between 0 and 1"
            raise PredictionsError(msg)
    frame = pd.DataFrame(
        {
            "item": table["item"].astype("str").astype("category"),
            "model": pd.Categorical(
                table["model"].astype("str") if "model" in table else [name] * len(rank)
            ),
            "rank": rank.astype(np.int16),
            "label": table["label"].astype("str").astype("category"),
            "logit": np.full(len(rank), np.nan, np.float32),
            "probability": probability.astype(np.float32),
        }
    )
    if frame.duplicated(["item", "model", "rank"]).any():
        row = int(frame.duplicated(["item", "model", "rank"]).to_numpy().argmax())
        first = frame.iloc[row]
        msg = (
            f"{source}, row {row + 1}: {first['model']} has two labels at rank "
            f"{first['rank']} for {first['item']!r}; keep one"
        )
        raise PredictionsError(msg)
    models = list(frame["model"].cat.categories)
    families = {model: model for model in models}
    if "family" in table:
        rows = frame.assign(family=table["family"].astype("str").to_numpy())
        families |= dict(rows.groupby("model", observed=True)["family"].first())
    labels = frame["label"].cat.categories
    number = max(num_labels or 0, len(labels))
    return Predictions(
        table=frame,
        images=pd.DataFrame({"item": frame["item"].cat.categories, "reason": None}),
        labels=pd.DataFrame({"label": labels.astype("str")}),
        families=families,
        num_labels=dict.fromkeys(models, number),
    )


def from_array(
    file: Path, items: Sequence[str], labels: Sequence[str] | None = None
) -> Predictions:
    """Read a NumPy file of the best labels of each image, or of scores for all labels.

    As `from_arrays`, of one file.
    """
    return from_arrays([file], items, labels)


def from_arrays(
    files: Sequence[Path], items: Sequence[str], labels: Sequence[str] | None = None
) -> Predictions:
    """Read NumPy files of the best labels of each image, or of scores of all labels."""
    ranked = {file.stem: _ranked(file, len(items), labels) for file in files}
    most = 1 + max(int(best.max(initial=-1)) for best in ranked.values())
    names = [str(i) for i in range(most)] if labels is None else list(labels)
    return _predictions(ranked, list(items), names)


def _ranked(
    file: Path, num_items: int, labels: Sequence[str] | None
) -> Int[np.ndarray, "I R"]:
    """Read the best labels of each image, as numbers from 0."""
    try:
        ranked = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        msg = f"{file}: not a NumPy array ({error}); save it with numpy.save"
        raise PredictionsError(msg) from None
    whole = np.issubdtype(ranked.dtype, np.integer)
    if ranked.ndim != 2 or not (whole or np.issubdtype(ranked.dtype, np.floating)):
        msg = (
            f"{file}: holds {ranked.dtype} of shape {ranked.shape}; expected whole "
            "numbers, images x ranks, or scores, images x labels"
        )
        raise PredictionsError(msg)
    if len(ranked) != num_items:
        msg = f"{file}: has {len(ranked):,} rows for {num_items:,} images; list all"
        raise PredictionsError(msg)
    if not whole:
        ranked = _best_labels(ranked, file, labels)
    most = np.inf if labels is None else len(labels)
    if ranked.min() < 0 or ranked.max() >= most:
        msg = (
            f"{file}: label {ranked.min() if ranked.min() < 0 else ranked.max()} is "
            f"not among the {most:,}; count from 0"
        )
        raise PredictionsError(msg)
    best: Int[np.ndarray, "I R"] = ranked
    return best


def _best_labels(
    scores: Float[np.ndarray, "I K"], file: Path, labels: Sequence[str] | None
) -> Int[np.ndarray, "I R"]:
    """Return the labels of the highest scores of each image, the highest first."""
    if labels is not None and len(labels) != scores.shape[1]:
        msg = (
            f"{file}: has scores for {scores.shape[1]:,} labels, and {len(labels):,} "
            "are named; name each column"
        )
        raise PredictionsError(msg)
    if np.isnan(scores).any():
        row = int(np.isnan(scores).any(1).argmax())
        msg = f"{file}: row {row + 1} has scores that are not numbers; leave it out"
        raise PredictionsError(msg)
    order = np.argsort(-scores, axis=1, kind="stable")
    best: Int[np.ndarray, "I R"] = order[:, :KEPT]
    return best


def _predictions(
    ranked: Mapping[str, Int[np.ndarray, "I _"]], items: list[str], names: list[str]
) -> Predictions:
    number = len(items)
    depth = np.array([best.shape[1] for best in ranked.values()])
    rows = number * int(depth.sum())
    item = [np.repeat(np.arange(number, dtype=np.int32), each) for each in depth]
    rank = [np.tile(np.arange(1, each + 1, dtype=np.int16), number) for each in depth]
    label = np.concatenate([best.ravel() for best in ranked.values()])
    model = np.repeat(np.arange(len(depth)), number * depth)
    frame = pd.DataFrame(
        {
            "item": pd.Categorical.from_codes(
                np.concatenate(item), categories=pd.Index(items)
            ),
            "model": pd.Categorical.from_codes(
                model, categories=pd.Index(list(ranked))
            ),
            "rank": np.concatenate(rank),
            "label": pd.Categorical.from_codes(label, pd.Index(names)),
            "logit": np.full(rows, np.nan, np.float32),
            "probability": np.full(rows, np.nan, np.float32),
        }
    )
    return Predictions(
        table=frame,
        images=pd.DataFrame({"item": items, "reason": None}),
        labels=pd.DataFrame({"label": names}),
        families={name: name for name in ranked},
        num_labels=dict.fromkeys(ranked, len(names)),
    )


def _numbers(table: pd.DataFrame, column: str, source: str) -> np.ndarray:
    numbers = pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=float)
    if not np.isfinite(numbers).all():
        row = int(np.argmax(~np.isfinite(numbers)))
        msg = (
            f"{source}, row {row + 1}: {column} is {table[column].iloc[row]!r}, no "
            "number; fix or drop the row"
        )
        raise PredictionsError(msg)
    return numbers


@dataclass(frozen=True, slots=True, eq=False)
class RankedRows:
    """Rows of all classifiers; the share is missing where only ranks are known."""

    item: Int[np.ndarray, " R"]
    label: Int[np.ndarray, " R"]
    model: Int[np.ndarray, " R"]
    rank: Int[np.ndarray, " R"]
    share: Float[np.ndarray, " R"]
    num_models: int

    @property
    def ranks_only(self) -> Bool[np.ndarray, " R"]:
        """Rows of classifiers with ranks only."""
        lacking = np.bincount(self.model, np.isnan(self.share), self.num_models) > 0
        rows: Bool[np.ndarray, " R"] = lacking[self.model]
        return rows

    def with_ranks(self, deserved: Float[np.ndarray, "M D"]) -> Float[np.ndarray, " R"]:
        """Return the probability of each row: as given, or by its rank."""
        of_rank = deserved[self.model, self.rank - 1]
        share: Float[np.ndarray, " R"] = np.where(self.ranks_only, of_rank, self.share)
        return share


def rank_shares(
    rows: RankedRows,
    gold: pd.DataFrame | None,
    items: np.ndarray,
    labels: np.ndarray,
) -> Float[np.ndarray, "M D"]:
    """Return how often each rank of each list is right.

    From gold: the list's own shares, shrunk to those of all lists. Without gold: one
    over the rank.
    """
    depth = int(rows.rank.max(initial=1))
    listed = np.zeros((rows.num_models, depth))
    ranked = rows.ranks_only
    np.maximum.at(listed, (rows.model[ranked], rows.rank[ranked] - 1), 1.0)
    falling = listed / np.arange(1, depth + 1)
    total = np.maximum(falling.sum(1, keepdims=True), 1e-12)
    usual = (1 - OFF_LIST) * falling / total
    if gold is None or not ranked.any():
        return usual
    truth = _truth(gold, items, labels)
    judged = ranked & (truth[rows.item] >= 0)
    hit = judged & (truth[rows.item] == rows.label)
    place = (rows.model, rows.rank - 1)
    hits, trials = np.zeros_like(listed), np.zeros_like(listed)
    np.add.at(hits, (place[0][hit], place[1][hit]), 1.0)
    np.add.at(trials, (place[0][judged], place[1][judged]), 1.0)
    together = (hits.sum(0) + usual.max(0)) / (trials.sum(0) + 1)
    return listed * (hits + SHRINKAGE * together) / (trials + SHRINKAGE)


def _truth(
    gold: pd.DataFrame, items: np.ndarray, labels: np.ndarray
) -> Int[np.ndarray, " I"]:
    """Return the code of the true label of each item; minus one where not known."""
    item = pd.Index(items).get_indexer(pd.Index(gold["item"].astype("str")))
    label = pd.Index(labels).get_indexer(pd.Index(gold["label"].astype("str")))
    truth = np.full(len(items), -1)
    here = item >= 0
    # A label that nobody lists is known and never hit.
    truth[item[here]] = np.where(label[here] < 0, len(labels), label[here])
    return truth


def classify_batch(
    batch: Sequence[Prepared],
    classifiers: Sequence[Classifier],
    keep: int,
    workers: Workers,
) -> tuple[pa.Table, list[dict[str, Any]]]:
    """Return the answers about a batch, and what became of each of its images."""
    usable = [image for image in batch if image.squares]
    reasons = {image.item: image.reason for image in batch}
    tables = []
    for place, classifier in enumerate(classifiers):
        if not usable:
            continue
        squares = np.stack([image.squares[place] for image in usable])
        logits = classifier.logits(pad_batch(squares, workers))[: len(usable)]
        finite = np.isfinite(logits).all(1)
        for at in np.flatnonzero(~finite):
            item = usable[at].item
            reason = f"{classifier.name} returns numbers that are not finite"
            reasons[item] = "; ".join(filter(None, (reasons[item], reason)))
        items = [usable[at].item for at in np.flatnonzero(finite)]
        tables.append(best_labels(items, classifier, logits[finite], keep))
    rows = [
        {
            "item": image.item,
            "width": image.width,
            "height": image.height,
            "note": image.note or None,
            "reason": reasons[image.item] or None,
        }
        for image in batch
    ]
    empty = ANSWER_SCHEMA.empty_table()
    return (pa.concat_tables(tables) if tables else empty), rows


def best_labels(
    items: Sequence[str],
    classifier: Classifier,
    logits: Float[np.ndarray, "B K"],
    keep: int,
) -> pa.Table:
    """Return the most probable labels of each image, first the most probable."""
    first = np.argsort(-logits, axis=1, kind="stable")[:, :keep]
    top = np.take_along_axis(logits, first, 1)
    share = np.take_along_axis(softmax(logits.astype(float), axis=1), first, 1)
    number, kept = first.shape
    labels = np.unique(first)
    place = np.searchsorted(labels, first.ravel())

    def encode(codes: np.ndarray, names: Sequence[str]) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(
            pa.array(codes, pa.int32()), pa.array(names, pa.string())
        )

    return pa.table(
        {
            "item": encode(np.repeat(np.arange(number), kept), list(items)),
            "model": encode(np.zeros(number * kept), [classifier.name]),
            "rank": pa.array(np.tile(np.arange(1, kept + 1), number), pa.int16()),
            "label": encode(place, [classifier.labels.label[i] for i in labels]),
            "logit": pa.array(top.ravel(), pa.float32()),
            "probability": pa.array(share.ravel(), pa.float32()),
        },
        schema=ANSWER_SCHEMA,
    )


def pad_batch(
    squares: UInt8[np.ndarray, "B S S 3"], workers: Workers
) -> UInt8[np.ndarray, "C S S 3"]:
    """Fill the last batch up, where each new shape would have CUDA search again."""
    lacking = workers.batch - len(squares)
    if not workers.fixed or lacking <= 0:
        return squares
    return np.concatenate([squares, np.zeros_like(squares[:1]).repeat(lacking, 0)])
