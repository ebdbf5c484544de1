r"""The posterior bootstrap: each draw is the mode of a perturbed objective.

Each draw reweights the items and tilts the prior in another direction,

.. math::

   \phi^* = \arg\max_\phi \; \log p(\phi) - \epsilon^\top \phi
   + \sum_i w_i \log p(y_i \mid \phi), \qquad
   w_i \sim \mathrm{Exp}(1), \quad
   \epsilon = \nabla \log p(\phi_0), \ \phi_0 \sim p

in the coordinates without bounds. The weights vary as the score of the items does, the
tilt as the prior is wide: where all is normal and the model is right, draws are from
the posterior, and a parameter that the answers say nothing of varies as its prior does.
Where the model is wrong, they vary as the estimate would with other items. Optimization
from the top to a top nearby takes a few sweeps.

Numbers that vary between annotators are tilted themselves, not their coordinates. How
far they vary is drawn first, about the fitted value, and then fixed. (Tilted,
a spread runs away: the wider it is, the less the prior holds the numbers.)

References
----------
Fong, Lyddon and Holmes (2019), Scalable nonparametric sampling from multimodal
posteriors with the posterior bootstrap. Newton and Raftery (1994), for the weights.
Bardsley, Solonen, Haario and Laine (2014), for the tilt.
"""

from collections.abc import Iterator
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

from consilience.inference.closed_form.ascent import Steps
from consilience.inference.gradient_ascent.curvature import (
    MOST,
    Whitening,
    common,
    curvature,
    marks,
    root_of_inverse,
    to_the_mean,
)
from consilience.inference.gradient_ascent.mode import (
    Mode,
    Optimized,
    mode_at,
    no_evidence,
    slope_about,
)
from consilience.inference.gradient_ascent.optimize import optimize_from
from consilience.model import Model, Parameters, sample_answers
from consilience.model.varying import plain, scale_errors, scale_site
from consilience.progress import Progress, Reporter, silent
from consilience.truth import Observations, next_size

PHASE = "posterior bootstrap"
# Nats, of a step of the optimizer: in two studies of contains with 300 answers an
# annotator, means and deviations of what all share were those of optimizations to 1e-6
# nats, but for .01.
GAIN = 1e-3


def posterior_bootstrap(
    model: Model[Any],
    summit: Optimized,
    item: Int[np.ndarray, " U"],
    steps: Steps,
    key: Key[Array, ""],
    number: int,
    report: Reporter,
) -> Iterator[Mode]:
    """Give so many draws, one after the other."""
    data, real, position, unravel = summit
    start = unravel(jnp.asarray(position))
    ground = _ground(model, summit, key, report)
    tolerance = min(steps.tolerance, GAIN / float(data.whole.total))
    shape = data.weight.shape
    none = no_evidence(data)
    items = (next_size(int(item.max()) + 1),)
    for draw in range(number):
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
            model,
            weighed,
            unravel,
            tolerance,
            none,
            place,
            steps.sweeps,
            silent,
            PHASE,
            partial(_linear_tilt, model, ground.varying, data.whole, tilt),
            ground.straight,
        )
        report(Progress(PHASE, draw + 1, number, f"draw {draw + 1} of {number}"))
        yield mode_at(model, summit, end + ground.shift)


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
        total: Float[Array, ""] = jnp.stack(each).sum()
        return total

    with_slope: tuple[Float[Array, ""], Parameters] = jax.value_and_grad(rise)(position)
    return with_slope


@partial(jax.jit, static_argnames="model")
def _prior_tilt(
    model: Model[Any],
    whole: Observations,
    spreads: Parameters,
    key: Key[Array, ""],
) -> Parameters:
    """Return the fall of the log prior where the prior has drawn a point."""
    at = {name: jnp.exp(value) for name, value in spreads.items()}
    program = condition(plain(sample_answers), at)
    sites = trace(seed(program, key)).get_trace(model, whole)
    values = {
        name: site["value"]
        for name, site in sites.items()
        if site["type"] == "sample" and not site["is_observed"]
    }
    free = unconstrain_fn(seed(program, 0), (model, whole), {}, values)

    def energy(position: Any) -> Float[Array, ""]:
        potential: Float[Array, ""] = potential_energy(
            seed(program, 0), (model, whole), {}, position
        )
        return potential

    fall = jax.grad(energy)(free)
    return {**fall, **{name: jnp.zeros(()) for name in spreads}}
