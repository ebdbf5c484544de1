"""Candidates from twelve public top-five lists: recall, calibration, worth in raters.

The lists are of twelve ImageNet classifiers, on the 50,000 validation images. What is
in an image is told by the reassessed labels: most of five raters on 24,889 images, and
five experts on the golden pairs.
"""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.contains_scores import losses
from benchmarks.harness import Report, not_run, public_data
from benchmarks.rated import SEEDS, Study
from benchmarks.study_figures import model_names

POLICIES = (
    *(("union", top, 0.95) for top in (1, 2, 3, 5)),
    *(("ensemble", top, 0.95) for top in (2, 6, 10, 17)),
    *(("mass", 5, mass) for mass in (0.8, 0.9, 0.95)),
)
RATERS = (1, 2, 3, 4, 5)
IMAGES = 6000  # of the main part, that fits learn raters from

NOTES = (
    (
        "Recall: share of the labels that are among the candidates. `data set` is "
        "the label of ImageNet, on the 25,000 images that were not used to weight "
        "the ranks; `raters` are pairs that most of five raters accept; `experts` "
        "are pairs that most of five experts accept. The last two were asked about a "
        "pool of labels that the study selected (7.4 labels per image), so labels "
        "missing from it are not counted. The union of the top five is how the "
        "studies pooled."
    ),
    (
        "Prior: P(present) before any rater answers, on the golden pairs, whose "
        "images were not used for learning. `softmax as it is` uses the pooled "
        "probability as that of presence, at the best temperature for a single "
        "label; `calibrated` is a regression on gold labels of half the main part, "
        "`--gold` with yes and no."
    ),
    (
        f"Raters: the model `contains`, learned from {IMAGES:,} images of the main "
        "part without gold labels, then r raters of each golden image, ten draws. "
        "`candidates` are the columns that `consilience candidates` writes without "
        "gold labels, with weights learned by the model. ± is the standard error of "
        "the difference in log-loss from raters alone, paired, clustered by image. "
        "`worth` is the number of additional raters with which raters alone reach that "
        "log-loss; `as the fit tells it` is the relative information according to the "
        "fit."
    ),
    (
        "The contribution of candidates to a fit of choice is measured in "
        "main_label_candidates."
    ),
)


def candidates(*, quick: bool, repeats: int) -> Report:
    """Measure once."""
    del repeats
    title = "Candidates from twelve top-five lists"
    data = public_data("imagenetv2", "reassessed-imagenet", quick=quick)
    if data is None:
        return not_run(title)
    study = _Study(data)
    rows = [*_recalls(study), *_priors(study), *_raters(study)]
    return Report(title, rows, NOTES)


def _recalls(study) -> Iterator[dict]:
    from consilience.classifiers import candidates

    later = study.dataset[study.held_out]
    for policy, top, mass in POLICIES:
        found = candidates(
            study.lists, policy=policy, top=top, mass=mass, gold=study.weighed
        )
        listed = found.table[["item", "label"]]
        of = f"{mass:g}" if policy == "mass" else f"{top}"
        yield {
            "what": "recall",
            "by": f"{policy} {of}",
            "candidates": found.account["per_item"]["mean"],
            "data set": _recall(listed, later),
            "raters": _recall(listed, study.accepted),
            "experts": _recall(listed, study.experts),
        }


def _recall(listed, wanted) -> float:
    return round(len(wanted.merge(listed)) / len(wanted), 4)


def _priors(study) -> Iterator[dict]:
    import numpy as np
    from scipy.special import expit

    from consilience.classifiers import candidates

    told = candidates(study.lists, gold=study.weighed, also=study.asked)
    calibrated = candidates(study.lists, gold=study.main_gold(), also=study.asked)
    present = study.present
    share = np.full(len(present), study.share)
    yield _prior("share of the main part", share, present)
    yield _prior(
        "softmax as it is",
        np.exp(study.column_of_golden(told, "log_odds")) / 1000,
        present,
    )
    odds = study.column_of_golden(calibrated, "log_odds")
    yield _prior("calibrated", expit(odds), present)


def _prior(name, belief, present) -> dict:
    from sklearn.metrics import roc_auc_score

    return {
        "what": "prior",
        "by": name,
        "AUC": round(float(roc_auc_score(present, belief)), 4),
        "log-loss": round(float(losses(belief, present).mean()), 4),
    }


def _raters(study) -> Iterator[dict]:
    import numpy as np

    import consilience as cs
    from consilience.classifiers import candidates

    known = candidates(study.lists, also=study.asked).table
    fits = {
        name: cs.fit(
            cs.read(study.learned, kind="contains"),
            model="contains",
            engine="em",
            candidates=table,
            effort=cs.EngineOptions(restarts=1),
        )
        for name, table in (("raters alone", None), ("candidates", known))
    }
    alone: list[float] = []
    later: list[tuple] = []
    for raters in RATERS:
        lost = {name: [] for name in fits}
        for draw in range(SEEDS):
            part = cs.read(study.drawn(raters, draw), kind="contains")
            for name, fit in fits.items():
                table = known if name == "candidates" else None
                labels = cs.predict(fit, part, candidates=table).labels()
                belief = study.of_golden(labels)
                lost[name].append(losses(belief, study.present))
        mean = {name: np.mean(found, 0) for name, found in lost.items()}
        alone.append(float(mean["raters alone"].mean()))
        later.append((raters, mean))
    for raters, mean in later:
        apart = np.bincount(study.image, mean["candidates"] - mean["raters alone"])
        helped = float(mean["candidates"].mean())
        yield {
            "what": f"{raters} raters",
            "by": "raters alone",
            "log-loss": round(float(mean["raters alone"].mean()), 4),
        }
        yield {
            "what": f"{raters} raters",
            "by": "candidates",
            "log-loss": round(helped, 4),
            "±": round(float(np.sqrt((apart**2).sum()) / len(study.present)), 4),
            "worth": _worth(helped, raters, alone),
        }
    told = fits["candidates"].data["posterior"]["relative_information"]
    yield {
        "what": "as the fit tells",
        "by": "candidates",
        "worth": f"{told.mean():.1f}",
    }


def _worth(loss: float, raters: int, alone: list[float]) -> str:
    """Return how many raters more would bring raters alone to a log-loss."""
    import numpy as np

    if loss < min(alone):
        return f"over {RATERS[-1] - raters}"
    at = np.interp(-loss, -np.array(alone), RATERS)
    return f"{at - raters:.1f}"


class _Study(Study):
    """The lists, who accepts what, and the golden pairs."""

    def __init__(self, data: Path) -> None:
        import numpy as np
        import pandas as pd

        from consilience.classifiers.pooling import ANNOTATORS, DATASET
        from consilience.classifiers.predictions import from_arrays

        super().__init__(data)
        folder = data / "imagenetv2"
        names, labels = list(self.row.index), [str(i) for i in range(1000)]
        self.lists = [
            from_arrays([folder / f"{model}.npy"], names, labels)
            for model in model_names(folder)
        ]
        row = np.arange(len(names))
        self.dataset = pd.DataFrame({"item": names, "label": (row // 50).astype(str)})
        self.experts = self.gold.loc[self.present, ["item", "label"]]
        apart = self.dataset["item"].isin(self.gold["item"]).to_numpy()
        self.held_out = (row % 2 == 1) & ~apart
        self.weighed = self.dataset[(row % 2 == 0) & ~apart]
        self.main = self.main[~self.main["item"].isin(self.gold["item"])]
        yes = (self.main["answer"] == "yes").groupby(
            [self.main["item"], self.main["label"]]
        )
        self.pairs = (yes.mean() > 0.5).rename("yes").reset_index()
        self.share = float(self.pairs["yes"].mean())
        self.accepted = self.pairs.loc[self.pairs["yes"], ["item", "label"]]
        asked = pd.concat([self.main, self.golden])[["item", "label"]]
        asked = asked.drop_duplicates().assign(source=ANNOTATORS)
        self.asked = pd.concat([asked, self.dataset.assign(source=DATASET)])
        generator = np.random.default_rng(0)
        images = np.unique(self.main["item"])
        some = generator.choice(images, IMAGES, replace=False)
        self.learned = self.main[self.main["item"].isin(some)]

    def main_gold(self):
        """Gold of half the images of the main part: what most raters accept."""
        import numpy as np

        images = np.unique(self.pairs["item"])
        half = self.pairs[self.pairs["item"].isin(images[::2])]
        return half.assign(answer=half["yes"].map({True: "yes", False: "no"}))

    def column_of_golden(self, found, column):
        """Return a column of candidates for the golden pairs."""
        both = self.gold[["item", "label"]].merge(found.table, how="left")
        return both[column].to_numpy()
