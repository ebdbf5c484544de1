"""What images contain: from 1 to 78 raters, beside Dawid-Skene, votes and crowd-kit.

The golden pairs of the reassessed ImageNet labels: 553 pairs of image and label in 78
images, 78 raters on each, and five experts whose majority is the truth. Of the raters r
are drawn for each image, ten times. What is learned of raters is learned from the main
part, 922,045 answers without the golden pairs, and kept.

The size of the panel of `contains` was chosen on half of the images, those whose names
have an even first byte of SHA-256; so the other half is measured on its own.
"""

import hashlib
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
        "Means over ten draws of raters (one for 78). ± are standard errors of the "
        "difference from `contains`, by images left out (jackknife), of the mean over "
        "draws. Log-loss is cut at .001; ECE has as many bins as rise (monotonic "
        "sweep), for all methods alike. chance: the ECE to be expected if the "
        "probabilities of `contains` meant exactly what they say."
    ),
    (
        "images: the panel of `contains` (six, present if at least half grant) was "
        "chosen by log-loss on the half of the images with an even first byte of the "
        "SHA-256 of their names, among panels of 1 to 8, 10 and 12; `other half` had "
        "no part in that. That maybe grants was chosen on all."
    ),
    (
        "All but the votes and crowd-kit: learned from the main part without the "
        "golden pairs, then `predict`. crowd-kit, which keeps nothing, is fitted to "
        "the main part and the drawn raters together; its P(maybe) counts half."
    ),
    (
        "groups and predictions: the eleven superclasses of the labels, and for each "
        "pair how many of twelve classifiers have the label among their top five, how "
        "high, how many first, and whether it is the label of the data set."
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
            for name, found in _believed(study, fits, part):
                said.setdefault(name, []).append(found)
        rows += list(_rows(raters, said, study, study.other_half, "other half"))
        rows += list(_rows(raters, said, study, study.image >= 0, "all"))
    return Report(title, rows, (*NOTES, "Fitting the main part: " + "; ".join(costs)))


def _believed(study, fits, part) -> Iterator[tuple]:
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
    for words in (2, 3):
        yield f"crowd-kit DawidSkene, {words} answers", study.crowd_kit(part, words)


def _rows(raters, said, study, chosen, images) -> Iterator[dict]:
    import numpy as np

    present, image = study.present[chosen], study.image[chosen]
    found = {
        name: np.mean([_measured(each[chosen], present, image) for each in draws], 0)
        for name, draws in said.items()
    }
    ours = found[OURS]
    for name, draws in said.items():
        apart = found[name][:, 1:] - ours[:, 1:]
        number = apart.shape[1]
        error = np.sqrt((number - 1) * apart.var(1))
        accuracy, f1, loss = found[name][:, 0]
        ece = np.mean([_ece(each[chosen], present) for each in draws])
        yield {
            "raters": raters,
            "images": images,
            "method": name,
            "accuracy": round(float(accuracy), 4),
            "± accuracy": round(float(error[0]), 4),
            "F1": round(float(f1), 4),
            "± F1": round(float(error[1]), 4),
            "log-loss": round(float(loss), 4),
            "± log-loss": round(float(error[2]), 4),
            "ECE": round(float(ece), 4),
            "chance": round(_chance(draws[0][chosen]), 4) if name == OURS else None,
        }


def _measured(belief, present, image):
    """Return accuracy, F1 and log-loss: of all images, then without each in turn."""
    import numpy as np

    sure = np.clip(belief, LEAST, 1 - LEAST)
    loss = -np.log(np.where(present, sure, 1 - sure))
    yes = belief >= 0.5
    columns = [yes == present, yes & present, yes, present, loss, np.ones(len(loss))]
    place = np.unique(image, return_inverse=True)[1]
    each = np.stack([np.bincount(place, column) for column in columns])
    whole = each.sum(1, keepdims=True)
    right, both, said, there, loss, pairs = np.concatenate([whole, whole - each], 1)
    f1 = 2 * both / np.maximum(said + there, 1)
    return np.stack([right / pairs, f1, loss / pairs])


def _ece(belief, present) -> float:
    import numpy as np

    from consilience.benchmark.calibration import gaps_by_item

    item = np.zeros(len(belief), int)
    gaps = gaps_by_item(belief, present.astype(float), item, None)
    return float(np.abs(gaps).sum() / len(belief))


def _chance(belief) -> float:
    import numpy as np

    generator = np.random.default_rng(0)
    drawn = generator.random((200, len(belief))) < belief
    return float(np.mean([_ece(belief, each) for each in drawn]))


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
        names, self.image = np.unique(self.gold["item"], return_inverse=True)
        first = [hashlib.sha256(str(name).encode()).digest()[0] for name in names]
        self.other_half = (np.array(first) % 2 == 1)[self.image]
        self.golden = golden.table[COLUMNS].astype(str)
        pairs = pd.MultiIndex.from_frame(self.gold[["item", "label"]])
        whole = main[COLUMNS].astype(str)
        of_golden = pd.MultiIndex.from_frame(whole[["item", "label"]]).isin(pairs)
        self.main = whole[~of_golden]
        self.told = None
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

        if self.told is None:
            self.told = _as_crowd_kit(self.main)
        frame = pd.concat([self.told, _as_crowd_kit(part)])
        if words == 2:
            frame["label"] = frame["label"].replace({"maybe": "no"})
        found = DawidSkene(n_iter=100).fit_predict_proba(frame)
        there = found.reindex(self.gold["item"] + "|" + self.gold["label"])
        half = there["maybe"] / 2 if words == 3 else 0
        return (there["yes"] + half).to_numpy()


def _as_crowd_kit(rows):
    import pandas as pd

    return pd.DataFrame(
        {
            "task": rows["item"] + "|" + rows["label"],
            "worker": rows["annotator"],
            "label": rows["answer"],
        }
    )
