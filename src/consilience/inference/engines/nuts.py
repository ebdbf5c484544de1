"""NUTS: draws from the exact posterior, the truth summed out.

NumPyro's kernel is driven in blocks of one compiled program, which serves warm-up and
sampling alike. Each chain runs in a thread of its own, so that none waits for another's
longer path. Between blocks the progress is reported and an interrupt is heeded.

Where no parameter has a closed form and numbers are some hundreds, an optimization and
as many pairs of gradients give what a long warm-up would learn: the mode, and the
covariance about it (Laplace's approximation). Chains start spread about the mode, wider
than that, and warm up the size of their steps alone. Elsewhere a quick variational fit
gives the parameters it has a place to start from, and gives models that want one a
guess of the truth to take their geometry from. Other parameters start near their prior
medians. So chains start where the labels have their names.

References
----------
Tierney and Kadane (1986), Accurate approximations for posterior moments and marginal
densities, for the covariance. Gelman and Rubin (1992), section 2, for starts that are
spread wider than the posterior.
"""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache, partial
from os import cpu_count
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro  # noqa: F401 (whole before its parts: see `model.program`)
from jaxtyping import Array, Float, Key, Shaped
from numpyro.diagnostics import split_gelman_rubin
from numpyro.infer import init_to_median
from numpyro.infer.hmc import hmc
from numpyro.infer.util import (
    ParamInfo,
    constrain_fn,
    initialize_model,
    potential_energy,
)
from scipy.special import softmax

from consilience.continuing import Loop
from consilience.errors import FitError
from consilience.inference.ascent import Steps, as_reported, logs_of, optimize
from consilience.inference.engines import vb
from consilience.inference.mixing import judge, undecided
from consilience.inference.mode import (
    Optimized,
    energy_and_slope,
    no_evidence,
    shared,
    slope_about,
)
from consilience.inference.modes import described
from consilience.inference.optimize import ascend
from consilience.inference.options import EngineOptions, Seed, generator_of, key_of
from consilience.inference.result import MAX_KEPT, Result, of_draws
from consilience.inference.slopes import MOST, curvature, root_of_inverse
from consilience.model import (
    SCORE,
    HostModel,
    Model,
    Parameters,
    belief,
    joint,
    lay_out,
    marginal,
    posterior_of_truth,
)
from consilience.progress import Progress, Reporter, silent
from consilience.truth import Observations, Space

WIDE = 2.0  # starts are drawn so many times as wide as the curvature says
FIELDS = ("z", "diverging", "num_steps", "accept_prob", "energy")


def find_mode(
    model: Model[Any], space: Space, key: Key[Array, ""], report: Reporter = silent
) -> tuple[Optimized, Float[np.ndarray, "P P"]]:
    """Return the mode, and the covariance about it by differences of gradients."""
    _, _, summit = ascend(model, space, Steps(), key, report, pad=False)
    place = np.asarray(summit.position, float)
    every = np.arange(len(place))
    root = root_of_inverse(curvature(slope_about(model, summit), place, every, report))
    return summit, root @ root.T


def starts(
    model: Model[Any],
    summit: Optimized,
    covariance: Float[np.ndarray, "P P"],
    key: Key[Array, ""],
    chains: int,
) -> list[ParamInfo]:
    """Draw where each chain starts, with energy and slope; nearer where it has none."""
    root = np.linalg.cholesky(covariance)
    starts = []
    for chain in range(chains):
        noise = jax.random.normal(jax.random.fold_in(key, chain), (len(root),))
        away = WIDE * root @ np.asarray(noise, float)
        for _ in range(20):
            place = summit.unravel(jnp.asarray(summit.position + away))
            energy, slope = energy_and_slope(
                model, summit.data, no_evidence(summit.data), place
            )
            if np.isfinite(float(energy)):
                break
            away = away / 2
        else:
            raise FitError("the density is not finite about the mode; check priors")
        starts.append(ParamInfo(place, energy, slope))
    return starts


@lru_cache(maxsize=8)
def _kernel(
    model: Model[Any], tune: int, dense: tuple[str, ...] | None
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return how to start and to go on; fits of one size share what is compiled.

    Parameters of some names have a dense mass matrix; None: the metric is given.
    """
    init, sample = hmc(potential_fn_gen=partial(_potential, model), algo="NUTS")
    metric: dict[str, Any] = {"adapt_mass_matrix": False, "dense_mass": True}
    if dense is not None:
        metric = {"dense_mass": [dense] if dense else False}

    @jax.jit
    def begin(
        observations: Observations, start: ParamInfo, covariance: Any, key: Any
    ) -> Any:
        return init(
            start,
            tune,
            inverse_mass_matrix=covariance,
            target_accept_prob=TARGET,
            model_args=(observations,),
            rng_key=key,
            **metric,
        )

    @jax.jit
    def block(state: Any, observations: Observations) -> Any:
        def step(state: Any, _: None) -> Any:
            state = sample(state, (observations,))
            return state, {name: getattr(state, name) for name in FIELDS}

        return jax.lax.scan(step, state, None, length=BLOCK)

    return begin, block


def _potential(
    model: Model[Any], observations: Observations
) -> Callable[[Parameters], Float[Array, ""]]:
    return partial(potential_energy, partial(joint, model), (observations,), {})


BLOCK = 50  # draws between looks at the clock and the keyboard
TUNE, TUNE_KNOWN = 1000, 200  # steps of warm-up: of the metric, and of step sizes alone
DRAWS, CHAINS = 1000, 4  # draws of each chain
# Acceptance probability that the step size is tuned to; at 0.8 one study of ten answers
# an annotator had divergences, at 0.9 none.
TARGET = 0.9
# Parameters that don't grow with the annotators get a dense mass matrix, up to so many.
MAX_DENSE = 100
MEDIAN_OF = 15  # draws from the prior, enough to start near its middle
GUESS = Steps(iterations=200, tolerance=1e-6)  # a guess need not be better

NEEDS_DRAWS, HAS_CLOSED_FORM = True, False


def fit(
    model: Model[Any],
    space: Space,
    seed: Seed,
    effort: EngineOptions,
    report: Reporter = silent,
) -> Result:
    """Fit by NUTS."""
    of_guess, of_start, of_chains = jax.random.split(key_of(seed), 3)
    observations, values = with_guess(model, space, lay_out(model, space), seed)
    draws, chains = effort.draws or DRAWS, effort.chains or CHAINS
    keys = jax.random.split(of_start, chains)
    sampled = shared(model, observations)
    few = sum(size for size, _ in sampled.values()) <= MOST
    from_mode, covariance = few and model.by_gradient(space), None
    tune = effort.tune
    if tune is None:
        tune = TUNE_KNOWN if from_mode else TUNE
    dense = None if from_mode else _dense(sampled)
    begin, block = _kernel(model, tune, dense)
    if from_mode:
        summit, about = find_mode(model, space, of_guess, report)
        covariance = jnp.asarray(about)
        places = starts(model, summit, about, of_start, chains)
    else:
        places = [_start(model, observations, values, each) for each in keys]
    state = [
        begin(observations, place, covariance, jax.random.fold_in(of_chains, chain))
        for chain, place in enumerate(places)
    ]
    kept = _drive(block, state, observations, (tune, draws), report)
    sites, truth, likelihood = _read(model, observations, kept["z"])
    result = of_draws(sites, truth, likelihood, effort.prob)
    units, states = undecided(result.belief)
    mixing = judge(model, space, sites, truth[:, :, units, states], units)
    remarks: tuple[str, ...] = ()
    if likelihood.shape[1] < draws:
        every = -(-draws // likelihood.shape[1])
        remark = "the truth and log-likelihoods are kept for one draw in"
        remarks = (f"{remark} {every}, to fit in memory",)
    return replace(
        result,
        sample_stats={name: kept[name] for name in FIELDS if name != "z"},
        remarks=remarks,
        mixing=described(model, space, sites, mixing),
    )


@partial(jax.jit, static_argnames="model")
def _start(
    model: Model[Any], observations: Observations, values: Parameters, key: Any
) -> Any:
    """Return the given values, or else medians of the prior, with energy and slope."""
    return initialize_model(
        key,
        partial(joint, model),
        init_strategy=partial(_start_site, values=values),
        dynamic_args=True,
        model_args=(observations,),
    ).param_info


def with_guess(
    model: Model[Any], space: Space, observations: Observations, seed: Seed
) -> tuple[Observations, Parameters]:
    """Return the observations with a variational guess, and its parameters."""
    values: dict[str, Any] = {}
    if model.closed(space):
        sweeps = HostModel(model, space)
        where, _ = optimize(sweeps, vb.RULE, GUESS, generator_of(seed), silent)
        logs = logs_of(vb.RULE, where)
        truth = sweeps.truth(sweeps.sweep(logs).belief)
        shares = {name: softmax(logs[name], axis=-1) for name in where.counts}
        reported = {**shares, **where.free, **as_reported(where.logit)}
        values = {name: jnp.asarray(value) for name, value in reported.items()}
        observations = replace(observations, guess=jnp.asarray(truth))
    return observations, values


def _start_site(site: Any, *, values: Parameters) -> Any:
    """Return a given value, or else the median of the prior."""
    if site["type"] == "sample" and site["name"] in values:
        return values[site["name"]]
    return init_to_median(site, num_samples=MEDIAN_OF)


def _dense(sampled: Mapping[str, tuple[int, bool]]) -> tuple[str, ...]:
    """Return the parameters with a dense mass matrix."""
    sizes = {name: size for name, (size, common) in sampled.items() if common}
    return tuple(sizes) if sum(sizes.values()) <= MAX_DENSE else ()


def _drive(
    block: Any,
    state: Any,
    observations: Observations,
    steps: tuple[int, int],
    report: Reporter,
) -> Mapping[str, Any]:
    leaves, shape = jax.tree.flatten(state)
    saved: dict[str, Any] = {"leaves": leaves, "blocks": []}
    tune, total = steps[0], sum(steps)
    started, before = time.monotonic(), 0
    least = tune // BLOCK + 1  # of blocks: one of draws
    loop = Loop("nuts", saved, -(-total // BLOCK), fewest=least)
    for number in loop:
        state = jax.tree.unflatten(shape, saved["leaves"])
        # What NumPyro's programs are read by is one of the process: one chain compiles.
        ahead = 0 if before else 1
        state, new = _together(block, state, observations, ahead)
        saved["leaves"], blocks = jax.tree.leaves(state), saved["blocks"]
        blocks.append(jax.tree.map(np.asarray, new))
        if not before:
            # From here on nothing is compiled.
            started, before = time.monotonic(), number + 1
        done = min((number + 1) * BLOCK, total)
        drawn = (number + 1 - before) * blocks[-1]["diverging"].size
        note = _note(blocks, tune, drawn, started)
        phase = "warming up" if done <= tune else "sampling"
        report(Progress("nuts", done, total, f"{phase}, {note}"))
    joined = jax.tree.map(lambda *parts: np.concatenate(parts), *saved["blocks"])
    return jax.tree.map(lambda leaf: np.swapaxes(leaf[tune:total], 0, 1), joined)


def _together(
    block: Callable[..., Any], states: list[Any], observations: Observations, ahead: int
) -> tuple[list[Any], Mapping[str, Any]]:
    """Go on with each chain in a thread of its own, after so many that go ahead."""
    precise = jnp.result_type(float) == jnp.float64

    def one(state: Any) -> tuple[Any, Mapping[str, Any]]:
        with jax.enable_x64(precise):  # what is set of JAX is set of a thread
            state, drawn = block(state, observations)
            return state, jax.tree.map(np.asarray, drawn)

    gone = [one(state) for state in states[:ahead]]
    with ThreadPoolExecutor(cpu_count()) as pool:
        gone += pool.map(one, states[ahead:])
    drawn = jax.tree.map(
        lambda *each: np.stack(each, axis=1), *(drawn for _, drawn in gone)
    )
    return [state for state, _ in gone], drawn


def _note(
    blocks: list[Mapping[str, Any]], tune: int, drawn: int, started: float
) -> str:
    speed = drawn / max(time.monotonic() - started, 1e-9)
    sampled = blocks[-(-tune // BLOCK) :]
    if not sampled or not drawn:
        return f"{speed:,.0f} draws/s"
    divergences = sum(int(block["diverging"].sum()) for block in sampled)
    positions = [
        np.concatenate([leaf.reshape(*leaf.shape[:2], -1) for leaf in leaves], -1)
        for leaves in (list(block["z"].values()) for block in sampled)
    ]
    chains = np.swapaxes(np.concatenate(positions), 0, 1)
    worst = float(np.nanmax(split_gelman_rubin(chains)))
    return f"{speed:,.0f} draws/s, {divergences} divergences, worst R-hat {worst:.3f}"


def _read(
    model: Model[Any],
    observations: Observations,
    positions: Mapping[str, Float[np.ndarray, "chain draw ..."]],
) -> tuple[
    dict[str, Shaped[np.ndarray, "chain draw ..."]],
    Float[np.ndarray, "chain kept U S"],
    Float[np.ndarray, "chain kept U"],
]:
    chains, draws = next(iter(positions.values())).shape[:2]
    states = observations.num_units * observations.state.shape[1]
    every = -(-chains * draws * states // MAX_KEPT)
    number = -(-draws // every)

    def end_to_end(every: int, number: int) -> dict[str, Float[np.ndarray, "N ..."]]:
        return {
            name: leaf[:, ::every].reshape(chains * number, *leaf.shape[2:])
            for name, leaf in positions.items()
        }

    sites = {
        name: np.asarray(leaf).reshape((chains, draws, *leaf.shape[1:]))
        for name, leaf in _sites(model, end_to_end(1, draws), observations).items()
    }
    # Beliefs, which cost as much as gradients, of those draws alone that are kept.
    believed, likelihood = _beliefs(model, end_to_end(every, number), observations)
    beliefs = np.asarray(believed).reshape(chains, number, *believed.shape[1:])
    return sites, beliefs, np.asarray(likelihood).reshape(chains, number, -1)


@partial(jax.jit, static_argnames="model")
def _sites(model: Model[Any], flat: Any, observations: Observations) -> Any:
    def one(sites: Parameters) -> Any:
        return {name: leaf for name, leaf in sites.items() if name != SCORE}

    sites_by_name, empty = _of_each(model, flat, observations, one)
    return {**sites_by_name, **empty}


@partial(jax.jit, static_argnames="model")
def _beliefs(model: Model[Any], flat: Any, observations: Observations) -> Any:
    def one(sites: Parameters) -> Any:
        scores = sites[SCORE]
        return posterior_of_truth(model, belief(scores)), marginal(scores)

    return _of_each(model, flat, observations, one)[0]


def _of_each(
    model: Model[Any],
    flat: Any,
    observations: Observations,
    wanted: Callable[[Parameters], Any],
) -> Any:
    """Return what is wanted of the sites of each draw, in single precision."""
    program = partial(joint, model)
    # A parameter of no numbers, of columns that a study has not: nothing to map over.
    empty = {name: leaf for name, leaf in flat.items() if not leaf.size}
    flat = {name: leaf for name, leaf in flat.items() if leaf.size}
    nothing = {name: leaf[0] for name, leaf in empty.items()}

    def one(position: Any) -> Any:
        sites = constrain_fn(
            program,
            (observations,),
            {},
            {**position, **nothing},
            return_deterministic=True,
        )
        full = {name: leaf for name, leaf in sites.items() if name not in empty}
        return jax.tree.map(lambda leaf: leaf.astype(jnp.float32), wanted(full))

    return jax.lax.map(one, flat, batch_size=16), empty
