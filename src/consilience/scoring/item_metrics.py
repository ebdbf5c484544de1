"""What items add to each metric: of choice, of contains, and of objects.

Every metric is a function of the weights of the items, most of them a ratio of two
sums. All answers about an item go together.

**Choice.** With q the probability of all right labels of an item together and p_k that
of the wrong ones: log-loss -log max(q, clip), Brier (1 - q)^2 + sum_k p_k^2 (between 0
and 2). Accuracy is the share of right labels among the item's most probable ones, so
that a tie is split. The ECE compares the highest probability with that share.

**Contains**: is the label there, asked of many labels of an item. A label is called
present when its probability is above one half; at one half exactly it counts as half a
yes and half a no. Log-loss, Brier (p - y)^2 and the ECE, which compares p with how
often the label is there, are means over the pairs of item and label. Where several
experts say what is there, `soft_log_loss` is the cross-entropy of the share of experts
that say yes, in nats: it is least not at zero but at the entropy of the shares.

**Objects**: the set of an item's valid labels, and its main one. A label is in the set
of an item when its probability of being valid is at least one half. `precision`,
`recall` and `f1` count labels over all items (micro averages); `item_f1`, `jaccard` and
`exact` are means over items, an item whose two sets are empty being right. Log-loss,
Brier and the ECE are means over pairs of item and label: where gold says yes or no of
each, over its pairs; else gold lists all that is valid, and the pairs are those that
the fit or gold lists. A pair that the fit does not list has probability zero.
`main_accuracy` is the share of the items whose main label gold knows in which the fit
names it.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.errors import GoldError
from consilience.scoring.calibration import gaps_by_item
from consilience.scoring.gold import judged_choice, judged_contains, judged_objects

_ROUNDING = 1e-9
type Measure = Callable[[Float[np.ndarray, "R I"]], Float[np.ndarray, " R"]]


class Metrics(NamedTuple):
    """Each metric as a function of the weights of items; rows of gold left out."""

    measures: dict[str, Measure]
    items: int
    missing: int


def ratio(above: Float[np.ndarray, "I *B"], below: Float[np.ndarray, " I"]) -> Measure:
    """Return a ratio of sums over items; of bins, the sum of what they are off by."""

    def measure(weights: Float[np.ndarray, "R I"]) -> Float[np.ndarray, " R"]:
        summed = weights @ above
        if summed.ndim > 1:
            summed = np.abs(summed).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            value: Float[np.ndarray, " R"] = summed / (weights @ below)
        return value

    return measure


def choice_metrics(
    labels: pd.DataFrame, gold: pd.DataFrame, clip: float, bins: int | None
) -> Metrics:
    """Prepare the metrics of choice."""
    scores = judged_choice(labels, gold)
    number = len(scores.right)
    gaps = gaps_by_item(scores.confidence, scores.right, np.arange(number), bins)
    parts = {
        "accuracy": scores.right,
        "log_loss": -np.log(np.maximum(scores.truth, clip)),
        "brier": scores.brier,
        "ece": gaps,
    }
    every = np.ones(number)
    measures = {name: ratio(part, every) for name, part in parts.items()}
    return Metrics(measures, number, scores.missing)


def contains_metrics(
    labels: pd.DataFrame, gold: pd.DataFrame, clip: float, bins: int | None
) -> Metrics:
    """Prepare the metrics of contains."""
    both, missing = judged_contains(labels, gold)
    item, items = pd.factorize(both["item"])
    p, share, y = (both[name].to_numpy() for name in ("probability", "share", "right"))
    yes = np.where(np.abs(p - 0.5) <= _ROUNDING, 0.5, p > 0.5)
    total = partial(np.bincount, item, minlength=len(items))
    pairs, hits, called, there = (
        total(np.ones(len(p))),
        total(yes * y),
        total(yes),
        total(y),
    )
    measures = {
        "accuracy": ratio(total(yes * y + (1 - yes) * (1 - y)), pairs),
        "log_loss": ratio(total(_loss(p, y, clip)), pairs),
        "brier": ratio(total((p - y) ** 2), pairs),
        "ece": ratio(gaps_by_item(p, y, item, bins), pairs),
        "precision": ratio(hits, called),
        "recall": ratio(hits, there),
        "f1": ratio(2 * hits, called + there),
        "auc": lambda weights: weighted_auc(p, y, weights[:, item]),
    }
    if "annotator" in gold.columns:
        measures["soft_log_loss"] = ratio(total(_loss(p, share, clip)), pairs)
    return Metrics(measures, len(items), missing)


def objects_metrics(
    labels: pd.DataFrame,
    gold: pd.DataFrame,
    clip: float,
    bins: int | None,
    items: pd.DataFrame | None = None,
) -> Metrics:
    """Prepare the metrics of objects."""
    rows, both, missing = judged_objects(labels, gold)
    names = pd.Index(rows["item"].unique())
    number = len(names)
    item = names.get_indexer(pd.Index(both["item"]))
    p, y = both["probability"].to_numpy(), both["right"].to_numpy()
    in_set = p >= 0.5 - _ROUNDING
    total = partial(np.bincount, item, minlength=number)
    hits, called, there = total(in_set * y), total(in_set), total(y)
    either = called + there - hits
    empty, every = either == 0, np.ones(number)
    judged = both["judged"].to_numpy()
    item, p, y = item[judged], p[judged], y[judged]
    total = partial(np.bincount, item, minlength=number)
    pairs = total(np.ones(len(p)))
    gaps = np.zeros((number, 1))
    if judged.any():
        item_gaps = gaps_by_item(p, y, item, bins)
        gaps = np.zeros((number, item_gaps.shape[1]))
        gaps[: len(item_gaps)] = item_gaps
    both_sets = np.maximum(called + there, 1)
    measures = {
        "precision": ratio(hits, called),
        "recall": ratio(hits, there),
        "f1": ratio(2 * hits, called + there),
        "item_f1": ratio(np.where(empty, 1.0, 2 * hits / both_sets), every),
        "jaccard": ratio(np.where(empty, 1.0, hits / np.maximum(either, 1)), every),
        "exact": ratio((either == hits).astype(float), every),
        "log_loss": ratio(total(_loss(p, y, clip)), pairs),
        "brier": ratio(total((p - y) ** 2), pairs),
        "ece": ratio(gaps, pairs),
    }
    if "main" in rows:
        measures["main_accuracy"] = ratio(*_main_label_terms(rows, items, names))
    return Metrics(measures, number, missing)


def _loss(
    p: Float[np.ndarray, " N"], y: Float[np.ndarray, " N"], clip: float
) -> Float[np.ndarray, " N"]:
    inside = np.clip(p, clip, 1 - clip)
    loss: Float[np.ndarray, " N"] = -y * np.log(inside) - (1 - y) * np.log(1 - inside)
    return loss


def weighted_auc(
    p: Float[np.ndarray, " N"],
    y: Float[np.ndarray, " N"],
    weights: Float[np.ndarray, "R N"],
) -> Float[np.ndarray, " R"]:
    """Area under the ROC curve, for many weightings at once.

    The chance that a label that is there has a higher probability than one that is not,
    equal ones counting half. scikit-learn's is the same for one weighting; a thousand
    bootstrap resamples want one sort, not a thousand.
    """
    order = np.argsort(p, kind="stable")
    starts = np.flatnonzero(np.diff(p[order], prepend=-np.inf))
    there = np.add.reduceat((weights * y)[:, order], starts, axis=1)
    not_there = np.add.reduceat((weights * (1 - y))[:, order], starts, axis=1)
    below = np.cumsum(not_there, axis=1) - not_there / 2
    with np.errstate(invalid="ignore"):
        area: np.ndarray = (there * below).sum(axis=1) / (
            there.sum(axis=1) * not_there.sum(axis=1)
        )
    return area


def _main_label_terms(
    rows: pd.DataFrame, items: pd.DataFrame | None, names: pd.Index
) -> tuple[Float[np.ndarray, " I"], Float[np.ndarray, " I"]]:
    if items is None:
        msg = "gold has a column main, and the fit's table items is not given with it"
        raise GoldError(msg)
    main_labels = items[["item", "main_label"]].dropna().astype("str")
    main = rows[rows["main"]]
    right = main.merge(
        main_labels,
        left_on=["item", "label"],
        right_on=["item", "main_label"],
        how="inner",
    )
    hits, asked = np.zeros(len(names)), np.zeros(len(names))
    hits[names.get_indexer(pd.Index(right["item"]))] = 1
    asked[names.get_indexer(pd.Index(main["item"]))] = 1
    return hits, asked
