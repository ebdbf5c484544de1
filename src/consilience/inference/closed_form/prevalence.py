r"""Steps of prevalence and the weights of columns, compiled once for all models.

They take what the answers say of the truth, and no answers: `logit_step` climbs,
`logit_draws` draws.

**Draws of gamma variables in whole arrays.** By Marsaglia and Tsang (2000), as
`jax.random.loggamma` does number by number: here all numbers of a round are proposed at
once, and the one in twenty that is rejected again. A draw of many small vectors takes a
fraction of the time, and so does compiling it.

**Draws of prevalence and the weights of columns, given the truth: exact in the limit.**
The truth of a unit, given its list, is drawn from a multinomial logit
(`model.summed`) with :math:`\lambda_k \sim \mathrm{Gamma}(a_k, 1)`
instead of the prevalence, whose shares it is. With an exponential variable for each
unit,

.. math::

   t_u \sim \mathrm{Exp}\Big(\sum_{s \in C_u} \lambda_s e^{x_{us}^\top \beta}\Big),
   \qquad
   \lambda_k \mid z, t \sim \mathrm{Gamma}\Big(a_k + n_k,\
   1 + \sum_u t_u e^{x_{uk}^\top \beta}\Big).

Weights take random-walk steps, as wide as the posterior given the truth is there where
the optimizer has ended; with each, prevalence moves so that the labels keep their
shares.

**A Newton step for prevalence and the weights of columns, given beliefs of the truth.**
Where candidates have columns the prior of the truth is a multinomial logit
(`model.summed`), and has no closed form. With the truth as it is
believed,

.. math::

   F(\alpha, \beta) = \sum_u \sum_s q_{us} \log p_{us}
   + \sum_k (a_k \alpha_k - e^{\alpha_k}) - \tfrac12 |\beta|^2

is concave. The first penalty is the density of logarithms of gamma variables, whose
shares have the Dirichlet prior of the prevalence. The Newton direction is solved for by
conjugate gradients, scaled by the diagonal, and halved until F does not fall.

References
----------
Caron and Doucet (2012), Efficient Bayesian inference for generalized Bradley-Terry
models, section 3.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.sparse.linalg import cg
from jaxtyping import Array, Bool, Float, Int, Key

from consilience.inference.closed_form.sweeps import Sweeps
from consilience.model import (
    PREVALENCE,
    SPREAD,
    WEIGHT,
    Parameters,
    imagined_units,
    log_logit,
    log_total,
    over_labels,
)
from consilience.model.on_host import ColumnPrior
from consilience.truth import Observations

STEPS = 10  # of the weights in a sweep, each of a size drawn afresh between these
SIZES = (-3.0, 1.0)  # powers of two, about 2.4 over the root of the number of columns
ACCURACY = 0.01  # to which the direction is solved for, relative to the gradient
HALVINGS = 6


def first(sweeps: Sweeps) -> Parameters:
    """Return the start: prevalence as in the prior, columns unused."""
    imagined = imagined_units(sweeps.model, sweeps.coding)
    with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        return _on_host(first_logit(sweeps.columns.observations, jnp.asarray(imagined)))


def step(
    sweeps: Sweeps, logit: Parameters, truth: Float[np.ndarray, "U S"]
) -> tuple[Parameters, float]:
    """Return prevalence and weights one step up, and their log density before."""
    imagined = imagined_units(sweeps.model, sweeps.coding)
    with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        ended, density = _step(
            sweeps.columns.observations, imagined, dict(logit), truth
        )
        return _on_host(ended), float(density)


class Walk(NamedTuple):
    """How steps go: their shape, and how prevalence moves with each weight."""

    shape: Float[Array, "P P"]
    along: Float[Array, "K P"]


def walk(
    observations: Observations, concentration: Float[Array, " K"], logit: Parameters
) -> Walk:
    """Return steps that suit the posterior of the weights, were the truth known."""
    zero = LogitCounts(*(jnp.zeros_like(logit[name]) for name in (PREVALENCE, WEIGHT)))
    start, weights = logit[PREVALENCE], logit[WEIGHT]

    def fall(prevalence: Any, weights: Any) -> Float[Array, ""]:
        there = {PREVALENCE: prevalence, WEIGHT: weights}
        return -height(observations, concentration, zero, there)

    bent = jax.jacrev(jax.grad(fall, argnums=1))(start, weights)
    along = -bent.T / curvature(observations, logit)[PREVALENCE][:, None]

    def moved(move: Any) -> Float[Array, ""]:
        return fall(start + along @ move, weights + move)

    precision = jax.jacrev(jax.grad(moved))(jnp.zeros_like(weights))
    inverse = jnp.linalg.inv(precision)
    shape = 2.4 / jnp.sqrt(len(weights)) * jnp.linalg.cholesky(inverse)
    return Walk(shape, along)


class Chain(NamedTuple):
    """How prevalence and weights are drawn: what does not change between draws."""

    columns: ColumnPrior
    imagined: Float[np.ndarray, " K"]
    walk: Walk
    key: Key[Array, ""]


def chain(sweeps: Sweeps, logit: Parameters, generator: np.random.Generator) -> Chain:
    """Return how to draw prevalence and weights, starting from the optimum."""
    columns, imagined = sweeps.columns, imagined_units(sweeps.model, sweeps.coding)
    with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        how = _walk(columns.observations, imagined, dict(logit))
        key = jax.random.key(int(generator.integers(2**32)))
    return Chain(columns, imagined, how, key)


def draw(
    how: Chain, number: int, logit: Parameters, truth: Float[np.ndarray, "U S"]
) -> Parameters:
    """Draw prevalence and weights, given the truth."""
    with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        drawn = _draw(
            jax.random.fold_in(how.key, number),
            how.columns.observations,
            how.imagined,
            dict(logit),
            truth,
            how.walk,
        )
        return _on_host(drawn)


def _on_host(logit: Parameters) -> dict[str, Float[np.ndarray, "..."]]:
    return {name: np.asarray(value) for name, value in logit.items()}


@jax.jit
def _step(
    observations: Observations,
    imagined: Float[Array, " K"],
    logit: Parameters,
    truth: Float[Array, "U S"],
) -> tuple[Parameters, Float[Array, ""]]:
    ended = logit_step(observations, imagined, logit, truth)
    return ended, log_density(imagined, logit)


@jax.jit
def _walk(
    observations: Observations, imagined: Float[Array, " K"], logit: Parameters
) -> Walk:
    return walk(observations, imagined, logit)


@jax.jit
def _draw(
    key: Key[Array, ""],
    observations: Observations,
    imagined: Float[Array, " K"],
    logit: Parameters,
    truth: Float[Array, "U S"],
    how: Walk,
) -> Parameters:
    counts: LogitCounts = logit_counts(observations, truth)
    return draw_logit(key, observations, imagined, logit, counts, how)


def log_gamma(
    key: Key[Array, ""], shape: Float[Array, "*batch"]
) -> Float[Array, "*batch"]:
    """Draw logarithms of gamma variables of scale one."""
    first, second = jax.random.split(key)
    # Of shape + 1, where at least .95 of proposals are accepted, then taken back.
    middle = shape + 2 / 3
    width = 1 / (3 * jnp.sqrt(middle))

    def unfinished(carry: tuple[Array, Array, Array]) -> Bool[Array, ""]:
        return ~carry[1].all()

    def propose(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        logs, done, number = carry
        of_normal, of_luck = jax.random.split(jax.random.fold_in(first, number))
        normal = jax.random.normal(of_normal, shape.shape, jnp.float32)
        luck = jax.random.exponential(of_luck, shape.shape, jnp.float32)
        root = 1 + width * normal.astype(shape.dtype)
        log_cube = 3 * jnp.log(jnp.maximum(root, 1e-30))
        slack = normal**2 / 2 + middle * (1 - root**3 + log_cube)
        accepted = (root > 0) & (-luck < slack)
        logs = jnp.where(accepted & ~done, jnp.log(middle) + log_cube, logs)
        return logs, done | accepted, number + 1

    start = (jnp.zeros_like(shape), jnp.zeros(shape.shape, bool), _zero())
    logs, _, _ = jax.lax.while_loop(unfinished, propose, start)
    back = jax.random.exponential(second, shape.shape, jnp.float32)
    return logs - back.astype(shape.dtype) / shape


def _zero() -> Int[Array, ""]:
    return jnp.asarray(0)


class LogitCounts(NamedTuple):
    """What the truth says of the logit: units of each state, and sums of columns."""

    units: Float[Array, " K"]
    sums: Float[Array, " P"]


def draw_logit(
    key: Key[Array, ""],
    observations: Observations,
    concentration: Float[Array, " K"],
    logit: Parameters,
    counts: LogitCounts,
    how: Walk,
) -> Parameters:
    """Draw prevalence, and weights, given the truth."""
    of_prevalence, of_weights = jax.random.split(key)
    drawn = _prevalence(of_prevalence, observations, concentration, logit, counts)
    start = {PREVALENCE: drawn, WEIGHT: logit[WEIGHT]}

    def reached(logit: Any) -> Float[Array, ""]:
        return height(observations, concentration, counts, logit)

    def step(carry: Any, key: Any) -> tuple[Any, None]:
        of_size, of_move, of_luck = jax.random.split(key, 3)
        size = 2.0 ** jax.random.uniform(of_size, minval=SIZES[0], maxval=SIZES[1])
        move = size * how.shape @ jax.random.normal(of_move, counts.sums.shape)
        there = {
            PREVALENCE: carry[PREVALENCE] + how.along @ move,
            WEIGHT: carry[WEIGHT] + move,
        }
        taken = jnp.log(jax.random.uniform(of_luck)) < reached(there) - reached(carry)
        return {n: jnp.where(taken, there[n], carry[n]) for n in carry}, None

    ended, _ = jax.lax.scan(step, start, jax.random.split(of_weights, STEPS))
    return ended


def _prevalence(
    key: Key[Array, ""],
    observations: Observations,
    concentration: Float[Array, " K"],
    logit: Parameters,
    counts: LogitCounts,
) -> Float[Array, " K"]:
    covariates = observations.prior_covariates
    of_waits, of_gamma = jax.random.split(key)
    total = log_total(observations, logit)
    waits = jax.random.exponential(of_waits, total.shape)

    def exposure(value: Float[Array, "*units P"], where: Any) -> Float[Array, "U _"]:
        odds = (value @ logit[WEIGHT]) - total[:, None]
        return jnp.where(where, waits[:, None] * jnp.exp(odds), 0.0)

    listed = exposure(covariates.value, covariates.real)
    # Every label for each unit that is open, less those on its list.
    distant = exposure(covariates.unlisted[None], covariates.open[:, None])
    stake = over_labels(observations, listed - jnp.where(covariates.real, distant, 0.0))
    drawn: Float[Array, " K"] = log_gamma(of_gamma, concentration + counts.units)
    return drawn - jnp.log1p(jnp.maximum(stake + distant.sum(), 0.0))


def first_logit(
    observations: Observations, concentration: Float[Array, " K"]
) -> Parameters:
    """Return the start: prevalence as in the prior, columns unused."""
    covariates = observations.prior_covariates
    weight = jnp.zeros(covariates.value.shape[2])
    return {PREVALENCE: jnp.log(concentration), WEIGHT: weight}


def logit_counts(observations: Observations, truth: Float[Array, "U S"]) -> LogitCounts:
    """Return what a truth, or a belief of it, says of the logit."""
    covariates = observations.prior_covariates
    sums = jnp.einsum("us,usp->p", truth, covariates.value)
    return LogitCounts(over_labels(observations, truth), sums)


def log_density(
    concentration: Float[Array, " K"], logit: Parameters
) -> Float[Array, ""]:
    """Return the log density of the logarithms of prevalence, and of the weights."""
    log_prevalence = logit[PREVALENCE]
    gamma = concentration * log_prevalence - jnp.exp(log_prevalence)
    normal: Float[Array, ""] = -0.5 * ((logit[WEIGHT] / SPREAD) ** 2).sum()
    return gamma.sum() + normal


def height(
    observations: Observations,
    concentration: Float[Array, " K"],
    counts: LogitCounts,
    logit: Parameters,
) -> Float[Array, ""]:
    """Return F: the log density of prevalence and weights, given the truth."""
    likely = counts.units @ logit[PREVALENCE] + counts.sums @ logit[WEIGHT]
    total = log_total(observations, logit).sum()
    reached: Float[Array, ""] = likely - total + log_density(concentration, logit)
    return reached


def logit_step(
    observations: Observations,
    concentration: Float[Array, " K"],
    logit: Parameters,
    truth: Float[Array, "U S"],
) -> Parameters:
    """Return prevalence and weights one step further up."""
    counts = logit_counts(observations, truth)

    def reached(logit: Parameters) -> Float[Array, ""]:
        return height(observations, concentration, counts, logit)

    # Backwards twice: products with sparse matrices have no forward derivative. What is
    # pulled back is how the slope changes along a way, as the Hessian is symmetric.
    slope, pull = jax.vjp(jax.grad(reached), logit)

    def hessian_product(way: Any) -> Any:
        return jax.tree.map(jnp.negative, pull(way)[0])

    diagonal = curvature(observations, logit)

    def scaled(way: Any) -> Any:
        return {name: way[name] / diagonal[name] for name in way}

    direction, _ = cg(  # type: ignore[no-untyped-call]
        hessian_product, slope, tol=ACCURACY, maxiter=STEPS, M=scaled
    )
    return _line_search(reached, logit, direction)


def curvature(observations: Observations, logit: Parameters) -> Parameters:
    """Return about how fast F bends along each number: what is on no list left out."""
    covariates = observations.prior_covariates
    share = jnp.exp(log_logit(observations, logit))
    away = covariates.value - jnp.einsum("us,usp->up", share, covariates.value)[:, None]
    units = over_labels(observations, share * (1 - share))
    weight = jnp.einsum("us,usp->p", share, away**2)
    return {
        PREVALENCE: units + jnp.exp(logit[PREVALENCE]),
        WEIGHT: weight + SPREAD**-2,
    }


def _line_search(
    reached_at: Callable[[Parameters], Float[Array, ""]],
    start: Parameters,
    direction: Parameters,
) -> Parameters:
    """Return the end of a direction, or of half of it, or less, where that is up."""

    def along(size: Float[Array, ""]) -> Parameters:
        return {name: value + size * direction[name] for name, value in start.items()}

    value = reached_at(start)

    def too_far(carry: Any) -> Any:
        _, reached, tried = carry
        return ~(reached >= value) & (tried <= HALVINGS)

    def halve(carry: Any) -> Any:
        size, _, tried = carry
        return size / 2, reached_at(along(size / 2)), tried + 1

    first = (jnp.full_like(value, 2.0), jnp.full_like(value, jnp.nan), 0)
    size, reached, _ = jax.lax.while_loop(too_far, halve, first)
    return along(jnp.where(reached >= value, size, 0.0))
