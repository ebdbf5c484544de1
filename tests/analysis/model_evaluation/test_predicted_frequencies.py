"""How many select what models predict: by hand, and with bounds that hold."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import consilience as cs
from consilience.errors import (
    DataError,
    KindError,
    OptionError,
)
from consilience.posterior import Fit

ITEMS, ANSWERS, TWINS = 80, 3, 24
ROWS = [
    ("i", "a", 3, 1, 0),  # item, label, yes, maybe, no
    ("i", "b", 0, 0, 4),
    ("j", "a", 1, 0, 1),
    ("j", "b", 2, 0, 0),
    ("k", "a", 0, 2, 0),
]
MODEL = pd.DataFrame({"item": ["i", "j", "k"], "label": ["a", "b", "b"], "rank": 1})
OWN = pd.DataFrame({"item": ["i", "j", "k"], "label": ["a", "a", "a"]})


def fit_of(rows):
    """Return a fit of contains that knows its answers, and nothing else."""
    item, label, *counts = zip(*rows, strict=True)
    counts = np.array(counts).T[:, ::-1]  # no, maybe, yes
    unit, answer = np.nonzero(counts)
    n = counts[unit, answer]
    constant = xr.Dataset(
        {
            "unit_item": ("item", np.array(item, object)),
            "unit_label": ("item", np.array(label, object)),
            "num_responses": ("item", counts.sum(1)),
            "candidate_class": ("candidate", np.arange(2)),
            "present": ("true_class", np.array([0.0, 1.0])),
        },
        {
            "true_class": np.array(["absent", "present"], object),
            "given_class": np.array(["no", "maybe", "yes"], object),
        },
    )
    half = np.full((len(rows), 2), 0.5)
    axes = ("item", "candidate")
    groups = {
        "/": xr.Dataset(attrs={"kind": "contains", "prob": 0.9, "classifiers": "[]"}),
        "constant_data": constant,
        "observed_data": xr.Dataset(
            {
                "item": ("response", unit),
                "answer": ("response", answer),
                "n": ("response", n),
            }
        ),
        "truth": xr.Dataset(
            dict.fromkeys(("probability", "lower", "upper"), (axes, half))
        ),
    }
    return Fit(xr.DataTree.from_dict(groups))


@pytest.fixture(scope="module")
def cells():
    result = cs.evaluate(fit_of(ROWS), MODEL, dataset_labels=OWN).frequencies()
    return result.set_index(["who", "statistic", "subset"])


def test_frequencies_are_means_of_shares_a_maybe_counting_half(cells):
    own = [3.5 / 4, 1 / 2, 1 / 2]
    assert cells.loc[("dataset", "frequency", "all"), "value"] == np.mean(own)
    # The model says a of i, b of j; of k it says what nobody was asked about.
    row = cells.loc[("model", "frequency", "all")]
    assert (row["value"], row["items"]) == ((3.5 / 4 + 1.0) / 2, 2)
    assert cells.loc[("model", "frequency", "right"), "value"] == 3.5 / 4
    assert cells.loc[("model", "frequency", "wrong"), "value"] == 1.0
    assert cells.loc[("model", "accuracy", "all"), "value"] == 0.5


def test_what_a_model_is_above_the_data_set_is_paired_by_item(cells):
    row = cells.loc[("model", "less_dataset", "all")]
    assert (row["value"], row["items"]) == (0.25, 2)
    assert cells.loc[("model", "less_dataset", "wrong"), "value"] == 0.5


def test_without_labels_of_the_data_set_there_are_frequencies_alone():
    result = cs.evaluate(fit_of(ROWS), MODEL).frequencies()
    assert result["statistic"].tolist() == ["frequency"]


def test_what_cannot_be_told_is_refused_with_a_sentence():
    fit = fit_of(ROWS)
    with pytest.raises(DataError, match="no column 'label'"):
        cs.evaluate(fit, MODEL[["item", "rank"]])
    fit.data.attrs["classifiers"] = '["m"]'
    with pytest.raises(OptionError, match="was given what m predicted"):
        cs.evaluate(fit, MODEL.assign(model="m"))
    evaluation = cs.evaluate(fit, MODEL.assign(model="m"), allow_circular=True)
    reported = evaluation.frequencies()
    assert reported["who"].tolist() == ["m"]
    fit.data.attrs["kind"] = "choice"
    with pytest.raises(KindError, match="of kind choice"):
        evaluation.frequencies()


TRUTH = np.array([4 / 6, 1 / 5, 0.7 * 4 / 6 + 0.3 / 5 - 4 / 6])


def bounds_of(seed, times):
    """Return bounds of the data set's, of a model's errors', and of the difference."""
    generator = np.random.default_rng(seed)
    share = generator.beta([4.0, 1.0], [2.0, 4.0], (ITEMS, 2))
    yes = np.repeat(generator.binomial(ANSWERS, share), times, axis=0)
    first = np.repeat(generator.random(ITEMS) < 0.7, times)
    names = [f"i{k:04d}" for k in range(len(yes))]
    rows = [
        (name, label, count, 0, ANSWERS - count)
        for name, both in zip(names, yes, strict=True)
        for label, count in zip("ab", both, strict=True)
    ]
    said = pd.DataFrame({"item": names, "label": np.where(first, "a", "b"), "rank": 1})
    own = said.assign(label="a")[["item", "label"]]
    evaluation = cs.evaluate(
        fit_of(rows), said, dataset_labels=own, resamples=200, seed=seed
    )
    result = evaluation.frequencies().set_index(["who", "statistic", "subset"])
    keys = [
        ("dataset", "frequency", "all"),
        ("model", "frequency", "wrong"),
        ("model", "less_dataset", "all"),
    ]
    return result.loc[keys, ["lower", "upper"]].to_numpy()


def held(studies, times):
    bounds = np.array([bounds_of(seed, times) for seed in range(studies)])
    return ((bounds[..., 0] <= TRUTH) & (bounds[..., 1] >= TRUTH)).mean(0)


@pytest.mark.parametrize("studies", [40, pytest.param(200, marks=pytest.mark.study)])
def test_bounds_of_predicted_frequencies_hold_nine_times_in_ten(studies):
    share = held(studies, 1)
    assert (np.abs(share - 0.9) < 4 * np.sqrt(0.9 * 0.1 / studies)).all()


def test_the_same_check_catches_items_that_count_four_times():
    share = held(TWINS, 4)
    assert (np.abs(share - 0.9) > 4 * np.sqrt(0.9 * 0.1 / TWINS)).any()


def test_errors_are_counted_by_the_share_of_yes():
    shares = {"i": "yes no", "j": "yes yes", "k": "no no", "l": "maybe no", "m": "yes"}
    rows = [
        (item, "dog", f"a{place}", answer)
        for item, answers in shares.items()
        for place, answer in enumerate(answers.split())
    ]
    frame = pd.DataFrame(rows, columns=["item", "label", "annotator", "answer"])
    fit = cs.fit(cs.read(frame, kind="contains"), model="majority")
    guesses = pd.DataFrame({"item": list(shares), "label": "dog", "rank": 1})
    labels = pd.DataFrame({"item": list("ijklm"), "label": [*["cat"] * 4, "dog"]})
    evaluation = cs.evaluate(fit, guesses, dataset_labels=labels)
    result = evaluation.errors([0.0, 0.25, 0.5, 1.0])
    # Of m the guess is no error. A share on an edge is of the bin that it begins.
    assert result["items"].tolist() == [4, 4, 4]
    assert result["value"].tolist() == pytest.approx([0.25, 0.25, 0.5])
    assert (result["lower"] <= result["value"]).all()
    with pytest.raises(OptionError, match="give numbers that ascend from 0 to 1"):
        evaluation.errors([0.0, 0.5])
    with pytest.raises(OptionError, match="needs the labels of the data set"):
        cs.evaluate(fit, guesses).errors()
