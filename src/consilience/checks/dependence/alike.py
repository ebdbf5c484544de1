"""The two annotators whose errors go together the most.

What is left of an answer after its prediction from all others, its residual, should not
go together with that of another annotator. Where one copies the other, or both read a
question in another way than the rest, the residuals of the two do (Yen's Q3).

References
----------
Yen (1984), Effects of local item dependence on the fit and equating performance of the
three-parameter logistic model.
"""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_array

from consilience.truth import Space

MOST_OF_ONE = 3.0  # standard deviations that a residual counts for
MIN_SHARED = 20  # units that two annotators must share
MOST = 2000  # annotators; a table of all pairs of more is not made


class Copied(NamedTuple):
    """The two annotators whose residuals go together the most."""

    z: float
    limit: float
    correlation: float
    first: str
    second: str


def most_alike(space: Space, residual: Float[np.ndarray, " N"]) -> Copied | None:
    """Return the two annotators whose residuals go together the most, if any share."""
    if space.num_annotators > MOST:
        return None
    people = np.flatnonzero(space.identified[space.annotator])
    where = (space.annotator[people], space.unit[people])
    shape = (space.num_annotators, space.num_units)
    # A surprising answer counts, but one alone does not decide.
    table = csr_array(
        (np.clip(residual[people], -MOST_OF_ONE, MOST_OF_ONE), where), shape
    )
    counts = csr_array((np.ones(len(people)), where), shape)
    shared = np.triu((counts @ counts.T).toarray(), 1)
    together = (table @ table.T).toarray()
    looked = shared >= MIN_SHARED
    if not looked.any():
        return None
    correlation = together / np.maximum(shared, 1)
    z = np.where(looked, correlation * np.sqrt(shared), -np.inf)
    first, second = np.unravel_index(int(z.argmax()), z.shape)
    return Copied(
        float(z[first, second]),
        NormalDist().inv_cdf(1 - 0.01 / int(looked.sum())),
        float(correlation[first, second]),
        str(space.annotators[first]),
        str(space.annotators[second]),
    )
