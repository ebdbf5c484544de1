"""Intervals about models, and about people, hold as often as they say; twins do not.

The truth of a study is known here, since the fit's probabilities are drawn from a
distribution whose mean is the statistic. Agreement, frequencies, populations of objects
and the accuracy of models under choice have such checks with their own tests.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import consilience as cs
from consilience.posterior import Fit
from consilience.posterior.objects import (
    LEADING,
    MAIN_LABEL,
    MAIN_OBJECT,
)
from consilience.posterior.stored import with_tables

ITEMS, WORLDS = 80, 64
STUDIES = [40, pytest.param(200, marks=pytest.mark.study)]
TWINS = 40


def tolerance(studies):
    return 4 * np.sqrt(0.9 * 0.1 / studies)


# Of an item: valid and several objects, valid, several, neither.
OUTCOMES = np.array([2.0, 1.5, 1.0, 1.5])
LABELS = np.array(["a", "b", "c"], object)


def fit_of(kind, names, groups):
    root = xr.Dataset(attrs={"kind": kind, "prob": 0.9, "classifiers": "[]"})
    constant = xr.Dataset({"unit_item": ("item", names)})
    return {"/": root, "constant_data": constant, **groups}


def objects_fit(chance, generator):
    """Return a fit of objects with worlds drawn from what each item may be."""
    number = len(chance)
    names = np.array([f"i{item:04d}" for item in range(number)], object)
    edge = np.cumsum(chance, axis=1)
    state = (generator.random((WORLDS, number, 1)) > edge).sum(2)
    a = state < 2
    several = (state == 0) | (state == 2)
    there = np.stack([a, several | ~a, several & ~a], 2).reshape(1, WORLDS, -1)
    every = np.full(there.shape, LEADING, np.uint8)
    every[:, :, ::3] |= np.where(a, MAIN_OBJECT | MAIN_LABEL, 0).astype(np.uint8)
    axes = ("parameter_draw", "item_draw", "cell")
    worlds = xr.Dataset(
        {
            "hundredths": (axes, np.where(there, 100, 0).astype(np.uint8)),
            "levels": (axes, np.where(there, 100, 0).astype(np.uint8)),
            "facts": (axes, every),
            "cell_item": ("cell", np.repeat(np.arange(number), 3)),
            "cell_label": ("cell", np.tile(np.arange(3), number)),
        }
    )
    objects = xr.Dataset(coords={"label": LABELS})
    groups = fit_of("objects", names, {"objects": objects, "joint_draws": worlds})
    item = pd.Categorical(names)
    label = pd.Categorical(["a"] * number, categories=LABELS.astype(str))
    nothing = np.full(number, np.nan)
    labels = pd.DataFrame({"item": item, "label": label, "probability": nothing})
    items = pd.DataFrame({"item": item, "responses": 1, "main_label": label})
    data = with_tables(
        xr.DataTree.from_dict(groups), {"labels": labels, "items": items}
    )
    return Fit(data)


def predictions(number):
    names = [f"i{item:04d}" for item in range(number)]
    return pd.DataFrame({"item": names, "label": "a", "rank": 1})


def told_of_objects(seed, times):
    """Return value and bounds of four statistics in one study, items given times."""
    generator = np.random.default_rng(seed)
    chance = np.repeat(generator.dirichlet(OUTCOMES, ITEMS), times, axis=0)
    fit = objects_fit(chance, generator)
    rows = predictions(len(chance))
    own = np.repeat(generator.choice(["a", "b"], ITEMS), times)
    result = cs.evaluate(
        fit,
        rows,
        dataset_labels=rows.assign(label=own)[["item", "label"]],
        top=1,
        resamples=200,
        seed=seed,
    )
    models = result.models.set_index(["metric", "subset"])
    cells = [
        models.loc[("accuracy", "several_objects")],
        models.loc[("main_object", "all")],
        result.baselines.set_index("subset").loc["several_objects"],
    ]
    return [(cell["lower"], cell["upper"]) for cell in cells]


SHARE = OUTCOMES / OUTCOMES.sum()
TRUTH = np.array(
    [
        SHARE[0] / (SHARE[0] + SHARE[2]),
        SHARE[0] + SHARE[1],
        # Of two objects one is called by the data set's label: a of half the items,
        # which is there in the first outcome, and b, which is there in both.
        (SHARE[0] / 2 + (SHARE[0] + SHARE[2]) / 2) / 2 / (SHARE[0] + SHARE[2]),
    ]
)


def held(bounds_of, truth, studies, times):
    """Return how often the bounds of each statistic hold the truth."""
    bounds = np.array([bounds_of(seed, times) for seed in range(studies)])
    return ((bounds[..., 0] <= truth) & (bounds[..., 1] >= truth)).mean(0)


@pytest.mark.parametrize("studies", STUDIES)
def test_bounds_about_models_under_objects_hold_nine_times_in_ten(studies):
    share = held(told_of_objects, TRUTH, studies, 1)
    assert (np.abs(share - 0.9) < tolerance(studies)).all()


def test_the_same_check_catches_items_of_objects_that_count_four_times():
    share = held(told_of_objects, TRUTH, TWINS, 4)
    assert (np.abs(share - 0.9) > tolerance(TWINS)).any()


# Of an item that the data set calls a: what it is.
IS = np.array([3.0, 2.0, 1.0])


def told_of_confusion(seed, times):
    """Return bounds of what people call items, of a difference, and of following."""
    generator = np.random.default_rng(seed)
    chance = np.repeat(generator.dirichlet(IS, ITEMS), times, axis=0)
    names = np.array([f"i{item:04d}" for item in range(len(chance))], object)
    both = ("item", "candidate")
    nothing = np.full(chance.shape, np.nan)
    truth = {"probability": (both, chance), "lower": (both, nothing)}
    constant = xr.Dataset(
        {
            "candidate_class": ("candidate", np.arange(3)),
            "unit_item": ("item", names),
            "num_responses": ("item", np.ones(len(names), int)),
        },
        {"item": names, "true_class": LABELS},
    )
    groups = fit_of("choice", names, {"constant_data": constant})
    groups["truth"] = xr.Dataset(truth | {"upper": (both, nothing)})
    fit = Fit(xr.DataTree.from_dict(groups))
    own = predictions(len(chance))[["item", "label"]]
    follows = np.repeat(generator.random(ITEMS) < 0.4, times)
    rows = own.assign(label=np.where(follows, "a", "b"), rank=1, model="m")
    rows = pd.concat(
        [rows, own.assign(rank=1, model="n")]
    )  # says what the data set says
    judged = cs.evaluate(fit, rows, dataset_labels=own, top=1, resamples=200, seed=seed)
    beside = judged.confusion()
    table = beside.table().set_index(["who", "true_label", "given_label"])
    kept = beside.within(0).set_index(["who", "statistic"])
    cells = [
        table.loc[("people", "a", "b")],
        table.loc[("m", "a", "a")],
        kept.loc[("people", "called_otherwise")],
    ]
    row = judged.labels.iloc[0]
    followed = (row["followed_lower"], row["followed_upper"])
    apart = judged.differences.query("metric == 'accuracy' and subset == 'all'")
    cells.append(apart.iloc[0])
    return [*((cell["lower"], cell["upper"]) for cell in cells), followed]


A, B, _ = IS / IS.sum()
CALLED = np.array([B, 0.4, 1 - A, 0.4 * A + 0.6 * B - A, 0.4])


@pytest.mark.parametrize("studies", STUDIES)
def test_bounds_of_confusions_hold_nine_times_in_ten(studies):
    share = held(told_of_confusion, CALLED, studies, 1)
    assert (np.abs(share - 0.9) < tolerance(studies)).all()


def test_the_same_check_catches_confusions_whose_items_count_four_times():
    share = held(told_of_confusion, CALLED, TWINS, 4)
    assert (np.abs(share - 0.9) > tolerance(TWINS)).all()


# How people call the items of ten classes, of which each is often called by its own.
CLASSES, EACH, ANSWERS = 10, 20, 4


def told_of_people(seed):
    """Return a study's rows of confusion, bounds of them, and what people are."""
    generator = np.random.default_rng(seed)
    weight = np.where(np.eye(CLASSES), 5.0, 0.4)
    true = np.stack([generator.dirichlet(row) for row in weight])
    own = np.repeat(np.arange(CLASSES), EACH)
    # Items of a class differ, so that answers about one go together.
    share = np.stack([generator.dirichlet(4 * row) for row in true[own] + 1e-3])
    chance = generator.random((len(own), ANSWERS, 1))
    said = (chance > np.cumsum(share, axis=1)[:, None]).sum(2)
    names = [f"c{code}" for code in range(CLASSES)]
    items = np.array([f"i{item:04d}" for item in range(len(own))])
    frame = pd.DataFrame(
        {
            "item": np.repeat(items, ANSWERS),
            "annotator": np.tile([f"a{k}" for k in range(ANSWERS)], len(own)),
            "label": np.array(names)[said.ravel()],
        }
    )
    known = pd.DataFrame({"item": items, "dataset_label": np.array(names)[own]})
    responses = replace(cs.read(frame, labels=names), items=known)
    parent = [f"pair{code // 2}" for code in range(CLASSES)]
    labels = responses.labels.assign(parent=parent)
    result = cs.human_confusion(replace(responses, labels=labels))
    table = result.table(min_probability=0.0)
    cells = table.sort_values(["true_label", "given_label"])
    bounds = cells[["lower", "upper"]].to_numpy().reshape(CLASSES, CLASSES, 2)
    return true, bounds, result


@pytest.fixture(
    scope="module",
    params=[pytest.param(number, marks=pytest.mark.study) for number in (3, 12)],
)
def people(request):
    return [told_of_people(seed) for seed in range(request.param)]


def held_by_row(people, slack=1.0):
    """Return the share of cells held, by row; cells of a row depend on each other."""
    rows = []
    for true, bounds, _ in people:
        middle = bounds.mean(2, keepdims=True)
        lower, upper = np.moveaxis(middle + slack * (bounds - middle), 2, 0)
        rows.append(((lower <= true) & (true <= upper)).mean(1))
    return np.concatenate(rows)


def test_bounds_of_what_people_call_classes_hold_nine_times_in_ten(people):
    rows = held_by_row(people)
    assert abs(rows.mean() - 0.9) < 4 * rows.std() / np.sqrt(len(rows))


def test_the_same_check_catches_bounds_of_people_that_are_half_as_wide(people):
    rows = held_by_row(people, slack=0.5)
    assert abs(rows.mean() - 0.9) > 4 * rows.std() / np.sqrt(len(rows))


def of_pairs(true, confusion):
    """Return truth and bounds of how mutual pairs are taken for each other."""
    pairs = confusion.pairs(min_probability=0.0)
    a, b = (pairs[name].str[1:].astype(int) for name in ("label_a", "label_b"))
    there, back = true[a, b], true[b, a]
    return [
        (np.minimum(there, back), pairs["mutual_lower"], pairs["mutual_upper"]),
        (np.abs(there - back), pairs["one_sided_lower"], pairs["one_sided_upper"]),
    ]


def of_superclasses(true, confusion):
    """Return truth and bounds of the confusion between superclasses."""
    member = np.repeat(np.eye(CLASSES // 2), 2, axis=0)
    between = member.T @ true @ member / 2
    table = (
        confusion.superclasses().set_index(["true_label", "given_label"]).sort_index()
    )
    return [(between.ravel(), table["lower"], table["upper"])]


def held_by_study(people, bounds_of, slack=1.0):
    """Return the share of bounds held, by study; those of a study go together."""
    rows = []
    for true, _, result in people:
        held = []
        for value, lower, upper in bounds_of(true, result):
            middle, half = (lower + upper) / 2, slack * (upper - lower) / 2
            held.append((middle - half <= value) & (value <= middle + half))
        rows.append(np.concatenate(held).mean())
    return np.array(rows)


@pytest.mark.parametrize("bounds_of", [of_pairs, of_superclasses])
def test_bounds_of_pairs_and_superclasses_hold_nine_times_in_ten(people, bounds_of):
    rows = held_by_study(people, bounds_of)
    assert abs(rows.mean() - 0.9) < 4 * rows.std(ddof=1) / np.sqrt(len(rows))


@pytest.mark.parametrize("bounds_of", [of_pairs, of_superclasses])
def test_the_same_check_catches_bounds_of_pairs_that_are_half_as_wide(
    people, bounds_of
):
    rows = held_by_study(people, bounds_of, slack=0.5)
    assert abs(rows.mean() - 0.9) > 4 * rows.std(ddof=1) / np.sqrt(len(rows))
