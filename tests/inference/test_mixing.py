"""Chains in several modes: found, named and weighted."""

from dataclasses import replace

import numpy as np
import pytest
from tests.studies import crossed

from consilience.annotators import load
from consilience.fitting.single import weigh_modes
from consilience.inference.augmentation import add_draws
from consilience.inference.mixing import judge
from consilience.inference.modes import described, pooled
from consilience.inference.result import Moments, Result
from consilience.model import DIFFICULTY, NODES, TYPICAL, HostModel, logarithms
from consilience.responses import read
from consilience.spaces import space_of

MODEL = load("correlated_dawid_skene")
CHAINS, DRAWS, PEOPLE, ITEMS = 6, 100, 8, 120
LABELS = ["fox", "wolf"]
NO_UNITS = np.zeros((CHAINS, DRAWS, 0)), np.zeros(0, int)


@pytest.fixture(scope="module")
def space():
    """Answers of people right three times in four; as many foxes as wolves."""
    generator = np.random.default_rng(0)
    truth = np.arange(ITEMS).repeat(PEOPLE) % 2
    wrong = generator.random(truth.size) > 0.75
    label = np.array(LABELS)[np.where(wrong, 1 - truth, truth)]
    return space_of(read(crossed(ITEMS, PEOPLE, PEOPLE).assign(label=label)))


def drawn(space, accuracy, prevalence):
    """Return a result whose chains have these accuracies and shares of foxes."""
    generator = np.random.default_rng(1)
    noise = generator.normal(0, 0.01, (CHAINS, DRAWS, PEOPLE))
    right = np.clip(np.asarray(accuracy)[:, None, None] + noise, 0.01, 0.99)
    typical = np.stack(
        [np.stack([right, 1 - right], 3), np.stack([1 - right, right], 3)], 3
    )
    fox = np.asarray(prevalence)[:, None] + generator.normal(0, 0.005, (CHAINS, DRAWS))
    parameters = {
        TYPICAL: typical,
        "confusion": typical,
        "prevalence": np.stack([fox, 1 - fox], 2),
        DIFFICULTY: np.full((CHAINS, DRAWS), 1e-3),
    }
    tables = HostModel(MODEL, space)
    moments = [Moments(*np.zeros((3, space.num_units, 2))) for _ in range(CHAINS)]
    for chain in range(CHAINS):
        for draw in range(DRAWS):
            one = {name: each[chain, draw] for name, each in parameters.items()}
            _, belief = tables.posterior(logarithms(one, tables.closed))
            belief = belief.reshape(len(belief), -1, NODES).sum(2)
            add_draws(moments[chain], belief[None])
    mixing = judge(MODEL, space, parameters, *NO_UNITS)
    none = np.zeros((space.num_units, 2))
    result = Result(parameters, none, none, none, None, {}, None)
    mixing = described(MODEL, space, parameters, mixing)
    return pooled(
        replace(result, mixing=mixing, moments=tuple(moments), sweeps=DRAWS), 0.9
    )


def test_chains_in_one_place_are_one_mode_and_enough(space):
    result = drawn(space, np.full(CHAINS, 0.75), np.full(CHAINS, 0.5))
    assert result.mixing.enough
    assert result.mixing.modes == ""
    assert result.mixing.weight.tolist() == [1.0]
    assert weigh_modes(MODEL, space, result, 0.9) is result


def test_chains_in_two_places_are_not_enough_and_told_apart_by_name(space):
    accuracy = [0.75, 0.75, 0.6, 0.75, 0.6, 0.75]
    prevalence = np.where(np.array(accuracy) > 0.7, 0.5, 0.05)
    mixing = drawn(space, accuracy, prevalence).mixing
    assert not mixing.enough
    assert mixing.rhat.max() > 1.5
    assert mixing.mode.tolist() == [0, 0, 1, 0, 1, 0]
    assert mixing.modes == (
        "prevalence[fox] is 0.50 in 4 of 6 chains and 0.05 in 2 of 6 chains"
    )


def test_modes_count_by_how_well_they_predict_and_not_by_their_chains(space):
    # One chain has found how good annotators are; five say that they swap the labels.
    accuracy = [0.3, 0.3, 0.75, 0.3, 0.3, 0.3]
    result = drawn(space, accuracy, np.where(np.array(accuracy) > 0.7, 0.5, 0.9))
    weighted = weigh_modes(MODEL, space, result, 0.9)
    share = weighted.mixing.weight[1]
    assert share > 0.6
    assert weighted.parameters["prevalence"].shape == (CHAINS, DRAWS, 2)
    fox = weighted.parameters["prevalence"][..., 0].mean()
    assert abs(fox - (0.5 * share + 0.9 * (1 - share))) < 0.01
    truth = np.arange(ITEMS) % 2
    right = weighted.belief[np.arange(ITEMS), truth]
    assert (right > 0.5).mean() > 0.85
    assert (result.belief[np.arange(ITEMS), truth] > 0.5).mean() < 0.5
    # What was measured before modes were weighted stays.
    assert weighted.mixing.rhat.max() == result.mixing.rhat.max()
