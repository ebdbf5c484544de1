"""Models judged by fits: worked by hand, by enumeration, and against the truth."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from tests.analysis.made import as_labels, choice_fit, names_of, predicted, values

import consilience as cs
from consilience.analysis.evaluation import evaluate
from consilience.analysis.proposals import Truths
from consilience.classifiers.predictions import from_table
from consilience.errors import DataError, OptionError
from consilience.fitting.inputs import classifiers_of

THREE = [[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.0, 0.0, 1.0]]
THREE_LABELS = ["cat", "dog", "fox"]
OLD = as_labels({"i0": "cat", "i1": "fox", "i2": "dog"})


def choice(probability=THREE, labels=("cat", "dog", "fox"), **more):
    return choice_fit(probability, labels, **more)


def of_items(**models):
    """Return predictions for items i0, i1, ..., the best of each first."""
    return predicted(
        **{
            model: dict(zip(names_of(len(labels)), labels, strict=True))
            for model, labels in models.items()
        }
    )


def test_accuracies_under_a_posterior_are_those_worked_by_hand():
    said = of_items(one=["cat dog", "dog fox", "cat dog"])
    result = values(evaluate(choice(), said, dataset_labels=OLD, top=2), "one")
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
    assert np.isnan(truths.validity(np.array([[0, 1]]))[0, 0, 1])  # not asked about


def test_any_of_several_labels_is_counted_once():
    truths = several_truths("ab", np.arange(2), [0.5, 0.4], 1)
    assert truths.any_of(np.array([[[0, 1]]]))[0, 0, 0] == pytest.approx(0.7)
    same = of_items(one=["cat cat", "dog dog", "fox fox"])
    result = values(evaluate(choice(), same, top=2), "one")
    assert result["top_2", "all"] == result["accuracy", "all"]


def test_models_are_compared_on_the_same_items_so_that_luck_is_shared():
    generator = np.random.default_rng(0)
    hard = generator.random(300) < 0.5
    sure = np.where(hard, 0.5, 0.95)
    fit = choice(np.stack([sure, 1 - sure], 1), ("cat", "dog"))
    one = np.full(300, "cat")
    two = np.where(np.arange(300) < 12, "dog", "cat")
    result = evaluate(fit, of_items(one=one, two=two), top=1)
    table = result.models.set_index("model")
    assert table["lower"]["one"] < table["upper"]["two"]  # apart from each other
    row = result.differences.iloc[0]
    gained = (2 * sure[:12] - 1).sum() / 300
    assert row["difference"] == pytest.approx(gained)
    assert row["lower"] > 0
    assert row["p_greater"] > 0.99
    same = evaluate(fit, of_items(one=one, two=one), top=1).differences.iloc[0]
    assert (same["difference"], same["p_greater"]) == (0, 0.5)


def test_a_fit_that_was_told_of_a_model_does_not_judge_it_unasked():
    fit = choice(covariates=("one",))
    with pytest.raises(OptionError, match="was given what one predicted"):
        evaluate(fit, of_items(one=THREE_LABELS))
    assert len(evaluate(fit, of_items(one=THREE_LABELS), allow_circular=True).models)
    assert len(evaluate(fit, of_items(two=THREE_LABELS)).models)


def test_candidates_say_whose_predictions_they_hold(tmp_path):
    said = of_items(one=THREE_LABELS, two=["dog", "dog", "cat"])
    lists = [
        from_table(said[said["model"] == name], name, name) for name in ("one", "two")
    ]
    cs.images.candidates(lists).save(tmp_path / "lists")
    assert classifiers_of(tmp_path / "lists") == ["one", "two"]
    assert classifiers_of(tmp_path / "lists" / "candidates.parquet") == []
    answers = said[["item"]].assign(annotator=list("aaabbb"), label=THREE_LABELS * 2)
    fit = cs.fit(answers, model="majority", candidates=tmp_path / "lists")
    with pytest.raises(OptionError, match="given what two predicted"):
        evaluate(fit, said[said["model"] == "two"])
    plain = cs.fit(answers, model="dawid_skene", engine="em")
    assert len(evaluate(plain, said).models)
    for place, one in enumerate(lists):
        cs.images.candidates([one]).save(tmp_path / f"list{place}")
    em = {"model": "dawid_skene", "engine": "em"}
    reported = cs.fit(answers, **em, candidates=tmp_path / "list0")
    later = cs.predict(reported, answers, candidates=tmp_path / "list1")
    with pytest.raises(OptionError, match="given what one, two predicted"):
        evaluate(later, said)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda rows: pd.concat([rows, rows]).drop(columns="rank"), "column 'rank'"),
        (lambda rows: rows.assign(rank=2), "3 of 3 items have no label of rank 1"),
        (lambda rows: rows.assign(item="x" + rows["item"]), "none of their items"),
    ],
)
def test_bad_predictions_get_one_clear_sentence(change, sentence):
    rows = of_items(one=THREE_LABELS)
    with pytest.raises(DataError, match=sentence):
        evaluate(choice(), change(rows))


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
