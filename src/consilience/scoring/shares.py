r"""Smoothed vote shares: what to beat with probabilities that know no annotator.

.. math::

   p(z_i = k) = \frac{n_{ik} + 1/K}{n_i + 1}

One imagined answer is spread evenly over the K labels, so that no label is impossible.
Its accuracy is that of the majority vote.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from consilience.responses import Responses
from consilience.scoring.prediction import Prediction


def smoothed_shares(responses: Responses, imagined: float = 1.0) -> pd.DataFrame:
    """Share of each label in the answers about each item, smoothed."""
    table = responses.table
    item, label = table["item"].cat, table["label"].cat
    items, labels = item.categories, label.categories
    count = np.zeros((len(items), len(labels)))
    given = label.codes.to_numpy() >= 0
    place = item.codes.to_numpy()[given], label.codes.to_numpy()[given]
    np.add.at(count, place, table["n"].to_numpy()[given])
    smooth = count + imagined / len(labels)
    probability = smooth / smooth.sum(axis=1, keepdims=True)
    return pd.DataFrame(
        {
            "item": np.repeat(np.asarray(items, dtype=object), len(labels)),
            "label": np.tile(np.asarray(labels, dtype=object), len(items)),
            "probability": probability.ravel(),
        }
    )


def load(name: str) -> Callable[[Responses, int], Prediction]:
    """Return the baseline; there is one.

    Parameters
    ----------
    name
        Name of the baseline.
    """
    del name
    return lambda responses, _seed: Prediction(smoothed_shares(responses))
