"""Coverage and size of label sets on public data, over halvings of the gold labels.

Beside them the sets that the posterior has by itself, and those of another score.
"""

from functools import partial
from math import ceil
from pathlib import Path

from benchmarks.harness import Report, not_run, public_data

TITLE = "Label sets that contain the truth"
NAMES = ("leaves", "labelme", "dog", "rte")
COVERAGES = (0.9, 0.8)
SPLITS = 100

NOTES = (
    (
        "One fit of the default model to each data set (without gold). A hundred "
        "times, half of the gold items calibrate and the other half are counted: "
        "covered, the share whose set contains the truth; size, the mean number of "
        "labels. lower, upper: the expected coverage less and plus two standard errors "
        "of the mean (beta-binomial; given the data set, splits are independent). "
        "accuracy: share of items whose most probable label is right."
    ),
    (
        "label_sets: `cs.label_sets`, by the probability of each label. adaptive: the "
        "same with the score of adaptive prediction sets (Romano, Sesia and Candès "
        "2020), the probability of all labels that are more probable and a random "
        "share of the label's own. posterior: the fewest labels with this posterior "
        "probability, not calibrated. Except by `allow_empty=True`, no set is empty: "
        "where the accuracy is above the coverage, sets of one label cover as much as "
        "the accuracy."
    ),
    (
        "By true label: coverage .9, the share of the items of each true label whose "
        "set contains it, without and with `by_class=True`; lower, upper: as above, "
        "for its own items; one label in twenty is outside by chance. Where a label is "
        "recognized more often than that (rte), sets of one label cover more."
    ),
)


def label_sets(*, quick: bool, repeats: int) -> Report:
    """Fit each set once; halve its gold many times."""
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
            "allow_empty": partial(self._label_sets, allow_empty=True),
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
                    **_bounds([(len(a), len(b)) for a, b in self.splits], coverage),
                    "size": float(np.mean(size)),
                }

    def by_class(self):
        """Give the coverage of each true label, without and with `by_class`."""
        import numpy as np

        covered = np.full((2, SPLITS, len(self.gold)), np.nan)
        for seed, (given, rest) in enumerate(self.splits):
            for place, by_class in enumerate((False, True)):
                sets = self._label_sets(given, 0.9, seed, by_class=by_class)
                covered[place, seed, rest] = sets[rest, self.truth[rest]]
        for code, label in enumerate(self.labels):
            is_label = self.truth == code
            marginal, each = np.nanmean(covered[:, :, is_label], axis=(1, 2))
            sizes = [(is_label[a].sum(), is_label[b].sum()) for a, b in self.splits]
            yield {
                "label": label,
                "items": int(is_label.sum()),
                "covered": float(marginal),
                "by class": float(each),
                **_bounds(sizes, 0.9),
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


def _bounds(sizes, coverage: float) -> dict:
    """Return expected coverage less and more two standard errors.

    Parameters
    ----------
    sizes
        Number of items that calibrate and of those that are counted, by split.
    coverage
        The coverage that was asked for.
    """
    from scipy.stats import betabinom

    places = [ceil((given + 1) * coverage - 1e-9) for given, _ in sizes]
    counts = [
        betabinom(rest, place, given + 1 - place)
        for (given, rest), place in zip(sizes, places, strict=True)
    ]
    number = sum(rest for _, rest in sizes)
    mean = sum(count.mean() for count in counts) / number
    error = 2 * sum(count.var() for count in counts) ** 0.5 / number
    return {"lower": float(mean - error), "upper": float(mean + error)}
