"""Agreement on each label: whether another annotator gives it too.

To say a label is to choose it, to answer yes to it (contains), or to have it among
one's objects. *Specific agreement*: given that one annotator says the label, how often
another does. *Kappa*: Fleiss's kappa of saying it or not.

References
----------
Cicchetti and Feinstein (1990), High agreement but low kappa: II. Resolving the
paradoxes (specific agreement). Fleiss (1971), Measuring nominal scale agreement among
many raters (kappa of a category).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.analysis.reliability.coefficients.interval import from_resamples
from consilience.analysis.reliability.ratings.arrays import (
    Ratings,
    Table,
    table_of_sums,
    weighted_sums,
)
from consilience.ragged import places_within


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LabelSums:
    """Sums of each label by group of items; one column where all are asked alike."""

    questions: Table
    paired: Table
    shares: Table
    agreed: Table
    possible: Table
    unlike: Table

    @property
    def widest(self) -> int:
        """Columns of the widest table."""
        return int(self.shares.shape[1])


def sum_labels(ratings: Ratings, group: Int[np.ndarray, " Q"]) -> LabelSums:
    """Sum what agreement on labels needs by group of items."""
    num_labels = len(ratings.labels)
    shape = (int(group.max()) + 1, num_labels)
    vote, label = _votes_for(ratings)
    question, share = ratings.question[vote], ratings.share[vote]
    raters = np.rint(np.bincount(ratings.question, ratings.share))
    paired = (raters > 1).astype(np.float64)
    has_id = ratings.annotator[vote] >= 0
    # One entry per question, label and annotator: equal ones are joined.
    key = question * num_labels + label
    who = key * (len(ratings.annotators) + 1) + ratings.annotator[vote] + 1
    annotator_share = np.bincount(pd.factorize(who)[0], share)[pd.factorize(who)[0]]
    cell, kept = pd.factorize(key)
    count = np.bincount(cell, share)
    himself = np.bincount(cell, np.where(has_id, share * annotator_share, share))
    question, label = kept // num_labels, kept % num_labels
    of = raters[question]
    agreed = np.where(of > 1, count**2 - himself, 0)
    possible = count * (of - 1)
    pairs = np.maximum(of * (of - 1), 1)

    def table(values: Float[np.ndarray, " M"]) -> Table:
        return table_of_sums(group[question], label, values, shape)

    question_label = (
        np.zeros_like(group)
        if ratings.question_label is None
        else ratings.question_label
    )
    width = (shape[0], 1 if ratings.question_label is None else num_labels)
    return LabelSums(
        questions=table_of_sums(group, question_label, np.ones(len(group)), width),
        paired=table_of_sums(group, question_label, paired, width),
        shares=table(count / of),
        agreed=table(agreed),
        possible=table(possible),
        unlike=table((possible - agreed) / pairs),
    )


def estimate_labels(
    sums: LabelSums, weights: Float[np.ndarray, "R G"]
) -> dict[str, Float[np.ndarray, "R L"]]:
    """Share, specific agreement and kappa of each label; NaN where undefined."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = weighted_sums(weights, sums.shares) / weighted_sums(
            weights, sums.questions
        )
        specific = weighted_sums(weights, sums.agreed) / weighted_sums(
            weights, sums.possible
        )
        unlike = weighted_sums(weights, sums.unlike) / weighted_sums(
            weights, sums.paired
        )
        spread = share * (1 - share)
        kappa = np.where(spread > 1e-12, 1 - unlike / spread, np.nan)
    return {"share": share, "specific": specific, "kappa": kappa}


def label_table(
    names: tuple[str, ...],
    estimates: Mapping[str, Float[np.ndarray, "1 L"]],
    resampled: Mapping[str, Float[np.ndarray, "R L"]] | None,
    prob: float,
) -> pd.DataFrame:
    """Return one row per label, with bounds where there are resamples."""
    columns: dict[str, object] = {"label": list(names), "share": estimates["share"][0]}
    for name in ("specific", "kappa"):
        bounds = [(np.nan, np.nan)] * len(names)
        if resampled is not None:
            bounds = [from_resamples(column, prob) for column in resampled[name].T]
        columns[name] = estimates[name][0]
        columns[f"{name}_lower"] = [lower for lower, _ in bounds]
        columns[f"{name}_upper"] = [upper for _, upper in bounds]
    return pd.DataFrame(columns)


def _votes_for(ratings: Ratings) -> tuple[Int[np.ndarray, " M"], Int[np.ndarray, " M"]]:
    """Which votes say which label; the vote for a set says each of its labels."""
    if ratings.question_label is not None:
        vote = np.flatnonzero(ratings.answer == len(ratings.answers) - 1)
        return vote, ratings.question_label[ratings.question[vote]]
    if ratings.sets is None:
        return np.arange(len(ratings.answer)), ratings.answer
    begin, end = ratings.sets.indptr[:-1], ratings.sets.indptr[1:]
    length = (end - begin)[ratings.answer].astype(np.int64)
    vote = np.repeat(np.arange(len(length)), length)
    within = places_within(length)
    label = ratings.sets.indices[begin[ratings.answer][vote] + within]
    return vote, label.astype(np.int64)
