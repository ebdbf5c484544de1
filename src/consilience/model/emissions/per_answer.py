"""The emission of answers that each have a distribution of their own."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpyro  # noqa: F401 (see `model.program`)
import numpyro.distributions as dist
from jaxtyping import Array, Float, Int, Key

from consilience.truth import Observations


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
        log_probability: Float[Array, "N S"] = self.distribution.log_prob(
            observations.answer[:, None]
        )
        return observations.by_answer @ log_probability

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
