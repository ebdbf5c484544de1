"""Baselines that foresee a held-out response about objects, from the others.

Weights are tuned on the folds of other items.

*Main label.* A label's weight is

    main votes + b [data set's own] + g namings + a + p pi,

all else has a weight of its own, and a response is as likely as its share of the
weights. `pi` is how often the label was the main one of other items of the same class;
`attractive` multiplies each label's weight by one of its own, ridged.

*Labels named.* A response names a part of the listed labels, and perhaps labels that
are not listed (how often is counted in the other folds; not which ones). Those
who name one label and those who name more are told apart: one label is drawn by tuned
main votes; more are drawn independently, given that they are more, at the rates of
those observed who name more, smoothed.
"""

import numpy as np
from scipy.optimize import minimize

from benchmarks.held_out import FOLDS, HeldOut, Study

RIDGE = 8.0  # squared log attraction; of the same size as in the figures reproduced


def tuned_votes(given: Study, out: HeldOut):
    """Return log probabilities of the outcomes by tuned votes, folds apart."""
    return _by_fold(given, out, with_class=False, attractive=False)


def with_class(given: Study, out: HeldOut):
    """Return the same, told also what items of the class are mostly called."""
    return _by_fold(given, out, with_class=True, attractive=False)


def attractive(given: Study, out: HeldOut):
    """Return the same, every label with an attraction of its own besides."""
    return _by_fold(given, out, with_class=True, attractive=True)


def _by_fold(given: Study, out: HeldOut, *, with_class: bool, attractive: bool):
    result = np.zeros(len(out.label))
    fold = given.fold[out.item]
    of = out.of
    for held in range(FOLDS):
        train, test = out.part(fold != held), out.part(fold == held)
        parts = [
            _Weights(given, part, held, with_class=with_class) for part in (train, test)
        ]
        found = _tuned(parts[0], train, 5 if with_class else 4)
        log_weight = [np.log(part(found)) for part in parts]
        if attractive:
            beta = _attractions(log_weight[0], train, given.num_labels)
            log_weight[1] += beta[test.label]
        result[fold[of] == held] = _normalised(log_weight[1], test)
    return result


class _Weights:
    """The weights of all outcomes as a function of their parameters."""

    def __init__(
        self, given: Study, out: HeldOut, held: int, *, with_class: bool
    ) -> None:
        self.columns = [np.ones(len(out.label)), out.is_own, out.named]
        self.main, self.other = out.main, out.other
        if with_class:
            self.columns.append(_of_class(given, out, held))

    def __call__(self, weight):
        a, rest, own, named, *more = weight
        total = self.main + a * self.columns[0] + own * self.columns[1]
        total = total + named * self.columns[2]
        if more:
            total = total + more[0] * self.columns[3]
        return np.where(self.other, rest, total) + 1e-9


def _of_class(given: Study, out: HeldOut, held: int):
    """Return the mean share of main votes in other items of the class."""
    share = given.votes / given.votes.sum(1, keepdims=True)
    trained = given.fold != held
    sums = np.zeros((given.num_labels, given.num_labels))
    np.add.at(sums, given.own[trained], share[trained])
    items = np.bincount(given.own[trained], minlength=given.num_labels)
    item = out.item[out.of]
    label = np.where(out.other, 0, out.label)
    mine = trained[item]
    pi = sums[given.own[item], label] - mine * share[item, label]
    pi /= items[given.own[item]] - mine + 1.0
    return np.where(out.other, 0.0, pi)


def _tuned(weights: _Weights, out: HeldOut, number: int):
    target = np.flatnonzero(out.is_main)

    def loss(logs):
        weight = weights(np.exp(np.clip(logs, -12, 8)))
        total = np.add.reduceat(weight, out.start)
        return -(np.log(weight[target]) - np.log(total)).mean()

    options = {"maxiter": 1_500, "xatol": 1e-3, "fatol": 1e-7}
    start = np.full(number, -0.5)
    found = minimize(loss, start, method="Nelder-Mead", options=options)
    return np.exp(found.x)


def _attractions(log_weight, out: HeldOut, num_labels: int):
    """Return the log attraction of each label, and zero for all else at the end."""
    target, of = np.flatnonzero(out.is_main), out.of

    def loss(beta):
        moved = np.exp(log_weight + np.append(beta, 0.0)[out.label])
        total = np.add.reduceat(moved, out.start)
        share = moved / total[of]
        slope = np.bincount(out.label + 1, share - out.is_main, num_labels + 1)[1:]
        value = -np.log(share[target]).sum() + RIDGE * (beta**2).sum()
        return value, slope + 2 * RIDGE * beta

    found = minimize(
        loss, np.zeros(num_labels), jac=True, method="L-BFGS-B",
        options={"maxiter": 100},
    )  # fmt: skip
    return np.append(found.x, 0.0)


def _normalised(log_weight, out: HeldOut):
    best = np.maximum.reduceat(log_weight, out.start)[out.of]
    total = np.add.reduceat(np.exp(log_weight - best), out.start)[out.of]
    return log_weight - best - np.log(total)


def two_styles(given: Study, out: HeldOut):
    """Return the log probability of each held-out response, folds apart."""
    result = np.zeros(len(out.item))
    fold, size = given.fold[out.item], given.sets.size
    for held in range(FOLDS):
        train, test = (_Responses(out.part(fold == held) if at else out.part(
            fold != held), size) for at in (0, 1))  # fmt: skip
        new = train.new.mean()
        options = {"maxiter": 4_000, "xatol": 1e-3, "fatol": 1e-8}
        found = minimize(
            lambda logs, part=train, new=new: -part(logs, new).mean(),
            np.full(8, -0.3),
            method="Nelder-Mead",
            options=options,
        )
        result[fold == held] = test(found.x, new)
    return result


class _Responses:
    """Log probabilities of held-out responses as a function of eight logarithms."""

    def __init__(self, out: HeldOut, size) -> None:
        listed = ~out.other
        self.new = out.is_named[out.other]
        sizes = np.diff(np.append(out.start, len(out.label))) - 1
        self.start = np.cumsum(sizes) - sizes
        self.of = np.repeat(np.arange(len(sizes)), sizes)
        self.main, self.named, self.beside, self.own, self.says = (
            column[listed]
            for column in (
                *(out.main, out.named, out.named_beside, out.is_own, out.is_named),
            )
        )
        self.hits = np.add.reduceat(self.says.astype(int), self.start)
        self.listed = sizes
        self.seen = np.array([len(those) for those in out.seen])
        self.single = np.array([(size[those] == 1).sum() for those in out.seen])

    def __call__(self, logs, new):
        weight = np.exp(np.clip(logs, -10, 8))
        of, start = self.of, self.start
        general = (self.named + weight[1] * self.own) / self.seen[of]
        rate = self.beside + weight[0] * general + weight[2] * 0.5
        rate /= (self.seen - self.single)[of] + weight[0] + weight[2]
        rate = np.clip(rate, 1e-4, 1 - 1e-4)
        yes, no = np.log(rate), np.log1p(-rate)
        several = np.add.reduceat(np.where(self.says, yes, no), start)
        none = np.add.reduceat(no, start)
        one = np.exp(none) * np.add.reduceat(rate / (1 - rate), start)
        more = np.maximum(1 - np.exp(none) - one, 1e-12)
        votes = self.main + weight[3] + weight[4] * self.own
        share = votes / np.add.reduceat(votes, start)[of]
        alone = np.add.reduceat(np.where(self.says, np.log(share), 0.0), start)
        single = (self.single + weight[5]) / (self.seen + weight[5] + weight[6])
        single = np.where(self.listed == 1, 1.0, single)
        rest = np.log(np.maximum(1 - single, 1e-12)) + several - np.log(more)
        told = np.where(self.hits == 1, np.log(single) + alone, rest)
        told = np.where(self.hits == 0, 0.0, told)
        empty = weight[7] / (1 + weight[7])  # nothing but labels that are not listed
        beside = np.where(self.hits == 0, np.log(empty), np.log(1 - empty) + told)
        return np.where(self.new, np.log(new) + beside, np.log(1 - new) + told)
