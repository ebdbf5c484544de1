"""All coefficients as functions of the weights of groups of items, and their tables.

**Agreement on each label**: whether another annotator gives it too. To say a label is
to choose it, to answer yes to it (contains), or to have it among one's objects.
*Specific agreement*: given that one annotator says the label, how often another does.
*Kappa*: Fleiss's kappa of saying it or not.

References
----------
Cicchetti and Feinstein (1990), High agreement but low kappa: II. Resolving the
paradoxes (specific agreement). Fleiss (1971), Measuring nominal scale agreement among
many raters (kappa of a category).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.analysis import chance, pairs
from consilience.analysis.chance import NAN, Estimate
from consilience.analysis.ratings import (
    Counts,
    Ratings,
    Table,
    assign_groups,
    table_of_sums,
    weighted_sums,
)
from consilience.analysis.similarity import Similarity
from consilience.intervals import bounds, resampled
from consilience.ragged import places_within

# Products that are still worth the wait: some seconds.
_MAX_PRODUCTS = 2**30
NAMES = (
    "percent",
    "cohen",
    "scott",
    "fleiss",
    "conger",
    "brennan_prediger",
    "gwet",
    "krippendorff",
)
_COLUMNS = (
    *("value", "lower", "upper", "se", "se_lower", "se_upper"),
    *("observed", "expected"),
)
type Drawn = Mapping[tuple[str, str], np.ndarray]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Study:
    """Answers in all forms that are needed, and which coefficients are wanted."""

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

    counted: chance.Sums
    margins: chance.Margins | None
    pairs: pairs.PairSums | None
    labels: "LabelSums | None"

    @property
    def groups(self) -> int:
        """Groups of items."""
        return int(self.counted.facts.shape[0])

    @property
    def widest(self) -> int:
        """Columns of the widest table."""
        parts = (self.counted, self.margins, self.pairs, self.labels)
        return max(part.widest for part in parts if part is not None)


def sum_study(study: Study, group: Int[np.ndarray, " Q"]) -> StudySums:
    """Sum what the wanted coefficients need by group of items."""
    ratings, similarity, met = study.ratings, study.similarity, study.meetings
    margins = None
    if study.conger:
        margins = chance.count_margins(ratings, similarity, group)
    return StudySums(
        counted=chance.sum_counts(
            ratings, study.counts, similarity, group, by_rank=study.by_rank
        ),
        margins=margins,
        pairs=None if met is None else pairs.sum_pairs(met, group),
        labels=sum_labels(ratings, group) if study.labels else None,
    )


def estimate_all(
    sums: StudySums, weights: Float[np.ndarray, "R G"]
) -> dict[str, Estimate]:
    """Estimate every coefficient with each set of weights."""
    estimates = dict(chance.estimate(sums.counted, weights))
    estimates["scott"] = estimates["fleiss"]  # Scott's pi is Fleiss's kappa of two.
    if sums.margins is not None:
        observed = estimates["percent"].observed
        estimates["conger"] = chance.estimate_conger(sums.margins, weights, observed)
    if sums.pairs is not None:
        estimates["cohen"] = pairs.kappas(sums.pairs, weights).mean
    return estimates


def resample(
    study: Study, whole: StudySums, resamples: int, seed: int, *, few: bool
) -> Drawn:
    """Estimate coefficients, and agreement on labels, in resamples of the items.

    What cannot be resampled, or not in some seconds, is left out. Keys are
    (coefficient, "") and (column, "label").
    """
    item = study.ratings.item
    if not resamples or not item.any() or not study.counts.paired.any():
        return {}
    margins, met, most = whole.margins, study.meetings, _MAX_PRODUCTS / resamples
    conger = 0 if margins is None else len(margins.cell) + 4 * margins.widest
    cohen = 0 if met is None else 4 * (len(met.pair) + len(met.joins[0]))
    generator = np.random.default_rng(seed)
    sampled = replace(
        study,
        conger=study.conger and conger <= most,
        meetings=met if cohen <= most and not few else None,
    )
    sums = sum_study(sampled, assign_groups(item, generator))

    def estimate(weights: Float[np.ndarray, "R G"]) -> Drawn:
        of_all = estimate_all(sums, weights).items()
        values = {(name, ""): each.value for name, each in of_all}
        if sums.labels is not None:
            of_labels = estimate_labels(sums.labels, weights).items()
            values |= {(name, "label"): each for name, each in of_labels}
        return values

    return resampled(estimate, sums.groups, resamples, sums.widest, generator)


def coefficient_table(
    study: Study,
    sums: StudySums,
    drawn: Drawn,
    why: Mapping[str, str],
    prob: float,
) -> pd.DataFrame:
    """Return one row per coefficient, with the reason where it is undefined."""
    values = estimate_all(sums, np.ones((1, 1)))
    errors = _standard_errors(study, sums, values)
    rows = []
    for name in NAMES:
        reason = why.get(name) or ("" if name == "percent" else why.get("all", ""))
        if not reason and name not in values:
            reason = "too many pairs of answers to be compared"
        row = dict.fromkeys(_COLUMNS, NAN)
        if not reason and np.isnan(values[name].value[0]):
            reason = "answers agree by chance alone"
        if not reason:
            one, (error, items) = values[name], errors.get(name, (NAN, 0))
            column = np.array([error]), np.array([float(items)])
            se_bounds = pairs.from_error(one.value, *column, prob)
            cells: tuple[np.ndarray | float, ...] = (
                *(one.value, *from_resamples(drawn.get((name, "")), prob), error),
                *(*se_bounds, one.observed, one.expected),
            )
            row = {
                column: float(np.ravel(cell)[0])
                for column, cell in zip(_COLUMNS, cells, strict=True)
            }
        rows.append({"coefficient": name, **row, "reason": reason})
    return pd.DataFrame(rows)


def _standard_errors(
    study: Study, sums: StudySums, values: Mapping[str, Estimate]
) -> dict[str, tuple[float, int]]:
    """Return the published error of each coefficient that has one, and its items."""
    ratings, counts = study.ratings, study.counts
    paired = counts.paired > 0
    # What is not defined gives parts that are not, either.
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = dict(chance.influences(counts, study.similarity, values))
        parts["scott"] = parts["fleiss"]
        if sums.margins is not None:
            parts["conger"] = chance.conger_influence(
                sums.margins, ratings, counts, values["conger"]
            )
    items = dict.fromkeys(parts, ratings.item)
    # Krippendorff leaves questions with one answer out altogether. No variance is
    # published for his distances between ranks, which are estimated themselves.
    alpha = parts.pop("krippendorff")[paired]
    if not study.by_rank:
        parts["krippendorff"], items["krippendorff"] = alpha, ratings.item[paired]
    if study.meetings is not None and sums.pairs is not None:
        kappas = pairs.kappas(sums.pairs, np.ones((1, 1)))
        parts["cohen"] = pairs.influence(study.meetings, kappas)[1]
        items["cohen"] = ratings.item[study.meetings.question]
    # The published variances of those for two are those of large samples.
    return {
        name: _standard_error(
            part, items[name], large_sample=name in ("scott", "cohen")
        )
        for name, part in parts.items()
    }


def _standard_error(
    parts: Float[np.ndarray, " M"], item: Int[np.ndarray, " M"], *, large_sample: bool
) -> tuple[float, int]:
    """Return the error of a sum of parts, those of an item together: Gwet (2014)."""
    num = int((np.bincount(item) > 0).sum()) if len(item) else 0
    if num < 2:
        return NAN, num
    squared = float((np.bincount(item, parts) ** 2).sum())
    factor = 1.0 if large_sample else num / (num - 1)
    error = float(np.sqrt(factor * squared))
    return (error if error > 1e-12 else NAN), num


def from_resamples(
    values: Float[np.ndarray, " R"] | None, prob: float
) -> tuple[float, float]:
    """Quantiles, or NaN where too many resamples are undefined or all are equal."""
    if values is None:
        return NAN, NAN
    defined = values[~np.isnan(values)]
    few = not len(defined) or len(defined) < (1 + prob) / 2 * len(values)
    if few or np.ptp(defined) < 1e-12:
        return NAN, NAN
    lower, upper = bounds(defined, prob)
    return float(lower), float(upper)


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

    def ratio(above: Table, below: Table) -> Float[np.ndarray, "R L"]:
        value: np.ndarray = weighted_sums(weights, above) / weighted_sums(
            weights, below
        )
        return value

    with np.errstate(divide="ignore", invalid="ignore"):
        share = ratio(sums.shares, sums.questions)
        specific = ratio(sums.agreed, sums.possible)
        unlike = ratio(sums.unlike, sums.paired)
        spread = share * (1 - share)
        kappa = np.where(spread > 1e-12, 1 - unlike / spread, np.nan)
    return {"share": share, "specific": specific, "kappa": kappa}


def label_table(
    names: tuple[str, ...], sums: LabelSums, drawn: Drawn, prob: float
) -> pd.DataFrame:
    """Return one row per label, with bounds where there are resamples."""
    values = estimate_labels(sums, np.ones((1, 1)))
    columns: dict[str, object] = {"label": list(names), "share": values["share"][0]}
    for name in ("specific", "kappa"):
        of_labels = drawn.get((name, "label"))
        both = [
            from_resamples(None if of_labels is None else of_labels[:, place], prob)
            for place in range(len(names))
        ]
        columns[name] = values[name][0]
        columns[f"{name}_lower"] = [lower for lower, _ in both]
        columns[f"{name}_upper"] = [upper for _, upper in both]
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
