"""A small crowd, and what the models that auto compares make of it."""

import jax
import pytest

from consilience.fitting import EngineOptions
from consilience.fitting.comparing import CANDIDATES, compare_models
from consilience.fitting.request import Request
from consilience.progress import silent
from consilience.simulation import simulate
from consilience.spaces import space_of

FEW = EngineOptions(restarts=1, draws=20)


@pytest.fixture(scope="session")
def crowd():
    # Its errors go together by chance, so that there is something to temper.
    return simulate(items=60, annotators=6, classes=3, per_item=4, seed=6).responses


@pytest.fixture(scope="session")
def few():
    return FEW


@pytest.fixture(scope="session")
def standing(crowd):
    """Fits of the models and the table of how they stand, the best first."""
    with jax.enable_x64(True):
        return compare_models(space_of(crowd), CANDIDATES, Request(effort=FEW), silent)
