"""Stochastic variational inference: minibatches of units, for what is too big for NUTS.

The guide is a normal in the unconstrained space, each coordinate on its own. Each step
looks at one batch of units, scaled up to all; which batch is drawn inside the compiled
program. The learning rate falls along a cosine to zero, so the end averages over noise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro  # noqa: F401 (whole before its parts: see `model.program`)
import optax
from jaxtyping import Float
from numpyro.handlers import seed, substitute, trace
from numpyro.infer import SVI, Trace_ELBO
from numpyro.infer.autoguide import AutoNormal
from numpyro.optim import optax_to_numpyro

from consilience.continuing import Loop
from consilience.inference.engines.nuts import start_at, with_guess
from consilience.inference.options import Seed, key_of
from consilience.inference.result import MAX_KEPT, Optimization, Result, of_draws
from consilience.model import (
    SCORE,
    Model,
    Parameters,
    belief,
    joint,
    marginal,
    posterior_of_truth,
)
from consilience.progress import Progress, Reporter, silent
from consilience.truth import Observations, Space, minibatches, observe

BLOCK = 100  # steps between looks at the clock and the keyboard
# The last tenth may gain this much per answer and still count as settled, in nats.
SETTLED = 1e-2

NEEDS_DRAWS, HAS_CLOSED_FORM = True, False


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings of the optimizer.

    Attributes
    ----------
    steps
        Gradient steps.
    batch
        Units in a minibatch.
    rate
        Learning rate at the start.
    draws
        Draws from the guide.
    prob
        Probability that an interval holds.
    """

    steps: int = 5000
    batch: int = 1000
    rate: float = 0.02
    draws: int = 200
    prob: float = 0.9


def fit(
    model: Model[Any],
    space: Space,
    seed: Seed,
    effort: Options,
    report: Reporter = silent,
) -> Result:
    """Fit by stochastic variational inference."""
    _, of_start, of_posterior, of_deal = jax.random.split(key_of(seed), 4)
    whole, values = with_guess(model, space, observe(space), seed)
    size = min(effort.batch, space.num_units)
    deal = int(jax.random.randint(of_deal, (), 0, 2**31 - 1))
    batches = minibatches(space, size, deal)
    start, block, draw = _compiled(model, effort.rate, effort.steps, effort.draws)
    state = start(of_start, whole, values)
    leaves, shape = jax.tree.flatten(state)
    saved: dict[str, Any] = {"leaves": leaves, "gains": []}
    for number in Loop("svi", saved, -(-effort.steps // BLOCK), fewest=1):
        state = jax.tree.unflatten(shape, saved["leaves"])
        state, gained = block(state, batches, whole)
        saved["leaves"], gains = jax.tree.leaves(state), saved["gains"]
        gains.append(float(gained.mean()))
        done = min((number + 1) * BLOCK, effort.steps)
        report(Progress("svi", done, effort.steps, f"ELBO about {gains[-1]:,.1f}"))
    state, gains = jax.tree.unflatten(shape, saved["leaves"]), saved["gains"]
    posterior = draw(of_posterior, state, whole)
    sites, truth, likelihood = _read(model, whole, posterior)
    settled = np.asarray([len(gains) > 1 and _settled(gains, len(space.unit))])
    return of_draws(
        {name: value[None] for name, value in sites.items()},
        truth[None],
        likelihood[None],
        effort.prob,
        Optimization("ELBO of minibatches", np.asarray(gains)[None], settled, 0),
        ("svi assumes independent parameters: intervals may be narrow",),
    )


@lru_cache(maxsize=8)
def _compiled(
    model: Model[Any], rate: float, steps: int, draws: int
) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """Return how to start, go on and draw; fits of one size share what is compiled."""

    def begin(key: Any, whole: Observations, values: Parameters) -> Any:
        guide = AutoNormal(partial(joint, model), init_loc_fn=start_at(values))
        schedule = optax.cosine_decay_schedule(rate, steps)
        optimizer = optax_to_numpyro(optax.adam(schedule))
        svi = SVI(partial(joint, model), guide, optimizer, Trace_ELBO())
        return svi, guide, svi.init(key, whole)

    @jax.jit
    def start(key: Any, whole: Observations, values: Parameters) -> Any:
        return begin(key, whole, values)[2]

    @jax.jit
    def block(state: Any, batches: Observations, whole: Observations) -> Any:
        # Started again for its guide only; where that begins is dropped by the
        # compiler.
        svi, _, _ = begin(state.rng_key, whole, {})
        number = batches.scale.shape[0]

        def step(state: Any, _: None) -> Any:
            pick = jax.random.randint(
                jax.random.fold_in(state.rng_key, 1), (), 0, number
            )
            batch = jax.tree.map(lambda leaf: leaf[pick], batches)
            state, loss = svi.update(state, batch)
            return state, -loss

        return jax.lax.scan(step, state, None, length=BLOCK)

    @jax.jit
    def draw(key: Any, state: Any, whole: Observations) -> Any:
        svi, guide, _ = begin(key, whole, {})
        return guide.sample_posterior(key, svi.get_params(state), sample_shape=(draws,))

    return start, block, draw


def _settled(values: list[float], answers: int) -> bool:
    tenth = max(len(values) // 10, 1)
    gain = np.mean(values[-tenth:]) - np.mean(values[-2 * tenth : -tenth])
    return bool(abs(gain) < SETTLED * answers)


def _read(
    model: Model[Any], whole: Observations, posterior: Any
) -> tuple[
    dict[str, Float[np.ndarray, "draw ..."]],
    Float[np.ndarray, "kept U S"],
    Float[np.ndarray, "kept U"],
]:
    truth, likelihood, sites = _read_flat(model, posterior, whole)
    every = -(-truth.size // MAX_KEPT)
    return (
        {name: np.asarray(value) for name, value in sites.items()},
        np.asarray(truth)[::every],
        np.asarray(likelihood)[::every],
    )


@partial(jax.jit, static_argnames="model")
def _read_flat(model: Model[Any], posterior: Any, whole: Observations) -> Any:
    program = partial(joint, model)

    def one(sites: Any) -> Any:
        fixed = substitute(seed(program, rng_seed=0), data=sites)
        values = {
            name: site["value"]
            for name, site in trace(fixed).get_trace(whole).items()
            if site["type"] in ("sample", "deterministic")
            and not site.get("is_observed", False)
        }
        scores = values.pop(SCORE)
        small = (posterior_of_truth(model, belief(scores)), marginal(scores), values)
        return jax.tree.map(lambda leaf: leaf.astype(jnp.float32), small)

    return jax.lax.map(one, posterior, batch_size=4)
