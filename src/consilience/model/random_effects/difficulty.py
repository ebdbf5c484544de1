r"""Difficulty of items, drawn from a normal population and integrated out on nodes.

An item of difficulty :math:`\sigma_k x_i`, :math:`x_i \sim N(0, 1)`, has the log-odds
of the right answer lowered by so much, for every annotator. On nodes of a quadrature
for :math:`x_i` that is a mixture of confusions, whose shares are the nodes' weights.
"""

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jax.nn import log_softmax
from jaxtyping import Array, Float

from consilience.model.emission import BySubtype, correct_answer
from consilience.model.random_effects.row_effects import normal_nodes
from consilience.truth import Observations


def sample_difficulty(
    observations: Observations, scale: float, nodes: int
) -> tuple[Float[Array, "K M"], Float[Array, " M"]]:
    """Sample how much items of each state differ, inside a program."""
    shape = jnp.full(observations.num_states, scale)
    difficulty = numpyro.sample("difficulty", dist.HalfNormal(shape).to_event(1))
    node, log_share = normal_nodes(nodes)
    return difficulty[:, None] * node, jnp.asarray(log_share)


def by_difficulty(
    observations: Observations,
    logits: Float[Array, "#J K L"],
    harder: Float[Array, "K M"],
    log_share: Float[Array, " M"],
) -> BySubtype:
    """Return the confusions at each node of difficulty."""
    away = harder[:, :, None] * correct_answer(observations)[:, None]
    return BySubtype(log_softmax(logits[:, :, None] - away), log_share[None])
