"""How many labels are valid at thresholds: by hand and against frequencies."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.errors import OptionError


def test_labels_by_the_rule_are_counted_by_shares_of_answers():
    rows = [
        ("i", "a", "lamp", True),
        ("i", "a", "shade", False),
        ("i", "b", "lamp", True),
        ("j", "a", "shade", True),
    ]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "main"])
    responses = cs.read(frame, kind="objects", labels=["lamp", "shade"])
    result = cs.valid_labels(cs.fit(responses, model="tsipras2020"), [0.4, 0.6])
    # Of i, lamp has both answers and shade one of two.
    assert result["value"].tolist() == pytest.approx([1.5, 0.5, 1.0, 0.0])
    assert result["what"].eq("labels").all()
    assert result["items"].eq(2).all()
    several = result.query("statistic == 'several'")
    assert (several["lower"] <= several["value"]).all()
    assert (several["value"] <= several["upper"]).all()


def test_labels_of_contains_are_counted_by_their_frequencies():
    generator = np.random.default_rng(0)
    truth = generator.random((60, 3))
    yes = generator.random((60, 3, 9)) < truth[..., None]
    item, label, person = np.nonzero(np.ones_like(yes))
    frame = pd.DataFrame(
        {
            "item": [f"i{i}" for i in item],
            "label": [f"l{k}" for k in label],
            "annotator": [f"a{a}" for a in person],
            "answer": np.where(yes[item, label, person], "yes", "no"),
        }
    )
    responses = cs.read(frame, kind="contains")
    effort = cs.EngineOptions(restarts=1)
    fit = cs.fit(responses, model="contains_counts", engine="em", effort=effort)
    result = cs.valid_labels(fit, [0.3, 0.7]).set_index(["threshold", "statistic"])
    table = cs.frequencies(fit, [0.3, 0.7])
    for threshold in (0.3, 0.7):
        chance = table[f"above_{threshold}"].to_numpy().reshape(60, 3)
        value = result["value"]
        assert value[threshold, "mean"] == pytest.approx(chance.sum() / 60)
        none = (1 - chance).prod(1)
        one = sum(
            chance[:, k] * np.delete(1 - chance, k, axis=1).prod(1) for k in range(3)
        )
        expected = (1 - none - one).mean()
        assert value[threshold, "several"] == pytest.approx(expected, abs=1e-9)
    noise = 4 * np.sqrt(0.25 / 60)
    true = ((truth > 0.3).sum(1) > 1).mean()
    assert abs(result["value"][0.3, "several"] - true) < noise


def test_a_threshold_that_is_no_share_is_refused():
    frame = pd.DataFrame({"item": ["i", "j"], "annotator": "a", "label": ["x", "y"]})
    fit = cs.fit(frame, model="majority")
    with pytest.raises(OptionError, match="threshold 1"):
        cs.valid_labels(fit, [1.0])
    with pytest.raises(OptionError, match="fit contains_counts"):
        cs.valid_labels(fit)
