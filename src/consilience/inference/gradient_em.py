r"""EM of models without closed forms: gradient ascent, and its draws.

**The posterior bootstrap: each draw is the mode of a perturbed objective.** Each draw
reweights the items and tilts the prior in another direction,

.. math::

   \phi^* = \arg\max_\phi \; \log p(\phi) - \epsilon^\top \phi
   + \sum_i w_i \log p(y_i \mid \phi), \qquad
   w_i \sim \mathrm{Exp}(1), \quad
   \epsilon = \nabla \log p(\phi_0), \ \phi_0 \sim p

in the coordinates without bounds. The weights vary as the score of the items does, the
tilt as the prior is wide: where all is normal and the model is right, draws are from
the posterior, and a parameter that the answers say nothing of varies as its prior does.
Where the model is wrong, they vary as the estimate would with other items.

Numbers that vary between annotators are tilted themselves, not their coordinates. How
far they vary is drawn first, about the fitted value, and then fixed. (Tilted,
a spread runs away: the wider it is, the less the prior holds the numbers.)

**Laplace's approximation, corrected by importance weights.** Places are proposed by the
normal distribution that has the curvature of the density at its mode. Each has the
weight of its density over that of the proposal, and draws are picked by these weights.
Rounds of proposals go on until the weights count for as many draws as are asked for, or
there were enough rounds.

References
----------
Fong, Lyddon and Holmes (2019), Scalable nonparametric sampling from multimodal
posteriors with the posterior bootstrap. Newton and Raftery (1994), for the weights.
Bardsley, Solonen, Haario and Laine (2014), for the tilt.
Tierney and Kadane (1986), Accurate approximations for posterior moments and marginal
densities. Rubin (1988), Using the SIR algorithm to simulate posterior distributions.
Ionides (2008), Truncated importance sampling.
"""

import math
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro  # noqa: F401 (whole before its parts: see `model.program`)
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int, Key
from numpyro.handlers import condition, seed, substitute, trace
from numpyro.infer.util import constrain_fn, potential_energy, unconstrain_fn
from scipy import special

from consilience.continuing import Loop
from consilience.inference.ascent import Steps
from consilience.inference.mode import (
    Mode,
    Optimized,
    common,
    energy_and_slope,
    marks,
    mode_at,
    no_evidence,
    sampled,
    slope_about,
)
from consilience.inference.optimize import ascend, optimize_from
from consilience.inference.options import Seed, generator_of, key_of
from consilience.inference.result import (
    MAX_KEPT,
    Optimization,
    Result,
    at_a_point,
    of_draws,
)
from consilience.inference.slopes import (
    MOST,
    Whitening,
    curvature,
    root_of_inverse,
    to_the_mean,
)
from consilience.model import Model, Parameters, sample_answers
from consilience.model.varying import plain, scale_errors, scale_site
from consilience.programs import double_precision
from consilience.progress import Progress, Reporter, silent
from consilience.truth import ObjectsSpace, Observations, Space, next_size

ABOUT_MODE = "draws about the mode"
ROUNDS = 30  # of as many proposals as draws


def laplace_draws(
    model: Model[Any], summit: Optimized, seed: Seed, number: int, report: Reporter
) -> tuple[list[Mode], float]:
    """Return so many draws, and how many independent ones they equal."""
    place = np.asarray(summit.position, float)
    of_pairs = {
        name for name, axes in model.dims(summit.data.whole).items() if "pair" in axes
    }
    free = summit.unravel(jnp.asarray(place))
    which = np.flatnonzero(~marks(free, of_pairs))
    root = root_of_inverse(curvature(slope_about(model, summit), place, which, report))
    generator, none = generator_of(seed), no_evidence(summit.data)
    noises = np.zeros((0, len(which)))
    logs = np.zeros(0)
    weight, effective = logs, 0.0

    def moved(noise: Float[np.ndarray, " C"]) -> Float[np.ndarray, " P"]:
        there = place.copy()
        there[which] += root @ noise
        return there

    for tried in range(ROUNDS):
        noise = generator.standard_normal((number, len(which)))
        energies = [
            energy_and_slope(
                model, summit.data, none, summit.unravel(jnp.asarray(moved(each)))
            )[0]
            for each in noise
        ]
        noises = np.concatenate([noises, noise])
        logs = np.append(logs, (noise**2).sum(1) / 2 - np.array(energies, float))
        weight = _truncated(np.where(np.isfinite(logs), logs, -np.inf))
        effective = float(1 / (weight**2).sum())
        note = f"{effective:,.0f} of {number} draws"
        report(Progress(ABOUT_MODE, tried + 1, ROUNDS, note))
        if effective >= number:
            break
    report(Progress(ABOUT_MODE, ROUNDS, ROUNDS, f"{effective:,.0f} draws"))
    # Systematic resampling: as often as their weight says, to within one.
    steps = (np.arange(number) + generator.random()) / number
    picked = np.searchsorted(weight.cumsum(), steps * weight.sum())
    picked = np.minimum(picked, len(weight) - 1)
    modes = {at: mode_at(model, summit, moved(noises[at])) for at in set(picked)}
    return [modes[at] for at in picked], effective


def _truncated(logs: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """Return weights that sum to one, none larger than so many times their mean."""
    logs = np.minimum(logs - special.logsumexp(logs), -math.log(len(logs)) / 2)
    return special.softmax(logs)


PHASE = "posterior bootstrap"
# Nats, of a step of the optimizer: in two studies of contains with 300 answers an
# annotator, means and deviations of what all share were those of optimizations to 1e-6
# nats, but for .01.
GAIN = 1e-3
FEWEST = 20  # draws; fewer give no interval worth printing


def posterior_bootstrap(
    model: Model[Any],
    summit: Optimized,
    item: Int[np.ndarray, " U"],
    steps: Steps,
    key: Key[Array, ""],
    number: int,
    report: Reporter,
) -> list[Mode]:
    """Return so many draws."""
    data, real, position, unravel = summit
    start = unravel(jnp.asarray(position))
    ground = _ground(model, summit, key, report)
    tolerance = min(steps.tolerance, GAIN / float(data.whole.total))
    shape = data.weight.shape
    none = no_evidence(data)
    items = (next_size(int(item.max()) + 1),)
    state: dict[str, list[Mode]] = {"modes": []}
    fewest = min(FEWEST, number)
    for draw in Loop(PHASE, state, number, fewest=fewest, records=(Mode,)):
        of_weights, of_tilt = jax.random.split(jax.random.fold_in(key, draw))
        weight = np.asarray(jax.random.exponential(of_weights, items))[item]
        summed = np.bincount(real.place, weight, data.weight.size)
        weighed = data._replace(weight=jnp.asarray(summed.reshape(shape)))
        lots = jax.random.normal(
            jax.random.fold_in(of_tilt, 1), (ground.spreads.shape[1],)
        )
        steps_of_spreads = ground.spreads @ np.asarray(lots)
        spreads = {
            scale_site(name): start[scale_site(name)] + step
            for name, step in zip(ground.varying, steps_of_spreads, strict=True)
        }
        tilt = _prior_tilt(model, data.whole, spreads, of_tilt)
        place = np.asarray(ravel_pytree({**start, **spreads})[0])
        end, _, _ = optimize_from(
            float(data.whole.total),
            unravel,
            tolerance,
            partial(energy_and_slope, model, weighed, none),
            place,
            steps.iterations,
            silent,
            PHASE,
            partial(_linear_tilt, model, ground.varying, data.whole, tilt),
            ground.straight,
        )
        report(Progress(PHASE, draw + 1, number, f"draw {draw + 1} of {number}"))
        state["modes"].append(mode_at(model, summit, end + ground.shift))
    return state["modes"]


class _Ground(NamedTuple):
    """The density about the top."""

    varying: tuple[str, ...]
    spreads: Float[np.ndarray, "V N"]
    straight: Whitening
    shift: Float[np.ndarray, " P"]


def _ground(
    model: Model[Any], summit: Optimized, key: Key[Array, ""], report: Reporter
) -> _Ground:
    data, _, position, unravel = summit
    start, place = unravel(jnp.asarray(position)), np.asarray(position, float)
    errors = _errors(model, data.whole, start)
    varying = tuple(errors)
    free = ~marks(start, {scale_site(name) for name in varying})
    slope = slope_about(model, summit)
    if len(place) > MOST:
        which = np.flatnonzero(common(model, data.whole, start) & free)
        straight = Whitening(
            which, root_of_inverse(curvature(slope, place, which, report)), free
        )
        spreads = np.diag([float(error) for error in errors.values()])
        return _Ground(varying, spreads, straight, np.zeros(len(place)))
    which = np.flatnonzero(free)
    bent = curvature(slope, place, np.arange(len(place)), report)
    root = root_of_inverse(bent)
    straight = Whitening(which, root_of_inverse(bent[np.ix_(which, which)]), free)
    at = [int(marks(start, {scale_site(name)}).argmax()) for name in varying]
    generator = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    shift = to_the_mean(slope, place, root, generator)
    return _Ground(varying, root[at], straight, shift)


@partial(jax.jit, static_argnames="model")
def _errors(
    model: Model[Any], whole: Observations, position: Parameters
) -> dict[str, Float[Array, ""]]:
    """Return how well the logarithms of spreads are known, by the numbers that vary."""
    program = seed(sample_answers, 0)
    values = constrain_fn(program, (model, whole), {}, position)
    sites = trace(substitute(program, data=values)).get_trace(model, whole)
    return scale_errors(sites)


@partial(jax.jit, static_argnames=("model", "varying"))
def _linear_tilt(
    model: Model[Any],
    varying: tuple[str, ...],
    whole: Observations,
    tilt: Parameters,
    position: Parameters,
) -> tuple[Float[Array, ""], Parameters]:
    """Return the linear function of a draw, and its slope."""

    def rise(position: Parameters) -> Float[Array, ""]:
        program = seed(sample_answers, 0)
        values = constrain_fn(program, (model, whole), {}, position)
        effects = {name: values[name] for name in varying}
        each = [
            (tilt[name] * value).sum()
            for name, value in {**position, **effects}.items()
        ]
        return jnp.stack(each).sum()

    return jax.value_and_grad(rise)(position)


@partial(jax.jit, static_argnames="model")
def _prior_tilt(
    model: Model[Any], whole: Observations, spreads: Parameters, key: Key[Array, ""]
) -> Parameters:
    """Return the fall of the log prior where the prior has drawn a point."""
    at = {name: jnp.exp(value) for name, value in spreads.items()}
    program = condition(plain(sample_answers), at)
    values = sampled(trace(seed(program, key)).get_trace(model, whole))
    free = unconstrain_fn(seed(program, 0), (model, whole), {}, values)

    def energy(position: Any) -> Float[Array, ""]:
        return potential_energy(seed(program, 0), (model, whole), {}, position)

    fall = jax.grad(energy)(free)
    return {**fall, **{name: jnp.zeros(()) for name in spreads}}


# Items to a number: the items' scores, which draws vary by, vary less than they would
# where the numbers were not fitted to them, by as many of them as there are numbers.
# Judgement: with three to a number, .84 of discriminations were held, not .90.
ENOUGH = 10
LAPLACE = (
    "intervals are from the normal distribution about the mode (Laplace's "
    "approximation), corrected by importance weights: as exact as {number:,.0f} "
    "independent draws"
)


def fit_by_gradient(
    model: Model[Any],
    space: Space,
    steps: Steps,
    seed: Seed,
    draws: int,
    prob: float,
    report: Reporter,
) -> Result:
    """Optimize, and take draws by the posterior bootstrap on request."""
    with double_precision():
        key = key_of(seed)
        peak, how, summit = ascend(model, space, steps, key, report)
        if not draws:
            return at_a_point(
                {name: np.asarray(value) for name, value in peak.parameters.items()},
                np.asarray(peak.belief),
                np.asarray(peak.log_likelihood),
                how,
                ("em gives point estimates, without uncertainty of the parameters",),
            )
        if model.of_classes or isinstance(space, ObjectsSpace):
            modes, effective = laplace_draws(model, summit, seed, draws, report)
            return _of_draws(modes, how, prob, (LAPLACE.format(number=effective),))
        item = np.unique(space.unit_item, return_inverse=True)[1]
        drawn = posterior_bootstrap(model, summit, item, steps, key, draws, report)
        remarks = ["intervals are from the posterior bootstrap over items"]
        items, numbers = int(item.max()) + 1, len(summit.position)
        if items < ENOUGH * numbers:
            remarks.append(
                f"they tend to be narrow: {items} items for {numbers} numbers, where "
                f"{ENOUGH} to each would do; nuts draws exactly"
            )
        return _of_draws(drawn, how, prob, tuple(remarks))


def _of_draws(
    draws: list[Mode], how: Optimization, prob: float, remarks: tuple[str, ...]
) -> Result:
    kept = len(draws) * len(draws[0].belief) <= MAX_KEPT
    likelihood = np.stack([np.asarray(draw.log_likelihood) for draw in draws])[None]
    return of_draws(
        {
            name: np.stack([np.asarray(draw.parameters[name]) for draw in draws])[None]
            for name in draws[0].parameters
        },
        np.stack([np.asarray(draw.belief, np.float32) for draw in draws])[None],
        likelihood if kept else None,
        prob,
        how,
        remarks,
    )
