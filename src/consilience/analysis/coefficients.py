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
    table_of_sums,
    weighted_sums,
)
from consilience.analysis.similarity import Similarity
from consilience.intervals import bounds, resampled_counts
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

# Scott's pi is Fleiss's kappa of two.
_AS = {"scott": "fleiss"}
_UNDEFINED: Mapping[str, float] = dict.fromkeys(
    ("value", "lower", "upper", "se", "se_lower", "se_upper", "observed", "expected"),
    NAN,
)


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
    meetings: pairs.Meetings | None
    pairs: pairs.PairSums | None
    labels: LabelSums | None

    @property
    def groups(self) -> int:
        """Groups of items."""
        return int(self.counted.facts.shape[0])

    @property
    def widest(self) -> int:
        """Columns of the widest table."""
        parts = (self.counted, self.margins, self.meetings, self.labels)
        return max(part.widest for part in parts if part is not None)


def sum_study(study: Study, group: Int[np.ndarray, " Q"]) -> StudySums:
    """Sum what the wanted coefficients need by group of items."""
    ratings, met = study.ratings, study.meetings
    margins = None
    if study.conger:
        margins = chance.count_margins(ratings, study.similarity, group)
    return StudySums(
        counted=chance.sum_counts(
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
    """Estimate every coefficient with each set of weights."""
    estimates = dict(chance.estimate(sums.counted, weights))
    if sums.margins is not None:
        observed = estimates["percent"].observed
        estimates["conger"] = chance.estimate_conger(sums.margins, weights, observed)
    kappas = cohen(sums, weights)
    if kappas is not None:
        estimates["cohen"] = kappas.mean
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
    values, labels = [], []
    for weights in resampled_counts(sums.groups, resamples, sums.widest, generator):
        estimates = estimate_all(sums, weights)
        values.append({name: each.value for name, each in estimates.items()})
        if sums.labels is not None:
            labels.append(estimate_labels(sums.labels, weights))
    return _joined(values), _joined(labels)


def _joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    names = parts[0] if parts else ()
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


@dataclass(frozen=True, slots=True, eq=False)
class Coefficient:
    """A coefficient and, where a variance is published, its parts by item."""

    estimate: Estimate
    parts: Float[np.ndarray, " M"] | None
    item: Int[np.ndarray, " M"]
    large_sample: bool = False


def coefficient_table(
    coefficients: Mapping[str, Coefficient],
    drawn: Mapping[str, Float[np.ndarray, " R"]],
    why: Mapping[str, str],
    prob: float,
) -> pd.DataFrame:
    """Return one row per coefficient."""
    rows = []
    for name in NAMES:
        reason = why.get(name) or ("" if name == "percent" else why.get("all", ""))
        if not reason and name not in coefficients:
            reason = "too many pairs of answers to be compared"
        row = (
            _UNDEFINED
            if reason
            else _row(coefficients[name], drawn.get(_AS.get(name, name)), prob)
        )
        if not reason and np.isnan(row["value"]):
            row, reason = _UNDEFINED, "answers agree by chance alone"
        rows.append({"coefficient": name, **row, "reason": reason})
    return pd.DataFrame(rows)


def estimate_coefficients(study: Study, sums: StudySums) -> dict[str, Coefficient]:
    """Estimate every coefficient that has sums, with its parts."""
    whole, ratings, counts = np.ones((1, 1)), study.ratings, study.counts
    values = estimate_all(sums, whole)
    # What is not defined gives parts that are not, either.
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = dict(chance.influences(counts, study.similarity, values))
        if sums.margins is not None:
            parts["conger"] = chance.conger_influence(
                sums.margins, ratings, counts, values["conger"]
            )
    paired = counts.paired > 0
    # Krippendorff leaves questions with one answer out altogether. No variance is
    # published for his distances between ranks, which are estimated themselves.
    alpha = parts.pop("krippendorff")[paired]
    items = {"krippendorff": ratings.item[paired]}
    if not study.by_rank:
        parts["krippendorff"] = alpha
    kappas = cohen(sums, whole)
    if sums.meetings is not None and kappas is not None:
        parts["cohen"] = pairs.influence(sums.meetings, kappas)[1]
        items["cohen"] = ratings.item[sums.meetings.question]
    coefficients = {
        name: Coefficient(value, parts.get(name), items.get(name, ratings.item))
        for name, value in values.items()
    }
    coefficients["scott"] = coefficients["fleiss"]
    # The published variances of those for two are those of large samples.
    return coefficients | {
        name: replace(coefficients[name], large_sample=True)
        for name in ("scott", "cohen")
        if name in coefficients
    }


def _row(
    coefficient: Coefficient, drawn: Float[np.ndarray, " R"] | None, prob: float
) -> Mapping[str, float]:
    """Value and bounds of one coefficient."""
    value = coefficient.estimate.value[:1]
    lower, upper = (NAN, NAN) if drawn is None else from_resamples(drawn, prob)
    error, items = NAN, 0
    if coefficient.parts is not None:
        error, items = standard_error(
            coefficient.parts, coefficient.item, large_sample=coefficient.large_sample
        )
    of_error = pairs.from_error(
        value, np.array([error]), np.array([float(items)]), prob
    )
    return {
        "value": float(value[0]),
        "lower": lower,
        "upper": upper,
        "se": error,
        "se_lower": float(of_error[0][0]),
        "se_upper": float(of_error[1][0]),
        "observed": float(coefficient.estimate.observed[0]),
        "expected": float(coefficient.estimate.expected[0]),
    }


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
        both = [(NAN, NAN)] * len(names)
        if resampled is not None:
            both = [from_resamples(column, prob) for column in resampled[name].T]
        columns[name] = estimates[name][0]
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


def from_resamples(values: Float[np.ndarray, " R"], prob: float) -> tuple[float, float]:
    """Quantiles, or NaN where too many resamples are undefined or all are equal."""
    defined = values[~np.isnan(values)]
    if not len(defined) or len(defined) < (1 + prob) / 2 * len(values):
        return NAN, NAN
    if np.ptp(defined) < 1e-12:
        return NAN, NAN
    lower, upper = bounds(defined, prob)
    return float(lower), float(upper)


def standard_error(
    parts: Float[np.ndarray, " M"],
    item: Int[np.ndarray, " M"],
    *,
    large_sample: bool = False,
) -> tuple[float, int]:
    """Return the error of a sum of parts, those of an item together: Gwet (2014)."""
    num = int((np.bincount(item) > 0).sum()) if len(item) else 0
    if num < 2:
        return NAN, num
    squared = float((np.bincount(item, parts) ** 2).sum())
    factor = 1.0 if large_sample else num / (num - 1)
    error = float(np.sqrt(factor * squared))
    return (error if error > 1e-12 else NAN), num
