"""Simulated studies: the design asked for, the truth beside it, one seed one study."""

import numpy as np
import pytest

from consilience.errors import OptionError
from consilience.simulation import simulate


def test_every_item_is_answered_by_as_many_annotators_as_asked():
    made = simulate(items=20, annotators=5, classes=4, per_item=3, seed=1)
    table = made.responses.table
    assert (table.groupby("item", observed=True)["annotator"].nunique() == 3).all()
    assert made.parameters["confusion"].shape == (5, 4, 4)
    assert len(made.responses.gold) == 20


def test_one_seed_gives_one_study_and_another_seed_another():
    first, again, other = (
        simulate(items=20, annotators=5, per_item=3, seed=seed).responses.table["label"]
        for seed in (3, 3, 4)
    )
    assert first.equals(again)
    assert not first.equals(other)


def test_annotators_err_as_often_as_their_confusions_say():
    made = simulate(items=4000, annotators=5, classes=4, per_item=3, seed=0)
    truth = made.responses.gold.set_index("item")["label"].astype(str)
    table = made.responses.table
    right = table["label"].astype(str) == table["item"].astype(str).map(truth)
    result = right.groupby(table["annotator"].astype(str)).mean().to_numpy()
    diagonal = np.einsum("jkk->jk", made.parameters["confusion"])
    expected = diagonal @ made.parameters["prevalence"]
    per_annotator = len(table) / 5
    assert (np.abs(result - expected) < 4 * np.sqrt(0.25 / per_annotator)).all()


def test_contains_studies_have_yes_and_no_for_gold():
    made = simulate(kind="contains", items=50, seed=2)
    assert made.responses.kind == "contains"
    assert set(made.responses.gold["answer"]) == {"yes", "no"}


@pytest.mark.parametrize(
    "design",
    [
        {"kind": "objects", "per_item": 21},
        {"per_item": 9, "annotators": 3},
        {"classes": 1},
    ],
)
def test_a_design_that_cannot_be_is_refused(design):
    with pytest.raises(OptionError):
        simulate(**design)
