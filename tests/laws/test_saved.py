"""A fit that is saved, loaded and applied to the same answers says the same."""

import numpy as np
import pandas as pd
import pytest
from tests.laws.combinations import (
    AUTO,
    EVERY,
    EXACT,
    answers,
    probabilities,
    read,
    thinned,
)

import consilience as cs

PREDICTING = [each for each in EXACT if each.engine != "rule"]


@pytest.mark.parametrize("each", thinned([*EVERY, *AUTO]))
def test_what_is_loaded_is_what_was_saved(each, tmp_path):
    fit = each.fit(answers(each.kind))
    fit.save(tmp_path / "run")
    again = cs.load(tmp_path / "run")
    assert probabilities(again).equals(probabilities(fit))
    for name in fit.tables:
        table = fit.table(name)
        assert again.table(name).equals(table), name
        file = tmp_path / "run" / "tables" / f"{name}.parquet"
        if file.exists():
            assert [*pd.read_parquet(file).columns] == [*table.columns], name
        if hasattr(cs.Fit, name):
            assert getattr(fit, name)().equals(pd.DataFrame(table)), name


@pytest.mark.parametrize("exact", thinned(PREDICTING))
def test_what_is_predicted_of_the_same_answers_is_what_was_fitted(exact, tmp_path):
    table = answers(exact.kind)
    draws = {"effort": cs.EngineOptions(draws=100)} if exact.engine == "vb" else {}
    fit = exact.fit(table, **draws)
    fit.save(tmp_path / "run")
    responses = read(table, exact.kind)
    again = probabilities(cs.predict(cs.load(tmp_path / "run"), responses))
    # Of draws of vb, every third is kept.
    close = 1e-4 if exact.engine == "em" else 0.05
    assert np.abs(again - probabilities(fit)).max() < close
    other = read(answers(exact.kind, seed=1), exact.kind)
    new = probabilities(cs.predict(cs.load(tmp_path / "run"), other))
    assert np.abs(new - again.reindex(new.index)).max() > close  # the twin
