"""Rules without a likelihood: applied once, and nothing is estimated."""

from typing import Any

from consilience.inference.options import EngineOptions, Seed
from consilience.inference.result import Result, at_a_point
from consilience.model import Rounds, Rule
from consilience.progress import Reporter, silent
from consilience.truth import Space

NEEDS_DRAWS, HAS_CLOSED_FORM = False, True


def fit(
    model: Rule[Any],
    space: Space,
    seed: Seed,
    effort: EngineOptions,
    report: Reporter = silent,
) -> Result:
    """Apply a rule."""
    del seed, report
    rounds = Rounds()
    if effort.iterations is not None:
        rounds = rounds._replace(iterations=effort.iterations)
    if effort.tolerance is not None:
        rounds = rounds._replace(tolerance=effort.tolerance)
    belief, parameters = model.apply(space, model.prior, rounds)
    remark = "a rule gives point estimates, without uncertainty"
    return at_a_point(parameters, belief, None, None, (remark,))
