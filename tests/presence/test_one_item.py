"""Contains: labels of one item, written out over all that may be there."""

import itertools
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from numpyro.handlers import seed, substitute, trace
from scipy import stats
from scipy.special import expit
from tests.studies import WORDS

from consilience.annotators.contains import MODEL
from consilience.model import belief, lay_out, marginal, sample_answers
from consilience.model import score as scored
from consilience.responses import read
from consilience.spaces import space_of

# Two tasks of one item: three similar labels, of which two were shown together, and a
# label that is like none.
SAID = {
    "husky": {"ann": "yes", "bob": "maybe"},
    "malamute": {"ann": "no", "bob": "yes"},
    "sledge": {"cid": "no", "dee": "maybe"},
    "wolf": {"cid": "yes", "dee": "no"},
}
ALIKE = {"husky", "malamute", "wolf"}
TASKS = {"husky": {"malamute"}, "malamute": {"husky"}, "wolf": set(), "sledge": set()}
SIMILAR = pd.DataFrame(
    [("husky", "malamute", 0.3), ("malamute", "wolf", 0.1), ("husky", "sledge", 0.0)],
    columns=["label", "other_label", "value"],
)
SHARED = {
    "item_scale": 0.9,
    "item_ratio": -0.5,
    "context_effect": 1.1,
    "context_effect_not_shown": 0.8,
}
MEANS = [-3.0, 1.0]
MIXTURE = {"distance": [3.0, 1.0], "scale": 1.5, "scale_ratio": 0.0, "share": -0.6}
CUT, SHARPNESS = 0.3, 1.2
THRESHOLD = np.linspace(-0.5, 0.5, 4)
GRID = np.linspace(-12, 12, 241)
WIDTH = np.hypot(MIXTURE["scale"], 0.05)  # no narrower than half a cell of nodes
EFFECT = np.linspace(-3, 3, 9)


def written_out(gold, shared):
    """Log-likelihood of the item, and P(present) of its labels."""
    low = expit(GRID - THRESHOLD[:, None] + 1)
    high = expit(GRID - THRESHOLD[:, None] - 1)
    lapse = expit(-np.log(50.0))
    chance = (1 - lapse) * np.stack([1 - low, low - high, high]) + lapse / 3
    people = ["ann", "bob", "cid", "dee"]
    answers = {
        label: np.prod(
            [
                chance[WORDS.index(word), people.index(who)]
                for who, word in said.items()
            ],
            axis=0,
        )
        for label, said in SAID.items()
    }

    slope = 4 / WIDTH**2
    boundary = -1 - MIXTURE["share"] / slope + CUT

    def present(away):
        steep = slope * (SHARPNESS if gold else 1)
        contrary = 0.003 if gold else 0.0075
        step = expit(steep * (GRID - away - boundary))
        return contrary + (1 - 2 * contrary) * step

    def of_label(label, here, effect):
        there = label in here
        led = apart = 0.0
        if not there and label in ALIKE and here & (ALIKE - {label}):
            led = shared["context_effect"]
            apart = 0.0 if here & TASKS[label] else shared["context_effect_not_shown"]
        which = int(there)
        ratio = np.array([-0.5, 0.5]) * shared["item_ratio"]
        of_item = shared["item_scale"] * np.exp(ratio)
        mean = MEANS[which] + of_item[which] * effect
        away = (GRID - mean - led - apart) / WIDTH
        density = np.exp(-0.5 * away**2)
        share = expit(MIXTURE["share"] if there else -MIXTURE["share"])
        whole = share * density / density.sum() * answers[label]
        # What all labels of the item share, and a similar label adds, is no presence.
        owed = led + apart + min(of_item) * effect
        granted = whole @ present(owed)
        kept = {None: whole.sum(), True: granted, False: whole.sum() - granted}
        known = gold.get(label)
        return kept[known], granted * (known is not False)

    total, held = 0.0, np.zeros(len(SAID))
    weights = stats.norm.pdf(EFFECT) / stats.norm.pdf(EFFECT).sum()
    for effect, weight in zip(EFFECT, weights, strict=True):
        for there in itertools.product([False, True], repeat=len(SAID)):
            here = {label for label, yes in zip(SAID, there, strict=True) if yes}
            each = np.array([of_label(label, here, effect) for label in SAID])
            answered = weight * each[:, 0].prod()
            total += answered
            held += answered * each[:, 1] / each[:, 0]
    return np.log(total), held / total


FINE = replace(MODEL, prior=replace(MODEL.prior, nodes=241))


@jax.jit
def by_components(observations, values):
    """Log-likelihood and P(present) by the components alone, without the cut."""
    ran = substitute(seed(sample_answers, 0), data=values)(FINE, observations)
    alone = ran.answers.parameters | {"informative": jnp.zeros(1)}
    answers = replace(ran.answers, parameters=alone)
    result = scored(ran._replace(answers=answers), observations)
    truth = belief(result).reshape(len(result), 2, -1).sum(2)
    return marginal(result).sum(), truth[:, 1]


def as_the_model_has_it(gold):
    rows = [
        ("one", who, label, word)
        for label, said in SAID.items()
        for who, word in said.items()
    ]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "answer"])
    right = pd.DataFrame(
        [("one", label, "yes" if yes else "no") for label, yes in gold.items()],
        columns=["item", "label", "answer"],
    )
    space = space_of(
        read(frame, kind="contains"), alike=SIMILAR, gold=right if gold else None
    )
    with jax.enable_x64(True):
        observations = lay_out(FINE, space)

        def sampled(observations):
            sites = trace(seed(sample_answers, 0)).get_trace(FINE, observations)
            return {
                name: site["value"]
                for name, site in sites.items()
                if site["type"] == "sample"
            }

        values = {
            name: jnp.full(value.shape, float(name.endswith("_spread")))
            for name, value in jax.eval_shape(sampled, observations).items()
        }
        known = {**MIXTURE, **SHARED, "cut": CUT, "sharpness": SHARPNESS}
        known["threshold"] = THRESHOLD
        values |= {name: jnp.asarray(value) for name, value in known.items()}
        value, truth = by_components(observations, values)
        return float(value), np.asarray(truth)


@pytest.fixture(scope="module")
def without_gold():
    return as_the_model_has_it({})


def test_labels_of_an_item_are_summed_as_if_written_out(without_gold):
    gold = {"wolf": True, "husky": False}
    for known, each in ({}, without_gold), (gold, as_the_model_has_it(gold)):
        value, truth = each
        expected, present = written_out(known, SHARED)
        assert value == pytest.approx(expected, abs=1e-8)
        assert truth == pytest.approx(present, abs=1e-8)


@pytest.mark.parametrize("left_out", SHARED)
def test_the_same_check_catches_what_is_left_out(without_gold, left_out):
    value, truth = without_gold
    expected, present = written_out({}, SHARED | {left_out: 0.0})
    assert abs(value - expected) > 1e-3
    assert np.abs(truth - present).max() > 1e-3
