"""Values that Gwet's program irrCAC prints for the data sets that come with it."""

import pytest

from consilience.analysis import agreement


@pytest.fixture(scope="module")
def measured(two_abstractors):
    result = agreement(two_abstractors, prob=0.95, resamples=0)
    return result.coefficients.set_index("coefficient")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("percent", 0.89),
        ("cohen", 0.7964094),
        ("scott", 0.7962397),
        ("gwet_ac1", 0.8493305),
        ("brennan_prediger", 0.835),
        ("krippendorff", 0.7972585),
    ],
)
def test_two_abstractors_agree_as_in_the_documentation_of_irrcac(name, value, measured):
    assert measured["value"][name] == pytest.approx(value, abs=5e-8)


@pytest.mark.parametrize(
    ("name", "error", "lower", "upper"),
    [("cohen", 0.05891072, 0.680, 0.913), ("scott", 0.05905473, 0.679, 0.913)],
)
def test_the_errors_of_the_coefficients_for_two_are_those_published(
    name, error, lower, upper, measured
):
    assert measured["se"][name] == pytest.approx(error, abs=5e-9)
    assert measured["se_lower"][name] == pytest.approx(lower, abs=5e-4)
    assert measured["se_upper"][name] == pytest.approx(upper, abs=5e-4)


# irrCAC 0.4.4, CAC(raw_4raters(), weights): value, standard error.
FOUR = {
    "nominal": {
        "fleiss": (0.76117, 0.15302),
        "conger": (0.76282, 0.14917),
        "brennan_prediger": (0.77273, 0.14472),
        "gwet_ac1": (0.77544, 0.14295),
        "krippendorff": (0.74342, 0.14557),
    },
    "ordinal": {
        "fleiss": (0.85021, 0.14704),
        "conger": (0.84366, 0.14410),
        "brennan_prediger": (0.88636, 0.11391),
        "gwet_ac2": (0.89894, 0.10690),
    },
    "interval": {
        "fleiss": (0.86494, 0.14603),
        "conger": (0.85771, 0.14367),
        "brennan_prediger": (0.90152, 0.11089),
        "gwet_ac2": (0.91400, 0.10396),
        "krippendorff": (0.84911, 0.12913),
    },
    "ratio": {
        "fleiss": (0.82134, 0.15239),
        "conger": (0.81197, 0.14860),
        "brennan_prediger": (0.84024, 0.13221),
        "gwet_ac2": (0.85737, 0.12207),
        "krippendorff": (0.79740, 0.14048),
    },
}


@pytest.mark.parametrize("distance", FOUR)
def test_four_raters_with_gaps_agree_as_irrcac_says(distance, four_raters):
    result = agreement(four_raters, distance=distance, resamples=0).coefficients
    result = result.set_index("coefficient")
    for name, (value, error) in FOUR[distance].items():
        assert result["value"][name] == pytest.approx(value, abs=5.1e-6)
        assert result["se"][name] == pytest.approx(error, abs=5.1e-6)


def test_an_interval_is_students_and_ends_at_1(four_raters):
    result = agreement(four_raters, prob=0.95, resamples=0).coefficients
    ac1 = result.set_index("coefficient").loc["gwet_ac1"]
    assert ac1["se_lower"] == pytest.approx(0.46081, abs=1e-5)  # irrCAC
    assert ac1["se_upper"] == 1
