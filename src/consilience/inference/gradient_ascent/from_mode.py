"""NUTS from the mode, in the metric of the curvature there.

With some hundreds of parameters, an optimization and as many pairs of gradients give
what a long warm-up would learn: where the posterior is, and its covariance there
(Laplace's approximation). Chains start spread about the mode, wider than that, and warm
up the size of their steps alone. Each runs in a thread of its own through one compiled
program, so that none waits for another's longer path.

References
----------
Tierney and Kadane (1986), Accurate approximations for posterior moments and marginal
densities, for the covariance. Gelman and Rubin (1992), section 2, for starts that are
spread wider than the posterior.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from os import cpu_count
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro  # noqa: F401 (whole before its parts: see `model.program`)
from jaxtyping import Array, Float, Key
from numpyro.infer.hmc import hmc
from numpyro.infer.util import ParamInfo, potential_energy

from consilience.errors import FitError
from consilience.inference.closed_form.ascent import Steps
from consilience.inference.gradient_ascent.curvature import curvature, root_of_inverse
from consilience.inference.gradient_ascent.mode import (
    Optimized,
    energy_and_slope,
    no_evidence,
    slope_about,
)
from consilience.inference.gradient_ascent.optimize import ascend
from consilience.model import Model, Parameters, joint
from consilience.progress import Reporter, silent
from consilience.truth import Observations, Space

WIDE = 2.0  # starts are drawn so many times as wide as the curvature says
FIELDS = ("z", "diverging", "num_steps", "accept_prob", "energy")


class Laplace(NamedTuple):
    """The mode, without bounds, how it was found, and the covariance about it."""

    summit: Optimized
    covariance: Float[np.ndarray, "P P"]


def find_mode(
    model: Model[Any],
    space: Space,
    key: Key[Array, ""],
    report: Reporter = silent,
) -> Laplace:
    """Optimize, and compute the curvature at the mode by differences of gradients."""
    _, _, summit = ascend(model, space, Steps(), key, report, pad=False)
    place = np.asarray(summit.position, float)
    every = np.arange(len(place))
    root = root_of_inverse(curvature(slope_about(model, summit), place, every, report))
    return Laplace(summit, root @ root.T)


def starts(
    model: Model[Any], mode: Laplace, key: Key[Array, ""], chains: int
) -> list[ParamInfo]:
    """Draw where each chain starts, with energy and slope; nearer where it has none."""
    summit, covariance = mode
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
            msg = "the density is not finite about the mode; check priors"
            raise FitError(msg)
        starts.append(ParamInfo(place, energy, slope))
    return starts


def chains_from(
    model: Model[Any],
    observations: Observations,
    mode: Laplace,
    key: Key[Array, ""],
    effort: tuple[int, float, int, int],
) -> tuple[list[Any], Callable[..., tuple[list[Any], Mapping[str, Any]]]]:
    """Return the chains' first states, and how to go on from them."""
    tune, target, chains, length = effort
    of_start, of_chains = jax.random.split(key)
    begin, block = _kernel(model, tune, target, length)
    states = [
        begin(observations, start, mode.covariance, jax.random.fold_in(of_chains, at))
        for at, start in enumerate(starts(model, mode, of_start, chains))
    ]
    precise = jnp.result_type(float) == jnp.float64

    def one(state: Any, observations: Observations) -> tuple[Any, Mapping[str, Any]]:
        with jax.enable_x64(precise):  # what is set of JAX is set of a thread
            state, drawn = block(state, observations)
            return state, jax.tree.map(np.asarray, drawn)

    def together(
        states: list[Any], observations: Observations
    ) -> tuple[list[Any], Mapping[str, Any]]:
        with ThreadPoolExecutor(cpu_count()) as pool:
            ended = list(pool.map(partial(one, observations=observations), states))
        drawn = jax.tree.map(
            lambda *leaves: np.stack(leaves, axis=1), *(new for _, new in ended)
        )
        return [state for state, _ in ended], drawn

    return states, together


@lru_cache(maxsize=8)
def _kernel(
    model: Model[Any], tune: int, target: float, length: int
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return how to start and to go on; fits of one size share what is compiled."""
    init, sample = hmc(potential_fn_gen=partial(_potential, model), algo="NUTS")

    def begin(
        observations: Observations, start: ParamInfo, covariance: Any, key: Any
    ) -> Any:
        return init(
            start,
            tune,
            inverse_mass_matrix=jnp.asarray(covariance),
            adapt_mass_matrix=False,
            dense_mass=True,
            target_accept_prob=target,
            model_args=(observations,),
            rng_key=key,
        )

    @jax.jit
    def block(state: Any, observations: Observations) -> Any:
        def step(state: Any, _: None) -> Any:
            state = sample(state, (observations,))
            return state, {name: getattr(state, name) for name in FIELDS}

        return jax.lax.scan(step, state, None, length=length)

    return begin, block


def _potential(
    model: Model[Any], observations: Observations
) -> Callable[[Parameters], Float[Array, ""]]:
    program = partial(joint, model)

    def energy(position: Parameters) -> Float[Array, ""]:
        potential: Float[Array, ""] = potential_energy(
            program, (observations,), {}, position
        )
        return potential

    return energy
