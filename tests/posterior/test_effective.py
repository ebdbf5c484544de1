"""How many independent answers the answers of an item are worth."""

import numpy as np
import pandas as pd
import pytest
from benchmarks.gold_simulated import LABELS, STRENGTHS, panel

import consilience as cs
from consilience.posterior.effective import error_correlation, worth_in_words
from consilience.spaces import space_of

NAMES = list("abc")[:LABELS]


def drawn(strength, seed):
    answers, truth, given = panel(strength, seed)
    wrong = (given != truth[:, None]).astype(float)
    pairs = np.corrcoef(wrong.T)[np.triu_indices(wrong.shape[1], 1)]
    number = wrong.shape[1]
    return answers, truth, number / (1 + (number - 1) * pairs.mean())


def test_the_correlation_is_that_of_pairs_of_annotators():
    answers, truth, effective = drawn(0.6, 0)
    space = space_of(cs.read(answers, labels=NAMES))
    code = pd.Index([f"i{u}" for u in range(len(truth))]).get_indexer(space.unit_item)
    state = truth[code].astype(np.int32)
    correlation, error = error_correlation(space, np.arange(len(truth)), state)
    assert 9 / (1 + 8 * correlation) == pytest.approx(effective, rel=0.03)
    assert 0 < error < 0.1
    # The twin: by the truth of another item, all err together.
    other, _ = error_correlation(space, np.arange(len(truth)), np.roll(state, 1))
    assert other > correlation + 3 * error


@pytest.mark.study
@pytest.mark.parametrize("strength", STRENGTHS.values())
def test_intervals_hold_what_is_true(strength):
    held = {"other crowds": 0, "gold labels": 0}
    studies = 5
    for seed in range(studies):
        answers, truth, effective = drawn(strength, seed + 20)
        labels = pd.DataFrame(
            {
                "item": [f"i{u}" for u in range(len(truth))],
                "label": np.array(NAMES)[truth],
            }
        )
        for gold in (None, labels.iloc[:40]):
            fit = cs.fit(
                cs.read(answers, labels=NAMES),
                gold=gold,
                model="hierarchical_dawid_skene",
                copies="keep",
                seed=0,
            )
            row = fit.table("independence").iloc[-1]
            # What is drawn differs a little from what it was drawn with.
            inside = row["lower"] * 0.97 <= effective <= row["upper"] * 1.03
            held[row["known_from"]] += inside
    # Of five at .9, fewer than three hold in one of a hundred.
    assert min(held.values()) >= 3


def test_gold_narrows_the_interval_and_a_sentence_says_it():
    answers, truth, _ = drawn(0.6, 1)
    labels = [f"i{u}" for u in range(len(truth))]
    gold = pd.DataFrame({"item": labels, "label": np.array(NAMES)[truth]})
    rows = {}
    for name, given in (("without", None), ("with", gold.iloc[:100])):
        fit = cs.fit(answers, gold=given, model="hierarchical_dawid_skene", seed=0)
        row = rows[name] = fit.table("independence").iloc[0]
        assert f"{row['effective']:.1f} independent ones" in worth_in_words(fit.data)
    width = {name: row["upper"] - row["lower"] for name, row in rows.items()}
    assert width["with"] < width["without"]
    assert rows["with"]["known_from"] == "gold labels"
