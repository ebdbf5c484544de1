"""A study laid out for the objective: merged, padded and cut into blocks.

Units are looked at block by block, and each block's table is computed again for the
gradient, so memory does not grow with the items. Units that look alike are looked at
once.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from consilience.model import (
    Model,
    lay_out,
    num_substates,
)
from consilience.objects.layout.items import Items
from consilience.truth import (
    ChoiceSpace,
    ObjectsSpace,
    Observations,
    Space,
    blocks,
    merge_identical,
    padded,
)

MAX_TABLE = 20_000_000  # numbers in the scores of a block (float64: 160 MB)
# Fewer merged would cost more than it saves: another study of the same design then has
# the same shapes, and what is compiled for one serves all.
WORTH_MERGING = 0.75


class Data(NamedTuple):
    """The answers whole, without which no parameter is sampled, and in blocks.

    Units that look alike are merged into one of such a weight. All is padded to one of
    few sizes, for all that are compiled; what is added has no answers and no weight.
    """

    whole: Observations
    parts: Observations
    weight: Float[Array, "blocks size"]


class Real(NamedTuple):
    """Which unit of the data stands for each of the space, and sizes of other axes."""

    place: Int[np.ndarray, " U"]
    sizes: Mapping[str, int]


def lay_out_data(
    model: Model[Any], space: Space, *, pad: bool = True
) -> tuple[Data, Real]:
    """Merge units that look alike, pad the arrays and cut the units into blocks."""
    total, place = space.n.sum(dtype=float), np.arange(space.num_units)
    count, sizes = np.ones(space.num_units), {"annotator": space.num_annotators}
    together = isinstance(space, ObjectsSpace) or model.whole_items
    if not together:
        who = any("annotator" in dims for dims in model.dims.values())
        merged = merge_identical(space, annotators=who)
        if len(merged.count) <= WORTH_MERGING * space.num_units:
            space, count, place = merged.space, merged.count, merged.place
    if pad and _may_pad(space):
        space = padded(space)
        count = np.append(count, np.zeros(space.num_units - len(count)))
    whole = replace(
        lay_out(model, space),
        scale=jnp.asarray(count),
        total=jnp.asarray(total),
        asked=jnp.asarray(np.arange(space.num_annotators) < sizes["annotator"], float),
    )
    if isinstance(whole.layout, Items):
        sizes["pair"] = len(whole.layout.names.pairs)
    real = Real(place, sizes)
    columns = space.state.shape[1] * num_substates(model)
    size = max(MAX_TABLE // columns, 1)
    uncut = model.layout is not None
    if size >= space.num_units or uncut:
        parts = _as_one_block(whole)
        return Data(whole, parts, jnp.asarray(count[None])), real
    parts, weight = blocks(space, size)
    weight.ravel()[: space.num_units] *= count
    return Data(whole, parts, jnp.asarray(weight)), real


@jax.jit
def in_blocks(guess: Float[Array, "U S"], data: Data) -> Float[Array, "blocks size S"]:
    """Return a guess of the truth, cut as the units are."""
    number, size = data.weight.shape
    fill = ((0, number * size - len(guess)), (0, 0))
    padded = jnp.pad(guess, fill, constant_values=1.0)
    # What the guess excludes is excluded by the score already.
    return jnp.maximum(padded, 1e-12).reshape(number, size, -1)


def _may_pad(space: Space) -> bool:
    """Return whether units and annotators without answers change no result.

    What covariates of candidates are worth is a mean over all units and annotators.
    """
    return not (isinstance(space, ChoiceSpace) and space.covariates.names)


@jax.jit
def _as_one_block(whole: Observations) -> Observations:
    parts: Observations = jax.tree.map(lambda leaf: leaf[None], whole)
    return parts
