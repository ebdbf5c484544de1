"""Models judged by fits: worked by hand, by enumeration, and against the truth."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import consilience as cs
from consilience.analysis.evaluation import evaluate
from consilience.analysis.truths import Truths
from consilience.classifiers.predictions import from_table
from consilience.errors import (
    DataError,
    OptionError,
)
from consilience.fitting.inputs import classifiers_of
from consilience.posterior import Fit


def choice(probability, labels=("cat", "dog", "fox"), covariates=()):
    """A fit of kind choice that holds nothing but the truth of its items."""
    probability = np.asarray(probability, float)
    items = np.array([f"i{place}" for place in range(len(probability))], object)
    empty = np.full(probability.shape, np.nan)
    both = ("item", "candidate")
    truth = {"probability": (both, probability), "lower": (both, empty)}
    truth["upper"] = (both, empty)
    constant = xr.Dataset(
        {
            "candidate_class": ("candidate", np.arange(len(labels))),
            "unit_item": ("item", items),
            "num_responses": ("item", np.ones(len(items), int)),
        },
        {"item": items, "true_class": np.array(labels, object)},
    )
    if covariates:
        constant = constant.assign_coords(covariate=list(covariates))
    root = xr.Dataset(attrs={"kind": "choice", "prob": 0.9})
    groups = {"/": root, "truth": xr.Dataset(truth), "constant_data": constant}
    return Fit(xr.DataTree.from_dict(groups))


def predicted(**labels):
    """Predictions of models: a list of lists of labels, the best first."""
    return pd.DataFrame(
        [
            (model, f"i{item}", label, rank)
            for model, rows in labels.items()
            for item, ranked in enumerate(rows)
            for rank, label in enumerate(ranked.split(), 1)
        ],
        columns=["model", "item", "label", "rank"],
    )


THREE = [[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.0, 0.0, 1.0]]
OLD = pd.DataFrame({"item": ["i0", "i1", "i2"], "label": ["cat", "fox", "dog"]})


def values(evaluation, model):
    table = evaluation.models[evaluation.models["model"] == model]
    return table.set_index(["metric", "subset"])["value"].to_dict()


def test_accuracies_under_a_posterior_are_those_worked_by_hand():
    said = predicted(one=["cat dog", "dog fox", "cat dog"])
    result = values(evaluate(choice(THREE), said, dataset_labels=OLD, top=2), "one")
    # P(true) of the first: .9, .5, 0; of both: 1, .8, 0. The data set's label is right
    # with .9, .3 and 0, and the model says the same of the first item alone.
    assert result == pytest.approx(
        {
            ("accuracy", "all"): 1.4 / 3,
            ("top_2", "all"): 1.8 / 3,
            ("dataset_accuracy", "all"): 1 / 3,
            ("dataset_top_2", "all"): 1.0,
            ("accuracy", "label_right"): 0.9 / 1.2,
            ("accuracy", "label_wrong"): 0.5 / 1.8,
            ("dataset_accuracy", "label_right"): 0.9 / 1.2,
            ("dataset_accuracy", "label_wrong"): 0.1 / 1.8,
        }
    )


def test_a_label_that_the_fit_does_not_know_is_not_true_but_may_be_the_data_sets():
    said = predicted(one=["owl", "dog", "fox"])
    old = OLD.assign(label=["owl", "dog", "fox"])
    result = values(evaluate(choice(THREE), said, dataset_labels=old, top=1), "one")
    assert result["accuracy", "all"] == pytest.approx(1.5 / 3)
    assert result["dataset_accuracy", "all"] == 1


def test_labels_say_where_models_follow_a_wrong_data_set():
    said = predicted(one=["cat", "fox", "dog"], two=["cat", "dog", "fox"])
    table = evaluate(choice(THREE), said, dataset_labels=OLD, top=1).labels
    dog = table[table["label"] == "dog"].set_index("model")
    assert dog["right"].tolist() == [0, 0]
    assert dog["dataset_accuracy"].to_dict() == {"one": 1, "two": 0}
    assert dog["accuracy"].to_dict() == {"one": 0, "two": 1}


def several_truths(labels, key, chance, items):
    names, value = pd.Index(list(labels)), np.asarray(chance)[None]
    return Truths(labels=names, key=key, value=value, items=items, one=False)


def test_presence_of_several_labels_agrees_with_enumeration():
    chance = np.array([0.2, 0.7, 1.0, 0.4, 0.0])  # three labels, then two
    item, code = np.array([0, 0, 0, 1, 1]), np.array([0, 1, 2, 0, 2])
    truths = several_truths("abc", item * 3 + code, chance, 2)
    first = np.array([[1, 0]])
    whole = {"several": np.zeros(2), "others": np.zeros(2), "some": np.zeros(2)}
    for present in map(np.array, product([0, 1], repeat=5)):
        weight = np.where(present, chance, 1 - chance)
        for one in (0, 1):
            here = present[item == one]
            p = weight[item == one].prod() * weight[item != one].prod()
            mine = here[code[item == one] == first[0, one]][0]
            whole["several"][one] += p * (here.sum() > 1)
            whole["some"][one] += p * (here.sum() > 0)
            whole["others"][one] += p * (mine and here.sum() > 1)
    assert truths.several()[0] == pytest.approx(whole["several"], abs=1e-9)
    assert truths.some()[0] == pytest.approx(whole["some"], abs=1e-9)
    assert truths.others(first)[0, 0] == pytest.approx(whole["others"], abs=1e-9)
    assert np.isnan(truths.probability(np.array([[0, 1]]))[0, 0, 1])  # not asked about


def test_any_of_several_labels_is_counted_once():
    truths = several_truths("ab", np.arange(2), [0.5, 0.4], 1)
    assert truths.any_of(np.array([[[0, 1]]]))[0, 0, 0] == pytest.approx(0.7)
    same = predicted(one=["cat cat", "dog dog", "fox fox"])
    result = values(evaluate(choice(THREE), same, top=2), "one")
    assert result["top_2", "all"] == result["accuracy", "all"]


STUDIES, TWINS = 60, 20


def population(seed, lie=0.0):
    """Whether the interval holds the accuracy, .6, of a model on items like these."""
    generator = np.random.default_rng(seed)
    first = generator.beta(3, 2, 200)
    stated = np.clip(first + lie, 0, 1)
    fit = choice(np.stack([stated, 1 - stated], 1), ("cat", "dog"))
    said = pd.DataFrame(
        {"item": [f"i{place}" for place in range(200)], "label": "cat", "rank": 1}
    )
    row = evaluate(fit, said, top=1, resamples=400, seed=seed).models.iloc[0]
    return row["lower"] <= 0.6 <= row["upper"]


def test_nine_tenths_intervals_hold_the_accuracy_nine_times_in_ten():
    held = [population(seed) for seed in range(STUDIES)]
    assert abs(np.mean(held) - 0.9) < 4 * np.sqrt(0.9 * 0.1 / STUDIES)


def test_the_same_check_catches_a_fit_that_is_too_sure():
    held = [population(seed, lie=0.05) for seed in range(TWINS)]
    assert abs(np.mean(held) - 0.9) > 4 * np.sqrt(0.9 * 0.1 / TWINS)


def test_models_are_compared_on_the_same_items_so_that_luck_is_shared():
    generator = np.random.default_rng(0)
    hard = generator.random(300) < 0.5
    sure = np.where(hard, 0.5, 0.95)
    fit = choice(np.stack([sure, 1 - sure], 1), ("cat", "dog"))
    one = np.full(300, "cat")
    two = np.where(np.arange(300) < 12, "dog", "cat")
    result = evaluate(fit, predicted(one=one, two=two), top=1)
    table = result.models.set_index("model")
    assert table["lower"]["one"] < table["upper"]["two"]  # apart from each other
    (row,) = result.differences.to_dict("records")
    gained = (2 * sure[:12] - 1).sum() / 300
    assert row["difference"] == pytest.approx(gained)
    assert row["lower"] > 0
    assert row["better"] > 0.99
    same = evaluate(fit, predicted(one=one, two=one), top=1).differences.iloc[0]
    assert (same["difference"], same["better"]) == (0, 0.5)


def test_a_fit_that_was_told_of_a_model_does_not_judge_it_unasked():
    fit = choice(THREE, covariates=("one",))
    with pytest.raises(OptionError, match="was given what one predicted"):
        evaluate(fit, predicted(one=["cat", "dog", "fox"]))
    judged = evaluate(fit, predicted(one=["cat", "dog", "fox"]), allow_circular=True)
    assert len(judged.models)
    assert len(evaluate(fit, predicted(two=["cat", "dog", "fox"])).models)


def test_candidates_say_whose_predictions_they_hold(tmp_path):
    said = predicted(one=["cat", "dog", "fox"], two=["dog", "dog", "cat"])
    lists = [
        from_table(said[said["model"] == name], name, name) for name in ("one", "two")
    ]
    cs.candidates(lists).save(tmp_path / "lists")
    assert classifiers_of(tmp_path / "lists") == ["one", "two"]
    assert classifiers_of(tmp_path / "lists" / "candidates.parquet") == []
    answers = pd.DataFrame(
        {
            "item": ["i0", "i1", "i2"] * 2,
            "annotator": ["a"] * 3 + ["b"] * 3,
            "label": ["cat", "dog", "fox"] * 2,
        }
    )
    fit = cs.fit(answers, model="majority", candidates=tmp_path / "lists")
    with pytest.raises(OptionError, match="given what two predicted"):
        evaluate(fit, said[said["model"] == "two"])
    plain = cs.fit(answers, model="dawid_skene", engine="em")
    assert len(evaluate(plain, said).models)
    for place, one in enumerate(lists):
        cs.candidates([one]).save(tmp_path / f"list{place}")
    reported = cs.fit(
        answers, model="dawid_skene", engine="em", candidates=tmp_path / "list0"
    )
    later = cs.predict(reported, answers, candidates=tmp_path / "list1")
    with pytest.raises(OptionError, match="given what one, two predicted"):
        evaluate(later, said)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda rows: rows.drop(columns="rank"), "no column 'rank'"),
        (lambda rows: rows.assign(rank=0), "with 1 for the best"),
        (lambda rows: rows.assign(rank=2), "3 of 3 items have no label of rank 1"),
        (lambda rows: rows.assign(item="x" + rows["item"]), "none of their items"),
        (lambda rows: pd.concat([rows, rows]), "two labels of rank 1"),
        (lambda rows: rows.assign(label=None), "a cell is empty"),
    ],
)
def test_bad_predictions_get_one_clear_sentence(change, sentence):
    rows = predicted(one=["cat", "dog", "fox"])
    with pytest.raises(DataError, match=sentence):
        evaluate(choice(THREE), change(rows))


def test_bad_settings_get_one_clear_sentence():
    rows = predicted(one=["cat", "dog", "fox"])
    with pytest.raises(OptionError, match="top 0"):
        evaluate(choice(THREE), rows, top=0)
    with pytest.raises(DataError, match="'i0' has two"):
        evaluate(choice(THREE), rows, dataset_labels=pd.concat([OLD, OLD]))


def test_what_several_objects_cost_is_the_difference_of_both_accuracies():
    study = cs.simulate(
        kind="objects", items=60, annotators=9, classes=6, per_item=5, seed=4
    )
    fit = cs.fit(study.responses, model="tsipras2020")
    own = study.responses.items.rename(columns={"dataset_label": "label"})
    other = own.assign(label=own["label"].iloc[::-1].to_numpy())
    guesses = pd.concat([own.assign(model="copy"), other.assign(model="other")])
    evaluation = cs.evaluate(fit, guesses.assign(rank=1), dataset_labels=own)
    value = evaluation.models.set_index(["metric", "subset", "model"])["value"]
    value = value.sort_index()
    costs = evaluation.costs.set_index(["metric", "model"])
    for metric in ("accuracy", "dataset_accuracy", "main_object"):
        apart = value[metric, "one_object"] - value[metric, "several_objects"]
        for model, cost in apart.items():
            assert costs.loc[(metric, model), "value"] == pytest.approx(cost)
        mean = costs.loc[(metric, "mean of the models")]
        assert mean["value"] == pytest.approx(apart.mean())
        assert mean["lower"] <= mean["value"] <= mean["upper"]
    assert costs.loc[("dataset_accuracy", "copy"), "value"] == 0
    assert costs.loc[("accuracy", "other"), "value"] != 0
