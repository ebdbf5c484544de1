"""Messages between items and annotators, of two labels.

References
----------
Karger, Oh and Shah (2014), Budget-optimal task allocation for reliable crowdsourcing
systems, section 2.
"""

import numpy as np
from jaxtyping import Float, Int

from consilience.estimators.columns import Answers


def message_passing(
    answers: Answers,
    sign: Int[np.ndarray, " N"],
    n_iter: int,
    generator: np.random.RandomState,
) -> Float[np.ndarray, " I"]:
    """Return how far each item is of the label with sign one.

    Messages are divided by the largest after each iteration, which changes no sign and
    keeps them finite.
    """
    item, who = answers.item.codes, answers.annotator.codes
    reliable = generator.normal(1.0, 1.0, answers.number)
    for _ in range(n_iter):
        inferred = _from_others(item, sign * reliable)
        reliable = _from_others(who, sign * inferred)
        largest = np.abs(reliable).max(initial=0.0)
        reliable = reliable / largest if largest > 0 else reliable
    items = len(answers.item.values)
    return np.bincount(item, sign * reliable, items)


def _from_others(
    code: Int[np.ndarray, " N"], message: Float[np.ndarray, " N"]
) -> Float[np.ndarray, " N"]:
    """Return the sum of the messages of the same code, without one's own."""
    sums: Float[np.ndarray, " N"] = np.bincount(code, message)[code] - message
    return sums
