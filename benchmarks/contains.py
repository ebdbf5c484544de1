"""What images contain: from 1 to 78 raters, beside Dawid-Skene, votes and crowd-kit.

The golden pairs of the reassessed ImageNet labels: 553 pairs of image and label in 78
images, 78 raters on each, and five experts whose majority is the truth. Of the raters r
are drawn for each image, ten times. What is learned of raters is learned from the main
part, 922,045 answers without the golden pairs, and kept.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from benchmarks.measure import peak_mib
from benchmarks.public_data import not_run, public_data
from benchmarks.report import Report

RATERS = (1, 2, 3, 5, 10, 20, 78)
SEEDS = 10
COLUMNS = ["item", "annotator", "label", "answer"]
OURS = "contains"
LEAST = 1e-3  # log-loss cuts probabilities there
BINS = 15
# model, engine, states, told; each fitted to the main part.
LEARNED = {
    OURS: ("contains", "em", 2, "raw"),
    f"{OURS}, groups and predictions": ("contains", "em", 2, "raw"),
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

NOTES = (
    (
        "Means over ten draws of raters (one for 78). ± is the standard error of the "
        "log-loss less that of `contains`, paired by pair, clustered by image. "
        "Log-loss is cut at .001; ECE has 15 bins of equal width, and of probabilities "
        "that mean what they say would be some .03 with so few pairs."
    ),
    (
        "All but the votes and crowd-kit: learned from the main part without the "
        "golden pairs, then `predict`. crowd-kit, which keeps nothing, is fitted to "
        "the main part and the drawn raters together, once; its P(maybe) counts half."
    ),
    (
        "groups and predictions: the eleven superclasses of the labels, and for each "
        "pair how many of twelve classifiers have the label among their top five, how "
        "high, how many first, and whether it is the label of the data set."
    ),
    (
        "The panel of `contains` (five, and that maybe grants) was chosen by looking "
        "at these pairs."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Measure once."""
    del repeats
    title = "Log-loss of what images contain, by raters"
    data = public_data("reassessed-imagenet", quick=quick)
    if data is None:
        return not_run(title)
    import numpy as np

    import consilience as cs

    study = _Study(data)
    fits, rows, costs = {}, [], []
    for name, (model, engine, states, _) in LEARNED.items():
        started = perf_counter()
        rich = "groups" in name
        fits[name] = cs.fit(
            study.responses(study.main, groups=rich),
            model=model,
            engine=engine,
            states=states,
            seed=0,
            candidates=study.known(study.main) if rich else None,
            effort=cs.Effort(restarts=1),
        )
        seconds = perf_counter() - started
        costs.append(f"{name} {seconds:,.0f} s")
    costs.append(f"peak of the process {peak_mib():,.0f} MiB")
    for raters in RATERS:
        said: dict[str, list[np.ndarray]] = {}
        for draw in range(SEEDS if raters < 78 else 1):
            part = study.drawn(raters, draw)
            for name, found in _believed(study, fits, part, first=draw == 0):
                said.setdefault(name, []).append(found)
        rows += list(_rows(raters, said, study.present, study.image))
    return Report(title, rows, (*NOTES, "Fitting the main part: " + "; ".join(costs)))


def _believed(study, fits, part, *, first: bool) -> Iterator[tuple]:
    """Give P(present) of the golden pairs by each method."""
    import consilience as cs

    for name, fit in fits.items():
        rich, told = "groups" in name, LEARNED[name][3]
        candidates = study.known(part) if rich else None
        found = cs.predict(
            fit, study.responses(part, groups=rich), candidates=candidates
        )
        yield name, study.of_golden(found.with_truth(told).labels())
    votes = cs.fit(study.responses(part, groups=False), model="majority")
    yield "shares of votes", study.of_golden(votes.labels())
    if first:
        for words in (2, 3):
            yield f"crowd-kit DawidSkene, {words} answers", study.crowd_kit(part, words)


def _rows(raters, said, present, image) -> Iterator[dict]:
    import numpy as np

    def losses(belief):
        sure = np.clip(belief, LEAST, 1 - LEAST)
        return -np.log(np.where(present, sure, 1 - sure))

    ours = np.mean([losses(each) for each in said[OURS]], 0)
    for name, draws in said.items():
        loss = np.mean([losses(each) for each in draws], 0)
        apart = np.bincount(image, loss - ours)
        measured = np.mean([_measures(each, present) for each in draws], 0)
        yield {
            "raters": raters,
            "method": name,
            "accuracy": round(float(measured[0]), 4),
            "F1": round(float(measured[1]), 4),
            "log-loss": round(float(loss.mean()), 4),
            "± to ours": round(float(np.sqrt((apart**2).sum()) / len(loss)), 4),
            "ECE": round(float(measured[2]), 4),
        }


def _measures(belief, present):
    import numpy as np

    yes = belief >= 0.5
    both = (yes & present).sum()
    place = np.minimum((belief * BINS).astype(int), BINS - 1)
    gaps = np.bincount(place, belief - present, BINS)
    f1 = 2 * both / max(yes.sum() + present.sum(), 1)
    return (yes == present).mean(), f1, np.abs(gaps).sum() / len(belief)


class _Study:
    """The answers, the truth, and what is known of pairs beforehand."""

    def __init__(self, data: Path) -> None:
        import numpy as np
        import pandas as pd

        import consilience as cs

        folder = data / "reassessed-imagenet"
        golden = cs.read(folder, part="golden")
        main = cs.read(folder, part="main").table
        self.gold = golden.gold.astype(str).sort_values(["item", "label"])
        self.present = (self.gold["answer"] == "yes").to_numpy()
        self.image = np.unique(self.gold["item"], return_inverse=True)[1]
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
        from consilience.responses.safe_pickle import load_object_array

        groups = load_object_array(data / "imagenet-multilabel" / "superclasses.npy")
        rows = [
            (str(label), name) for name, labels in groups.items() for label in labels
        ]
        self.labels = pd.DataFrame(rows, columns=["label", "parent"])

    def responses(self, rows, *, groups: bool):
        import consilience as cs

        labels = self.labels if groups else None
        return cs.read(rows, kind="contains", labels=labels)

    def known(self, rows):
        import numpy as np

        pairs = rows[["item", "label"]].drop_duplicates()
        row = self.row[pairs["item"]].to_numpy()
        label = pairs["label"].astype(int).to_numpy()
        hit = self.top[:, row] == label[None, :, None]
        rank = np.arange(1, hit.shape[2] + 1)
        return pairs.assign(
            top_five=hit.any(2).mean(0),
            reciprocal_rank=(hit / rank).sum(2).mean(0),
            first=hit[:, :, 0].mean(0),
            own=(row // 50 == label).astype(float),
        )

    def drawn(self, raters: int, draw: int):
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

    def of_golden(self, labels):
        said = labels.astype({"item": str, "label": str})
        both = self.gold[["item", "label"]].merge(said, how="left")
        return both["probability"].to_numpy()

    def crowd_kit(self, part, words: int):
        import pandas as pd
        from crowdkit.aggregation import DawidSkene

        whole = pd.concat([self.main, part])
        answer = whole["answer"]
        if words == 2:
            answer = answer.replace({"maybe": "no"})
        frame = pd.DataFrame(
            {
                "task": whole["item"] + "|" + whole["label"],
                "worker": whole["annotator"],
                "label": answer,
            }
        )
        found = DawidSkene(n_iter=100).fit_predict_proba(frame)
        there = found.reindex(self.gold["item"] + "|" + self.gold["label"])
        half = there["maybe"] / 2 if words == 3 else 0
        return (there["yes"] + half).to_numpy()
