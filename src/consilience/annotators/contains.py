r"""Contains: every pair of item and label has an appearance, read by each annotator.

.. math::

   \mathrm{logit}\, p(y_{ij} \ge \text{maybe}) = a_j (s_i - t_{jg} + w_j), \qquad
   \mathrm{logit}\, p(y_{ij} = \text{yes}) = a_j (s_i - t_{jg} - w_j)

.. math::

   s_i \sim (1 - \pi_i)\, N(\mu_{0g} + \tau_0 v_m + \ell_i, \sigma_0^2)
   + \pi_i\, N(\mu_{1g} + \tau_1 v_m, \sigma_1^2),
   \qquad \mathrm{logit}\, \pi_i = b + x_i^\top \beta, \quad v_m \sim N(0, 1)

One number says how much the label looks to be there: **appearance** :math:`s_i`, in
log-odds, with a density of two components (labels that are mostly absent, and mostly
there), below and above the threshold of a typical annotator. An annotator has a
threshold :math:`t_j`, which moves false yeses and misses together, other thresholds for
some groups of labels (:math:`t_{jg}`), a discrimination :math:`a_j`, and a width
:math:`w_j` of *maybe*; how far annotators differ in each is learned. Now and then an
answer comes without looking, one of the three at random. Groups of labels (the column
`parent` of the labels) have appearances
of their own, as dogs are hard to tell. Covariates :math:`x_i`, such as the scores of
classifiers, say which component is more probable a priori; their weights are learned,
and `relative_information` gives their information in answers of one annotator.

**Labels of one item** are looked at together. The item *m* makes all of them look more,
or less, to be there (:math:`v_m`), nearly as much where they are as where they are not
(:math:`\tau_0, \tau_1 = \tau e^{\mp q / 2}`). And they lead: where a similar label is
there, one that is not looks more so, by :math:`\ell_i = \lambda`, and by
:math:`\lambda + \lambda'` where no similar label that is there was shown with it.
Similar are the labels that a table says are (`similarity`), or else those of one group;
`contains.label_kinds` has the sum over all of an item that may be there, exactly.

**What present means.** Answers say how much a label looks to be there, not from where
on it is. With :math:`s'_i = s_i - \min(\tau_0, \tau_1) v_m - \ell_i`, what is left of
the appearance without what all labels of the item share and what a similar label adds,

.. math::

   P(\text{present} \mid s'_i) = \epsilon + (1 - 2 \epsilon) \left[(1 - h)\,
   \mathrm{logit}^{-1} k (s'_i - c_0 - \delta) + h\,
   \mathrm{logit}^{-1} k (s'_i - c_1 - \delta)\right].

:math:`c_0` is where the two components are equally probable, and :math:`k` the slope of
their log-odds there: a label is present if it looks more like labels that are there
than like labels that are not. It is a line in the appearance, so that each further yes,
of whoever is better than chance, makes a label more probable. :math:`c_1` is the cut
above which being present tells most about an answer (mutual information), the meaning
that tables of two states have. It takes over as far as appearances do not tell the
components apart, which then need not be what is there and what is not: with the share
:math:`r` of the entropy of the component that its appearance tells,
:math:`h = (1 - r^2)^4`, a form chosen as the prior was.
:math:`\delta` says how far both may be off. Gold labels calibrate it, and the slope;
without, its draws are those of the prior, so that intervals of presence and of
annotators hold what is not known of the meaning.

With the setting `panel`, a label is present if at least half of so many new annotators,
drawn as these were, would endorse it, a maybe being worth `maybe` of a yes; they are
asked about all similar labels, and judge without :math:`\lambda'`.
`share_present` has the share of pairs that are present by each of these meanings.

The appearance is summed out on equally spaced nodes.

References
----------
Samejima (1969), Estimation of latent ability using a response pattern of graded
scores, chapter 3. Raykar et al. (2010), section 2.5, for covariates with learned
weights.
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jaxtyping import Array, Float, Key

from consilience.errors import OptionError
from consilience.model import NumPyroModel, Parameters, Simulated
from consilience.model.summed import Arithmetic, LaidOutAnswers
from consilience.model.varying import sample_random_effects, sample_scale
from consilience.presence.label_kinds import (
    NOT_SHOWN,
    SHOWN,
    Appearances,
    Kind,
    Pairs,
    alike,
    appearances,
    belief_of_kinds,
    excused,
    laid_out,
    log_prior,
    of_items,
    shifts,
)
from consilience.presence.latent_trait import (
    answer_tables,
    deviations,
    presence,
    relative_information,
    share_present,
)
from consilience.truth import ContainsSpace, Observations

TINY = 1e-300
# Of the chance of the contrary, what is left where gold labels calibrate presence. With
# gold labels of a tenth of the items, log-loss in fourteen kinds of simulated studies
# is .2615, .2611 and .2605 with .13, .4 and all of it (.2958 without gold labels); on
# the golden images of the reassessed ImageNet study .208 with .4 and .212 with all of
# it where five raters answered, .159 and .171 where 78 did (four draws of the images).
CALIBRATED = 0.4


# Parameters by their axes: one for each annotator, and numbers.
OF_ANNOTATORS = ("threshold", "annotator_width", "annotator_discrimination", "lapse")
NUMBERS = (
    *("scale", "scale_ratio", "share", "cut", "sharpness", "relative_information"),
    *("item_scale", "item_ratio", SHOWN, NOT_SHOWN, "width", "threshold_spread"),
    *("annotator_threshold_spread", "annotator_width_spread"),
    "annotator_discrimination_spread",
)


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of appearances and annotators, in log-odds.

    Scales are those of one annotator's noise, whose standard deviation is 1.8 in
    log-odds, and are judgement, as the differences between annotators are.
    `distances` (of .3 to .9), `scale_ratio` (of .02 to 1), `contrary` (of 0 to .03),
    `item` and `item_ratio` (.7 and .15 of .5 to 1.5 and of .15, .3 and no link) were
    chosen by the log-loss of presence in simulated studies of twelve and more kinds,
    which no model draws, with the golden images of the reassessed ImageNet study in
    view; `cut` (of 1.2, 1.4 and 1.6) by how often intervals of sensitivity and
    specificity hold in further studies of these kinds.

    Attributes
    ----------
    absent_distance, present_distance
        Median distances of the means of the components from zero, where a typical
        annotator is undecided.
    distances
        Standard deviation of the logarithms of these two.
    scale
        Median standard deviation of a component (their geometric mean).
    scale_ratio
        Standard deviation of the logarithm of their ratio.
    share
        Odds against the upper component.
    groups
        Standard deviation of the effect of a group of labels on the mean of a
        component.
    threshold, group_thresholds
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
    contrary
        Chance that a label that looks surely absent is present, and the other way.
    cut, sharpness
        Standard deviation of the distance of the boundary of presence from where it
        seems, and of the logarithm of its slope (which gold labels alone can change).
    panel, maybe
        Annotators on a panel, half of which makes a label present, and what a maybe
        counts there; 0: no panel decides.
    item
        Median of the standard deviation of what an item makes all its labels look (the
        geometric mean of that of the two components).
    item_ratio
        Standard deviation of the logarithm of their ratio.
    context_effect
        Standard deviation of the effect of a similar label that is present, and of its
        addition if that label was not shown.
    nodes, reach
        Nodes of the appearance, and how far from zero they reach.
    """

    absent_distance: float = 2.5
    present_distance: float = 2.5
    distances: float = 0.45
    scale: float = 1.8
    scale_ratio: float = 0.8
    share: float = 3.0
    groups: float = 0.7
    threshold: float = 1.0
    group_thresholds: float = 0.4
    discrimination: float = 0.4
    width: float = 0.7
    spreads: float = 0.5
    lapse: float = 50.0
    weights: float = 1.0
    contrary: float = 0.0075
    cut: float = 1.4
    sharpness: float = 0.4
    panel: float = 0.0
    maybe: float = 0.5
    item: float = 0.7
    item_ratio: float = 0.15
    context_effect: float = 1.0
    nodes: int = 61
    reach: float = 12.0


def layout(space: ContainsSpace, prior: Prior) -> Pairs:
    """Lay the answers out by annotator and group of labels."""
    del prior
    if len(space.states) != 2:
        raise OptionError(
            f"`states={len(space.states)}`: the model contains has a whole scale "
            "between absent and present; leave it out, or take contains_states"
        )
    return laid_out(space)


def program(data: Observations, prior: Prior) -> LaidOutAnswers:
    """Sample the mixture components and the annotators."""
    pairs: Pairs = data.layout
    annotators, groups = data.num_annotators, pairs.num_groups

    def normals(name: str, *shape: int) -> Array:
        standard = dist.Normal(jnp.zeros(shape), 1.0).to_event(len(shape))
        return numpyro.sample(name, standard)

    def spread(name: str, median: float) -> Array:
        return sample_scale(name, median, prior.spreads)

    usual = np.log([prior.absent_distance, prior.present_distance])
    far = dist.LogNormal(usual, prior.distances).to_event(1)
    mean = jnp.array([-1.0, 1.0]) * numpyro.sample("distance", far)
    scale = numpyro.sample("scale", dist.LogNormal(np.log(prior.scale), 0.4))
    scale_ratio = numpyro.sample("scale_ratio", dist.Normal(0.0, prior.scale_ratio))
    share = numpyro.sample("share", dist.Normal(-np.log(prior.share), 1.0))
    means = jnp.broadcast_to(mean[:, None], (2, groups))
    sharper = spread("annotator_discrimination", prior.discrimination)
    fisher = pairs.information
    sharpness = sample_random_effects(
        "annotator_discrimination", sharper, fisher.discrimination
    )
    slope = jnp.exp(sharpness)
    information_of_pair = slope[:, None] ** 2 * fisher.place
    bias = spread("threshold", prior.threshold)
    if pairs.grouped:
        means += prior.groups * normals("group_shift", 2, groups)
        apart = spread("annotator_threshold", prior.group_thresholds)
        group_effect = sample_random_effects(
            "annotator_threshold", apart, information_of_pair
        )
        # Less what the group explains.
        information_of_pair /= 1 + apart**2 * information_of_pair
    of_annotator = sample_random_effects("threshold", bias, information_of_pair.sum(1))
    threshold = of_annotator[:, None] + (
        group_effect if pairs.grouped else jnp.zeros(groups)
    )
    width = numpyro.sample("width", dist.Normal(-0.5, 0.5))
    wider = spread("annotator_width", prior.width)
    width += sample_random_effects("annotator_width", wider, fisher.width)
    odds = jnp.broadcast_to(share, pairs.covariates.shape[:2])
    covariates = pairs.covariates.shape[2]
    if covariates:
        odds += pairs.covariates @ (prior.weights * normals("weight", covariates))
    parameters = {
        "means": means,
        "scale": scale,
        "scale_ratio": scale_ratio,
        "odds": odds,
        "threshold": threshold,
        "slope": slope,
        "width": jnp.exp(width),
        "lapse": -np.log(prior.lapse) + normals("lapse", annotators),
        "node": jnp.linspace(-prior.reach, prior.reach, prior.nodes),
        "asked": data.asked / data.asked.sum(),
        **_shared(pairs, prior),
        **_presence(data, prior, share),
    }
    arithmetic = Arithmetic(score, derived, simulation, fresh, log_likelihood)
    return LaidOutAnswers(parameters, arithmetic)


def _presence(
    observations: Observations, prior: Prior, share: Float[Array, ""]
) -> Parameters:
    """Return what makes a label present; gold labels, where given, calibrate it."""
    if prior.panel:
        return {"panel": jnp.asarray(prior.panel), "maybe": jnp.asarray(prior.maybe)}
    # Without gold labels the answers say nothing of it: draws vary as the prior does.
    cut, sharpness = numpyro.sample("cut", dist.Normal(0.0, prior.cut)), jnp.ones(())
    contrary = prior.contrary
    if len(observations.log_prior) > 1:
        sharpness = numpyro.sample("sharpness", dist.LogNormal(0.0, prior.sharpness))
        contrary *= CALIBRATED
    return {
        "share": share,
        "contrary": jnp.asarray(contrary),
        "cut": cut,
        "sharpness": sharpness,
    }


def _shared(pairs: Pairs, prior: Prior) -> Parameters:
    """Sample what the labels of one item share."""
    effects = {SHOWN: pairs.similar, NOT_SHOWN: pairs.not_shown}
    shared = {"item": jnp.zeros(2), **dict.fromkeys(effects, jnp.zeros(()))}
    if pairs.several:
        wide = dist.LogNormal(np.log(prior.item), prior.spreads)
        scale = numpyro.sample("item_scale", wide)
        ratio = numpyro.sample("item_ratio", dist.Normal(0.0, prior.item_ratio))
        shared["item"] = scale * jnp.exp(jnp.stack([-ratio, ratio]) / 2)
    for name, there in effects.items():
        if there:
            shared[name] = numpyro.sample(name, dist.Normal(0.0, prior.context_effect))
    return shared


def log_likelihood(
    observations: Observations, parameters: Parameters
) -> Float[Array, " U"]:
    """Return each pair's share of the log-likelihood of its item."""
    pairs: Pairs = observations.layout
    looked = _looked_at(observations, parameters)
    items = of_items(pairs, looked.likelihood)
    return (pairs.together.share @ items[:, None])[:, 0]


def score(observations: Observations, parameters: Parameters) -> Float[Array, "U M"]:
    """Return log p(state, appearance | answers of the item), a column for each node.

    To each is added the pair's share of the log-likelihood of its item: of a pair that
    is alone in its item, this is log p(state, appearance, answers).
    """
    pairs: Pairs = observations.layout
    looked = _looked_at(observations, parameters)
    items, belief = belief_of_kinds(pairs, looked.likelihood)
    whole = looked.scale.spread(pairs, belief / looked.averaged)
    whole *= looked.seen[:, None]
    if looked.gold is not None:
        whole *= looked.gold[:, :, None]
    here = pairs.by_place @ whole.reshape(len(whole), -1)
    return jnp.log(jnp.maximum(here, TINY)) + pairs.together.share @ items[:, None]


class LookedAt(NamedTuple):
    """Answers looked at, place by place."""

    scale: Appearances
    seen: Float[Array, "P T"]
    gold: Float[Array, "P 2"] | None
    averaged: Float[Array, "K P M"]
    likelihood: Float[Array, "K P M"]


def _looked_at(observations: Observations, parameters: Parameters) -> LookedAt:
    pairs: Pairs = observations.layout
    tables = answer_tables(parameters)
    likelihood = pairs.by_table @ tables.reshape(-1, tables.shape[-1])
    top = jax.lax.stop_gradient(likelihood.max(1, keepdims=True))
    seen = jnp.exp(likelihood - top)
    scale = appearances(pairs, tables, parameters)
    gold = None
    if len(observations.log_prior) > 1:
        gold = pairs.by_place.T @ jnp.exp(observations.log_prior)
    averaged = jnp.maximum(scale.averaged(pairs, seen, gold), TINY)
    whole = log_prior(pairs, parameters) + jnp.log(averaged) + top
    return LookedAt(scale, seen, gold, averaged, whole)


def fresh(parameters: Parameters) -> Float[Array, "G M L"]:
    """Return what a fresh annotator answers, present or not, at each node."""
    tables = jnp.exp(answer_tables(parameters))
    answers = jnp.einsum("j,jglt->gtl", parameters["asked"], tables)
    return jnp.concatenate([answers, answers], 1)


def derived(observations: Observations, parameters: Parameters) -> Parameters:
    """Return confusions, prevalences, and the information of covariates."""
    pairs: Pairs = observations.layout
    tables = answer_tables(parameters)
    states = _prior(pairs, tables, parameters)
    weighed = states * observations.scale[:, None, None]
    by_place = pairs.by_place.T @ weighed.reshape(len(weighed), -1)
    blocks = by_place.reshape(len(pairs.covariates), -1, by_place.shape[1]).sum(1)
    shape = (pairs.num_groups, 2, -1)
    weight = (pairs.groups.T @ blocks).reshape(shape)  # group, state, node
    answers = jnp.exp(tables)
    confusion = jnp.einsum("gkt,jglt->jkl", weight, answers)
    of_group = jnp.einsum("gkt,j,jglt->gkl", weight, parameters["asked"], answers)
    quantities = {
        "prevalence": weight.sum((0, 2)) / weight.sum(),
        "confusion": confusion / confusion.sum(2, keepdims=True),
        "group_confusion": of_group / of_group.sum(2, keepdims=True),
        "share_present": share_present(tables, parameters, weight.sum(1)),
    }
    if pairs.covariates.shape[2]:
        present = states[:, 1].sum(1)
        share = jnp.broadcast_to(observations.scale, present.shape)
        quantities["relative_information"] = relative_information(
            present, share / share.sum(), of_group.sum(0)
        )
    return quantities


def _prior(
    pairs: Pairs, tables: Float[Array, "J G L T"], parameters: Parameters
) -> Float[Array, "U 2 T"]:
    """Return p(state, appearance) of each unit, before anyone has answered."""
    scale = appearances(pairs, tables, parameters)
    prior = log_prior(pairs, parameters)
    shape = (*prior.shape[:2], scale.component.shape[2])
    _, belief = belief_of_kinds(pairs, jnp.broadcast_to(prior, shape))
    states = scale.spread(pairs, belief)
    flat = pairs.by_place @ states.reshape(len(states), -1)
    return flat.reshape(len(flat), 2, -1)


@jax.jit
def simulation(
    key: Key[Array, ""], observations: Observations, parameters: Parameters
) -> Simulated:
    """Draw effects of items, kinds and appearances of labels, truths, and answers."""
    pairs: Pairs = observations.layout
    together, units = pairs.together, observations.num_units
    of_item, of_kind, of_node, of_state, of_answer = jax.random.split(key, 5)
    effect = jax.random.normal(of_item, (units,))[together.item]
    odds = (pairs.by_place @ parameters["odds"].reshape(-1, 1))[:, 0]
    there = jax.random.bernoulli(of_kind, jax.nn.sigmoid(odds))
    in_set, beside = (
        jnp.zeros(units, int).at[code].add(there)[code] > 0
        for code in (together.of_set, together.shown)
    )
    absent = jnp.where(
        in_set, jnp.where(beside, Kind.IN_CONTEXT, Kind.CONTEXT_NOT_SHOWN), Kind.ABSENT
    )
    kind = jnp.where(there, Kind.PRESENT, absent)
    far, counts = (each[kind] for each in shifts(parameters))
    mean = parameters["means"][there.astype(int), pairs.unit_group]
    node = parameters["node"]
    width = deviations(parameters)[there.astype(int)]
    apart = (node - (mean + far + counts * effect)[:, None]) / width[:, None]
    place = jax.random.categorical(of_node, -0.5 * apart**2)
    tables = answer_tables(parameters)
    away = excused(parameters)[kind] + alike(parameters) * effect
    where = jnp.clip(place - away / (node[1] - node[0]), 0, len(node) - 1)
    lower = jnp.minimum(where.astype(int), len(node) - 2)
    present = presence(tables, parameters, jnp.zeros(1))[pairs.unit_group, 0, 1]
    low, high = (present[jnp.arange(units), lower + step] for step in (0, 1))
    there = low + (where - lower) * (high - low)  # between two nodes
    judged = jnp.stack([1 - there, there], 1)
    state = jax.random.categorical(of_state, jnp.log(judged) + observations.log_prior)
    unit, annotator = observations.unit, observations.annotator
    rows = tables[annotator, pairs.unit_group[unit], :, place[unit]]
    answer = jax.random.categorical(of_answer, rows)
    return Simulated({}, state, answer)


MODEL = NumPyroModel(
    program=program,
    prior=Prior(),
    axes={
        "prevalence": ("true_class",),
        "confusion": ("annotator", "true_class", "given_class"),
        "group_confusion": ("group", "true_class", "given_class"),
        "distance": ("mixture_component",),
        "share_present": ("meaning",),
        "weight": ("covariate",),
        "group_shift": ("mixture_component", "group"),
        "annotator_threshold": ("annotator", "group"),
        **dict.fromkeys(OF_ANNOTATORS, ("annotator",)),
        **dict.fromkeys(NUMBERS, ()),
    },
    engines=("em", "nuts"),
    references=("Samejima (1969), chapter 3", "Raykar et al. (2010), section 2.5"),
    kinds=("contains",),
    together="item",
    layout=layout,
    substates=lambda prior: prior.nodes,
)
