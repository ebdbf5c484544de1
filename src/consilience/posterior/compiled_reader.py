"""Evaluate all draws of models with JAX layouts by one compiled program."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

import jax
import numpy as np

from consilience.model import (
    Model,
    belief,
    can_restore_parameters,
    derived,
    from_draw,
    lay_out,
    marginal,
    posterior_of_truth,
    score,
)
from consilience.programs import drop_programs
from consilience.truth import Observations, Space


def compiled_reader(
    model: Model[Any], space: Space, names: Collection[str]
) -> Callable[[Mapping[str, Any]], Any] | None:
    """Return how a draw is read: posterior of the truth, likelihood, what follows.

    None where parameters of these names do not say all that the answers need.
    """
    drop_programs()
    with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        observations = lay_out(model, space)
        if not can_restore_parameters(model, observations, names):
            return None

    def read(draw: Mapping[str, Any]) -> Any:
        with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
            values = _read(model, observations, dict(draw))
        return jax.tree.map(np.asarray, values)

    return read


@partial(jax.jit, static_argnames="model")
def _read(model: Model[Any], observations: Observations, draw: Any) -> Any:
    ran = from_draw(model, observations, draw)
    scores = score(ran, observations)
    truth = posterior_of_truth(model, belief(scores))
    return truth, marginal(scores), derived(ran, observations)
