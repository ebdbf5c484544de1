"""What all models of objects share: parameters, and the likelihood of all items."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jaxtyping import Array, Float

from consilience.model import Parameters, marginal
from consilience.objects.layout.covariate_names import Names
from consilience.objects.layout.items import Items
from consilience.objects.likelihood.endorsement import sample_endorsement
from consilience.objects.likelihood.label_counts import log_prior, unit_sums
from consilience.objects.likelihood.label_totals import totals
from consilience.objects.likelihood.pair_affinities import sample_pairs, sample_synonyms
from consilience.truth import Observations
from consilience.truth.arrays import AnyArray, maths


def sample_shared(observations: Observations, prior: Any, spread: float) -> Parameters:
    """Sample what items share; `spread` is that of single-label responses."""
    names: Names = observations.layout.names

    def normals(name: str, centre: Array, scale: float) -> Array:
        normal = dist.Normal(centre, scale).to_event(jnp.ndim(centre))
        drawn: Array = numpyro.sample(name, normal)
        return drawn

    single_label = jnp.array([0.0, np.log(spread)])
    duplicate = jnp.array([[-2.5, np.log(prior.spread)], [0.0, np.log(prior.spread)]])
    votes = jnp.where(jnp.arange(len(names.label)) == 0, -0.5, 0.0)
    return {
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
        **sample_pairs(observations.layout, prior.pairs, prior.synonym_pairs),
        **sample_synonyms(names, prior.synonyms),
    }


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
