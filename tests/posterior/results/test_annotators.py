import numpy as np
import pytest
from tests.posterior.conftest import with_posterior

from consilience.posterior.annotators import skills

AXES = ("chain", "draw", "annotator")
# Absent: no .7, maybe .2, yes .1. Present: no .1, maybe .3, yes .6.
MAYBE = np.array([[[[[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]]]]])


def test_accuracy_is_weighted_by_prevalence(choice_fit):
    confusion = np.array([[[[[0.8, 0.2], [0.4, 0.6]], [[1.0, 0.0], [0.0, 1.0]]]]])
    prevalence = np.array([[[0.75, 0.25]]])
    table = choice_fit(confusion=confusion, prevalence=prevalence).annotators()
    columns = "annotator responses accuracy lower upper flag flag_probability evidence"
    assert " ".join(table.columns) == columns
    assert table["annotator"].tolist() == ["ana", "ben"]
    assert table["responses"].tolist() == [3, 1]
    # .75 * .8 + .25 * .6
    assert table["accuracy"].tolist() == pytest.approx([0.75, 1.0])
    assert table[["lower", "upper"]].isna().all(axis=None)


def test_bounds_are_equal_tailed_quantiles_of_the_draws(choice_fit):
    right = np.linspace(0.0, 1.0, 101)
    confusion = np.stack(
        [np.stack([right, 1 - right], -1), np.stack([1 - right, right], -1)], -2
    )[None, :, None]
    one = {"annotators": ("ana",), "known": (True,), "annotator_responses": (4,)}
    table = skills(choice_fit(confusion=confusion, **one).data)
    row = table.loc[0, ["accuracy", "lower", "upper"]].to_list()
    # Of 101 draws, place .05 * 102 = 5.1 lies a tenth of the way beyond .04.
    assert row == pytest.approx([0.5, 0.041, 0.959], abs=1e-6)


def test_a_maybe_is_half_a_right_answer(contains_fit):
    row = contains_fit(
        confusion=MAYBE, prevalence=np.array([[[0.75, 0.25]]])
    ).annotators()
    # By hand: .75 * (.7 + .2 / 2) + .25 * (.6 + .3 / 2)
    assert row["accuracy"].tolist() == pytest.approx([0.7875])


def test_sensitivity_and_specificity_ask_for_a_plain_answer(contains_fit):
    confusion = np.concatenate([MAYBE] * 2, axis=1)
    row = contains_fit(confusion=confusion).annotators().iloc[0]
    assert row["sensitivity"] == pytest.approx(0.6)
    assert row["specificity"] == pytest.approx(0.7)
    assert row["sensitivity_lower"] == pytest.approx(0.6)
    assert row["specificity_upper"] == pytest.approx(0.7)


def test_states_that_count_as_present_are_weighted_by_prevalence(contains_fit):
    confusion = np.array([[[[[0.9, 0.1, 0], [0.5, 0.3, 0.2], [0, 0.2, 0.8]]]]])
    fit = contains_fit(
        states=("absent", "faint", "plain"),
        present=(0.0, 1.0, 1.0),
        probability=np.full((3, 3), 1 / 3),
        confusion=confusion,
        prevalence=np.array([[[0.6, 0.1, 0.3]]]),
    )
    row = fit.annotators().iloc[0]
    # By hand: (.1 * .2 + .3 * .8) / .4
    assert row["sensitivity"] == pytest.approx(0.65)
    assert row["specificity"] == pytest.approx(0.9)


def test_who_answers_by_habit_is_reported_only_where_the_model_says(choice_fit):
    confusion = np.broadcast_to(np.eye(2), (1, 101, 2, 2, 2))
    plain = choice_fit(confusion=confusion)
    assert "spammer" not in plain.annotators()
    habit = np.stack([np.linspace(0.0, 1.0, 101), np.full(101, 0.25)], axis=-1)
    table = with_posterior(plain, spammer=(AXES, habit[None])).annotators()
    # Draws are even between 0 and 1: place 5.1 of them from below, and from above.
    shown = table[["spammer", "spammer_lower", "spammer_upper"]].to_numpy()
    assert shown == pytest.approx(np.array([[0.5, 0.041, 0.959], [0.25, 0.25, 0.25]]))
