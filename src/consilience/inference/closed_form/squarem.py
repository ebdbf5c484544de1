"""A long step along two sweeps, which is kept if the objective increases.

EM moves by ever shorter steps in much the same direction; two of them say where many
would lead (Varadhan and Roland 2008, scheme S3). Counts and learned concentrations are
extrapolated in their logarithms: with linear steps, `community_bcc` took half
as many again.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from consilience.model import Parameters

# Sweeps that a step may stand for: at first, at least, and by what that grows where
# steps as long have gained, and shrinks where they have not.
FARTHEST, NEAREST, GROWTH = 64.0, 2.0, 4.0
FLOOR = 1e-3  # answers; of smaller counts the logarithm would lead too far
TINY = 1e-300  # keeps a bend of zero from dividing


class Optimum(NamedTuple):
    """The state of the optimizer.

    Expected counts and concentrations of the parameters with Dirichlet priors, by name,
    values of those that are free numbers, and where candidates have columns the
    logarithms of prevalence and the weights.
    """

    counts: Mapping[str, Float[np.ndarray, "..."]]
    concentration: Mapping[str, Float[np.ndarray, "..."]]
    free: Parameters = {}  # noqa: RUF012 (a tuple's default; never changed)
    logit: Parameters = {}  # noqa: RUF012


def extrapolated(
    path: tuple[Optimum, Optimum, Optimum], farthest: float
) -> tuple[Optimum | None, bool]:
    """Return where many sweeps would lead, and whether they were as many as may be."""
    if not path[0].counts:
        return None, False
    before, middle, after = map(_flat, path)
    first = middle - before
    bend = after - middle - first
    size = _length(first) / max(_length(bend), TINY)
    if not size > 1:
        return None, False
    capped, size = size > farthest, min(size, farthest)
    return _filled(before + 2 * size * first + size**2 * bend, path[2]), capped


def _length(step: Float[np.ndarray, " P"]) -> float:
    # Not the norm of linear algebra, whose threads wait longer than this takes.
    return float(np.sqrt(np.einsum("p,p", step, step)))


def _flat(where: Optimum) -> Float[np.ndarray, " P"]:
    parts = [np.log(np.ravel(counts) + FLOOR) for counts in where.counts.values()]
    parts += [
        np.log(np.ravel(concentration))
        for concentration in where.concentration.values()
    ]
    return np.concatenate(parts)


def _filled(flat: Float[np.ndarray, " P"], like: Optimum) -> Optimum | None:
    parts = [*like.counts.values(), *like.concentration.values()]
    ends = np.cumsum([part.size for part in parts])
    with np.errstate(over="ignore"):
        pieces = np.split(np.exp(flat), ends[:-1])
    shaped = [
        piece.reshape(part.shape) for piece, part in zip(pieces, parts, strict=True)
    ]
    number = len(like.counts)
    counts = {
        name: np.maximum(value - FLOOR, 0.0)
        for name, value in zip(like.counts, shaped, strict=False)
    }
    concentration = dict(zip(like.concentration, shaped[number:], strict=True))
    every = [*counts.values(), *concentration.values()]
    if not all(np.isfinite(values).all() for values in every):
        return None
    if not all((values > 0).all() for values in concentration.values()):
        return None
    return like._replace(counts=counts, concentration=concentration)
