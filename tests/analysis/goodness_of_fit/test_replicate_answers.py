"""Replicated answers, where ArviZ finds them."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from arviz_plots import plot_forest, plot_ppc_rootogram, plot_trace
from arviz_stats import loo, summary
from matplotlib import pyplot as plt

import consilience as cs
from consilience.demo import study


@pytest.fixture(scope="module")
def fit():
    responses = cs.read(study(0, num_photos=40).answers, item="photo", label="animal")
    return cs.fit(responses, model="bayesian_dawid_skene", engine="vb")


@pytest.fixture(autouse=True)
def _closed():
    mpl.use("agg")
    yield
    plt.close("all")


def test_labels_are_given_about_as_often_as_they_were(fit):
    data = cs.analysis.replicate_answers(fit, replicates=60)
    again = data["posterior_predictive"]["answer"].to_numpy()[0]
    observed = data["observed_data"]["answer"].to_numpy()
    labels = data["observed_data"]["answer"].attrs["labels"]
    shares = np.stack([np.bincount(each, minlength=5) for each in again])
    least, most = np.quantile(shares, [0.01, 0.99], axis=0)
    counts = np.bincount(observed, minlength=5)
    assert ((least <= counts) & (counts <= most)).all()
    assert not ((least <= counts[::-1]) & (counts[::-1] <= most)).all()
    assert labels == list(fit.data["constant_data"]["given_class"].to_numpy())


def test_a_row_that_stands_for_several_answers_is_replicated_as_often():
    table = pd.DataFrame(
        {"item": ["a", "a", "b"], "label": ["x", "y", "x"], "n": [3, 1, 2]}
    )
    fit = cs.fit(cs.read(table, n="n"), model="multinomial")
    data = cs.analysis.replicate_answers(fit, replicates=4)
    assert data["posterior_predictive"].sizes["response"] == 6
    assert data["observed_data"]["item"].to_numpy().tolist().count("a") == 4


def test_arviz_reads_the_data_of_a_fit_as_they_are(fit):
    table = summary(fit.data, var_names=["prevalence"])
    assert len(table) == 5
    with pytest.warns(UserWarning, match="Pareto"):  # few answers an item
        assert loo(fit.data).n_data_points == 40
    for plot in (plot_forest, plot_trace):
        plot(fit.data, var_names=["prevalence"])
    plot_ppc_rootogram(cs.analysis.replicate_answers(fit, replicates=20))
