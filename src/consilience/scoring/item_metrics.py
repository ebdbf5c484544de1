"""What items add to each metric: of choice, of contains, of objects; and calibration.

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

**Expected calibration error.** Items are sorted by confidence into bins of about equal
size, and the error is the mean over items of |mean confidence - share right| of their
bins. With few items per bin it is biased upwards, since chance differences do not
cancel; with few bins it is biased downwards, since true ones do. Unless a number of
bins is asked for, it is the largest up to which the share right rises from bin to bin,
as it does where confidence means anything: of the usual estimators the least biased,
and free of a constant (Roelofs et al. 2022, algorithm 1 and section 5).

**The table of a reliability diagram** has such bins. Items are what varies: the
variance of a share right is that of a ratio over items, and its interval as in
`intervals.share_bounds`.

References
----------
Nixon, Dusenberry, Jerfel, Nguyen, Liu, Zhang and Tran (2019), Measuring calibration in
deep learning (adaptive bins). Roelofs, Cain, Shlens and Mozer (2022), Mitigating bias
in calibration error estimation, AISTATS (the monotonic sweep).
"""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from consilience.errors import DataError, OptionError
from consilience.intervals import check_prob, share_bounds
from consilience.scoring.gold import (
    ItemScores,
    PairScores,
    judged_choice,
    judged_contains,
    judged_objects,
)

BINS = 10


def reliability_table(
    labels: pd.DataFrame,
    gold: pd.DataFrame,
    *,
    kind: Literal["choice", "contains", "objects"],
    bins: int = BINS,
    prob: float = 0.9,
) -> pd.DataFrame:
    """Return how often labels are right, by the probability that was stated."""
    check_prob(prob)
    if bins < 1:
        raise OptionError(f"bins is {bins}; give 1 or more")
    item, confidence, right = _stated_and_right(labels, gold, kind)
    bin_of = equal_mass_bins(confidence, bins)
    number = np.bincount(bin_of).astype(float)
    share = np.bincount(bin_of, right) / number
    # The labels of an item in a bin go together.
    cell, place = np.unique(item * len(number) + bin_of, return_inverse=True)
    apart = np.bincount(place, right - share[bin_of])
    variance = np.bincount(cell % len(number), apart**2) / number**2
    lower, upper = share_bounds(share, variance, number, prob)
    return pd.DataFrame(
        {
            "stated": np.bincount(bin_of, confidence) / number,
            "value": share,
            "lower": lower,
            "upper": upper,
            "items": number.astype(np.int64),
        }
    )


def _stated_and_right(
    labels: pd.DataFrame, gold: pd.DataFrame, kind: str
) -> tuple[Int[np.ndarray, " N"], Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """Return the item of each statement, its probability, and how far it is right."""
    if kind == "choice":
        scores = judged_choice(labels, gold)
        return np.arange(len(scores.right)), scores.confidence, scores.right
    pairs = (
        judged_contains(labels, gold)
        if kind == "contains"
        else judged_objects(labels, gold)[0]
    )
    kept = pairs.judged
    return pairs.item[kept], pairs.probability[kept], pairs.right[kept]


def equal_mass_bins(
    confidence: Float[np.ndarray, " N"], bins: int
) -> Int[np.ndarray, " N"]:
    """Sort into bins of about equal size; equal confidences share a bin."""
    rank = np.searchsorted(np.sort(confidence), confidence, side="left")
    # Ties can leave a bin without members; numbering those that have some drops it.
    return np.unique(rank * bins // len(confidence), return_inverse=True)[1]


def most_rising_bins(
    confidence: Float[np.ndarray, " N"], right: Float[np.ndarray, " N"]
) -> int:
    """Count the bins up to which the share right rises from each bin to the next."""
    number = len(confidence)
    order = np.argsort(confidence, kind="stable")
    # Where each confidence begins: a bin ends only between two of them.
    starts = np.unique(confidence[order], return_index=True)[1]
    summed = np.concatenate([[0.0], np.cumsum(right[order])])
    for bins in count(2):
        first = np.searchsorted(starts, -(-np.arange(bins) * number // bins))
        edges = np.unique(np.append(np.append(starts, number)[first], number))
        shares = np.diff(summed[edges]) / np.diff(edges)
        if bins > number or (np.diff(shares) < 0).any():
            break
    return bins - 1


def gaps_by_item(
    confidence: Float[np.ndarray, " N"],
    right: Float[np.ndarray, " N"],
    item: Int[np.ndarray, " N"],
    bins: int | None,
    num_items: int | None = None,
    weight: Float[np.ndarray, " N"] | None = None,
) -> Float[np.ndarray, "I B"]:
    """Sum confidence less rightness in each bin, item by item."""
    if num_items is None:
        num_items = int(item.max()) + 1
    if not len(confidence):
        return np.zeros((num_items, 1))
    if bins is None:
        bins = most_rising_bins(confidence, right)
    bin_of = equal_mass_bins(confidence, bins)
    num_bins = int(bin_of.max()) + 1
    off = (confidence - right) * (1 if weight is None else weight)
    gaps = np.bincount(item * num_bins + bin_of, off, num_items * num_bins)
    return gaps.reshape(num_items, num_bins)


_ROUNDING = 1e-9
type Measure = Callable[[Float[np.ndarray, "R I"]], Float[np.ndarray, " R"]]
type Columns = dict[str, np.ndarray]  # what items add: I, or I x bins


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
            return summed / (weights @ below)

    return measure


def choice_columns(
    labels: pd.DataFrame,
    gold: pd.DataFrame,
    clips: Mapping[str, float],
    bins: int | None,
) -> tuple[Columns, ItemScores]:
    """Return what each item adds to each metric; `clips` by name of the log-loss."""
    scores = judged_choice(labels, gold)
    number = np.arange(len(scores.right))
    losses = {name: -np.log(np.maximum(scores.truth, c)) for name, c in clips.items()}
    gaps = gaps_by_item(scores.confidence, scores.right, number, bins)
    columns = {"accuracy": scores.right, **losses, "brier": scores.brier, "ece": gaps}
    return columns, scores


def means(
    columns: Columns, weight: Float[np.ndarray, " I"] | None = None
) -> dict[str, Measure]:
    """Return metrics that are means over the items, each for so many."""
    items = len(next(iter(columns.values())))
    weight = np.ones(items) if weight is None else weight
    return {name: ratio((part.T * weight).T, weight) for name, part in columns.items()}


def choice_metrics(
    labels: pd.DataFrame, gold: pd.DataFrame, clip: float, bins: int | None
) -> Metrics:
    """Prepare the metrics of choice."""
    columns, scores = choice_columns(labels, gold, {"log_loss": clip}, bins)
    measures = means(columns, scores.weight)
    return Metrics(measures, len(scores.right), scores.missing)


def contains_metrics(
    labels: pd.DataFrame, gold: pd.DataFrame, clip: float, bins: int | None
) -> Metrics:
    """Prepare the metrics of contains."""
    pairs = judged_contains(labels, gold)
    p, y = pairs.probability, pairs.right
    yes = np.where(np.abs(p - 0.5) <= _ROUNDING, 0.5, p > 0.5)
    total, number = _totals(pairs, np.ones(len(p), bool))
    measures = {
        "accuracy": ratio(total(yes * y + (1 - yes) * (1 - y)), number),
        **_losses(pairs, clip, bins),
        **_set_metrics(total(yes * y), total(yes), total(y)),
        "auc": lambda w: weighted_auc(p, y, w[:, pairs.item] * pairs.weight),
    }
    if "annotator" in gold.columns:
        soft = total(_loss(p, pairs.share, clip))
        measures["soft_log_loss"] = ratio(soft, number)
    return Metrics(measures, len(pairs.items), pairs.missing)


def objects_metrics(
    labels: pd.DataFrame,
    gold: pd.DataFrame,
    clip: float,
    bins: int | None,
    items: pd.DataFrame | None = None,
) -> Metrics:
    """Prepare the metrics of objects."""
    pairs, rows = judged_objects(labels, gold)
    in_set = pairs.probability >= 0.5 - _ROUNDING
    total = partial(np.bincount, pairs.item, minlength=len(pairs.items))
    hits, called, there = total(in_set * pairs.right), total(in_set), total(pairs.right)
    either = called + there - hits
    empty, both = either == 0, np.maximum(called + there, 1)
    sets = {
        "item_f1": np.where(empty, 1.0, 2 * hits / both),
        "jaccard": np.where(empty, 1.0, hits / np.maximum(either, 1)),
        "exact": (either == hits).astype(float),
    }
    measures = {
        **_set_metrics(hits, called, there),
        **means(sets),
        **_losses(pairs, clip, bins),
    }
    if "main" in rows:
        measures["main_accuracy"] = ratio(*_main_label_terms(rows, items, pairs.items))
    return Metrics(measures, len(pairs.items), pairs.missing)


def _set_metrics(
    hits: Float[np.ndarray, " I"],
    called: Float[np.ndarray, " I"],
    there: Float[np.ndarray, " I"],
) -> dict[str, Measure]:
    """Return metrics of which labels are called present."""
    return {
        "precision": ratio(hits, called),
        "recall": ratio(hits, there),
        "f1": ratio(2 * hits, called + there),
    }


def _losses(pairs: PairScores, clip: float, bins: int | None) -> dict[str, Measure]:
    """Return metrics of probabilities: means over the pairs that gold judges."""
    item, p, y = (
        each[pairs.judged] for each in (pairs.item, pairs.probability, pairs.right)
    )
    total, number = _totals(pairs, pairs.judged)
    gaps = gaps_by_item(p, y, item, bins, len(pairs.items), pairs.weight[pairs.judged])
    return {
        "log_loss": ratio(total(_loss(p, y, clip)), number),
        "brier": ratio(total((p - y) ** 2), number),
        "ece": ratio(gaps, number),
    }


def _totals(
    pairs: PairScores, some: Bool[np.ndarray, " N"]
) -> tuple[Callable[[Float[np.ndarray, " M"]], np.ndarray], Float[np.ndarray, " I"]]:
    """Return how some pairs are summed by item, and the sums of their weights."""
    item, weight, items = pairs.item[some], pairs.weight[some], len(pairs.items)

    def total(values: Float[np.ndarray, " M"]) -> Float[np.ndarray, " I"]:
        return np.bincount(item, weight * values, items)

    return total, total(np.ones(len(item)))


def _loss(
    p: Float[np.ndarray, " N"], y: Float[np.ndarray, " N"], clip: float
) -> Float[np.ndarray, " N"]:
    inside = np.clip(p, clip, 1 - clip)
    return -y * np.log(inside) - (1 - y) * np.log(1 - inside)


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
        pairs = there.sum(axis=1) * not_there.sum(axis=1)
        return (there * below).sum(axis=1) / pairs


def _main_label_terms(
    rows: pd.DataFrame, items: pd.DataFrame | None, names: pd.Index
) -> tuple[Float[np.ndarray, " I"], Float[np.ndarray, " I"]]:
    if items is None:
        raise DataError(
            "gold has a column main, and the fit's table items is not given with it"
        )
    main = rows.loc[rows["main"], ["item", "label"]]
    named = items[["item", "main_label"]].dropna().astype("str")
    right = pd.MultiIndex.from_frame(main).isin(pd.MultiIndex.from_frame(named))
    place = names.get_indexer(pd.Index(main["item"]))
    hits, asked = np.zeros(len(names)), np.zeros(len(names))
    hits[place[right]] = 1
    asked[place] = 1
    return hits, asked
