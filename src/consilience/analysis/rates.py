r"""Rates that are right whatever the model says: judges predict, people correct.

The estimand of a group g of items is the mean over its items of what people say: of the
shares of a label, or of ratings. Judges answered all items, people some, drawn at
random or with known probabilities. With :math:`f_i` what judges predict of an item and
:math:`y_i` the mean of people's answers to it,

.. math::

   \hat\theta_g = \frac{1}{N_g} \sum_{i \in g} f_i
   + \frac{\sum_{i \in g, L} w_i (y_i - f_i)}{\sum_{i \in g, L} w_i},

which errs by what people's items are by chance, however wrong the judges (prediction-
powered inference; in surveys, the difference estimator). The prediction is power-tuned:
:math:`f = b^\top x`, with x the mean of the judges' answers, each judge's own mean
taken out, and what the posterior of the fit expects without people's answers; b is
their regression within groups, drawn to zero as by two items.

**Variances.** The variance of residuals :math:`y - f` of a group is moderated by that
of all, which counts as sixty further items: of a few items of which the rare one is
missing both mean and variance err, and the interval would miss. Items of one cluster (a
prompt that all systems answered) have residuals in common, with one correlation. The
items are those asked about; with `population=True` they are a sample of further ones.

**Several groups.** The corrections of four groups and more are a sample as well:
:math:`m_g \sim N(\mu, \tau^2)`, with :math:`\tau` integrated under a flat prior, so
that groups with few answers of people learn from the others as far as these are alike.
Intervals hold as shares of all groups. Fewer groups stand for themselves.

References
----------
Angelopoulos et al. (2023), PPI++, section 4. Särndal et al. (1992), Model Assisted
Survey Sampling, section 6.3. Morris (1983), section 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int, Shaped

from consilience.analysis.references import Questions, questions_of
from consilience.errors import DataError, OptionError
from consilience.notebook import shown_as
from consilience.posterior import Fit
from consilience.responses.id_types import Types
from consilience.when_used import special

ALL = "all"
PEOPLE, CORRECTED, RANGE = "people", "corrected", "range of judges"
_DRAWN = 2.0  # items that draw the weights of predictions to zero
_FEWEST = 2  # items judged by people
_ALIKE = 60.0  # degrees of freedom that the variance of all has in that of a group
_SHARED = 4  # groups from which corrections are a sample
_GRID = np.linspace(0.0, 1.0, 81)
_LEAST = 1e-12


@shown_as("table", "differences", title="Rates")
@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Rates:
    """Rates of groups of items, with intervals that people's answers give.

    Attributes
    ----------
    table : pandas.DataFrame
        A row for all items and one for each group: the column that `by` names, label
        (where shares of several labels are estimated), items, judged (by people),
        estimate, lower, upper, answered (mean of the judges' answers), model (what the
        posterior alone says) and method: `corrected` by people, `people` alone where
        judges said nothing, or `range of judges`, which is no interval.
    differences : pandas.DataFrame
        Of each pair of groups difference, lower, upper and p_greater, the probability
        that the first is the greater.
    remarks : tuple of str
        Where the model alone disagrees, and what is missing.

    See Also
    --------
    rate : Compute them.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(items=90, annotators=6, classes=2, per_item=3, seed=0)
    >>> fit = cs.fit(study.responses, model="dawid_skene")
    >>> rates = cs.rate(fit, reference="annotator0")
    >>> rates.table.columns.tolist()[:4]
    ['label', 'items', 'judged', 'estimate']
    """

    table: pd.DataFrame
    differences: pd.DataFrame
    remarks: tuple[str, ...] = ()
    types: Types = field(default_factory=dict, repr=False)
    deviations: tuple[float, ...] = field(default=(), repr=False)
    prob: float = 0.9

    def needed(self, width: float) -> pd.DataFrame:
        """Return how many items of each group people have to judge.

        They are drawn at random within each group; those judged already count.

        Parameters
        ----------
        width : float
            Width of the intervals that is wanted, in units of the estimate.

        Returns
        -------
        pandas.DataFrame
            The groups with items, judged, needed (in all) and more (besides).

        Raises
        ------
        OptionError
            If the width is not above zero, people judged nothing yet, or several
            labels were asked about.
        """
        if not width > 0:
            raise OptionError(f"width {width:g}: give a number above zero")
        if not self.deviations:
            raise OptionError(
                "needed: this is of one question that people have judged some items "
                "of; name one label (`label=`), and let people judge thirty items or so"
            )
        some = self.table.iloc[-len(self.deviations) :].reset_index(drop=True)
        far = float(special.ndtri((1 + self.prob) / 2))
        square, items = np.array(self.deviations) ** 2, some["items"].to_numpy()
        number = items * square / (items * (width / (2 * far)) ** 2 + square)
        needed = np.clip(np.ceil(number).astype(int), np.minimum(2, items), items)
        names = list(map(str, some.columns))
        groups = names[: names.index("judged") + 1]
        more = np.maximum(needed - some["judged"], 0)
        return some[groups].assign(needed=needed, more=more)


def rate(
    fit: Fit,
    *,
    reference: str | Sequence[str] | pd.DataFrame | None = None,
    by: str | pd.DataFrame | None = None,
    label: object = None,
    cluster: str | pd.DataFrame | None = None,
    population: bool = False,
    prob: float = 0.9,
) -> Rates:
    """Return the rate of each group of items: judges' answers, corrected by people's.

    Parameters
    ----------
    fit : Fit
        A fit to the answers of judges and of people, of kind choice or contains.
    reference : str, sequence of str or pandas.DataFrame, optional
        Who is right on average: a group of annotators, one or several annotators, or a
        table of gold labels (item, label) that the fit was not given, with a column
        inclusion where items were drawn with known probabilities, as
        `consilience.analysis.gold_design` draws them. None: nobody is, and the range
        of the judges is stated in place of intervals.
    by : str or pandas.DataFrame, optional
        Column of the items, such as the system that an item is from, or a table of
        item and group.
    label : optional
        The label whose share is estimated. By default the mean of ordered labels, the
        share of the better of two (pass, yes, true, correct, 1), else of each label.
    cluster : str or pandas.DataFrame, optional
        Column of the items (or table of item and group) whose values have residuals in
        common, such as the prompt that several systems answered. Of kind contains, the
        item by default.
    population : bool, default False
        Take the items for a sample of more of their kind: intervals are wider.
    prob : float, default 0.9
        Probability of the intervals.

    Returns
    -------
    Rates
        Tables `table` and `differences`, and `remarks`.

    Raises
    ------
    OptionError
        If there is no such group, annotator, column or label.
    DataError
        If people judged fewer than two items, or the reference has nothing in common
        with the fit.

    See Also
    --------
    consilience.analysis.judges : Which judge may replace a person.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(items=90, annotators=6, classes=2, per_item=3, seed=0)
    >>> fit = cs.fit(study.responses, model="dawid_skene")
    >>> rates = cs.rate(fit, reference="annotator0", label="class1")
    >>> rates.table[["items", "judged", "method"]]
       items  judged     method
    0     90      45  corrected
    """
    if not 0 < prob < 1:
        raise OptionError(f"prob {prob:g}: give a probability between 0 and 1")
    questions = questions_of(fit, reference, by, label, cluster)
    parts = [_of_question(each, prob, population=population) for each in questions]
    table = pd.concat([part.table for part in parts], ignore_index=True)
    differences = pd.concat([part.differences for part in parts], ignore_index=True)
    remarks = tuple(dict.fromkeys(text for part in parts for text in part.remarks))
    return Rates(
        table=table,
        differences=differences,
        remarks=remarks,
        types=fit.types,
        deviations=parts[0].deviations if len(parts) == 1 else (),
        prob=prob,
    )


def _of_question(asked: Questions, prob: float, *, population: bool) -> Rates:
    named = {"label": asked.label} if asked.label else {}
    if asked.truth is None:
        return _of_judges_alone(asked, named)
    judged = np.isfinite(asked.truth)
    if judged.sum() < _FEWEST:
        raise DataError(
            f"people judged {judged.sum()} of {len(judged):,} items; a rate needs two "
            "or more, and some thirty for an interval of use"
        )
    some = _estimated(asked, judged, population=population)
    table = _rows(asked, named, some, prob, judged)
    apart = _differences(asked, named, some, prob)
    return Rates(
        table=table,
        differences=apart,
        remarks=_remarks(table),
        deviations=tuple(map(float, some.deviation)),
    )


class Estimated(NamedTuple):
    """Estimates of groups, their covariance, and its degrees of freedom."""

    mean: Float[np.ndarray, " G"]
    covariance: Float[np.ndarray, "G G"]
    freedom: float
    items: Int[np.ndarray, " G"]
    judged: Int[np.ndarray, " G"]
    deviation: Float[np.ndarray, " G"]  # of residuals

    def sum_of(
        self, weight: Float[np.ndarray, " G"], prob: float
    ) -> tuple[float, float, float, float]:
        """Return a weighted sum, its bounds, and the probability that it is above 0."""
        used = weight != 0
        mean = float(weight[used] @ self.mean[used])
        some = weight[used]
        spread = np.sqrt(some @ self.covariance[np.ix_(used, used)] @ some)
        if not np.isfinite(mean + spread):
            return mean, np.nan, np.nan, np.nan
        far = float(special.stdtrit(self.freedom, (1 + prob) / 2)) * spread
        above = special.stdtr(self.freedom, mean / spread) if spread > 0 else mean > 0
        return mean, mean - far, mean + far, float(above)


def _estimated(
    asked: Questions, judged: Bool[np.ndarray, " I"], *, population: bool
) -> Estimated:
    """Return the estimates of all groups together."""
    group, groups = asked.group, len(asked.groups)
    weight = np.where(judged, asked.weight, 0.0)
    truth = np.nan_to_num(np.asarray(asked.truth, float))
    predicted, used = _predicted(asked, judged, truth)
    items = np.bincount(group, minlength=groups)
    number = np.bincount(group, judged, groups).astype(int)
    total = np.bincount(group, weight, groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        usual = np.bincount(group, predicted, groups) / items
        correction = np.bincount(group, weight * (truth - predicted), groups) / total
    residual = np.where(judged, truth - predicted - correction[group], 0.0)
    variance, freedom = _variances(residual, number, group, used)
    squares = np.bincount(group, weight**2, groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt(variance * squares) / total
    share = 0.0 if population else number / items
    covariance = np.diag(spread**2 * (1 - share))
    covariance += _in_common(asked, residual, weight, spread, total, covariance)
    mean, covariance = _shared(correction, covariance, number)
    if population:
        apart = predicted - usual[group]
        within = np.bincount(group, apart**2, groups) / np.maximum(items - 1, 1)
        covariance = covariance + np.diag(within / items)
    deviation = np.sqrt(variance)
    return Estimated(usual + mean, covariance, freedom, items, number, deviation)


def _predicted(
    asked: Questions, judged: Bool[np.ndarray, " I"], truth: Float[np.ndarray, " I"]
) -> tuple[Float[np.ndarray, " I"], int]:
    """Return what judges predict, tuned within groups, and how many weights it took."""
    columns = asked.predictions
    number = np.bincount(asked.group, judged, len(asked.groups))
    freedom = int(judged.sum() - (number > 0).sum())
    scale = columns.std(0)
    columns = columns[:, scale > 0] / scale[scale > 0]
    # With few items the posterior alone, which stands last.
    columns = columns[:, max(columns.shape[1] - max(freedom - 1, 0), 0) :]
    if not columns.shape[1]:
        return np.zeros(len(truth)), 0
    there = np.maximum(number, 1)[asked.group]

    def within(values: Float[np.ndarray, " I"]) -> Float[np.ndarray, " I"]:
        held = np.where(judged, values, 0.0)
        mean = np.bincount(asked.group, held, len(asked.groups))[asked.group] / there
        return np.where(judged, values - mean, 0.0)

    apart = np.stack([within(column) for column in columns.T], 1)
    gram = apart.T @ apart + _DRAWN * np.eye(apart.shape[1])
    weight = np.linalg.solve(gram, apart.T @ within(truth))
    return columns @ weight, columns.shape[1]


def _variances(
    residual: Float[np.ndarray, " I"],
    number: Int[np.ndarray, " G"],
    group: Int[np.ndarray, " I"],
    used: int,
) -> tuple[Float[np.ndarray, " G"], float]:
    """Return the variance of residuals in each group, and its degrees of freedom."""
    squares = np.bincount(group, residual**2, len(number))
    free = np.maximum(number - 1, 0)
    whole = max(float(free.sum() - used), 1.0)
    overall = squares.sum() / whole
    return (_ALIKE * overall + squares) / (_ALIKE + free), whole


def _in_common(
    asked: Questions,
    residual: Float[np.ndarray, " I"],
    weight: Float[np.ndarray, " I"],
    spread: Float[np.ndarray, " G"],
    total: Float[np.ndarray, " G"],
    covariance: Float[np.ndarray, "G G"],
) -> Float[np.ndarray, "G G"]:
    """Return what clusters add: residuals of one have one correlation."""
    if asked.cluster is None:
        return np.zeros_like(covariance)
    used = np.flatnonzero(weight > 0)
    cluster, group = asked.cluster[used], asked.group[used]
    scale = np.sqrt(np.bincount(group, residual[used] ** 2, len(total)))
    scale /= np.sqrt(np.maximum(np.bincount(group, minlength=len(total)), 1))
    unit = residual[used] / np.where(scale[group] > 0, scale[group], 1.0)
    size = np.bincount(cluster)
    pairs = (size**2 - size).sum()
    if not pairs:
        return np.zeros_like(covariance)
    summed = np.bincount(cluster, unit)
    together = (summed**2 - np.bincount(cluster, unit**2)).sum() / pairs
    alike = float(np.clip(together, 0.0, 0.95))
    met = np.zeros((len(size), len(total)))
    np.add.at(met, (cluster, group), weight[used])
    squares = np.bincount(group, weight[used] ** 2, len(total))
    shared = met.T @ met - np.diag(squares)
    with np.errstate(invalid="ignore", divide="ignore"):
        each = spread * total / np.sqrt(squares)
        added = alike * shared * np.outer(each / total, each / total)
    return np.nan_to_num(added)


def _shared(
    correction: Float[np.ndarray, " G"],
    covariance: Float[np.ndarray, "G G"],
    number: Int[np.ndarray, " G"],
) -> tuple[Float[np.ndarray, " G"], Float[np.ndarray, "G G"]]:
    """Return corrections as a sample of their like, tau integrated, and covariance."""
    some = np.flatnonzero(number > 0)
    mean = np.where(number > 0, np.nan_to_num(correction), np.nan)
    whole = np.where(np.isfinite(covariance), covariance, 0.0)
    if len(some) < _SHARED:
        whole[number == 0] = np.nan
        whole[:, number == 0] = np.nan
        return mean, whole
    given, noise = correction[some], whole[np.ix_(some, some)]
    most = 3 * np.sqrt(max(given.var(ddof=1), np.diag(noise).mean(), _LEAST))
    logs, means, squares = [], [], []
    groups = len(number)
    for tau in most * _GRID:
        root = np.linalg.inv(noise + (tau**2 + _LEAST) * np.eye(len(some)))
        precision = root.sum()
        centre = root.sum(1) @ given / precision
        apart = given - centre
        _, determinant = np.linalg.slogdet(root)
        logs.append(determinant / 2 - apart @ root @ apart / 2 - np.log(precision) / 2)
        reach = np.zeros((groups, len(some)))
        reach[some] = tau**2 * np.eye(len(some))
        pull = reach @ root
        left = 1 - pull.sum(1)
        expected = centre + pull @ apart
        spread = tau**2 * np.eye(groups) - pull @ reach.T
        spread += np.outer(left, left) / precision
        means.append(expected)
        squares.append(spread + np.outer(expected, expected))
    weight = special.softmax(np.array(logs))
    mean = weight @ np.array(means)
    second = np.tensordot(weight, np.array(squares), 1)
    return mean, second - np.outer(mean, mean)


def _rows(
    asked: Questions,
    named: Mapping[str, object],
    some: Estimated,
    prob: float,
    judged: Bool[np.ndarray, " I"],
) -> pd.DataFrame:
    """Return the table: all items, then each group."""
    groups = len(asked.groups)
    there = some.judged > 0 if groups < _SHARED else np.ones(groups, bool)
    weights = [np.where(there, some.items, 0) / some.items[there].sum()]
    weights += list(np.eye(groups)) if asked.by else []
    members = [np.ones(len(judged), bool)]
    members += [asked.group == code for code in range(groups)] if asked.by else []
    method = CORRECTED if asked.predictions.shape[1] else PEOPLE
    rows = []
    for place, (weight, chosen) in enumerate(zip(weights, members, strict=True)):
        estimate, lower, upper, _ = some.sum_of(np.asarray(weight, float), prob)
        low, high = asked.bounds
        group = asked.groups[place - 1] if place else ALL
        head = {asked.by: group} if asked.by else {}
        rows.append(
            {
                **head,
                **named,
                "items": int(chosen.sum()),
                "judged": int(judged[chosen].sum()),
                "estimate": np.clip(estimate, low, high),
                "lower": np.clip(lower, low, high),
                "upper": np.clip(upper, low, high),
                "answered": _mean(asked.answered[chosen]),
                "model": asked.model[chosen].mean(),
                "method": method,
            }
        )
    return pd.DataFrame(rows)


def _mean(values: Float[np.ndarray, " I"]) -> float:
    seen = values[np.isfinite(values)]
    return float(seen.mean()) if len(seen) else np.nan


def _differences(
    asked: Questions, named: Mapping[str, object], some: Estimated, prob: float
) -> pd.DataFrame:
    by = asked.by or "group"
    rows = []
    for one, other in combinations(range(len(asked.groups) if asked.by else 0), 2):
        weight = np.zeros(len(asked.groups))
        weight[[one, other]] = 1.0, -1.0
        difference, lower, upper, above = some.sum_of(weight, prob)
        pair = {by: asked.groups[one], f"other_{by}": asked.groups[other]}
        rows.append(
            {
                **pair,
                **named,
                "difference": difference,
                "lower": lower,
                "upper": upper,
                "p_greater": above,
            }
        )
    columns = [by, f"other_{by}", *named, "difference", "lower", "upper", "p_greater"]
    return pd.DataFrame(rows, columns=columns)


def _remarks(table: pd.DataFrame) -> tuple[str, ...]:
    """Say where the model alone disagrees, and which groups nobody judged."""
    remarks = []
    outside = ~table["model"].between(table["lower"], table["upper"])
    outside &= table["lower"].notna()
    if outside.any():
        remarks.append(
            f"the model alone is outside {int(outside.sum())} of {len(table)} "
            "intervals: judges err in ways that it takes for the truth; believe the "
            "intervals"
        )
    nobody = table["judged"] == 0
    if nobody.any():
        remarks.append(
            f"people judged no item of {int(nobody.sum())} groups; let them judge some "
            "of each"
        )
    return tuple(remarks)


def _of_judges_alone(asked: Questions, named: Mapping[str, object]) -> Rates:
    """Return the range of the judges: without people no interval is one."""
    members = [np.ones(len(asked.group), bool)]
    heads = [ALL]
    if asked.by:
        members += [asked.group == code for code in range(len(asked.groups))]
        heads += list(asked.groups)
    rows = []
    for head, chosen in zip(heads, members, strict=True):
        each = [_mean(column[chosen]) for column in asked.of_each.T]
        each = [*filter(np.isfinite, each), asked.model[chosen].mean()]
        rows.append(
            {
                **({asked.by: head} if asked.by else {}),
                **named,
                "items": int(chosen.sum()),
                "judged": 0,
                "estimate": asked.model[chosen].mean(),
                "lower": min(each),
                "upper": max(each),
                "answered": _mean(asked.answered[chosen]),
                "model": asked.model[chosen].mean(),
                "method": RANGE,
            }
        )
    remark = (
        "nobody is taken to be right on average, so the bounds are the range of the "
        "judges and no interval; name people or gold labels (`reference=`)"
    )
    nothing = replace(asked, by=None)
    empty = _differences(nothing, named, _nothing(), 0.9)
    return Rates(table=pd.DataFrame(rows), differences=empty, remarks=(remark,))


def _nothing() -> Estimated:
    none: Shaped[np.ndarray, 0] = np.zeros(0)
    whole = none.astype(int)
    return Estimated(none, np.zeros((0, 0)), 1.0, whole, whole, none)
