"""Weighted averages: the published updates and figures, gold and candidates."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from consilience.annotators.bwa import MODEL
from consilience.fitting import fit
from consilience.model import Rounds
from consilience.responses import read
from consilience.scoring.metrics import score
from consilience.spaces import space_of


def written_out(space, states, *, weigh=True, answers=15.0, items=1.0):
    """Li (2019), section 3, label by label, until nothing moves."""
    scores, precision = [], []
    for label in range(states):
        yes = (space.answer == label).astype(float)
        given = np.bincount(space.unit, minlength=space.num_units)
        score = np.bincount(space.unit, yes, space.num_units) / given
        doubt = (given * score * (1 - score)).sum() / len(yes)
        rate = answers * doubt * 4 * (1 - 1 / states)
        number = np.bincount(space.annotator, minlength=space.num_annotators)
        weight = np.ones(space.num_annotators)
        for _ in range(2000):
            if weigh:
                miss = (yes - score[space.unit]) ** 2
                missed = np.bincount(space.annotator, miss, space.num_annotators)
                weight = (answers + number) / (rate + missed)
            each = weight[space.annotator]
            pull = items + np.bincount(space.unit, each, space.num_units)
            said = np.bincount(space.unit, each * yes, space.num_units)
            score = (items * score.mean() + said) / pull
        scores.append(score)
        precision.append(weight)
    score = np.stack(scores, axis=1)
    return score / score.sum(1, keepdims=True), np.stack(precision, axis=1)


@pytest.fixture(scope="module")
def space(design):
    # Half the answers are the item's own label; some annotators never look.
    generator = np.random.default_rng(3)
    truth = generator.integers(3, size=design.num_units)
    careful = np.linspace(0.2, 0.95, design.num_annotators)[design.annotator]
    looks = generator.random(len(design.answer)) < careful
    guess = generator.integers(3, size=len(design.answer))
    answer = np.where(looks, truth[design.unit], guess)
    return replace(design, answer=answer.astype(np.int32))


def test_it_is_the_fixed_point_of_the_published_updates(space):
    belief, parameters = MODEL.apply(space, MODEL.prior, Rounds())
    score, precision = written_out(space, 3)
    assert np.allclose(belief, score, atol=1e-9)
    assert np.allclose(parameters["precision"], precision, rtol=1e-8)
    # Votes that all weigh the same are something else.
    even, _ = written_out(space, 3, weigh=False)
    assert np.abs(score - even).max() > 0.05


def test_published_accuracy_and_log_loss_are_met(data_folder):
    folder = data_folder / "crowd" / "rte"
    labels = fit(read(folder), model="bwa").labels()
    truth = pd.read_csv(folder / "truth.csv", dtype=str)
    truth.columns = ["item", "label"]
    result = score(labels, truth, kind="choice", seed=0).metrics
    # Li's notebook, code/test_bwa.ipynb: accuracy; and the log-loss of its scores.
    assert result["accuracy"].value == pytest.approx(0.9275, abs=1e-6)
    assert result["log_loss"].value == pytest.approx(0.288, abs=1e-3)


def crowd(words):
    """Thirty items; four annotators say the truth three times in four."""
    generator = np.random.default_rng(0)
    truth = np.repeat(np.resize(words, 30), 4)
    other = generator.choice(words, 120)
    said = np.where(generator.random(120) < 0.75, truth, other)
    items = np.repeat([f"i{number:02d}" for number in range(30)], 4)
    return pd.DataFrame({"item": items, "annotator": list("abcd") * 30, "label": said})


@pytest.fixture(scope="module")
def choices():
    """All four say y of the last item but one, which is no z, and x of the last."""
    frame = crowd(["x", "y", "z"])
    frame.loc[frame["item"] == "i28", "label"] = "y"
    frame.loc[frame["item"] == "i29", "label"] = "x"
    pairs = [(f"i{number:02d}", label) for number in range(30) for label in "xyz"]
    lists = pd.DataFrame(pairs, columns=["item", "label"])
    return read(frame), lists.drop(index=28 * 3 + 2)


def believed(choices, gold):
    responses, lists = choices
    space = space_of(responses, lists=lists, gold=gold)
    return MODEL.apply(space, MODEL.prior, Rounds()).belief


def test_gold_is_kept_whatever_is_said(choices):
    belief = believed(choices, pd.DataFrame({"item": ["i29"], "label": ["y"]}))
    assert belief[29].argmax() == 1
    assert belief[29].max() == pytest.approx(1)
    assert np.allclose(belief.sum(1), 1)
    assert believed(choices, None)[29].argmax() == 0


def test_only_candidates_are_believed(choices):
    belief = believed(choices, None)
    assert belief[28, 2] == 0  # padding
    assert (belief[:28].min(1) > 0).all()
    assert np.allclose(belief.sum(1), 1)
