r"""Annotators of whom one copies another, found before any model is fitted.

Of a pair with common items, a share c of the answers is copied, by either from the
other. Given the class g of the item,

.. math::

   p(y_a, y_b \mid g) = c\, [y_a = y_b]\, (\theta_{a g y_a} + \theta_{b g y_b}) / 2
   + (1 - c)\, \theta_{a g y_a} \theta_{b g y_b},

with the class summed out and the rows :math:`\theta` of the two at their mode for each
c. Who agree because both are right, or both see what others do not, are no copies. So
independence has two chances to explain the pair. The classes are the labels, as a fit
to all believes them without these two, whose rows are near those of all; or they are
the subtypes of labels that all others show, and the two are as they like. The smaller
of both probabilities of c above zero counts.

A pair is **one** where more than :data:`MOSTLY` of its answers are copied. A priori one
annotator in twenty copies one other; c is uniform. Pairs to look at are those that
agree more than all pairs do beyond what the truth explains.

Of a pair that is one, the annotator who answered later, or else, where no times are
known, who gave fewer answers, loses those that it copied.
An answer was copied with the probability above, given c; as many as that is on average
are left out, spread over all such probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_array, triu

from consilience.annotators import fittable
from consilience.inference import EngineOptions, Result, run
from consilience.model import HostModel, Model, logarithms, thin
from consilience.posterior.stored import ALIKE
from consilience.progress import silent
from consilience.truth import Space
from consilience.truth.coding import some_answers, some_units
from consilience.when_used import special

# Of twenty public sets, one pair is left (95 of 95 answers equal, where 80 are to be
# expected); without the subtypes, six experts would count as one. In 40 simulated
# studies of 15 annotators with 60 answers, one of whom copies another, it is found 40
# times (all answers copied), 39 (.95), 35 (.9) and 30 (.8); in 386 without one: never.
MOSTLY = 0.6
RARE = 0.05  # share of annotators who copy, a priori
SHARED = 10  # items that a pair must share
PAIRS = 10  # that are looked at, those that agree the most beyond what is expected
IMAGINED = 2.0  # answers in each row
SHARES = (np.arange(20) + 0.5) / 20  # c
STEPS, STILL = 100, 1e-3  # of a pair's rows for each c; nats
TRACE = 0.01  # items of a subtype that is worth a row
# Cells of all confusions, beyond which nothing is looked for: 50 annotators and 140
# labels. Pairs of answers that are compared; others are left out by item, at random.
MAX_CELLS, MAX_PAIRS = 2**20, 2**22
# Answers that subtypes are learned from, those to a pair's common items first.
MAX_ANSWERS = 50_000


@dataclass(frozen=True, slots=True)
class Copy:
    """An annotator who copies another, and what shows it."""

    annotator: str
    copy_of: str
    probability: float
    share: float
    common: int
    same: int
    expected: float
    left_out: int
    later: bool = False

    def sentence(self) -> str:
        """Say what shows it, what becomes of it, and how to change that."""
        name = self.annotator
        one = (
            f"so the two count as one, and {self.left_out:,} answers of {name} are "
            'left out as copied (`copies="keep"` counts them)'
            if self.left_out
            else 'both count (`copies="keep"`)'
        )
        return (
            f"{name} answers like {self.copy_of}{', later' * self.later} "
            f"(probability {self.probability:.2f}): {self.same:,} "
            f"of {self.common:,} common answers are the same, and {self.expected:.0f} "
            f"were to be expected; {one}. To declare it, fit with "
            '`annotators="people.csv"`, a table of two lines: annotator,repeat_of and '
            f"{name},{self.copy_of}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """Who copies whom in a space, and which of its answers count."""

    of: tuple[Copy, ...]
    kept: Bool[np.ndarray, " N"]


def find_copies(
    space: Space, *, keep: bool, times: Callable[[], pd.DataFrame | None] | None = None
) -> Copies | None:
    """Return who copies whom; None where labels and annotators are too many to tell.

    `times` returns columns item, annotator and when, of answers whose time is known.
    """
    cells = space.num_annotators * len(space.states) * len(space.answers)
    if cells > MAX_CELLS:
        return None
    kept, pairs = np.ones(len(space.unit), bool), []
    first, second, both, same = _sharing(space)
    if not len(first):
        return Copies((), kept)
    quick = _Quick.fit(space)
    number = np.bincount(space.annotator, space.n, space.num_annotators)
    for place, chance in quick.suspects(first, second, both, same):
        pair = int(first[place]), int(second[place])
        source, who = sorted(pair, key=lambda each: (-number[each], each))
        names = tuple(str(space.annotators[each]) for each in (source, who))
        when = None if times is None else times()
        later = 0.5 if when is None else _later(when, *names)
        if later <= 1 - ALIKE:
            source, who = who, source
        rows = _common(space, source, who)
        judged = quick.judged(source, who, rows)
        if (probability := judged.copies * judged.mostly) <= ALIKE:
            continue
        equal = int((space.answer[rows[0]] == space.answer[rows[1]]).sum())
        copied = np.where(kept[rows[1]] & (not keep), judged.copied, 0.0)
        left = rows[1][_spread_evenly(copied)]
        kept[left] = False
        pairs.append(
            Copy(
                annotator=str(space.annotators[who]),
                copy_of=str(space.annotators[source]),
                probability=probability,
                share=judged.share,
                common=len(rows[0]),
                same=equal,
                expected=chance * len(rows[0]),
                left_out=int(space.n[left].sum()),
                later=abs(later - 0.5) >= ALIKE - 0.5,
            )
        )
    return Copies(tuple(pairs), kept)


def _later(times: pd.DataFrame, source: str, who: str) -> float:
    """Return the share of common items that the other answered later; half if none."""
    first, second = (
        times[times["annotator"] == name].drop_duplicates("item").set_index("item")
        for name in (source, who)
    )
    gap = (second["when"] - first["when"]).dropna().dt.total_seconds()
    return float((np.sign(gap) / 2 + 0.5).mean()) if len(gap) else 0.5


def _spread_evenly(chance: Float[np.ndarray, " n"]) -> Int[np.ndarray, " m"]:
    """Return as many places as there are on average, even over their chances."""
    order = np.argsort(chance, kind="stable")
    whole = np.floor(chance[order].cumsum() + 0.5)
    return order[np.diff(whole, prepend=0.0) > 0]


def _common(
    space: Space, first: int, second: int
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """Return the answers of two to the units that both answered."""
    one, other = (np.flatnonzero(space.annotator == who) for who in (first, second))
    at = np.intersect1d(space.unit[one], space.unit[other], return_indices=True)[1:]
    return one[at[0]], other[at[1]]


def _sharing(
    space: Space,
) -> tuple[Int[np.ndarray, " P"], Int[np.ndarray, " P"], Any, Float[np.ndarray, " P"]]:
    """Return the pairs that share enough, which units each shares, and equal answers.

    Where answers are too many, of some units at random.
    """
    number = np.bincount(space.unit, minlength=space.num_units).astype(float)
    order = np.random.default_rng(0).permutation(space.num_units)
    looked = np.zeros(space.num_units, bool)
    looked[order[np.square(number[order]).cumsum() <= 2 * MAX_PAIRS]] = True
    rows = looked[space.unit] & space.identified[space.annotator]
    who, unit, answer = space.annotator[rows], space.unit[rows], space.answer[rows]
    size = len(space.answers)
    answered, given = (
        csr_array(
            (np.ones(len(who)), (who, column)), (space.num_annotators, columns)
        ).minimum(1.0)
        for column, columns in (
            (unit, space.num_units),
            (unit.astype(np.int64) * size + answer, space.num_units * size),
        )
    )
    shared = triu(answered @ answered.T, 1).tocoo()
    enough = shared.data >= SHARED
    first, second = shared.row[enough], shared.col[enough]
    both = answered[first] * answered[second]
    return first, second, both, (given[first] * given[second]).sum(1)


class _Judged(NamedTuple):
    copies: float
    mostly: float
    share: float
    copied: Float[np.ndarray, " n"]


@dataclass(frozen=True, slots=True, eq=False)
class _Quick:
    """What a quick fit believes: of each label (U, K), and of the confusions."""

    space: Space
    belief: Any
    rows: Float[np.ndarray, "J K L"]
    prior_odds: float

    @classmethod
    def fit(cls, space: Space) -> _Quick:
        """Fit the hierarchical model from one start."""
        result = _fitted(fittable("hierarchical_dawid_skene"), space)
        rows = np.maximum(np.asarray(result.parameters["confusion"])[0, 0], 1e-9)
        state = np.broadcast_to(space.state, result.belief.shape)
        belief = _by_class(result.belief, state, len(space.states))
        rare = special.logit(2 * RARE / max(space.num_annotators - 1, 2))
        return cls(space, belief, rows, float(rare))

    def suspects(
        self,
        first: Int[np.ndarray, " P"],
        second: Int[np.ndarray, " P"],
        both: Any,
        same: Float[np.ndarray, " P"],
    ) -> list[tuple[int, float]]:
        """Return the pairs that agree more than all do, and how often they should."""
        agree = np.stack(
            [(row[first] * row[second]).sum(1) for row in self.rows.swapaxes(0, 1)], 1
        )
        shared = both.sum(1)
        expected = ((both @ self.belief).toarray() * agree).sum(1)
        beyond = (same - expected).sum() / max((shared - expected).sum(), 1e-9)
        chance = expected / shared
        chance += np.clip(beyond, 0.0, 0.9) * (1 - chance)
        chance = np.clip(chance, 1e-9, 1 - 1e-9)
        share = np.append(0.0, SHARES)[:, None]
        score = same * np.log(share + (1 - share) * chance)
        score += (shared - same) * np.log((1 - share) * (1 - chance))
        gain = special.logsumexp(score[1:], 0) - np.log(len(SHARES)) - score[0]
        order = np.argsort(-gain, kind="stable")[:PAIRS]
        enough = gain[order] + self.prior_odds > special.logit(ALIKE)
        order = order[enough]
        return list(zip(order.tolist(), chance[order].tolist(), strict=True))

    def judged(
        self,
        first: int,
        second: int,
        rows: tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]],
    ) -> _Judged:
        """Judge a pair by labels and by subtypes: the less sure of both."""
        space, units = self.space, self.space.unit[rows[0]]
        answers = [space.answer[each] for each in rows]
        by_label = self.belief[units].toarray()
        for who, given in zip((first, second), answers, strict=True):
            by_label /= self.rows[who][:, given].T
        by_label /= by_label.sum(1, keepdims=True)
        like_all = [IMAGINED * self.rows.mean(0)] * 2
        by_subtype = self._subtypes(first, second, units)
        usual = [
            (each + 0.5 / len(each)) / (each.sum() + 0.5)
            for each in (
                np.bincount(given, minlength=len(space.answers)) for given in answers
            )
        ]
        as_they_like = [
            np.tile(IMAGINED * each, (by_subtype.shape[1], 1)) for each in usual
        ]
        judged = [
            _judge(by_label, answers, like_all, self.prior_odds),
            _judge(by_subtype, answers, as_they_like, self.prior_odds),
        ]
        return judged[1]._replace(copies=min(each.copies for each in judged))

    def _subtypes(
        self, first: int, second: int, units: Int[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n M"]:
        """Return the subtypes of units, by a fit without two annotators."""
        space = self.space
        rest = np.setdiff1d(np.arange(space.num_units), units)
        number = min(len(rest) * MAX_ANSWERS // len(space.unit), len(rest))
        even = np.linspace(0, max(len(rest) - 1, 0), number).astype(int)
        part = np.sort(np.append(units, rest[even]))
        others = some_units(space, part)
        others = some_answers(others, ~np.isin(others.annotator, [first, second]))
        model = fittable("ebcc")
        host, result = HostModel(model, others), _fitted(model, others)
        logs = logarithms(next(thin(result.parameters, 1)), host.closed)
        believed = host.posterior(logs)[1][np.searchsorted(part, units)]
        state = np.broadcast_to(space.state, (space.num_units, space.state.shape[1]))
        split = believed.shape[1] // state.shape[1]
        finer = state[units][:, :, None] * split + np.arange(split)
        dense = _by_class(
            believed, finer.reshape(len(units), -1), len(space.states) * split
        )
        by_subtype = dense[:, dense.sum(0) > TRACE].toarray()
        return by_subtype / by_subtype.sum(1, keepdims=True)


def _fitted(model: Model[Any], space: Space) -> Result:
    return run(model, space, "vb", 0, EngineOptions(draws=0, restarts=1), silent)


def _by_class(
    belief: Float[np.ndarray, "n S"], state: Int[np.ndarray, "n S"], number: int
) -> Any:
    """Return what is believed of units with a column for each class."""
    unit = np.repeat(np.arange(len(state)), state.shape[1])
    return csr_array((belief.ravel(), (unit, state.ravel())), (len(state), number))


def _judge(
    belief: Float[np.ndarray, "n M"],
    answers: list[Int[np.ndarray, " n"]],
    imagined: list[Float[np.ndarray, "M L"]],
    prior_odds: float,
) -> _Judged:
    """Weigh a share of copied answers against none."""
    explained = list(_explained(belief, answers, imagined))
    score = np.array([each[0] for each in explained])
    gain = special.logsumexp(score[1:]) - np.log(len(SHARES)) - score[0]
    weight = special.softmax(score[1:])
    return _Judged(
        copies=float(special.expit(gain + prior_odds)),
        mostly=float(weight[SHARES > MOSTLY].sum()),
        share=float(weight @ SHARES),
        copied=weight @ np.stack([each[1] for each in explained[1:]]),
    )


def _explained(
    belief: Float[np.ndarray, "n M"],
    answers: list[Int[np.ndarray, " n"]],
    imagined: list[Float[np.ndarray, "M L"]],
) -> Iterator[tuple[float, Float[np.ndarray, " n"]]]:
    """Give for each share, zero first: log density, and P(copied) of each answer."""
    same = (answers[0] == answers[1])[:, None]
    weights = [belief, belief]
    for share in (0.0, *SHARES):
        last = -np.inf
        for _ in range(STEPS):
            table = [
                prior + weight.T @ np.eye(prior.shape[1])[given]
                for prior, weight, given in zip(imagined, weights, answers, strict=True)
            ]
            table = [counts / counts.sum(1, keepdims=True) for counts in table]
            like = [
                rows[:, given].T for rows, given in zip(table, answers, strict=True)
            ]
            either = like[0] + like[1]
            copied = np.where(same, share * belief * either / 2, 0.0)
            alone = (1 - share) * belief * like[0] * like[1]
            whole = (copied + alone).sum(1, keepdims=True)
            weights = [(alone + copied * each / either) / whole for each in like]
            score = float(np.log(whole).sum())
            score += sum(
                (prior * np.log(rows)).sum()
                for prior, rows in zip(imagined, table, strict=True)
            )
            if score - last < STILL:
                break
            last = score
        yield score, (copied / whole).sum(1)
