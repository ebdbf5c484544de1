r"""Class confusion: what people call the items of each class, learned across classes.

The truth of an item is its class: the label that the data set has for it, which is
given; where it has none, the posterior over classes from its answers. A share
:math:`\epsilon` of answers about item i of class c are lapses, which give another label
whatever the item shows; the rest give the class's own label with a chance
:math:`u_i` of the item. Answers that do not are about the item's shares
:math:`\psi_i` of the other labels:

.. math::

   u_i \sim \mathrm{Beta}\bigl(s \kappa_c, \; s (1 - \kappa_c)\bigr), \quad
   \psi_i \sim \mathrm{Dir}(t \phi_c), \qquad
   \kappa_c \sim \mathrm{Beta}\bigl(\nu m_c, \; \nu (1 - m_c)\bigr), \quad
   \phi_c \sim \mathrm{Dir}(r_c)

With a thousand classes and some fifty answers to the items of each, most cells of a
table of classes by labels are empty, and the others are noise. What is known of other
classes fills them in:

.. math::

   r_{cl} = \sum_e q_e B_{ecl}, \qquad
   \frac{m_c}{1 - m_c} = o \, (R_c / \bar R)^{-g}, \quad R_c = \sum_l r_{cl}

with :math:`B_{ecl}` what evidence :math:`e` says of label :math:`l` and :math:`q_e` its
weight: that it is a label, is popular, is of the superclass, how often items of that
label are called by this class, which labels third classes share, and the same of labels
named aside. The more there is for other labels than for those of a typical item (the
geometric mean :math:`\bar R`), the seldomer the own one is given.

The probabilities of items and of classes are summed out: :math:`\kappa_c` on nodes,
:math:`\phi_c` by the chain rule over the items of the class in turn, each by a
Dirichlet-multinomial given those before it (`consilience.class_confusion.likelihood`).
What is left to learn are weights and precisions that all classes share. An item without
a class is judged by the items that have one.

References
----------
Brier (1980), for the effective numbers of correlated answers. Minka (2000), for the
marginal likelihood. Connor and Mosimann (1969), for the two parts of a confusion.
Wichmann and Hill (2001), section 2, for lapses.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax.nn import sigmoid
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float, Int, Key

from consilience.class_confusion.confusion_posterior import evidence
from consilience.class_confusion.dataset_label import (
    answered_units,
    classes_of,
    label_counts,
)
from consilience.class_confusion.likelihood import (
    ASIDE,
    KINDS,
    MIN_CONCENTRATION,
    POSITIVE,
    POWER,
    Counts,
    OpenItems,
    concentrations,
    count_arrays,
    hyperparameters,
    log_joint_shares,
    log_likelihoods,
    log_others,
    open_items,
    weight_of,
)
from consilience.errors import FitError
from consilience.model import NumPyroModel, Parameters, Simulated
from consilience.model.summed import Arithmetic, LaidOutAnswers
from consilience.truth import Observations
from consilience.truth.arrays import pytree
from consilience.truth.space import ChoiceSpace

NUMBERS = (
    *map(weight_of, KINDS),
    *POSITIVE.values(),
    *(POWER, "lapse_log_odds", "aside_log_odds"),
    *("lapse", "aside_weight", "correlation"),
)
MAX_LABELS = 3_000  # nine squares of them are 650 MB


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of all classes.

    Attributes
    ----------
    log_scale
        Standard deviation of the logarithms of weights and precisions, which are about
        one: between a hundredth of an answer and a hundred, nineteen in twenty.
    power
        Standard deviation of the power by which the odds of the own label fall as there
        is more evidence for others; it is about zero.
    lapse, lapse_scale
        Median of the share of lapses, and standard deviation of its log-odds: between
        one answer in a thousand and one in four, nineteen times in twenty. Judgement:
        where answers say little of it, lapses are few.
    """

    log_scale: float = 2.3
    power: float = 1.0
    lapse: float = 0.018
    lapse_scale: float = 1.5


@pytree("kinds")
@dataclass(frozen=True, slots=True)
class Classes:
    """Answers and evidence as the model takes them."""

    counts: Counts
    unit: Int[np.ndarray, " I"]
    class_of_unit: Int[np.ndarray, " U"]
    log_prevalence: Float[np.ndarray, " K"]
    open: OpenItems
    evidence: Float[np.ndarray, "E K K"]
    kinds: tuple[str, ...]


def layout(space: ChoiceSpace, prior: Prior) -> Classes:
    """Lay out the answers, items by class."""
    del prior
    size = len(space.states)
    if size > MAX_LABELS:
        raise FitError(
            f"{size:,} labels make a table too large (at most {MAX_LABELS:,}); "
            "merge rare labels"
        )
    class_ = classes_of(space)
    with_class, without = answered_units(space, class_)
    counts = label_counts(space, with_class, class_)
    matrices = evidence(counts)
    stacked = np.stack(list(matrices.values()))
    items = np.bincount(class_[with_class], minlength=size)
    return Classes(
        counts=count_arrays(counts, stacked),
        unit=with_class,
        class_of_unit=class_,
        log_prevalence=np.log((items + 1) / (items + 1).sum()),
        open=open_items(label_counts(space, without, class_), without, stacked),
        evidence=stacked,
        kinds=tuple(matrices),
    )


def program(data: Observations, prior: Prior) -> LaidOutAnswers:
    """Sample what all classes share."""
    classes: Classes = data.layout
    wide = dist.LogNormal(0.0, prior.log_scale)
    names = [*map(weight_of, classes.kinds), *POSITIVE.values()]
    values: dict[str, Any] = {name: numpyro.sample(name, wide) for name in names}
    values[POWER] = numpyro.sample(POWER, dist.Normal(0.0, prior.power))
    odds = np.log(prior.lapse / (1 - prior.lapse))
    lapse = numpyro.sample("lapse_log_odds", dist.Normal(odds, prior.lapse_scale))
    values["lapse"] = sigmoid(lapse)
    if ASIDE in classes.kinds:
        aside = numpyro.sample("aside_log_odds", dist.Normal(0.0, prior.log_scale))
        values["aside_weight"] = sigmoid(aside)
    return LaidOutAnswers(values, Arithmetic(score, derived, simulation))


def score(observations: Observations, parameters: Parameters) -> Float[Array, "U S"]:
    """Return log p(class, the answers about each item | parameters).

    Of how often a class is called by its own label, each of its items has an equal
    share of the log-likelihood.
    """
    classes: Classes = observations.layout
    learned = hyperparameters(parameters, classes.kinds, jnp.stack)
    shares = log_joint_shares(classes.counts, learned)
    of_class = logsumexp(shares, axis=1) / jnp.maximum(classes.counts.items, 1)
    each = log_others(classes.counts, learned) + of_class[classes.counts.class_]
    size = (observations.num_units, observations.state.shape[1])
    likelihood = jnp.zeros((size[0], 1)).at[classes.unit, 0].add(each)
    likelihood = jnp.broadcast_to(likelihood, size)
    if len(classes.open.unit):
        table = log_likelihoods(classes.open, classes.counts, learned, shares)
        listed = jnp.broadcast_to(observations.state, size)[classes.open.unit]
        of_open = jnp.take_along_axis(table, listed, axis=1)
        likelihood = likelihood.at[classes.open.unit].set(of_open)
    prior = jnp.asarray(classes.log_prevalence)[observations.state]
    return likelihood + prior + observations.log_prior


@jax.jit
def simulation(
    key: Key[Array, ""], observations: Observations, parameters: Parameters
) -> Simulated:
    """Draw classes of items that have none, confusions of classes, and answers."""
    classes: Classes = observations.layout
    learned = hyperparameters(parameters, classes.kinds, jnp.stack)
    keys = jax.random.split(key, 7)
    prior = jnp.asarray(classes.log_prevalence)[observations.state]
    size = (observations.num_units, observations.state.shape[1])
    slot = jax.random.categorical(
        keys[0], jnp.broadcast_to(prior + observations.log_prior, size)
    )
    states = jnp.broadcast_to(observations.state, size)
    state = jnp.take_along_axis(states, slot[:, None], axis=1)[:, 0]
    node = jax.random.categorical(keys[1], log_joint_shares(classes.counts, learned))
    of_class = jnp.asarray(classes.counts.dataset_label.share)[node][state]
    mean = concentrations(classes.evidence, classes.counts, learned)
    others = jnp.exp(_log_dirichlet(keys[2], mean))[state]
    log_others = _log_dirichlet(keys[3], learned.beside * others)
    of_item = jax.random.beta(
        keys[4], learned.spread * of_class, learned.spread * (1 - of_class)
    )
    unit = observations.unit
    given = jax.random.bernoulli(keys[5], (1 - learned.lapse) * of_item[unit])
    other = jax.random.categorical(keys[6], log_others[unit])
    answer = jnp.where(given, state[unit], other)
    return Simulated({}, state, answer)


def derived(observations: Observations, parameters: Parameters) -> Parameters:
    """Return the shares, and the correlation of two answers about one item."""
    classes: Classes = observations.layout
    quantities = {
        "lapse": parameters["lapse"],
        "correlation": 1 / (1 + parameters["item_precision"]),
    }
    if ASIDE in classes.kinds:
        quantities["aside_weight"] = parameters["aside_weight"]
    return quantities


def _log_dirichlet(
    key: Key[Array, ""], concentration: Float[Array, "n K"]
) -> Float[Array, "n K"]:
    """Draw logs of probabilities; none where the concentration is zero."""
    logs = jax.random.loggamma(key, jnp.maximum(concentration, MIN_CONCENTRATION))
    return jax.nn.log_softmax(jnp.where(concentration > 0, logs, -jnp.inf), axis=1)


MODEL = NumPyroModel(
    program=program,
    prior=Prior(),
    axes=dict.fromkeys(NUMBERS, ()),
    engines=("em", "nuts"),
    references=(
        "Brier (1980)",
        "Minka (2000)",
        "Connor and Mosimann (1969)",
        "Wichmann and Hill (2001), section 2",
    ),
    kinds=("choice", "objects"),
    together="class",
    layout=layout,
)
