"""The emission of answers on short lists: right, or one of the others on the list."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax.nn import logsumexp
from jaxtyping import Array, Float, Int, Key

from consilience.truth import Observations, Shortlists
from consilience.truth.arrays import AnyArray, pytree

NEVER = -1e30  # log of a chance of zero that can still be added to


@pytree()
@dataclass(frozen=True, slots=True)
class OnShortlists:
    """Answers that are right, or else one of the wrong ones on the list of the unit.

    A wrong answer is drawn from those on the list, in proportion to its weight: the
    weights are divided by their sum over that list. On a list of one there is no wrong
    answer, so the answer says nothing.
    """

    log_prevalence: Float[AnyArray, " K"]
    log_right: Float[AnyArray, " J"]
    log_wrong: Float[AnyArray, " J"]
    log_weight: Float[AnyArray, "#S T #U"] | None

    def log_joint(
        self, data: Observations, log_prior: Float[Array, "#U S"]
    ) -> Float[Array, "U S"]:
        """Return log p(state, the unit's answers | parameters)."""
        return log_prior + data.power[:, None] * self._log_likelihood(lists_of(data))

    def _log_likelihood(self, lists: Shortlists) -> Float[Array, "U S"]:
        table = jnp.stack([self.log_right, self.log_wrong], axis=1)
        log_probability = (lists.by_slot @ table).reshape(*lists.count.shape, 2)
        right, wrong = log_probability[..., 0], log_probability[..., 1]
        hit = lists.right.astype(right.dtype)
        likely = wrong.sum(0) + hit @ (right - wrong) + self._errors(lists)
        alone = lists.real.sum(0) == 1
        return jnp.where(alone, 0.0, likely).T

    def simulate_answers(
        self, key: Key[Array, ""], data: Observations, state: Int[Array, " U"]
    ) -> Int[Array, " N"]:
        """Draw each answer, given the true state of each unit."""
        of_right, of_wrong = jax.random.split(key)
        lists, unit = lists_of(data), data.unit
        listed = jnp.broadcast_to(data.state, (data.num_units, data.state.shape[1]))
        slot = jnp.argmax(listed == state[:, None], axis=1)[unit]
        chance = jnp.exp(self.log_right[data.annotator])
        alone = jnp.broadcast_to(lists.real.sum(0) == 1, data.num_units)
        is_right = jax.random.bernoulli(of_right, chance) | alone[unit]
        shape = (*lists.right.shape, data.num_units)
        weight = jnp.broadcast_to(self._weights(lists), shape)[slot, :, unit]
        error = jax.random.categorical(of_wrong, weight)
        chosen = jnp.where(is_right, jnp.argmax(lists.right, axis=1)[slot], error)
        return jnp.broadcast_to(lists.word, shape[1:])[chosen, unit]

    def _errors(self, lists: Shortlists) -> Float[Array, "S U"]:
        hit = lists.right.astype(lists.count.dtype)
        missed = lists.count.sum(0) - hit @ lists.count
        if self.log_weight is None:
            others = jnp.maximum(lists.real.sum(0) - 1, 1)
            return -missed * jnp.log(others)
        weight = self._weights(lists)
        chosen = jnp.where(lists.wrong, weight, 0.0) * lists.count[None]
        return chosen.sum(1) - missed * logsumexp(weight, axis=1)

    def _weights(self, lists: Shortlists) -> Float[Array, "S T #U"]:
        weight = 0.0 if self.log_weight is None else self.log_weight
        return jnp.where(lists.wrong, weight, NEVER)


def lists_of(observations: Observations) -> Shortlists:
    """Return the short lists that the model has laid out."""
    if not isinstance(observations.layout, Shortlists):
        msg = "a model of short lists needs them: use lay_out(model, space)"
        raise TypeError(msg)
    return observations.layout
