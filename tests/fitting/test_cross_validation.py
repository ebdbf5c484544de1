"""Folds, held against the evidence with and without what each holds out."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from consilience.errors import OptionError
from consilience.fitting import EngineOptions, cross_validate
from consilience.fitting.cross_validation import _folds

MODEL = "bayesian_dawid_skene"
SEEDS = 6
ALL = {"item": 4, "annotator": 3, "response": 9}


@pytest.fixture(scope="module")
def predicted(tiny):
    """Mean log probability of each item, annotator or response, for some seeds."""

    def of(by, folds):
        effort = EngineOptions(restarts=1, draws=60)
        rows = []
        for seed in range(SEEDS):
            table = cross_validate(
                tiny.responses, MODEL, by=by, folds=folds, seed=seed, effort=effort
            )
            _, fold = _folds(tiny.space, by, folds, seed)
            held = [fold == number for number in range(folds)]
            assert table["answers"].tolist() == [part.sum() for part in held]
            assert table["se"].isna().all()  # each fold is one group
            elpd = np.zeros(folds)
            for part, value in zip(held, table["elpd"], strict=True):
                elpd[fold_number(tiny, by, part)] = value
            rows.append(elpd)
        return np.array(rows)

    return {by: of(by, folds) for by, folds in ALL.items()}


def fold_number(tiny, by, held):
    space = tiny.space
    group = {"item": space.unit, "annotator": space.annotator}
    return group.get(by, np.arange(9))[held][0]


def exact(tiny, by):
    """The same by summing over what can be true, parameters integrated out."""
    rows, space = np.arange(9), tiny.space
    group = {"item": space.unit, "annotator": space.annotator}.get(by, rows)
    elpd = []
    for number in range(ALL[by]):
        held, kept = rows[group == number], rows[group != number]
        without = tiny.log_evidence(kept)
        if by == "item":
            elpd.append((tiny.log_evidence(rows) - without) / len(held))
        else:
            each = [tiny.log_evidence(np.append(kept, row)) - without for row in held]
            elpd.append(np.mean(each))
    return np.array(elpd)


def distance(predicted, exact):
    """Largest distance over that which replications with other seeds leave open.

    Of so many groups one lies beyond by chance once in ten thousand runs.
    """
    error = predicted.std(0, ddof=1) / np.sqrt(SEEDS)
    limit = stats.t.ppf(1 - 5e-5 / predicted.shape[1], SEEDS - 1)
    return (np.abs(predicted.mean(0) - exact) / error / limit).max()


@pytest.mark.parametrize("by", ALL)
def test_what_is_held_out_is_foreseen_as_the_evidence_says(predicted, tiny, by):
    assert distance(predicted[by], exact(tiny, by)) < 1


def test_what_is_not_held_out_is_foreseen_better(predicted, tiny):
    # All answers known: that of one row given all nine, itself among them.
    rows = np.arange(9)
    whole = tiny.log_evidence(rows)
    known = np.array([tiny.log_evidence(np.append(rows, row)) for row in rows]) - whole
    assert distance(predicted["response"], known) > 1
    assert (predicted["response"].mean(0) < known).all()


def test_folds_of_many_items_have_an_error_clustered_by_item(tiny, monkeypatch):
    # Nothing is fitted: each answer is as probable as said here.
    elpd = np.array([-1.0, -0.5, -2.0, -0.1, -0.3, -1.5, -1.0, -0.7, -0.2])
    module = "consilience.fitting.cross_validation"
    monkeypatch.setattr(f"{module}.fit_one", lambda *_, **__: None)
    monkeypatch.setattr(f"{module}._log_predictive", lambda *given: elpd[given[3]])
    results = []
    table = cross_validate(tiny.responses, folds=2, progress=results.append)
    assert table["fold"].tolist() == [0, 1]
    assert table["answers"].sum() == 9
    _, fold_of = _folds(tiny.space, "item", 2, 0)
    for fold, row in enumerate(table.itertuples()):
        test = fold_of == fold
        items = pd.Series(elpd[test]).groupby(tiny.space.unit[test])
        total, size = items.sum(), items.size()
        mean = total.sum() / size.sum()
        assert row.elpd == pytest.approx(mean)
        spread = 2 * ((total - mean * size) ** 2).sum()  # of two items; U / (U - 1)
        assert row.se == pytest.approx(np.sqrt(spread) / size.sum())
    assert [(each.done, each.total) for each in results] == [(1, 2), (2, 2)]


@pytest.mark.parametrize("by", ALL)
def test_folds_hold_each_answer_out_once_and_groups_whole(tiny, by):
    group, fold = _folds(tiny.space, by, 3, seed=1)
    assert set(fold) == {0, 1, 2}
    assert len({*zip(group, fold, strict=True)}) == len(set(group)) == ALL[by]


def test_what_cannot_be_validated_is_refused(tiny):
    with pytest.raises(OptionError, match=r"10 folds .* give from 2 to 9"):
        cross_validate(tiny.responses, MODEL, by="response", folds=10)
    with pytest.raises(OptionError, match="majority cannot be fitted by vb"):
        cross_validate(tiny.responses, "majority", folds=2)
    with pytest.raises(OptionError, match="without draws"):
        cross_validate(tiny.responses, MODEL, folds=2, effort=EngineOptions(draws=0))
