"""How many would say yes: of the data set's labels, and of what models predict.

The study's own Contains answers are not released. The raters of the reassessed ImageNet
labels were asked the same question, of images that models disagreed about, with the
data set's label always among what they rated: they stand in, for those of the study's
images that they rated.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.study_data import image_names, model_names
from consilience.analysis.shares import ratios, weights

RESAMPLES = 1000


class Frequencies:
    """Selection frequencies of the rated images' labels and predictions."""

    def __init__(self, data: Path, names: pd.Index) -> None:
        import consilience as cs

        whole = cs.read(data / "reassessed-imagenet")
        those = whole.table["item"].isin(names)
        table = whole.table[those][["item", "annotator", "label", "answer"]].astype(str)
        responses = cs.read(table, kind="contains")
        yes = table["answer"].map({"yes": 1.0, "maybe": 0.5, "no": 0.0})
        raw = yes.groupby([table["item"], table["label"]]).mean()
        effort = cs.EngineOptions(restarts=1)
        fit = cs.fit(responses, model="contains_counts", engine="em", effort=effort)
        told = cs.frequencies(fit, (0.2, 0.5, 0.8)).astype({"item": str, "label": str})
        told["raw"] = raw.loc[list(zip(told["item"], told["label"], strict=True))].array
        folder = data / "imagenetv2"
        images = told["item"].unique()
        place = pd.Index(image_names(folder)).get_indexer(pd.Index(images))
        self.own = (place // 50).astype(str)
        self.table = told.set_index(["item", "label"])
        self.images = images
        self.models = model_names(folder)
        self.best = {
            model: np.load(folder / f"{model}.npy")[place, 0].astype(str)
            for model in self.models
        }
        self.weightings = list(weights(len(images), RESAMPLES, 0))

    def of(self, labels, column: str):
        """Return the frequency of a label of each image; NaN where it was not rated."""
        keys = pd.MultiIndex.from_arrays([self.images, labels])
        return self.table[column].reindex(keys).to_numpy()

    def mean(self, values, members=None):
        """Return a mean over images by weighting."""
        below = np.ones(len(values)) if members is None else members.astype(float)
        top = (np.nan_to_num(values) * below)[None, None]
        below = np.where(np.isnan(values), 0.0, below)
        return ratios(top, below[None, None], self.weightings)[:, 0]

    def figures(self, *, posterior: bool):
        """Give figures by name: shares of yes, or what the model makes of them."""
        column = "frequency" if posterior else "raw"
        own = self.of(self.own, column)
        found = {"label": self.mean(own)}
        for model, labels in self.best.items():
            found[model] = self.mean(self.of(labels, column))
        present = self._beyond(0.5, posterior=posterior)
        number = present.groupby("item").sum().reindex(self.images)
        found["labels"] = self.mean(number.to_numpy(float))
        others = self.table[column].copy()
        keys = pd.MultiIndex.from_arrays([self.images, self.own])
        others.loc[others.index.isin(keys)] = -1.0
        rival = others.groupby("item").max().reindex(self.images).to_numpy()
        found["rival"] = self.mean((rival >= own).astype(float))
        for model in ("alexnet", "pnasnet_large_tf"):
            keys = pd.MultiIndex.from_arrays([self.images, self.best[model]])
            seldom, often = (
                self._beyond(bar, posterior=posterior).reindex(keys).to_numpy(float)
                for bar in (0.2, 0.8)
            )
            wrong = (self.best[model] != self.own) & ~np.isnan(often)
            found[f"{model} seldom"] = self.mean(1 - seldom, wrong)
            found[f"{model} often"] = self.mean(often, wrong)
        return found

    def _beyond(self, bar: float, *, posterior: bool):
        """Return P(frequency above a bar); of shares, whether it is reached."""
        if posterior:
            return self.table[f"above_{bar:g}"]
        reached = self.table["raw"] > bar if bar < 0.5 else self.table["raw"] >= bar
        return reached.astype(float)
