r"""GLAD: annotators differ in skill and items in ease, which multiply.

.. math::

   p(y_{ij} \text{ is right}) = \frac{1}{1 + \exp(-\alpha_j e^{b_i})}, \qquad
   \alpha_j \sim N(1, 1), \ b_i \sim N(0, 1)

and each of the other answers is as likely; the labels are as likely before anyone
answers, as in the paper. On an item without ease everyone guesses between right and
wrong; someone with :math:`\alpha_j < 0` answers against the truth.

The paper looks for the most probable :math:`b_i` of every item; here it is integrated
out inside the item, on nodes, so that an item with few answers is not taken to be as
easy as it looks. The paper's :math:`b_i` has mean one: accuracy .94 for the average
annotator on the average item, and more confidence; `ease=1` gives it back.
"""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jax.nn import log_sigmoid

from consilience.model import (
    ByTables,
    NumPyroModel,
    correct_answer,
    normal_nodes,
    subtypes,
)


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of annotators and items.

    Attributes
    ----------
    skill, skill_spread
        Mean and standard deviation of skill.
    ease, ease_spread
        Mean and standard deviation of the logarithm of ease.
    nodes
        Nodes that the ease of an item is integrated on.
    """

    skill: float = 1.0
    skill_spread: float = 1.0
    ease: float = 0.0
    ease_spread: float = 1.0
    nodes: int = 31


def program(data: Any, prior: Prior) -> ByTables:
    """Sample skills; lay out the nodes of ease."""
    with numpyro.plate("annotator", data.num_annotators):
        skill = numpyro.sample("skill", dist.Normal(prior.skill, prior.skill_spread))
    node, log_share = normal_nodes(prior.nodes)
    ease = jnp.exp(prior.ease + prior.ease_spread * node)
    slope = skill[:, None, None, None] * ease[:, None]
    wrong = log_sigmoid(-slope) - jnp.log(data.num_answers - 1)
    right = correct_answer(data)[:, None] > 0
    table = jnp.where(right, log_sigmoid(slope), wrong)
    even = jnp.full(data.num_states, -jnp.log(data.num_states))
    return subtypes(even, table, jnp.asarray(log_share)[None])


MODEL = NumPyroModel(
    program=program,
    prior=Prior(),
    engines=("em", "nuts"),
    references=("Whitehill et al. (2009), section 2",),
    substates=lambda prior: prior.nodes,
)
