"""Intervals hold as often as they say, and the checks of that can fail."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from consilience import read
from consilience.analysis import agreement
from consilience.analysis.ratings import assign_groups, table_of_sums, weighted_sums
from consilience.intervals import resampled_counts

PREVALENCE = np.array([0.5, 0.3, 0.2])
THETA = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7]])
STUDIES = 60


def truths():
    """Coefficients of infinitely many items, all annotators being alike."""
    said = PREVALENCE @ THETA
    agreed = PREVALENCE @ (THETA**2).sum(axis=1)
    chance = {
        "percent": 0.0,
        "fleiss": (said**2).sum(),
        "conger": (said**2).sum(),
        "cohen": (said**2).sum(),
        "krippendorff": (said**2).sum(),
        "brennan_prediger": 1 / 3,
        "gwet_ac1": (said * (1 - said)).sum() / 2,
    }
    return {name: (agreed - by) / (1 - by) for name, by in chance.items()}


BOUNDS = (("lower", "upper"), ("se_lower", "se_upper"))


def tolerance(studies):
    return 4 * np.sqrt(0.9 * 0.1 / studies)


def coverage(crowd, wanted, studies, bootstrap):
    """How often resamples, and variances, hold the truth of each coefficient."""
    held = np.zeros((len(wanted), 2))
    for seed in range(studies):
        answers = crowd(np.random.default_rng(seed))
        result = agreement(answers, resamples=bootstrap, seed=seed).coefficients
        result = result.set_index("coefficient").loc[list(wanted)]
        truth = np.array(list(wanted.values()))[:, None]
        lower, upper = (result[list(each)] for each in zip(*BOUNDS, strict=True))
        held += (lower.to_numpy() <= truth) & (truth <= upper.to_numpy())
    return held / studies


def crowd(simulated, generator, times=1):
    return simulated(
        generator,
        items=100,
        annotators=4,
        theta=THETA,
        prevalence=PREVALENCE,
        times=times,
    )


def test_nine_tenths_of_intervals_hold_the_truth(simulated):
    held = coverage(partial(crowd, simulated), truths(), STUDIES, 300)
    assert (abs(held - 0.9) < tolerance(STUDIES)).all()


def test_the_same_check_catches_items_that_are_counted_eight_times(simulated):
    eight = partial(crowd, simulated, times=8)
    held = coverage(eight, truths(), STUDIES, 200)
    assert (held < 0.9 - tolerance(STUDIES)).all()


ITEMS, LABELS, MANY = 30, 8, 100
TEMPLATE = read(
    pd.DataFrame(
        {
            "item": ["0"] * 8,
            "label": list("abcdefgh"),
            "annotator": ["a"] * 8,
            "answer": ["yes"] * 8,
        }
    ),
    kind="contains",
)


def study(generator):
    """Two annotators who agree on all labels of an easy item, on half of a hard one."""
    easy = generator.random((ITEMS, 1)) < 0.5
    one = generator.random((ITEMS, LABELS)) < 0.5
    flip = generator.random((ITEMS, LABELS)) < np.where(easy, 0.05, 0.5)
    return one, one ^ flip


def long(one, other, item):
    """Make responses without the reader, which would take most of the time."""
    codes = {
        "item": np.tile(item, 2),
        "annotator": np.repeat([0, 1], ITEMS * LABELS),
        "label": np.tile(np.arange(LABELS), 2 * ITEMS),
        "answer": 2 * np.concatenate([one.ravel(), other.ravel()]),
    }
    names = {
        "item": [f"{i:04d}" for i in range(item.max() + 1)],
        "annotator": ["a", "b"],
        "label": list(TEMPLATE.labels["label"]),
        "answer": ["no", "maybe", "yes"],
    }
    table = pd.DataFrame(
        {name: pd.Categorical.from_codes(codes[name], names[name]) for name in codes}
    )
    kind = pd.Categorical(["contains"] * len(table))
    return replace(TEMPLATE, table=table.assign(kind=kind, n=1))


@pytest.mark.parametrize(
    ("item", "right"),
    [(np.repeat(np.arange(ITEMS), LABELS), True), (np.arange(ITEMS * LABELS), False)],
)
def test_intervals_hold_where_the_labels_of_an_item_go_together_and_are_resampled_so(
    item, right
):
    truth = {"percent": 1 - (0.05 + 0.5) / 2}
    held = coverage(lambda draw: long(*study(draw), item), truth, MANY, 200)
    away = 0.9 - held
    if right:
        assert (abs(away) < tolerance(MANY)).all()
    else:  # labels that are taken for items of their own
        assert (away > tolerance(MANY)).all()


def spread_over_resamples(value, group):
    shape = (int(group.max()) + 1, 1)
    table = table_of_sums(group, np.zeros_like(group), value, shape)
    generator = np.random.default_rng(1)
    blocks = resampled_counts(len(table), 2000, 1, generator)
    return np.std(
        np.concatenate([weighted_sums(block, table)[:, 0] for block in blocks])
    )


def test_groups_of_items_vary_as_items_do():
    # Values drift along the file, as where batches differ.
    generator = np.random.default_rng(0)
    value = generator.normal(size=4000) + np.linspace(-2, 2, 4000)
    wanted = np.sqrt(((value - value.mean()) ** 2).sum())
    group = assign_groups(np.arange(4000), generator, most=400)
    assert set(np.bincount(group)) == {10}
    # The error of a variance from 400 groups, and from 2000 resamples, halved.
    tolerance = 4 * (np.sqrt(2 / 400) + np.sqrt(2 / 2000)) / 2
    assert abs(spread_over_resamples(value, group) / wanted - 1) < tolerance


def test_the_same_check_catches_groups_in_the_order_of_the_file():
    generator = np.random.default_rng(0)
    value = generator.normal(size=4000) + np.linspace(-2, 2, 4000)
    wanted = np.sqrt(((value - value.mean()) ** 2).sum())
    tolerance = 4 * (np.sqrt(2 / 400) + np.sqrt(2 / 2000)) / 2
    spread = spread_over_resamples(value, np.arange(4000) // 10)
    assert spread / wanted - 1 > tolerance
