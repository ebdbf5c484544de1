"""Parameters of a program sampled by NumPyro's own primitives, and their axes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.handlers import seed, trace

from consilience.model.language import (
    Gamma,
    HalfNormal,
    LogDirichlet,
    Normal,
    run_by,
    sized,
)
from consilience.model.rows import RowEffects
from consilience.programs import double_precision


@dataclass
class InNumPyro:
    """Samples the parameters of a program by NumPyro's own primitives."""

    data: Any
    reported: dict[str, Callable[[], Any]] = field(default_factory=dict)

    def sample(
        self,
        name: str,
        distribution: Any,
        dims: tuple[str, ...],
        sizes: Mapping[str, int],
    ) -> Any:
        """Sample a parameter."""
        match distribution:
            case RowEffects():
                return distribution.program(self.data)
            case LogDirichlet(concentration):
                shape = sized(self.data, jnp.shape(concentration), dims, sizes)
                whole = jnp.broadcast_to(jnp.asarray(concentration), shape)
                vectors = dist.Dirichlet(whole).to_event(len(shape) - 1)
                drawn = numpyro.sample(name, vectors)
                return jnp.log(jnp.maximum(drawn, np.finfo(drawn.dtype).tiny))
            case Gamma(concentration, rate):
                standard = dist.Gamma(concentration, rate)
            case Normal(loc, scale):
                standard = dist.Normal(loc, scale)
            case HalfNormal(scale):
                standard = dist.HalfNormal(scale)
            case _:
                standard = distribution
        shape = sized(self.data, standard.batch_shape, dims, sizes)
        return numpyro.sample(name, standard.expand(shape).to_event(len(shape)))

    def deterministic(
        self, name: str, value: Callable[[], Any], dims: tuple[str, ...]
    ) -> None:
        """Keep how a quantity is computed; it is where it is reported."""
        del dims
        self.reported[name] = value


def axes_of_plates(
    program: Callable[[], Any], coding: Any
) -> dict[str, tuple[str, ...]]:
    """Return the axes of what a NumPyro program samples, by the names of its plates.

    An axis in no plate is named after the parameter.
    """
    axes, sites = {}, {}

    def run() -> None:
        with seed(rng_seed=0), trace() as traced, run_by(InNumPyro(coding)):
            program()
        sites.update(traced)

    with double_precision():
        jax.eval_shape(run)  # whatever the size of the study, nothing is computed
    for name, site in sites.items():
        rank = jnp.ndim(site["value"])
        events = site["fn"].event_dim if site["type"] == "sample" else 0
        plates = {plate.dim - events: plate.name for plate in site["cond_indep_stack"]}
        axes[name] = tuple(
            plates.get(place - rank, f"{name}_dim_{place}") for place in range(rank)
        )
    return {name: axes[name] for name in axes if sites[name]["type"] != "plate"}
