r"""Residuals of answers, summed over those of each unit: what dependence is seen in.

An answer is weighed as the model weighs it, by the odds v that it gives a state against
a rival. Its residual is v less what the model expects of the annotator in that state,
and its deviation the standard deviation of v there.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.nn import softmax
from jaxtyping import Array, Float, Int

from consilience.model import BySubtype, Emission, OnShortlists, by_subtype, lists_of
from consilience.truth import Observations

LEAST = 1e-12  # of a probability


class Residuals(NamedTuple):
    """Sums over the answers r of each unit, given each state that the model knows.

    Attributes
    ----------
    residual, square, leaning
        Of e, its square, and e times the deviation s.
    deviation
        Of s, and of its powers up to the fourth.
    label
        Which residuals may lean one way together: those of one number.
    """

    residual: Float[Array, "U M"]
    square: Float[Array, "U M"]
    leaning: Float[Array, "U M"]
    deviation: tuple[Float[Array, "U M"], ...]
    label: Int[Array, "U M"]


def seen_in(emission: Emission) -> BySubtype | OnShortlists | None:
    """Return an emission as one whose residuals can be taken.

    None where it does not say what else could have been answered, and how likely.
    """
    return emission if isinstance(emission, OnShortlists) else by_subtype(emission)


def residuals(
    emission: BySubtype | OnShortlists, observations: Observations
) -> Residuals:
    """Sum the residuals of the answers to each unit.

    Parameters
    ----------
    emission
        How answers look under each state.
    observations
        The answers.

    Returns
    -------
    The sums, columns as those of the score.
    """
    if isinstance(emission, OnShortlists):
        return _on_lists(emission, observations)
    return _in_tables(emission, observations)


def _in_tables(tables: BySubtype, observations: Observations) -> Residuals:
    """Weigh a label against its rival, the one that is answered most like it.

    (Were the two chosen item by item, by what was said of the item, residuals of
    independent annotators would correlate.)
    """
    states, subtypes = tables.log_confusion.shape[1:3]
    likely = softmax(jnp.maximum(tables.log_confusion, np.log(LEAST)), axis=3)
    share = jnp.broadcast_to(jnp.exp(tables.log_share), (states, subtypes))
    shared = (likely * share[:, :, None]).sum(2)
    weighed = jnp.log(shared) - jnp.log(shared[:, _rivals(observations, shared)])
    mean = (likely * weighed[:, :, None]).sum(3, keepdims=True)
    square = (likely * weighed[:, :, None] ** 2).sum(3, keepdims=True)
    deviation = jnp.sqrt(jnp.maximum(square - mean**2, 0))
    residual = weighed[:, :, None] - mean

    def over_answers(each: Float[Array, "#J K T #L"]) -> Float[Array, "U M"]:
        summed = tables.summed(observations, jnp.broadcast_to(each, likely.shape))
        return summed.reshape(len(summed), -1)

    total = over_answers(residual)
    return Residuals(
        total,
        over_answers(residual**2),
        over_answers(residual * deviation),
        tuple(over_answers(deviation**power) for power in (1, 2, 3, 4)),
        jnp.broadcast_to(jnp.repeat(observations.state, subtypes, axis=1), total.shape),
    )


def _rivals(
    observations: Observations, shared: Float[Array, "#J K L"]
) -> Int[Array, " K"]:
    """Return of each state which other one is answered most alike (Bhattacharyya).

    It is told by the confusions alone, not by what was said of any item.
    """
    answers = observations.by_pair.T @ jnp.ones((observations.num_units, 1))
    answers = answers.reshape(observations.num_annotators, -1).sum(1)
    weight = answers / jnp.maximum(answers.sum(), 1)
    whole = jnp.broadcast_to(shared, (len(weight), *shared.shape[1:]))
    pooled = jnp.tensordot(weight, whole, 1)
    alike = jnp.sqrt(pooled) @ jnp.sqrt(pooled).T
    rival: Int[Array, " K"] = jnp.fill_diagonal(alike, -1, inplace=False).argmax(1)
    return rival


def _on_lists(emission: OnShortlists, observations: Observations) -> Residuals:
    """Weigh right against wrong, by the annotator's odds of it.

    Where the list holds one label alone there is nothing to be wrong about, so that
    such units say nothing.
    """
    lists = lists_of(observations)
    chance = jnp.exp(emission.log_right)
    weight = emission.log_right - emission.log_wrong
    deviation = jnp.abs(weight) * jnp.sqrt(chance * (1 - chance))
    # Of an answer that is right: what is added to that of a wrong one.
    gained = jnp.stack([weight, weight**2 * (1 - 2 * chance), weight * deviation], 1)
    wrong = jnp.stack(
        [-weight * chance, (weight * chance) ** 2, -weight * chance * deviation]
        + [deviation**power for power in (1, 2, 3, 4)],
        1,
    )
    slots, units = lists.count.shape
    said = lists.by_slot @ jnp.concatenate([gained, wrong], 1)
    said = said.reshape(slots, units, -1) * (lists.real.sum(0) > 1)[..., None]
    hit = lists.right.astype(said.dtype)
    right = jnp.einsum("st,tuc->usc", hit, said[..., :3])
    both = right + said[..., 3:6].sum(0)[:, None]
    powers = jnp.broadcast_to(said[..., 6:].sum(0)[:, None], (*right.shape[:2], 4))
    return Residuals(
        both[..., 0],
        both[..., 1],
        both[..., 2],
        tuple(powers[..., place] for place in range(4)),
        jnp.zeros(right.shape[:2], int),
    )
