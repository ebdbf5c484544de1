"""Predictions of models for the images of the ImageNet studies, from public files."""

import json
from collections.abc import Sequence
from pathlib import Path

RANKS = 5


def image_names(folder: Path) -> list[str]:
    """Return the 50,000 validation images; fifty of each class, class by class."""
    file = folder / "imagenet-validation-original.json"
    found = json.loads(file.read_text(encoding="utf-8"))["image_filenames"]
    return [name for name, _ in found]


def model_names(folder: Path) -> list[str]:
    """Return the models whose best five labels are there."""
    return sorted(file.stem for file in folder.glob("*.npy"))


def study_predictions(folder: Path, models: Sequence[str] | None = None):
    """Return model, item, label and rank of all images.

    Parameters
    ----------
    folder
        The files of ImageNetV2.
    models
        Which; None: all.
    """
    import numpy as np
    import pandas as pd

    names = image_names(folder)
    item = pd.Categorical.from_codes(
        np.tile(np.arange(len(names)), RANKS), categories=names
    )
    rank = np.repeat(np.arange(1, RANKS + 1), len(names))
    parts = []
    for model in models or model_names(folder):
        best = np.load(folder / f"{model}.npy")
        label = best.T.ravel().astype(str)
        columns = {"model": model, "item": item, "label": label, "rank": rank}
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)
