"""Labels that are many are no reason to take annotators for guessing."""

import numpy as np
import pandas as pd
import pytest
from tests.laws.combinations import QUICK

from consilience.model import by_tables

# `community_bcc` and `ebcc` have several tables for each annotator.
TABLES = [
    each
    for each in QUICK
    if each.kind == "choice"
    and each.engine == "em"
    and each.model in ("bayesian_dawid_skene", "multinomial", "class_conditional")
]
LABELS = [f"l{number:03d}" for number in range(300)]


def answers() -> pd.DataFrame:
    """Five of ten annotators, right eight times in ten, about 300 items."""
    generator = np.random.default_rng(0)
    item = np.repeat(np.arange(300), 5)
    who = np.concatenate([generator.permutation(10)[:5] for _ in range(300)])
    right = generator.random(len(item)) < 0.8
    label = np.where(right, item, generator.integers(300, size=len(item)))
    return pd.DataFrame(
        {
            "item": [f"i{number:03d}" for number in item],
            "annotator": [f"a{number}" for number in who],
            "label": np.array(LABELS)[label],
        }
    )


def mean_of_truth(each) -> float:
    table = (
        each.fit(answers(), labels=LABELS, copies="keep").with_(truth="raw").labels()
    )
    true = table["label"].astype(str).str[1:] == table["item"].astype(str).str[1:]
    return float(table.loc[true, "probability"].mean())


@pytest.mark.parametrize("each", TABLES, ids="-".join)
def test_three_hundred_labels_that_most_agree_on_are_believed(each):
    # Two of five agree by chance once in 300, so that nearly all are plain.
    assert mean_of_truth(each) > 0.8


def test_the_same_check_catches_a_prior_that_grows_with_the_labels(monkeypatch):
    monkeypatch.setattr(by_tables, "MOST_OTHERS", 1e9)
    each = next(one for one in TABLES if one.model == "bayesian_dawid_skene")
    assert mean_of_truth(each) < 0.8
