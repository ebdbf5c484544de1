"""Intervals of annotators are as wide as correlated errors make them."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

import consilience as cs
from consilience.posterior.confusion import annotator_design_effect, widen
from consilience.posterior.stored import Estimate

FRAME = pd.DataFrame(
    [
        *[("i1", who, "x") for who in ("ana", "ben", "eva")],
        *[("i2", who, "y") for who in ("ana", "ben")],
        ("i3", "ana", "y"),
    ],
    columns=["item", "annotator", "label"],
)


@pytest.fixture(scope="module")
def fit():
    return cs.fit(FRAME, model="bayesian_dawid_skene", engine="vb")


def with_correlation(fit, correlation):
    tree = fit.data.copy()
    tree["truth"].attrs = {"residual_shrunk": correlation}
    return cs.Fit(tree)


def test_it_is_the_mean_over_the_items_of_an_annotator(fit):
    effect = annotator_design_effect(with_correlation(fit, 0.1).data)
    # By hand: items of three, two and one answer; of three and two; of three.
    names = fit.data["constant_data"]["annotator"].to_numpy().tolist()
    by_name = dict(zip(names, effect, strict=True))
    assert by_name == pytest.approx({"ana": 1.1, "ben": 1.15, "eva": 1.2})


def test_without_correlation_nothing_is_wider(fit):
    assert (annotator_design_effect(with_correlation(fit, 0.0).data) == 1).all()
    assert (annotator_design_effect(with_correlation(fit, np.nan).data) == 1).all()


def test_bounds_move_in_log_odds_by_the_root_of_the_design_effect():
    given = Estimate(np.array([0.8]), np.array([0.7]), np.array([np.nan]))
    wider = widen(given, 4.0)
    expected = expit(logit(0.8) + 2 * (logit(0.7) - logit(0.8)))
    assert wider.lower[0] == pytest.approx(expected)
    assert wider.mean[0] == 0.8
    assert np.isnan(wider.upper[0])


def test_tables_of_annotators_are_wider_where_errors_are_correlated(fit):
    def width(correlation):
        tables = with_correlation(fit, correlation)
        people, cells = tables.annotators(), tables.confusion()
        return np.concatenate(
            [each["upper"] - each["lower"] for each in (people, cells)]
        )

    assert (width(0.2) > width(0.0)).all()
