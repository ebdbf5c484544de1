"""Pairs of annotators that may be samples of one language model, as their names say.

Names such as *gpt-x* and *gpt-x#2*, *llama run 1* and *llama run 2* propose a pair. Its
answers to the same units decide: how often they are equal, less how often those of
independent annotators with the same confusions would be, given the posterior of the
truth. What these two have in common with all others, such as difficult items, is no
sign of a pair: the same difference, of each of the two with the others on the same
units, is taken off. p-values are adjusted for the number of pairs (Bonferroni).

The cost is linear in the answers: an annotator is in at most `MAX_SAMPLES` pairs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from statistics import NormalDist

import numpy as np
from jaxtyping import Float, Int

from consilience.when_used import xr

LEVEL = 0.01
FAR_MORE = 0.1  # equal answers beyond what is expected, as a share
MIN_SHARED = 20  # units; of fewer, the standard error is not known
# More of one name than a model has samples are people whose names are numbers.
MAX_SAMPLES, MAX_ANNOTATORS, MAX_CELLS = 20, 2_000, 10_000
PSEUDO_ANSWERS = 4.0  # of all annotators, in a row of a confusion
_ENDING = re.compile(
    r"[\W_]*(?:(?:run|sample|copy|seed|try|rep)[\W_]*)?\d+\W*$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class SamplePair:
    """Two annotators who may be one: how often they agree, and should."""

    one: str
    other: str
    shared: int
    agreement: float
    expected: float
    z: float

    def sentence(self) -> str:
        """Name the pair and its agreement."""
        return (
            f"{self.one!r} and {self.other!r} agree in {self.agreement:.0%} of their "
            f"{self.shared:,} common answers, and independent annotators would in "
            f"{self.expected:.0%}"
        )


def sample_pairs(data: xr.DataTree) -> list[SamplePair]:
    """Return pairs that by name and answers are samples of one, the clearest first."""
    kind = data.attrs.get("kind")
    if kind not in ("choice", "contains") or "observed_data" not in data.children:
        return []
    constant = data["constant_data"]
    if "candidate_class" not in constant:  # a fit of classes
        return []
    identified = constant["annotator_identified"].to_numpy().astype(bool)
    names = list(map(str, constant["annotator"].to_numpy()))
    proposed = pairs_by_name(
        [n for n, real in zip(names, identified, strict=True) if real]
    )
    cells = constant.sizes["true_class"] * constant.sizes["given_class"]
    if not proposed or cells > MAX_CELLS:
        return []
    answers = _Answers(data)
    figures_of_pairs = [
        answers.pair(names.index(a), names.index(b)) for a, b in proposed
    ]
    limit = NormalDist().inv_cdf(1 - LEVEL / len(proposed))
    pairs = [
        SamplePair(one, other, *figures)
        for (one, other), figures in zip(proposed, figures_of_pairs, strict=True)
        if figures is not None and figures[-1] > limit
    ]
    return sorted(pairs, key=lambda pair: -pair.z)


def pairs_by_name(names: list[str]) -> list[tuple[str, str]]:
    """Return the pairs of names that differ only in the number of a sample.

    An ending that all names have says nothing.
    """
    if len(names) > MAX_ANNOTATORS:
        return []
    groups: dict[str, list[str]] = {}
    for name in names:
        for stem in dict.fromkeys((name, _ENDING.sub("", name))):
            groups.setdefault(stem.casefold(), []).append(name)
    return list(
        dict.fromkeys(
            pair
            for stem, group in groups.items()
            if stem and len(group) <= MAX_SAMPLES and len(group) < len(names)
            for pair in combinations(group, 2)
        )
    )


class _Answers:
    """The answers of a fit, by annotator, and what its posterior says of them."""

    def __init__(self, data: xr.DataTree) -> None:
        observed, constant = data["observed_data"], data["constant_data"]
        self.unit, who, self.answer = (
            observed[name].to_numpy().astype(np.int64)
            for name in ("item", "annotator", "answer")
        )
        truth = data["truth"]["probability"].transpose("item", "candidate")
        self.truth = np.nan_to_num(truth.to_numpy())
        listed = constant["candidate_class"]
        axes = [axis for axis in ("item", "candidate") if axis in listed.dims]
        code = np.atleast_2d(listed.transpose(*axes).to_numpy()).astype(np.int64)
        self.state = np.broadcast_to(np.maximum(code, 0), self.truth.shape)
        self.shape = constant.sizes["true_class"], constant.sizes["given_class"]
        order = np.lexsort((self.unit, who))
        self.rows = np.split(
            order, np.searchsorted(who[order], np.arange(1, who.max() + 1))
        )
        cell = self.unit * self.shape[1] + self.answer
        _, at, number = np.unique(cell, return_inverse=True, return_counts=True)
        self.same = number[at]
        self.total = np.bincount(self.unit, minlength=len(self.truth))
        counts = self._counts(np.arange(len(self.unit)))
        self.usual = (counts + 1 / counts.shape[1]) / (counts.sum(1, keepdims=True) + 1)
        self.confusion = cache(self._confusion)

    def _counts(self, rows: Int[np.ndarray, " R"]) -> Float[np.ndarray, "K L"]:
        counts = np.zeros(self.shape)
        for slot in range(self.truth.shape[1]):
            unit = self.unit[rows]
            at = self.state[unit, slot] * self.shape[1] + self.answer[rows]
            weight = np.bincount(at, self.truth[unit, slot], counts.size)
            counts += weight.reshape(self.shape)
        return counts

    def _confusion(self, annotator: int) -> Float[np.ndarray, "K L"]:
        counts = self._counts(self.rows[annotator]) + PSEUDO_ANSWERS * self.usual
        return counts / counts.sum(1, keepdims=True)

    def pair(self, one: int, other: int) -> tuple[int, float, float, float] | None:
        """Return shared units, agreement, that expected, and z; None: too few units."""
        first, second = self.rows[one], self.rows[other]
        units, at, at_other = np.intersect1d(
            self.unit[first], self.unit[second], return_indices=True
        )
        first, second = first[at], second[at_other]
        if len(units) < MIN_SHARED:
            return None
        truth, state = self.truth[units], self.state[units]
        equal = self.answer[first] == self.answer[second]
        by_state = (self.confusion(one) * self.confusion(other)).sum(1)
        expected = (truth * by_state[state]).sum(1)
        others = self.total[units] - 2
        common = np.zeros(len(units))
        for row in (first, second):
            share = (self.same[row] - 1 - equal) / np.maximum(others, 1)
            usual = (truth * self.usual[state, self.answer[row][:, None]]).sum(1)
            common += np.where(others > 0, share - usual, 0.0) / 2
        beyond = equal - expected - common
        error = beyond.std(ddof=1) / np.sqrt(len(units))
        z = beyond.mean() / error if beyond.mean() > FAR_MORE and error > 0 else 0.0
        return len(units), float(equal.mean()), float(expected.mean()), float(z)
