r"""Contains: every pair of item and label has an appearance, read by each annotator.

.. math::

   \mathrm{logit}\, p(y_{ij} \ge \text{maybe}) = a_j (s_i - t_{jg} + w_j), \qquad
   \mathrm{logit}\, p(y_{ij} = \text{yes}) = a_j (s_i - t_{jg} - w_j)

.. math::

   s_i \sim (1 - \pi_i)\, N(\mu_{0g}, \sigma_0^2) + \pi_i\, N(\mu_{1g}, \sigma_1^2),
   \qquad \mathrm{logit}\, \pi_i = b + x_i^\top \beta

One number says how much the label looks to be there: **appearance** :math:`s_i`, in
log-odds, with a density of two humps (labels that are mostly not there, and mostly
there). An annotator has a threshold :math:`t_j`, which moves false yeses and misses
together, other thresholds for some groups of labels (:math:`t_{jg}`), a discrimination
:math:`a_j`, and a width :math:`w_j` of *maybe*; now and then an answer comes without
looking, one of the three at random. Groups of labels (the column `parent` of the
labels) have appearances of their own, as dogs are hard to tell. Covariates
:math:`x_i`, such as the scores of classifiers, say beforehand which hump is likelier;
their weights are learned, and `worth` says in answers of one annotator what they tell.

**What present means.** There is no second truth behind the appearance. A label is
present if a *panel* of fresh annotators, drawn as these were, would mostly grant it: if
the majority says at least maybe. So the truth is a property of the population of
annotators, and no assumption of independence given a truth of two values is needed,
which answers to leading questions break.

The appearance is summed out on equally spaced nodes.

References
----------
Samejima (1969), Estimation of latent ability using a response pattern of graded
scores, chapter 3. Raykar et al. (2010), section 2.5, for covariates with learned
weights.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax.nn import log_sigmoid, log_softmax, sigmoid
from jax.scipy.special import betainc
from jaxtyping import Array, Float, Int, Key

from consilience.errors import OptionError
from consilience.model import AnnotatorModel, Parameters, Simulated
from consilience.truth import Observations, Space
from consilience.truth.incidence import Incidence, incidence
from consilience.truth.pytree import pytree

LEAST = 1e-12  # of a probability


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of appearances and annotators, in log-odds.

    The humps, and how thresholds differ, are rounded from the raters of the reassessed
    ImageNet study. The panel of five, and that maybe grants, were chosen on its golden
    pairs. Discrimination, width, lapse, weights and nodes are judgement.

    Attributes
    ----------
    absent, present
        Means of the means of the two humps, the first below zero by so much.
    humps
        Standard deviation about them.
    scale
        Median width of a hump.
    share
        Odds against the upper hump.
    groups
        Standard deviation of what a group of labels adds to a hump's mean.
    threshold, own_groups
        Standard deviation of thresholds between annotators, and of those of one
        annotator between groups of labels.
    discrimination, width
        The same of the logarithms of discrimination and of the width of maybe.
    lapse
        Odds against an answer without looking.
    weights
        Standard deviation of the weight of a covariate of standard deviation one.
    panel
        Annotators on the panel whose majority says what is present.
    nodes, reach
        Nodes of the appearance, and how far from zero they reach.
    """

    absent: float = 3.5
    present: float = 0.5
    humps: float = 1.0
    scale: float = 1.7
    share: float = 4.0
    groups: float = 0.7
    threshold: float = 1.0
    own_groups: float = 0.4
    discrimination: float = 0.4
    width: float = 0.7
    lapse: float = 50.0
    weights: float = 1.0
    panel: float = 5.0
    nodes: float = 61.0
    reach: float = 12.0


@pytree("num_groups", "grouped")
@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of item and label, laid out.

    Attributes
    ----------
    by_table
        Units x (annotator, group of labels, answer).
    by_group
        Units x groups: to which group the label belongs.
    covariates
        What is known beforehand; no columns where nothing is.
    num_groups
        G.
    grouped
        Whether labels have groups; else there is one that means nothing.
    """

    by_table: Incidence
    by_group: Incidence
    group: Int[Array, " U"]
    covariates: Float[Array, "U P"]
    num_groups: int
    grouped: bool


def layout(space: Space, prior: Prior) -> Pairs:
    """Lay the answers out by annotator and group of labels.

    Raises
    ------
    OptionError
        *Unclear* is among the states.
    """
    del prior
    if len(space.states) != 2:
        msg = (
            f"states={len(space.states)}: the model contains has a whole scale between "
            "absent and present; leave it out, or take contains_states"
        )
        raise OptionError(msg)
    answers, units = len(space.answers), space.num_units
    known, groups = space.covariates, space.groups
    group = np.zeros(units, np.int32) if groups is None else groups.code
    number = 1 if groups is None else len(groups.names)
    cell = space.annotator * number + group[space.unit]
    weight = None if (space.n == 1).all() else space.n.astype(float)
    shape = (units, space.num_annotators * number * answers)
    every = np.arange(units, dtype=np.int32)
    return Pairs(
        by_table=incidence(space.unit, cell * answers + space.answer, weight, shape),
        by_group=incidence(every, group, None, (units, number)),
        group=jnp.asarray(group),
        covariates=jnp.zeros((units, 0)) if known is None else jnp.asarray(known.value),
        num_groups=number,
        grouped=groups is not None,
    )


def parameters(observations: Observations, prior: Prior) -> Parameters:
    """Sample appearances' humps and annotators."""
    pairs: Pairs = observations.own
    annotators, groups = observations.num_annotators, pairs.num_groups

    def normals(name: str, *shape: int) -> Array:
        standard = dist.Normal(jnp.zeros(shape), 1.0).to_event(len(shape))
        drawn: Array = numpyro.sample(name, standard)
        return drawn

    centre = jnp.array([-prior.absent, prior.present])
    mean = numpyro.sample("mean", dist.Normal(centre, prior.humps).to_event(1))
    wide = dist.LogNormal(jnp.full(2, np.log(prior.scale)), 0.4)
    scale = numpyro.sample("scale", wide.to_event(1))
    share = numpyro.sample("share", dist.Normal(-np.log(prior.share), 1.0))
    threshold = prior.threshold * normals("threshold", annotators)
    threshold = jnp.broadcast_to(threshold[:, None], (annotators, groups))
    means = jnp.broadcast_to(mean[:, None], (2, groups))
    if pairs.grouped:
        means += prior.groups * normals("group_shift", 2, groups)
        threshold += prior.own_groups * normals("own_group", annotators, groups)
    width = numpyro.sample("width", dist.Normal(-0.5, 0.5))
    width += prior.width * normals("own_width", annotators)
    sharper = prior.discrimination * normals("own_discrimination", annotators)
    covariates = pairs.covariates.shape[1]
    odds = share * jnp.ones(observations.num_units)
    if covariates:
        odds += pairs.covariates @ (prior.weights * normals("weight", covariates))
    return {
        "means": means,
        "scale": scale,
        "odds": odds,
        "threshold": threshold,
        "slope": jnp.exp(sharper),
        "width": jnp.exp(width),
        "lapse": -np.log(prior.lapse) + normals("lapse", annotators),
        "node": jnp.linspace(-prior.reach, prior.reach, int(prior.nodes)),
        "panel": jnp.asarray(prior.panel),
    }


def score(observations: Observations, parameters: Parameters) -> Float[Array, "U M"]:
    """Return log p(present or absent, appearance, answers), a column for each node."""
    pairs: Pairs = observations.own
    tables = _tables(parameters)
    nodes = tables.shape[-1]
    likelihood = pairs.by_table @ tables.reshape(-1, nodes)
    seen = likelihood + _appearance(pairs, parameters)
    granted = pairs.by_group @ _granted(tables, parameters).reshape(
        pairs.num_groups, -1
    )
    both = seen[:, None] + granted.reshape(-1, 2, nodes)
    both += observations.log_prior[:, :, None]
    return both.reshape(len(both), -1)


def _tables(parameters: Parameters) -> Float[Array, "J G L T"]:
    """Return log p(answer | appearance) of each annotator in each group of labels."""
    low, high = log_odds(parameters)
    maybe = jnp.log(jnp.maximum(sigmoid(low) - sigmoid(high), LEAST))
    looked = jnp.stack([log_sigmoid(-low), maybe, log_sigmoid(high)], 2)
    lapse = parameters["lapse"][:, None, None, None]
    blind = log_sigmoid(lapse) - np.log(looked.shape[2])
    return jnp.logaddexp(log_sigmoid(-lapse) + looked, blind)


def log_odds(
    parameters: Parameters,
) -> tuple[Float[Array, "J G T"], Float[Array, "J G T"]]:
    """Return the log-odds of at least *maybe*, and of *yes*, at each node."""
    slope, width = (parameters[name][:, None, None] for name in ("slope", "width"))
    away = parameters["node"] - parameters["threshold"][:, :, None]
    return slope * (away + width), slope * (away - width)


def humps(parameters: Parameters) -> Float[Array, "2 G T"]:
    """Return log p(appearance) of labels that are mostly not there, and mostly are."""
    node, means = parameters["node"], parameters["means"][:, :, None]
    scale = parameters["scale"][:, None, None]
    return log_softmax(-0.5 * ((node - means) / scale) ** 2, axis=2)


def _appearance(pairs: Pairs, parameters: Parameters) -> Float[Array, "U T"]:
    """Return log p(appearance) of each unit, on the nodes."""
    low, high = (pairs.by_group @ hump for hump in humps(parameters))
    odds = parameters["odds"][:, None]
    return jnp.logaddexp(log_sigmoid(-odds) + low, log_sigmoid(odds) + high)


def _granted(
    tables: Float[Array, "J G L T"], parameters: Parameters
) -> Float[Array, "G 2 T"]:
    """Return log p(absent) and log p(present), as the panel says, at each node."""
    grants = 1 - jnp.exp(tables[:, :, 0]).mean(0)
    panel = jax.lax.stop_gradient(parameters["panel"])
    majority = jnp.floor(panel / 2) + 1
    present = betainc(majority, panel - majority + 1, grants)
    both = jnp.stack([1 - present, present], 1)
    return jnp.log(jnp.clip(both, LEAST, 1 - LEAST))


def fresh(parameters: Parameters) -> Float[Array, "G M L"]:
    """Return what a fresh annotator answers, present or not, at each node."""
    answers = jnp.exp(_tables(parameters)).mean(0).swapaxes(1, 2)
    return jnp.concatenate([answers, answers], 1)


def derived(observations: Observations, parameters: Parameters) -> Parameters:
    """Return confusions, how often labels are there, and what covariates are worth."""
    pairs: Pairs = observations.own
    tables = _tables(parameters)
    states = jnp.exp(_granted(tables, parameters))
    appearance = jnp.exp(_appearance(pairs, parameters))
    units = pairs.by_group.T @ appearance
    weight = units[:, None] * states  # group, state, node
    answers = jnp.exp(tables)
    confusion = jnp.einsum("gkt,jglt->jkl", weight, answers)
    of_group = jnp.einsum("gkt,glt->gkl", weight, answers.mean(0))
    found = {
        "prevalence": weight.sum((0, 2)) / weight.sum(),
        "confusion": confusion / confusion.sum(2, keepdims=True),
        "group_confusion": of_group / of_group.sum(2, keepdims=True),
    }
    if pairs.covariates.shape[1]:
        present = (appearance * (pairs.by_group @ states[:, 1])).sum(1)
        found["worth"] = _worth(present, of_group.sum(0))
    return found


def _worth(present: Float[Array, " U"], joint: Float[Array, "2 L"]) -> Float[Array, ""]:
    """Return what covariates tell of presence, in answers of one annotator.

    Both are mutual information with presence: of the covariates, and of one answer of
    an annotator drawn at random, without them.
    """

    def entropy(share: Float[Array, "... _"]) -> Float[Array, "..."]:
        return -(share * jnp.log(jnp.clip(share, LEAST))).sum(-1)

    prior = jnp.stack([1 - present, present], 1)
    told = entropy(prior.mean(0)) - entropy(prior).mean()
    joint = joint / joint.sum()
    answer = entropy(joint.sum(0)) + entropy(joint.sum(1)) - entropy(joint.ravel())
    return told / jnp.maximum(answer, LEAST)


def simulation(
    key: Key[Array, ""], observations: Observations, parameters: Parameters
) -> Simulated:
    """Draw an appearance for each pair, its truth, and the answers."""
    pairs: Pairs = observations.own
    of_node, of_state, of_answer = jax.random.split(key, 3)
    tables = _tables(parameters)
    node = jax.random.categorical(of_node, _appearance(pairs, parameters))
    granted = _granted(tables, parameters)[pairs.group, :, node]
    state = jax.random.categorical(of_state, granted + observations.log_prior)
    unit, annotator = observations.unit, observations.annotator
    rows = tables[annotator, pairs.group[unit], :, node[unit]]
    answer = jax.random.categorical(of_answer, rows)
    return Simulated({}, state, answer)


MODEL = AnnotatorModel(
    prior=Prior(),
    dims={
        "prevalence": ("true_class",),
        "confusion": ("annotator", "true_class", "given_class"),
        "group_confusion": ("group", "true_class", "given_class"),
        "mean": ("hump",),
        "scale": ("hump",),
        "share": (),
        "weight": ("covariate",),
        "worth": (),
        "group_shift": ("hump", "group"),
        "threshold": ("annotator",),
        "own_group": ("annotator", "group"),
        "width": (),
        "own_width": ("annotator",),
        "own_discrimination": ("annotator",),
        "lapse": ("annotator",),
    },
    engines=("em", "nuts"),
    references=(
        "Samejima (1969), chapter 3",
        "Raykar et al. (2010), section 2.5",
    ),
    kinds=("contains",),
    parameters=parameters,
    layout=layout,
    own_score=score,
    own_simulation=simulation,
    fresh=fresh,
    derived=derived,
    finer=lambda prior: int(prior.nodes),
)
