r"""What gold labels tell: whom to believe, and how far, where their truth is not known.

A fit without gold believes whoever agrees with the others. Where annotators are wrong
together, that is wrong with certainty, and fixing the truth of a few items changes next
to nothing. So the fit is made without gold, and its posterior is the starting point of
a conditional logit that gold teaches:

.. math::

   p(z_u = k) \propto \exp\Big(b_k + a \log P_u(k) + c \log v_u(k)
   + \sum_{r \in u} w_{j(r)} s(y_r, k)\Big),

with *P* the posterior of the fit, *v* smoothed shares of votes, and *s* how far an
answer is a vote for a state. Annotators have weights of their own, and so have their
groups, and families whose names differ only in a number or the last word:
:math:`w_j = \omega_j + \omega_{\mathrm{group}(j)} + \omega_{\mathrm{family}(j)}`.
Families of items, whose names differ in the last word (the documents of one query),
have constants of their own, and so have labels that are answered yes, maybe and no,
which also have a slope along the log-odds of the most probable other label of the item.
Ordered labels have a slope along the mean answer, both standardized.

.. math::

   a \sim N(1, \sigma^2), \quad b, c \sim N(0, \sigma^2), \quad
   \omega \sim N(0, \tau^2)

**Gold is evidence**: the likelihood of each state, which is 1 or 0 where one label or
any of several is the truth, and in between where gold states a probability. The sum of
likelihood times *p* is what weights are learned from, and gold items have the posterior
that is proportional to the product.

**How far to believe gold** is asked of gold itself: each pair :math:`(\tau, \sigma)`
has the weight of the likelihood of gold left out in folds, less where :math:`\sigma` is
large. Near zero the fit stays as it is, so gold that says nothing changes nothing.

**What it is worth**: log-loss and accuracy on gold left out, with and without; the
weights of the settings are then those of the other folds.

**Bounds** hold those of the fit, and the spread of the weights by Laplace's
approximation. Annotators' tables are drawn given draws of the corrected truth, as in
data augmentation. The truth is not inferred from these tables again: on public sets
that was better on one of seven, and worse by up to .1 nats on the others.

References
----------
McFadden (1974), Conditional logit analysis of qualitative choice behavior.
Yao, Vehtari, Simpson and Gelman (2018), Using stacking to average Bayesian predictive
distributions, for weights by what is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int, Shaped
from scipy.sparse import csr_array, diags_array

from consilience.intervals import log_odds
from consilience.posterior.stored import label_values
from consilience.posterior.truth import Truth
from consilience.ragged import places_within
from consilience.truth import ContainsSpace, Space, tally
from consilience.when_used import special, xr

# Standard deviations of the weights of annotators, and of all others: from next to none
# to what the answer of a good annotator says. Judgement, with the public sets of the
# benchmark in view. Each of the last is believed so many nats less than the one before:
# with .3 to 1, ten labels cost nobody .01, and fifty help as much; with none they cost
# two sets .011 and .014.
TAUS, SIGMAS, LESS = (1e-3, 0.05, 0.15, 0.5), (0.02, 0.3, 1.0), 0.6
FOLDS = 5
LEAST = 1e-4  # of a probability of the fit, so that gold can contradict it
SCORED = 1e-3  # of a probability, where log-loss is stated
TINY = 1e-200  # of a likelihood
KEPT = 0.01  # weight of a setting, or it is dropped
DRAWS = 40  # of the weights, for bounds and annotators
MANY = 1500  # weights, of which a covariance is computed; of more, its diagonal
BLOCK = 50_000  # units that are worked on at once
GROUP = "gold"  # of a fit, where it keeps what it was taught
ORDER = "order"  # the slope along the mean answer
OTHERS = "others"  # the slope along what is believed of the item's other labels
_ENDING, _SUFFIX = re.compile(r"[\W_]*\w*$"), re.compile(r"\.\w{1,5}$")


class Gold(NamedTuple):
    """Units with gold, and how likely gold is by each of their listed states."""

    unit: Int[np.ndarray, " G"]
    likelihood: Float[np.ndarray, "G S"]


def gold_of(space: Space, fixed: Space) -> Gold:
    """Return what gold says: how a space with its gold differs from one without."""
    shape = (space.num_units, space.state.shape[1])
    before, after = (np.broadcast_to(each.log_prior, shape) for each in (space, fixed))
    unit = np.flatnonzero((before != after).any(1))
    with np.errstate(invalid="ignore"):
        log = np.where(after[unit] > -np.inf, after[unit] - before[unit], -np.inf)
    return Gold(unit, np.exp(log - log.max(1, keepdims=True)))


# Rows and columns of a matrix, and its numbers there.
type Cells = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """What gold has taught: settings, their weights, and what each makes of columns."""

    columns: list[str]
    weight: Float[np.ndarray, " A"]
    mode: Float[np.ndarray, "A P"]
    draw: Float[np.ndarray, "D P"]

    def corrected(self, space: Space, truth: Truth, prob: float) -> Truth:
        """Return the posterior of the truth as it is by gold."""
        design = Design(space, truth, self.columns)
        middle = np.empty(truth.probability.shape)
        spread = np.empty(truth.probability.shape)
        for units in blocks(space.num_units):
            rows = design.rows(units)
            parts = [each * design.share(rows, at, units) for each, at in self._modes()]
            middle[units] = sum(parts)
            drawn = [log_odds(design.share(rows, at, units)) for at in self.draw]
            spread[units] = np.std(drawn, 0)
        reach = special.ndtri((1 + prob) / 2) * spread
        odds, before = log_odds(middle), log_odds(truth.probability)
        bounds = [
            special.expit(odds + side * np.hypot(reach, log_odds(bound) - before))
            for side, bound in ((-1, truth.lower), (1, truth.upper))
        ]
        certain = (middle <= 0) | (middle >= 1)
        lower, upper = (np.where(certain, middle, bound) for bound in bounds)
        # A fit without bounds has none.
        return Truth(middle, np.minimum(lower, middle), np.maximum(upper, middle))

    def _modes(self) -> Iterator[tuple[float, Float[np.ndarray, " P"]]]:
        return zip(self.weight, self.mode, strict=True)

    def drawn(
        self, space: Space, truth: Truth, number: int
    ) -> Iterator[Float[np.ndarray, "U S"]]:
        """Give draws of P(state), by draws of the weights."""
        design, every = Design(space, truth, self.columns), np.arange(space.num_units)
        rows = design.rows(every)
        for draw in range(number):
            yield design.share(rows, self.draw[draw % len(self.draw)], every)

    def stored(self) -> xr.Dataset:
        """Return it as a group of a fit."""
        return xr.Dataset(
            {
                "weight": ("setting", self.weight),
                "mode": (("setting", "column"), self.mode),
                "draws": (("draw_of_weights", "column"), self.draw.astype(np.float32)),
            },
            {"column": np.array(self.columns, object)},
        )

    @classmethod
    def restored(cls, group: xr.Dataset) -> Taught:
        """Return what a fit keeps."""
        weight, mode, draw = (group[n].to_numpy() for n in ("weight", "mode", "draws"))
        return cls(list(group["column"].to_numpy()), weight, mode, draw.astype(float))


def blocks(number: int) -> Iterator[Int[np.ndarray, " B"]]:
    """Give the places of units, some at once."""
    for start in range(0, number, BLOCK):
        yield np.arange(start, min(start + BLOCK, number))


class Design:
    """The columns of the logit, a row for each listed state of each unit."""

    def __init__(self, space: Space, truth: Truth, columns: list[str]) -> None:
        self.space, self.truth = space, truth
        self.columns = pd.Index(columns)
        self.votes = tally(space)
        self.state = np.broadcast_to(space.state, self.votes.shape)
        self.possible = np.broadcast_to(space.log_prior > -np.inf, self.votes.shape)
        self.start = np.searchsorted(space.unit, np.arange(space.num_units + 1))
        names = names_of_annotators(space)
        levels = max(map(len, names), default=0)
        padded = [[*each, *[""] * (levels - len(each))] for each in names]
        places = self._places(name for each in padded for name in each)
        self.of_annotator = places.reshape(len(names), levels)
        self.of_family = self._families()
        self.value = label_values(np.array(space.states, object))
        self.value = (self.value - self.value.mean()) / max(self.value.std(), 1e-9)
        if isinstance(space, ContainsSpace):
            self.others = _of_others(space, truth)
            label, labels = pd.factorize(space.unit_label)
            self.of_label = self._places(f"label:{name}" for name in labels)[label]

    def _places(self, names: Iterable[str]) -> Int[np.ndarray, " _"]:
        """Return where columns stand, -1 for those without a weight."""
        return self.columns.get_indexer(pd.Index(list(names)))

    def _families(self) -> tuple[Int[np.ndarray, " U"], Int[np.ndarray, "F K"]] | None:
        """Return the family of each unit, and its columns by state; None for none."""
        names = [name for name in self.columns if name.startswith("items:")]
        if not names:
            return None
        stem = stems_of_items(self.space)
        kinds = pd.Index(sorted({name.split(":", 2)[2] for name in names}))
        states = np.tile(np.arange(len(self.space.states)), len(kinds))
        each = np.repeat(kinds.to_numpy(object), len(self.space.states))
        columns = self._places(_of_families(each, states)).reshape(len(kinds), -1)
        none = np.full((1, columns.shape[1]), -1, columns.dtype)
        return kinds.get_indexer(pd.Index(stem)), np.concatenate([columns, none])

    def rows(self, units: Int[np.ndarray, " B"]) -> csr_array:
        """Return the columns of some units."""
        cells = [*self._of_states(units), self._of_answers(units)]
        row, column, value = map(np.concatenate, zip(*cells, strict=True))
        kept = column >= 0
        shape = (self.state[units].size, len(self.columns))
        return csr_array((value[kept], (row[kept], column[kept])), shape=shape)

    def _of_states(self, units: Int[np.ndarray, " B"]) -> Iterator[Cells]:
        """Give what is known of each state whoever answered."""
        space, state = self.space, self.state[units]
        votes = self.votes[units] + 1 / len(space.answers)
        values = {
            "fit": np.log(np.maximum(self.truth.probability[units], LEAST)),
            "votes": np.log(votes / votes.sum(1, keepdims=True)),
        }
        if ORDER in self.columns:
            mean = (votes * self.value[state]).sum(1) / votes.sum(1)
            values[ORDER] = self.value[state] * mean[:, None]
        row = np.arange(state.size)
        for name, value in values.items():
            column = self.columns.get_loc(name)
            yield row, np.full(state.size, column), value.ravel()
        of_state = self._places(f"state:{name}" for name in space.states)
        yield row, of_state[state.ravel()], np.ones(state.size)
        if self.of_family is not None:
            family, columns = self.of_family
            column = columns[family[units][:, None], state]
            yield row, column.ravel(), np.ones(state.size)
        if isinstance(space, ContainsSpace):
            column = np.repeat(self.of_label[units], state.shape[1])
            yield row, column, space.present[state.ravel()]
            if OTHERS in self.columns:
                value = self.others[units][:, None] * space.present[state]
                column = np.full(state.size, self.columns.get_loc(OTHERS))
                yield row, column, value.ravel()

    def _of_answers(self, units: Int[np.ndarray, " B"]) -> Cells:
        """Return how far each annotator, and its group and family, is for a state."""
        space = self.space
        first, length = self.start[units], self.start[units + 1] - self.start[units]
        unit = np.repeat(np.arange(len(units)), length)
        answer = first[unit] + places_within(length)
        vote = space.votes[space.answer[answer][:, None], self.state[units][unit]]
        vote = vote * space.n[answer][:, None]
        place, slot = np.nonzero(vote)
        columns = self.of_annotator[space.annotator[answer][place]]
        row = unit[place] * self.state.shape[1] + slot
        levels = columns.shape[1]
        value = np.repeat(vote[place, slot], levels)
        return np.repeat(row, levels), columns.ravel(), value

    def share(
        self,
        rows: csr_array,
        weight: Float[np.ndarray, " P"],
        units: Int[np.ndarray, " B"],
    ) -> Float[np.ndarray, "B S"]:
        """Return P(state) of units by some weights."""
        scores = (rows @ weight).reshape(self.state[units].shape)
        return special.softmax(np.where(self.possible[units], scores, -np.inf), axis=1)


def stems(
    names: Iterable[object], suffix: re.Pattern[str] | None = None
) -> Shaped[np.ndarray, " N"]:
    """Return names without their last word or number; empty where nothing is left."""
    texts = [str(name) for name in names]
    texts = texts if suffix is None else [suffix.sub("", text) for text in texts]
    return np.array([_ENDING.sub("", text) for text in texts], object)


def families(stem: Shaped[np.ndarray, " N"]) -> set[str]:
    """Return what several names have in common, but not all."""
    kinds, number = np.unique(stem.astype(str), return_counts=True)
    return {*kinds[number > 1].tolist()} - {""} if len(kinds) > 1 else set()


def stems_of_items(space: Space) -> Shaped[np.ndarray, " U"]:
    """Return the stem of the name of the item of each unit."""
    code, items = pd.factorize(space.unit_item)
    return stems(items, _SUFFIX)[code]


def _of_families(
    stem: Shaped[np.ndarray, " N"], state: Int[np.ndarray, " N"]
) -> list[str]:
    """Return the names of the constants of families of items, by state."""
    return [f"items:{code}:{name}" for name, code in zip(stem, state, strict=True)]


def _of_others(space: ContainsSpace, truth: Truth) -> Float[np.ndarray, " U"]:
    """Return the log-odds of the most probable other label of the item; 0 for none."""
    item, _ = pd.factorize(space.unit_item)
    present = np.broadcast_to(space.present[space.state], truth.probability.shape)
    chance = np.clip((truth.probability * present).sum(1), LEAST, 1 - LEAST)
    order = np.lexsort((chance, item))
    last = np.flatnonzero(np.diff(item[order], append=-1))  # the most probable
    first = np.append(0, last[:-1] + 1)
    most, second = chance[order[last]], chance[order[np.maximum(last - 1, first)]]
    other = most[item]
    other[order[last]] = second
    alone = np.bincount(item)[item] == 1
    return np.where(alone, 0.0, log_odds(other))


def names_of_annotators(space: Space) -> list[list[str]]:
    """Return the names of the weights of each annotator; of the nameless, none."""
    names = [str(name) for name in space.annotators]
    weights = [[f"annotator:{name}"] for name in names]
    for each, stem in zip(weights, stems(names), strict=True):
        each.append(f"family:{stem}")
    groups = space.annotator_groups
    if len(groups.names):
        for each, code in zip(weights, groups.code, strict=True):
            each.append(f"group:{groups.names[code]}")
    return [
        each * int(named) for each, named in zip(weights, space.identified, strict=True)
    ]


def weights_of_annotators(space: Space, some: Iterable[int]) -> list[str]:
    """Return the names of the weights of some annotators, families with others only."""
    names = names_of_annotators(space)
    kept = {f"family:{stem}" for stem in families(stems(space.annotators))}
    every = dict.fromkeys(name for at in some for name in names[at])
    return [name for name in every if name in kept or not name.startswith("family:")]


def names_of_columns(space: Space, gold: Gold, *, ordered: bool = False) -> list[str]:
    """Return what has a weight: whatever units with gold tell anything of."""
    has_gold = np.isin(space.unit, gold.unit)
    some = np.unique(space.annotator[has_gold]).tolist()
    whose = weights_of_annotators(space, some)
    labels: list[str] = []
    if isinstance(space, ContainsSpace):
        labels = [f"label:{name}" for name in np.unique(space.unit_label[gold.unit])]
        labels.append(OTHERS)
    states = [f"state:{name}" for name in space.states]
    slopes = [ORDER] * (ordered and len(states) > 2)
    stem, states_of = stems_of_items(space)[gold.unit], range(len(states))
    shared = families(stems(pd.unique(space.unit_item), _SUFFIX)) & {*stem}
    items = [f"items:{code}:{name}" for name in sorted(shared) for code in states_of]
    if len(items) > MANY:  # then of states alone that gold has there
        shape = (space.num_units, space.state.shape[1])
        at, slot = np.nonzero(gold.likelihood == 1)
        state = np.broadcast_to(space.state, shape)[gold.unit[at], slot]
        there = {*_of_families(stem[at], state)}
        items = [each for each in items if each in there]
    return ["fit", "votes", *states, *labels, *slopes, *items, *whose]


class Study(NamedTuple):
    """Rows of units with gold, and how likely gold is by their states."""

    rows: csr_array
    gold: Float[np.ndarray, "G S"]
    possible: Bool[np.ndarray, "G S"]

    def of(self, chosen: Bool[np.ndarray, " G"]) -> Study:
        """Return some of the units."""
        rows = np.repeat(chosen, self.gold.shape[1])
        return Study(self.rows[rows], self.gold[chosen], self.possible[chosen])

    def possibly(self, total: Float[np.ndarray, " _"]) -> Float[np.ndarray, "G S"]:
        """Return what is added up of each state, of what can be true."""
        return np.where(self.possible, total.reshape(self.gold.shape), -np.inf)

    def share(self, weight: Float[np.ndarray, " P"]) -> Float[np.ndarray, "G S"]:
        """Return P(state)."""
        return special.softmax(self.possibly(self.rows @ weight), axis=1)


class Prior(NamedTuple):
    """The mean of the weights, and for each setting their precision and its weight."""

    mean: Float[np.ndarray, " P"]
    precision: Float[np.ndarray, "A P"]
    log_weight: Float[np.ndarray, " A"]

    @classmethod
    def of(cls, columns: list[str]) -> Prior:
        """Return the prior of weights that are called so."""
        people = ("annotator", "family", "group")
        whose = np.array([name.partition(":")[0] in people for name in columns])
        pairs = list(product(TAUS, enumerate(SIGMAS)))
        scale = np.stack([np.where(whose, tau, sigma) for tau, (_, sigma) in pairs])
        mean = (np.arange(len(columns)) == columns.index("fit")).astype(float)
        lean = np.array([-LESS * place for _, (place, _) in pairs])
        return cls(mean, scale**-2.0, lean)


def mode(
    study: Study,
    mean: Float[np.ndarray, " P"],
    precision: Float[np.ndarray, " P"],
    start: Float[np.ndarray, " P"],
) -> Float[np.ndarray, " P"]:
    """Return the most probable weights, given gold."""
    from scipy.optimize import minimize  # noqa: PLC0415 (takes long to be loaded)

    scale = precision**-0.5  # in whose units all weights are as flat
    rows = (study.rows @ diags_array(scale)).tocsr()
    of_mean, across = study.rows @ mean, rows.T.tocsr()

    def loss(away: Float[np.ndarray, " P"]) -> tuple[float, Float[np.ndarray, " P"]]:
        scores = study.possibly(of_mean + rows @ away)
        each = np.exp(scores - scores.max(1, keepdims=True))
        agreeing = each * study.gold
        whole = each.sum(1, keepdims=True)
        right = np.maximum(agreeing.sum(1, keepdims=True), TINY)
        value = np.log(whole / right).sum() + 0.5 * (away**2).sum()
        wrong = (each / whole - agreeing / right).ravel()
        return float(value), across @ wrong + away

    options, start = {"maxiter": 200, "ftol": 1e-8}, (start - mean) / scale
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    return mean + scale * best.x


def _spread(
    study: Study,
    weight: Float[np.ndarray, " P"],
    precision: Float[np.ndarray, " P"],
    noise: Float[np.ndarray, "D P"],
) -> Float[np.ndarray, "D P"]:
    """Return draws about the mode, by the curvature there."""
    share, slots = study.share(weight), study.gold.shape[1]
    weighed = study.rows.multiply(share.ravel()[:, None]).tocsr()
    unit = np.repeat(np.arange(len(share)), slots)
    adding = csr_array((np.ones(len(unit)), (unit, np.arange(len(unit)))))
    means = adding @ weighed
    if len(weight) > MANY:
        squares = (study.rows.multiply(weighed)).sum(0) - (means.multiply(means)).sum(0)
        return weight + noise / np.sqrt(np.asarray(squares).ravel() + precision)
    means = means.toarray()
    bent = (study.rows.T @ weighed).toarray() - means.T @ means + np.diag(precision)
    root = np.linalg.cholesky(bent)
    return weight + np.linalg.solve(root.T, noise.T).T


class Worth(NamedTuple):
    """P(what gold says) of units left out: without gold and with it, and the best."""

    without: Float[np.ndarray, " G"]
    left_out: Float[np.ndarray, " G"]
    stated: Float[np.ndarray, " G"]
    right_before: Bool[np.ndarray, " G"]
    right: Bool[np.ndarray, " G"]

    @classmethod
    def of(
        cls,
        gold: Gold,
        before: Float[np.ndarray, "G S"],
        left_out: Float[np.ndarray, "G S"],
    ) -> Worth:
        """Compare two posteriors of units with gold."""
        every, best = np.arange(len(gold.unit)), left_out.argmax(1)
        right = gold.likelihood == 1
        return cls(
            (before * gold.likelihood).sum(1),
            (left_out * gold.likelihood).sum(1),
            left_out[every, best],
            right[every, before.argmax(1)],
            right[every, best],
        )


def learn(
    space: Space,
    truth: Truth,
    gold: Gold,
    generator: np.random.Generator,
    *,
    ordered: bool = False,
) -> tuple[Taught, Worth]:
    """Learn from gold what a posterior without gold is worth, and whose answers are."""
    columns = names_of_columns(space, gold, ordered=ordered)
    design, prior = Design(space, truth, columns), Prior.of(columns)
    rows, possible = design.rows(gold.unit), design.possible[gold.unit]
    study = Study(rows, gold.likelihood, possible)
    number = len(gold.unit)
    fold = generator.permutation(np.arange(number) % min(FOLDS, number))
    shares = _by_folds(study, prior, fold)
    log_chance = np.log(np.maximum((shares * gold.likelihood).sum(2), SCORED))
    log_weight = prior.log_weight + log_chance.sum(1)
    left_out = np.empty(gold.likelihood.shape)
    for part in np.unique(fold):
        of_it = fold == part
        others = special.softmax(log_weight - log_chance[:, of_it].sum(1))
        left_out[of_it] = np.tensordot(others, shares[:, of_it], 1)
    weight = special.softmax(log_weight)
    kept = np.flatnonzero(weight >= KEPT)
    weight = weight[kept] / weight[kept].sum()
    mean, precision = prior.mean, prior.precision[kept]
    modes = np.stack([mode(study, mean, each, mean) for each in precision])
    noise = generator.standard_normal((DRAWS, len(columns)))
    which = generator.choice(len(kept), DRAWS, p=weight)
    draws = np.empty((DRAWS, len(columns)))
    for at in np.unique(which):
        draws[which == at] = _spread(
            study, modes[at], precision[at], noise[which == at]
        )
    before = truth.probability[gold.unit]
    return Taught(columns, weight, modes, draws), Worth.of(gold, before, left_out)


def _by_folds(
    study: Study, prior: Prior, fold: Int[np.ndarray, " G"]
) -> Float[np.ndarray, "A G S"]:
    """Return P(state) of units left out, by each setting."""
    shares = np.empty((len(prior.precision), *study.gold.shape))
    for part in np.unique(fold):
        rest, out, at = study.of(fold != part), study.of(fold == part), prior.mean
        for place, precision in enumerate(prior.precision):
            at = mode(rest, prior.mean, precision, at) if len(rest.gold) else at
            shares[place, fold == part] = out.share(at)
    return shares
