r"""Integrals over a standard normal, as sums over a few nodes.

.. math::

   \int f(x)\, N(x \mid 0, 1)\, dx \approx \sum_t w_t f(x_t)

What an item has of its own and nobody asks for by name (how hard it is) is integrated
out inside the item: each node is a state finer than the truth.

The nodes are equally spaced (the trapezoidal rule, which for a smooth function that
fades at both ends errs exponentially little; Trefethen and Weideman 2014), not those of
Gauss and Hermite, of which half lie where the normal has no weight. With many answers
the integrand is a narrow bump, and what counts is the spacing. Of ten answers with an
effect of standard deviation two, the log of the integral errs by 5e-6 at 31 equal
steps, by 8e-3 at 31 Gauss-Hermite nodes; of forty, by .03 and .5.

References
----------
Trefethen and Weideman (2014), The exponentially convergent trapezoidal rule, section 5.
"""

import numpy as np
from jaxtyping import Float

# Reach and spacing that balance what is cut off, exp(-reach^2 / 2), against what falls
# between the nodes, for bumps of a third of the normal's width: 5 at 31 nodes. Both
# errors fall as nodes are added.
REACH = 0.9


def normal_nodes(
    number: int,
) -> tuple[Float[np.ndarray, " T"], Float[np.ndarray, " T"]]:
    """Return nodes and the logarithms of their weights, which sum to one."""
    reach = REACH * np.sqrt(number)
    node = np.linspace(-reach, reach, number) if number > 1 else np.zeros(1)
    weight = np.exp(-0.5 * node**2)
    return node, np.log(weight / weight.sum())
