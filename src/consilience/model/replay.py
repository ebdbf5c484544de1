"""The parameters of a model again, from what a result reports of them."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Shaped
from numpyro.handlers import seed, substitute

from consilience.model.contract import AnnotatorModel, Parameters
from consilience.model.prior_of_truth import WEIGHT
from consilience.model.program import sample_parameters
from consilience.truth import Observations

TINY = 1e-300  # of a probability drawn from a Dirichlet


def joined(values: Shaped[np.ndarray, "chain draw ..."]) -> Shaped[np.ndarray, "..."]:
    """Return the draws of all chains, one behind the other; also where they are empty.

    A parameter has no numbers where a study lacks the columns that it weighs.
    """
    chains, draws, *rest = values.shape
    found: Shaped[np.ndarray, ...] = values.reshape(chains * draws, *rest)
    return found


def some_draws(
    parameters: Mapping[str, Shaped[np.ndarray, "chain draw ..."]], most: int
) -> Iterator[dict[str, Shaped[np.ndarray, "..."]]]:
    """Give draws of all chains, evenly spaced.

    Parameters
    ----------
    parameters
        Draws of each parameter by name.
    most
        How many to give; fewer where there are fewer.
    """
    flat = {name: joined(value) for name, value in parameters.items()}
    number = len(next(iter(flat.values())))
    for draw in np.unique(np.linspace(0, number - 1, min(number, most)).astype(int)):
        yield {name: np.asarray(value[draw], float) for name, value in flat.items()}


def can_be_replayed(
    model: AnnotatorModel[Any], observations: Observations, names: Collection[str]
) -> bool:
    """Return whether parameters of some names say all that the emission wants.

    They do not where a program samples coordinates that the data prepared.
    """
    closed = set[str]()
    if model.dirichlet is not None:
        closed = set(model.dirichlet(observations, model.prior))
    if closed and closed <= set(names):
        return True
    return model.prepare is None and model.dirichlet is None


def replayed(
    model: AnnotatorModel[Any],
    observations: Observations,
    values: Mapping[str, Shaped[np.ndarray | Array, "..."]],
) -> Parameters:
    """Return parameters as the emission wants them, from one reported draw.

    Closed forms want the logarithms of what they report; a program is run again with
    what it had sampled.

    Parameters
    ----------
    model
        Who was fitted.
    observations
        The answers it was fitted to, prepared as they were then.
    values
        One draw of each parameter by name, probabilities as such.
    """
    prior = model.prior
    closed = {} if model.dirichlet is None else model.dirichlet(observations, prior)
    if closed and closed.keys() <= values.keys():
        free = set() if model.normal is None else {*model.normal(observations, prior)}
        if observations.beforehand is not None:
            free = {*free, WEIGHT}
        logs = {name: jnp.log(jnp.maximum(values[name], TINY)) for name in closed}
        return {**logs, **{name: jnp.asarray(values[name]) for name in free}}
    drawn = {name: jnp.asarray(value) for name, value in values.items()}
    program = seed(substitute(sample_parameters, data=drawn), jax.random.key(0))
    parameters: Parameters = program(model, observations)
    return parameters
