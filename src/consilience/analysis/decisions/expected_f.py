r"""Expected F of calling the most probable labels present, exactly and for all at once.

With :math:`T` labels truly there, of the `k` that are called present :math:`S`, the
F-measure in which a miss weighs :math:`b` false yeses (:math:`b = \beta^2`) is
:math:`(1 + b) S / (b T + k)`. Of :math:`1/x = \int_0^\infty e^{-xt} dt`, with labels
that are there independently with chances :math:`p_i`,

.. math::

   E\,F_k = (1 + b) \int_0^\infty e^{-(b + k) t}
   \Bigl[ \sum_{i \le k} \frac{p_i}{r_i(t)} \Bigr] \prod_j r_j(t) \, dt,
   \qquad r_i(t) = 1 - p_i + p_i e^{-bt},

and the sum in brackets is a running one. So the F of all `k` take one pass over the
labels, where recursions over the counts take the square of their number.

References
----------
Lewis (1995), Evaluating and optimizing autonomous text classification systems, section
4: where labels are independent, the best are the most probable `k`. Ye, Chai, Lee and
Chieu (2012), Optimizing F-measures: a tale of two approaches, section 3, for the
recursion.
"""

import numpy as np
from jaxtyping import Float

# The integral is taken evenly in log t, where the integrand is smooth and falls off on
# both sides: to 1e-11 of the smallest scale below, to exp(-40) above.
MIN_NODE, MAX_NODE, STEP = 1e-11, 40.0, 0.2
BLOCK = 10_000  # labels looked at together: some 200 nodes of each, 16 MB


def expected_f(chance: Float[np.ndarray, " U"], miss: float) -> Float[np.ndarray, " V"]:
    """Return the expected F of calling the first 0, 1, ..., U labels present."""
    number = len(chance)
    first = np.log(MIN_NODE / ((1 + miss) * max(number, 1)))
    node = np.exp(np.arange(first, np.log(MAX_NODE / min(miss, 1.0)), STEP))
    faded = np.exp(-miss * node)
    parts = [chance[at : at + BLOCK] for at in range(0, number, BLOCK)]

    def factor(part: Float[np.ndarray, " u"]) -> Float[np.ndarray, "u Q"]:
        value = (1 - part[:, None]) + part[:, None] * faded
        floored: Float[np.ndarray, "u Q"] = np.maximum(value, np.finfo(float).tiny)
        return floored

    rest = sum((np.log(factor(part)).sum(0) for part in parts), np.zeros_like(node))
    values = [np.prod(1 - chance)[None]]
    running, called = np.zeros((1, len(node))), 0
    for part in parts:
        running = running[-1] + np.cumsum(part[:, None] / factor(part), axis=0)
        number_called = called + np.arange(1, len(part) + 1)
        weight = np.exp(rest - (miss + number_called[:, None]) * node)
        values.append((1 + miss) * STEP * (weight * running) @ node)
        called += len(part)
    return np.concatenate(values)
