"""The reassessed ImageNet labels, for benchmarks: a main part to learn from, and gold.

The golden pairs of image and label have answers of 78 raters and, as gold, the majority
of five experts. The main part is taken without these pairs. A *draw* is the golden
answers of some raters, for each image others.
"""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

RATERS = (1, 2, 3, 5, 10, 20, 78)
SEEDS = 10
SIMILAR = 0.05  # share of classifiers' guesses; the leading question starts there
COLUMNS = ["item", "annotator", "label", "answer"]
# model, engine, states, told; each fitted to the main part.
LEARNED = {
    "contains": ("contains", "em", 2, "raw"),
    "contains, groups and predictions": ("contains", "em", 2, "raw"),
    "Dawid-Skene, 2 states": ("dawid_skene", "em", 2, "raw"),
    "Dawid-Skene, 3 states": ("dawid_skene", "em", 3, "raw"),
    "hierarchical, 2 states, tempered": (
        "hierarchical_dawid_skene",
        "vb",
        2,
        "tempered",
    ),
    "hierarchical, 3 states, tempered": (
        "hierarchical_dawid_skene",
        "vb",
        3,
        "tempered",
    ),
}


def draws(raters: int) -> int:
    """Return how many draws of so many raters there are."""
    return SEEDS if raters < max(RATERS) else 1


def knows(name: str) -> bool:
    """Return whether a method is told of groups of labels and of predictions."""
    return "predictions" in name


@cache
def study(data: Path) -> "Study":
    """Return the study, read once."""
    return Study(data)


@cache
def learned(data: Path, name: str):
    """Return a fit to the main part, made once for all benchmarks of a run."""
    import consilience as cs

    model, engine, states, _ = LEARNED[name]
    told = study(data)
    return cs.fit(
        told.responses(told.main, groups=knows(name)),
        model=model,
        engine=engine,
        states=states,
        seed=0,
        candidates=told.known(told.main) if knows(name) else None,
        similarity=told.similar() if knows(name) else None,
        effort=cs.EngineOptions(restarts=1),
    )


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
        names = json.loads(
            (folder / "imagenet-validation-original.json").read_text(encoding="utf-8")
        )["image_filenames"]
        self.row = pd.Series(range(len(names)), [name for name, _ in names])
        self.top = np.stack([np.load(file) for file in sorted(folder.glob("*.npy"))])
        # Names of superclasses and their labels: a pickle, read without running it.
        from consilience.responses.tables.safe_pickle import load_object_array

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
                "label_a": one.astype(str),
                "label_b": other.astype(str),
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
