"""What a panel of more annotators would call the items, from few answers to each.

The label that most of a few annotators give is more often another than the data set's
own than that of many: noise rarely speaks for the class. So a panel is drawn: those who
have answered, and new annotators up to its size, who answer as the item's posterior has
it (its class's naming, how closely items keep to that, and the answers there are).

New answers are drawn one by one, each as one of those before it or afresh from the
naming of the class: Polya's urn, whose outcome is Dirichlet-multinomial.

References
----------
Blackwell and MacQueen (1973), Ferguson distributions via Polya urn schemes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import gammaln

from consilience.analysis.naming_prior import Learned, Naming
from consilience.analysis.namings import Namings


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    """Answers as rows: of each item the labels given, in no order; -1 is padding."""

    label: Int[np.ndarray, "I n"]
    number: Int[np.ndarray, " I"]


def called_otherwise(
    learned: Learned, sizes: Sequence[int], *, draws: int, seed: int
) -> Float[np.ndarray, "D P"]:
    """Draw the share of items that most of a panel call otherwise than their class.

    Parameters
    ----------
    learned
        What the answers say of how items are called.
    sizes
        Annotators on each panel, those who have answered among them.
    draws
        D, how many: of the weights, the namings of classes, and the answers to come.
    seed
        Of random numbers.
    """
    generator = np.random.default_rng(seed)
    namings = learned.namings
    given = _as_rows(namings)
    found = np.empty((draws, len(sizes)))
    for row in found:
        naming = learned.draw(generator)
        votes = _drawn(naming, namings, given, max(sizes), generator)
        for place, size in enumerate(sizes):
            row[place] = (_winner(votes, given.number, size) != namings.own).mean()
    return found


def _as_rows(namings: Namings) -> _Given:
    count = namings.votes.astype(int)
    item, label = np.repeat(namings.item, count), np.repeat(namings.label, count)
    number = np.bincount(item, minlength=len(namings.own))
    start = np.cumsum(number) - number
    rows = np.full((len(number), int(number.max(initial=1))), -1)
    rows[item, np.arange(len(item)) - start[item]] = label
    return _Given(rows, number)


def _drawn(
    naming: Naming,
    namings: Namings,
    given: _Given,
    most: int,
    generator: np.random.Generator,
) -> Int[np.ndarray, "I m"]:
    """Draw answers until every item has so many."""
    theta = generator.standard_gamma(naming.concentration)
    theta /= np.maximum(theta.sum(1, keepdims=True), 1e-300)
    spread = _spread(naming, namings, theta, generator)
    items, told = given.label.shape
    votes = np.full((items, max(most, told)), -1)
    votes[:, :told] = given.label
    ladder = np.cumsum(theta, axis=1)
    ladder += np.arange(len(ladder))[:, None]  # one ladder for all classes
    for place in range(votes.shape[1]):
        those = np.flatnonzero(given.number <= place)
        fresh = generator.random(len(those)) * (spread[those] + place) < spread[those]
        before = (generator.random(len(those)) * max(place, 1)).astype(int)
        own = namings.own[those]
        step = own + generator.random(len(those)) * (ladder[own, -1] - own)
        new = np.searchsorted(ladder.ravel(), step) - own * ladder.shape[1]
        new = np.minimum(new, ladder.shape[1] - 1)
        votes[those, place] = np.where(fresh, new, votes[those, before])
    return votes


def _spread(
    naming: Naming,
    namings: Namings,
    theta: Float[np.ndarray, "K K"],
    generator: np.random.Generator,
) -> Float[np.ndarray, " I"]:
    """Draw how closely each item keeps to the naming of its class."""
    mean = np.maximum(theta[namings.own[namings.item], namings.label], 1e-300)
    items = len(namings.own)
    answers = np.bincount(namings.item, namings.votes, items)
    logs = []
    for spread, share in zip(naming.spreads, naming.shares, strict=True):
        # log of the rising factorial, exact also where its start is next to nothing
        rising = gammaln(spread * mean + namings.votes) - gammaln(spread * mean)
        each = np.bincount(namings.item, np.where(namings.votes > 0, rising, 0), items)
        whole = gammaln(spread + answers) - gammaln(spread)
        logs.append(np.log(share) + each - whole)
    odds = np.clip(logs[0] - logs[1], -500, 500)
    first: Bool[np.ndarray, " I"] = generator.random(items) < 1 / (1 + np.exp(-odds))
    found: Float[np.ndarray, " I"] = np.where(first, *naming.spreads)
    return found


def _winner(
    votes: Int[np.ndarray, "I m"], number: Int[np.ndarray, " I"], size: int
) -> Int[np.ndarray, " I"]:
    """Return the label most of a panel give, on a tie the first: order says nothing."""
    counted = np.arange(votes.shape[1]) < np.maximum(size, number)[:, None]
    same = (votes[:, :, None] == votes[:, None, :]) & counted[:, None, :]
    often = np.where(counted, same.sum(2), 0)
    found: Int[np.ndarray, " I"] = votes[np.arange(len(votes)), often.argmax(1)]
    return found
