"""peerannot's aggregation strategies, with their own defaults.

They take one answer per item and worker, so that of repeated answers the last stands.
Where TwoThird and PlantNet come to no consensus, nothing is said of the item.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.aggregation.peers import answers_table
from consilience.benchmark.runs import Prediction
from consilience.responses import Responses

PACKAGE = "peerannot"
MODULE = "peerannot"
METHODS: Mapping[str, bool] = {
    "MajorityVoting": False,
    "NaiveSoft": True,
    "TwoThird": False,
    "Wawa": False,
    "IWMV": False,
    "WDS": True,
    "DawidSkene": True,
    "DawidSkeneClust": True,
    "GLAD": True,
    "PlantNet": False,
}


def load(name: str) -> Callable[[Responses, int], Prediction]:
    """Import peerannot and return the strategy.

    Parameters
    ----------
    name
        One of `METHODS`.
    """
    from peerannot import models

    make: Any = getattr(models, name)

    def predict(responses: Responses, seed: int) -> Prediction:
        # It breaks ties by NumPy's global generator.
        np.random.seed(seed)  # noqa: NPY002
        table = answers_table(responses)
        item, items = pd.factorize(table["task"], sort=True)
        worker, workers = pd.factorize(table["worker"], sort=True)
        label, labels = pd.factorize(table["label"], sort=True)
        answers: dict[int, dict[int, int]] = {i: {} for i in range(len(items))}
        for i, j, k in zip(item.tolist(), worker.tolist(), label.tolist(), strict=True):
            answers[i][j] = k
        with tempfile.TemporaryDirectory() as folder:  # GLAD writes what it found
            strategy = make(
                answers,
                n_classes=len(labels),
                n_workers=len(workers),
                **({"dataset": Path(folder)} if name == "GLAD" else {}),
            )
            if hasattr(strategy, "run"):
                strategy.run()
            if METHODS[name]:
                probabilities = np.asarray(strategy.get_probas(), dtype=np.float64)
                return Prediction(_long(probabilities, items, labels))
            chosen = np.asarray(strategy.get_answers()).astype(np.int64)
        return Prediction(_hard(chosen, items, labels))

    return predict


def _long(probabilities: np.ndarray, items: pd.Index, labels: pd.Index) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "item": np.repeat(np.asarray(items, str), len(labels)),
            "label": np.tile(np.asarray(labels, str), len(items)),
            "probability": probabilities.ravel(),
        }
    )


def _hard(chosen: np.ndarray, items: pd.Index, labels: pd.Index) -> pd.DataFrame:
    agreed = chosen >= 0
    return pd.DataFrame(
        {
            "item": np.asarray(items, str)[agreed],
            "label": np.asarray(labels, str)[chosen[agreed]],
            "probability": 1.0,
        }
    )
