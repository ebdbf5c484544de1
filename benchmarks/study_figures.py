"""The study's figures from one fit: values by weighting of the images.

All are ratios of sums over images, with the fit's probabilities in the place of facts:
for the study's own rule these are 0 or 1, and the figures are its plug-in figures. The
10,000 images that the study began with are one population; those that nobody was asked
about again count as one object under the data set's own label. Letters: D draws of
parameters, A models, I images, S = 1 + weightings.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from consilience.analysis.drawn_objects import (
    drawn_objects,
    object_sums,
    random_object,
    subsets,
)
from consilience.analysis.proposals import propose
from consilience.analysis.shares import ratios, weights
from consilience.imagenet.pickles import load_frame

TAU = 0.5
PER_CLASS = 10
RESAMPLES = 1000
PANEL = 9
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


class Images:
    """The 10,000 images: which were asked about again, their labels, predictions."""

    def __init__(self, data: Path, items: pd.Index) -> None:
        self.asked = items
        columns, names = load_frame(data / "imagenet-multilabel" / "image_info.pkl")
        group = pd.Series(columns["annotation"].astype(str), names.astype(str))
        rest = group.index.difference(items, sort=False)
        self.names = items.append(rest)
        self.group = group[self.names].to_numpy()
        folder = data / "imagenetv2"
        row = pd.Series(np.arange(50_000), image_names(folder))
        place = row[self.names].to_numpy()
        self.own = place // 50
        self.models = model_names(folder)
        best = [np.load(folder / f"{model}.npy") for model in self.models]
        self.best = np.stack([each[place] for each in best])
        # Of all 50,000 images.
        self.full = np.array([(b[:, 0] == row // 50).mean() for b in best])
        self.weightings = list(weights(len(self.names), RESAMPLES, 0))

    def predictions(self) -> pd.DataFrame:
        """Return what models say of the images that were asked about again."""
        number, depth = len(self.asked), self.best.shape[2]
        parts = [
            pd.DataFrame(
                {
                    "model": model,
                    "item": np.repeat(self.asked, depth),
                    "label": best[:number].ravel().astype(str),
                    "rank": np.tile(np.arange(1, depth + 1), number),
                }
            )
            for model, best in zip(self.models, self.best, strict=True)
        ]
        return pd.concat(parts, ignore_index=True)

    def dataset_labels(self) -> pd.DataFrame:
        """Return the data set's label of each image that was asked about again."""
        own = self.own[: len(self.asked)].astype(str)
        return pd.DataFrame({"item": self.asked, "label": own})


class Figures:
    """Values of figures by weighting, from one fit."""

    def __init__(self, fit, images: Images) -> None:
        self.images, self.fit = images, fit
        proposals = propose(
            fit, images.predictions(), images.dataset_labels(), 5, allow_circular=True
        )
        drawn = drawn_objects(
            fit, proposals.items, proposals.names[: proposals.num_fit_labels], TAU
        )
        self.proposals, self.drawn = proposals, drawn
        self.sums = dict(object_sums(proposals, drawn))
        self.baseline = dict(random_object(proposals, drawn))
        within = subsets(proposals, drawn)
        self.within = {name: drawn.probability(bits) for name, bits in within.items()}
        several = within["several_objects"]
        named = [
            drawn.bits_of(drawn.there, proposals.fitted_label[model, :, 0]) & several
            for model in range(len(proposals.models))
        ]
        self.named_of_several = np.stack([drawn.probability(b) for b in named], 1)
        self.of_asked = [
            block[:, : len(proposals.items)] for block in images.weightings
        ]
        own_hit = images.best[:, :, 0] == images.own
        self.own_hit = own_hit.astype(float)[None]
        self.own_top = (images.best == images.own[:, None]).any(2).astype(float)[None]

    def whole(self, asked, rest: float):
        """Extend what holds of images asked about again to all 10,000."""
        more = len(self.images.names) - asked.shape[-1]
        width = [(0, 0)] * (asked.ndim - 1) + [(0, more)]
        return np.pad(asked, width, constant_values=rest)

    def _of_asked(self, part, below):
        below = np.broadcast_to(below, part.shape)[:, None]
        return ratios(part[:, None], below, self.of_asked)[:, 0]

    def _of_all(self, part):
        top = self.whole(part, 0.0)[:, None]
        return ratios(top, np.ones_like(top), self.images.weightings)[:, 0]

    def share(self, subset: str, of: str = "all"):
        """Return the share of asked images in a subset, of those in another."""
        return self._of_asked(self.within[subset], self.within[of])

    def share_of_all(self, subset: str):
        """Return the share of all 10,000."""
        return self._of_all(self.within[subset])

    def panel(self, column: str, *, whole: bool = False):
        """Return what a fresh panel of nine would find by the study's rule.

        Of the rule itself: what the panel that there was has found.
        """
        kept = self.fit.data
        if "tables" in kept.children and "panels" in kept["tables"].children:
            told = self.fit.table("panels")
            told = told[told["annotators"] == PANEL]
            told = told.set_index(told["item"].astype(str))[column]
            chance = told.loc[self.proposals.items].to_numpy(float)[None]
        else:
            name = {"several": "several_objects", "differs": "other_main_label"}
            chance = self.within[name[column]]
        if whole:
            return self._of_all(chance)
        return self._of_asked(chance, np.ones_like(chance))

    def metric(self, metric: str, subset: str):
        """Return a metric of each model on a subset of the asked images: S x A."""
        return ratios(*self.sums[metric, subset], self.of_asked)

    def any_object(self):
        """Return how often each model names an object of several, rightly or not."""
        below = self.within["several_objects"][:, None]
        return ratios(
            self.named_of_several,
            np.broadcast_to(below, self.named_of_several.shape),
            self.of_asked,
        )

    def chance(self, subset: str):
        """Return the accuracy of naming one of the objects at random."""
        cell = self.baseline["dataset_accuracy", subset]
        return ratios(*cell, self.of_asked)[:, 0]

    def single_and_easy(self, hit):
        """Return a metric by the data set's label on easy and one-object images."""
        easy = self.images.group == "easy"
        member = self.whole(self.within["one_object"], 0.0) + easy
        return self._of(hit, member)

    def _of(self, hit, member):
        below = np.broadcast_to(member[:, None], (len(member), *hit.shape[1:]))
        return ratios(hit * below, below, self.images.weightings)

    def main_and_easy(self):
        """Return main-label accuracy; easy images count by the data set's label."""
        easy = self.images.group == "easy"
        main = self.whole(self.sums["main_label", "all"][0], 0.0)
        hit = main + self.own_hit * easy
        member = self.whole(self.within["all"], 0.0) + easy
        below = np.broadcast_to(member[:, None], hit.shape)
        return ratios(hit, below, self.images.weightings)

    def together(self, own: int, other: int):
        """Return in how many of ten images of a class another object is present.

        It is present if it is one of several objects and goes by the other label.
        """
        drawn, items = self.drawn, len(self.proposals.items)
        code = self.proposals.names.get_loc(str(other))
        called = drawn.bits_of(drawn.there & drawn.leading, np.full(items, code))
        both = drawn.probability(called & drawn.at_least(2))
        mine = (self.images.own[:items] == own).astype(float)
        below = (self.images.own == own).astype(float)
        top = self.whole(both * mine, 0.0)[:, None]
        bottom = np.broadcast_to(below, top.shape)
        return PER_CLASS * ratios(top, bottom, self.images.weightings)[:, 0]

    def called(self, own: int, other: int):
        """Return the share of asked images of a class whose main label is another."""
        drawn, items = self.drawn, len(self.proposals.items)
        code = self.proposals.names.get_loc(str(other))
        main = drawn.probability(drawn.bits_of(drawn.main_label, np.full(items, code)))
        mine = (self.images.own[:items] == own).astype(float)
        return self._of_asked(main * mine, mine)
