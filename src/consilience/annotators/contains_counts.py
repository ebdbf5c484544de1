r"""Counts of yes, maybe and no: every label has a yes-frequency in the population.

.. math::

   f_i \sim \sum_{c=1}^{C} w_c(x_i)\, \mathrm{Beta}(m_c k_c, (1 - m_c) k_c), \qquad
   w(x_i) = \mathrm{softmax}(b + x_i^\top B)

.. math::

   p(\text{maybe}) = 2 \kappa f_i (1 - f_i), \qquad
   p(\text{yes}) = f_i - \tfrac{1}{2} p(\text{maybe})

For answers without annotator ids. A pair of item and label has a **frequency**
:math:`f_i`: the share of yes that it would get if everyone answered, a *maybe* counting
half. Five answers show it badly: of pairs with frequencies near one half, some get five
yeses. What the frequencies of all pairs are like is learned as a mixture of Betas, and
each pair is drawn towards it. Whoever answers *maybe* (with chance :math:`\kappa`)
looks twice and sees two things; so its share is largest where people are divided.

A label is present if its frequency is above the threshold of the prior (one half);
`cs.contains.frequencies` asks for any other afterwards. Prior covariates :math:`x_i`,
such as the scores of classifiers, say which Beta is more probable.

The frequency is summed out on nodes equally spaced in its log-odds. That annotators
differ is not seen here: it is part of what everyone would answer.

References
----------
Engstrom, Ilyas, Santurkar, Tsipras, Steinhardt and Madry (2020), Identifying
statistical bias in dataset replication. Skellam (1948), for the
Beta-binomial.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax.nn import log_sigmoid, sigmoid, softmax
from jaxtyping import Array, Float, Key

from consilience.errors import OptionError
from consilience.model import NumPyroModel, Parameters, Simulated
from consilience.model.summed import Arithmetic, LaidOutAnswers
from consilience.truth import ContainsSpace, Observations
from consilience.truth.arrays import pytree

LEAST = 1e-12  # of a probability


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of frequencies; judgement, but for the grid.

    Attributes
    ----------
    components
        How many Betas. The middles of their means lie evenly in log-odds.
    middle, means
        How far from one half the outermost lie, in log-odds, and the standard deviation
        of means about their middles.
    answers
        Median concentration of a Beta, in answers.
    share, weights
        Standard deviation of the log-odds of a Beta, and of the weight of a covariate
        of standard deviation one.
    threshold
        A label with a frequency above it is present.
    nodes, reach
        Nodes of the frequency, and how far from one half they reach, in log-odds: to
        .000006, and .125 apart, half the width that a hundred answers leave.
    """

    components: int = 3
    middle: float = 2.0
    means: float = 1.0
    answers: float = 5.0
    share: float = 1.5
    weights: float = 1.0
    threshold: float = 0.5
    nodes: int = 193
    reach: float = 12.0


@pytree()
@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of each answer to each pair, and the prior covariates."""

    by_answer: Float[Array, "U L"]
    covariates: Float[Array, "U P"]


def layout(space: ContainsSpace, prior: Prior) -> Counts:
    """Count the answers to each pair."""
    if len(space.states) != 2:
        raise OptionError(
            f"`states={len(space.states)}`: the model contains_counts has frequencies "
            "between absent and present; leave it out, or take contains_states"
        )
    if not prior.threshold < 1:
        raise OptionError(
            f"threshold is {prior.threshold}; give a frequency between 0 and 1"
        )
    answers = len(space.answers)
    cell = space.unit.astype(np.int64) * answers + space.answer
    counts = np.bincount(cell, space.n, space.num_units * answers)
    return Counts(
        by_answer=jnp.asarray(counts.reshape(space.num_units, answers)),
        covariates=jnp.asarray(space.covariates.value),
    )


def program(data: Observations, prior: Prior) -> LaidOutAnswers:
    """Sample the Betas, their shares, and how often people say maybe."""
    counts: Counts = data.layout
    number = prior.components
    middle = jnp.linspace(-prior.middle, prior.middle, number) if number > 1 else 0.0
    centre = jnp.broadcast_to(middle, (number,))
    mean = numpyro.sample("mean", dist.Normal(centre, prior.means).to_event(1))
    spread = dist.LogNormal(jnp.full(number, np.log(prior.answers)), 1.0)
    concentration = numpyro.sample("concentration", spread.to_event(1))
    free = jnp.zeros(number - 1)
    share = numpyro.sample("share", dist.Normal(free, prior.share).to_event(1))
    odds = jnp.broadcast_to(share, (len(counts.by_answer), number - 1))
    columns = counts.covariates.shape[1]
    if columns:
        wide = dist.Normal(jnp.zeros((columns, number - 1)), prior.weights)
        odds += counts.covariates @ numpyro.sample("weight", wide.to_event(2))
    parameters = {
        "mean": mean,
        "concentration": concentration,
        "maybe": numpyro.sample("maybe", dist.Beta(1.0, 1.0)),
        "odds": jnp.concatenate([jnp.zeros((len(odds), 1)), odds], 1),
        "node": nodes(prior),
        "threshold": jnp.asarray(prior.threshold),
    }
    return LaidOutAnswers(parameters, Arithmetic(score, derived, simulation, fresh))


def nodes(prior: Prior) -> Float[Array, " T"]:
    """Return the log-odds of the frequencies that are summed over."""
    return jnp.linspace(-prior.reach, prior.reach, prior.nodes)


def score(observations: Observations, parameters: Parameters) -> Float[Array, "U M"]:
    """Return log p(present or absent, frequency, answers), a column for each node."""
    counts: Counts = observations.layout
    seen = log_frequency(counts, parameters)
    above = share_above(parameters["node"], parameters["threshold"])
    states = jnp.log(jnp.clip(jnp.stack([1 - above, above]), LEAST, 1 - LEAST))
    both = seen[:, None] + states + observations.log_prior[:, :, None]
    return both.reshape(len(both), -1)


def log_frequency(counts: Counts, parameters: Parameters) -> Float[Array, "U T"]:
    """Return log p(frequency, answers) of each pair, on the nodes."""
    table = _table(parameters["node"], parameters["maybe"])
    return counts.by_answer @ table + _frequency(parameters)


def share_above(
    node: Float[Array, " T"], threshold: Float[Array, ""]
) -> Float[Array, " T"]:
    """Return how much of the cell around each node lies above a frequency."""
    cut = jnp.log(threshold) - jnp.log1p(-threshold)
    width = node[1] - node[0]
    return jnp.clip((node - cut) / width + 0.5, 0.0, 1.0)


def _table(node: Float[Array, " T"], maybe: Float[Array, ""]) -> Float[Array, "3 T"]:
    """Return log p(no), log p(maybe) and log p(yes) at each node."""
    yes, no = sigmoid(node), sigmoid(-node)
    half = maybe * yes * no
    chances = jnp.stack([no - half, 2 * half, yes - half])
    return jnp.log(jnp.maximum(chances, LEAST**2))


def _frequency(parameters: Parameters) -> Float[Array, "U T"]:
    """Return log p(frequency) of each pair, on the nodes."""
    node, mean = parameters["node"], parameters["mean"][:, None]
    size = parameters["concentration"][:, None]
    # A Beta in log-odds: its density times f (1 - f).
    shape = sigmoid(mean) * log_sigmoid(node) + sigmoid(-mean) * log_sigmoid(-node)
    parts = softmax(size * shape, axis=1)
    density = softmax(parameters["odds"], axis=1) @ parts
    return jnp.log(jnp.maximum(density, LEAST**2))


def fresh(parameters: Parameters) -> Float[Array, "G M L"]:
    """Return what anyone answers, present or not, at each node."""
    answers = jnp.exp(_table(parameters["node"], parameters["maybe"])).T
    return jnp.concatenate([answers, answers])[None]


def derived(observations: Observations, parameters: Parameters) -> Parameters:
    """Return how often labels are present, and what is answered of those that are."""
    pairs = jnp.exp(_frequency(parameters))
    frequency = (observations.scale[:, None] * pairs).sum(0)
    above = share_above(parameters["node"], parameters["threshold"])
    weight = jnp.stack([1 - above, above]) * frequency
    answers = jnp.exp(_table(parameters["node"], parameters["maybe"]))
    given = weight @ answers.T
    return {
        "prevalence": weight.sum(1) / weight.sum(),
        "confusion": given / given.sum(1, keepdims=True),
    }


@jax.jit
def simulation(
    key: Key[Array, ""], observations: Observations, parameters: Parameters
) -> Simulated:
    """Draw a frequency for each pair, its truth, and the answers."""
    of_node, of_state, of_answer = jax.random.split(key, 3)
    node = jax.random.categorical(of_node, _frequency(parameters))
    above = share_above(parameters["node"], parameters["threshold"])[node]
    states = jnp.log(jnp.maximum(jnp.stack([1 - above, above], 1), LEAST))
    state = jax.random.categorical(of_state, states + observations.log_prior)
    table = _table(parameters["node"], parameters["maybe"])
    answer = jax.random.categorical(of_answer, table.T[node[observations.unit]])
    return Simulated({}, state, answer)


MODEL = NumPyroModel(
    program=program,
    prior=Prior(),
    axes={
        "mean": ("component",),
        "concentration": ("component",),
        "share": ("other_component",),
        "weight": ("covariate", "other_component"),
        "maybe": (),
        "prevalence": ("true_class",),
        "confusion": ("true_class", "given_class"),
    },
    engines=("em", "nuts"),
    references=("Engstrom et al. (2020)", "Skellam (1948)"),
    kinds=("contains",),
    layout=layout,
    substates=lambda prior: prior.nodes,
)
