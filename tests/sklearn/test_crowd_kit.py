"""What estimators learn means what it means in crowd-kit 1.4.2.

The constants are what crowd-kit prints of the same fifteen tasks:

    from crowdkit.aggregation import MACE, OneCoinDawidSkene
    one = OneCoinDawidSkene(n_iter=150, tol=-1.0).fit(data)
    print(one.probas_, one.skills_, one.priors_, one.errors_.loc["p"])
    mace = MACE(n_restarts=1, n_iter=500).fit(data)
    print(mace.probas_, mace.spamming_, mace.thetas_)

Workers and labels first appear in sorted order, because crowd-kit's MACE sorts some of
its tables and not others: in another order its habits belong to the wrong labels.
"""

import numpy as np
import pandas as pd
import pytest
from scipy.special import digamma

import consilience as cs

DIGITS = 1e-3  # what a thousandth of a count, and of a label's share, may move
EVEN = {"prevalence": 1e5}  # to crowd-kit's MACE labels are all as frequent

ONE_COIN = [
    [0.971174, 0.024532, 0.004293],
    [0.999033, 0.000406, 0.00056],
    [0.011534, 0.985501, 0.002965],
    [0.238693, 0.749541, 0.011765],
    [0.000325, 0.000862, 0.998813],
    [0.001936, 0.031717, 0.966346],
    [0.000164, 0.00022, 0.999616],
    [0.001274, 0.013458, 0.985268],
    [0.597492, 0.078518, 0.32399],
    [0.000447, 0.997915, 0.001638],
    [0.000226, 0.999356, 0.000418],
    [0.699815, 0.021159, 0.279025],
    [0.00065, 0.003467, 0.995883],
    [0.007283, 0.004063, 0.988653],
    [0.04958, 0.889721, 0.060699],
]
SKILLS = {"p": 0.704208, "q": 0.665442, "r": 0.782435, "s": 0.8593, "t": 0.49759}
PRIORS = {"a": 0.238642, "b": 0.320029, "c": 0.441329}
WRONG = 0.147896  # p's chance of each wrong answer

KNOWING = [
    [0.984968, 0.013085, 0.001947],
    [0.999592, 0.000204, 0.000204],
    [0.014154, 0.983771, 0.002075],
    [0.289162, 0.704564, 0.006274],
    [0.000437, 0.000768, 0.998795],
    [0.003409, 0.048417, 0.948174],
    [0.000224, 0.000224, 0.999551],
    [0.001891, 0.012708, 0.985402],
    [0.787865, 0.055378, 0.156757],
    [0.000469, 0.998618, 0.000913],
    [0.000267, 0.999467, 0.000267],
    [0.83161, 0.013748, 0.154642],
    [0.00098, 0.003744, 0.995276],
    [0.009263, 0.003427, 0.98731],
    [0.063871, 0.893894, 0.042235],
]
# exp(E log p), whose rows sum to less than one.
SPAMMING = [
    [0.437952, 0.530343],
    [0.473969, 0.494321],
    [0.319169, 0.649213],
    [0.17308, 0.795699],
    [0.744855, 0.22372],
]
THETAS = [
    [0.322471, 0.305312, 0.344919],
    [0.295458, 0.369667, 0.307988],
    [0.349397, 0.294513, 0.327345],
    [0.314933, 0.348186, 0.30613],
    [0.263552, 0.395721, 0.316573],
]


@pytest.fixture(scope="module")
def one_coin(fifteen):
    # crowd-kit's has no priors: next to nothing is imagined, and no prior is learned.
    none = {"right": 1e-4, "wrong": 1e-4, "prevalence": 1e-4, "held": 1e6}
    return cs.sklearn.OneCoinDawidSkene(2000, 1e-10, engine="em", prior=none).fit(
        fifteen
    )


@pytest.fixture(scope="module")
def maces_optimum(fifteen):
    # At the optimum, as crowd-kit's: without draws.
    return cs.fit(
        fifteen.astype(str).rename(columns={"task": "item", "worker": "annotator"}),
        model="mace",
        engine="vb",
        prior=EVEN,
        effort=cs.EngineOptions(draws=0, tolerance=1e-10, restarts=1),
    )


def test_one_coin_finds_the_probabilities_that_crowd_kit_finds(one_coin):
    table = one_coin.fit_.with_(truth="raw").labels()
    raw = table.pivot_table(index="item", columns="label", values="probability")
    raw.index = raw.index.astype(str)
    raw = raw.loc[one_coin.probas_.index.astype(str), list("abc")].to_numpy()
    assert np.abs(raw - ONE_COIN).max() < DIGITS
    # What is reported is less sure, of the same labels.
    reported = one_coin.probas_[list("abc")].to_numpy()
    assert (reported.argmax(1) == raw.argmax(1)).all()
    assert (reported.max(1) <= raw.max(1)).all()


def test_skills_priors_and_errors_are_those_of_crowd_kit(one_coin):
    assert one_coin.skills_.name == "skill"
    assert one_coin.skills_.to_dict() == pytest.approx(SKILLS, abs=DIGITS)
    assert one_coin.priors_.to_dict() == pytest.approx(PRIORS, abs=DIGITS)
    errors = one_coin.errors_.loc["p"]
    assert errors.loc["c", "c"] == pytest.approx(SKILLS["p"], abs=DIGITS)
    assert errors.loc["a", "c"] == pytest.approx(WRONG, abs=DIGITS)


def test_a_prior_moves_the_skills_away_from_crowd_kits(fifteen):
    own = cs.sklearn.OneCoinDawidSkene(engine="em").fit(fifteen)
    assert np.abs(own.skills_ - pd.Series(SKILLS)).max() > 10 * DIGITS


def test_mace_finds_the_probabilities_that_crowd_kit_finds(maces_optimum):
    table = maces_optimum.with_(truth="raw").labels()
    result = table.pivot_table(index="item", columns="label", values="probability")
    ours = result.loc[[str(task) for task in range(15)], list("abc")]
    assert np.abs(ours.to_numpy() - KNOWING).max() < DIGITS


def test_maces_parameters_are_those_of_crowd_kit(maces_optimum):
    fitted = maces_optimum.data["posterior"]
    # From a mean to exp(E log p): fifteen answers and one imagined, thirty of habit.
    trust = fitted["trust"].to_numpy()[0, 0, :, ::-1] * 16
    assert np.abs(np.exp(digamma(trust) - digamma(16)) - SPAMMING).max() < DIGITS
    total = 30 + trust[:, :1] - 0.5
    habit = fitted["habit"].to_numpy()[0, 0] * total
    assert np.abs(np.exp(digamma(habit) - digamma(total)) - THETAS).max() < DIGITS


def test_the_published_algorithm_of_mace_has_crowd_kits_numbers(fifteen):
    variational = cs.sklearn.MACE(n_restarts=1, n_iter=500).fit(fifteen)
    assert np.allclose(variational.probas_, KNOWING, atol=1e-6)
    assert np.allclose(variational.spamming_, SPAMMING, atol=1e-6)
    assert np.allclose(variational.thetas_, THETAS, atol=1e-6)
    plain = cs.sklearn.MACE(n_restarts=1, n_iter=500, method="em").fit(fifteen)
    assert np.abs(plain.probas_.to_numpy() - KNOWING).max() > 1e-3
