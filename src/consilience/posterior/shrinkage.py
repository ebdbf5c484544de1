r"""Probabilities of single annotators, drawn towards those of the population.

Of the answers of an annotator about items of one true label, :math:`n` in all, those
that give label l are :math:`c_l`. Annotators are Dirichlet about the population's
:math:`p`, with a precision :math:`a` in answers,

.. math::

   \theta \sim \mathrm{Dir}(a p), \quad c \mid \theta \sim \mathrm{Mult}(n, \theta),
   \qquad
   E[\theta_l \mid a, c] = \frac{c_l + a p_l}{n + a} .

The answers of all annotators tell :math:`a`: their Dirichlet-multinomial probability,
times a wide normal prior of :math:`\log a`, is integrated over a grid. The bounds of an
annotator are those of the Beta distribution with the mean and the variance that result,
what is unknown of the population included. That its shares are estimated from the same
answers is not: with few annotators :math:`a` comes out somewhat too large (by a fifth
with twenty annotators of seven answers a row), and bounds somewhat narrow.

References
----------
Minka (2000), Estimating a Dirichlet distribution. Gelman et al. (2013), Bayesian Data
Analysis, section 5.3, for the grid.
"""

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped

from consilience.class_confusion.confusion_posterior import beta_from_moments
from consilience.intervals import beta_bounds
from consilience.posterior.stored import Estimate, category, confusion_frame, holding
from consilience.ragged import places_within
from consilience.when_used import special

# Who gave them, pair of true and given label, and how many.
type Answers = tuple[
    Int[np.ndarray, " A"], Int[np.ndarray, " A"], Float[np.ndarray, " A"]
]
# Of the logarithm of the precision: between a twentieth of an answer and 400, nineteen
# times in twenty. Judgement: where nobody has two answers of a kind, that is all.
CENTRE, SPREAD = np.log(4.0), 2.3
_NODES = CENTRE + SPREAD * np.linspace(-3, 3, 31)
PRECISIONS = np.exp(_NODES)  # how closely annotators keep to the population, in answers
_EDGE = 1e-9  # of a share
MAX_ROWS = 1_000_000  # of single annotators


def learn_precision(
    count: Float[np.ndarray, " N"],
    share: Float[np.ndarray, " N"],
    total: Float[np.ndarray, " R"],
) -> Float[np.ndarray, " G"]:
    """Return how probable each of `PRECISIONS` is."""
    given = count > 0
    count, share = count[given], np.clip(share[given], _EDGE, 1.0)
    gammaln = special.gammaln
    logs = -(((_NODES - CENTRE) / SPREAD) ** 2) / 2
    for node, value in enumerate(PRECISIONS):
        about = value * share
        logs[node] += (gammaln(about + count) - gammaln(about)).sum()
        logs[node] -= (gammaln(value + total) - gammaln(value)).sum()
    return special.softmax(logs)


def shrunken(
    count: Float[np.ndarray, " N"],
    total: Float[np.ndarray, " N"],
    share: Float[np.ndarray, " N"],
    square: Float[np.ndarray, " N"],
    probable: Float[np.ndarray, " G"],
    prob: float,
) -> Estimate:
    """Return the probabilities of cells of annotators."""
    mean, mean_square = np.zeros(len(count)), np.zeros(len(count))
    for value, weight in zip(PRECISIONS, probable, strict=True):
        whole = total + value
        mean += weight * (count + value * share) / whole
        second = count * (count + 1) + value * share * (2 * count + 1)
        second += value**2 * square
        mean_square += weight * second / (whole * (whole + 1))
    return holding(mean, *beta_bounds(*beta_from_moments(mean, mean_square), prob))


def confusion_table(
    pairs: Int[np.ndarray, " P"],
    population: Estimate,
    square: Float[np.ndarray, " P"],
    answers: Answers,
    annotators: Shaped[np.ndarray, " J"],
    labels: Shaped[np.ndarray, " L"],
    prob: float,
) -> pd.DataFrame:
    """Return cells of the population, in their order, and those of each annotator."""
    order = np.argsort(pairs, kind="stable")
    everyone = population.mean[order], square[order]
    who, place, each = individual_cells(
        answers, pairs[order], everyone, len(labels), prob
    )
    owner = np.concatenate([np.full(len(pairs), -1), who])
    cell = np.concatenate([np.arange(len(pairs)), order[place]])
    both = zip(population.parts(), each.parts(), strict=True)
    shares = [np.concatenate(parts) for parts in both]
    return confusion_frame(
        {"annotator": category(owner, annotators)},
        np.divmod(pairs[cell], len(labels)),
        (labels, labels),
        shares,
    )


def individual_cells(
    answers: Answers,
    pairs: Int[np.ndarray, " P"],
    population: tuple[Float[np.ndarray, " P"], Float[np.ndarray, " P"]],
    labels: int,
    prob: float,
) -> tuple[Int[np.ndarray, " N"], Int[np.ndarray, " N"], Estimate]:
    """Return whose and which pair each cell is, of the true labels that they met."""
    who, pair, count = answers
    met, row = np.unique(who * labels + pair // labels, return_inverse=True)
    of_true = met % labels
    size = np.bincount(pairs // labels, minlength=labels)[of_true]
    if not len(who) or size.sum() > MAX_ROWS:
        none, nothing = np.zeros(0, np.int64), np.zeros(0)
        return none, none, holding(nothing, nothing, nothing)
    first = np.searchsorted(pairs // labels, of_true)
    which = np.repeat(first, size) + places_within(size)
    start = np.cumsum(size) - size
    cell = start[row] + np.searchsorted(pairs, pair) - first[row]
    given, total = np.bincount(cell, count, len(which)), np.bincount(row, count)
    share, square = (each[which] for each in population)
    probable = learn_precision(given, share, total)
    whole = np.repeat(total, size)
    cells = shrunken(given, whole, share, square, probable, prob)
    return np.repeat(met // labels, size), which, cells


def accuracy_table(
    people: Int[np.ndarray, " H"],
    annotators: Shaped[np.ndarray, " J"],
    hits: Float[np.ndarray, " J"],
    answers: Float[np.ndarray, " J"],
    everyone: tuple[Float[np.ndarray, "#J"] | float, Float[np.ndarray, "#J"] | float],
    prob: float,
) -> pd.DataFrame:
    """Return the accuracy of annotators, drawn towards that of the population."""
    mine, total = hits[people], answers[people]
    share, square = (
        np.broadcast_to(each, len(answers))[people].astype(float) for each in everyone
    )
    both = np.concatenate([mine, total - mine]), np.concatenate([share, 1 - share])
    probable = learn_precision(*both, total)
    accuracy = shrunken(mine, total, share, square, probable, prob)
    return pd.DataFrame(
        {
            "annotator": category(people, annotators),
            "responses": total.astype(np.int64),
            **accuracy.columns("accuracy"),
        }
    )
