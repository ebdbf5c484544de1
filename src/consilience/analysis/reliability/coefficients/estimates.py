"""All coefficients as one function of the weights of groups of items."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from consilience.analysis.reliability.coefficients import chance, conger, pairs
from consilience.analysis.reliability.coefficients.by_label import (
    LabelSums,
    estimate_labels,
    sum_labels,
)
from consilience.analysis.reliability.coefficients.chance import Estimate
from consilience.analysis.reliability.ratings.arrays import (
    Counts,
    Ratings,
    resample_groups,
)
from consilience.analysis.reliability.ratings.similarity import Similarity

# Products that are still worth the wait: some seconds.
_MAX_PRODUCTS = 2**30


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Study:
    """Answers in all forms that are needed, and which coefficients are wanted.

    Parameters
    ----------
    ratings, counts, similarity, meetings
        Votes, the same by question, how alike answers are, votes of pairs.
    by_rank
        Whether Krippendorff's distance is that of ranks.
    conger, labels
        Whether Conger's kappa and agreement on labels are wanted.
    """

    ratings: Ratings
    counts: Counts
    similarity: Similarity
    meetings: pairs.Meetings | None
    by_rank: bool
    conger: bool
    labels: bool


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class StudySums:
    """Sums by group of items; None for what is undefined or not wanted."""

    chance: chance.Sums
    margins: conger.Margins | None
    meetings: pairs.Meetings | None
    pairs: pairs.PairSums | None
    labels: LabelSums | None

    @property
    def groups(self) -> int:
        """Groups of items."""
        return int(self.chance.facts.shape[0])

    @property
    def widest(self) -> int:
        """Columns of the widest table."""
        parts = (self.chance, self.margins, self.meetings, self.labels)
        return max(part.widest for part in parts if part is not None)


def sum_study(study: Study, group: Int[np.ndarray, " Q"]) -> StudySums:
    """Sum what the wanted coefficients need by group of items."""
    ratings, met = study.ratings, study.meetings
    margins = None
    if study.conger:
        margins = conger.margins(ratings, study.similarity, group)
    return StudySums(
        chance=chance.sum_counts(
            ratings, study.counts, study.similarity, group, by_rank=study.by_rank
        ),
        margins=margins,
        meetings=met,
        pairs=None if met is None else pairs.sum_pairs(met, group),
        labels=sum_labels(ratings, group) if study.labels else None,
    )


def estimate_all(
    sums: StudySums, weights: Float[np.ndarray, "R G"]
) -> dict[str, Estimate]:
    """Estimate every coefficient but Cohen's with each set of weights."""
    estimates = dict(chance.estimate(sums.chance, weights))
    if sums.margins is not None:
        observed = estimates["percent"].observed
        estimates["conger"] = conger.estimate(sums.margins, weights, observed)
    return estimates


def cohen(sums: StudySums, weights: Float[np.ndarray, "R G"]) -> pairs.Kappas | None:
    """Estimate Cohen's kappa of every pair with each set of weights."""
    if sums.meetings is None or sums.pairs is None:
        return None
    return pairs.kappas(sums.meetings, sums.pairs, weights)


def affordable(sums: StudySums, resamples: int) -> tuple[bool, bool]:
    """Whether Conger's and Cohen's kappa can be resampled in some seconds."""
    margins, met = sums.margins, sums.meetings
    one = 0 if margins is None else len(margins.cell) + 4 * margins.widest
    other = 0 if met is None else 4 * (len(met.pair) + met.widest)
    most = _MAX_PRODUCTS / max(resamples, 1)
    return one <= most, other <= most


def resample(
    sums: StudySums, resamples: int, generator: np.random.Generator
) -> tuple[
    Mapping[str, Float[np.ndarray, " R"]], Mapping[str, Float[np.ndarray, "R L"]]
]:
    """Estimate every coefficient, and agreement on every label, in each resample."""
    values: dict[str, list[np.ndarray]] = {}
    labels: dict[str, list[np.ndarray]] = {}
    for weights in resample_groups(sums.groups, resamples, sums.widest, generator):
        for name, estimate in estimate_all(sums, weights).items():
            values.setdefault(name, []).append(estimate.value)
        kappas = cohen(sums, weights)
        if kappas is not None:
            values.setdefault("cohen", []).append(kappas.mean)
        if sums.labels is not None:
            for name, estimates in estimate_labels(sums.labels, weights).items():
                labels.setdefault(name, []).append(estimates)
    return (
        {name: np.concatenate(parts) for name, parts in values.items()},
        {name: np.concatenate(parts) for name, parts in labels.items()},
    )
