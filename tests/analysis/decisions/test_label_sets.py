"""Label sets hold the truth as often as they say; sets that are made otherwise do not.

Coverage of one study with n gold items is a beta variable (k of n + 1); that of its
other items, counted, is a beta-binomial one. Tolerances are two standard errors.
"""

from math import ceil

import numpy as np
import pandas as pd
import pytest
from scipy.stats import betabinom
from tests.analysis.made import PAIRS, choice_fit

import consilience as cs
from consilience import demo
from consilience.analysis import conformal as module
from consilience.errors import DataError, OptionError

STUDIES, TWINS, GOLD, REST, COVERAGE = 60, 50, 20, 80, 0.9
NAMES = np.array(["ant", "bee", "cow"], object)


def fit_of(probability, **more):
    return choice_fit(probability, NAMES, **more)


def gold_of(truth, items):
    names = [f"i{item}" for item in items]
    return pd.DataFrame({"item": names, "label": NAMES[truth[items]]})


def study(generator, number, *, votes=None):
    """Return probabilities that are overconfident, and the truth of each item.

    With votes they are shares of so many answers, of which most are equal to others.
    """
    right = generator.dirichlet([0.8, 0.6, 0.4], number)
    chance = generator.random((number, 1))
    truth = (chance > np.cumsum(right, axis=1)).sum(1).clip(max=2)
    if votes is None:
        sharp = right**2
        return sharp / sharp.sum(1, keepdims=True), truth
    return generator.multinomial(votes, right) / votes, truth


def covered(sets, truth, items):
    """Return of which items the set holds the truth."""
    code = pd.Index(NAMES).get_indexer(sets["label"].astype(str))
    item = sets["item"].astype(str).str[1:].astype(int).to_numpy()
    return np.isin(items, item[code == truth[item]])


def mean_covered(studies, make, gold=GOLD, **options):
    """Return over studies how often the set of each item without gold holds its truth.

    `make` returns probabilities and truth, and the truth that gold states.
    """
    shares = []
    for seed in range(studies):
        probability, truth, stated = make(np.random.default_rng(seed))
        stated = gold_of(stated, np.arange(gold))
        sets = cs.analysis.label_sets(
            fit_of(probability), stated, prob=COVERAGE, seed=seed, **options
        )
        shares.append(covered(sets, truth, np.arange(gold, len(truth))))
    return np.mean(shares, axis=0)


def share_covered(studies, *, shuffled=False, easy=False, votes=None):
    """Return the mean coverage of the items without gold, over many studies.

    Gold may be of labels that are shuffled, or of the items that are easiest.
    """

    def make(generator):
        probability, truth = study(generator, GOLD + REST, votes=votes)
        if easy:
            order = np.argsort(-probability.max(1))
            probability, truth = probability[order], truth[order]
        stated = generator.permutation(truth) if shuffled else truth
        return probability, truth, stated

    return mean_covered(studies, make).mean()


PLACE = ceil((GOLD + 1) * COVERAGE)
EXPECTED = PLACE / (GOLD + 1)


def two_errors(studies, rest, place, gold):
    """Return two standard errors of the mean coverage of so many studies."""
    return 2 * betabinom(rest, place, gold + 1 - place).std() / rest / studies**0.5


ERRORS = two_errors(STUDIES, REST, PLACE, GOLD)
OF_TWINS = two_errors(TWINS, REST, PLACE, GOLD)


@pytest.mark.parametrize("votes", [None, 5])
def test_sets_hold_the_truth_as_often_as_they_say_with_and_without_ties(votes):
    assert abs(share_covered(STUDIES, votes=votes) - EXPECTED) < ERRORS


def test_the_same_check_catches_a_quantile_that_forgets_the_further_item(monkeypatch):
    monkeypatch.setattr(module, "conformal_place", lambda n, c: ceil(n * c))
    assert share_covered(TWINS) < COVERAGE - OF_TWINS


def test_the_same_check_catches_gold_that_is_easier_than_the_rest():
    assert share_covered(TWINS, easy=True) < COVERAGE - OF_TWINS


def test_the_same_check_catches_ties_that_are_all_taken(monkeypatch):
    def tied(probability, _):
        return np.unique(-probability, return_inverse=True)[1]

    monkeypatch.setattr(module, "_ranks", tied)
    assert share_covered(TWINS, votes=5) > EXPECTED + OF_TWINS


EACH = 12  # gold items of each label


def coverage_by_class(studies, *, by_class):
    """Return the mean coverage by true label, where one is seldom recognised."""
    weight = np.array([[8.0, 1.0, 1.0], [1.0, 8.0, 1.0], [3.0, 2.0, 1.0]])
    truth = np.tile(np.arange(3), EACH + 20)

    def make(generator):
        drawn = generator.standard_gamma(weight[truth] * 0.6) + 1e-9
        return drawn / drawn.sum(1, keepdims=True), truth, truth

    items = mean_covered(studies, make, 3 * EACH, by_class=by_class)
    return items.reshape(-1, 3).mean(0)


IN_CLASS = ceil((EACH + 1) * COVERAGE)


def test_by_class_every_label_is_covered():
    share = coverage_by_class(STUDIES, by_class=True)
    errors = two_errors(STUDIES, 20, IN_CLASS, EACH)
    assert (share > IN_CLASS / (EACH + 1) - errors).all()


def test_the_same_check_catches_sets_that_are_not_by_class():
    share = coverage_by_class(TWINS, by_class=False)
    assert share[2] < COVERAGE - two_errors(TWINS, 20, IN_CLASS, EACH)


def test_the_sets_of_a_few_items_are_those_worked_by_hand():
    top = [0.99, 0.95, 0.9, 0.8]  # of the truth, by item of gold
    rest = [[0.81, 0.1, 0.09], [0.7, 0.2, 0.1], [0.05, 0.9, 0.05]]
    probability = np.array([[p, (1 - p) / 2, (1 - p) / 2] for p in top] + rest)
    fit = fit_of(probability)
    gold = gold_of(np.zeros(4, int), np.arange(4))
    # Of four scores the fourth is exceeded by one in five: labels of .8 and more.
    sets = cs.analysis.label_sets(fit, gold, prob=0.8)
    without = sets[~sets["gold"]]
    assert without["item"].tolist() == ["i4", "i5", "i6"]
    # The second would be empty.
    assert without["label"].tolist() == ["ant", "ant", "bee"]
    assert (sets["size"] == 1).all()
    assert sets["gold"].tolist() == [True] * 4 + [False] * 3
    # Were the truth of the last but .1: labels of .1 and more, the likeliest first.
    low = np.vstack([probability[:3], [[0.1, 0.5, 0.4]], rest])
    sets = cs.analysis.label_sets(fit_of(low), gold, prob=0.8)
    without = sets[~sets["gold"] & (sets["item"] != "i5")]
    assert without["label"].tolist() == ["ant", "bee", "bee"]
    assert without["size"].tolist() == [2, 2, 1]


@pytest.mark.parametrize("allow_empty", [True, False])
def test_sets_of_labels_that_are_mostly_right_cover_as_asked_if_they_may_be_empty(
    allow_empty,
):
    def sure(generator):
        top = generator.beta(40, 1, GOLD + REST)
        probability = np.column_stack([top, 0.7 * (1 - top), 0.3 * (1 - top)])
        chance = generator.random((GOLD + REST, 1))
        truth = (chance > np.cumsum(probability, 1)).sum(1)
        return probability, truth, truth

    share = mean_covered(STUDIES, sure, allow_empty=allow_empty).mean()
    assert (abs(share - EXPECTED) <= ERRORS) == allow_empty


def test_a_truth_beside_the_candidates_is_beyond_all_of_them():
    probability = np.tile([0.6, 0.4], (30, 1))
    fit = fit_of(probability, candidate_class=(PAIRS, np.tile([0, 1], (30, 1))))
    truth = np.zeros(30, int)
    truth[:2] = 2
    sets = cs.analysis.label_sets(fit, gold_of(truth, np.arange(20)), prob=0.8)
    assert set(sets["label"]) <= {"ant", "bee"}
    with pytest.raises(DataError, match="2 of 20 gold items is not among their"):
        cs.analysis.label_sets(fit, gold_of(truth, np.arange(20)), prob=0.95)


def test_what_cannot_be_calibrated_is_refused():
    probability, truth = study(np.random.default_rng(3), 40)
    fit, gold = fit_of(probability), gold_of(truth, np.arange(20))
    with pytest.raises(OptionError, match="between 0 and 1"):
        cs.analysis.label_sets(fit, gold, prob=1.0)
    with pytest.raises(DataError, match="at least 9 items that are in the fit"):
        cs.analysis.label_sets(fit, gold[:8])
    with pytest.raises(OptionError, match="kind contains; label sets are for items"):
        cs.analysis.label_sets(fit_of(probability, kind="contains"), gold)
    with pytest.raises(DataError, match="none of its 1 items"):
        cs.analysis.label_sets(fit, gold.assign(item="elsewhere"))
    with pytest.raises(DataError, match="not among the 3 labels"):
        cs.analysis.label_sets(fit, gold.assign(label="dodo"))


def test_gold_that_the_fit_was_given_is_refused_and_other_gold_is_not():
    simulated = demo.study(0, num_photos=60)
    responses = cs.read(simulated.answers, item="photo", label="animal")
    truth = simulated.truth.set_axis(["item", "label"], axis=1)
    given, other = truth.iloc[:20], truth.iloc[20:45]
    fit = cs.fit(responses, model="dawid_skene", gold=given)
    with pytest.raises(OptionError, match="the truth of 20 of the gold items"):
        cs.analysis.label_sets(fit, truth)
    sets = cs.analysis.label_sets(fit, other)
    assert sets.loc[sets["gold"], "item"].nunique() == 25
    first = sets.drop_duplicates("item")
    assert first["item"].tolist() == fit.items()["item"].tolist()
    assert first["label"].notna().all()
