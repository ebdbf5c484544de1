import numpy as np
import pytest
from tests.posterior.conftest import with_posterior

TWO = np.array([[[[[0.8, 0.2], [0.4, 0.6]], [[1.0, 0.0], [0.0, 1.0]]]]])


def test_every_annotator_and_the_population_have_a_matrix(choice_fit):
    table = choice_fit(confusion=TWO).confusion()
    assert list(table.columns) == [
        "annotator",
        "true_label",
        "given_label",
        "probability",
        "lower",
        "upper",
    ]
    assert table["annotator"].isna().sum() == 4
    ana = table[table["annotator"] == "ana"]
    assert ana["true_label"].tolist() == ["cat", "cat", "dog", "dog"]
    assert ana["given_label"].tolist() == ["cat", "dog", "cat", "dog"]
    assert ana["probability"].tolist() == pytest.approx([0.8, 0.2, 0.4, 0.6])


def test_the_population_weighs_annotators_by_their_responses(choice_fit):
    table = choice_fit(confusion=TWO, annotator_responses=(3, 1)).confusion()
    population = table[table["annotator"].isna()]["probability"]
    # By hand: (3 * .8 + 1) / 4, (3 * .2) / 4, (3 * .4) / 4, (3 * .6 + 1) / 4
    assert population.tolist() == pytest.approx([0.85, 0.15, 0.3, 0.7])


def test_the_population_is_averaged_within_each_draw(choice_fit):
    # Annotators whose draws move in opposite ways leave a population that is certain.
    draw = np.array([[[0.9, 0.1], [0.1, 0.9]], [[0.5, 0.5], [0.5, 0.5]]])
    table = choice_fit(
        confusion=np.stack([draw, draw[::-1]])[None], annotator_responses=(1, 1)
    ).confusion()
    population = table[table["annotator"].isna()]
    assert population["lower"].tolist() == pytest.approx([0.7, 0.3, 0.3, 0.7])
    assert population["upper"].tolist() == pytest.approx([0.7, 0.3, 0.3, 0.7])
    ana = table[table["annotator"] == "ana"].iloc[0]
    # Of two draws there is nothing beyond.
    assert (ana["lower"], ana["upper"]) == pytest.approx((0.5, 0.9))


def test_the_anonymous_pool_counts_but_has_no_row_of_its_own(choice_fit):
    table = choice_fit(
        confusion=TWO,
        annotators=("ana", "(anonymous)"),
        known=(True, False),
        annotator_responses=(1, 3),
    ).confusion()
    assert table["annotator"].dropna().unique().tolist() == ["ana"]
    population = table[table["annotator"].isna()]["probability"]
    assert population.tolist() == pytest.approx([0.95, 0.05, 0.1, 0.9])


def test_a_person_named_like_the_pool_keeps_the_row(choice_fit):
    table = choice_fit(annotators=("(anonymous)", "ben")).confusion()
    assert table["annotator"].dropna().unique().tolist() == ["(anonymous)", "ben"]


def test_one_matrix_shared_by_all_is_the_population(choice_fit):
    fit = choice_fit()
    shared = fit.data["posterior"]["confusion"].isel(annotator=0, drop=True)
    table = with_posterior(fit, confusion=shared).confusion()
    assert table["annotator"].isna().tolist() == [True] * 4
    assert table["probability"].tolist() == [1.0, 0.0, 0.0, 1.0]


def test_a_model_without_confusion_tells_the_population_and_no_annotator(choice_fit):
    fit = with_posterior(choice_fit(), confusion=None)
    assert fit.confusion()["annotator"].isna().all()
    assert fit.annotators()["accuracy"].isna().all()
    assert fit.annotators()["responses"].tolist() == [3, 1]
