"""How many select what models predict, by hand."""

import numpy as np
import pandas as pd
import pytest
from tests.analysis.made import as_labels, contains_fit

import consilience as cs
from consilience.errors import OptionError

ROWS = [
    ("i", "a", 3, 1, 0),  # item, label, yes, maybe, no
    ("i", "b", 0, 0, 4),
    ("j", "a", 1, 0, 1),
    ("j", "b", 2, 0, 0),
    ("k", "a", 0, 2, 0),
]
MODEL = pd.DataFrame({"item": ["i", "j", "k"], "label": ["a", "b", "b"], "rank": 1})
OWN = MODEL[["item"]].assign(label="a")


@pytest.fixture(scope="module")
def cells():
    result = cs.evaluate(contains_fit(ROWS), MODEL, dataset_labels=OWN).frequencies()
    return result.set_index(["model", "statistic", "subset"])


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


def test_errors_are_counted_by_the_share_of_yes():
    shares = {"i": "yes no", "j": "yes yes", "k": "no no", "l": "maybe no", "m": "yes"}
    words = ("yes", "maybe", "no")
    fit = contains_fit(
        [
            (item, "dog", *map(answers.split().count, words))
            for item, answers in shares.items()
        ]
    )
    guesses = pd.DataFrame({"item": list(shares), "label": "dog", "rank": 1})
    labels = as_labels(dict.fromkeys("ijkl", "cat") | {"m": "dog"})
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
