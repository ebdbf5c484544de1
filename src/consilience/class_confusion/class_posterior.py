"""What a fit says of how people label the items of each class.

Each draw of what is learned of all classes gives a posterior of P(label | class) in
closed form (`confusion_posterior`). The posterior of the fit is the mixture of these.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy.special import expit, logit

from consilience.class_confusion.confusion_posterior import ConfusionPosterior, evidence
from consilience.class_confusion.dataset_label import (
    LabelCounts,
    answered_units,
    classes_of,
    label_counts,
)
from consilience.class_confusion.likelihood import (
    POSITIVE,
    Counts,
    Hyperparameters,
    count_arrays,
    hyperparameters,
    posterior_at,
)
from consilience.truth.space import MAX_NUMBERS, ChoiceSpace


@dataclass(frozen=True, eq=False)
class ClassPosterior:
    """What answers say of how the items of each class are called."""

    label_counts: LabelCounts
    evidence: Mapping[str, Float[np.ndarray, "K K"]]
    counts: Counts
    draws: tuple[Hyperparameters, ...]

    @property
    def centre(self) -> ConfusionPosterior:
        """How items are called by the mean of what is learned."""
        return self._at(self.mean())

    def mean(self) -> Hyperparameters:
        """Return the geometric mean of what is learned; of shares, that of the odds."""
        drawn = Hyperparameters(*map(np.array, zip(*self.draws, strict=True)))
        whole = {
            name: np.exp(np.log(getattr(drawn, name)).mean(0))
            for name in ("weight", *POSITIVE)
        }
        for name in ("lapse", "aside"):
            share = getattr(drawn, name)
            whole[name] = float(expit(logit(share).mean())) if share.all() else 0.0
        return Hyperparameters(**whole, against=drawn.against.mean())

    def posteriors(self) -> Iterable[ConfusionPosterior]:
        """Give how items are called by each draw."""
        if len(self.draws) * self.label_counts.num_labels**2 > MAX_NUMBERS:
            return map(self._at, self.draws)
        return self._posteriors

    @cached_property
    def _posteriors(self) -> list[ConfusionPosterior]:
        return [self._at(draw) for draw in self.draws]

    def draw(self, generator: np.random.Generator) -> ConfusionPosterior:
        """Return how items are called by one of the draws."""
        return self._at(self.draws[generator.integers(len(self.draws))])

    @cached_property
    def probability(self) -> Float[np.ndarray, "K K"]:
        """Posterior mean of P(label | class)."""
        total = sum(each.probability for each in self.posteriors())
        return np.asarray(total / len(self.draws))

    def moments(
        self, row: Int[np.ndarray, " N"], column: Int[np.ndarray, " N"]
    ) -> Float[np.ndarray, "2 N"]:
        """Return the posterior mean and the mean square of cells."""
        moments = np.zeros((2, len(row)))
        for each in self.posteriors():
            moments += each.moments(row, column)
        return moments / len(self.draws)

    def draw_groups(
        self,
        generator: np.random.Generator,
        number: int,
        member: Float[np.ndarray, "K G"],
        rows: Float[np.ndarray, "K G"],
    ) -> Float[np.ndarray, "D G G"]:
        """Draw P(group of the label | group of the class)."""
        drawn = np.empty((number, rows.shape[1], member.shape[1]))
        for part, posterior in zip(
            np.array_split(drawn, len(self.draws)), self.posteriors(), strict=True
        ):
            for draw in part:
                draw[:] = rows.T @ posterior.draw(generator, member)
        return drawn

    def _at(self, parameters: Hyperparameters) -> ConfusionPosterior:
        return posterior_at(self.counts, self.evidence, parameters)


def class_posterior(
    space: ChoiceSpace, draws: Mapping[str, Shaped[np.ndarray, "chain draw ..."]]
) -> ClassPosterior:
    """Return what a fit says of how the items of each class are called."""
    class_ = classes_of(space)
    with_class, _ = answered_units(space, class_)
    counts = label_counts(space, with_class, class_)
    matrices = evidence(counts)
    flat = {name: np.ravel(value).astype(float) for name, value in draws.items()}
    rows = zip(*flat.values(), strict=True)
    return ClassPosterior(
        label_counts=counts,
        evidence=matrices,
        counts=count_arrays(counts, np.stack(list(matrices.values()))),
        draws=tuple(
            hyperparameters(dict(zip(flat, row, strict=True)), (*matrices,), np.stack)
            for row in rows
        ),
    )
