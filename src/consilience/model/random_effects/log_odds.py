r"""Rows of log-odds, one for each annotator and state, drawn from a learned population.

.. math::

   \beta_{jk} \sim N(\mu_k, \sigma_k^2 I), \quad
   \mu_k \sim N(V^\top m_k, \tau^2 I)

and the log-odds of the answers are :math:`V \beta_{jk}`, with :math:`V` an orthonormal
basis of the vectors that sum to zero, so that no answer is singled out.

**The geometry.** Given :math:`\mu, \sigma`, the posterior of :math:`\beta_{jk}` is
near normal with precision :math:`\sigma_k^{-2} I + H_{jk}`, where :math:`H_{jk}` is the
information in the answers. Sampled is the *standardised* distance from that normal's
mean, not :math:`\beta` (which makes a funnel where answers are few) nor
:math:`(\beta - \mu)/\sigma` (which makes one where they are many, and mixes badly in
:math:`\sigma`). In the eigenvectors of :math:`H_{jk}`, which the data fix, the map is a
product of scalars. It is exact whatever the first guess of the truth that :math:`H` is
taken from; a good guess makes the posterior nearly spherical.

In these coordinates the width of the posterior hardly depends on :math:`\sigma`, so
that the mode of all together is near that of :math:`\sigma` with the annotators
integrated out (Laplace's approximation); in others it is not.

References
----------
Kleppe (2019), Dynamically rescaled Hamiltonian Monte Carlo, section 3.
Louis (1982), Finding the observed information matrix, section 3.
"""

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jaxtyping import Array, Float

from consilience.model.random_effects.row_effects import zero_sum_basis
from consilience.truth import Observations

type Information = tuple[
    Float[Array, "J K F"], Float[Array, "J K F"], Float[Array, "J K F F"]
]


def sample_population(
    observations: Observations, logit: float, scale: float = 1.0
) -> Float[Array, "K F"]:
    """Sample the population's log-odds, in the zero-sum basis, inside a program."""
    basis = zero_sum_basis(observations.num_answers)
    centre = logit * observations.votes.T @ basis
    population: Float[Array, "K F"] = numpyro.sample(
        "population", dist.Normal(centre, scale).to_event(2)
    )
    return population


def sample_rows(
    observations: Observations,
    population: Float[Array, "K F"],
    spread: Float[Array, "#K"],
) -> Float[Array, "J K L"]:
    """Sample every annotator's distance from the population, inside a program."""
    states, free = population.shape
    standard = dist.Normal(jnp.zeros((observations.num_annotators, states, free)), 1.0)
    distance = numpyro.sample("distance", standard.to_event(3))
    if observations.prepared is None:
        beta = population + spread[:, None] * distance
    else:
        slope, curvature, axes = observations.prepared
        # In the eigenvectors of the information of each row of confusion.
        mean = jnp.einsum("jkfe,kf->jke", axes, population)
        tight = spread[:, None] ** -2
        width = (tight + curvature) ** -0.5
        along = (mean * tight + slope) * width**2 + width * distance
        change = dist.Normal(mean, spread[:, None]).log_prob(along) + jnp.log(width)
        numpyro.factor("geometry", change.sum() - standard.log_prob(distance).sum())
        beta = jnp.einsum("jkfe,jke->jkf", axes, along)
    log_odds: Array = beta @ zero_sum_basis(observations.num_answers).T
    return log_odds


def information(
    observations: Observations, correct: float, other: float
) -> Information:
    """Return the information of each confusion row: slope, curvature, eigenvectors.

    The log-likelihood of a row is expanded to second order at smoothed proportions,
    under the guess of the truth; slope is that of the parabola at zero. Curvature is
    that of the counts as if the truth were known, less what not knowing it takes away
    (Louis 1982, section 3), and at least zero.
    """
    basis = zero_sum_basis(observations.num_answers)
    shape = (observations.num_annotators, observations.num_answers, -1)
    guess = observations.to_all_states(observations.guess)
    count = (observations.by_pair.T @ guess).reshape(shape).swapaxes(1, 2)
    doubt = guess * (1 - guess)
    unsure = (observations.by_pair.T @ doubt).reshape(shape).swapaxes(1, 2)
    imagined = other + (correct - other) * observations.votes.T
    total = count.sum(-1, keepdims=True)
    share = (count + imagined) / (total + imagined.sum(-1, keepdims=True))
    at = jnp.log(share) @ basis
    spread = basis.T[:, :, None] * basis[None]  # (F, L, F)
    second = jnp.einsum("jkl,flg->jkfg", share, spread)
    first = share @ basis
    observed = total[..., None] * (second - first[..., None] * first[..., None, :])
    away = basis - first[..., None, :]  # of each answer from the mean answer
    missing = jnp.einsum("jkl,jklf,jklg->jkfg", unsure, away, away)
    hessian = _at_least_zero(observed - missing)
    gradient = (count - total * share) @ basis
    curvature, axes = jnp.linalg.eigh(hessian)
    slope = jnp.einsum(
        "jkfe,jkf->jke", axes, gradient + jnp.einsum("jkfg,jkg->jkf", hessian, at)
    )
    return slope, curvature, axes


def _at_least_zero(symmetric: Float[Array, "J K F F"]) -> Float[Array, "J K F F"]:
    values, vectors = jnp.linalg.eigh(symmetric)
    return jnp.einsum("jkfe,jke,jkge->jkfg", vectors, jnp.maximum(values, 0.0), vectors)
