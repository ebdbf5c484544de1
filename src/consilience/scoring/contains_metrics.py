"""Metrics of contains: is the label there, asked of many labels of an item.

A label is called present when its probability is above one half; at one half exactly
it counts as half a yes and half a no. Log-loss, Brier (p - y)^2 and the ECE, which
compares p with how often the label is there, are means over the pairs of item and
label. Items are resampled whole, since the answers about one item go together.

Where several experts say what is there (a column annotator in the gold), the truth is
their majority, a tie counting half; `soft_log_loss` is the cross-entropy of the share
of experts that say yes, in nats: it is least not at zero but at the entropy of the
shares.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.errors import GoldError
from consilience.scoring.calibration import gaps_by_item

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
