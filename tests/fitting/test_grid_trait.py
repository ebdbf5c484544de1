"""The latent trait on a grid: quadrature, parameters that return, and a twin."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from benchmarks import contains_crowds
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from consilience.fitting import grid_trait
from consilience.responses import read
from consilience.spaces import space_of

LOOKS = np.array([np.log(2.0), np.log(2.0), np.log(1.5), 0.0, -np.log(2)])
STYLE = np.array([[0.2, 0.5, -0.7], [-0.1, -0.4, -0.2]])


def space_with(rows):
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "answer"])
    return space_of(read(frame, kind="contains"))


def trait_of(annotators):
    asked = np.array([0.5, 0.5])
    return grid_trait.Trait(annotators, STYLE, asked, LOOKS, -0.5)


def chance(style, answer, s):
    slope, threshold, width = np.exp(style[0]), style[1], np.exp(style[2])
    least, yes = (expit(slope * (s - threshold + w)) for w in (width, -width))
    of = {"no": 1 - least, "maybe": least - yes, "yes": yes}[answer]
    return 0.98 * of + 0.02 / 3


@pytest.mark.parametrize("answers", [("yes", "maybe"), ("no", "no")])
def test_the_component_of_a_pair_is_that_of_scipy_quadrature(answers):
    space = space_with(
        [("i", who, "cat", say) for who, say in zip("ab", answers, strict=True)]
    )
    deviation = np.hypot(1.5, 0.5)  # no narrower than half a cell

    def mass(component):
        mean, share = ((-2.0, 2 / 3), (2.0, 1 / 3))[component]

        def density(s):
            likely = chance(STYLE[0], answers[0], s) * chance(STYLE[1], answers[1], s)
            return share * norm.pdf(s, mean, deviation) * likely

        return quad(density, -12, 12)[0]

    expected = mass(1) / (mass(0) + mass(1))
    scores = grid_trait.answer_counts(space) @ grid_trait.by_cell(
        np.log(grid_trait.answer_tables(STYLE)[0])
    )
    joint = grid_trait.looks_of(LOOKS).joint * np.exp(scores[0])
    assert joint[1].sum() / joint.sum() == pytest.approx(expected, abs=2e-4)
    # Components of equal spread: their odds are a line in the trait, so that presence
    # is the component, but for the part of the cut and of contrary pairs.
    seen = grid_trait.read(space, trait_of(space.annotators))
    assert seen.present[0] == pytest.approx(expected, abs=0.5 * seen.by_cut + 0.0075)


def simulated(informed):
    """Answers to 400 pairs by 8 annotators, with other thresholds."""
    generator = np.random.default_rng(3)
    there = generator.random(400) < 1 / 3
    trait = np.where(there, 2.5, -2.5) + generator.normal(size=400)
    thresholds = np.linspace(-1.2, 1.2, 8)
    if not informed:
        trait = generator.normal(size=(8, 400)) * 2.5
    slope, width = 1.5, 0.6
    least, yes = (
        expit(slope * (trait - thresholds[:, None] + w)) for w in (width, -width)
    )
    draw = generator.random(yes.shape)
    words = np.where(draw < yes, "yes", np.where(draw < least, "maybe", "no"))
    rows = [
        (f"i{item:03d}", f"a{who}", "cat", words[who, item])
        for item in range(400)
        for who in range(8)
    ]
    return space_with(rows), there, thresholds


def test_thresholds_and_presence_return_where_the_model_draws():
    space, there, thresholds = simulated(informed=True)
    trait = grid_trait.learn([space], len(space.n), 0.3)
    found = trait.style[:, 1]
    # The trait has a scale of its own, which its prior holds near that of the draws.
    scale, _ = np.polyfit(thresholds, found, 1)
    assert 0.7 < scale < 1.5
    assert np.abs(found / scale - thresholds).max() < 0.3
    seen = grid_trait.read(space, trait)
    assert ((seen.present > 0.5) == there).mean() > 0.95
    assert seen.by_cut < 0.1


def test_a_twin_who_do_not_look_says_little_of_presence():
    space, there, _ = simulated(informed=False)
    trait = grid_trait.learn([space], len(space.n), 0.3)
    seen = grid_trait.read(space, trait)
    assert abs(np.corrcoef(seen.present, there)[0, 1]) < 0.2


def test_all_shards_say_what_one_space_says():
    crowd = contains_crowds.KINDS["equal spreads"](0)
    space = space_of(read(crowd.frame, kind="contains"))
    whole = grid_trait.learn([space], len(space.n), 0.3)
    again = grid_trait.restored(grid_trait.stored(whole))
    np.testing.assert_array_equal(
        grid_trait.read(space, whole).present, grid_trait.read(space, again).present
    )
    # Twice the same pairs: annotators have twice the answers, components no more.
    twice = grid_trait.learn([space, space], 2 * len(space.n), 0.3)
    assert np.abs(twice.looks - whole.looks).max() < 0.3


def test_gold_labels_say_what_is_there():
    space = space_with([("i", "a", "cat", "yes"), ("k", "b", "cat", "no")])
    trait = trait_of(space.annotators)
    gold = replace(space, log_prior=np.array([[0.0, -np.inf], [-np.inf, 0.0]]))
    present = grid_trait.read(gold, trait).present
    assert present[0] < 1e-4
    assert present[1] > 1 - 1e-4
