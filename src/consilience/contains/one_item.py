r"""Pairs of one item modelled together: exact sums over what they share.

An item makes all its labels look more, or less, to be there: an effect :math:`v_i`, on
nodes. Given it, labels that are not similar are independent. Of similar labels, an
absent one looks more to be there where another is there (its *context*), and more still
where none that is there was shown with it. With :math:`A_u`, :math:`A'_u`,
:math:`A''_u` the likelihoods of an absent label without context, with it, and with one
not shown, and :math:`B_u` that of a label that is there, each times its prior
probability, the sum over all labels of a set that may be there is, with a part for
those shown together,

.. math::

   \prod_{u} A_u
   + \prod_{\text{parts}} \Bigl[\prod_u A''_u + S\Bigr]
   - \prod_{u} A''_u, \qquad
   S = \prod_u (A'_u + B_u) - \prod_u A'_u

with :math:`S` the part in which some label is there. So it costs as much as independent
labels do. Each likelihood enters each term once at most, so the posterior of a label's
kind is the slope of the log of the sum in the log of its likelihood.
"""

import jax
import jax.numpy as jnp
from jax.nn import logsumexp, softplus
from jaxtyping import Array, Float

from consilience.contains.item_label_pairs import Pairs
from consilience.contains.label_kinds import item_nodes

MIN_PROBABILITY = 1e-300  # a chance that is taken for none
WHOLE = 30.0  # log odds beyond which exp(x) - 1 is exp(x)


def of_items(pairs: Pairs, likelihood: Float[Array, "K P M"]) -> Float[Array, " I"]:
    """Return the log-likelihood of each item."""
    together = pairs.together
    absent, present = likelihood[0], likelihood[-1]
    if not pairs.similar:
        sets = together.sets @ (together.parts @ jnp.logaddexp(absent, present))
    else:
        shown, not_shown = likelihood[1], likelihood[-2]
        sums = [absent, shown, not_shown, softplus(present - shown)]
        nobody, all_shown, elsewhere, rise = jnp.split(
            together.parts @ jnp.concatenate(sums, 1), 4, 1
        )
        somebody = all_shown + _log_expm1(rise)
        more = softplus(somebody - elsewhere)
        nobody, elsewhere, rise = jnp.split(
            together.sets @ jnp.concatenate([nobody, elsewhere, more], 1), 3, 1
        )
        sets = jnp.logaddexp(nobody, elsewhere + _log_expm1(rise))
    _, weight = item_nodes(pairs)
    return logsumexp(together.items @ sets + weight, axis=1)


def belief_of_kinds(
    pairs: Pairs, likelihood: Float[Array, "K P M"]
) -> tuple[Float[Array, " I"], Float[Array, "K P M"]]:
    """Return the log-likelihood of each item, and p(kind, effect | its answers).

    Parameters are those of `of_items`.
    """

    def total(likelihood: Float[Array, "K P M"]) -> tuple[Array, Array]:
        items = of_items(pairs, likelihood)
        return items.sum(), items

    (_, items), belief = jax.value_and_grad(total, has_aux=True)(likelihood)
    return items, belief


def _log_expm1(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Return log(exp(x) - 1) of what is above zero."""
    small = jnp.clip(x, MIN_PROBABILITY, WHOLE)
    return jnp.where(x > WHOLE, x, jnp.log(jnp.expm1(small)))
