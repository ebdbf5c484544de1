r"""Gradient ascent to the most probable parameters, for models without closed forms.

The objective is the posterior density of the parameters, the truth (and whatever is
finer) summed out (`consilience.inference.mode`). For a Dirichlet
its coordinates without bounds give the estimate that EM gives (counts + concentration)
/ total, for a scale the mode of its logarithm.

The optimizer is SciPy's L-BFGS-B. Each start first optimizes with a guess of the truth
as one more piece of evidence, so that labels keep their names, then without. The first
is from the means of the prior, others from where the prior draws what all share.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro  # noqa: F401 (whole before its parts: see `model.program`)
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Key
from numpyro.handlers import seed, substitute, trace
from numpyro.infer import init_to_mean
from numpyro.infer.util import unconstrain_fn
from scipy.optimize import OptimizeResult, minimize

from consilience.continuing import Loop
from consilience.inference.ascent import Steps
from consilience.inference.mode import (
    Mode,
    Optimized,
    common,
    energy_and_slope,
    in_blocks,
    lay_out_data,
    mode_at,
    no_evidence,
    sampled,
)
from consilience.inference.result import Optimization
from consilience.inference.slopes import (
    Slope,
    Whitening,
    curvature,
    root_of_inverse,
    slope_of,
)
from consilience.model import Model, Parameters, sample_answers
from consilience.progress import Progress, Reporter, silent
from consilience.truth import Observations, Space

WHAT = "log posterior density"
GUIDED = 30  # iterations with the guess as evidence: enough to choose a hill
FEW = 40  # of what all share, to be worth a gradient each
# Pairs that L-BFGS keeps. On 924,810 answers of contains it came as near the mode in 50
# sweeps with 100 of them as in 150 with 20, and in 100 as in 400.
MEMORY = 100
# Nats, per parameter: many answers hide what a few parameters gain. Of these answers
# without ids, steps of .1 nats ended at another mixture, 9 nats below the mode.
SMALLEST_GAIN = 1e-4
type Lean = Callable[[Parameters], tuple[Float[Array, ""], Parameters]]
type Energy = Callable[[Parameters], tuple[Float[Array, ""], Parameters]]


def ascend(
    model: Model[Any],
    space: Space,
    steps: Steps,
    key: Key[Array, ""],
    report: Reporter,
    *,
    pad: bool = True,
) -> tuple[Mode, Optimization, Optimized]:
    """Optimize from every start; return the best optimum, how all went, and where."""
    laid_out, real = lay_out_data(model, space, pad=pad)
    data = jax.device_put(laid_out)
    whole, answers = data.whole, float(data.whole.total)
    first, unravel = ravel_pytree(_start(model, whole))
    of_all = common(model, whole, unravel(first))
    tolerance = min(steps.tolerance, SMALLEST_GAIN * len(first) / max(answers, 1.0))
    from_there = partial(optimize_from, answers, unravel, tolerance)
    energy = partial(energy_and_slope, model, data, no_evidence(data))
    climbs = []
    for restart in range(steps.restarts):
        start, guess = np.asarray(first), whole.guess
        if restart:
            of_start = jax.random.fold_in(key, restart)
            drawn = ravel_pytree(_start(model, whole, of_start))[0]
            start = np.where(of_all, np.asarray(drawn), first)
            guess = shaken(guess, of_start)
        phase = f"start {restart + 1} of {steps.restarts}"
        evidence = jnp.log(in_blocks(guess, data))
        nearer = partial(energy_and_slope, model, data, evidence)
        guided, _, _ = from_there(nearer, start, GUIDED, silent, phase)
        straight = _whitening(slope_of(energy, unravel), guided, of_all)
        climbs.append(
            from_there(
                energy, guided, steps.iterations, report, phase, straight=straight
            )
        )
    peaks, histories, converged = zip(*climbs, strict=True)
    how = Optimization.of(WHAT, histories, converged)
    summit = Optimized(data, real, peaks[how.chosen], unravel)
    return mode_at(model, summit, summit.position), how, summit


def optimize_from(  # noqa: PLR0913, PLR0917 (what stays, then what differs between climbs)
    answers: float,
    unravel: Callable[[Float[Array, " P"]], Parameters],
    tolerance: float,
    energy: Energy,
    start: Float[np.ndarray, " P"],
    sweeps: int,
    report: Reporter,
    phase: str,
    lean: Lean | None = None,
    straight: Whitening | None = None,
) -> tuple[Float[np.ndarray, " P"], list[float], bool]:
    """Optimize from one start; return the end, the path, and whether it converged."""
    history: list[float] = []

    def loss(moved: Float[np.ndarray, " P"]) -> tuple[float, Float[np.ndarray, " P"]]:
        step = moved if straight is None else straight.mixed(moved)
        position = unravel(jnp.asarray(start + step))
        value, slope = energy(position)
        fallen, fall = float(value), np.asarray(ravel_pytree(slope)[0])
        if lean is not None:
            more, rise = lean(position)
            fallen, fall = fallen - float(more), fall - ravel_pytree(rise)[0]
        if straight is not None:
            fall = straight.slope(np.asarray(fall))
        return fallen / answers, np.asarray(fall / answers)

    # SciPy does not give its memory away: a climb is saved when it has ended.
    state: dict[str, Any] = {"at": np.zeros(len(start)), "success": False}
    state["history"] = history
    loop = Loop(phase, state, 1)

    def note(intermediate_result: OptimizeResult) -> None:
        history.append(-intermediate_result.fun * answers)
        mode_at = f"{WHAT} {history[-1]:,.2f}"
        report(Progress(phase, len(history), sweeps, mode_at))
        if loop.late:
            loop.cut(len(history), sweeps)
            raise StopIteration

    options = {
        "maxiter": sweeps,
        "maxfun": 10 * sweeps,
        "maxcor": MEMORY,
        "ftol": tolerance,
        "gtol": 0.0,
    }
    for _ in loop:
        rest = state["at"]
        result = minimize(
            loss, rest, method="L-BFGS-B", jac=True, callback=note, options=options
        )
        history.append(-result.fun * answers)
        state.update(at=result.x, success=bool(result.success))
    history = state["history"]
    ended = f"{WHAT} {history[-1]:,.2f} after {len(history)} iterations"
    report(Progress(phase, sweeps, sweeps, ended))
    step = state["at"] if straight is None else straight.mixed(state["at"])
    return start + step, history, state["success"]


def _whitening(
    slope: Slope, place: Float[np.ndarray, " P"], of_all: Bool[np.ndarray, " P"]
) -> Whitening | None:
    """Return coordinates along which what all share bends alike, on the way up."""
    which = np.flatnonzero(of_all)
    if not 0 < len(which) <= FEW:
        return None
    bent = curvature(slope, place, which, rough=True)
    return Whitening(which, root_of_inverse(bent), np.ones(len(of_all), bool))


@partial(jax.jit, static_argnames="model")
def _start(
    model: Model[Any], whole: Observations, key: Key[Array, ""] | None = None
) -> Parameters:
    """Return prior means, where answers are votes for the truth; or else a draw."""
    program = seed(sample_answers, 0 if key is None else key)
    if key is None:
        program = substitute(program, substitute_fn=init_to_mean)
    values = sampled(trace(program).get_trace(model, whole))
    return unconstrain_fn(seed(sample_answers, 0), (model, whole), {}, values)


def shaken(guess: Float[Array, "U S"], key: Key[Array, ""]) -> Float[Array, "U S"]:
    """Return half the guess, and half a point drawn evenly, as in `ascent`."""
    noise = jax.random.exponential(key, guess.shape, guess.dtype) * (guess > 0)
    return 0.5 * guess + 0.5 * noise / noise.sum(1, keepdims=True)
