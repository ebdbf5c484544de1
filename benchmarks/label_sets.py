"""Coverage and size of label sets on public data, over halvings of the gold labels.

Beside them the sets that the posterior has by itself, and those of another score.
"""

from math import ceil
from pathlib import Path

from benchmarks.public_data import not_run, public_data
from benchmarks.report import Report

TITLE = "Label sets that contain the truth"
NAMES = ("leaves", "labelme", "dog", "rte")
COVERAGES = (0.9, 0.8)
SPLITS = 100

NOTES = (
    (
        "One fit of the default model to each data set (tempered, without gold). A "
        "hundred times, half of the gold items calibrate and the other half are counted: "
        "covered, the share whose set contains the truth; size, the mean number of "
        "labels. lower, upper: the expected coverage and two standard errors of the "
        "mean of a hundred independent splits (beta-binomial). accuracy: share of items "
        "whose most probable label is right."
    ),
    (
        "label_sets: `cs.label_sets`, by the probability of each label. adaptive: the "
        "same with the score of adaptive prediction sets (Romano, Sesia and Candès "
        "2020), the probability of all labels that are more probable and a random "
        "share of the label's own. posterior: the fewest labels with this posterior "
        "probability, without calibration. No set is empty: where the accuracy is "
        "above the coverage, sets of one label cover as much as the accuracy."
    ),
    (
        "By true label: coverage .9, the share of the items of each true label whose "
        "set contains it, without and with `by_class=True`; lower, upper: as above, "
        "for half of its items. One label in twenty is outside by chance."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Fit each set once; halve its gold ten times."""
    del repeats
    data = public_data("crowd", quick=quick)
    if data is None:
        return not_run(TITLE)
    rows, by_class = [], []
    for name in NAMES:
        of_set = _Studied(data / "crowd" / name)
        rows += [{"set": name, **row} for row in of_set.rows()]
        by_class += [{"set": name, **row} for row in of_set.by_class()]
    return Report(TITLE, rows, NOTES, {"By true label": by_class})


class _Studied:
    """A data set with its fit, and its gold labels halved."""

    def __init__(self, folder: Path) -> None:
        import numpy as np
        import pandas as pd

        import consilience as cs
        from consilience.benchmark.datasets import load
        from consilience.responses import ReadOptions

        data = load(folder, ReadOptions())
        self.fit = cs.fit(data.responses)
        table = self.fit.labels().astype({"item": str, "label": str})
        wide = table.pivot_table("probability", "item", "label")
        gold = data.gold[data.gold["label"].isin(wide.columns)]
        self.gold = gold.drop_duplicates("item").reset_index(drop=True)
        self.labels = wide.columns
        self.truth = pd.Index(self.labels).get_indexer(self.gold["label"])
        self.probability = wide.loc[self.gold["item"]].to_numpy()
        self.accuracy = (self.probability.argmax(1) == self.truth).mean()
        number = len(self.gold)
        # Other seeds than those of ties, which the same numbers would break.
        seeds = range(SPLITS, 2 * SPLITS)
        halves = [np.random.default_rng(seed).permutation(number) for seed in seeds]
        self.splits = [(each[: number // 2], each[number // 2 :]) for each in halves]

    def rows(self):
        """Give coverage and size of each kind of set."""
        import numpy as np

        ways = {
            "label_sets": self._label_sets,
            "adaptive": self._adaptive,
            "posterior": self._posterior,
        }
        for coverage in COVERAGES:
            for way, sets in ways.items():
                covered, size = [], []
                for seed, (given, rest) in enumerate(self.splits):
                    inside = sets(given, coverage, seed)[rest]
                    covered.append(inside[np.arange(len(rest)), self.truth[rest]])
                    size.append(inside.sum(1))
                yield {
                    "items": len(self.gold),
                    "accuracy": float(self.accuracy),
                    "coverage": coverage,
                    "sets": way,
                    "covered": float(np.mean(covered)),
                    **_bounds(len(given), len(rest), coverage),
                    "size": float(np.mean(size)),
                }

    def by_class(self):
        """Give the coverage of each true label, without and with `by_class`."""
        import numpy as np

        from consilience.errors import GoldError

        covered = np.full((2, SPLITS, len(self.gold)), np.nan)
        for seed, (given, rest) in enumerate(self.splits):
            for place, by_class in enumerate((False, True)):
                try:
                    sets = self._label_sets(given, 0.9, seed, by_class=by_class)
                except GoldError:
                    continue
                covered[place, seed, rest] = sets[rest, self.truth[rest]]
        for code, label in enumerate(self.labels):
            of_label = covered[:, :, self.truth == code]
            number = of_label.shape[2] // 2
            every = ~np.isnan(of_label).all(2).any(1)
            marginal, each = (
                float(np.nanmean(part)) if there else None
                for part, there in zip(of_label, every, strict=True)
            )
            yield {
                "label": label,
                "items": of_label.shape[2],
                "covered": marginal,
                "by class": each,
                **_bounds(number, number, 0.9),
            }

    def _label_sets(self, given, coverage, seed, **options):
        """Return which labels are in the set of each gold item."""
        import numpy as np
        import pandas as pd

        import consilience as cs

        sets = cs.label_sets(
            self.fit, self.gold.iloc[given], coverage=coverage, seed=seed, **options
        ).astype({"item": str, "label": str})
        item = pd.Index(self.gold["item"]).get_indexer(sets["item"])
        label = self.labels.get_indexer(sets["label"])
        inside = np.zeros(self.probability.shape, bool)
        inside[item[item >= 0], label[item >= 0]] = True
        return inside

    def _adaptive(self, given, coverage, seed):
        import numpy as np

        random = np.random.default_rng(seed).random((len(self.gold), 1))
        order = np.argsort(-self.probability, axis=1)
        ranked = np.take_along_axis(self.probability, order, 1)
        score = np.empty_like(ranked)
        more = ranked.cumsum(1) - ranked
        np.put_along_axis(score, order, more + random * ranked, 1)
        of_truth = np.sort(score[given, self.truth[given]])
        inside = score <= of_truth[ceil((len(given) + 1) * coverage - 1e-9) - 1]
        inside[np.arange(len(score)), order[:, 0]] |= ~inside.any(1)
        return inside

    def _posterior(self, given, coverage, seed):
        del given, seed
        import numpy as np

        order = np.argsort(-self.probability, axis=1)
        ranked = np.take_along_axis(self.probability, order, 1)
        inside = np.zeros(ranked.shape, bool)
        needed = ranked.cumsum(1) - ranked < coverage - 1e-9
        np.put_along_axis(inside, order, needed, 1)
        return inside


def _bounds(given: int, rest: int, coverage: float) -> dict:
    """Return expected coverage less and more two errors of the mean of all splits."""
    from scipy.stats import betabinom

    place = ceil((given + 1) * coverage - 1e-9)
    if place > given:
        return {"lower": None, "upper": None}
    counted = betabinom(rest, place, given + 1 - place)
    error = 2 * counted.std() / rest / SPLITS**0.5
    mean = place / (given + 1)
    return {"lower": float(mean - error), "upper": float(mean + error)}
