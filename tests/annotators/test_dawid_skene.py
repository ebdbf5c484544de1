"""Dawid-Skene, against the numbers printed in 1979."""

import numpy as np
import pytest

from consilience.fitting import fit
from consilience.responses import read

# Dawid and Skene (1979), tables 2 to 4: anaesthetists' grades of 45 patients, rounded
# to two decimals. An independent program gives the same. Patients not named are sure.
SURE = {
    "1": (1, 13, 15, 16, 17, 18, 25, 26, 28, 29, 30, 31, 33, 40, 41, 42, 44),
    "2": (3, 4, 5, 6, 9, 10, 14, 19, 20, 21, 22, 23, 24, 27, 34, 37, 43, 45),
    "3": (8, 12, 32, 39),
    "4": (2, 11, 36),
}
UNSURE = {7: (0.98, 0.02, 0, 0), 35: (0, 0.95, 0.05, 0), 38: (0, 0.02, 0.98, 0)}
MARGINALS = (0.40, 0.42, 0.11, 0.07)
OBSERVER_1 = (
    (0.89, 0.11, 0, 0),
    (0.07, 0.88, 0.05, 0),
    (0, 0.34, 0.66, 0),
    (0, 0, 0.56, 0.44),
)
PRINTED = 0.005 + 0.001  # half the last digit, and what the smoothing moves


@pytest.fixture(scope="module")
def anaesthesia(data_folder):
    responses = read(data_folder / "crowd" / "anesthesia")
    return fit(responses, model="dawid_skene", engine="em")


def test_class_posteriors_are_those_of_the_paper(anaesthesia):
    expected = np.zeros((45, 4))
    for label, patients in SURE.items():
        expected[np.array(patients) - 1, int(label) - 1] = 1
    for patient, row in UNSURE.items():
        expected[patient - 1] = row
    table = anaesthesia.with_(truth="raw").labels()
    result = table.pivot_table(index="item", columns="label", values="probability")
    result = result.loc[[str(patient) for patient in range(45)], list("1234")]
    assert np.abs(result.to_numpy() - expected).max() < PRINTED


def test_marginals_and_error_rates_are_those_of_the_paper(anaesthesia):
    posterior = anaesthesia.data["posterior"]
    assert np.abs(posterior["prevalence"].to_numpy() - MARGINALS).max() < PRINTED
    first = posterior["confusion"].sel(annotator="1").to_numpy()
    assert np.abs(first - OBSERVER_1).max() < PRINTED
