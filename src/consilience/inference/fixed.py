"""No inference at all: returns the result it is given.

A fast stand-in for an engine, so that what comes after a fit can be tested without one.
"""

from typing import Any

from consilience.inference.result import Result
from consilience.inference.seeds import Seed
from consilience.model import AnnotatorModel
from consilience.progress import Reporter, silent
from consilience.truth import Space


def fit(
    model: AnnotatorModel[Any],
    space: Space,
    seed: Seed,
    effort: Result,
    report: Reporter = silent,
) -> Result:
    """Return `effort` as it is."""
    del model, space, seed, report
    return effort
