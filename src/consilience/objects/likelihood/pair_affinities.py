r"""Effects of single pairs of labels, around the prediction of their features.

.. math::

   \xi_{ll'} \sim N(0, \sigma_\xi^2), \qquad \omega_{ll'} \sim N(0, \sigma_\omega^2)

for the pairs of labels that are candidates together of enough items: :math:`\xi` on
the affinity, :math:`\omega` on the log-odds of being synonyms. So laptop and notebook
may be two names of one thing although other labels named together are not. Partial
pooling: what the answers say of a pair counts as far as pairs differ. How far
affinities do is estimated. How far synonyms do is not: with few pairs that the answers
tell apart, the most probable spread is none.
"""

from collections.abc import Mapping
from types import MappingProxyType

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jaxtyping import Float

from consilience.model.contract import Parameters
from consilience.model.random_effects.varying import sample_random_effects, sample_scale
from consilience.objects.layout.covariates import BlockCovariates
from consilience.objects.layout.items import Items
from consilience.objects.layout.partitions import pairs_inside
from consilience.truth.arrays.maths import AnyArray, maths

DIMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"pairs": ("pair",), "pairs_spread": (), "synonym_pairs": ("pair",)}
)
# What the answers to one item tell of the affinity of a pair: up to .17, and .07 on
# average, in a study simulated with nine answers an item and a spread of two.
INFORMATION = 0.1
WIDE = 0.7  # standard deviation of the logarithm of the spread; judgement


def sample_pairs(items: Items, spread: float, synonyms: float) -> Parameters:
    """Sample the effects of single pairs; nothing where there are none.

    Parameters
    ----------
    items
        Laid out with the pairs that have an affinity of their own.
    spread
        Prior median of the standard deviation of affinities.
    synonyms
        Standard deviation of the effects on the log-odds of being synonyms.
    """
    if items.pair_items is None:
        return {}
    scale = sample_scale("pairs", spread, WIDE)
    information = jnp.asarray(INFORMATION * items.pair_items)
    normal = dist.Normal(jnp.zeros(information.shape), synonyms)
    return {
        "pairs": sample_random_effects("pairs", scale, information),
        "synonym_pairs": numpyro.sample("synonym_pairs", normal.to_event(1)),
    }


def pair_effects(
    covariates: BlockCovariates, parameters: Parameters, name: str
) -> Float[AnyArray, "U B"] | float:
    """Return the sum of what the pairs inside each block have of their own.

    Parameters
    ----------
    covariates
        Of all items of n candidates.
    parameters
        As sampled.
    name
        `pairs` (affinities) or `synonym_pairs`.
    """
    if covariates.pairs is None:
        return 0.0
    effect = maths(parameters).xp.append(parameters[name], 0.0)[covariates.pairs]
    inside: Float[AnyArray, "U B"] = effect @ pairs_inside(covariates.label.shape[1])
    return inside
