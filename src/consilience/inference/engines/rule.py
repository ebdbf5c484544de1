"""Rules without a likelihood: applied once, and nothing is estimated."""

from dataclasses import dataclass

from consilience.inference.options import Seed
from consilience.inference.result import Result, at_a_point
from consilience.model import Rule
from consilience.progress import Reporter, silent
from consilience.truth import Space

NEEDS_DRAWS, HAS_CLOSED_FORM = False, True


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings of the engine.

    Attributes
    ----------
    draws
        None: a rule has no draws.
    prob
        Probability that an interval holds; a rule has no intervals.
    """

    draws: int = 0
    prob: float = 0.9


def fit[P](
    model: Rule[P], space: Space, seed: Seed, effort: Options, report: Reporter = silent
) -> Result:
    """Apply a rule."""
    del seed, effort, report
    belief, parameters = model.apply(space, model.prior)
    remark = "a rule gives point estimates, without uncertainty"
    return at_a_point(parameters, belief, None, None, (remark,))
