r"""What all models of objects share: parameters, and the likelihood of all items.

**Effects of single pairs of labels**, around the prediction of their features:

.. math::

   \xi_{ll'} \sim N(0, \sigma_\xi^2), \qquad \omega_{ll'} \sim N(0, \sigma_\omega^2)

for the pairs of labels that are candidates together of enough items: :math:`\xi` on
the affinity, :math:`\omega` on the log-odds of being synonyms. So laptop and notebook
may be two names of one thing although other labels named together are not. Partial
pooling: what the answers say of a pair counts as far as pairs differ. How far
affinities do is estimated. How far synonyms do is not: with few pairs that the answers
tell apart, the most probable spread is none. It is 2 unless asked otherwise: with 1,
known synonyms of the public study of ImageNet are drawn towards what other pairs of one
superclass are (.17): laptop and notebook have .55 for .89, monitor and screen .74 for
.97.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jaxtyping import Array, Float

from consilience.model import Parameters, marginal
from consilience.model.varying import sample_random_effects, sample_scale
from consilience.objects.layout.covariate_names import Names
from consilience.objects.layout.items import Items
from consilience.objects.likelihood.endorsement import sample_endorsement
from consilience.objects.likelihood.label_counts import log_prior, unit_sums
from consilience.objects.likelihood.label_totals import totals
from consilience.truth import Observations
from consilience.truth.arrays import AnyArray, maths

# What the answers to one item tell of the affinity of a pair, which decides how the
# effects are parametrized and so where the mode lies. It is .01 to .025 on average in
# simulated studies and up to .17; with .02 the mode follows noise (log-loss of same
# object in four studies .675, and .621 with .1).
INFORMATION = 0.1
# Standard deviation of the log-odds of being synonyms. One object of two names that are
# given together, and two objects that are seen together, are much alike: with -4 and
# .5, labels of four simulated studies without synonyms are told apart as well as if
# there could be none (log-loss .621, and .644; .659 with -2 and .5). What many answers
# say goes beyond it: of the public study of ImageNet they say 0.3.
SURE = 0.5
WIDE = 0.7  # standard deviation of the logarithm of the spread; judgement


def sample_shared(observations: Observations, prior: Any, spread: float) -> Parameters:
    """Sample what items share; `spread` is that of single-label responses."""
    items: Items = observations.layout
    names: Names = items.names

    def normals(name: str, centre: Array, scale: float | Array) -> Array:
        normal = dist.Normal(centre, scale).to_event(jnp.ndim(centre))
        drawn: Array = numpyro.sample(name, normal)
        return drawn

    single_label = jnp.array([0.0, np.log(spread)])
    duplicate = jnp.array([[-2.5, np.log(prior.spread)], [0.0, np.log(prior.spread)]])
    votes = jnp.where(jnp.arange(len(names.label)) == 0, -0.5, 0.0)
    quantities = {
        "naming": normals("naming", votes, prior.votes),
        "salience": normals("salience", votes, prior.votes),
        "attraction": normals("attraction", jnp.full(len(names.slope), 0.5), 0.5),
        "objects": normals("objects", jnp.zeros(1), prior.affinity),
        "affinity": normals("affinity", jnp.zeros(len(names.pair)), prior.affinity),
        "high_detection": normals(
            "high_detection", jnp.zeros(len(names.block)), prior.affinity
        ),
        "detection": normals("detection", jnp.array([-1.5, 1.0]), prior.rates),
        "duplicate_name": normals("duplicate_name", duplicate, prior.rates),
        "single_label": normals("single_label", single_label, prior.rates),
        "style": normals("style", jnp.full(len(names.item), 0.5), 0.5),
        **sample_endorsement(names),
    }
    if items.pair_items is not None:
        scale = sample_scale("pairs", prior.pairs, WIDE)
        information = jnp.asarray(INFORMATION * items.pair_items)
        quantities["pairs"] = sample_random_effects("pairs", scale, information)
        if prior.synonym_pairs > 0:
            nothing = jnp.zeros(information.shape)
            effects = normals("synonym_pairs", nothing, prior.synonym_pairs)
            quantities["synonym_pairs"] = effects
    nothing = jnp.zeros(len(names.pair))
    quantities["synonyms"] = normals(
        "synonyms", nothing.at[0].set(prior.synonyms), (nothing + 1).at[0].set(SURE)
    )
    return quantities


def score(observations: Observations, parameters: Parameters) -> Float[AnyArray, "U M"]:
    """Return log p(number of objects, the unit's answers), partitions summed out."""
    items: Items = observations.layout
    each = zip(items.blocks, items.covariates, items.responses_by_size, strict=True)
    answered = [
        unit_sums(blocks, covariates, parameters, responses)
        for blocks, covariates, responses in each
    ]
    before = [log_prior(covariates, parameters) for covariates in items.covariates]
    most = observations.num_states
    likelihoods, prior = items.in_order(answered, most), items.in_order(before, most)
    by_size: Float[AnyArray, "U M"] = maths(likelihoods).xp.where(
        items.observed[:, None], likelihoods, prior
    )
    return by_size


def likelihood(
    observations: Observations, parameters: Parameters
) -> Float[Array, " U"]:
    """Return log p(the unit's answers): the score, summed."""
    items: Items = observations.layout
    log_prior = observations.log_prior
    if items.end_to_end is None:
        log_prior = jnp.where(jnp.isfinite(log_prior), log_prior, 0.0)
        return marginal(score(observations, parameters) + log_prior)
    rows = [jnp.zeros(1), totals(items, items.end_to_end, parameters, log_prior)]
    likelihoods = jnp.concatenate(rows)[items.place]
    return jnp.where(items.observed, likelihoods, 0.0)
