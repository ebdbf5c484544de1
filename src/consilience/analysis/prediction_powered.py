r"""The estimate of rates of groups: what judges predict, corrected by people.

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
items are those asked about, so that variances are less by the share that people judged,
but for people's own error, which repeated answers tell; with `population=True` they are
a sample of further ones. To all residuals one of the largest variance that there can be
is added, since a few that are all zero are not certain.

**Several groups.** The corrections of four groups and more are a sample as well:
:math:`m_g \sim N(\mu + \beta z_g, \tau^2)`, with z the standardized mean prediction of
the group, since judges who see part of what is wrong are too kind most where most is
wrong. With :math:`\mu` flat, :math:`\beta` normal with the variance of the corrections
and :math:`p(\tau) \propto \sqrt\tau`, which keeps the sample from being taken for
equal, all are integrated, so that groups with few answers of people learn from the
others as far as these are alike. (Of twenty kinds of simulated crowds, none drawn from
this model, the 90 % intervals of the worst hold .865; .82 without the line and with a
flat prior of :math:`\tau`.) Intervals hold as shares of all groups. Two groups are
compared as if each were off by itself, since corrections are no normal sample. Fewer
groups stand for themselves.

**Bounds** are those of a t distribution. Of all items together, and of groups that
stand for themselves, they reach at least as far as Wilson's for the effective number of
answers, :math:`(p(1-p) + 1/4n) / s^2` with p the estimate between its own bounds, n the
items judged and s the standard error: where what is counted is rare, few of its items
were seen, and a symmetric interval ends below it. (Chosen on 15 labels of public
crowds, below 15 % or above 85 %: with gold for 40 items, the 90 % intervals of all
items held .92, symmetric ones .77.)

References
----------
Angelopoulos et al. (2023), PPI++, section 4. Särndal et al. (1992), Model Assisted
Survey Sampling, section 6.3. Fay and Herriot (1979) and Morris (1983), section 1, for
groups. Chung et al. (2013), section 2, for the prior of :math:`\tau`. Franco, Little,
Louis and Slud (2019), section 2, for Wilson's bounds of samples that are not simple.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from consilience.analysis.references import Questions
from consilience.when_used import special

_DRAWN = 2.0  # items that draw the weights of predictions to zero
_ALIKE = 60.0  # degrees of freedom that the variance of all has in that of a group
_WIDE = 1.0  # items of the largest variance that there can be, added to all
SHARED = 4  # groups from which corrections are a sample
_GRID = np.linspace(0.025, 1.0, 40)
_LEAST = 1e-12


class Estimated(NamedTuple):
    """Estimates of groups, their covariance, and its degrees of freedom."""

    mean: Float[np.ndarray, " G"]
    covariance: Float[np.ndarray, "G G"]
    between: Float[np.ndarray, "G G"]  # covariance where groups are compared
    freedom: float
    items: Int[np.ndarray, " G"]
    judged: Int[np.ndarray, " G"]
    deviation: Float[np.ndarray, " G"]  # of residuals
    bounds: tuple[float, float]  # of what is estimated
    shared: bool  # whether corrections are a sample

    def sum_of(
        self, weight: Float[np.ndarray, " G"], prob: float
    ) -> tuple[float, float, float, float]:
        """Return a weighted sum, its bounds, and the probability that it is above 0."""
        used = weight != 0
        mean = float(weight[used] @ self.mean[used])
        some = weight[used]
        covariance = self.covariance if some.sum() else self.between
        square = some @ covariance[np.ix_(used, used)] @ some
        spread = np.sqrt(np.maximum(square, 0.0))  # below it where people judged all
        if not np.isfinite(mean + spread):
            return mean, np.nan, np.nan, np.nan
        if not spread > 0:
            return mean, mean, mean, float(mean > 0)
        far = float(special.stdtrit(self.freedom, (1 + prob) / 2))
        above = float(special.stdtr(self.freedom, mean / spread))
        lower, upper = mean - far * spread, mean + far * spread
        if some.sum() and not (self.shared and used.sum() == 1):
            least, most = self._wilson(mean, spread, far, int(self.judged[used].sum()))
            lower, upper = min(lower, least), max(upper, most)
        return mean, lower, upper, above

    def _wilson(
        self, mean: float, spread: float, far: float, judged: int
    ) -> tuple[float, float]:
        """Return Wilson's bounds for the effective number of answers by people."""
        low, high = self.bounds
        share = np.clip((mean - low) / (high - low), 0.0, 1.0)
        one = share * (1 - share) + _WIDE / 4 / judged  # variance of one answer
        pull = far**2 * (spread / (high - low)) ** 2 / one  # far^2 / effective number
        middle = (share + pull / 2) / (1 + pull)
        reach = np.sqrt(pull * share * (1 - share) + pull**2 / 4) / (1 + pull)
        both = low + (high - low) * (middle + reach * np.array([-1.0, 1.0]))
        return float(both[0]), float(both[1])


def estimated(
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
    low, high = asked.bounds
    largest = (high - low) ** 2 / 4
    variance, freedom = _variances(residual, number, group, used, largest)
    squares = np.bincount(group, weight**2, groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt(variance * squares) / total
        noise = np.bincount(group, weight**2 * asked.noise, groups) / total**2
    # People's own error is not less where they judged many of the items.
    share = 0.0 if population else number / items
    error = np.fmin(np.where(number > 0, noise, 0.0), spread**2)
    covariance = np.diag(spread**2 * (1 - share) + error * share)
    covariance += _in_common(asked, residual, weight, spread, total, covariance)
    mean, covariance = shared(correction, covariance, number, usual)
    if population:
        apart = predicted - usual[group]
        within = np.bincount(group, apart**2, groups) / np.maximum(items - 1, 1)
        covariance = covariance + np.diag(within / items)
    between, sample = covariance, bool((number > 0).sum() >= SHARED)
    if asked.cluster is None and sample:
        between = np.diag(np.diag(covariance))
    return Estimated(
        mean=usual + mean,
        covariance=covariance,
        between=between,
        freedom=freedom,
        items=items,
        judged=number,
        deviation=np.sqrt(variance),
        bounds=asked.bounds,
        shared=sample,
    )


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
        kept = np.where(judged, values, 0.0)
        mean = np.bincount(asked.group, kept, len(asked.groups))[asked.group] / there
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
    largest: float,
) -> tuple[Float[np.ndarray, " G"], float]:
    """Return the variance of residuals in each group, and its degrees of freedom."""
    squares = np.bincount(group, residual**2, len(number))
    free = np.maximum(number - 1, 0)
    whole = max(float(free.sum() - used), 1.0)
    overall = (squares.sum() + _WIDE * largest) / (whole + _WIDE)
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


def shared(
    correction: Float[np.ndarray, " G"],
    covariance: Float[np.ndarray, "G G"],
    number: Int[np.ndarray, " G"],
    usual: Float[np.ndarray, " G"],
) -> tuple[Float[np.ndarray, " G"], Float[np.ndarray, "G G"]]:
    """Return corrections as a sample about a line, all integrated, and covariance."""
    some = np.flatnonzero(number > 0)
    mean = np.where(number > 0, np.nan_to_num(correction), np.nan)
    whole = np.where(np.isfinite(covariance), covariance, 0.0)
    if len(some) < SHARED:
        whole[number == 0] = np.nan
        whole[:, number == 0] = np.nan
        return mean, whole
    given, noise = correction[some], whole[np.ix_(some, some)]
    variance = max(given.var(ddof=1), _LEAST)
    most = 3 * np.sqrt(max(variance, np.diag(noise).mean()))
    groups, scale = len(number), usual[some].std()
    line = np.ones((groups, 2))
    line[:, 1] = (usual - usual[some].mean()) / (scale if scale > 0 else 1.0)
    slope = np.diag([0.0, 1 / variance])  # precision of its prior
    logs, means, spreads = [], [], []
    for tau in most * _GRID:
        root = np.linalg.inv(noise + tau**2 * np.eye(len(some)))
        apart = line[some].T @ root
        inner = np.linalg.inv(apart @ line[some] + slope)
        weight = inner @ apart @ given
        left = given - line[some] @ weight
        reach = np.zeros((groups, len(some)))
        reach[some] = tau**2 * np.eye(len(some))
        pull = reach @ root
        expected = line @ weight + pull @ left
        far = line - pull @ line[some]
        spread = tau**2 * np.eye(groups) - pull @ reach.T + far @ inner @ far.T
        height = left @ root @ left + weight @ slope @ weight - np.log(tau)
        determinants = [np.linalg.slogdet(each)[1] for each in (root, inner)]
        logs.append((sum(determinants) - height) / 2)
        means.append(expected)
        spreads.append(spread)
    weight = special.softmax(np.array(logs))
    mean = weight @ np.array(means)
    apart = np.array(means) - mean
    inside = np.tensordot(weight, np.array(spreads), 1)
    return mean, inside + (weight * apart.T) @ apart
