"""Where completions of a unit agree on a block: each such cell is weighed once.

Given its unit, what a block weighs depends on a completion only by how many one-label
answers of listers have their label in the block, and how many outside. So the weights
of all blocks and completions are those of fewer cells, looked up.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from consilience.truth.partitions import members
from consilience.truth.pytree import pytree


@pytree()
@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of units that have n candidates.

    Attributes
    ----------
    row
        Unit and block of each, as a place in the table of both.
    inside, elsewhere
        One-label answers of listers whose label is in the block, and is not.
    cell
        That of each block and completion.
    """

    row: Int[Array, " C"]
    inside: Int[Array, " C"]
    elsewhere: Int[Array, " C"]
    cell: Int[Array, "B V"]


def cells_of(of_unit: Int[np.ndarray, " V"], lazy: Int[np.ndarray, "V n"]) -> Cells:
    """Return the cells of completions.

    Parameters
    ----------
    of_unit, lazy
        As in `consilience.truth.block_counts.Blocks`.
    """
    num_labels = lazy.shape[1]
    block = np.arange(1 << num_labels)
    inside = lazy @ members(num_labels).T.astype(np.int64)
    elsewhere = lazy.sum(1, keepdims=True) - inside
    row = of_unit[:, None].astype(np.int64) * len(block) + block
    most = int(lazy.sum(1).max(initial=0)) + 1
    code = (row * most + inside) * most + elsewhere
    code, cell = np.unique(code, return_inverse=True)
    rest, outside = np.divmod(code, most)
    unit_and_block, within = np.divmod(rest, most)
    return Cells(
        row=jnp.asarray(unit_and_block.astype(np.int32)),
        inside=jnp.asarray(within.astype(np.int32)),
        elsewhere=jnp.asarray(outside.astype(np.int32)),
        cell=jnp.asarray(cell.reshape(len(lazy), -1).T.astype(np.int32)),
    )
