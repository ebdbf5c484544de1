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
:math:`a_j`, and a width :math:`w_j` of *maybe*; how far annotators differ in each is
learned. Now and then an answer comes without looking, one of the three at random.
Groups of labels (the column `parent` of the labels) have appearances of their own, as
dogs are hard to tell. Covariates :math:`x_i`, such as the scores of classifiers, say
beforehand which hump is likelier; their weights are learned, and `worth` says in
answers of one annotator what they tell.

**What present means.** There is no second truth behind the appearance. A label is
present if a *panel* of six fresh annotators, drawn as these were, would grant it: if at
least half of them say at least maybe. So the truth is a property of the population of
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
from jax.nn import log_sigmoid
from jaxtyping import Array, Float, Key

from consilience.errors import OptionError
from consilience.model import AnnotatorModel, Parameters, Simulated
from consilience.model.appearance import answer_tables, granted, humps, worth
from consilience.model.pairs import Pairs, information, laid_out
from consilience.model.varying import sample_spread, sample_varying
from consilience.truth import Observations, Space


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of appearances and annotators, in log-odds.

    The humps, and how thresholds differ, are rounded from the raters of the reassessed
    ImageNet study. The panel of six was chosen on half of its golden images, those
    whose names have an even first byte of SHA-256, by log-loss; that maybe grants, on
    all of them. Discrimination, width, lapse, weights and nodes are judgement.

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
        Median of the standard deviation of thresholds between annotators, and of those
        of one annotator between groups of labels.
    discrimination, width
        The same of the logarithms of discrimination and of the width of maybe.
    spreads
        Standard deviation of the logarithms of these four.
    lapse
        Odds against an answer without looking.
    weights
        Standard deviation of the weight of a covariate of standard deviation one.
    panel
        Annotators on the panel; what at least half of them grant is present.
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
    spreads: float = 0.5
    lapse: float = 50.0
    weights: float = 1.0
    panel: float = 6.0
    nodes: float = 61.0
    reach: float = 12.0


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
    return laid_out(space)


def parameters(observations: Observations, prior: Prior) -> Parameters:
    """Sample appearances' humps and annotators."""
    pairs: Pairs = observations.own
    annotators, groups = observations.num_annotators, pairs.num_groups

    def normals(name: str, *shape: int) -> Array:
        standard = dist.Normal(jnp.zeros(shape), 1.0).to_event(len(shape))
        drawn: Array = numpyro.sample(name, standard)
        return drawn

    def spread(name: str, median: float) -> Array:
        return sample_spread(name, median, prior.spreads)

    centre = jnp.array([-prior.absent, prior.present])
    mean = numpyro.sample("mean", dist.Normal(centre, prior.humps).to_event(1))
    wide = dist.LogNormal(jnp.full(2, np.log(prior.scale)), 0.4)
    scale = numpyro.sample("scale", wide.to_event(1))
    share = numpyro.sample("share", dist.Normal(-np.log(prior.share), 1.0))
    means = jnp.broadcast_to(mean[:, None], (2, groups))
    sharper = spread("own_discrimination", prior.discrimination)
    known = information(observations)
    sharpness = sample_varying("own_discrimination", sharper, known.discrimination)
    slope = jnp.exp(sharpness)
    told = slope[:, None] ** 2 * known.place
    bias = spread("threshold", prior.threshold)
    if pairs.grouped:
        means += prior.groups * normals("group_shift", 2, groups)
        apart = spread("own_group", prior.own_groups)
        own = sample_varying("own_group", apart, told)
        told /= 1 + apart**2 * told  # what is left of it if those are not known
    threshold = sample_varying("threshold", bias, told.sum(1))[:, None]
    threshold = threshold + (own if pairs.grouped else jnp.zeros(groups))
    width = numpyro.sample("width", dist.Normal(-0.5, 0.5))
    wider = spread("own_width", prior.width)
    width += sample_varying("own_width", wider, known.width)
    covariates = pairs.covariates.shape[1]
    odds = share * jnp.ones(observations.num_units)
    if covariates:
        odds += pairs.covariates @ (prior.weights * normals("weight", covariates))
    return {
        "means": means,
        "scale": scale,
        "odds": odds,
        "threshold": threshold,
        "slope": slope,
        "width": jnp.exp(width),
        "lapse": -np.log(prior.lapse) + normals("lapse", annotators),
        "node": jnp.linspace(-prior.reach, prior.reach, int(prior.nodes)),
        "panel": jnp.asarray(prior.panel),
    }


def score(observations: Observations, parameters: Parameters) -> Float[Array, "U M"]:
    """Return log p(present or absent, appearance, answers), a column for each node."""
    pairs: Pairs = observations.own
    tables = answer_tables(parameters)
    nodes = tables.shape[-1]
    likelihood = pairs.by_table @ tables.reshape(-1, nodes)
    seen = likelihood + _appearance(pairs, parameters)
    states = granted(tables, parameters).reshape(pairs.num_groups, -1)
    both = seen[:, None] + (pairs.by_group @ states).reshape(-1, 2, nodes)
    both += observations.log_prior[:, :, None]
    return both.reshape(len(both), -1)


def _appearance(pairs: Pairs, parameters: Parameters) -> Float[Array, "U T"]:
    """Return log p(appearance) of each unit, on the nodes."""
    low, high = (pairs.by_group @ hump for hump in humps(parameters))
    odds = parameters["odds"][:, None]
    return jnp.logaddexp(log_sigmoid(-odds) + low, log_sigmoid(odds) + high)


def fresh(parameters: Parameters) -> Float[Array, "G M L"]:
    """Return what a fresh annotator answers, present or not, at each node."""
    answers = jnp.exp(answer_tables(parameters)).mean(0).swapaxes(1, 2)
    return jnp.concatenate([answers, answers], 1)


def derived(observations: Observations, parameters: Parameters) -> Parameters:
    """Return confusions, how often labels are there, and what covariates are worth."""
    pairs: Pairs = observations.own
    tables = answer_tables(parameters)
    states = jnp.exp(granted(tables, parameters))
    appearance = jnp.exp(_appearance(pairs, parameters))
    weighed = observations.scale[:, None] * appearance
    units = pairs.by_group.T @ weighed
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
        share = jnp.broadcast_to(observations.scale, present.shape)
        found["worth"] = worth(present, share / share.sum(), of_group.sum(0))
    return found


def simulation(
    key: Key[Array, ""], observations: Observations, parameters: Parameters
) -> Simulated:
    """Draw an appearance for each pair, its truth, and the answers."""
    pairs: Pairs = observations.own
    of_node, of_state, of_answer = jax.random.split(key, 3)
    tables = answer_tables(parameters)
    node = jax.random.categorical(of_node, _appearance(pairs, parameters))
    states = granted(tables, parameters)[pairs.group, :, node]
    state = jax.random.categorical(of_state, states + observations.log_prior)
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
        "threshold_spread": (),
        "own_group_spread": (),
        "own_width_spread": (),
        "own_discrimination_spread": (),
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
