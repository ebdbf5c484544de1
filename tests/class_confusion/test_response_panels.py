"""Panels of more annotators: an urn with a known law, and shares that are recovered."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import comb
from scipy.stats import betabinom, binom, dirichlet_multinomial

import consilience as cs
from consilience.analysis.class_confusion import (
    _draw_votes,
    _response_rows,
    _winner,
    human_confusion,
)
from consilience.class_confusion.confusion_posterior import ConfusionPosterior
from consilience.class_confusion.dataset_label import (
    LabelCounts,
    log_probabilities,
    possible_lapses,
)
from consilience.errors import OptionError

MANY, ITEMS, CLASSES = 9, 600, 12


def answered(own, item, label, number):
    ones = np.ones(len(item))
    return LabelCounts(own, item, label, ones, 0 * ones, None, number)


def test_answers_to_come_are_beta_binomial_and_dirichlet_multinomial():
    # Every item has one answer, of its own label 0; the naming of the class is known.
    items = 20_000
    theta = np.array([0.5, 0.3, 0.2])
    namings = answered(np.zeros(items, int), np.arange(items), np.zeros(items, int), 3)
    sure = np.full((3, 3), 1e-9)
    sure[0] = theta * 1e9
    np.fill_diagonal(sure, 0.0)
    # Of those who do not lapse.
    own, otherwise = np.full(3, 0.5e9 / 0.9), np.full(3, 0.4e9 / 0.9)
    naming = ConfusionPosterior(
        own, otherwise, sure, {}, odds=1.0, against=1.0, classes=1.0, spread=2.0,
        beside=1.5, lapse=0.1, aside=0.0,
    )  # fmt: skip
    votes = _draw_votes(
        naming, namings, _response_rows(namings), 4, np.random.default_rng(0)
    )
    assert (votes[:, 0] == 0).all()
    code = (votes[:, 1:, None] == np.arange(3)).sum(1) @ [16, 4, 1]
    mean = 0.5 / 0.9
    kept = betabinom(np.arange(4), 2 * mean + 1, 2 * (1 - mean))  # of those heeded
    for counts in ([3, 0, 0], [1, 1, 1], [0, 2, 1], [0, 0, 3]):
        own = sum(
            binom.pmf(heeded, 3, 0.9) * kept.pmf(counts[0])[heeded]
            for heeded in range(4)
        )
        alpha, rest = 1.5 * theta[1:] / 0.5, counts[1:]
        chance = own
        if sum(rest):
            chance *= dirichlet_multinomial.pmf(rest, alpha, sum(rest))
        lower, upper = binom.interval(0.999, items, chance)
        assert lower <= (code == np.dot(counts, [16, 4, 1])).sum() <= upper, counts


def of_rows(number, lapse, *, ways=True):
    """Return P(as many answers give the own label) of 0 to all; lapses summed out."""
    own = np.arange(number + 1)
    rows = possible_lapses(own, number - own)
    if not ways:
        rows = rows._replace(ways=0 * rows.ways)
    logs = log_probabilities(rows, np.full((1, 1), 0.6), 3.0, lapse)
    each = np.exp(np.asarray(logs, float)).ravel()
    return comb(number, own) * np.bincount(rows.which, each)


def test_lapses_are_summed_out():
    chance = of_rows(5, 0.2)
    assert chance.sum() == pytest.approx(1, abs=1e-5)
    assert chance @ np.arange(6) == pytest.approx(5 * 0.8 * 0.6, abs=1e-4)
    without = betabinom(5, 1.8, 1.2).pmf(range(6))
    assert of_rows(5, 0.0) == pytest.approx(without, abs=1e-5)


def test_lapses_that_are_not_told_apart_would_not_sum_to_one():
    assert of_rows(5, 0.2, ways=False).sum() < 0.95


def drawn(seed, spread=2.0):
    """Draw nine answers about each item, whose classes differ in how clear they are."""
    generator = np.random.default_rng(seed)
    own = np.arange(ITEMS) % CLASSES
    other = generator.dirichlet(np.full(CLASSES, 0.3), CLASSES)
    clear = generator.beta(6, 4, CLASSES)[:, None]
    naming = clear * np.eye(CLASSES) + (1 - clear) * other
    share = np.stack(
        [generator.dirichlet(spread * naming[each] + 1e-9) for each in own]
    )
    ladder = np.cumsum(share, axis=1)
    steps = generator.random((ITEMS, MANY, 1))
    votes = np.minimum((steps > ladder[:, None]).sum(2), CLASSES - 1)
    return own, votes


def responses_of(own, votes):
    rows = pd.DataFrame(
        {
            "item": np.repeat([f"i{item}" for item in range(ITEMS)], votes.shape[1]),
            "label": [f"c{label}" for label in votes.ravel()],
        }
    )
    items = pd.DataFrame(
        {"item": rows["item"].unique(), "dataset_label": [f"c{each}" for each in own]}
    )
    labels = [f"c{each}" for each in range(CLASSES)]
    responses = cs.read(rows, kind="choice", labels=labels)
    return replace(responses, items=items)


def face_value(own, votes):
    every = np.full(ITEMS, votes.shape[1])
    return (_winner(votes, every, votes.shape[1]) != own).mean()


@pytest.fixture(scope="module", params=[1, pytest.param(6, marks=pytest.mark.study)])
def studies(request):
    results = []
    for seed in range(request.param):
        own, votes = drawn(seed)
        few = human_confusion(responses_of(own, votes[:, :3]))
        panels = few.panels([MANY], draws=100, seed=seed)
        results.append((own, votes, few, panels))
    return results


@pytest.mark.study
def test_three_answers_foretell_what_nine_annotators_call_the_items(studies):
    truth = [face_value(own, votes) for own, votes, *_ in studies]
    inside = [
        reported["lower"].item() <= share <= reported["upper"].item()
        for share, (*_, reported) in zip(truth, studies, strict=True)
    ]
    # Intervals of 90 %: three of six or fewer would hold once in sixty times.
    assert binom.cdf(sum(inside), len(inside), 0.9) > 0.02


@pytest.mark.study
def test_three_answers_at_face_value_say_too_much(studies):
    truth = np.array([face_value(own, votes) for own, votes, *_ in studies])
    plain = np.array([face_value(own, votes[:, :3]) for own, votes, *_ in studies])
    reported = np.array([result["share"].item() for *_, result in studies])
    assert (plain > truth).all()  # by chance alone, six of six once in sixty
    assert abs((reported - truth).mean()) < (plain - truth).mean() / 2


def test_a_panel_of_those_who_answered_is_certain(studies):
    # Whatever was learned of how classes are called, here from three of the answers.
    own, votes, few, _ = studies[0]
    table = np.zeros((ITEMS, CLASSES))
    np.add.at(table, (np.arange(ITEMS)[:, None], votes), 1)
    item, label = np.nonzero(table)
    given = table[item, label]
    every = LabelCounts(own, item, label, given, 0 * given, None, CLASSES)
    posterior = replace(few.posterior, label_counts=every)
    confusion = replace(few, posterior=posterior)
    result = confusion.panels([MANY], draws=3)
    expected = face_value(own, votes)
    # Answers are counted, so the order of a tie is not that of the answers.
    ties = np.mean(
        [np.ptp(np.sort(np.bincount(row, minlength=2))[-2:]) == 0 for row in votes]
    )
    assert abs(result["share"].item() - expected) <= ties
    assert result["lower"].item() == result["upper"].item()
    with pytest.raises(OptionError, match="one annotator or more"):
        confusion.panels([])
