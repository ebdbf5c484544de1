"""Pairs of item and label, laid out for the model `contains`, and what answers tell.

How much answers tell of an annotator need be known but roughly: it sets the coordinates
that engines move in, and by these how far annotators are found to differ (`varying`).
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from consilience.truth import Observations, Space, tally
from consilience.truth.incidence import Incidence, incidence
from consilience.truth.pytree import pytree

# What an answer tells of a threshold, of what it would if the appearance were known
# and the votes said it: .17, .24 and .31 in studies of 2, 5 and 15 answers a label,
# drawn from the prior.
TOLD = 0.25


@pytree("num_groups", "grouped")
@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of item and label, laid out.

    Attributes
    ----------
    by_table
        Units x (annotator, group of labels, answer).
    by_group
        Units x groups: to which group the label belongs.
    covariates
        What is known beforehand; no columns where nothing is.
    divided
        How divided the votes are, from 0 to 1/4.
    num_groups
        G.
    grouped
        Whether labels have groups; else there is one that means nothing.
    """

    by_table: Incidence
    by_group: Incidence
    group: Int[Array, " U"]
    covariates: Float[Array, "U P"]
    divided: Float[Array, " U"]
    num_groups: int
    grouped: bool


def laid_out(space: Space) -> Pairs:
    """Lay the answers out by annotator and group of labels."""
    answers, units = len(space.answers), space.num_units
    known, groups = space.covariates, space.groups
    group = np.zeros(units, np.int32) if groups is None else groups.code
    number = 1 if groups is None else len(groups.names)
    cell = space.annotator * number + group[space.unit]
    weight = None if (space.n == 1).all() else space.n.astype(float)
    shape = (units, space.num_annotators * number * answers)
    every = np.arange(units, dtype=np.int32)
    votes = tally(space) + 1 / answers
    divided = votes.prod(1) / votes.sum(1) ** 2
    return Pairs(
        by_table=incidence(space.unit, cell * answers + space.answer, weight, shape),
        by_group=incidence(every, group, None, (units, number)),
        group=jnp.asarray(group),
        covariates=jnp.zeros((units, 0)) if known is None else jnp.asarray(known.value),
        divided=jnp.asarray(divided),
        num_groups=number,
        grouped=groups is not None,
    )


class Information(NamedTuple):
    """Roughly what each annotator's answers tell, inverse variances.

    Attributes
    ----------
    discrimination, width
        Of their logarithms.
    place
        Of a threshold in each group of labels, for a discrimination of one; it grows as
        the square of that.
    """

    discrimination: Float[Array, " J"]
    width: Float[Array, " J"]
    place: Float[Array, "J G"]


def information(observations: Observations) -> Information:
    """Return roughly what each annotator's answers tell.

    Of the logarithm of a discrimination: an answer tells as much as the votes are
    divided, and a part of that of the place of a threshold. Of the logarithm of a
    width: as many as are *maybe*.
    """
    pairs: Pairs = observations.own
    count = jnp.broadcast_to(observations.scale, pairs.divided.shape)
    each = jnp.stack([count * pairs.divided, count], 1)
    shape = (observations.num_annotators, pairs.num_groups, -1, 2)
    told = (pairs.by_table.T @ each).reshape(shape)
    doubt = told[..., 0].sum(2)
    return Information(
        discrimination=doubt.sum(1),
        width=told[:, :, 1, 1].sum(1),
        place=TOLD * doubt,
    )
