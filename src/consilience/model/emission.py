"""The emission: the distribution of answers in each state of the truth.

Emissions by tables take arrays of NumPy and of JAX alike, through the array API.
"""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from consilience.model.array_api import logsumexp, namespace, one_hot

type ByTables = ByConfusion | ByMixture | BySubtype


@runtime_checkable
class Emission(Protocol):
    """How answers look under each state, given parameters."""

    def log_likelihood(self, observations: Any) -> Any:
        """Return log p(answers of the unit | state) for each listed state (U, M)."""
        ...

    def sample(self, key: Any, observations: Any, state: Any) -> Any:
        """Draw each answer (N,), given the true state of each unit (U,)."""
        ...


@dataclass(frozen=True, slots=True)
class ByConfusion:
    """Answers drawn from a row of the annotator's confusion."""

    log_confusion: Any

    def log_likelihood(self, observations: Any) -> Any:
        """Return log p(answers of the unit | state) for each listed state."""
        return observations.listed(_summed(observations, self.log_confusion))

    def sample(self, key: Any, observations: Any, state: Any) -> Any:
        """Draw each answer, given the true state of each unit."""
        import jax

        annotator = _whose(observations, self.log_confusion)
        rows = self.log_confusion[annotator, state[observations.unit]]
        return jax.random.categorical(key, rows)


@dataclass(frozen=True, slots=True)
class ByMixture:
    """Answers each drawn from one of several confusions, independently chosen."""

    log_parts: Any

    @property
    def log_confusion(self) -> Any:
        """Log p(answer | state), whichever part it is drawn from (#J, K, L)."""
        return logsumexp(self.log_parts, 0)

    def log_likelihood(self, observations: Any) -> Any:
        """Return log p(answers of the unit | state) for each listed state."""
        return ByConfusion(self.log_confusion).log_likelihood(observations)

    def sample(self, key: Any, observations: Any, state: Any) -> Any:
        """Draw each answer, given the true state of each unit."""
        return ByConfusion(self.log_confusion).sample(key, observations, state)


@dataclass(frozen=True, slots=True)
class BySubtype:
    """Answers drawn from a confusion of the annotator and the unit's hidden subtype.

    Subtypes are kinds of a label, or nodes of a quadrature over difficulty. The score
    has a column for each state and subtype, those of a state side by side.
    """

    log_confusion: Any
    log_share: Any

    def log_likelihood(self, observations: Any) -> Any:
        """Return log p(answers of the unit | state, subtype)."""
        log_likelihood = self.summed(observations, self.log_confusion)
        return log_likelihood.reshape(len(log_likelihood), -1)

    @staticmethod
    def summed(observations: Any, table: Any) -> Any:
        """Sum over the answers of each unit what a table (#J, K, T, L) says of each."""
        annotators, states, subtypes, answers = table.shape
        flat = table.reshape(annotators, states * subtypes, answers)
        log_likelihood = _summed(observations, flat)
        return observations.listed(log_likelihood.reshape(-1, states, subtypes))

    def sample(self, key: Any, observations: Any, state: Any) -> Any:
        """Draw each answer, given the true state of each unit."""
        import jax

        of_subtype, of_answer = jax.random.split(key)
        _, states, subtypes, _ = self.log_confusion.shape
        share = jax.numpy.broadcast_to(self.log_share, (states, subtypes))
        subtype = jax.random.categorical(of_subtype, share[state])
        annotator = _whose(observations, self.log_confusion)
        unit = observations.unit
        rows = self.log_confusion[annotator, state[unit], subtype[unit]]
        return jax.random.categorical(of_answer, rows)


def by_subtype(emission: Emission) -> BySubtype | None:
    """Return an emission by tables with its subtypes, of which there may be one.

    None where answers are not drawn from tables.
    """
    match emission:
        case ByConfusion() | ByMixture():
            table = emission.log_confusion
            return BySubtype(table[:, :, None], namespace(table).zeros((1, 1)))
        case BySubtype():
            return emission
    return None


def _summed(observations: Any, table: Any) -> Any:
    # Over the answers of each unit: (U, C) from (#J, C, L).
    _, columns, answers = table.shape
    whole = (observations.num_annotators, columns, answers)
    wide = namespace(table).broadcast_to(table, whole)
    return observations.by_pair @ wide.swapaxes(1, 2).reshape(-1, columns)


def _whose(observations: Any, table: Any) -> Any:
    return 0 if table.shape[0] == 1 else observations.annotator


def correct_answer(observations: Any) -> Any:
    """Return one at the right answer of each state (K, L), that most a vote for it."""
    return one_hot(observations.votes.argmax(0), observations.num_answers)


def right_and_wrong(observations: Any, right: Any, wrong: Any) -> Any:
    """Lay out log p(answer | state) (#J, K, L) from right and wrong answers.

    The right answer of a state is the one that is most a vote for it; the wrong ones
    follow it in the order of the answers, from the last back to the first.
    """
    xp = namespace(right)
    answers = observations.num_answers
    correct = observations.votes.argmax(0)  # that of `own_answer`
    place = (np.arange(answers) - correct[:, None] - 1) % answers
    batch = np.broadcast_shapes(right.shape, wrong.shape[:-1])
    batch = (batch[0], observations.num_states)
    wrongs = xp.broadcast_to(wrong, (*batch, answers - 1))
    rights = xp.broadcast_to(right, batch)[..., None]
    table = xp.concat([wrongs, rights], axis=-1)
    places = xp.broadcast_to(place, table.shape)
    return xp.take_along_axis(table, places, axis=-1)
