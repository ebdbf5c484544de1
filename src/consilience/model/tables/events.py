r"""Which events of the parameters enter the cells of an emission's tables.

Of a model of tables, log p(answer | state) of every part of its emission is a sum of
log probabilities that are its parameters (and of constants):

.. math::

   \log \theta_{pjkl} = c_{pjkl} + \sum_a \log \phi_{a, i_a(p, j, k, l)}.

So the expected count of each event is a sum of expected answers over the cells that it
enters, which :math:`i_a` says. It is read off the emission itself, once, by passing it
numbers instead of parameters.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from consilience.model.emissions.emission import ByTables
from consilience.model.tables.scores import parts_and_shares

type Events = Callable[[Float[np.ndarray, "..."]], Float[np.ndarray, "..."]]


def events_in_cells(
    emission: Callable[[Mapping[str, Float[np.ndarray, "..."]]], ByTables],
    shapes: Mapping[str, tuple[int, ...]],
) -> dict[str, tuple[Events | None, Events | None]]:
    """Return how the counts of parts and of shares are summed for each parameter."""
    zeros = {name: np.zeros(shape) for name, shape in shapes.items()}
    constant = parts_and_shares(emission(zeros))
    places = {}
    for name, shape in shapes.items():
        number = 1.0 + np.arange(np.prod(shape)).reshape(shape)
        filled = parts_and_shares(emission({**zeros, name: number}))
        in_parts, in_share = (
            _events(np.rint(with_it - without).astype(np.int64), shape)
            for with_it, without in zip(filled, constant, strict=True)
        )
        places[name] = in_parts, in_share
    return places


def _events(place: Int[np.ndarray, "..."], shape: tuple[int, ...]) -> Events | None:
    """Return how counts are summed over all cells that each event enters, if any."""
    flat, number = place.ravel(), int(np.prod(shape))
    if not flat.any():
        return None
    if len(flat) == number and (flat == np.arange(1, number + 1)).all():
        return lambda counts: counts.reshape(shape)

    def summed(counts: Any) -> Any:
        whole = np.broadcast_to(counts, place.shape).ravel()
        return np.bincount(flat, whole, number + 1)[1:].reshape(shape)

    return summed
