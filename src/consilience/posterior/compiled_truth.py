"""The posterior of the truth by draw, under models that JAX lays out."""

from functools import partial
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float

from consilience.model import (
    AnnotatorModel,
    belief,
    can_be_replayed,
    lay_out,
    posterior_of_truth,
    replayed,
    score,
    some_draws,
)
from consilience.truth import Observations, Space


def compiled_truth(
    model: AnnotatorModel[Any], space: Space, values: dict[str, Any], most: int
) -> Float[np.ndarray, "D U S"] | None:
    """Return P(state) of each unit, draw by draw.

    None where the parameters do not say all that the emission wants.

    Parameters
    ----------
    model, space
        Who was fitted, and to what.
    values
        Draws of the parameters by name.
    most
        Draws to look at.
    """
    with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        observations = lay_out(model, space)
        if not can_be_replayed(model, observations, values.keys()):
            return None
        return np.stack(
            [
                np.asarray(_read(model, observations, draw))
                for draw in some_draws(values, most)
            ]
        )


@partial(jax.jit, static_argnames="model")
def _read(
    model: AnnotatorModel[Any], observations: Observations, draw: Any
) -> Float[Array, "P S"]:
    parameters = replayed(model, observations, draw)
    return posterior_of_truth(model, belief(score(model, observations, parameters)))
