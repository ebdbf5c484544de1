import numpy as np
import pandas as pd
import pytest

import consilience as cs

SMALL = ("--items", "30", "--annotators", "6", "--per-item", "3", "--classes", "3")


@pytest.mark.parametrize("kind", ["choice", "contains"])
def test_a_simulated_study_holds_answers_truth_and_confusions_also_for_others(
    run, kind
):
    assert run("simulate", "--kind", kind, *SMALL, "--out", "study") == 0
    ours, theirs = cs.read("study"), cs.read("study/crowd")
    assert ours.kind == kind
    assert ours.num_responses == 90
    assert len(ours.gold) == 30
    confusion = pd.read_parquet("study/confusion.parquet")
    assert set(confusion["annotator"]) == set(ours.table["annotator"])
    sums = confusion.groupby(["annotator", "true_label"])["probability"].sum()
    assert np.allclose(sums, 1)
    columns = ["item", "annotator", "label", "answer"]
    assert ours.table[columns].astype(str).equals(theirs.table[columns].astype(str))
    crowd = pd.read_csv("study/crowd/labels.csv")
    assert list(crowd)[:3] == ["task", "worker", "label"]
    one, other = (
        each.gold.sort_values("item", ignore_index=True)[["item", "label"]].astype(str)
        for each in (ours, theirs)
    )
    pd.testing.assert_frame_equal(one, other)
