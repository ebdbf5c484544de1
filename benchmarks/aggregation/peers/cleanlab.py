"""cleanlab's consensus labels, which want a classifier's predictions and get none.

cleanlab states how likely the consensus is to be right, not how likely each label is:
only the labels are compared. CROWDLAB is given, as its classifier, the shares of the
labels in all answers, the same for every item: a classifier that sees nothing. With a
good classifier it would do better; no other method here has one either.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from benchmarks.aggregation.peers import answers_table
from consilience.benchmark.runs import Prediction
from consilience.responses import Responses

PACKAGE = "cleanlab"
MODULE = "cleanlab"
METHODS: Mapping[str, bool] = {"MajorityVote": False, "CROWDLAB": False}


def load(name: str) -> Callable[[Responses, int], Prediction]:
    """Import cleanlab and return the method.

    Parameters
    ----------
    name
        One of `METHODS`.
    """
    from cleanlab import multiannotator

    def predict(responses: Responses, seed: int) -> Prediction:
        np.random.seed(seed)  # noqa: NPY002 (it breaks ties by the global generator)
        table = answers_table(responses)
        item, items = pd.factorize(table["task"], sort=True)
        worker, workers = pd.factorize(table["worker"], sort=True)
        label, labels = pd.factorize(table["label"], sort=True)
        wide = np.full((len(items), len(workers)), np.nan)
        wide[item, worker] = label
        if name == "MajorityVote":
            chosen = multiannotator.get_majority_vote_label(wide, verbose=False)
        else:
            shares = np.bincount(label, minlength=len(labels)) / len(label)
            quality = multiannotator.get_label_quality_multiannotator(
                pd.DataFrame(wide),
                np.tile(shares, (len(items), 1)),
                return_detailed_quality=False,
                return_annotator_stats=False,
                verbose=False,
            )
            chosen = quality["label_quality"]["consensus_label"]
        names = np.asarray(labels, str)[np.asarray(chosen).astype(np.int64)]
        return Prediction(
            pd.DataFrame(
                {"item": np.asarray(items, str), "label": names, "probability": 1.0}
            )
        )

    return predict
