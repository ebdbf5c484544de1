"""Columns are read by their names and contents together, and else asked about."""

import numpy as np
import pandas as pd
import pytest
from tests.responses.reading_back import back

import consilience as cs
from consilience.errors import ConsilienceError
from consilience.responses.columns.names import are_people, is_likely


def study(*, accuracy=0.8, seed=0, **names):
    """Return answers of six people about forty things, under odd names."""
    generator = np.random.default_rng(seed)
    item, person = np.arange(160) // 4, np.empty(160, int)
    for k in range(40):
        person[4 * k : 4 * k + 4] = generator.choice(6, 4, replace=False)
    truth = generator.integers(0, 3, 40)
    right = generator.random(160) < accuracy
    label = np.where(right, truth[item], generator.integers(0, 3, 160))
    usual = {"policy_clause": "item", "judge": "person", "verdict": "label"}
    columns = {
        "item": [f"c{k:02d}" for k in item],
        "person": [f"p{k}" for k in person],
        "label": np.take(["x", "y", "z"], label),
        "site": np.take(["north", "south"], item % 2),
        "sure": np.take(["high", "low"], generator.integers(0, 2, 160)),
    }
    chosen = names or usual
    return pd.DataFrame({name: columns[role] for name, role in chosen.items()})


def expected(frame, item, annotator, label):
    return sorted(map(tuple, frame[[item, annotator, label]].to_numpy().tolist()))


@pytest.mark.parametrize(
    "names",
    [
        {"policy_clause": "item", "judge": "person", "verdict": "label"},
        {"Beleg-Nr.": "item", "Prüfer/in": "person", "Einstufung": "label"},
        {"zzz": "item", "rater_name": "person", "final_verdict": "label"},
        {"image_file": "item", "worker_id": "person", "animal": "label"},
    ],
)
@pytest.mark.parametrize("more", [{}, {"site": "site"}])
def test_names_and_contents_together_are_read_and_said(names, more):
    frame = study(**more, **names)
    responses = cs.read(frame)
    assert sorted(back(responses)) == expected(frame, *names)
    assert any("what it holds" in sentence for sentence in responses.assumptions)


def test_what_is_the_same_for_all_is_not_taken_for_the_label():
    frame = study(image_file="item", worker_id="person", animal="label", site="site")
    assert set(cs.read(frame).table["label"]) == {"x", "y", "z"}


@pytest.mark.parametrize(
    "names",
    [
        {"aa": "item", "bb": "person", "cc": "label"},
        {"image": "item", "bb": "person", "cc": "label"},
    ],
)
def test_what_only_the_contents_show_is_proposed(names):
    with pytest.raises(ConsilienceError) as caught:
        cs.read(study(**names))
    for role, name in zip(("item", "annotator", "label"), names, strict=True):
        assert f'`{role}="{name}"`' in str(caught.value)


def test_answers_that_agree_by_chance_alone_are_asked_about():
    frame = study(accuracy=0.0, image_file="item", worker_id="person", animal="label")
    with pytest.raises(ConsilienceError, match="which column is which"):
        cs.read(frame)


def test_a_name_counts_by_its_last_word_and_without_the_form_of_a_gender():
    assert is_likely("policy_clause", "item")
    assert is_likely("reviewedVerdict", "label")
    assert is_likely("Prüfer*in", "annotator")
    assert not is_likely("verdict_time", "label")
    assert not is_likely("judge_seniority", "annotator")


def test_names_with_titles_are_those_of_people():
    assert are_people(["Dr. Ødegård", "Dr Patel", "Prof. Weiß"])
    assert not are_people(["drift", "drug", "profile"])
