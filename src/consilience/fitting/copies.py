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
of both probabilities counts.

A pair is **one** where more than :data:`MOSTLY` of its answers are copied. A priori one
annotator in twenty copies one other; c is uniform. Pairs to look at are those that
agree more than all pairs do beyond what the truth explains.

Of a pair that is one, the annotator whose answers hold less information loses those
that it copied. An answer was copied with the probability above, given c; as many as
that is on average are left out, spread over all such probabilities.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from consilience.annotators import fittable
from consilience.checks.independence import ALIKE
from consilience.inference import EngineOptions, run
from consilience.model import HostModel, logarithms, thin
from consilience.progress import silent
from consilience.truth import Space
from consilience.truth.coding import some_answers, some_units
from consilience.when_used import special

# Of twenty public sets, one pair is left (95 of 95 answers equal, where 77 are to be
# expected). At half instead of .6, two of the ducks' experts would be as well; without
# the subtypes, six of these experts would be one, and the accuracy of the labels .55
# instead of .97. In 20 simulated studies each of 15 annotators, of whom one copies a
# share of 60 answers, it is found 20 times (1), 20 (.95), 18 (.9) and 12 (.8); in 266
# without a copy, among them two experts right .99 of the time in a weak crowd: never.
MOSTLY = 0.6
RARE = 0.05  # share of annotators who copy, a priori
SHARED = 10  # items that a pair must share
PAIRS = 10  # that are looked at, those that agree the most
IMAGINED = 2.0  # answers in each row
SHARES = (np.arange(20) + 0.5) / 20  # c
STEPS, STILL = 100, 1e-3  # of a pair's rows for each c; nats
TRACE = 0.01  # items of a class that is worth a row
# Cells of all confusions, beyond which nothing is looked for: 50 annotators and 140
# labels. Pairs of answers held at once; others are drawn by item.
MAX_CELLS, MAX_PAIRS = 2**20, 2**22
# Answers that subtypes are learned from; a pair's common items are among them.
MAX_ANSWERS = 50_000


@dataclass(frozen=True, slots=True)
class Copy:
    """An annotator who copies another, and what shows it."""

    annotator: str
    copy_of: str
    sure: float
    share: float
    common: int
    same: int
    expected: float
    left_out: int

    def sentence(self) -> str:
        """Say what shows it, what becomes of it, and how to change that."""
        row = f"{self.annotator},{self.copy_of}"
        one = (
            f"so the two count as one: {self.left_out:,} answers of {self.annotator} are "
            'left out as copied (`copies="keep"` counts them)'
            if self.left_out
            else 'both count (`copies="keep"`)'
        )
        return (
            f"{self.annotator} answers like {self.copy_of} (sure {self.sure:.2f}): "
            f"{self.same:,} of {self.common:,} common answers are the same, and "
            f"{self.expected:.0f} were to be expected; {one}. To declare it, fit with "
            f'`annotators="people.csv"`, a table of two lines: annotator,repeat_of and '
            f"{row}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """Who copies whom in a space, and which of its answers count."""

    of: tuple[Copy, ...]
    kept: Bool[np.ndarray, " N"]

    def as_kept(self) -> list[dict[str, Any]]:
        """Return who copies whom as a fit keeps it."""
        return [asdict(copy) for copy in self.of]


class _Pair(NamedTuple):
    sure: float
    share: float
    expected: float
    copied: Float[np.ndarray, " n"]


def find_copies(space: Space, *, keep: bool) -> Copies | None:
    """Return who copies whom; None where labels and annotators are too many to tell."""
    cells = space.num_annotators * len(space.states) * len(space.answers)
    if cells > MAX_CELLS or not space.identified.any():
        return None
    kept = np.ones(len(space.unit), bool)
    one, other = _pairs_of_answers(space)
    if not len(one):
        return Copies((), kept)
    quick = _Quick.fit(space)
    weight = quick.information * np.bincount(
        space.annotator, space.n, space.num_annotators
    )
    copied, source = np.zeros(len(space.unit)), np.full(len(space.unit), -1)
    found = []
    for two in quick.suspects(one, other):
        # Of two with as much information, the first keeps its answers.
        first, second = sorted(two, key=lambda who: (-weight[who], who))
        rows = _common(space, first, second)
        pair = quick.judged(first, second, rows)
        if pair.sure <= ALIKE:
            continue
        same = space.answer[rows[0]] == space.answer[rows[1]]
        found.append((first, second, pair, len(same), int(same.sum())))
        more = pair.copied > copied[rows[1]]
        copied[rows[1][more]], source[rows[1][more]] = pair.copied[more], first
    if not keep:
        for who in {second for _, second, *_ in found}:
            kept[_left_out(copied, np.flatnonzero(space.annotator == who))] = False
    return Copies(
        tuple(
            Copy(
                annotator=str(space.annotators[second]),
                copy_of=str(space.annotators[first]),
                sure=pair.sure,
                share=pair.share,
                common=common,
                same=same,
                expected=pair.expected,
                left_out=int(
                    space.n[
                        ~kept & (space.annotator == second) & (source == first)
                    ].sum()
                ),
            )
            for first, second, pair, common, same in found
        ),
        kept,
    )


def _left_out(
    copied: Float[np.ndarray, " N"], rows: Int[np.ndarray, " R"]
) -> Int[np.ndarray, " O"]:
    """Return as many rows as were copied on average, even over the probabilities."""
    rows = rows[np.argsort(copied[rows], kind="stable")]
    whole = np.floor(copied[rows].cumsum() + 0.5)
    left: Int[np.ndarray, " O"] = rows[np.diff(whole, prepend=0.0) > 0]
    return left


def _common(
    space: Space, first: int, second: int
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """Return the answers of two to the units that both answered."""
    whose = [np.flatnonzero(space.annotator == who) for who in (first, second)]
    units = (space.unit[rows] for rows in whose)
    _, *at = np.intersect1d(*units, return_indices=True)
    return whose[0][at[0]], whose[1][at[1]]


def _pairs_of_answers(
    space: Space,
) -> tuple[Int[np.ndarray, " P"], Int[np.ndarray, " P"]]:
    """Return two answers to one unit, of all pairs of annotators who share enough.

    Where they are too many, those of some units at random.
    """
    rows = np.flatnonzero(space.identified[space.annotator])
    number = np.bincount(space.unit[rows], minlength=space.num_units)
    start = number.cumsum() - number
    of_units = number * (number - 1) // 2
    units = np.random.default_rng(0).permutation(space.num_units)
    enough = of_units[units].cumsum() * space.state.shape[1] <= MAX_PAIRS
    units = units[enough & (of_units[units] > 0)]
    first, second = [np.zeros(0, int)], [np.zeros(0, int)]
    for size in np.unique(number[units]):
        places = start[units[number[units] == size]]
        for part, place in zip((first, second), np.triu_indices(size, 1), strict=True):
            part.append((places[:, None] + place).ravel())
    one, other = rows[np.concatenate(first)], rows[np.concatenate(second)]
    who = np.sort(space.annotator[[one, other]].astype(np.int64), axis=0)
    _, pair, shared = np.unique(
        who[0] * space.num_annotators + who[1], return_inverse=True, return_counts=True
    )
    kept = (who[0] != who[1]) & (shared[pair] >= SHARED)
    return one[kept], other[kept]


@dataclass(frozen=True, slots=True, eq=False)
class _Quick:
    """What a quick fit believes of the truth and of annotators."""

    space: Space
    state: Int[np.ndarray, "U S"]
    belief: Float[np.ndarray, "U S"]
    rows: Float[np.ndarray, "J K L"]
    information: Float[np.ndarray, " J"]
    counts: Float[np.ndarray, "J K L"]
    prior_odds: float

    @classmethod
    def fit(cls, space: Space) -> _Quick:
        """Fit the hierarchical model from one start."""
        result = _quick(space, "hierarchical_dawid_skene")[1]
        state = np.broadcast_to(space.state, result.belief.shape)
        rows = np.maximum(np.asarray(result.parameters["confusion"])[0, 0], 1e-9)
        prevalence = np.bincount(
            state.ravel(), result.belief.ravel(), len(space.states)
        ) / len(state)
        overall = np.einsum("k,jkl->jl", prevalence, rows)[:, None]
        information = np.einsum(
            "k,jkl,jkl->j", prevalence, rows, np.log(rows / overall)
        )
        counts = np.zeros(rows.shape)
        for slot in range(state.shape[1]):
            at = space.annotator, state[space.unit, slot], space.answer
            np.add.at(counts, at, result.belief[space.unit, slot])
        rare = special.logit(2 * RARE / max(space.num_annotators - 1, 2))
        return cls(space, state, result.belief, rows, information, counts, float(rare))

    def without(
        self, one: Int[np.ndarray, " P"], other: Int[np.ndarray, " P"]
    ) -> Float[np.ndarray, "P S"]:
        """Return what is believed of the units of two answers without these."""
        space, unit = self.space, self.space.unit[one]
        belief = self.belief[unit].copy()
        for row in (one, other):
            cell = space.annotator[row][:, None], self.state[unit]
            belief /= self.rows[(*cell, space.answer[row][:, None])]
        belief /= belief.sum(1, keepdims=True)
        return belief

    def suspects(
        self, one: Int[np.ndarray, " P"], other: Int[np.ndarray, " P"]
    ) -> list[tuple[int, int]]:
        """Return the pairs that agree more than all do, the most striking first."""
        space, people = self.space, self.space.num_annotators
        who = np.sort(space.annotator[[one, other]].astype(np.int64), axis=0)
        code, pair = np.unique(who[0] * people + who[1], return_inverse=True)
        first, second = np.divmod(code, people)
        agree = np.einsum("pkl,pkl->pk", self.rows[first], self.rows[second])
        chance = np.einsum(
            "ps,ps->p",
            self.without(one, other),
            agree[pair[:, None], self.state[space.unit[one]]],
        )
        same = space.answer[one] == space.answer[other]
        beyond = (same - chance).sum() / max((1 - chance).sum(), 1e-9)
        chance += np.clip(beyond, 0.0, 0.9) * (1 - chance)
        chance = np.clip(chance, 1e-9, 1 - 1e-9)

        def explained(share: float) -> Float[np.ndarray, " A"]:
            whole = share + (1 - share) * chance
            return np.bincount(pair, np.log(np.where(same, whole, 1 - whole)))

        gain = special.logsumexp([explained(share) for share in SHARES], 0)
        gain -= np.log(len(SHARES)) + explained(0.0)
        order = np.argsort(-gain, kind="stable")[:PAIRS]
        order = order[gain[order] + self.prior_odds > special.logit(ALIKE)]
        return list(zip(first[order].tolist(), second[order].tolist(), strict=True))

    def judged(
        self,
        first: int,
        second: int,
        rows: tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]],
    ) -> _Pair:
        """Judge a pair by labels and by subtypes: the less sure of both."""
        space, size = self.space, len(self.space.answers)
        answers = space.answer[rows[0]], space.answer[rows[1]]
        units = space.unit[rows[0]]
        by_label = _dense(self.without(*rows), self.state[units])
        by_label = np.pad(
            by_label, ((0, 0), (0, len(space.states) - by_label.shape[1]))
        )
        everyone = self.counts.sum(0) + 1 / size
        everyone *= IMAGINED / everyone.sum(1, keepdims=True)
        # Answers to other items tell as well what the two are like.
        seen = _dense(self.belief[units], self.state[units])
        seen = np.pad(seen, ((0, 0), (0, len(space.states) - seen.shape[1])))
        like_all = [
            np.maximum(self.counts[who] - seen.T @ np.eye(size)[given], 0.0) + everyone
            for who, given in zip((first, second), answers, strict=True)
        ]
        by_subtype = self._subtypes(first, second, units)
        usual = [np.bincount(given, minlength=size) + 1 / size for given in answers]
        as_they_like = [
            np.tile(IMAGINED * each / each.sum(), (by_subtype.shape[1], 1))
            for each in usual
        ]
        judged = [
            _judge(by_label, answers, like_all, self.prior_odds),
            _judge(by_subtype, answers, as_they_like, self.prior_odds),
        ]
        return judged[1]._replace(sure=min(each.sure for each in judged))

    def _subtypes(
        self, first: int, second: int, units: Int[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n M"]:
        """Return the subtype of units, by a fit without two annotators."""
        space = self.space
        rest = np.setdiff1d(np.arange(space.num_units), units)
        number = max(len(rest) * MAX_ANSWERS // len(space.unit), 1)
        even = np.linspace(0, max(len(rest) - 1, 0), min(number, len(rest))).astype(int)
        part = np.append(units, rest[even])
        part.sort()
        others = some_units(space, part)
        others = some_answers(others, ~np.isin(others.annotator, [first, second]))
        host, result = _quick(others, "ebcc")
        logs = logarithms(next(thin(result.parameters, 1)), host.closed)
        believed = host.posterior(logs)[1][np.searchsorted(part, units)]
        state = self.state[units]
        split = believed.shape[1] // state.shape[1]
        finer = state[:, :, None] * split + np.arange(split)
        dense = _dense(believed, finer.reshape(len(units), -1))
        dense = dense[:, dense.sum(0) > TRACE]
        shares: Float[np.ndarray, "n M"] = dense / dense.sum(1, keepdims=True)
        return shares


def _quick(space: Space, name: str) -> tuple[HostModel, Any]:
    model = fittable(name)
    effort = EngineOptions(draws=0, restarts=1)
    return HostModel(model, space), run(model, space, "vb", 0, effort, silent)


def _dense(
    belief: Float[np.ndarray, "n S"], state: Int[np.ndarray, "n S"]
) -> Float[np.ndarray, "n M"]:
    """Return a column for each class that is listed anywhere."""
    dense = np.zeros((len(state), int(state.max()) + 1))
    np.add.at(dense, (np.arange(len(state))[:, None], state), belief)
    return dense


def _judge(
    belief: Float[np.ndarray, "n M"],
    answers: tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]],
    imagined: list[Float[np.ndarray, "M L"]],
    prior_odds: float,
) -> _Pair:
    """Weigh a share of copied answers against none."""
    explained = list(_explained(belief, answers, imagined))
    score = np.array([each[0] for each in explained])
    gain = special.logsumexp(score[1:]) - np.log(len(SHARES)) - score[0]
    weight = special.softmax(score[1:])
    mostly = weight[SHARES > MOSTLY].sum()
    return _Pair(
        sure=float(special.expit(gain + prior_odds) * mostly),
        share=float(weight @ SHARES),
        expected=explained[0][2],
        copied=weight @ np.stack([each[1] for each in explained[1:]]),
    )


def _explained(
    belief: Float[np.ndarray, "n M"],
    answers: tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]],
    imagined: list[Float[np.ndarray, "M L"]],
) -> Iterator[tuple[float, Float[np.ndarray, " n"], float]]:
    """Give for each share, zero first: the log density, what is copied, what agrees."""
    same = (answers[0] == answers[1])[:, None]
    given = [
        np.eye(prior.shape[1])[each]
        for each, prior in zip(answers, imagined, strict=True)
    ]

    def rows(
        weights: list[Shaped[np.ndarray, "n M"]],
    ) -> list[Float[np.ndarray, "M L"]]:
        counts = [
            prior + weight.T @ each
            for prior, weight, each in zip(imagined, weights, given, strict=True)
        ]
        return [count / count.sum(1, keepdims=True) for count in counts]

    table = rows([belief, belief])
    for share in (0.0, *SHARES):
        last, score = -np.inf, -np.inf
        for _ in range(STEPS):
            like = [each[:, who].T for each, who in zip(table, answers, strict=True)]
            either = like[0] + like[1]
            copied = np.where(same, share * belief * either / 2, 0.0)
            alone = (1 - share) * belief * like[0] * like[1]
            whole = (copied + alone).sum(1, keepdims=True)
            prior = sum(
                (p * np.log(t)).sum() for p, t in zip(imagined, table, strict=True)
            )
            score = float(np.log(whole).sum() + prior)
            if score - last < STILL:
                break
            last = score
            table = rows([(alone + copied * each / either) / whole for each in like])
        agree = (belief @ (table[0] * table[1]).sum(1)).sum()
        yield score, (copied / whole).sum(1), float(agree)
