r"""Majority vote: the truth is the label of a response drawn at random.

.. math::

   p(y_1, \dots, y_n) = L^{-n}, \qquad
   p(z = k \mid y) = \frac{1}{n} \sum_i v_{y_i k}

with :math:`v_{lk}` the vote of answer :math:`l` for state :math:`k`. The posterior is
the share of votes, taken at face value: it knows nothing of who is reliable, and a
unit with one response is certain. Ties are reported, never broken. It is the baseline
that other models have to beat.
"""

from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Float

from consilience.model import ParameterFreeModel, Parameters
from consilience.truth import Observations, Space, tally

# Keeps a state without votes possible, for units whose gold label nobody gave.
TRACE = 1e-12


@dataclass(frozen=True, slots=True)
class Prior:
    """Majority vote has nothing to set."""


def layout(space: Space, prior: Prior) -> Float[Array, "U S"]:
    """Return the votes of each listed state: all that majority vote looks at."""
    del prior
    return jnp.asarray(tally(space))


def score(observations: Observations, parameters: Parameters) -> Float[Array, "U S"]:
    """Return log of the share of votes, over all answers being as likely."""
    del parameters
    votes: Float[Array, "U S"] = observations.layout
    answers = votes.sum(1, keepdims=True)
    prior = observations.listed(observations.votes.mean(0)[None])
    share = jnp.where(answers > 0, votes / jnp.maximum(answers, 1), prior)
    possible = jnp.log(jnp.maximum(share, TRACE)) + observations.log_prior
    return possible - answers * jnp.log(observations.num_answers)


MODEL = ParameterFreeModel(
    prior=Prior(),
    dims={},
    engines=("em",),
    references=("folklore",),
    layout=layout,
    log_joint=score,
)
