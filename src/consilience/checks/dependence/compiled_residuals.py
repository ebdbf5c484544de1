"""Residuals of answers under models that JAX lays out: of no closed form, or no tables.

Tables of their draws are looked at as those of closed forms are; on short lists an
answer is right or wrong.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.special import softmax

from consilience.checks.dependence.residuals import Residuals, table_residuals
from consilience.model import (
    PREVALENCE,
    WEIGHT,
    ByTables,
    Model,
    OnShortlists,
    Parameters,
    Ran,
    belief,
    from_draw,
    lay_out,
    lists_of,
    score,
    scores_by_table,
)
from consilience.model.columns import log_logit
from consilience.truth import Observations, Space
from consilience.truth.response_matrix import response_matrix


def compiled_residuals(
    model: Model[Any], space: Space, draws: Iterator[Mapping[str, Any]]
) -> Iterator[tuple[Residuals, Float[np.ndarray, "U M"]] | None]:
    """Give the residuals by each draw, and what it says of the truth.

    None where answers are drawn neither from tables nor on short lists.
    """
    with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        observations = lay_out(model, space)
        matrix = response_matrix(space)
        for values in draws:
            on_lists, tables, weight = _answers_of_draw(model, observations, values)
            if on_lists is not None:
                weighted: Any = _weighted_residuals(on_lists, observations, weight)
                yield jax.tree.map(np.asarray, weighted)
            elif tables is None:
                yield None
            else:
                by_tables = ByTables(*map(np.asarray, tables))
                prevalence, listed = by_tables.log_prevalence, None
                if observations.has_covariates:
                    logit = {PREVALENCE: prevalence, WEIGHT: np.asarray(weight)}
                    prevalence, listed = (
                        None,
                        log_logit(matrix, logit) + matrix.log_prior,
                    )
                scores = scores_by_table(matrix, by_tables, prevalence, listed)
                yield table_residuals(by_tables, matrix), softmax(scores, axis=1)


@partial(jax.jit, static_argnames="model")
def _answers_of_draw(
    model: Model[Any], observations: Observations, values: Parameters
) -> tuple[OnShortlists | None, tuple[Any, ...] | None, Any]:
    """Return how answers look by one draw, and the weights of columns."""
    answers, weight, *_ = from_draw(model, observations, values)
    if isinstance(answers, OnShortlists):
        return answers, None, weight
    if isinstance(answers, ByTables):
        parts = (answers.log_prevalence, answers.log_parts, answers.log_share)
        return None, parts, weight
    return None, None, weight


@jax.jit
def _weighted_residuals(
    answers: OnShortlists, observations: Observations, weight: Any
) -> tuple[Any, Float[Array, "U M"]]:
    state = belief(score(Ran(answers, weight), observations))
    return _shortlist_residuals(answers, observations), state


def _shortlist_residuals(answers: OnShortlists, observations: Observations) -> Any:
    """Weigh right against wrong, by the annotator's odds of it.

    Where the list holds one label alone there is nothing to be wrong about, so that
    such units say nothing.
    """
    lists = lists_of(observations)
    chance = jnp.exp(answers.log_right)
    weight = answers.log_right - answers.log_wrong
    deviation = jnp.abs(weight) * jnp.sqrt(chance * (1 - chance))
    # Of an answer that is right: what is added to that of a wrong one.
    gained = jnp.stack([weight, weight**2 * (1 - 2 * chance), weight * deviation], 1)
    wrong = jnp.stack(
        [-weight * chance, (weight * chance) ** 2, -weight * chance * deviation]
        + [deviation**power for power in (1, 2, 3, 4)],
        1,
    )
    slots, units = lists.count.shape
    moments = lists.by_slot @ jnp.concatenate([gained, wrong], 1)
    moments = moments.reshape(slots, units, -1) * (lists.real.sum(0) > 1)[..., None]
    hit = lists.right.astype(moments.dtype)
    right = jnp.einsum("st,tuc->usc", hit, moments[..., :3])
    both = right + moments[..., 3:6].sum(0)[:, None]
    powers = jnp.broadcast_to(moments[..., 6:].sum(0)[:, None], (*right.shape[:2], 4))
    residuals: Any = Residuals
    return residuals(
        both[..., 0],
        both[..., 1],
        both[..., 2],
        tuple(powers[..., place] for place in range(4)),
        jnp.zeros(right.shape[:2], int),
    )
