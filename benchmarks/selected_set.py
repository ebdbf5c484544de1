"""Baselines that foresee which labels a held-out response names, from the others.

A response names a part of the listed labels, and perhaps labels that are not listed
(how often is counted in the other folds; which ones is not foreseen). Those who name
one label and those who name more are told apart: one label is drawn by tuned main
votes; more are drawn independently, given that they are more, at the rates of those
observed who name more, smoothed.
"""

import numpy as np
from scipy.optimize import minimize

from benchmarks.held_out import FOLDS, HeldOut, Study


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
