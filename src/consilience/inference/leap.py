"""A leap along two fixed-point steps of a learned concentration.

The fixed point moves by ever shorter steps in much the same direction. Two of them say
where many would lead (Varadhan and Roland 2008, scheme S3, here in logarithms). The
leap is taken only where what the steps climb, the Dirichlet-multinomial probability of
the counts and the hyperprior, gains by it, so it is an ascent like them.
"""

from collections.abc import Sequence

import jax.numpy as jnp
from jax.scipy.special import gammaln
from jaxtyping import Array, Float

from consilience.model import Dirichlet

FARTHEST = 100.0  # steps that a leap may stand for
TINY = 1e-300  # keeps a bend of zero from dividing


def leap(
    prior: Dirichlet,
    counts: Float[Array, "*batch L"],
    path: Sequence[Float[Array, "*shared L"]],
) -> Float[Array, "*shared L"]:
    """Return the concentration a leap away, or the path's end where that is better.

    Parameters
    ----------
    prior
        The prior whose concentration is learned.
    counts
        Expected counts of every vector that shares it.
    path
        Where the concentration was, and after one step and two.
    """
    before, middle, after = path
    first = jnp.log(middle / before)
    bend = jnp.log(after / middle) - first
    length, turn = (
        jnp.linalg.norm(step, axis=-1, keepdims=True) for step in (first, bend)
    )
    size = jnp.clip(length / jnp.maximum(turn, TINY), 1.0, FARTHEST)
    far = before * jnp.exp(2 * size * first + size**2 * bend)
    gains = evidence(prior, counts, far) >= evidence(prior, counts, after)
    return jnp.where(gains, far, after)


def evidence(
    prior: Dirichlet,
    counts: Float[Array, "*batch L"],
    concentration: Float[Array, "*shared L"],
) -> Float[Array, "*shared 1"]:
    """Return what a learned concentration climbs, of each that is shared.

    The Dirichlet-multinomial log probability of the counts, vectors integrated out, and
    the hyperprior; up to a constant.
    """
    total = concentration.sum(-1, keepdims=True)
    each = gammaln(counts + concentration) - gammaln(concentration)
    whole = gammaln(counts.sum(-1, keepdims=True) + total) - gammaln(total)
    rows = each.sum(-1, keepdims=True) - whole
    rows = rows.sum(tuple(range(counts.ndim - concentration.ndim)))
    alike = [axis for axis in range(rows.ndim - 1) if concentration.shape[axis] == 1]
    hyper = prior.concentration * jnp.log(concentration) - concentration
    held = 0.0 if prior.held is None else prior.held
    return rows.sum(alike, keepdims=True) + held * hyper.sum(-1, keepdims=True)
