r"""Sums over all partitions whatever their number of objects, with slopes at no cost.

Where the number of objects is not asked, weights need no logarithms: with
:math:`w_B = e^{\phi_B}`,

.. math::

   Z(U) = \sum_{B \subseteq U,\ \min U \in B} w_B\, Z(U \setminus B), \qquad
   \frac{\partial Z(U)}{\partial w_B} = Z(U \setminus B)

so one recursion over subsets, of products and sums alone, gives the value and all
slopes: every complement of a block is among the subsets.

References
----------
Bjorklund, Husfeldt, Kaski and Koivisto (2007), Fourier meets Moebius: fast subset
convolution, section 1, for the recursion.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from consilience.objects.layout.partitions import subsets_by_size


@jax.custom_vjp
def total(weight: Float[Array, "B V"]) -> Float[Array, " V"]:
    """Return the summed weight of all partitions."""
    return _subset_sums(weight)[-1]


def _forward(
    weight: Float[Array, "B V"],
) -> tuple[Float[Array, " V"], Float[Array, "B V"]]:
    sums = _subset_sums(weight)
    return sums[-1], sums


def _backward(
    sums: Float[Array, "B V"], cotangent: Float[Array, " V"]
) -> tuple[Float[Array, "B V"]]:
    size = np.bitwise_count(np.arange(len(sums)))
    place = np.argsort(np.argsort(size, kind="stable"))
    slope = cotangent * sums[place[::-1]]  # of what is left when the block is taken
    return (slope.at[0].set(0.0),)


total.defvjp(_forward, _backward)


def _subset_sums(weight: Float[Array, "B V"]) -> Float[Array, "B V"]:
    """Return the sums over the partitions of every subset, in order of size."""
    num_labels = len(weight).bit_length() - 1
    sums = jnp.ones((1, *weight.shape[1:]), weight.dtype)  # of the empty set

    for block, rest in subsets_by_size(num_labels):

        def add(part: Array, where: tuple[Array, Array]) -> tuple[Array, None]:
            taken, left = where
            return part + weight[taken] * sums[left], None  # noqa: B023 (used at once)

        none = jnp.zeros((len(block), *weight.shape[1:]), weight.dtype)
        pairs = (jnp.asarray(block.T), jnp.asarray(rest.T))
        of_size, _ = jax.lax.scan(add, none, pairs)
        sums = jnp.concatenate([sums, of_size])
    return sums
