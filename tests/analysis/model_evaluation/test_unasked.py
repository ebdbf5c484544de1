"""Predictions that nobody was asked about, and models that are among the annotators."""

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.errors import OptionError

LABELS = ("cat", "dog", "fox", "owl")


@pytest.fixture(scope="module")
def study():
    """Answers about candidates, of which nobody proposed what is not there."""
    rng = np.random.default_rng(0)
    truth = rng.integers(len(LABELS), size=80)
    rows = []
    for item, true in enumerate(truth):
        other = (true + 1) % len(LABELS)
        for label, there in ((LABELS[true], True), (LABELS[other], False)):
            for who in range(4):
                yes = there if rng.random() < 0.9 else not there
                rows.append((f"i{item}", f"a{who}", label, "yes" if yes else "no"))
    columns = ["item", "annotator", "label", "answer"]
    answers = pd.DataFrame(rows, columns=columns)
    fitted = cs.fit(cs.read(answers), model="contains_states", engine="em")
    # One names what is there in 7 of 10 items and else what nobody proposed, the other
    # in 8 of 10 and else the second candidate.
    guess = {
        "far": [t if k % 10 < 7 else (t + 2) % 4 for k, t in enumerate(truth)],
        "near": [t if k % 10 < 8 else (t + 1) % 4 for k, t in enumerate(truth)],
    }
    table = pd.concat(
        pd.DataFrame(
            {
                "model": name,
                "item": [f"i{k}" for k in range(len(truth))],
                "label": [LABELS[each] for each in labels],
                "rank": 1,
            }
        )
        for name, labels in guess.items()
    )
    return fitted, table


def accuracy(evaluation):
    rows = evaluation.models.query("metric == 'accuracy' and subset == 'all'")
    return rows.set_index("model")["value"], rows.set_index("model")["items"]


def test_what_nobody_was_asked_about_counts_as_wrong_and_is_counted(study):
    evaluation = cs.evaluate(*study)
    value, items = accuracy(evaluation)
    assert evaluation.unasked == {"far": 24, "near": 0}
    assert items.tolist() == [80, 80]
    assert value["far"] == pytest.approx(0.7, abs=0.03)
    assert value["near"] == pytest.approx(0.8, abs=0.03)


def test_left_out_is_left_out_for_all_models(study):
    value, items = accuracy(cs.evaluate(*study, unasked="left_out"))
    assert items.tolist() == [56, 56]
    assert value["far"] > 0.95  # as it is judged where it was right


def test_the_first_labels_are_as_often_true_as_the_first_at_least(study):
    fitted, table = study
    second = table.assign(rank=2, label="owl")
    both = pd.concat([table[table["label"] != "owl"], second])
    first = table[table["label"] == "owl"]
    for unasked in ("wrong", "left_out"):
        made = cs.evaluate(
            fitted,
            pd.concat([both, first]).drop_duplicates(["model", "item", "rank"]),
            top=2,
            unasked=unasked,
        )
        rows = made.models.query("subset == 'all'").set_index(["metric", "model"])
        for model in ("far", "near"):
            one, two = (rows["value"][name, model] for name in ("accuracy", "top_2"))
            assert two >= one - 1e-9


def test_a_judge_among_the_annotators_is_refused(study):
    fitted, table = study
    own = table.assign(model=table["model"].replace({"far": "a1"}))
    with pytest.raises(OptionError, match="a1 answered as annotators of the fit"):
        cs.evaluate(fitted, own)
    assert len(cs.evaluate(fitted, own, allow_circular=True).models)
