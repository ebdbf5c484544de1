"""A basis of log-odds in which no answer is singled out."""

import numpy as np
from jaxtyping import Float


def zero_sum_basis(size: int) -> Float[np.ndarray, "L F"]:
    """Return an orthonormal basis of the vectors of that size that sum to zero.

    Helmert's contrasts: each answer against the mean of those before it.
    """
    basis = np.zeros((size, size - 1))
    for column in range(1, size):
        basis[:column, column - 1] = 1.0
        basis[column, column - 1] = -column
    return basis / np.linalg.norm(basis, axis=0)
