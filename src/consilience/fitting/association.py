r"""Which labels go together: what other labels of an item say of whether one is there.

Answers about an item are fitted label by label. But a sentence that says what treats a
disease seldom says what causes it, and where there is a cat there may be a sofa. That
is learned from answers of **different annotators**: who says yes to much, says yes to
both.

Votes 0, 1/2 and 1, less the means of their label and annotator, are :math:`v`. Over the
items in which both labels *l* and *m* were asked about,

.. math::

   x_{lm} = \frac{\sum_i \sum_{a \ne b} v_{ial} v_{ibm}}{D_{lm} \sqrt{d_l d_m}},
   \qquad
   s^2_{lm} = \frac{V_l V_m}{d_l d_m} \sum_i D_{ilm}^2 / D_{lm}^2,

estimate the correlation of the labels, and its variance if they were independent, with
:math:`D_{lm}` the number of the pairs of votes, :math:`d_l` the covariance of two votes
about one label of an item, from two annotators, shrunk to that of all labels, and *V*
the variance of the mean vote about a label of an item. Correlations have a common mean
and a variance, by weighted moments, both less what chance may have made of them; each
is shrunk accordingly. **What all pairs of labels have in common is left out**: it is
also what items and annotators have in common, and says less of what is there. Two
labels alone have nothing to be compared with: there a negative correlation is kept.

With the prevalences of two labels a correlation makes a table of both (Plackett's, its
log odds ratio at most 3), and what is believed of one label moves the other by

.. math::

   \log \frac{\sum_b q_m(b)\, p(b \mid z_l = 1)}{\sum_b q_m(b)\, p(b \mid z_l = 0)
   } \quad\text{with } q_m(b) \text{ over the prevalence of } b,

summed over the other labels of the item: one message each, before any is passed on.

References
----------
Plackett (1965), A class of bivariate distributions.
DerSimonian and Laird (1986), Meta-analysis in clinical trials, for the moments.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped
from scipy.sparse import csr_array

from consilience.ragged import places_within
from consilience.truth import ContainsSpace
from consilience.when_used import xr

# Standard errors that are taken off the variance of correlations and, as in James and
# Stein's, off their mean. Where labels are independent, none of 26 simulated kinds
# loses anything with 2.5 (the worst .0037 of log-loss with 1); twelve relations gain
# .062.
CAREFUL = 2.5
MOST = 3.0  # of a log odds ratio; with 2 and 4 gains are the same within .003
SAME_LABEL, SAME_VOTES = 20, 5  # units of all labels that are added to those of each
MEAN_ANSWERS = 2  # of the mean residual, that are added to those of each annotator
LEAST_SHARE, LEAST = 0.1, 1e-3  # of the covariance of all labels; of a prevalence
CERTAIN = 1e-4  # of what is believed of another label
LEARNED_FROM, BLOCK = 3e6, 100_000  # pairs of units; those worked on at once
ROUNDS, TINY = 100, 1e-12


class Association(NamedTuple):
    """Labels, their prevalences, and the log odds ratio of pairs of them.

    A pair has the number `first * M + second` of the M labels; numbers are ascending.
    """

    labels: Shaped[np.ndarray, " M"]
    prevalence: Float[np.ndarray, " M"]
    pair: Int[np.ndarray, " K"]
    log_odds_ratio: Float[np.ndarray, " K"]

    def moved(
        self, space: ContainsSpace, present: Float[np.ndarray, " U"]
    ) -> Float[np.ndarray, " U"]:
        """Return what other labels of the item add to the log-odds of each unit."""
        total = np.zeros(space.num_units)
        if not len(self.pair):
            return total
        believed = np.clip(present, CERTAIN, 1 - CERTAIN)
        labels = pd.Index(self.labels.astype(str))
        label: Int[np.ndarray, " U"] = labels.get_indexer(space.unit_label.astype(str))
        first, second = (self.prevalence[code] for code in self._codes())
        tables = over_independent(first, second, self.log_odds_ratio)
        for units in _pairs(space, label):
            number = label[units[0]] * len(labels) + label[units[1]]
            place = np.searchsorted(self.pair, number)
            place = np.minimum(place, len(self.pair) - 1)
            linked = (self.pair[place] == number) & (label[units[0]] >= 0)
            one, other = (unit[linked] for unit in units)
            table = tables[place[linked]]
            total += np.bincount(one, _message(table, believed[other]), len(total))
            back = _message(table.mT, believed[one])
            total += np.bincount(other, back, len(total))
        return total

    def _codes(self) -> tuple[Int[np.ndarray, " K"], Int[np.ndarray, " K"]]:
        return divmod(self.pair, len(self.labels))

    def stored(self) -> xr.Dataset:
        """Return it as a group of a fit."""
        first, second = (self.labels[code] for code in self._codes())
        return xr.Dataset(
            {
                "prevalence": ("label", self.prevalence),
                "first": ("pair_of_labels", first),
                "second": ("pair_of_labels", second),
                "log_odds_ratio": ("pair_of_labels", self.log_odds_ratio),
            },
            {"label": self.labels},
        )

    @classmethod
    def restored(cls, group: xr.Dataset) -> Association:
        """Return what a fit keeps."""
        names = ("label", "prevalence", "first", "second", "log_odds_ratio")
        labels, prevalence, *both, ratio = (group[name].to_numpy() for name in names)
        first, second = (pd.Index(labels).get_indexer(pd.Index(name)) for name in both)
        return cls(labels, prevalence, first * len(labels) + second, ratio)


def learned(space: ContainsSpace, present: Float[np.ndarray, " U"]) -> Association:
    """Learn which labels go together, and their prevalences from what is believed."""
    labels, label = np.unique(space.unit_label.astype(str), return_inverse=True)
    number, mean = np.bincount(label), present.mean()
    prevalence = (np.bincount(label, present) + 2 * mean) / (number + 2)
    prevalence = np.clip(prevalence, LEAST, 1 - LEAST)
    pair, estimate, variance = _estimates(space, label, len(labels))
    correlation = shrunk(estimate, variance)
    kept = correlation != 0
    pair, correlation = pair[kept], correlation[kept]
    first, second = (prevalence[code] for code in divmod(pair, len(labels)))
    ratio = _log_odds_ratio(correlation, first, second)
    return Association(labels.astype(object), prevalence, pair, ratio)


def _pairs(
    space: ContainsSpace, label: Int[np.ndarray, " U"], most: float = np.inf
) -> Iterator[tuple[Int[np.ndarray, " B"], Int[np.ndarray, " B"]]]:
    """Give pairs of units about one item, the one of the first label first."""
    item, _ = pd.factorize(space.unit_item)
    size = np.bincount(item)
    every = int(-(-(size * (size - 1) / 2).sum() // most)) or 1
    order = np.argsort(item, kind="stable")
    order = order[item[order] % every == 0]
    size = size[::every]
    later = np.repeat(size, size) - 1 - places_within(size)
    total = np.cumsum(later)
    cuts = np.searchsorted(total, np.arange(BLOCK, total[-1], BLOCK))
    for some in np.split(np.arange(len(order)), cuts):
        left = np.repeat(some, later[some])
        right = left + 1 + places_within(later[some])
        one, other = order[left], order[right]
        turned = label[one] > label[other]
        yield np.where(turned, other, one), np.where(turned, one, other)


def _residuals(
    space: ContainsSpace, label: Int[np.ndarray, " U"], labels: int
) -> Float[np.ndarray, " N"]:
    """Return votes less what their labels and annotators have in common."""
    answers, of_label = space.n.astype(float), label[space.unit]
    vote = space.votes[space.answer][:, 1]

    def centred(vote: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
        number = np.maximum(np.bincount(of_label, answers, labels), 1)
        return vote - (np.bincount(of_label, vote * answers, labels) / number)[of_label]

    vote, who, people = centred(vote), space.annotator, space.num_annotators
    number = np.bincount(who, answers, people) + MEAN_ANSWERS
    habit = np.bincount(who, vote * answers, people) / number
    return centred(vote - np.where(space.identified, habit, 0)[who])


def _estimates(
    space: ContainsSpace, label: Int[np.ndarray, " U"], labels: int
) -> tuple[Int[np.ndarray, " K"], Float[np.ndarray, " K"], Float[np.ndarray, " K"]]:
    """Return pairs of labels, their correlations, and the variance of these."""
    nothing = np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
    units, answers = space.num_units, space.n.astype(float)
    vote = _residuals(space, label, labels) * answers
    total, number = (np.bincount(space.unit, of, units) for of in (vote, answers))
    same = np.bincount(space.unit, vote**2 / answers, units)
    agreeing, ways = total**2 - same, number * (number - 1)
    if agreeing.sum() <= 0 or ways.sum() <= 0:
        return nothing
    level = agreeing.sum() / ways.sum()
    more = SAME_LABEL * ways.sum() / (number > 1).sum()
    within = np.bincount(label, agreeing, labels) + more * level
    within /= np.bincount(label, ways, labels) + more
    within = np.maximum(within, LEAST_SHARE * level)
    squares = (total / np.maximum(number, 1)) ** 2
    spread = np.bincount(label, squares, labels) + SAME_VOTES * squares.mean()
    spread /= np.bincount(label, minlength=labels) + SAME_VOTES
    shape = (units, space.num_annotators)
    votes, given = (
        csr_array((of, (space.unit, space.annotator)), shape=shape)
        for of in (vote, answers)
    )
    sums = []
    for one, other in _pairs(space, label, LEARNED_FROM):
        alike = votes[one].multiply(votes[other]).sum(1)
        both = given[one].multiply(given[other]).sum(1)
        together = total[one] * total[other] - alike
        ways = number[one] * number[other] - both
        pair = label[one].astype(np.int64) * labels + label[other]
        sums.append(_by_pair(pair, np.stack([together, ways, ways**2])))
    pair, (together, ways, squared) = _by_pair(
        np.concatenate([pair for pair, _ in sums]),
        np.concatenate([each for _, each in sums], 1),
    )
    some = ways > 0
    pair, ways = pair[some], ways[some]
    first, second = divmod(pair, labels)
    scale = within[first] * within[second]
    variance = squared[some] / ways**2 * spread[first] * spread[second] / scale
    return pair, together[some] / ways / np.sqrt(scale), variance


def _by_pair(
    pair: Int[np.ndarray, " B"], values: Float[np.ndarray, "3 B"]
) -> tuple[Int[np.ndarray, " K"], Float[np.ndarray, "3 K"]]:
    kinds, place = np.unique(pair, return_inverse=True)
    summed = np.zeros((3, len(kinds)))
    for row, of in enumerate(values):
        summed[row] = np.bincount(place, of, len(kinds))
    return kinds, summed


def shrunk(
    estimate: Float[np.ndarray, " K"], variance: Float[np.ndarray, " K"]
) -> Float[np.ndarray, " K"]:
    """Return how far each correlation is from the mean, as far as that is sure."""
    if not len(estimate):
        return estimate
    between = 0.01 if len(estimate) > 2 else 0.0
    for _ in range(ROUNDS):
        weight = 1 / (variance + between)
        mean = np.average(estimate, weights=weight)
        if not between:
            break
        squared = (weight**2).sum()
        excess = (weight**2 * ((estimate - mean) ** 2 - variance)).sum() / squared
        error = np.sqrt(2 * (weight**2).sum()) / squared
        between = (between + max(excess - CAREFUL * error, 0.0)) / 2
        between *= between > TINY
    error = CAREFUL / np.sqrt(weight.sum())
    mean *= max(0.0, 1 - error**2 / max(mean**2, TINY))
    if len(estimate) <= 2:
        return np.full(len(estimate), min(mean, 0.0))
    return between / (between + variance) * (estimate - mean)


def _log_odds_ratio(
    correlation: Float[np.ndarray, " K"],
    first: Float[np.ndarray, " K"],
    second: Float[np.ndarray, " K"],
) -> Float[np.ndarray, " K"]:
    """Return that of the table with such margins and correlation, or the nearest."""
    both = first * second
    both += correlation * np.sqrt(both * (1 - first) * (1 - second))
    least, most = np.maximum(first + second - 1, 0), np.minimum(first, second)
    both = np.clip(both, least + TINY, most - TINY)
    ratio = both * (1 - first - second + both) / ((first - both) * (second - both))
    return np.clip(np.log(ratio), -MOST, MOST)


def over_independent(
    first: Float[np.ndarray, " K"],
    second: Float[np.ndarray, " K"],
    log_odds_ratio: Float[np.ndarray, " K"],
) -> Float[np.ndarray, "K 2 2"]:
    """Return Plackett's tables of two labels over those of independent labels."""
    odds = np.exp(log_odds_ratio)
    level = 1 + (first + second) * (odds - 1)
    root = np.sqrt(level**2 - 4 * odds * (odds - 1) * first * second)
    both = 2 * odds * first * second / (level + root)
    cells = [1 - first - second + both, second - both, first - both, both]
    tables = np.stack(cells, -1).reshape(-1, 2, 2)
    margins = (np.stack([1 - share, share], -1) for share in (first, second))
    one, other = margins
    return tables / (one[:, :, None] * other[:, None])


def _message(
    table: Float[np.ndarray, "B 2 2"], believed: Float[np.ndarray, " B"]
) -> Float[np.ndarray, " B"]:
    """Return what belief in one label adds to the log-odds of the other."""
    absent, present = (table @ np.stack([1 - believed, believed], 1)[..., None])[
        ..., 0
    ].T
    return np.log(present / absent)
