"""Draws of parameters as a result keeps them."""

from collections.abc import Collection, Iterator, Mapping

import numpy as np
from jaxtyping import Float, Shaped

TINY = 1e-300  # of a probability drawn from a Dirichlet


def stack_chains(
    values: Shaped[np.ndarray, "chain draw ..."],
) -> Shaped[np.ndarray, "..."]:
    """Return the draws of all chains, one behind the other; also where they are empty.

    A parameter has no numbers where a study lacks the columns that it weighs.
    """
    chains, draws, *rest = values.shape
    stacked: Shaped[np.ndarray, ...] = values.reshape(chains * draws, *rest)
    return stacked


def thin(
    parameters: Mapping[str, Shaped[np.ndarray, "chain draw ..."]], most: int
) -> Iterator[dict[str, Shaped[np.ndarray, "..."]]]:
    """Give draws of all chains, evenly spaced."""
    flat = {name: stack_chains(value) for name, value in parameters.items()}
    number = len(next(iter(flat.values())))
    for draw in np.unique(np.linspace(0, number - 1, min(number, most)).astype(int)):
        yield {name: np.asarray(value[draw], float) for name, value in flat.items()}


def logarithms(
    values: Mapping[str, Shaped[np.ndarray, "..."]], closed: Collection[str]
) -> dict[str, Float[np.ndarray, "..."]]:
    """Return one reported draw as closed forms have it."""
    return {
        name: np.log(np.maximum(value, TINY)) if name in closed else np.asarray(value)
        for name, value in values.items()
    }
