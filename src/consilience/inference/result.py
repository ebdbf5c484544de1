"""The result of an engine."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Shaped

from consilience.inference.mixing import Mixing
from consilience.intervals import bounds

# More beliefs than this are not kept draw by draw (float32: 400 MB).
MAX_KEPT = 100_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Optimization:
    """The course of the optimization, start by start."""

    what: str
    objective: Float[np.ndarray, "restart sweep"]
    converged: Bool[np.ndarray, " restart"]
    chosen: int


class Moments(NamedTuple):
    """Sums over draws: of P(state), of its log-odds, and of their squares."""

    belief: Float[np.ndarray, "U S"]
    first: Float[np.ndarray, "U S"]
    second: Float[np.ndarray, "U S"]


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A fitted posterior."""

    parameters: Mapping[str, Shaped[np.ndarray, "chain draw ..."]]
    belief: Float[np.ndarray, "U S"]
    lower: Float[np.ndarray, "U S"]
    upper: Float[np.ndarray, "U S"]
    log_likelihood: Float[np.ndarray, "chain draw U"] | None
    sample_stats: Mapping[str, Shaped[np.ndarray, "chain draw"]]
    optimization: Optimization | None
    remarks: tuple[str, ...] = ()
    mixing: Mixing | None = None
    moments: tuple[Moments, ...] = ()
    sweeps: int = 0

    def as_kept(self) -> "Result":
        """Return it in single precision where it has draws, as a fit keeps them."""
        draws = {
            name: np.asarray(value, np.float32)
            for name, value in self.parameters.items()
        }
        units = self.log_likelihood
        units = None if units is None else np.asarray(units, np.float32)
        return replace(self, parameters=draws, log_likelihood=units, moments=())


def of_draws(
    parameters: Mapping[str, Shaped[np.ndarray, "chain draw ..."]],
    truth: Float[np.ndarray, "chain kept U S"],
    log_likelihood: Float[np.ndarray, "chain kept U"] | None,
    prob: float,
    optimization: Optimization | None = None,
    remarks: tuple[str, ...] = (),
) -> Result:
    """Return the result of an engine that draws parameters: means, and quantiles."""
    drawn = truth.reshape(-1, *truth.shape[2:])
    belief = drawn.mean(0, dtype=float)
    lower = upper = np.full(belief.shape, np.nan)
    if len(drawn) > 1:
        lower, upper = bounds(drawn, prob)
    return Result(
        parameters=parameters,
        belief=belief,
        lower=np.minimum(lower, belief),
        upper=np.maximum(upper, belief),
        log_likelihood=log_likelihood,
        sample_stats={},
        optimization=optimization,
        remarks=remarks,
    )


def at_a_point(
    parameters: Mapping[str, Float[np.ndarray, "..."]],
    belief: Float[np.ndarray, "U S"],
    log_likelihood: Float[np.ndarray, " U"] | None,
    optimization: Optimization | None,
    remarks: tuple[str, ...],
) -> Result:
    """Return the result of an engine that draws nothing: no bounds, one draw."""
    unknown = np.broadcast_to(np.nan, belief.shape)
    return Result(
        parameters={
            name: np.asarray(value)[None, None] for name, value in parameters.items()
        },
        belief=belief,
        lower=unknown,
        upper=unknown,
        log_likelihood=None if log_likelihood is None else log_likelihood[None, None],
        sample_stats={},
        optimization=optimization,
        remarks=remarks,
    )
