"""How answers look under each state of the truth, given parameters: the emission."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from jax.nn import logsumexp
from jaxtyping import Array, Float, Int, Key

from consilience.truth import Observations
from consilience.truth.pytree import pytree


@runtime_checkable
class Emission(Protocol):
    """How answers look under each state, given parameters."""

    def log_likelihood(self, observations: Observations) -> Float[Array, "U M"]:
        """Return log p(answers of the unit | state) for each listed state."""
        ...

    def sample(
        self, key: Key[Array, ""], observations: Observations, state: Int[Array, " U"]
    ) -> Int[Array, " N"]:
        """Draw each answer, given the true state of each unit."""
        ...


@dataclass(frozen=True, slots=True)
class ByConfusion:
    """Answers drawn from a row of the annotator's confusion.

    Attributes
    ----------
    log_confusion
        log p(answer | state) of each annotator; one row where all share it.
    """

    log_confusion: Float[Array, "#J K L"]

    def log_likelihood(self, observations: Observations) -> Float[Array, "U S"]:
        """Return log p(answers of the unit | state) for each listed state."""
        return observations.listed(_summed(observations, self.log_confusion))

    def sample(
        self, key: Key[Array, ""], observations: Observations, state: Int[Array, " U"]
    ) -> Int[Array, " N"]:
        """Draw each answer, given the true state of each unit."""
        annotator = _whose(observations, self.log_confusion)
        rows = self.log_confusion[annotator, state[observations.unit]]
        return jax.random.categorical(key, rows)


@dataclass(frozen=True, slots=True)
class ByMixture:
    """Answers each drawn from one of several confusions, which one anew each time.

    Attributes
    ----------
    log_parts
        log p(part, answer | state) of each annotator; one row where all share it.
    """

    log_parts: Float[Array, "P #J K L"]

    @property
    def log_confusion(self) -> Float[Array, "#J K L"]:
        """Log p(answer | state), whichever part it is drawn from."""
        return logsumexp(self.log_parts, axis=0)

    def log_likelihood(self, observations: Observations) -> Float[Array, "U S"]:
        """Return log p(answers of the unit | state) for each listed state."""
        return ByConfusion(self.log_confusion).log_likelihood(observations)

    def sample(
        self, key: Key[Array, ""], observations: Observations, state: Int[Array, " U"]
    ) -> Int[Array, " N"]:
        """Draw each answer, given the true state of each unit."""
        return ByConfusion(self.log_confusion).sample(key, observations, state)


@pytree()
@dataclass(frozen=True, slots=True)
class BySubtype:
    """Answers drawn from a confusion of the annotator and the unit's hidden subtype.

    Subtypes are kinds of a label, or nodes of a quadrature over difficulty. The score
    has a column for each state and subtype, those of a state side by side.

    Attributes
    ----------
    log_confusion
        log p(answer | state, subtype) of each annotator.
    log_share
        log p(subtype | state); one row where it is the same for all.
    """

    log_confusion: Float[Array, "#J K T L"]
    log_share: Float[Array, "#K T"]

    def log_likelihood(self, observations: Observations) -> Float[Array, "U M"]:
        """Return log p(answers of the unit | state, subtype)."""
        said = self.summed(observations, self.log_confusion)
        return said.reshape(len(said), -1)

    @staticmethod
    def summed(
        observations: Observations, table: Float[Array, "#J K T L"]
    ) -> Float[Array, "U S T"]:
        """Sum over the answers of each unit what a table says of each answer."""
        annotators, states, subtypes, answers = table.shape
        flat = table.reshape(annotators, states * subtypes, answers)
        said = _summed(observations, flat)
        return observations.listed(said.reshape(-1, states, subtypes))

    def sample(
        self, key: Key[Array, ""], observations: Observations, state: Int[Array, " U"]
    ) -> Int[Array, " N"]:
        """Draw each answer, given the true state of each unit."""
        of_subtype, of_answer = jax.random.split(key)
        _, states, subtypes, _ = self.log_confusion.shape
        share = jnp.broadcast_to(self.log_share, (states, subtypes))
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
        case ByConfusion(table):
            return BySubtype(table[:, :, None], jnp.zeros((1, 1)))
        case ByMixture():
            return BySubtype(emission.log_confusion[:, :, None], jnp.zeros((1, 1)))
        case BySubtype():
            return emission
    return None


def _summed(
    observations: Observations, table: Float[Array, "#J C L"]
) -> Float[Array, "U C"]:
    # Over the answers of each unit.
    _, columns, answers = table.shape
    whole = jnp.broadcast_to(table, (observations.num_annotators, columns, answers))
    return observations.by_pair @ whole.swapaxes(1, 2).reshape(-1, columns)


def _whose(
    observations: Observations, table: Float[Array, "#J ..."]
) -> Int[Array, " N"] | int:
    return 0 if table.shape[0] == 1 else observations.annotator


@dataclass(frozen=True, slots=True)
class PerAnswer:
    """Answers each with a distribution of their own.

    Attributes
    ----------
    distribution
        Of each answer under each listed state; batch shape (N, S), values 0 to L - 1.
    """

    distribution: dist.Distribution

    def log_likelihood(self, observations: Observations) -> Float[Array, "U S"]:
        """Return log p(answers of the unit | state) for each listed state."""
        said: Float[Array, "N S"] = self.distribution.log_prob(
            observations.answer[:, None]
        )
        if observations.by_answer is None:
            msg = "a model that looks at each answer must say so: per_answer=True"
            raise TypeError(msg)
        return observations.by_answer @ said

    def sample(
        self, key: Key[Array, ""], observations: Observations, state: Int[Array, " U"]
    ) -> Int[Array, " N"]:
        """Draw each answer, given the true state of each unit."""
        each = self.distribution.sample(key)
        lists = jnp.broadcast_to(
            observations.state, (observations.num_units, observations.state.shape[1])
        )[observations.unit]
        slot = jnp.argmax(lists == state[observations.unit][:, None], axis=1)
        return jnp.take_along_axis(each, slot[:, None], axis=1)[:, 0]


def own_answer(observations: Observations) -> Float[Array, "K L"]:
    """Return one at the right answer of each state, that most a vote for it."""
    own = jnp.argmax(observations.votes, axis=0)
    return jax.nn.one_hot(own, observations.num_answers)


def right_and_wrong(
    observations: Observations,
    right: Float[Array, "#J #K"],
    wrong: Float[Array, "#J #K W"],
) -> Float[Array, "#J K L"]:
    """Lay out log p(answer | state) from the right answer and the wrong ones.

    The right answer of a state is the one that is most a vote for it; the wrong ones
    follow it in the order of the answers, from the last back to the first.

    Parameters
    ----------
    observations
        Says which answer is right.
    right
        log p(the right answer | state) of each annotator.
    wrong
        log p(each wrong answer | state) of each annotator.
    """
    answers = observations.num_answers
    own = jnp.argmax(observations.votes, axis=0)  # that of `own_answer`
    place = (jnp.arange(answers) - own[:, None] - 1) % answers
    batch = jnp.broadcast_shapes(right.shape, wrong.shape[:-1])
    batch = (batch[0], observations.num_states)
    wrongs = jnp.broadcast_to(wrong, (*batch, answers - 1))
    rights = jnp.broadcast_to(right, batch)[..., None]
    table = jnp.concatenate([wrongs, rights], axis=-1)
    places = jnp.broadcast_to(place, table.shape)
    return jnp.take_along_axis(table, places, axis=-1)


def deal(
    key: Key[Array, ""], number: Float[Array, "*cell"], share: Float[Array, "M *cell"]
) -> Float[Array, "M *cell"]:
    """Draw how many of each cell fall to each part: a multinomial in every cell.

    Parameters
    ----------
    key
        Random key.
    number
        Whole numbers to deal out.
    share
        Chance of each part; sums to one.
    """
    dealt, rest, left = [], number, jnp.ones_like(number)
    for part in range(len(share) - 1):
        chance = jnp.clip(share[part] / jnp.maximum(left, 1e-12), 0.0, 1.0)
        count = jax.random.binomial(jax.random.fold_in(key, part), rest, chance)
        dealt.append(count)
        rest, left = rest - count, left - share[part]
    return jnp.stack([*dealt, rest])
