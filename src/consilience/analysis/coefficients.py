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

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.analysis import chance, pairs
from consilience.analysis.chance import NAN, Estimate
from consilience.analysis.ratings import (
    Counts,
    Ratings,
    Similarity,
    Table,
    Weights,
    assign_groups,
    table_of_sums,
    weighted_sums,
)
from consilience.intervals import bounds, resampled
from consilience.ragged import places_within

# Products that are still worth the wait: some seconds.
_MAX_PRODUCTS = 2**30
ONE = np.ones((1, 1))  # the weight of all items, as one group
NAMES = (
    *("percent", "cohen", "scott", "fleiss", "conger"),
    *("brennan_prediger", "gwet", "krippendorff"),
)
_COLUMNS = (
    *("value", "lower", "upper", "se", "se_lower", "se_upper"),
    *("observed", "expected"),
)
type Drawn = Mapping[tuple[str, str], np.ndarray]
type LabelValues = Mapping[str, Float[np.ndarray, "R L"]]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Study:
    """Answers in all forms that are needed; None for what is undefined or unwanted."""

    ratings: Ratings
    counts: Counts
    similarity: Similarity
    margins: chance.Margins | None
    meetings: pairs.Meetings | None
    by_rank: bool
    labels: bool


@dataclass(frozen=True, slots=True, eq=False)
class Estimators:
    """How all follows from weights of groups of items, and the widest table."""

    coefficients: Callable[[Weights], dict[str, Estimate]]
    kappas: Callable[[Weights], pairs.Kappas] | None
    labels: Callable[[Weights], LabelValues] | None
    widest: int


def estimators(study: Study, group: Int[np.ndarray, " Q"]) -> Estimators:
    """Sum by group of items, and return what is estimated from the sums."""
    ratings, similarity = study.ratings, study.similarity
    margins, met = study.margins, study.meetings
    counted, widest = chance.count_estimator(
        ratings, study.counts, similarity, group, by_rank=study.by_rank
    )
    conger = kappas = labels = None
    if margins is not None:
        conger = chance.conger_estimator(margins, ratings, similarity, group)
        widest = max(widest, margins.widest)
    if met is not None:
        kappas = pairs.kappa_estimator(met, group)
        widest = max(widest, len(met.joins[0]))
    if study.labels:
        labels = label_estimator(ratings, group)
        widest = max(widest, len(ratings.labels))

    def estimate(weights: Weights) -> dict[str, Estimate]:
        results = counted(weights)
        results["scott"] = results["fleiss"]  # Scott's pi is Fleiss's kappa of two.
        if conger is not None:
            results["conger"] = conger(weights, results["percent"].observed)
        if kappas is not None:
            results["cohen"] = kappas(weights).mean
        return results

    return Estimators(estimate, kappas, labels, widest)


def resample(study: Study, resamples: int, seed: int, *, few: bool) -> Drawn:
    """Estimate coefficients, and agreement on labels, in resamples of the items.

    What cannot be resampled, or not in some seconds, is left out. Keys are
    (coefficient, "") and (column, "label").
    """
    item = study.ratings.item
    if not resamples or not item.any() or not study.counts.paired.any():
        return {}
    margins, met, most = study.margins, study.meetings, _MAX_PRODUCTS / resamples
    conger = 0 if margins is None else len(margins.cell) + 4 * margins.widest
    cohen = 0 if met is None else 4 * (len(met.pair) + len(met.joins[0]))
    generator = np.random.default_rng(seed)
    sampled = replace(
        study,
        margins=margins if conger <= most else None,
        meetings=met if cohen <= most and not few else None,
    )
    group = assign_groups(item, generator)
    whole = estimators(sampled, group)

    def estimate(weights: Weights) -> Drawn:
        of_all = whole.coefficients(weights).items()
        values = {(name, ""): each.value for name, each in of_all}
        if whole.labels is not None:
            of_labels = whole.labels(weights).items()
            values |= {(name, "label"): each for name, each in of_labels}
        return values

    groups = int(group.max()) + 1
    return resampled(estimate, groups, resamples, whole.widest, generator)


def coefficient_table(
    study: Study, whole: Estimators, drawn: Drawn, why: Mapping[str, str], prob: float
) -> pd.DataFrame:
    """Return one row per coefficient, with the reason where it is undefined."""
    values = whole.coefficients(ONE)
    errors = _standard_errors(study, whole, values)
    rows = []
    for name in NAMES:
        reason = why.get(name) or ("" if name == "percent" else why.get("all", ""))
        if not reason and name not in values:
            reason = "too many pairs of answers to be compared"
        row = dict.fromkeys(_COLUMNS, NAN)
        if not reason and np.isnan(values[name].value[0]):
            reason = "answers agree by chance alone"
        if not reason:
            one, (error, items) = values[name], errors.get(name, (NAN, 0.0))
            value, observed, expected = (
                float(each[0]) for each in (one.value, one.observed, one.expected)
            )
            bootstrapped = from_resamples(drawn.get((name, "")), prob)
            published = map(float, pairs.from_error(value, error, items, prob))
            cells = value, *bootstrapped, error, *published, observed, expected
            row = dict(zip(_COLUMNS, cells, strict=True))
        rows.append({"coefficient": name, **row, "reason": reason})
    return pd.DataFrame(rows)


def _standard_errors(
    study: Study, whole: Estimators, values: Mapping[str, Estimate]
) -> dict[str, tuple[float, float]]:
    """Return the published error of each coefficient that has one, and its items."""
    ratings, counts, similarity = study.ratings, study.counts, study.similarity
    # What is not defined gives parts that are not, either.
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = chance.influences(counts, similarity, values)
        parts["scott"] = parts["fleiss"]
        if study.margins is not None:
            parts["conger"] = chance.conger_influence(
                study.margins, ratings, counts, similarity, values["conger"]
            )
    items = dict.fromkeys(parts, ratings.item)
    # Krippendorff leaves questions with one answer out altogether. No variance is
    # published for his distances between ranks, which are estimated themselves.
    alpha, paired = parts.pop("krippendorff"), counts.paired > 0
    if not study.by_rank:
        parts["krippendorff"] = alpha[paired]
        items["krippendorff"] = ratings.item[paired]
    if study.meetings is not None and whole.kappas is not None:
        parts["cohen"] = pairs.influence(study.meetings, whole.kappas(ONE))[1]
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
) -> tuple[float, float]:
    """Return the error of a sum of parts, those of an item together: Gwet (2014)."""
    num = float((np.bincount(item) > 0).sum()) if len(item) else 0.0
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


def label_estimator(
    ratings: Ratings, group: Int[np.ndarray, " Q"]
) -> Callable[[Weights], LabelValues]:
    """Return how share, specific agreement and kappa of labels follow from weights."""
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
    place = pd.factorize(who)[0]
    annotator_share = np.bincount(place, share)[place]
    cell, kept = pd.factorize(key)
    count = np.bincount(cell, share)
    himself = np.bincount(cell, np.where(has_id, share * annotator_share, share))
    question, label = kept // num_labels, kept % num_labels
    of = raters[question]
    agreed = np.where(of > 1, count**2 - himself, 0)
    possible = count * (of - 1)
    pairs_of = np.maximum(of * (of - 1), 1)

    def table(values: Float[np.ndarray, " M"]) -> Table:
        return table_of_sums(group[question], label, values, shape)

    # One column where all labels are asked about alike.
    asked, width = ratings.question_label, num_labels
    if asked is None:
        asked, width = np.zeros_like(group), 1
    questions, paired_questions = (
        table_of_sums(group, asked, each, (shape[0], width))
        for each in (np.ones(len(group)), paired)
    )
    shares, agreed, possible, unlike = map(
        table, (count / of, agreed, possible, (possible - agreed) / pairs_of)
    )

    def ratio(weights: Weights, above: Table, below: Table) -> np.ndarray:
        return weighted_sums(weights, above) / weighted_sums(weights, below)

    def estimate(weights: Weights) -> LabelValues:
        with np.errstate(divide="ignore", invalid="ignore"):
            share = ratio(weights, shares, questions)
            specific = ratio(weights, agreed, possible)
            spread = share * (1 - share)
            disagreed = ratio(weights, unlike, paired_questions) / spread
            kappa = np.where(spread > 1e-12, 1 - disagreed, np.nan)
        return {"share": share, "specific": specific, "kappa": kappa}

    return estimate


def label_table(
    names: tuple[str, ...], values: LabelValues, drawn: Drawn, prob: float
) -> pd.DataFrame:
    """Return one row per label, with bounds where there are resamples."""
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
