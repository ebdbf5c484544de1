r"""Steps of prevalence and the weights of columns, on the host.

They take what the answers say of the truth, and no answers. Where candidates have
columns the prior of the truth is a multinomial logit (`model.columns`), and has no
closed form. Log prevalences and weights are here one vector.

**A Newton step, given beliefs of the truth.** With the truth as it is believed,

.. math::

   F(\alpha, \beta) = \sum_u \sum_s q_{us} \log p_{us}
   + \sum_k (a_k \alpha_k - e^{\alpha_k}) - \tfrac12 |\beta|^2

is concave. The first penalty is the density of logarithms of gamma variables, whose
shares have the Dirichlet prior of the prevalence. The Newton direction is solved for by
conjugate gradients, scaled by the diagonal, and halved until F does not fall.

**Draws given the truth: exact in the limit.** The truth of a unit, given its list, is
drawn from the logit with :math:`\lambda_k \sim \mathrm{Gamma}(a_k, 1)` instead of the
prevalence, whose shares it is. With an exponential variable for each unit,

.. math::

   t_u \sim \mathrm{Exp}\Big(\sum_{s \in C_u} \lambda_s e^{x_{us}^\top \beta}\Big),
   \qquad
   \lambda_k \mid z, t \sim \mathrm{Gamma}\Big(a_k + n_k,\
   1 + \sum_u t_u e^{x_{uk}^\top \beta}\Big).

Weights take random-walk steps, as wide as the posterior given the truth is there where
the optimizer has ended; with each, prevalence moves so that the labels keep their
shares.

References
----------
Caron and Doucet (2012), Efficient Bayesian inference for generalized Bradley-Terry
models, section 3.
"""

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from consilience.inference.dirichlet import log_gamma
from consilience.model import PREVALENCE, WEIGHT, HostModel, Parameters
from consilience.model.columns import SPREAD, log_logit, log_total, others
from consilience.truth import ResponseMatrix
from consilience.when_used import linalg

STEPS = 10  # of conjugate gradients, and of the weights in a sweep
SIZES = (-3.0, 1.0)  # of a step, as powers of two, about 2.4 over the root of columns
ACCURACY = 0.01  # to which the direction is solved for, relative to the gradient
HALVINGS = 6

type Vector = Float[np.ndarray, " V"]  # log prevalences, then weights
type Truth = Float[np.ndarray, "U S"]


class Walk(NamedTuple):
    """How the weights step, how prevalence moves along, and both move the odds."""

    shape: Float[np.ndarray, "P P"]
    along: Float[np.ndarray, "K P"]
    odds: Float[np.ndarray, "U S P"]

    def both(self, move: Float[np.ndarray, " P"]) -> Vector:
        """Return how prevalence and weights move with the weights."""
        return np.append(self.along @ move, move)


class ColumnPrior:
    """The prior by columns: where it starts, climbs, and is drawn from."""

    def __init__(
        self, matrix: ResponseMatrix, imagined: Float[np.ndarray, " K"]
    ) -> None:
        self.matrix, self.covariates = matrix, matrix.prior_covariates
        self.imagined = imagined

    def first(self) -> Parameters:
        """Return the start: prevalence as in the prior, columns unused."""
        weights = np.zeros(self.covariates.value.shape[2])
        return {PREVALENCE: np.log(self.imagined), WEIGHT: weights}

    def step(self, logit: Parameters, truth: Truth) -> tuple[Parameters, float]:
        """Return prevalence and weights one step up, and their log density before."""
        at, counts = _vector(logit), self._counts(truth)
        bend = _Bend(self, logit)
        way, _ = linalg.cg(
            bend.operator,
            bend.slope(counts),
            rtol=ACCURACY,
            maxiter=STEPS,
            M=bend.scaled,
        )
        height = self._height(at, counts)
        sizes = 0.5 ** np.arange(HALVINGS + 1)
        there = (at + size * way for size in sizes)
        up = (each for each in there if self._height(each, counts) >= height)
        return self._named(next(up, at)), self._log_density(at)

    def walk(self, logit: Parameters) -> Walk:
        """Return steps that suit the posterior of the weights, were the truth known."""
        bend, states = _Bend(self, logit), self.matrix.num_states
        number = len(logit[WEIGHT])
        weights = np.eye(states + number)[states:]
        across = np.stack([bend.product(each)[:states] for each in weights], 1)
        along = -across / bend.diagonal[:states, None]
        moves = np.concatenate([along, np.eye(number)])
        precision = moves.T @ np.stack([bend.product(each) for each in moves.T], 1)
        root = np.linalg.cholesky(np.linalg.inv((precision + precision.T) / 2))
        odds = self.covariates.value + self.matrix.listed(along[None])
        return Walk(2.4 / np.sqrt(number) * root, along, odds)

    def draw(
        self, how: Walk, logit: Parameters, truth: Truth, generator: np.random.Generator
    ) -> Parameters:
        """Draw prevalence and weights, given the truth."""
        counts = self._counts(truth)
        prevalence = self._draw_prevalence(logit, counts, generator)
        start = np.concatenate([prevalence, logit[WEIGHT]])
        climb = self._along(how, start, counts)
        move, height = np.zeros(len(how.shape)), climb(np.zeros(len(how.shape)))
        for _ in range(STEPS):
            size = 2.0 ** generator.uniform(*SIZES)
            there = move + size * how.shape @ generator.standard_normal(len(move))
            reached = climb(there)
            if -generator.standard_exponential() < reached - height:
                move, height = there, reached
        return self._named(start + how.both(move))

    def _along(
        self, how: Walk, start: Vector, counts: Vector
    ) -> Callable[[Float[np.ndarray, " P"]], float]:
        """Return F by how far the weights moved, up to a constant."""
        bend = _Bend(self, self._named(start))
        share, flat = bend.share, how.odds.reshape(-1, len(how.shape))
        anywhere = bool(bend.far.any())

        def height(move: Float[np.ndarray, " P"]) -> float:
            at = start + how.both(move)
            odds = np.exp(flat @ move).reshape(share.shape)
            grown = np.einsum("us,us->u", share, odds)
            if anywhere:
                rest = bend.beyond(np.exp(self._named(at)[PREVALENCE]))
                grown += bend.each_far * np.exp(self.covariates.unlisted @ move) * rest
            return float(counts @ at - np.log(grown).sum()) + self._log_density(at)

        return height

    def _draw_prevalence(
        self, logit: Parameters, counts: Vector, generator: np.random.Generator
    ) -> Float[np.ndarray, " K"]:
        covariates, weight = self.covariates, logit[WEIGHT]
        total = log_total(self.matrix, logit)
        waits = generator.standard_exponential(len(total))
        each = waits[:, None] * np.exp(covariates.value @ weight - total[:, None])
        # Every label for each unit that is open, less those on its list.
        far = covariates.open * waits * np.exp(covariates.unlisted @ weight - total)
        stake = self.matrix.over_labels(each - far[:, None]) + far.sum()
        shape = self.imagined + counts[: len(self.imagined)]
        return log_gamma(generator, shape) - np.log1p(np.maximum(stake, 0.0))

    def _counts(self, truth: Truth) -> Vector:
        """Return what a truth, or a belief of it, says: units, and sums of columns."""
        sums = np.einsum("us,usp->p", truth, self.covariates.value)
        return np.concatenate([self.matrix.over_labels(truth), sums])

    def _named(self, at: Vector) -> Parameters:
        prevalence, weight = np.split(at, [len(self.imagined)])
        return {PREVALENCE: prevalence, WEIGHT: weight}

    def _height(self, at: Vector, counts: Vector) -> float:
        """Return F: the log density of prevalence and weights, given the truth."""
        total = log_total(self.matrix, self._named(at)).sum()
        return float(counts @ at - total) + self._log_density(at)

    def _log_density(self, at: Vector) -> float:
        prevalence, weight = self._named(at).values()
        gamma = self.imagined * prevalence - np.exp(prevalence)
        return float(gamma.sum() - 0.5 * ((weight / SPREAD) ** 2).sum())


def column_prior(host: HostModel) -> ColumnPrior | None:
    """Return the prior by columns of a model that is laid out, where there are any."""
    if host.candidates is None:
        return None
    return ColumnPrior(host.candidates, host.imagined)


class _Bend:
    """The slope of F, and its curvature, at one place."""

    def __init__(self, prior: ColumnPrior, logit: Parameters) -> None:
        matrix, covariates = prior.matrix, prior.covariates
        self.matrix, self.covariates, self.prior = matrix, covariates, prior
        self.weight, self.every = logit[WEIGHT], np.exp(logit[PREVALENCE])
        self.share = np.exp(log_logit(matrix, logit))  # of each candidate
        # Of all that is on no list together, and of each over its prevalence.
        self.rest, some = others(matrix, logit)
        far = np.exp(covariates.unlisted @ self.weight - log_total(matrix, logit))
        self.each_far = np.where(some, far, 0.0)
        self.far = self.each_far * self.rest

    @cached_property
    def operator(self) -> "linalg.LinearOperator":
        """Minus the Hessian."""
        size = len(self.every) + len(self.weight)
        return linalg.LinearOperator((size, size), self.product)

    @cached_property
    def scaled(self) -> "linalg.LinearOperator":
        """What takes a way to one along which F bends about alike."""
        size = len(self.every) + len(self.weight)
        return linalg.LinearOperator((size, size), lambda way: way / self.diagonal)

    def slope(self, counts: Vector) -> Vector:
        """Return the slope, given the truth."""
        expected = self._summed(self.share, self.far, self.each_far)
        density = self.prior.imagined - self.every
        return counts - expected + np.append(density, -self.weight / SPREAD**2)

    def product(self, way: Vector) -> Vector:
        """Return minus the Hessian times a way; it is the same for every truth."""
        of_label, of_column = np.split(way, [len(self.every)])
        listed = self.matrix.listed(of_label[None]) + self.covariates.value @ of_column
        moved = self.every * of_label
        beyond = self.beyond(moved)
        away = self.covariates.unlisted @ of_column
        other = away + beyond / self.rest
        mean = (self.share * listed).sum(1) + self.far * other
        change = self.share * (listed - mean[:, None])
        bent = self._summed(
            change, self.far * (other - mean), self.each_far * (away - mean)
        )
        of_far = self._over_far(self.each_far)
        return bent + np.append(moved * of_far + moved, of_column / SPREAD**2)

    @cached_property
    def diagonal(self) -> Vector:
        """About how fast F falls along each number; what is on no list is left out."""
        share, value = self.share, self.covariates.value
        mean = np.einsum("us,usp->up", share, value)
        units = self.matrix.over_labels(share * (1 - share)) + self.every
        spread = np.einsum("us,usp->p", share, (value - mean[:, None]) ** 2)
        return np.append(units, spread + SPREAD**-2)

    def _summed(
        self,
        listed: Truth,
        beyond: Float[np.ndarray, " U"],
        each_beyond: Float[np.ndarray, " U"],
    ) -> Vector:
        """Sum over units what is on lists and beyond, by label and by column."""
        labels = self.matrix.over_labels(listed)
        labels += self.every * self._over_far(each_beyond)
        columns = np.einsum("us,usp->p", listed, self.covariates.value)
        return np.append(labels, columns + beyond.sum() * self.covariates.unlisted)

    def beyond(self, dense: Float[np.ndarray, " K"]) -> Float[np.ndarray, " U"]:
        """Sum over the labels that a unit does not list."""
        listed = self.matrix.listed(dense[None])
        there = np.where(self.covariates.real, listed, 0.0)
        return dense.sum() - there.sum(1)

    def _over_far(self, value: Float[np.ndarray, " U"]) -> Float[np.ndarray, " K"]:
        """Sum over the units that do not list a label."""
        there = np.where(self.covariates.real, value[:, None], 0.0)
        return value.sum() - self.matrix.over_labels(there)


def _vector(logit: Parameters) -> Vector:
    return np.concatenate([logit[PREVALENCE], logit[WEIGHT]])
