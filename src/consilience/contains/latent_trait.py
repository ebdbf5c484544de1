r"""The latent trait on nodes: probabilities of answers there, and of endorsement.

Arithmetic of the model `contains`, whose parameters it takes by name: `node`,
`threshold`, `slope`, `width`, `lapse`, `means`, `scale` and `panel`.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import log_sigmoid, sigmoid, softmax
from jax.scipy.special import betainc
from jaxtyping import Array, Float

from consilience.model.contract import Parameters

MIN_PROBABILITY = 1e-12  # of a probability


def answer_tables(parameters: Parameters) -> Float[Array, "J G L T"]:
    """Return log p(answer | appearance) of each annotator in each group of labels."""
    low, high = log_odds(parameters)
    maybe = jnp.log(jnp.maximum(sigmoid(low) - sigmoid(high), MIN_PROBABILITY))
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


def mixture(
    parameters: Parameters, shift: Float[Array, "H G M"]
) -> Float[Array, "H G M T"]:
    """Return p(trait) of components whose means are shifted, on the nodes.

    Parameters
    ----------
    parameters
        Those of the model.
    shift
        Of the mean of each component in each group of labels: the lower one, as often
        as need be, and last the upper one.
    """
    node = parameters["node"]
    which = np.repeat([0, 1], [len(shift) - 1, 1])
    means = parameters["means"][which][:, :, None] + shift
    scale = widths(parameters)[which][:, None, None, None]
    return softmax(-0.5 * ((node - means[..., None]) / scale) ** 2, axis=3)


def widths(parameters: Parameters) -> Float[Array, "2"]:
    """Return the standard deviations of the components on the nodes.

    None is narrower than half a cell of nodes: else the optimizer could end between
    two.
    """
    node = parameters["node"]
    return jnp.hypot(parameters["scale"], (node[1] - node[0]) / 2)


def presence(
    tables: Float[Array, "J G L T"], parameters: Parameters
) -> Float[Array, "G 2 T"]:
    """Return p(absent) and p(present), as the panel says, at each node.

    Present is what at least half of the panel endorse; a tie endorses.
    """
    endorsed = 1 - jnp.tensordot(parameters["asked"], jnp.exp(tables[:, :, 0]), 1)
    panel = jax.lax.stop_gradient(parameters["panel"])
    half = jnp.ceil(panel / 2)
    present = betainc(half, panel - half + 1, endorsed)
    return jnp.clip(
        jnp.stack([1 - present, present], 1), MIN_PROBABILITY, 1 - MIN_PROBABILITY
    )


def relative_information(
    present: Float[Array, " U"], share: Float[Array, " U"], joint: Float[Array, "2 L"]
) -> Float[Array, ""]:
    """Return the information of covariates about presence, in answers of one annotator.

    Both are mutual information with presence: of the covariates, and of one answer of
    an annotator drawn at random, without them.
    """

    def entropy(share: Float[Array, "... _"]) -> Float[Array, "..."]:
        return -(share * jnp.log(jnp.clip(share, MIN_PROBABILITY))).sum(-1)

    prior = jnp.stack([1 - present, present], 1)
    mutual_information = entropy(share @ prior) - share @ entropy(prior)
    joint = joint / joint.sum()
    answer = entropy(joint.sum(0)) + entropy(joint.sum(1)) - entropy(joint.ravel())
    return mutual_information / jnp.maximum(answer, MIN_PROBABILITY)
