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
:math:`w_j = \omega_j + \omega_{\mathrm{group}(j)} + \omega_{\mathrm{family}(j)}`. For
answers of yes, maybe and no, labels have constants of their own as well.

.. math::

   a \sim N(1, \sigma^2), \quad b, c \sim N(0, \sigma^2), \quad \omega \sim N(0, \tau^2)

**How far to believe gold** is asked of gold itself: each pair :math:`(\tau, \sigma)`
has the weight of the likelihood of gold left out in folds. Near zero the fit stays as
it is, so gold that says nothing changes nothing. Where gold allows several labels of an
item, any of them may be true.

**What it is worth**: log-loss and accuracy on gold left out, with and without; the
weights of the settings are then those of the other folds.

**Bounds** hold those of the fit, and the spread of the weights by Laplace's
approximation. Annotators' tables are drawn given draws of the corrected truth, as in
data augmentation.

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
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_array

from consilience.intervals import log_odds
from consilience.posterior.truth import Truth
from consilience.truth import ContainsSpace, Space, tally
from consilience.when_used import special, xr

# Standard deviations of the weights of annotators, and of all others: from next to none
# to what the answer of a good annotator says. Judgement: they were not fitted, but the
# public sets of the benchmark were in view.
TAUS, SIGMAS = (1e-3, 0.05, 0.15, 0.5), (0.02, 0.3, 1.0)
FOLDS = 5
LEAST = 1e-4  # of a probability of the fit, so that gold can contradict it
SCORED = 1e-3  # of a probability, where log-loss is stated
KEPT = 0.01  # weight of a setting, or it is dropped
DRAWS = 40  # of the weights, for bounds and annotators
MANY = 1500  # weights, of which a covariance is computed; of more, its diagonal
BLOCK = 50_000  # units that are worked on at once
GROUP = "gold"  # of a fit, where it keeps what it was taught
_ENDING = re.compile(r"[\W_]*\w*$")


class Gold(NamedTuple):
    """Units whose truth is known, and which of their listed states it may be."""

    unit: Int[np.ndarray, " G"]
    allowed: Bool[np.ndarray, "G S"]


def gold_of(space: Space, fixed: Space) -> Gold:
    """Return what gold says: how a space with its gold differs from one without."""
    shape = (space.num_units, space.state.shape[1])
    possible, allowed = (
        np.broadcast_to(each.log_prior > -np.inf, shape) for each in (space, fixed)
    )
    unit = np.flatnonzero((possible != allowed).any(1))
    return Gold(unit, allowed[unit])


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

    def _places(self, names: Iterable[str]) -> Int[np.ndarray, " _"]:
        """Return where columns stand, -1 for those without a weight."""
        return self.columns.get_indexer(pd.Index(list(names)))

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
        row = np.arange(state.size)
        for name, value in values.items():
            column = self.columns.get_loc(name)
            yield row, np.full(state.size, column), value.ravel()
        of_state = self._places(f"state:{name}" for name in space.states)
        yield row, of_state[state.ravel()], np.ones(state.size)
        if isinstance(space, ContainsSpace):
            names = (f"label:{name}" for name in space.unit_label[units])
            column = np.repeat(self._places(names), state.shape[1])
            yield row, column, space.present[state.ravel()]

    def _of_answers(self, units: Int[np.ndarray, " B"]) -> Cells:
        """Return how far each annotator, and its group and family, is for a state."""
        space = self.space
        first, last = self.start[units], self.start[units + 1]
        answer = np.concatenate(
            [np.arange(*each) for each in zip(first, last, strict=True)]
        )
        unit = np.repeat(np.arange(len(units)), last - first)
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


def names_of_annotators(space: Space) -> list[list[str]]:
    """Return the names of the weights of each annotator; of the nameless, none."""
    names = [str(name) for name in space.annotators]
    stems = pd.Series([_ENDING.sub("", name) for name in names])
    # An ending that all names have says nothing.
    alike = stems.duplicated(keep=False) & (stems != "") & (len(set(stems)) > 1)
    weights = [[f"annotator:{name}"] for name in names]
    for place in np.flatnonzero(alike):
        weights[place].append(f"family:{stems[place]}")
    groups = space.annotator_groups
    if len(groups.names):
        for each, code in zip(weights, groups.code, strict=True):
            each.append(f"group:{groups.names[code]}")
    return [
        each * int(named) for each, named in zip(weights, space.identified, strict=True)
    ]


def names_of_columns(space: Space, gold: Gold) -> list[str]:
    """Return what has a weight: whatever units with gold tell anything of."""
    has_gold = np.isin(space.unit, gold.unit)
    names = names_of_annotators(space)
    answered = np.unique(space.annotator[has_gold])
    whose = dict.fromkeys(name for at in answered for name in names[at])
    labels: list[str] = []
    if isinstance(space, ContainsSpace):
        labels = [f"label:{name}" for name in np.unique(space.unit_label[gold.unit])]
    states = [f"state:{name}" for name in space.states]
    return ["fit", "votes", *states, *labels, *whose]


class _Study(NamedTuple):
    """Rows of units with gold, and what gold allows."""

    rows: csr_array
    allowed: Bool[np.ndarray, "G S"]
    possible: Bool[np.ndarray, "G S"]

    def of(self, chosen: Bool[np.ndarray, " G"]) -> _Study:
        """Return some of the units."""
        rows = np.repeat(chosen, self.allowed.shape[1])
        return _Study(self.rows[rows], self.allowed[chosen], self.possible[chosen])

    def scores(self, weight: Float[np.ndarray, " P"]) -> Float[np.ndarray, "G S"]:
        """Return what is added up, of what can be true."""
        scores = (self.rows @ weight).reshape(self.allowed.shape)
        return np.where(self.possible, scores, -np.inf)

    def share(self, weight: Float[np.ndarray, " P"]) -> Float[np.ndarray, "G S"]:
        """Return P(state)."""
        return special.softmax(self.scores(weight), axis=1)


def _mode(
    study: _Study,
    mean: Float[np.ndarray, " P"],
    precision: Float[np.ndarray, " P"],
    start: Float[np.ndarray, " P"],
) -> Float[np.ndarray, " P"]:
    from scipy.optimize import minimize  # noqa: PLC0415 (takes long to be loaded)

    def loss(weight: Float[np.ndarray, " P"]) -> tuple[float, Float[np.ndarray, " P"]]:
        scores = study.scores(weight)
        whole = special.logsumexp(scores, 1)
        right = special.logsumexp(np.where(study.allowed, scores, -np.inf), 1)
        share = np.exp(scores - whole[:, None])
        believed = np.where(study.allowed, np.exp(scores - right[:, None]), 0.0)
        away = weight - mean
        value = (whole - right).sum() + 0.5 * (precision * away**2).sum()
        slope = study.rows.T @ (share - believed).ravel() + precision * away
        return float(value), slope

    options = {"maxiter": 200, "ftol": 1e-8}
    return minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x


def _spread(
    study: _Study,
    weight: Float[np.ndarray, " P"],
    precision: Float[np.ndarray, " P"],
    noise: Float[np.ndarray, "D P"],
) -> Float[np.ndarray, "D P"]:
    """Return draws about the mode, by the curvature there."""
    share, slots = study.share(weight), study.allowed.shape[1]
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


def learn(
    space: Space, truth: Truth, gold: Gold, generator: np.random.Generator
) -> tuple[Taught, Worth]:
    """Learn from gold what a posterior without gold is worth, and whose answers are."""
    columns = names_of_columns(space, gold)
    design = Design(space, truth, columns)
    possible = design.possible[gold.unit]
    study = _Study(design.rows(gold.unit), gold.allowed, possible)
    number = len(gold.unit)
    mean = np.zeros(len(columns))
    mean[0] = 1.0
    of_annotators = np.array(
        [name.partition(":")[0] in ("annotator", "family", "group") for name in columns]
    )
    fold = generator.permutation(np.arange(number) % min(FOLDS, number))
    settings = [
        np.where(of_annotators, tau, sigma) ** -2.0
        for tau, sigma in product(TAUS, SIGMAS)
    ]
    shares = np.empty((len(settings), *gold.allowed.shape))
    for part in np.unique(fold):
        rest, out = study.of(fold != part), study.of(fold == part)
        at = mean
        for place, precision in enumerate(settings):
            at = _mode(rest, mean, precision, at) if (fold != part).any() else mean
            shares[place, fold == part] = out.share(at)
    chance = (shares * gold.allowed).sum(2)
    loss = -np.log(np.maximum(chance, SCORED))
    of_fold = np.stack([loss @ (fold == part) for part in np.unique(fold)], 1)
    weight = special.softmax(-loss.sum(1))
    without = truth.probability[gold.unit]
    left_out = np.empty(gold.allowed.shape)
    for part in np.unique(fold):
        others = special.softmax(of_fold[:, part] - loss.sum(1))
        left_out[fold == part] = np.tensordot(others, shares[:, fold == part], 1)
    kept = np.flatnonzero(weight >= KEPT)
    weight = weight[kept] / weight[kept].sum()
    modes = [_mode(study, mean, settings[place], mean) for place in kept]
    noise = generator.standard_normal((DRAWS, len(columns)))
    which = generator.choice(len(kept), DRAWS, p=weight)
    draws = np.empty((DRAWS, len(columns)))
    for place in np.unique(which):
        of_it, precision = which == place, settings[kept[place]]
        draws[of_it] = _spread(study, modes[place], precision, noise[of_it])
    best = left_out.argmax(1)
    every = np.arange(number)
    worth = Worth(
        (without * gold.allowed).sum(1),
        (left_out * gold.allowed).sum(1),
        left_out[every, best],
        gold.allowed[every, without.argmax(1)],
        gold.allowed[every, best],
    )
    return Taught(columns, weight, np.stack(modes), draws), worth
