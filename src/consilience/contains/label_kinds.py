r"""What a label of an item may be like, and what each kind makes appearances.

A label is *absent*; or absent in the *context* of a similar label that is present,
which was shown with it or not; or *present*. Each kind has its component of the latent
trait, shifted by the effect of the item, which is on nodes. What a similar label adds,
and what the item adds to labels that are there and to those that are not alike, does
not make a label present.
"""

from enum import IntEnum
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.nn import log_sigmoid
from jaxtyping import Array, Float

from consilience.contains.item_label_pairs import Pairs
from consilience.contains.latent_trait import mixture, presence
from consilience.model.contract import Parameters

# Of the effect of an item, in standard deviations. In three studies of 225 items drawn
# from the prior, 41 nodes moved the log-likelihood by .02 to .06 of some 2,000 nats,
# and no probability of presence by more than .011.
ITEM_NODES, ITEM_REACH = 9, 3.0

# Parameters: the effect of a similar label that is present, and its addition if that
# label was not shown.
SHOWN, NOT_SHOWN = "context_effect", "context_effect_not_shown"


class Kind(IntEnum):
    """What a label may be like."""

    ABSENT = 0
    IN_CONTEXT = 1
    CONTEXT_NOT_SHOWN = 2
    PRESENT = 3


def kinds(pairs: Pairs) -> tuple[Kind, ...]:
    """Return the kinds that a study distinguishes, *present* last."""
    shown = (Kind.IN_CONTEXT,) if pairs.similar else ()
    not_shown = (Kind.CONTEXT_NOT_SHOWN,) if pairs.not_shown else ()
    return (Kind.ABSENT, *shown, *not_shown, Kind.PRESENT)


def item_nodes(pairs: Pairs) -> tuple[Float[np.ndarray, " M"], Float[np.ndarray, " M"]]:
    """Return nodes of the standardised effect of an item, and their log weights."""
    if not pairs.several:
        return np.zeros(1), np.zeros(1)
    node = np.linspace(-ITEM_REACH, ITEM_REACH, ITEM_NODES)
    weight = np.exp(-0.5 * node**2)
    return node, np.log(weight / weight.sum())


def shifts(
    parameters: Parameters,
) -> tuple[Float[Array, " 4"], Float[Array, " 4"]]:
    """Return the context effect of each kind, and the weight of an item's effect."""
    nothing, shown, more = jnp.zeros(()), parameters[SHOWN], parameters[NOT_SHOWN]
    low, high = parameters["item"]
    return jnp.stack([nothing, shown, shown + more, nothing]), jnp.stack(
        [low] * 3 + [high]
    )


class Appearances(NamedTuple):
    """Appearances of each kind of label, and which of them are present."""

    component: Float[Array, "G K M T"]
    presence: Float[Array, "G K M 2 T"]

    def averaged(
        self,
        pairs: Pairs,
        likelihood: Float[Array, "P T"],
        gold: Float[Array, "P 2"] | None,
    ) -> Float[Array, "K P M"]:
        """Return the likelihood of each kind and effect, appearances summed out."""
        table = self.component[:, :, :, None]
        if gold is not None:
            table = self._joint()
        groups, number, nodes, states, _ = table.shape
        columns = jnp.moveaxis(table, 4, 1).reshape(groups, -1)
        mixed = _by_block(pairs, likelihood, columns)
        by_node = mixed.reshape(len(likelihood), number, nodes, states)
        if gold is not None:
            by_node *= gold[:, None, None]
        return jnp.moveaxis(by_node.sum(3), 0, 1)

    def spread(
        self, pairs: Pairs, kind: Float[Array, "K P M"]
    ) -> Float[Array, "P 2 T"]:
        """Return p(state, appearance) of each place, given p(kind, effect)."""
        joint = self._joint()
        flat = jnp.moveaxis(kind, 0, 1).reshape(kind.shape[1], -1)
        return _by_block(pairs, flat, joint.reshape(len(joint), -1)).reshape(
            len(flat), 2, -1
        )

    def _joint(self) -> Float[Array, "G K M 2 T"]:
        return self.component[:, :, :, None] * self.presence


def appearances(
    pairs: Pairs, tables: Float[Array, "J G L T"], parameters: Parameters
) -> Appearances:
    """Return the latent traits of the kinds of label that a study distinguishes."""
    which = list(kinds(pairs))
    node, _ = item_nodes(pairs)
    context, counts = (log_odds[jnp.array(which)] for log_odds in shifts(parameters))
    shift = context[:, None, None] + counts[:, None, None] * node
    shape = (len(which), pairs.num_groups, len(node))
    component = mixture(parameters, jnp.broadcast_to(shift, shape))
    away = excused(parameters)[jnp.array(which), None] + alike(parameters) * node
    judged = [presence(tables, parameters, each) for each in away]
    return Appearances(jnp.moveaxis(component, 0, 1), jnp.stack(judged, 1))


def excused(parameters: Parameters) -> Float[Array, " 4"]:
    """Return how much of the trait of each kind of label is owed to similar labels.

    A panel sees similar labels as well; but it is asked about all of them, so that
    what is added by not showing one is excused.
    """
    if "panel" in parameters:
        return jnp.zeros(4).at[Kind.CONTEXT_NOT_SHOWN].set(parameters[NOT_SHOWN])
    return shifts(parameters)[0]


def alike(parameters: Parameters) -> Float[Array, ""]:
    """Return what the effect of an item adds to labels of all kinds alike."""
    if "panel" in parameters:
        return jnp.zeros(())
    return parameters["item"].min()


def log_prior(pairs: Pairs, parameters: Parameters) -> Float[Array, "K P 1"]:
    """Return log p(absent), once for each kind, and log p(present) of each place."""
    odds = parameters["odds"].ravel()
    absent = [log_sigmoid(-odds)] * (len(kinds(pairs)) - 1)
    return jnp.stack([*absent, log_sigmoid(odds)])[:, :, None]


def _by_block(
    pairs: Pairs, rows: Float[Array, "P R"], tables: Float[Array, "G RC"]
) -> Float[Array, "P C"]:
    """Return the rows times the table of their group."""
    of_block = pairs.groups @ tables
    width = rows.shape[1]
    blocks = rows.reshape(len(of_block), -1, width)
    mixed = blocks @ of_block.reshape(len(of_block), width, -1)
    return mixed.reshape(len(rows), -1)
