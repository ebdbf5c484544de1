r"""The posterior of P(label | class).

A share :math:`\epsilon` of answers are lapses, which give another label whatever the
item shows. How often the others give the class's own label is Beta, and the other
labels that are given are Dirichlet, apart from it:

.. math::

   \theta_{cc} = (1 - \epsilon) \kappa_c, \quad
   \theta_{cl} = (1 - \theta_{cc}) \phi_{cl}, \qquad
   \kappa_c \sim \mathrm{Beta}(a_c, b_c), \quad
   \phi_c \sim \mathrm{Dirichlet}(\alpha_c)

So classes may differ much in how often they are called otherwise and little in what
they are called then, or the other way round; in one Dirichlet distribution the two go
together.

**Evidence for the other labels of a class: answers besides the data set's label.** Each
kind of evidence is a matrix, class by label, that says where answers about the items of
a class are to be expected. None looks at the answers about the class itself: those are
counted apart.

References
----------
Connor and Mosimann (1969), Concepts of independence for proportions with a
generalization of the Dirichlet distribution.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from consilience.class_confusion.dataset_label import LabelCounts

_MIN_TOTAL = 1e-300
_TRACE = 1e-3  # answers; keeps a label possible that nobody has given yet


@dataclass(frozen=True, slots=True, eq=False)
class ConfusionPosterior:
    """How the items of each class are called, learned."""

    agreeing: Float[np.ndarray, " K"]
    otherwise: Float[np.ndarray, " K"]
    concentration: Float[np.ndarray, "K K"]
    weights: Mapping[str, float]
    odds: float
    against: float
    classes: float
    spread: float
    beside: float
    lapse: float
    aside: float

    @property
    def correlation(self) -> float:
        """Correlation of two answers about one item, given its class."""
        return 1 / (1 + self.spread)

    @property
    def probability(self) -> Float[np.ndarray, "K K"]:
        """Posterior mean of P(label | class)."""
        share = (1 - self.lapse) * self.agreeing / (self.agreeing + self.otherwise)
        total = np.maximum(self.concentration.sum(1), _MIN_TOTAL)
        mean = self.concentration * ((1 - share) / total)[:, None]
        np.fill_diagonal(mean, share)
        return mean

    def moments(
        self, row: Int[np.ndarray, " N"], column: Int[np.ndarray, " N"]
    ) -> Float[np.ndarray, "2 N"]:
        """Return the mean and the mean square of cells."""
        agreeing, otherwise = self.agreeing[row], self.otherwise[row]
        number = agreeing + otherwise
        share = (1 - self.lapse) * agreeing / number
        square = (1 - self.lapse) * share * (agreeing + 1) / (number + 1)
        concentration = self.concentration[row, column]
        total = np.maximum(self.concentration.sum(1)[row], _MIN_TOTAL)
        mean = (1 - share) * concentration / total
        of_other = (
            (1 - 2 * share + square)
            * concentration
            * (concentration + 1)
            / total
            / (total + 1)
        )
        of_own = row == column
        return np.stack(
            [np.where(of_own, share, mean), np.where(of_own, square, of_other)]
        )

    def draw(
        self,
        generator: np.random.Generator,
        member: Float[np.ndarray, "K G"] | None = None,
    ) -> Float[np.ndarray, "K G"]:
        """Draw P(label | class), or P(group of labels | class)."""
        share = (1 - self.lapse) * generator.beta(self.agreeing, self.otherwise)
        # Of a Dirichlet distribution, what is summed over labels is one as well.
        summed = self.concentration if member is None else self.concentration @ member
        drawn: Float[np.ndarray, "K G"] = generator.standard_gamma(summed)
        drawn *= ((1 - share) / np.maximum(drawn.sum(1), _MIN_TOTAL))[:, None]
        if member is None:
            np.fill_diagonal(drawn, share)
            return drawn
        drawn += share[:, None] * member
        return drawn


def beta_from_moments(
    mean: Float[np.ndarray, "*n"], square: Float[np.ndarray, "*n"]
) -> tuple[Float[np.ndarray, "*n"], Float[np.ndarray, "*n"]]:
    """Return the parameters of Beta distributions with such mean and mean square."""
    number = (mean - square) / np.maximum(square - mean**2, _MIN_TOTAL)
    return number * mean, number * (1 - mean)


def evidence(label_counts: LabelCounts) -> Mapping[str, Float[np.ndarray, "K K"]]:
    """Return each kind of evidence."""
    votes, asides = map(
        label_counts.by_class, (label_counts.votes, label_counts.asides)
    )
    total = np.maximum(votes.sum(1), 1.0)[:, None]
    for square in (votes, asides):
        np.fill_diagonal(square, 0.0)
    share = votes / total
    popular = np.broadcast_to(votes.sum(0) + _TRACE, votes.shape)
    matrices = {
        "any": _normalise_rows(np.ones_like(votes)),
        "popular": _normalise_rows(popular),
    }
    if label_counts.parent is not None:
        same = (label_counts.parent[:, None] == label_counts.parent).astype(float)
        matrices["superclass"] = _normalise_rows(same)
        matrices["popular_superclass"] = _normalise_rows(same * popular)
    matrices["reverse"] = votes.T.copy()
    matrices["together"] = _zero_diagonal(share.T @ votes)
    if asides.any():
        matrices["reverse_aside"] = asides.T.copy()
        both = (asides / total).T @ votes + share.T @ asides
        matrices["together_aside"] = _zero_diagonal(both)
    return matrices


def _normalise_rows(matrix: Float[np.ndarray, "K K"]) -> Float[np.ndarray, "K K"]:
    """Return rows that sum to one, or to zero where there is nothing else to name."""
    hollow = _zero_diagonal(matrix)
    total = hollow.sum(1, keepdims=True)
    return hollow / np.where(total > 0, total, 1.0)


def _zero_diagonal(matrix: Float[np.ndarray, "K K"]) -> Float[np.ndarray, "K K"]:
    hollow = np.array(matrix)
    np.fill_diagonal(hollow, 0.0)
    return hollow
