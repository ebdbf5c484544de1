"""Who is right is read off what is true: annotators are those of the corrected fit."""

import numpy as np
import pandas as pd
import pytest
from tests.laws.combinations import QUICK, Combination, thinned

from consilience import annotators
from consilience.model import Rule

ITEMS, MISLED, RIGHT, GIVEN = 240, 5, 2, 40
# One table of all annotators says nothing of any of them.
LEARNING = [
    each
    for each in QUICK
    if each.kind == "choice"
    and each.model != "multinomial"
    and each.engine != "nuts"
    and not isinstance(annotators.load(each.model), Rule)
]


def panel() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Five annotators are wrong together about most items, and two are not."""
    generator = np.random.default_rng(0)
    truth = generator.integers(2, size=ITEMS)
    misleading = generator.random(ITEMS) < 0.6
    chance = np.full((ITEMS, MISLED + RIGHT), 0.12)
    chance[misleading, :MISLED] = 0.85
    wrong = generator.random(chance.shape) < chance
    items = [f"i{number:03d}" for number in range(ITEMS)]
    answer = np.array(["x", "y"])[truth[:, None] ^ wrong]
    people = [f"judge-{number}" for number in range(MISLED + RIGHT)]
    wide = pd.DataFrame(answer, items, people).rename_axis("item").reset_index()
    table = wide.melt("item", var_name="annotator", value_name="label")
    return table, pd.DataFrame({"item": items, "label": np.array(["x", "y"])[truth]})


def believed(each: Combination, gold: int) -> pd.Series:
    """Return the accuracy of each annotator, as a fit with so much gold has it."""
    table, truth = panel()
    how = {"gold": truth.iloc[:gold]} if gold else {}
    shown = each.fit(table, ["x", "y"], **how).annotators()
    return shown.set_index(shown["annotator"].astype(str))["accuracy"].astype(float)


@pytest.mark.parametrize("each", thinned(LEARNING))
def test_whom_gold_shows_to_be_wrong_is_less_accurate_than_others(each):
    accuracy = believed(each, GIVEN)
    misled = accuracy.index[:MISLED]
    assert accuracy[misled].max() < accuracy.drop(misled).min() - 0.2


def test_the_same_test_catches_annotators_of_the_fit_without_gold():
    accuracy = believed(Combination("dawid_skene", "em", "choice"), 0)
    misled = accuracy.index[:MISLED]
    assert accuracy[misled].max() > accuracy.drop(misled).min()
