"""The reassessed ImageNet labels: a main part to learn from, and golden pairs.

The golden pairs of image and label have answers of 78 raters and, as gold, the majority
of five experts. The main part is taken without these pairs. A *draw* is the golden
answers of some raters, for each image others.
"""

import hashlib
from pathlib import Path
from typing import Any

from benchmarks.study_figures import image_names, model_names

RATERS = (1, 2, 3, 5, 10, 20, 78)
SEEDS = 10
SIMILAR = 0.05  # share of classifiers' guesses that makes labels similar
COLUMNS = ["item", "annotator", "label", "answer"]


def draws(raters: int) -> int:
    """Return how many draws of so many raters there are."""
    return SEEDS if raters < max(RATERS) else 1


class Study:
    """The answers, the truth, and what is known of pairs beforehand."""

    def __init__(self, data: Path) -> None:
        import numpy as np
        import pandas as pd

        import consilience as cs

        folder = data / "reassessed-imagenet"
        golden = cs.read(folder, format="reassessed_imagenet_golden")
        main = cs.read(folder).table
        self.gold = golden.gold.astype(str).sort_values(["item", "label"])
        self.present = (self.gold["answer"] == "yes").to_numpy()
        names, self.image = np.unique(self.gold["item"], return_inverse=True)
        first = [hashlib.sha256(str(name).encode()).digest()[0] for name in names]
        self.other_half = (np.array(first) % 2 == 1)[self.image]
        self.golden = golden.table[COLUMNS].astype(str)
        pairs = pd.MultiIndex.from_frame(self.gold[["item", "label"]])
        whole = main[COLUMNS].astype(str)
        of_golden = pd.MultiIndex.from_frame(whole[["item", "label"]]).isin(pairs)
        self.main = whole[~of_golden]
        self._read_predictions(data)

    def _read_predictions(self, data: Path) -> None:
        import numpy as np
        import pandas as pd

        folder = data / "imagenetv2"
        names = image_names(folder)
        self.row = pd.Series(range(len(names)), names)
        self.top = np.stack(
            [np.load(folder / f"{model}.npy") for model in model_names(folder)]
        )
        # Names of superclasses and their labels: a pickle, read without running it.
        from consilience.imagenet.pickles import load_object_array

        groups: Any = load_object_array(
            data / "imagenet-multilabel" / "superclasses.npy"
        )
        rows = [
            (str(label), name) for name, labels in groups.items() for label in labels
        ]
        self.labels = pd.DataFrame(rows, columns=["label", "parent"])

    def responses(self, rows, *, groups: bool):
        """Return answers as responses, with the groups of their labels or without."""
        import consilience as cs

        labels = self.labels if groups else None
        return cs.read(rows, kind="contains", labels=labels)

    def known(self, rows):
        """Return what is known beforehand of the pairs that are answered."""
        import numpy as np

        pairs = rows[["item", "label"]].drop_duplicates()
        row = self.row[pairs["item"].str.rpartition("/")[2]].to_numpy()
        label = pairs["label"].astype(int).to_numpy()
        hit = self.top[:, row] == label[None, :, None]
        rank = np.arange(1, hit.shape[2] + 1)
        return pairs.assign(
            top_five=hit.any(2).mean(0),
            reciprocal_rank=(hit / rank).sum(2).mean(0),
            first=hit[:, :, 0].mean(0),
            own=(row // 50 == label).astype(float),
        )

    def similar(self, least: float = SIMILAR):
        """Return labels that classifiers take for one another, and how often.

        Of the images whose label is one, the share of first guesses that are the other.
        """
        import numpy as np
        import pandas as pd

        first, label = self.top[:, :, 0], np.arange(self.top.shape[1]) // 50
        said = np.zeros((1000, 1000))
        for guesses in first:
            np.add.at(said, (label, guesses), 1 / (50 * len(first)))
        alike = np.maximum(said, said.T)
        one, other = np.nonzero(np.triu(alike, 1) >= least)
        return pd.DataFrame(
            {
                "label": one.astype(str),
                "other_label": other.astype(str),
                "value": alike[one, other],
            }
        )

    def drawn(self, raters: int, draw: int):
        """Return the golden answers of so many raters of each image."""
        import numpy as np

        generator = np.random.default_rng(draw)
        people = np.unique(self.golden["annotator"])
        kept = {
            (image, person)
            for image in np.unique(self.golden["item"])
            for person in generator.permutation(people)[:raters]
        }
        who = zip(self.golden["item"], self.golden["annotator"], strict=True)
        return self.golden[[each in kept for each in who]]

    def all_drawn(self):
        """Return all draws in one, each with items of its own names.

        What is learned is kept, so items do not know of each other: a prediction for
        all draws is the prediction for each.
        """
        import pandas as pd

        parts = []
        for raters in RATERS:
            for draw in range(draws(raters)):
                part = self.drawn(raters, draw)
                name = _name(raters, draw)
                parts.append(part.assign(item=name + "/" + part["item"]))
        return pd.concat(parts)

    def of_golden(self, labels, draw: tuple[int, int] | None = None):
        """Return P(present) of the golden pairs, of a draw among all or alone."""
        said = labels.astype({"item": str, "label": str})
        pairs = self.gold[["item", "label"]]
        if draw is not None:
            pairs = pairs.assign(item=_name(*draw) + "/" + pairs["item"])
        return pairs.merge(said, how="left")["probability"].to_numpy()


def _name(raters: int, draw: int) -> str:
    return f"{raters} raters, draw {draw}"
