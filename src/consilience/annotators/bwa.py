r"""Bayesian weighted average: each label's score is an average of weighted votes.

.. math::

   s_{ik} \sim N(\mu_k, 1 / \lambda), \quad
   v_{y_{ij} k} \sim N(s_{ik}, 1 / w_{jk}), \qquad
   w_{jk} \sim \mathrm{Gamma}(a / 2,\ b_k / 2)

for each label :math:`k` on its own, with :math:`v` one for a vote for :math:`k` and
zero for another: answers are taken for measurements of a score, with a precision of the
annotator's. Scores, their mean and the precisions are the most probable together:

.. math::

   s_{ik} = \frac{\lambda \mu_k + \sum_j w_{jk} v_{y_{ij} k}}{\lambda + \sum_j w_{jk}},
   \qquad w_{jk} = \frac{a + n_j}{b_k + \sum_i (v_{y_{ij} k} - s_{ik})^2}

as published, with :math:`b_k` the mean of :math:`4 (1 - 1/K)\, a\, s (1 - s)` over the
answers, at vote shares. Where an item has gold or candidates, the scores of what cannot
be true are zero, and one for gold.

**What its probabilities mean.** They are the scores, divided by their sum: a smoothed
share of weighted votes, as in a majority vote, not odds that grow with every answer
that agrees. So correlated annotators make it no surer than independent ones, and it is
seldom overconfident. It is not a model of answers, each of which it holds equally
likely: its log-likelihood is the same whatever the parameters and compares with no
other model's.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jaxtyping import Array, Float, Key

from consilience.model import Parameters, ScoreModel, Simulated
from consilience.truth import Observations

TRACE = 1e-12  # keeps a label without votes possible, where gold says it


@dataclass(frozen=True, slots=True)
class Prior:
    """The published settings.

    Attributes
    ----------
    answers
        a: imagined answers of each annotator.
    items
        lambda: precision of the scores of items about their mean.
    """

    answers: float = 15.0
    items: float = 1.0


class Votes(NamedTuple):
    """What the precisions are estimated from, summed once."""

    counts: Float[Array, " J"]
    squares: Float[Array, "J K"]
    rate: Float[Array, " K"]
    is_fixed: Float[Array, "U K"]
    fixed: Float[Array, "U K"]


def prepare(observations: Observations, prior: Prior) -> Votes:
    """Sum what the precisions are estimated from."""
    votes = observations.votes
    ones = jnp.ones((observations.num_annotators, votes.shape[1]))
    given, total = _weighed(observations, ones)
    share = given / jnp.maximum(total, 1)
    counts = observations.by_pair.T @ jnp.ones((observations.num_units, 1))
    counts = counts.reshape(observations.num_annotators, observations.num_answers)
    doubt = (total * share * (1 - share)).sum(0) / counts.sum()
    possible = observations.log_prior > -jnp.inf
    listed = jnp.broadcast_to(possible, observations.guess.shape)
    open_to = observations.to_all_states(listed.astype(votes.dtype))
    alone = open_to.sum(1, keepdims=True) == 1
    return Votes(
        counts=counts.sum(1),
        squares=counts @ votes**2,
        rate=4 * (1 - 1 / votes.shape[1]) * prior.answers * doubt,
        is_fixed=jnp.where(alone, 1.0, 1 - open_to),
        fixed=jnp.where(alone, open_to, 0.0),
    )


def parameters(observations: Observations, prior: Prior) -> Parameters:
    """Sample the precisions; weigh them by the density of all votes, at best scores."""
    annotators, states = observations.num_annotators, observations.num_states
    data: Votes | None = observations.prepared
    even = 4 * (1 - 1 / states) * prior.answers * (1 - 1 / states) / states
    rate = jnp.full(states, even) if data is None else data.rate
    prior_rate = jnp.broadcast_to(rate / 2, (annotators, states))
    precision = numpyro.sample(
        "precision", dist.Gamma(prior.answers / 2, prior_rate).to_event(2)
    )
    if data is None:
        mean = jnp.full(states, 1 / states)
    else:
        mean, density = _best(observations, prior, data, precision)
        numpyro.factor("votes", density)
    return {"precision": precision, "mean": mean, "items": jnp.asarray(prior.items)}


def _best(
    observations: Observations,
    prior: Prior,
    data: Votes,
    precision: Float[Array, "J K"],
) -> tuple[Float[Array, " K"], Float[Array, ""]]:
    """Return the most probable mean, and the log density of all votes and scores."""
    weighed, total = _weighed(observations, precision)
    # Scores are rest + pull x mean, and the mean is that of the scores.
    pull = (1 - data.is_fixed) * prior.items / (prior.items + total)
    rest = (1 - data.is_fixed) * weighed / (prior.items + total) + data.fixed
    count = jnp.broadcast_to(observations.scale, len(rest))
    mean = (count @ rest) / (count.sum() - count @ pull)
    scores = rest + pull * mean
    misses = (precision * data.squares).sum(0)
    misses += count @ (total * scores**2 - 2 * scores * weighed)
    misses += prior.items * (count @ (scores - mean) ** 2)
    gain = (data.counts[:, None] * jnp.log(precision)).sum(0)
    return mean, 0.5 * (gain - misses).sum()


def score(observations: Observations, parameters: Parameters) -> Float[Array, "U S"]:
    """Return log of the share of weighted votes, over all answers being as likely.

    Nothing is learned from it: to whoever estimates the parameters it is a constant.
    """
    fixed = jax.lax.stop_gradient(dict(parameters))
    weighed, total = _weighed(observations, fixed["precision"])
    share = observations.listed(_shares(fixed, weighed, total))
    ones = jnp.ones((observations.by_pair.shape[1], 1))
    each = (observations.by_pair @ ones) * jnp.log(observations.num_answers)
    return jnp.log(jnp.maximum(share, TRACE)) + observations.log_prior - each


@jax.jit
def simulation(
    key: Key[Array, ""], observations: Observations, parameters: Parameters
) -> Simulated:
    """Draw answers, all as likely, and the truth from the shares that they make."""
    first, second = jax.random.split(key)
    shape = observations.annotator.shape
    answer = jax.random.randint(first, shape, 0, observations.num_answers)
    precision = parameters["precision"][observations.annotator]
    weighed = observations.by_answer @ (precision * observations.votes[answer])
    share = _shares(parameters, weighed, observations.by_answer @ precision)
    logs = jnp.log(observations.listed(share)) + observations.log_prior
    slot = jax.random.categorical(second, logs)
    lists = jnp.broadcast_to(observations.state, logs.shape)
    state = jnp.take_along_axis(lists, slot[:, None], axis=1)[:, 0]
    return Simulated({"precision": parameters["precision"]}, state, answer)


def _weighed(
    observations: Observations, precision: Float[Array, "J K"]
) -> tuple[Float[Array, "U K"], Float[Array, "U K"]]:
    # Sums over the answers of each unit: of precision x vote, and of precision.
    votes = jnp.concatenate([observations.votes, jnp.ones_like(observations.votes)], 1)
    both = jnp.tile(precision, 2)[:, None] * votes
    sums = observations.by_pair @ both.reshape(-1, both.shape[-1])
    return sums[:, : precision.shape[1]], sums[:, precision.shape[1] :]


def _shares(
    parameters: Parameters, weighed: Float[Array, "U K"], total: Float[Array, "U K"]
) -> Float[Array, "U K"]:
    items = parameters["items"]
    scores = (items * parameters["mean"] + weighed) / (items + total)
    return scores / scores.sum(1, keepdims=True)


MODEL = ScoreModel(
    prior=Prior(),
    dims={"precision": ("annotator", "true_class")},
    engines=("em",),
    references=("Li (2019), section 3",),
    parameters=parameters,
    prepare=prepare,
    log_joint=score,
    simulate_answers=simulation,
)
