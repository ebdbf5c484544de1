r"""Gradient ascent to the most probable parameters, for models without closed forms.

The objective is the posterior density of the parameters, the truth (and whatever is
finer) summed out:

.. math::

   \log p(\phi) + \sum_u \log \sum_k p(z_u = k, y_u \mid \phi)

in the coordinates that NumPyro's programs have without bounds, whose densities carry
the logarithm of the change of volume. For a Dirichlet those give the estimate that EM
gives (counts + concentration) / total, for a scale the mode of its logarithm.

The optimizer is SciPy's L-BFGS-B. Each start first optimizes with a guess of the truth
as one more piece of evidence, so that labels keep their names, then without. The first
is from the means of the prior, others from where the prior draws what all share. Units
are looked at block by block, and each block's table is computed again for the gradient,
so memory does not grow with the items. Units that look alike are looked at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Int, Key
from numpyro.handlers import seed, substitute, trace
from numpyro.infer import init_to_mean
from numpyro.infer.util import constrain_fn, potential_energy, unconstrain_fn
from scipy import special
from scipy.optimize import OptimizeResult, minimize

from consilience.errors import DivergedError
from consilience.inference.closed_form.ascent import Steps
from consilience.inference.gradient_ascent.curvature import (
    Slope,
    Whitening,
    common,
    curvature,
    root_of_inverse,
)
from consilience.inference.result import Optimization
from consilience.model import (
    DIMS,
    AnnotatorModel,
    LaidOutModel,
    Parameters,
    SampledModel,
    belief,
    derived,
    lay_out,
    log_likelihood,
    marginal,
    num_substates,
    posterior_of_truth,
    prepared,
    sample_parameters,
)
from consilience.objects.layout.items import Items
from consilience.progress import Progress, Reporter, silent
from consilience.truth import (
    ChoiceSpace,
    ObjectsSpace,
    Observations,
    Space,
    blocks,
    merge_identical,
    padded,
)
from consilience.truth.arrays.maths import AnyArray, on_host

MAX_TABLE = 20_000_000  # numbers in the scores of a block (float64: 160 MB)
WHAT = "log posterior density"
GUIDED = 30  # iterations with the guess as evidence: enough to choose a hill
# Fewer merged would cost more than it saves: another study of the same design then has
# the same shapes, and what is compiled for one serves all.
WORTH_MERGING = 0.75
FEW = 40  # of what all share, to be worth two gradients each
MANY = 50_000  # units, by which it is quicker to compile another program
MEMORY = 20  # pairs that L-BFGS keeps; twice SciPy's own default took fewer sweeps


type Lean = Callable[[Parameters], tuple[Float[Array, ""], Parameters]]


class Mode(NamedTuple):
    """What is found at the top: parameters, belief (U, S), log-likelihood (U)."""

    parameters: Parameters
    belief: Float[AnyArray, "U S"]
    log_likelihood: Float[AnyArray, " U"]


class Data(NamedTuple):
    """The answers whole, without which no parameter is sampled, and in blocks.

    Units that look alike are merged into one of such a weight. All is padded to one of
    few sizes, for all that are compiled; what is added has no answers and no weight.
    """

    whole: Observations
    parts: Observations
    weight: Float[Array, "blocks size"]


class Real(NamedTuple):
    """Which unit of the data stands for each of the space, and sizes of other axes."""

    place: Int[np.ndarray, " U"]
    sizes: Mapping[str, int]


class Optimized(NamedTuple):
    """The optimum: the answers, the position, and how to compute the parameters."""

    data: Data
    real: Real
    position: Float[np.ndarray, " P"]
    unravel: Callable[[Float[Array, " P"]], Parameters]


def ascend(
    model: SampledModel[Any],
    space: Space,
    steps: Steps,
    key: Key[Array, ""],
    report: Reporter,
    *,
    pad: bool = True,
) -> tuple[Mode, Optimization, Optimized]:
    """Optimize from every start; return the best optimum, how all went, and where.

    Parameters
    ----------
    model
        A model with a program of its parameters.
    space
        What can be true, and the answers.
    steps
        When to stop; a sweep is an iteration of the optimizer.
    key
        Random key of the restarts.
    report
        Called with the progress made.
    pad
        Whether the position may have coordinates of annotators who do not exist, or
        of pairs of labels.

    Raises
    ------
    DivergedError
        The density is not finite.
    """
    laid_out, real = _lay_out(model, space, pad=pad)
    data = jax.device_put(laid_out)
    first, unravel = ravel_pytree(_start(model, data.whole))
    start = np.asarray(first)
    of_all = common(model, data.whole, unravel(first))
    climb = partial(optimize_from, model, data, unravel, steps.tolerance)
    peaks, histories, converged = [], [], []
    for restart in range(steps.restarts):
        guess = data.whole.guess
        if restart:
            of_start = jax.random.fold_in(key, restart)
            guess = _shaken(guess, of_start)
            drawn = ravel_pytree(_start(model, data.whole, of_start))[0]
            start = np.where(of_all, np.asarray(drawn), first)
        evidence = jnp.log(_in_blocks(guess, data))
        phase = f"start {restart + 1} of {steps.restarts}"
        guided, _, _ = climb(evidence, start, GUIDED, silent, phase)
        straight = _whitening(model, Optimized(data, real, guided, unravel), of_all)
        end, history, done = climb(
            no_evidence(data),
            guided,
            steps.sweeps,
            report,
            phase,
            straight=straight,
        )
        peaks.append(end)
        histories.append(history)
        converged.append(done)
    finals = [history[-1] for history in histories]
    if not np.isfinite(finals).all():
        msg = (
            f"the {WHAT} of {int((~np.isfinite(finals)).sum())} start(s) is not "
            "finite; check priors and candidate weights for infinite or huge numbers"
        )
        raise DivergedError(msg)
    objective = np.full((len(histories), max(map(len, histories))), np.nan)
    for row, history in zip(objective, histories, strict=True):
        row[: len(history)] = history
    chosen = int(np.argmax(finals))
    summit = Optimized(data, real, peaks[chosen], unravel)
    how = Optimization(WHAT, objective, np.asarray(converged), chosen)
    return mode_at(model, summit, summit.position), how, summit


def _whitening(
    model: AnnotatorModel[Any], summit: Optimized, of_all: Bool[np.ndarray, " P"]
) -> Whitening | None:
    """Return coordinates along which what all share bends alike, on the way up.

    In others the steps get short on a ridge, and the optimizer ends before the mode.
    """
    which = np.flatnonzero(of_all)
    if not 0 < len(which) <= FEW:
        return None
    bent = curvature(slope_about(model, summit), summit.position, which)
    return Whitening(which, root_of_inverse(bent), np.ones(len(of_all), bool))


def _lay_out(
    model: SampledModel[Any], space: Space, *, pad: bool = True
) -> tuple[Data, Real]:
    total, place = space.n.sum(dtype=float), np.arange(space.num_units)
    count, sizes = np.ones(space.num_units), {"annotator": space.num_annotators}
    together = isinstance(space, ObjectsSpace) or model.whole_items
    if not together and not model.follows_data and not model.per_answer:
        who = any("annotator" in dims for dims in model.dims.values())
        merged = merge_identical(space, annotators=who)
        if len(merged.count) <= WORTH_MERGING * space.num_units:
            space, count, place = merged.space, merged.count, merged.place
    if pad and _may_pad(model, space):
        space = padded(space)
        count = np.append(count, np.zeros(space.num_units - len(count)))
    whole = replace(
        prepared(model, lay_out(model, space)),
        scale=jnp.asarray(count),
        total=jnp.asarray(total),
        asked=jnp.asarray(np.arange(space.num_annotators) < sizes["annotator"], float),
    )
    if isinstance(whole.layout, Items):
        sizes["pair"] = len(whole.layout.names.pairs)
    real = Real(place, sizes)
    columns = space.state.shape[1] * num_substates(model)
    size = max(MAX_TABLE // columns, 1)
    uncut = model.per_answer or isinstance(model, LaidOutModel)
    if size >= space.num_units or uncut:
        parts = _as_one_block(whole)
        return Data(whole, parts, jnp.asarray(count[None])), real
    parts, weight = blocks(space, size)
    weight.ravel()[: space.num_units] *= count
    return Data(whole, parts, jnp.asarray(weight)), real


def _may_pad(model: AnnotatorModel[Any], space: Space) -> bool:
    """Return whether units and annotators without answers change no result.

    What covariates of candidates are worth is a mean over all units and annotators.
    """
    if isinstance(space, ChoiceSpace) and space.covariates.names:
        return False
    return not model.per_answer


@jax.jit
def _as_one_block(whole: Observations) -> Observations:
    parts: Observations = jax.tree.map(lambda leaf: leaf[None], whole)
    return parts


@partial(jax.jit, static_argnames="model")
def _start(
    model: AnnotatorModel[Any], whole: Observations, key: Key[Array, ""] | None = None
) -> Parameters:
    """Return prior means, where answers are votes for the truth; or else a draw."""
    program = seed(sample_parameters, 0 if key is None else key)
    if key is None:
        program = substitute(program, substitute_fn=init_to_mean)
    sites = trace(program).get_trace(model, whole)
    values = {
        name: site["value"]
        for name, site in sites.items()
        if site["type"] == "sample" and not site["is_observed"]
    }
    free: Parameters = unconstrain_fn(
        seed(sample_parameters, 0), (model, whole), {}, values
    )
    return free


def optimize_from(  # noqa: PLR0913, PLR0917 (what stays, then what differs between climbs)
    model: AnnotatorModel[Any],
    data: Data,
    unravel: Callable[[Float[Array, " P"]], Parameters],
    tolerance: float,
    evidence: Float[Array, "blocks size S"] | None,
    start: Float[np.ndarray, " P"],
    sweeps: int,
    report: Reporter,
    phase: str,
    lean: Lean | None = None,
    straight: Whitening | None = None,
) -> tuple[Float[np.ndarray, " P"], list[float], bool]:
    """Optimize from one start; return the end, the path, and whether it converged.

    Another function may be added to the log density, and the optimizer may work in
    coordinates that are straight.
    """
    answers = float(data.whole.total)
    history: list[float] = []

    def loss(moved: Float[np.ndarray, " P"]) -> tuple[float, Float[np.ndarray, " P"]]:
        step = moved if straight is None else straight.mixed(moved)
        position = unravel(jnp.asarray(start + step))
        value, slope = _value_and_slope(model, data, evidence, position)
        fallen, fall = float(value), np.asarray(ravel_pytree(slope)[0])
        if lean is not None:
            more, rise = lean(position)
            fallen, fall = fallen - float(more), fall - ravel_pytree(rise)[0]
        if straight is not None:
            fall = straight.slope(np.asarray(fall))
        return fallen / answers, np.asarray(fall / answers)

    def note(intermediate_result: OptimizeResult) -> None:
        history.append(-intermediate_result.fun * answers)
        mode_at = f"{WHAT} {history[-1]:,.2f}"
        report(Progress(phase, len(history), sweeps, mode_at))

    options = {
        "maxiter": sweeps,
        "maxfun": 10 * sweeps,
        "maxcor": MEMORY,
        "ftol": tolerance,
        "gtol": 0.0,
    }
    rest = np.zeros(len(start))
    result = minimize(
        loss, rest, method="L-BFGS-B", jac=True, callback=note, options=options
    )
    history.append(-result.fun * answers)
    ended = f"{WHAT} {history[-1]:,.2f} after {len(history)} sweeps"
    report(Progress(phase, sweeps, sweeps, ended))
    step = result.x if straight is None else straight.mixed(result.x)
    return start + step, history, bool(result.success)


def energy_and_slope(
    model: AnnotatorModel[Any], data: Data, position: Parameters
) -> tuple[Float[Array, ""], Parameters]:
    """Return minus the log density of a position, and the slope of that."""
    value_and_slope: tuple[Float[Array, ""], Parameters] = _value_and_slope(
        model, data, no_evidence(data), position
    )
    return value_and_slope


def slope_about(model: AnnotatorModel[Any], summit: Optimized) -> Slope:
    """Return the slope of minus the log density, as a function of the place."""

    def slope(place: Float[np.ndarray, " P"]) -> Float[np.ndarray, " P"]:
        position = summit.unravel(jnp.asarray(place))
        _, slope = energy_and_slope(model, summit.data, position)
        flat: Float[np.ndarray, " P"] = np.asarray(ravel_pytree(slope)[0], float)
        return flat

    return slope


@partial(jax.jit, static_argnames="model")
def _value_and_slope(
    model: AnnotatorModel[Any],
    data: Data,
    evidence: Float[Array, "blocks size S"] | None,
    position: Parameters,
) -> tuple[Float[Array, ""], Parameters]:
    program = partial(_program, model)

    def loss(position: Parameters) -> Float[Array, ""]:
        energy: Float[Array, ""] = potential_energy(
            program, (data, evidence), {}, position
        )
        return energy

    value_and_slope: tuple[Float[Array, ""], Parameters] = jax.value_and_grad(loss)(
        position
    )
    return value_and_slope


def no_evidence(data: Data) -> Float[Array, "blocks size S"] | None:
    """Return what says nothing of the truth.

    Where units are many, that is nothing at all, and costs a program of its own; else
    zeros, and the program is that of what says some.
    """
    if data.weight.size > MANY:
        return None
    return jnp.zeros((*data.weight.shape, data.whole.guess.shape[1]))


def _program(
    model: AnnotatorModel[Any],
    data: Data,
    evidence: Float[Array, "blocks size S"] | None,
) -> None:
    parameters = sample_parameters(model, data.whole)

    def one(parameters: Parameters, part: Any) -> Float[Array, ""]:
        observations, weight, tilt = part
        seen = log_likelihood(model, observations, parameters, tilt)
        total: Float[Array, ""] = (weight * seen).sum()
        return total

    parts = (data.parts, data.weight, evidence)
    if len(data.weight) == 1:
        only = jax.tree.map(lambda leaf: leaf[0], parts)
        numpyro.factor("answers", one(parameters, only))
        return
    again = jax.checkpoint(one)  # the memory of one block, for twice the work

    def add(total: Float[Array, ""], part: Any) -> tuple[Float[Array, ""], None]:
        return total + again(parameters, part), None

    total, _ = jax.lax.scan(add, jnp.zeros(()), parts)
    numpyro.factor("answers", total)


def mode_at(
    model: AnnotatorModel[Any], summit: Optimized, position: Float[np.ndarray, " P"]
) -> Mode:
    """Return what is found at a position, units in their order, on the host."""
    data, (place, _) = summit.data, summit.real
    free, layout = summit.unravel(jnp.asarray(position)), data.whole.layout
    if not isinstance(layout, Items) or layout.end_to_end is None:
        mode = on_host(_mode_at(model, data, free))
        parameters = _of_real(model, summit, mode.parameters)
        return Mode(parameters, mode.belief[place], mode.log_likelihood[place])
    # The score is another program than the objective, and computed once.
    values, parameters = on_host(_constrained(model, data.whole, free))
    whole = on_host(data.whole)
    scores = model.score(whole, parameters)
    return Mode(
        _of_real(model, summit, {**values, **derived(model, whole, parameters)}),
        special.softmax(scores, axis=1)[place],
        special.logsumexp(scores, axis=1)[place],
    )


def _of_real(
    model: AnnotatorModel[Any], summit: Optimized, parameters: Parameters
) -> Parameters:
    """Return the parameters without those of what fills arrays up."""
    axes = {**DIMS, **model.dims}
    return {
        name: value[
            tuple(slice(summit.real.sizes.get(axis)) for axis in axes.get(name, ()))
        ]
        for name, value in parameters.items()
    }


@partial(jax.jit, static_argnames="model")
def _constrained(
    model: AnnotatorModel[Any], whole: Observations, position: Parameters
) -> tuple[Parameters, Parameters]:
    """Return parameters by name, and as the model has them."""
    program = seed(sample_parameters, 0)
    arguments = (model, whole)
    values = constrain_fn(program, arguments, {}, position, return_deterministic=True)
    return values, substitute(program, data=values)(*arguments)


@partial(jax.jit, static_argnames="model")
def _mode_at(model: AnnotatorModel[Any], data: Data, position: Parameters) -> Mode:
    values, parameters = _constrained(model, data.whole, position)

    def one(observations: Observations) -> Any:
        scores = model.score(observations, parameters)
        return posterior_of_truth(model, belief(scores)), marginal(scores)

    if len(data.weight) == 1:
        truth, likelihood = one(jax.tree.map(lambda leaf: leaf[0], data.parts))
    else:
        truth, likelihood = jax.lax.map(one, data.parts)
    return Mode(
        {**values, **derived(model, data.whole, parameters)},
        truth.reshape(-1, truth.shape[-1]),
        likelihood.ravel(),
    )


@jax.jit
def _in_blocks(guess: Float[Array, "U S"], data: Data) -> Float[Array, "blocks size S"]:
    number, size = data.weight.shape
    fill = ((0, number * size - len(guess)), (0, 0))
    padded = jnp.pad(guess, fill, constant_values=1.0)
    # What the guess excludes is excluded by the score already.
    return jnp.maximum(padded, 1e-12).reshape(number, size, -1)


def _shaken(guess: Float[Array, "U S"], key: Key[Array, ""]) -> Float[Array, "U S"]:
    # Half the vote shares, half a point drawn evenly from the simplex, as in `ascent`.
    noise = jax.random.exponential(key, guess.shape, guess.dtype) * (guess > 0)
    return 0.5 * guess + 0.5 * noise / noise.sum(1, keepdims=True)
