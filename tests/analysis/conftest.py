"""Fits that several tests of analyses look at."""

import pytest
from tests.analysis.made import LAMPS, OF_LAMPS, objects_responses

import consilience as cs


@pytest.fixture(scope="session")
def lamps():
    """Return the published rule fitted to four items, and its responses."""
    responses = objects_responses(LAMPS, OF_LAMPS, ["lamp", "shade", "cat"])
    return cs.fit(responses, model="tsipras2020"), responses
