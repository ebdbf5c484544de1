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
Ordered labels have a slope along the mean answer, both standardized. Where *P* is a
mixture, each of its models has a weight of its own, of :math:`\log P_u^{(m)} / P_u`.

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

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_array, diags_array

from consilience.fitting.gold_columns import (
    MODEL,
    Design,
    Gold,
    Start,
    blocks,
    names_of_columns,
)
from consilience.intervals import log_odds
from consilience.posterior.truth import Truth
from consilience.truth import Space
from consilience.when_used import special, xr

# Standard deviations of the weights of annotators, and of all others: from next to none
# to what the answer of a good annotator says. Judgement, with the public sets of the
# benchmark in view. Each of the last is believed so many nats less than the one before.
TAUS, SIGMAS, LESS = (1e-3, 0.05, 0.15, 0.5), (0.02, 0.3, 1.0), 0.6
# At most that of the weights of single models: without a limit, two of seven public
# sets lose .007 and .009 with ten labels.
OF_MODELS = 0.2
FOLDS = 5
SCORED = 1e-3  # of a probability, where log-loss is stated
TINY = 1e-200  # of a likelihood
KEPT = 0.01  # weight of a setting, or it is dropped
DRAWS = 40  # of the weights, for bounds and annotators
MANY = 1500  # weights, of which a covariance is computed; of more, its diagonal
GROUP = "gold"  # of a fit, where it keeps what it was taught


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """What gold has taught: settings, their weights, and what each makes of columns."""

    columns: list[str]
    weight: Float[np.ndarray, " A"]
    mode: Float[np.ndarray, "A P"]
    draw: Float[np.ndarray, "D P"]

    def corrected(self, space: Space, start: Start, prob: float) -> Truth:
        """Return the posterior of the truth as it is by gold."""
        truth = start.truth
        design = Design(space, start, self.columns)
        middle = np.empty(truth.probability.shape)
        spread = np.empty(truth.probability.shape)
        for units in blocks(space.num_units):
            rows = design.rows(units)
            modes = zip(self.weight, self.mode, strict=True)
            middle[units] = sum(
                weight * design.share(rows, at, units) for weight, at in modes
            )
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

    def drawn(
        self, space: Space, start: Start, number: int
    ) -> Iterator[Float[np.ndarray, "U S"]]:
        """Give draws of P(state), by draws of the weights."""
        design, every = Design(space, start, self.columns), np.arange(space.num_units)
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
        models = np.array([name.startswith(f"{MODEL}:") for name in columns])
        scale = np.empty((len(pairs), len(columns)))
        for setting, (tau, (_, sigma)) in enumerate(pairs):
            other = np.where(models, min(sigma, OF_MODELS), sigma)
            scale[setting] = np.where(whose, tau, other)
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
    start: Start,
    gold: Gold,
    generator: np.random.Generator,
    *,
    ordered: bool = False,
) -> tuple[Taught, Worth]:
    """Learn from gold what a posterior without gold is worth, and whose answers are."""
    columns = names_of_columns(space, gold, start.models, ordered=ordered)
    design, prior = Design(space, start, columns), Prior.of(columns)
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
    before = start.truth.probability[gold.unit]
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
