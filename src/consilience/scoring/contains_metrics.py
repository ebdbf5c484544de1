"""Metrics of contains: is the label there, asked of many labels of an item.

A label is called present when its probability is above one half; at one half exactly
it counts as half a yes and half a no. Log-loss, Brier (p - y)^2 and the ECE, which
compares p with how often the label is there, are means over the pairs of item and
label. Items are resampled whole, since the answers about one item go together.

Where several experts say what is there (a column annotator in the gold), the truth is
their majority, a tie counting half; `soft_log_loss` is the cross-entropy of the share
of experts that say yes, in nats: it is least not at zero but at the entropy of the
shares.

**Metrics of choice: one truth per item, of which gold may allow several names.** With q
the probability of all right labels of an item together and p_k that of the wrong ones:
log-loss -log max(q, clip), Brier (1 - q)^2 + sum_k p_k^2 (between 0 and 2). Accuracy is
the share of right labels among the item's most probable ones, so that a tie is split.
The ECE compares the highest probability with that share.

**Expected calibration error: how far confidence and being right are apart.** Items are
sorted by confidence into bins of about equal size, and the error is the mean over items
of |mean confidence - share right| of their bins. With few items per bin it is biased
upwards, since chance differences do not cancel; with few bins it is biased downwards,
since true ones do. Unless a number of bins is asked for, it is the largest up to which
the share right rises from bin to bin, as it does where confidence means anything: of
the usual estimators the least biased, and free of a constant (Roelofs et al. 2022,
algorithm 1 and section 5).

References
----------
Nixon, Dusenberry, Jerfel, Nguyen, Liu, Zhang and Tran (2019), Measuring calibration in
deep learning (adaptive bins). Roelofs, Cain, Shlens and Mozer (2022), Mitigating bias
in calibration error estimation, AISTATS (the monotonic sweep).
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.errors import GoldError
from consilience.responses.side_tables import nothing_shared

_TIE = 1e-9


def contains_metrics(
    labels: pd.DataFrame, gold: pd.DataFrame, clip: float, bins: int | None
) -> tuple[
    Callable[[Float[np.ndarray, "R I"]], dict[str, Float[np.ndarray, " R"]]], int, int
]:
    """Prepare the metrics of contains."""
    answers, both = judged_pairs(labels, gold)
    item, items = pd.factorize(both["item"])
    p, share, y = (both[name].to_numpy() for name in ("probability", "share", "right"))
    yes = np.where(np.abs(p - 0.5) <= _TIE, 0.5, p > 0.5)
    inside = np.clip(p, clip, 1 - clip)
    parts = np.column_stack(
        [
            np.ones(len(p)),
            yes * y + (1 - yes) * (1 - y),
            -y * np.log(inside) - (1 - y) * np.log(1 - inside),
            (p - y) ** 2,
            yes * y,
            yes,
            y,
            -share * np.log(inside) - (1 - share) * np.log(1 - inside),
        ]
    )
    sums = np.stack(
        [np.bincount(item, part, minlength=len(items)) for part in parts.T], axis=1
    )
    gaps = gaps_by_item(p, y, item, bins)

    def measure(
        weights: Float[np.ndarray, "R I"],
    ) -> dict[str, Float[np.ndarray, " R"]]:
        sizes = (weights @ sums).T
        pairs, right, loss, brier, hits, called, there, soft = sizes
        with np.errstate(divide="ignore", invalid="ignore"):
            measured = {
                "accuracy": right / pairs,
                "log_loss": loss / pairs,
                "brier": brier / pairs,
                "ece": np.abs(weights @ gaps).sum(axis=1) / pairs,
                "precision": hits / called,
                "recall": hits / there,
                "f1": 2 * hits / (called + there),
                "auc": weighted_auc(p, y, weights[:, item]),
            }
            if "annotator" in gold.columns:
                measured["soft_log_loss"] = soft / pairs
        return measured

    return measure, len(items), len(answers) - len(both)


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


def judged_pairs(
    labels: pd.DataFrame, gold: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what gold says of pairs of item and label, and those that are stated."""
    answers = _answers(gold)
    stated = labels[["item", "label", "probability"]].dropna()
    stated = stated.astype({"item": "str", "label": "str"})
    both = answers.merge(stated, on=["item", "label"], how="inner", validate="m:1")
    if both.empty:
        msg = (
            f"gold: none of its {len(answers)} pairs of item and label is among the "
            f"{len(stated)} of the fit; give the gold of the same study"
        )
        raise GoldError(msg)
    both = both.astype({"probability": float, "share": float})
    share = both["share"].to_numpy()
    return answers, both.assign(right=np.where(share == 0.5, 0.5, share > 0.5))


def _answers(gold: pd.DataFrame) -> pd.DataFrame:
    """Rows of gold, each pair of item and label once, with the share that says yes."""
    if "answer" not in gold.columns:
        msg = (
            f"gold: columns are {', '.join(map(str, gold.columns))}; contains needs "
            "item, label and answer (yes or no)"
        )
        raise GoldError(msg)
    pair = ["item", "label"]
    who = [name for name in ("annotator",) if name in gold.columns]
    rows = gold[[*pair, *who, "answer"]].dropna().astype("str").drop_duplicates()
    other = rows[~rows["answer"].isin(["yes", "no"])]
    if len(other):
        row = other.iloc[0]
        msg = (
            f"gold: item {row['item']!r}, label {row['label']!r} has the answer "
            f"{row['answer']!r}; it must be yes or no"
        )
        raise GoldError(msg)
    twice = rows[rows.duplicated([*pair, *who])]
    if len(twice):
        row = twice.iloc[0]
        by = f" by {row['annotator']!r}" if who else ""
        msg = (
            f"gold: item {row['item']!r}, label {row['label']!r} is answered both yes "
            f"and no{by}; keep one of the rows, or say in a column annotator which "
            "expert said which"
        )
        raise GoldError(msg)
    yes = rows.assign(share=(rows["answer"] == "yes").astype(float))
    return yes.groupby(pair, sort=False)["share"].mean().reset_index()


@dataclass(frozen=True, slots=True, eq=False)
class ItemScores:
    """What each item with gold adds to the metrics; items stand in gold's order."""

    confidence: Float[np.ndarray, " I"]
    right: Float[np.ndarray, " I"]
    truth: Float[np.ndarray, " I"]
    brier: Float[np.ndarray, " I"]
    gaps: Float[np.ndarray, "I B"]
    missing: int


def choice_metrics(
    labels: pd.DataFrame, gold: pd.DataFrame, clip: float, bins: int | None
) -> tuple[
    Callable[[Float[np.ndarray, "R I"]], dict[str, Float[np.ndarray, " R"]]], int, int
]:
    """Prepare the metrics of choice."""
    scores = item_scores(labels, gold, bins)
    losses = -np.log(np.maximum(scores.truth, clip))
    sums = np.column_stack([scores.right, losses, scores.brier])

    def measure(
        weights: Float[np.ndarray, "R I"],
    ) -> dict[str, Float[np.ndarray, " R"]]:
        total = weights.sum(axis=1)
        means = weights @ sums / total[:, None]
        return {
            "accuracy": means[:, 0],
            "log_loss": means[:, 1],
            "brier": means[:, 2],
            "ece": np.abs(weights @ scores.gaps).sum(axis=1) / total,
        }

    return measure, len(sums), scores.missing


def item_scores(
    labels: pd.DataFrame, gold: pd.DataFrame, bins: int | None
) -> ItemScores:
    """Score each item with gold."""
    gold_labels = gold[["item", "label"]].dropna().astype("str").drop_duplicates()
    stated = labels.dropna(subset=["item", "label", "probability"])
    wanted = pd.Index(gold_labels["item"].unique())
    names = pd.Index(stated["item"].astype("category").cat.categories.astype("str"))
    place = wanted.get_indexer(names)
    row_item = place[stated["item"].astype("category").cat.codes.to_numpy()]
    stated, row_item = stated[row_item >= 0], row_item[row_item >= 0]
    present = np.unique(row_item)
    if not len(present):
        raise nothing_shared(wanted, names)
    item = np.searchsorted(present, row_item)
    right = _is_right(stated, row_item, gold_labels, wanted)
    p = stated["probability"].to_numpy().astype(np.float64)
    num_items = len(present)

    together = np.bincount(item, p * right, minlength=num_items)
    wrong = np.bincount(item, p**2 * ~right, minlength=num_items)
    highest = np.full(num_items, -np.inf)
    np.maximum.at(highest, item, p)
    leads = p >= highest[item] - _TIE
    hit = np.bincount(item, leads & right, minlength=num_items) / np.bincount(
        item, leads, minlength=num_items
    )
    return ItemScores(
        confidence=highest,
        right=hit,
        truth=together,
        brier=(1 - together) ** 2 + wrong,
        gaps=gaps_by_item(highest, hit, np.arange(num_items), bins),
        missing=len(wanted) - num_items,
    )


def _is_right(
    stated: pd.DataFrame,
    row_item: np.ndarray,
    gold_labels: pd.DataFrame,
    wanted: pd.Index,
) -> np.ndarray:
    """Whether each row's label is one that gold allows for its item."""
    label = stated["label"].astype("category")
    row_label = label.cat.codes.to_numpy().astype(np.int64)
    names = pd.Index(label.cat.categories.astype("str"))
    gold_label = names.get_indexer(pd.Index(gold_labels["label"]))
    gold_item = wanted.get_indexer(pd.Index(gold_labels["item"]))[gold_label >= 0]
    pairs = gold_item * len(names) + gold_label[gold_label >= 0]
    return np.isin(row_item * len(names) + row_label, pairs)


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
) -> Float[np.ndarray, "I B"]:
    """Sum confidence less rightness in each bin, item by item."""
    if bins is None:
        bins = most_rising_bins(confidence, right)
    bin_of = equal_mass_bins(confidence, bins)
    num_items, num_bins = int(item.max()) + 1, int(bin_of.max()) + 1
    gaps = np.bincount(
        item * num_bins + bin_of, confidence - right, minlength=num_items * num_bins
    )
    return gaps.reshape(num_items, num_bins)
