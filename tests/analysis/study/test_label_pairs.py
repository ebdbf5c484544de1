"""Pairs of labels: what means that no label fits is in none of them."""

import pandas as pd
import pytest

import consilience as cs

NONE = "none of these"


@pytest.fixture(scope="module")
def responses():
    rows = [
        (f"i{item}", f"p{who}", label, place == 0)
        for item in range(6)
        for who in range(5)
        for place, label in enumerate(
            [NONE] if who < 3 else ["tabby", "lamp"] if item % 2 else ["lamp", "tabby"]
        )
    ]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "main"])
    items = pd.DataFrame({"item": [f"i{k}" for k in range(6)], "label": "tabby"})
    return cs.read(frame, kind="objects", items=items)


def test_none_of_these_is_no_other_name_of_a_class(responses):
    fit = cs.fit(responses, model="tsipras2020")
    assert (fit.items()["label"] == NONE).all()
    assert NONE not in cs.analysis.cooccurring(fit, responses).to_string()


def test_none_of_these_is_in_no_pair_that_people_cannot_tell_apart(responses):
    pairs = cs.analysis.human_confusion(responses).pairs(min_probability=0.0)
    assert len(pairs) == 1
    assert set(pairs.loc[0, ["label", "other_label"]]) == {"lamp", "tabby"}
