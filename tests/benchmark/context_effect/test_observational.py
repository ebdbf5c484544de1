"""The leading question: a known effect found again, its errors, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from benchmarks.context_effect.likelihood import (
    Risk,
    Scale,
    Shifts,
    log_likelihood,
)
from benchmarks.context_effect.observational import (
    leading_question,
    share_shown,
    shown,
)
from scipy.special import expit

from consilience.annotators.contains import MODEL
from consilience.inference.result import Result
from consilience.posterior import Fit
from consilience.posterior.stored_fit.tree import tree
from consilience.responses import read
from consilience.spaces import space_of
from consilience.truth.arrays.incidence import incidence

WORDS = ("no", "maybe", "yes")
LABELS = [f"{kind}{which}" for kind in "abc" for which in "12"]
ALIKE = pd.DataFrame({"label_a": ["a1", "b1", "c1"], "label_b": ["a2", "b2", "c2"]})
WRONG = ALIKE.assign(label_b=["b2", "c2", "a2"])
PEOPLE, THERE, APART = 16, 0.8, 0.7


def people(generator):
    """Thresholds, widths and discriminations, standardised as the model has them."""
    return {
        "threshold": generator.normal(size=PEOPLE),
        "annotator_width": 0.7 * generator.normal(size=PEOPLE),
        "annotator_discrimination": generator.normal(size=PEOPLE),
    }


def study(seed, items=250, there=THERE, apart=APART):
    """Items of three twos of similar labels; a task shows some of an item's labels.

    In half of the items both of a two are in one task, in the others they are apart.
    """
    generator = np.random.default_rng(seed)
    who = people(generator)
    slope = np.exp(0.4 * who["annotator_discrimination"])
    width = np.exp(-0.5 + 0.7 * who["annotator_width"])
    rows = []
    for item in range(items):
        present = generator.random((3, 2)) < 0.3
        seen = np.where(
            present,
            1 + 1.2 * generator.normal(size=(3, 2)),
            -3 + 1.5 * generator.normal(size=(3, 2)),
        )
        task = np.zeros((3, 2), int)
        if item % 2:
            task[:, 0] = generator.random(3) < 0.5
            task[:, 1] = 1 - task[:, 0]
        else:
            task[generator.integers(3)] = 1
        raters = generator.permutation(PEOPLE)[:8].reshape(2, 4)
        rival = present[:, ::-1] & ~present
        shift = rival * (there + apart * (task != task[:, ::-1]))
        for place in range(6):
            at = divmod(place, 2)
            j = raters[task[at]]
            away = slope[j] * (seen[at] - who["threshold"][j])
            low = expit(away + slope[j] * width[j] + shift[at])
            high = expit(away - slope[j] * width[j] + shift[at])
            luck = generator.random(4)
            said = (luck < low).astype(int) + (luck < high)
            rows += [
                (f"i{item:03d}", f"p{each:02d}", LABELS[place], WORDS[answer])
                for each, answer in zip(j, said, strict=True)
            ]
    return rows, who


def responses(rows, labels=None):
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "answer"])
    return read(frame, kind="contains", labels=labels)


def fitted(rows, who, model="contains"):
    """A fit that knows the annotators: what is tested is what comes after."""
    space = space_of(responses(rows))
    names = [int(name[1:]) for name in space.annotators]
    values = {
        **{name: value[names] for name, value in who.items()},
        "mean": np.array([-3.0, 1.0]),
        "scale": np.array(1.35),
        "share": np.log(0.3 / 0.7),
        "item_scale": np.full(2, 1e-3),
        "width": -0.5,
        "lapse": np.full(len(names), -6.0),
        "confusion": np.full((len(names), 2, 3), 1 / 3),
    }
    believed = np.full((space.num_units, 2), 0.5)
    draws = {name: np.asarray(each)[None, None] for name, each in values.items()}
    result = Result(
        parameters=draws,
        belief=believed,
        lower=believed,
        upper=believed,
        log_likelihood=None,
        sample_stats={},
        optimization=None,
    )
    about = {"model": model, "kind": "contains", "prob": 0.9, "assumptions": []}
    return Fit(tree(space, result, MODEL.dims, about))


TRUTH = np.array([THERE, APART])


@pytest.fixture(
    scope="module",
    params=[pytest.param(number, marks=pytest.mark.study) for number in (8, 48)],
)
def estimate(request):
    """Log odds ratios and their bounds, of many studies."""
    tables = [
        leading_question(fitted(*study(seed)), ALIKE) for seed in range(request.param)
    ]
    return np.log(
        [table[["odds_ratio", "lower", "upper"]].to_numpy() for table in tables]
    )


def away(estimate, truth):
    """How far the mean estimate is from the truth, in its standard errors."""
    estimate = estimate[:, :, 0]
    error = estimate.std(0, ddof=1) / np.sqrt(len(estimate))
    return np.abs(estimate.mean(0) - truth) / error


def test_a_known_effect_is_found_again(estimate):
    assert (away(estimate, TRUTH) < 4).all()


def test_the_same_check_catches_another_effect(estimate):
    assert (away(estimate, 0 * TRUTH) > 4).all()
    assert (away(estimate, 1.5 * TRUTH) > 4).all()


def held(estimate, truth):
    return ((estimate[:, :, 1] <= truth) & (truth <= estimate[:, :, 2])).mean()


def test_nine_tenths_intervals_hold_it_nine_times_in_ten(estimate):
    assert abs(held(estimate, TRUTH) - 0.9) < 4 * np.sqrt(0.09 / (2 * len(estimate)))


def test_the_same_check_catches_intervals_that_are_too_narrow(estimate):
    middle = estimate[:, :, :1]
    narrow = middle + (estimate - middle) / 4
    assert abs(held(narrow, TRUTH) - 0.9) > 4 * np.sqrt(0.09 / (2 * len(estimate)))


@pytest.mark.study
def test_labels_that_are_not_alike_show_nothing():
    tables = [leading_question(fitted(*study(seed)), WRONG) for seed in range(4)]
    odds = np.array([table["odds_ratio"] for table in tables])
    assert np.abs(np.log(odds).mean(0)).max() < np.log(1.5)


def chances(low, high, lapse, answer):
    looked = [1 - expit(low), expit(low) - expit(high), expit(high)][answer]
    return lapse / 3 + (1 - lapse) * looked


def test_the_likelihood_is_the_sum_over_states_and_appearances():
    generator = np.random.default_rng(0)
    low = generator.normal(size=(2, 1, 5))
    high = low - 1
    lapse = np.array([0.1, 0.2])
    humps = np.log(generator.dirichlet(np.ones(5), size=(2, 1)))
    owner, side, answer = [0, 1, 0, 1], [0, 0, 1, 1], [2, 1, 0, 2]
    without, with_rival = generator.normal(size=(2, 4))
    odds, both = np.array([[-1.0, 0.5]]), np.array([-0.7])

    def seen(which, there, rival):
        total = 0.0
        for node in range(5):
            product = np.exp(humps[int(there), 0, node])
            for at in np.flatnonzero(np.array(side) == which):
                shift = 0.0 if there else (without, with_rival)[int(rival)][at]
                j = owner[at]
                cuts = (low[j, 0, node] + shift, high[j, 0, node] + shift)
                product *= chances(*cuts, lapse[j], answer[at])
            total += product
        return total

    states = [(one, other) for one in (False, True) for other in (False, True)]
    prior = np.array(
        [np.exp(one * -1.0 + other * 0.5 - 0.7 * one * other) for one, other in states]
    )
    joint = prior / prior.sum()
    joint *= [seen(0, one, other) * seen(1, other, one) for one, other in states]
    with jax.enable_x64(True):
        risk = Risk(
            of_side=incidence(
                np.array(side, np.int32), np.arange(4, dtype=np.int32), None, (2, 4)
            ),
            annotator=jnp.array(owner),
            group=jnp.zeros(4, int),
            answer=jnp.array(answer),
            side_group=jnp.zeros((1, 2), int),
            odds=jnp.asarray(odds) - 0.2,
            weight=jnp.ones(1),
        )
        parts = map(jnp.asarray, (low, high, lapse, humps[0], humps[1]))
        value, led = log_likelihood(
            Scale(*parts),
            risk,
            Shifts(
                jnp.asarray(without),
                jnp.asarray(with_rival),
                jnp.full((1, 2), 0.2),
                jnp.asarray(both),
            ),
        )
    assert float(value) == pytest.approx(np.log(joint.sum()))
    away = [joint[states.index(state)] for state in ((False, True), (True, False))]
    assert np.allclose(led, np.array([away]) / joint.sum())


DESIGN = [
    ("i", "p", "a1", "no"),
    ("i", "p", "a2", "no"),
    ("i", "q", "a1", "no"),
    ("i", "q", "b1", "no"),
    ("j", "p", "a1", "no"),
    ("j", "p", "b1", "no"),
]


def test_who_was_shown_what_is_read_off_the_design():
    space = space_of(responses(DESIGN))
    of_a2 = np.flatnonzero(space.unit_label == "a2")
    assert shown(space, np.repeat(of_a2, 2), np.array([0, 1])).tolist() == [True, False]
    share = share_shown(space)
    item = space.unit_item[space.unit]
    assert np.allclose(share[item == "i"], 2 / 3)
    assert np.allclose(share[item == "j"], 1.0)


def test_nothing_is_told_of_a_rival_that_everyone_was_shown():
    rows, who = study(0, items=30)
    together = [row for row in rows if int(row[0][1:]) % 2 == 0]
    there, apart = leading_question(fitted(together, who), ALIKE).to_dict("records")
    assert np.isfinite(there["odds_ratio"])
    assert np.isnan(apart["odds_ratio"])
    assert apart["answers"] == 0
