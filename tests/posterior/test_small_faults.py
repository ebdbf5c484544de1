"""Faults that were seen from outside, each as a test."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs


@pytest.fixture(scope="module")
def fitted():
    rows = [("p", who, label) for who, label in zip("abcdef", "mmhhww", strict=True)]
    rows += [(f"q{k}", w, "mhw"[k % 3]) for k in range(30) for w in "abcdef"]
    table = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    return cs.fit(cs.read(table), model="dawid_skene", engine="em")


def test_no_label_is_what_most_say_where_several_are_tied(fitted):
    check = fitted.table("check").set_index("item")
    assert check.loc["p", "answers"] == "2 m, 2 h, 2 w"
    assert check.loc["p", "reason"] == "answers are split"


def test_a_table_with_a_further_column_is_shown(fitted):
    table = fitted.table("annotators")
    table["mine"] = np.arange(len(table))
    assert "mine" in table._repr_html_()
    assert "mine" in repr(table)


def test_tables_that_are_asked_for_are_named(fitted):
    with pytest.raises(AttributeError, match=r"the table is `fit.table\('check'\)`"):
        _ = fitted.check


def test_a_report_of_items_with_one_answer_each_is_written(tmp_path):
    table = pd.DataFrame(
        {
            "item": [f"i{k}" for k in range(40)],
            "annotator": [f"a{k % 4}" for k in range(40)],
            "label": ["x", "y"] * 20,
        }
    )
    fitted = cs.fit(cs.read(table))
    assert cs.report(fitted, tmp_path / "report.html").exists()
    assert len(cs.analysis.predictive_checks(fitted))
