"""Intervals of what is summed over items hold as often as they say; twins do not.

The truth of a study is known here, since what its items hold is drawn from a
distribution whose mean is the statistic. In the twin every item counts four times (or
sixteen times).
Agreement, frequencies of answers and sets of labels have such checks of their own.
"""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from tests.analysis.made import (
    choice_fit,
    contains_fit,
    names_of,
    objects_responses,
    tables_fit,
)

import consilience as cs
from consilience.analysis import confusion, evaluation
from consilience.inference.result import Result
from consilience.model import DIMS
from consilience.posterior import Fit
from consilience.posterior.objects import LEADING, MAIN_LABEL, MAIN_OBJECT
from consilience.posterior.tree import tree
from consilience.spaces import space_of

ITEMS, WORLDS, TWINS = 80, 64, 40
OPTIONS = {"resamples": 200}


def hold(rows, truth):
    """Return which bounds hold what they should."""
    bounds = np.array([(row["lower"], row["upper"]) for row in rows])
    return (bounds[:, 0] <= truth) & (bounds[:, 1] >= truth)


def held(study, studies, times=1):
    return np.mean([study(seed, times) for seed in range(studies)], axis=0)


def tolerance(studies):
    return 4 * np.sqrt(0.9 * 0.1 / studies)


def predictions(number, label="a"):
    return pd.DataFrame({"item": names_of(number), "label": label, "rank": 1})


def asked(labels):
    """Return responses about as many items as the data set has labels for."""
    dataset = dict(zip(names_of(len(labels)), labels, strict=True))
    return objects_responses([(name, "x", "a", True) for name in dataset], dataset)


# Of an item: valid and several objects, valid, several, neither.
OUTCOMES = np.array([2.0, 1.5, 1.0, 1.5])
SHARE = OUTCOMES / OUTCOMES.sum()


def drawn_fit(chance, generator):
    """Return a fit of objects with worlds drawn from what each item may be."""
    number = len(chance)
    names, edge = names_of(number), np.cumsum(chance, axis=1)
    state = (generator.random((WORLDS, number, 1)) > edge).sum(2)
    a = state < 2
    several = (state == 0) | (state == 2)
    there = np.stack([a, several | ~a, several & ~a], 2).reshape(1, WORLDS, -1)
    facts = np.full(there.shape, LEADING, np.uint8)
    facts[:, :, ::3] |= np.where(a, MAIN_OBJECT | MAIN_LABEL, 0).astype(np.uint8)
    axes = ("parameter_draw", "item_draw", "cell")
    there, facts = (plane.reshape(2, WORLDS // 2, -1) for plane in (there, facts))
    worlds = {
        "hundredths": (axes, np.where(there, 100, 0).astype(np.uint8)),
        "levels": (axes, np.where(there, 100, 0).astype(np.uint8)),
        "facts": (axes, facts),
        "cell_item": ("cell", np.repeat(np.arange(number), 3)),
        "cell_label": ("cell", np.tile(np.arange(3), number)),
    }
    item = pd.Categorical(names, categories=names)
    label = pd.Categorical(["a"] * number, categories=list("abc"))
    rows = pd.DataFrame({"item": item, "label": label, "probability": np.nan})
    return tables_fit(
        {"labels": rows, "items": rows.assign(responses=1, main_label=label)},
        objects=xr.Dataset(coords={"label": np.array(list("abc"), object)}),
        joint_draws=xr.Dataset(worlds),
        constant_data=xr.Dataset({"unit_item": ("item", np.array(names, object))}),
    )


def models_and_objects(seed, times):
    generator = np.random.default_rng(seed)
    chance = np.repeat(generator.dirichlet(OUTCOMES, ITEMS), times, axis=0)
    fit = drawn_fit(chance, generator)
    dataset = np.repeat(generator.choice(["a", "b"], ITEMS), times)
    rows = predictions(len(chance))
    own = rows.assign(label=dataset)[["item", "label"]]
    judged = cs.evaluate(fit, rows, dataset_labels=own, top=1, seed=seed, **OPTIONS)
    models = judged.models.set_index(["metric", "subset"])
    valid, several = SHARE[0] + SHARE[1], SHARE[0] + SHARE[2]
    # The data set's label is a of half the items. Of two objects one is called by it:
    # a is there in the first outcome, and b in both.
    named = (SHARE[0] + several) / 2 / 2 / several
    return hold(
        [
            models.loc[("accuracy", "several_objects")],
            models.loc[("main_object", "all")],
            judged.baselines.set_index("subset").loc["several_objects"],
        ],
        [SHARE[0] / several, valid, named],
    )


def shares_of_these_items(seed, times):
    """The shares of a study are of its very items: one of what each may be is true."""
    generator = np.random.default_rng(seed)
    chance = generator.dirichlet(OUTCOMES, ITEMS)
    state = (generator.random((ITEMS, 1)) > np.cumsum(chance, axis=1)).sum(1)
    fit = drawn_fit(np.repeat(chance, times**2, axis=0), generator)
    summary = cs.analysis.study_summary(fit, asked(["a"] * (ITEMS * times**2)))
    row = summary.set_index("statistic").loc["several_objects"]
    return hold([row], [np.isin(state, [0, 2]).mean()])


# Of an item that the data set calls a: what it is.
IS = np.array([3.0, 2.0, 1.0])
A, B, _ = IS / IS.sum()


def confusions_and_differences(seed, times):
    generator = np.random.default_rng(seed)
    chance = np.repeat(generator.dirichlet(IS, ITEMS), times, axis=0)
    follows = np.repeat(generator.random(ITEMS) < 0.4, times)
    same = predictions(len(chance))  # says what the data set says
    rows = same.assign(label=np.where(follows, "a", "b"), model="m")
    rows = pd.concat([rows, same.assign(model="n")])
    own = same[["item", "label"]]
    fit = choice_fit(chance, "abc")
    judged = cs.evaluate(fit, rows, dataset_labels=own, top=1, seed=seed, **OPTIONS)
    beside = judged.confusion()
    table = beside.table().set_index(["model", "true_label", "given_label"])
    (apart,) = judged.differences.query(
        "metric == 'accuracy' and subset == 'all'"
    ).to_dict("records")
    repeated = judged.labels.iloc[0][["repeated_lower", "repeated_upper"]]
    rows = [
        table.loc[("people", "a", "b")],
        table.loc[("m", "a", "a")],
        beside.within(0).set_index(["model", "statistic"]).loc["people"].iloc[0],
        apart,
        repeated.set_axis(["lower", "upper"]),
        judged.models.query("model == 'n' and metric == 'accuracy'").iloc[0],
    ]
    return hold(rows, [B, 0.4, 1 - A, 0.4 * A + 0.6 * B - A, 0.4, A])


LABELS, VALID, BESIDE = 3, 0.4, 0.3


def numbers_of_labels(seed, times):
    generator = np.random.default_rng(seed)
    named = np.repeat(generator.random((ITEMS, LABELS)) < VALID, times, axis=0)
    item, label = np.indices(named.shape)
    shares = pd.DataFrame(
        {
            "item": pd.Categorical([f"i{k:03d}" for k in item.ravel()]),
            "label": pd.Categorical([f"l{k}" for k in label.ravel()]),
            "named": np.where(named, 0.8, 0.1).ravel(),
        }
    )
    fit = tables_fit({"labels": shares})
    table = cs.analysis.valid_labels(fit, [0.5], seed=seed, **OPTIONS)
    several = VALID**3 + 3 * VALID**2 * (1 - VALID)
    return hold(table.to_dict("records"), [LABELS * VALID, several])


def objects_together(seed, times):
    there = np.repeat(np.random.default_rng(seed).random(ITEMS) < BESIDE, times)
    names = np.array(names_of(len(there)))
    others = names[there]
    labels = ["a"] * len(names) + ["b"] * len(others)
    objects = pd.DataFrame(
        {
            "item": pd.Categorical([*names, *others]),
            "object": [0] * len(names) + [1] * len(others),
            "label": pd.Categorical(labels),
        }
    ).assign(share=1.0, probability=1.0, main_probability=1.0)
    main = pd.Categorical(["a"] * len(names))
    items = pd.DataFrame({"item": pd.Categorical(names), "label": main})
    items = items.assign(main_label=main, responses=1)
    fit = tables_fit({"items": items, "objects": objects})
    table = cs.analysis.cooccurring(fit, asked(["a"] * len(names)), min_items=1)
    return hold(table.to_dict("records"), [BESIDE])


ANSWERS = 3


def frequencies_of_predictions(seed, times):
    generator = np.random.default_rng(seed)
    share = generator.beta([4.0, 1.0], [2.0, 4.0], (ITEMS, 2))
    yes = np.repeat(generator.binomial(ANSWERS, share), times, axis=0)
    first = np.repeat(generator.random(ITEMS) < 0.7, times)
    rows = [
        (name, label, count, 0, ANSWERS - count)
        for name, both in zip(names_of(len(yes)), yes, strict=True)
        for label, count in zip("ab", both, strict=True)
    ]
    said = predictions(len(yes), np.where(first, "a", "b"))
    own = said.assign(label="a")[["item", "label"]]
    judged = cs.evaluate(
        contains_fit(rows), said, dataset_labels=own, seed=seed, **OPTIONS
    )
    table = judged.frequencies().set_index(["model", "statistic", "subset"])
    cells = [
        table.loc[("dataset", "frequency", "all")],
        table.loc[("model", "frequency", "wrong")],
        table.loc[("model", "less_dataset", "all")],
    ]
    return hold(cells, [4 / 6, 1 / 5, 0.7 * 4 / 6 + 0.3 / 5 - 4 / 6])


STATISTICS = [
    models_and_objects,
    shares_of_these_items,
    confusions_and_differences,
    numbers_of_labels,
    objects_together,
    frequencies_of_predictions,
]


@pytest.mark.parametrize("studies", [40, pytest.param(200, marks=pytest.mark.study)])
@pytest.mark.parametrize("study", STATISTICS)
def test_bounds_hold_nine_times_in_ten(study, studies):
    assert (np.abs(held(study, studies) - 0.9) < tolerance(studies)).all()


@pytest.mark.study
@pytest.mark.parametrize("study", STATISTICS)
def test_the_same_check_catches_items_that_count_four_times(study):
    assert (np.abs(held(study, TWINS, 4) - 0.9) > tolerance(TWINS)).all()


GOLD, NEW, DRAWS, FEW = 12, 400, 40, 24
PRIOR = np.array([[3.0, 1.0], [1.0, 3.0]])


def multinomial_fit(answers, drawn):
    """Return a fit of the pooled multinomial with these draws of its parameters."""
    frame = pd.DataFrame({"item": names_of(len(answers)), "label": answers})
    space = space_of(cs.read(frame, labels=["a", "b"]))
    joint = np.moveaxis(drawn[:, :, space.answer], 2, 1) / 2
    belief = (joint / joint.sum(2, keepdims=True)).mean(0)
    nothing = np.full(belief.shape, np.nan)
    parameters = {"prevalence": np.full((1, DRAWS, 2), 0.5), "confusion": drawn[None]}
    result = Result(parameters, belief, nothing, nothing, None, {}, None)
    about = {"model": "multinomial", "kind": "choice", "prob": 0.9}
    about |= {"settings": {"prior": {}}, "classifiers": [], "assumptions": []}
    dims = {**DIMS, "prevalence": ("true_class",)}
    dims["confusion"] = ("true_class", "given_class")
    return Fit(tree(space, result, dims, about))


def unknown_annotators(seed, _):
    """Judge by annotators who are known from the answers to a few gold items.

    The posterior of their confusion is then exact, a Dirichlet for each label, and is
    drawn from. It is used on many new items, so that what is unknown of the confusion
    is most of what is unknown.
    """
    generator = np.random.default_rng(seed)
    true = np.stack([generator.dirichlet(row) for row in PRIOR])
    gold = np.arange(GOLD) % 2
    counts = np.zeros((2, 2))
    np.add.at(counts, (gold, (generator.random(GOLD) > true[gold, 0]).astype(int)), 1)
    drawn = np.stack([generator.dirichlet(row, DRAWS) for row in PRIOR + counts], 1)
    truth = generator.integers(2, size=NEW)
    answers = np.where(generator.random(NEW) > true[truth, 0], "b", "a")
    fit = multinomial_fit(answers, drawn)
    said = predictions(NEW, answers)
    own = said.assign(label="a")[["item", "label"]]
    judged = cs.evaluate(fit, said, dataset_labels=own, top=1, seed=seed, **OPTIONS)
    called = judged.confusion().within(0).set_index(["model", "statistic"])
    rows = [judged.models.iloc[0], called.loc[("people", "called_otherwise")]]
    return hold(rows, [np.diag(true).mean(), 0.5])


@pytest.mark.parametrize("studies", [FEW, pytest.param(120, marks=pytest.mark.study)])
def test_bounds_hold_what_is_unknown_of_annotators_nine_times_in_ten(studies):
    share = held(unknown_annotators, studies)
    assert (np.abs(share - 0.9) < tolerance(studies)).all()


def test_the_same_check_catches_annotators_that_are_taken_for_known(monkeypatch):
    monkeypatch.setattr(evaluation, "MAX_DRAWS", 1)
    monkeypatch.setattr(confusion, "MAX_DRAWS", 1)
    share = held(unknown_annotators, FEW)
    assert (np.abs(share - 0.9) > tolerance(FEW)).all()
