r"""How often items are called by their own label, where some answers are lapses.

Of the answers about item i a share :math:`\epsilon` are lapses, which give another
label whatever the item shows; the rest give its own with chance

.. math::

   u_i \sim \mathrm{Beta}\bigl(s m, \; s (1 - m)\bigr), \qquad
   m = \kappa / (1 - \epsilon)

where :math:`\kappa` is how often items of the class are called by their own label. So
that an answer is another label says less of the item than it seems, and no item is
called by one label alone, however many answer. Which of the others were lapses is
summed out: k of n answers give the own label with

.. math::

   \sum_{h=k}^{n} \binom{n-k}{h-k} \epsilon^{n-h} (1-\epsilon)^h
   \frac{B\bigl(sm + k, \; s(1-m) + h - k\bigr)}{B\bigl(sm, \; s(1-m)\bigr)} .

References
----------
Wichmann and Hill (2001), The psychometric function I, section 2, for lapses.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import betaln, xlogy
from jaxtyping import Array, Float, Int
from scipy.special import gammaln

from consilience.analysis.namings import Namings

_MOST = 1 - 1e-6  # of the share of own labels among answers that are no lapses


class Kept(NamedTuple):
    """Answers that give an item's own label, and how many others were no lapses.

    Letters: I items; a row is an item and a number of answers that were no lapses.

    Attributes
    ----------
    own, others
        Answers that give the own label, and that do not.
    item, heeded, ways
        Of each row: which item, how many answers were no lapses, and log in how many
        ways. The rows of an item stand together.
    """

    own: Int[np.ndarray, " I"]
    others: Int[np.ndarray, " I"]
    item: Int[np.ndarray, " R"]
    heeded: Int[np.ndarray, " R"]
    ways: Float[np.ndarray, " R"]


def kept(namings: Namings) -> Kept:
    """Count the answers that give the own label, and list what may have been lapses."""
    items = len(namings.own)
    mine = namings.label == namings.own[namings.item]
    own = np.bincount(namings.item, namings.votes * mine, items)
    own = np.rint(own).astype(int)
    others = np.bincount(namings.item, namings.votes * ~mine, items)
    others = np.rint(others).astype(int)
    item = np.repeat(np.arange(items), others + 1)
    first = np.cumsum(others + 1) - others - 1
    true = np.arange(len(item)) - first[item]
    lapses = others[item] - true
    ways = gammaln(others[item] + 1) - gammaln(true + 1) - gammaln(lapses + 1)
    return Kept(own, others, item, own[item] + true, ways)


def among_heeded(
    share: Float[Array, "*n"] | Float[np.ndarray, "*n"],
    lapse: Float[Array, ""] | float,
) -> Float[Array, "*n"]:
    """Return the share of own labels among answers that are no lapses."""
    found: Float[Array, "*n"] = jnp.minimum(share / (1 - lapse), _MOST)
    return found


def log_chances(
    counts: Kept,
    share: Float[Array, " I"] | Float[np.ndarray, " I"],
    precision: Float[Array, " I"] | Float[np.ndarray, " I"],
    lapse: Float[Array, ""] | float,
) -> Float[Array, " R"]:
    """Return the log probability of each row: which answers, and how many were lapses.

    Parameters
    ----------
    counts
        Answers about each item.
    share
        How often each item's class is called by its own label.
    precision
        How closely each item keeps to that, in answers.
    lapse
        Share of answers that are lapses.
    """
    mean = among_heeded(share, lapse)
    yes, no = (precision * mean)[counts.item], (precision * (1 - mean))[counts.item]
    own, heeded = counts.own[counts.item], counts.heeded
    lapses = (own + counts.others[counts.item] - heeded).astype(float)
    found: Float[Array, " R"] = (
        counts.ways
        + xlogy(lapses, lapse)
        + heeded * jnp.log1p(-lapse)
        + betaln(yes + own, no + heeded - own)
        - betaln(yes, no)
    )
    return found
