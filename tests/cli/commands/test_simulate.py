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


def test_one_seed_gives_one_study(run):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert run("simulate", *SMALL, "--seed", seed, "--out", name) == 0
    a, b, c = (cs.read(name).table["label"].astype(str).tolist() for name in "abc")
    assert a == b
    assert a != c


def test_a_simulated_study_of_objects_holds_its_partitions(run):
    small = ("--items", "12", "--annotators", "6", "--per-item", "3")
    assert run("simulate", "--kind", "objects", *small, "--out", "study") == 0
    responses = cs.read("study")
    assert responses.kind == "objects"
    assert {"item", "label", "main"} == set(responses.gold.columns)
    assert list(responses.items.columns) == ["item", "dataset_label"]
    truth = pd.read_parquet("study/truth/objects.parquet")
    assert {"item", "object", "label", "salience", "naming"} <= set(truth.columns)
    assert len(pd.read_parquet("study/truth/annotators.parquet")) == 6
