r"""Endorsement of labels in a leading question, given the detection probability.

Asked *is there a laptop?*, people endorse what they would not have named. Of a block
:math:`B` with detection probability :math:`r_t`, low or high, each of its names
:math:`l` that is asked about is endorsed with

.. math::

   \mathrm{logit}\, g_{lt} = \iota + e^{\beta}\, \mathrm{logit}\, r_t
   + \gamma_1 [\,|B| > 1\,] + \gamma_2 [\,l \text{ is the data set's own}\,]

and the answers no, maybe and yes have the shares

.. math::

   ((1 - g)(1 - \kappa g),\; 2 \kappa g (1 - g),\; g (1 - \kappa (1 - g)))

on average (as in `annotators.contains_counts`: who looks twice and is divided says
maybe). How readily a label is endorsed differs from item to item: its shares are drawn
anew, from the Dirichlet distribution with this mean and concentration :math:`k`, which
integrates out. So what is said of a label weighs, given its block and t, a product of
steps

.. math::

   \prod_w \prod_{j < n_w} (k \bar g_w + j) \Big/ \prod_{j < n} (k + j)

and is added to the log weight of the block. Of whole numbers, the steps are one product
with a table.

**The leading question** is the odds ratio of endorsement and detection,
:math:`g_t (1 - r_t) / (r_t (1 - g_t))`, of a thing with one name.

References
----------
Mosimann (1962), section 2, for the Dirichlet-multinomial.
"""

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jaxtyping import Float

from consilience.model.contract import Parameters
from consilience.objects.block_counts import block_sizes
from consilience.objects.covariates import BlockCovariates
from consilience.objects.partitions import members
from consilience.objects.space import Names
from consilience.truth.arrays import AnyArray, maths

# The prior; a judgement, and wide: an odds ratio of seven to one either
# way, a slope from a third to three, and labels that differ as a Beta of two answers.
EFFECTS = 1.0
SHAPE = ((0.0, 0.5), (np.log(2.0), 1.0), (0.0, 1.0))  # of slope, spread and maybe
MIN_SHARE = 1e-12  # of a share

ENDORSEMENT_DIMS = {
    "endorsement": ("endorsement_covariate",),
    "endorsement_shape": ("slope_and_spread",),
    "endorsement_probability": ("detection_level",),
    "leading_question": ("detection_level",),
}


def sample_endorsement(names: Names) -> Parameters:
    """Sample what answers of kind contains need; nothing where there are none."""
    if not names.endorsement:
        return {}
    effects = dist.Normal(jnp.zeros(len(names.endorsement)), EFFECTS)
    centre, scale = map(jnp.array, zip(*SHAPE, strict=True))
    return {
        "endorsement": numpyro.sample("endorsement", effects.to_event(1)),
        "endorsement_shape": numpyro.sample(
            "endorsement_shape", dist.Normal(centre, scale).to_event(1)
        ),
    }


def log_endorsed(
    covariates: BlockCovariates, rates: Float[AnyArray, " 2"], parameters: Parameters
) -> Float[AnyArray, "2 #U #B"]:
    """Return log p(contains answers about a block's names), at either detection level.

    Zero where nobody was asked.
    """
    exceeds, xp = covariates.exceeds, maths(parameters).xp
    if exceeds is None or covariates.is_dataset_label is None:
        return xp.zeros((2, 1, 1))
    units, labels, width = exceeds.shape
    table = _steps(rates, parameters, width // 4)
    by_label = (exceeds @ table.reshape(width, -1)).reshape(units, labels, 2, 2, 2)
    is_own = covariates.is_dataset_label[:, :, None, None] > 0
    by_label = xp.where(is_own, by_label[..., 1], by_label[..., 0])
    inside, size = members(labels), block_sizes(labels)[:, None]
    by_size = np.stack([inside * (size == 1), inside * (size > 1)])
    return xp.einsum("unks,sbn->kub", by_label, by_size)


def endorsement_log_odds(
    rates: Float[AnyArray, " 2"], parameters: Parameters
) -> Float[AnyArray, "2 2 2"]:
    """Return log-odds of endorsement, by level, several names, and data-set label."""
    leading, multiple, *own_label = parameters["endorsement"]
    flag = np.arange(2)
    xp = maths(parameters).xp
    odds = leading + xp.exp(parameters["endorsement_shape"][0]) * rates
    odds = odds[:, None, None] + multiple * flag[:, None]
    return odds + (own_label[0] * flag if own_label else np.zeros(2))


def mean_shares(
    odds: Float[AnyArray, "*any"], parameters: Parameters
) -> Float[AnyArray, "3 *any"]:
    """Return the mean shares of no, maybe and yes."""
    library = maths(odds, parameters)
    endorsement, refused = library.sigmoid(odds), library.sigmoid(-odds)
    maybe = library.sigmoid(parameters["endorsement_shape"][2])
    shares = library.xp.stack(
        [
            refused * (1 - maybe * endorsement),
            2 * maybe * endorsement * refused,
            endorsement * (1 - maybe * refused),
        ]
    )
    return library.xp.maximum(shares, MIN_SHARE)


def endorsement(rates: Float[AnyArray, " 2"], parameters: Parameters) -> Parameters:
    """Return endorsement probabilities, and their log odds ratio against detection."""
    if "endorsement" not in parameters:
        return {}
    odds = endorsement_log_odds(rates, parameters)[:, 0, 0]
    return {
        "endorsement_probability": maths(odds).sigmoid(odds),
        "leading_question": odds - rates,
    }


def _steps(
    rates: Float[AnyArray, " 2"], parameters: Parameters, most: int
) -> Float[AnyArray, "A 2 2 2"]:
    """Return what each answer adds, by answer and how many came before it."""
    xp = maths(parameters).xp
    weight = xp.exp(parameters["endorsement_shape"][1])
    shares = mean_shares(endorsement_log_odds(rates, parameters), parameters)
    before = np.arange(most).reshape(1, -1, 1, 1, 1)
    steps = xp.log(weight * shares[:, None] + before)
    whole = xp.broadcast_to(-xp.log(weight + before), (1, *steps.shape[1:]))
    table = xp.concatenate([steps, whole])
    return table.reshape(-1, *table.shape[2:])
