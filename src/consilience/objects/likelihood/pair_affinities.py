r"""Effects of single pairs of labels, around the prediction of their features.

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

from collections.abc import Mapping
from types import MappingProxyType

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jaxtyping import Float

from consilience.model.contract import Parameters
from consilience.model.varying import sample_random_effects, sample_scale
from consilience.objects.layout.covariate_names import Names
from consilience.objects.layout.covariates import BlockCovariates
from consilience.objects.layout.items import Items
from consilience.objects.layout.partitions import pairs_inside
from consilience.truth.arrays import AnyArray, maths

DIMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"pairs": ("pair",), "pairs_spread": (), "synonym_pairs": ("pair",)}
)
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


def sample_synonyms(names: Names, log_odds: float) -> Parameters:
    """Sample what the covariates of a pair add to the log-odds of being synonyms."""
    centre = jnp.zeros(len(names.pair)).at[0].set(log_odds)
    normal = dist.Normal(centre, jnp.ones(len(names.pair)).at[0].set(SURE))
    return {"synonyms": numpyro.sample("synonyms", normal.to_event(1))}


def sample_pairs(items: Items, spread: float, synonyms: float) -> Parameters:
    """Sample the effects of single pairs; nothing where there are none."""
    if items.pair_items is None:
        return {}
    scale = sample_scale("pairs", spread, WIDE)
    information = jnp.asarray(INFORMATION * items.pair_items)
    effects = {"pairs": sample_random_effects("pairs", scale, information)}
    if synonyms > 0:
        normal = dist.Normal(jnp.zeros(information.shape), synonyms)
        effects["synonym_pairs"] = numpyro.sample("synonym_pairs", normal.to_event(1))
    return effects


def pair_effects(
    covariates: BlockCovariates, parameters: Parameters, name: str
) -> Float[AnyArray, "U B"] | float:
    """Return the sum of what the pairs inside each block have of their own."""
    if covariates.pairs is None or name not in parameters:
        return 0.0
    effect = maths(parameters).xp.append(parameters[name], 0.0)[covariates.pairs]
    return effect @ pairs_inside(covariates.label.shape[1])
