"""The same numbers from the libraries krippendorff, statsmodels and scikit-learn."""

import krippendorff
import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa, fleiss_kappa

from consilience.analysis import agreement


def scores(seed, *, items=40, annotators=5, levels=4, missing=0.3):
    """Draw scores 1 to levels around a truth; some are missing (NaN)."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(1, levels + 1, size=(items, 1))
    table = truth + generator.integers(-1, 2, size=(items, annotators))
    table = np.clip(table, 1, levels).astype(float)
    table[generator.random(table.shape) < missing] = np.nan
    return table


def rows(table):
    return [[None if np.isnan(x) else int(x) for x in row] for row in table]


@pytest.mark.parametrize("distance", ["nominal", "ordinal", "interval", "ratio"])
def test_alpha_is_that_of_the_library_krippendorff(distance, rated):
    table = scores(0)
    wanted = krippendorff.alpha(reliability_data=table.T, level_of_measurement=distance)
    result = agreement(rated(rows(table)), distance=distance, resamples=0)
    assert result["krippendorff"] == pytest.approx(wanted, abs=1e-12)


def test_fleiss_kappa_is_that_of_statsmodels(rated):
    table = scores(0, missing=0)
    wanted = fleiss_kappa(aggregate_raters(table.astype(int))[0])
    result = agreement(rated(rows(table)), resamples=0)
    assert result["fleiss"] == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize(
    ("distance", "weights"), [("nominal", None), ("interval", "quadratic")]
)
def test_cohens_kappa_is_that_of_statsmodels_with_its_error(distance, weights, rated):
    table = scores(0, items=60, annotators=2, missing=0).astype(int)
    square = np.zeros((4, 4))
    np.add.at(square, tuple((table - 1).T), 1)
    wanted = cohens_kappa(square, wt=weights)
    result = agreement(rated(table.tolist()), distance=distance, resamples=0)
    row = result.coefficients.set_index("coefficient").loc["cohen"]
    assert row["value"] == pytest.approx(wanted.kappa, abs=1e-12)
    assert row["se"] == pytest.approx(wanted.std_kappa, abs=1e-12)


def test_every_pair_has_the_kappa_of_scikit_learn(rated):
    table = scores(7, annotators=4)
    result = agreement(rated(rows(table)), by=("pair",), resamples=0).pairs
    assert len(result) == 6
    for row in result.itertuples():
        ends = row.annotator, row.other_annotator
        one, other = (table[:, int(name[1:])] for name in ends)
        both = ~np.isnan(one) & ~np.isnan(other)
        wanted = cohen_kappa_score(one[both], other[both])
        assert row.questions == both.sum()
        assert row.percent == pytest.approx((one[both] == other[both]).mean())
        assert row.kappa == pytest.approx(wanted, abs=1e-12)


def test_the_kappa_of_a_label_is_fleiss_kappa_of_it_against_all_others(rated):
    table = scores(9, missing=0).astype(int)
    result = agreement(rated(table.tolist()), by=("label",), resamples=0).labels
    for label in (1, 2, 3, 4):
        wanted = fleiss_kappa(aggregate_raters((table == label).astype(int))[0])
        kappa = result.set_index("label")["kappa"][str(label)]
        assert kappa == pytest.approx(wanted, abs=1e-12)
