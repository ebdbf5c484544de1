"""Rules without a likelihood: applied once, and nothing is estimated."""

from dataclasses import dataclass
from typing import Any

from consilience.inference.options import Seed
from consilience.inference.result import Result, at_a_point
from consilience.model import Rounds, Rule
from consilience.progress import Reporter, silent
from consilience.truth import Space

NEEDS_DRAWS, HAS_CLOSED_FORM = False, True


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings of the engine.

    Attributes
    ----------
    draws
        A rule has no draws.
    sweeps, tolerance
        Of a rule that updates weights in turn: how often at most, and the change of
        their logarithms at which to stop.
    prob
        Probability that an interval holds; a rule has no intervals.
    """

    draws: int = 0
    sweeps: int = Rounds().sweeps
    tolerance: float = Rounds().tolerance
    prob: float = 0.9


def fit(
    model: Rule[Any],
    space: Space,
    seed: Seed,
    effort: Options,
    report: Reporter = silent,
) -> Result:
    """Apply a rule."""
    del seed, report
    rounds = Rounds(effort.sweeps, effort.tolerance)
    belief, parameters = model.apply(space, model.prior, rounds)
    remark = "a rule gives point estimates, without uncertainty"
    return at_a_point(parameters, belief, None, None, (remark,))
