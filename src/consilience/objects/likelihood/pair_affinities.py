r"""Affinities of single pairs of labels, around the prediction of their features.

.. math::

   \xi_{ll'} \sim N(0, \sigma_\xi^2)

for the pairs of labels that are candidates together of enough items. So laptop and
notebook may be one thing although other labels named together are not. Partial pooling:
what the answers say of a pair counts as far as pairs are found to differ.
"""

from collections.abc import Mapping
from types import MappingProxyType

import jax.numpy as jnp
from jaxtyping import Float

from consilience.model.contract import Parameters
from consilience.model.random_effects.varying import sample_random_effects, sample_scale
from consilience.objects.layout.covariates import BlockCovariates
from consilience.objects.layout.items import Items
from consilience.objects.layout.partitions import pairs_inside
from consilience.truth.arrays.maths import AnyArray, maths

DIMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"pairs": ("pair",), "pairs_spread": ()}
)
# What the answers to one item tell of the affinity of a pair: up to .17, and .07 on
# average, in a study simulated with nine answers an item and a spread of two.
INFORMATION = 0.1
WIDE = 0.7  # standard deviation of the logarithm of the spread; judgement


def sample_pairs(items: Items, spread: float) -> Parameters:
    """Sample the affinities of single pairs; nothing where there are none.

    Parameters
    ----------
    items
        Laid out with the pairs that have an affinity of their own.
    spread
        Prior median of their standard deviation.
    """
    if items.pair_items is None:
        return {}
    scale = sample_scale("pairs", spread, WIDE)
    relative_information = jnp.asarray(INFORMATION * items.pair_items)
    return {"pairs": sample_random_effects("pairs", scale, relative_information)}


def pair_affinities(
    covariates: BlockCovariates, parameters: Parameters
) -> Float[AnyArray, "U B"] | float:
    """Return what the pairs inside each block add to its log c."""
    if covariates.pairs is None:
        return 0.0
    affinity = maths(parameters).xp.append(parameters["pairs"], 0.0)[covariates.pairs]
    inside: Float[AnyArray, "U B"] = affinity @ pairs_inside(covariates.label.shape[1])
    return inside
