r"""Hierarchical Dawid-Skene: annotators are drawn from a population that is learned.

Closed form (`vb`): the Dirichlet prior of the confusions is itself estimated,

.. math::

   \theta_{jk} \sim \mathrm{Dir}(\alpha_k), \qquad
   \alpha_{kl} \sim \mathrm{Gamma}(1 + h a_{kl},\ h)

with mode :math:`a_{kl}` of four for the truth and one for other answers, held with the
weight of `h` annotators. Sampling (`nuts`, `svi`): the same idea in log-odds,

.. math::

   \theta_{jk} = \mathrm{softmax}(V \beta_{jk}), \quad
   \beta_{jk} \sim N(\mu_k, \sigma_k^2 I), \quad
   \mu_k \sim N(V^\top m_k, I), \quad \sigma_k \sim N^+(0, 1)

with :math:`V` an orthonormal basis of the vectors that sum to zero, so that no answer
is singled out, and :math:`m_k` two for the truth and zero for other answers.

**The geometry.** Given :math:`\mu, \sigma`, the posterior of :math:`\beta_{jk}` is
near normal with precision :math:`\sigma_k^{-2} I + H_{jk}`, where :math:`H_{jk}` is the
information in the answers. Sampled is the *standardised* distance from that normal's
mean, not :math:`\beta` (which makes a funnel where answers are few) nor
:math:`(\beta - \mu)/\sigma` (which makes one where they are many, and mixes badly in
:math:`\sigma`). In the eigenvectors of :math:`H_{jk}`, which the data fix, the map is a
product of scalars. It is exact whatever the first guess of the truth that :math:`H` is
taken from; a good guess makes the posterior nearly spherical.

The default where annotators have ids: an annotator with few answers borrows from the
others, as much as the others are alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax.nn import log_softmax
from jaxtyping import Array, Float

from consilience.model import AnnotatorModel, ByConfusion, Dirichlet, Parameters
from consilience.truth import Observations


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of the population.

    Attributes
    ----------
    own, other, held
        Closed form: mode of the learned concentration, and its weight in annotators.
    logit
        Sampling: log-odds of the truth over another answer, before its spread of one.
    spread
        Sampling: scale of the half-normal prior of the spread between annotators.
    prevalence
        Imagined items of each state.
    """

    own: float = 4.0
    other: float = 1.0
    held: float = 1.0
    logit: float = 2.0
    spread: float = 1.0
    prevalence: float = 1.0


def dirichlet(observations: Observations, prior: Prior) -> Mapping[str, Dirichlet]:
    """Return the priors of the closed form; that of the confusions is learned."""
    annotators = observations.num_annotators
    states, answers = observations.num_states, observations.num_answers
    confusion = prior.other + (prior.own - prior.other) * observations.votes.T
    prevalence = jnp.full(states, prior.prevalence)
    shape = (annotators, states, answers)
    return {
        "prevalence": Dirichlet(prevalence, (states,)),
        "confusion": Dirichlet(confusion, shape, held=prior.held),
    }


def parameters(observations: Observations, prior: Prior) -> Parameters:
    """Sample population, spread and every annotator's standardised distance."""
    basis = _zero_sum_basis(observations.num_answers)
    states, free = observations.num_states, observations.num_answers - 1
    prevalence = numpyro.sample(
        "prevalence", dist.Dirichlet(jnp.full(states, prior.prevalence))
    )
    centre = prior.logit * observations.votes.T @ basis
    population = numpyro.sample("population", dist.Normal(centre, 1.0).to_event(2))
    spread = numpyro.sample(
        "spread", dist.HalfNormal(jnp.full(states, prior.spread)).to_event(1)
    )
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
    log_confusion = log_softmax(beta @ basis.T)
    numpyro.deterministic("confusion", jnp.exp(log_confusion))
    return {"prevalence": jnp.log(prevalence), "confusion": log_confusion}


def emission(observations: Observations, parameters: Parameters) -> ByConfusion:
    """Return the confusion of each annotator."""
    del observations
    return ByConfusion(parameters["confusion"])


def prepare(
    observations: Observations, prior: Prior
) -> tuple[Float[Array, "J K F"], Float[Array, "J K F"], Float[Array, "J K F F"]]:
    """Return the information of each confusion row: slope, curvature, eigenvectors.

    The log-likelihood of a row is expanded to second order at smoothed proportions,
    under the guess of the truth; slope is that of the parabola at zero. Curvature is
    that of the counts as if the truth were known, less what not knowing it takes away
    (Louis 1982, section 3), and at least zero.
    """
    basis = _zero_sum_basis(observations.num_answers)
    shape = (observations.num_annotators, observations.num_answers, -1)
    guess = observations.spread(observations.guess)
    count = (observations.by_pair.T @ guess).reshape(shape).swapaxes(1, 2)
    doubt = guess * (1 - guess)
    unsure = (observations.by_pair.T @ doubt).reshape(shape).swapaxes(1, 2)
    imagined = prior.other + (prior.own - prior.other) * observations.votes.T
    total = count.sum(-1, keepdims=True)
    share = (count + imagined) / (total + imagined.sum(-1, keepdims=True))
    at = jnp.log(share) @ basis
    spread = basis.T[:, :, None] * basis[None]  # (F, L, F)
    second = jnp.einsum("jkl,flg->jkfg", share, spread)
    first = share @ basis
    known = total[..., None] * (second - first[..., None] * first[..., None, :])
    away = basis - first[..., None, :]  # of each answer from the mean answer
    missing = jnp.einsum("jkl,jklf,jklg->jkfg", unsure, away, away)
    hessian = _at_least_zero(known - missing)
    gradient = (count - total * share) @ basis
    curvature, axes = jnp.linalg.eigh(hessian)
    slope = jnp.einsum(
        "jkfe,jkf->jke", axes, gradient + jnp.einsum("jkfg,jkg->jkf", hessian, at)
    )
    return slope, curvature, axes


def _at_least_zero(symmetric: Float[Array, "J K F F"]) -> Float[Array, "J K F F"]:
    values, vectors = jnp.linalg.eigh(symmetric)
    return jnp.einsum("jkfe,jke,jkge->jkfg", vectors, jnp.maximum(values, 0.0), vectors)


def _zero_sum_basis(size: int) -> Float[np.ndarray, "L F"]:
    # Helmert's contrasts: each answer against the mean of those before it.
    basis = np.zeros((size, size - 1))
    for column in range(1, size):
        basis[:column, column - 1] = 1.0
        basis[column, column - 1] = -column
    return basis / np.linalg.norm(basis, axis=0)


MODEL = AnnotatorModel(
    prior=Prior(),
    dims={
        "prevalence": ("true_class",),
        "confusion": ("annotator", "true_class", "given_class"),
        "population": ("true_class", "contrast"),
        "spread": ("true_class",),
        "distance": ("annotator", "true_class", "contrast"),
    },
    engines=("vb", "nuts", "svi"),
    references=(
        "Paun et al. (2018), section 3.4",
        "Louis (1982), Finding the observed information matrix, section 3",
        "Minka (2000), Estimating a Dirichlet distribution, section 2",
        "Kleppe (2019), Dynamically rescaled Hamiltonian Monte Carlo, section 3",
    ),
    dirichlet=dirichlet,
    parameters=parameters,
    prepare=prepare,
    emission=emission,
)
