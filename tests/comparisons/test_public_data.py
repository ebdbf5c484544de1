"""On public data, comparisons that were left out are predicted better than usual."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import consilience as cs


def folds(comparisons, number=10):
    """Return the fold of each comparison, whole items together."""
    items = len(comparisons.items)
    return (np.random.default_rng(0).permutation(items) * number // items)[
        comparisons.item
    ]


def left_out(comparisons, won):
    """Return the log-loss where ties have a constant share and `won` says the rest."""
    fold, total = folds(comparisons), 0.0
    for each in np.unique(fold):
        seen, left = comparisons.take(fold != each), comparisons.take(fold == each)
        share = (seen.outcome == 2).mean()
        p = won(seen, left)
        p = np.stack(
            [(1 - share) * p, (1 - share) * (1 - p), np.full(len(p), share)], 1
        )
        total -= np.log(p[np.arange(len(left)), left.outcome]).sum()
    return total / len(comparisons)


def signs(comparisons):
    x = np.zeros((len(comparisons), len(comparisons.systems)))
    rows = np.arange(len(comparisons))
    x[rows, comparisons.first], x[rows, comparisons.second] = 1, -1
    return x


def logistic(seen, left):
    decided = seen.take(seen.outcome < 2)
    model = LogisticRegression(fit_intercept=False)
    model.fit(signs(decided), decided.outcome == 0)
    return model.predict_proba(signs(left))[:, 1]


def of_crowdkit(name):
    aggregation = pytest.importorskip("crowdkit.aggregation")

    def won(seen, left):
        table = seen.table[seen.outcome < 2].astype(str)
        names = {"judge": "worker", "first": "left", "second": "right"}
        table = table.rename(columns=names | {"winner": "label"})
        scores = getattr(aggregation, name)(n_iter=100).fit_predict(table)
        score = scores.reindex(seen.systems).to_numpy()
        if name == "BradleyTerry":
            p = score[left.first] / (score[left.first] + score[left.second])
        else:
            p = 1 / (1 + np.exp(score[left.second] - score[left.first]))
        return np.clip(p, 1e-3, 1 - 1e-3)

    return won


@pytest.fixture(params=["mtbench", "pandalm"])
def comparisons(request, data_folder):
    file = data_folder / "judges" / request.param / "comparisons.csv"
    if not file.is_file():
        pytest.skip(f"{file} is not there")
    return cs.comparisons.read(file)


def test_what_was_left_out_is_predicted_better_than_by_a_logistic_regression(
    comparisons,
):
    ours = cs.comparisons.fit(comparisons).cross_validate(folds=10)
    assert ours < left_out(comparisons, logistic)


@pytest.mark.parametrize("name", ["BradleyTerry", "NoisyBradleyTerry"])
def test_what_was_left_out_is_predicted_better_than_by_crowdkit(comparisons, name):
    theirs = left_out(comparisons, of_crowdkit(name))
    assert cs.comparisons.fit(comparisons).cross_validate(folds=10) < theirs
