r"""Each answer about a pair of item and label, predicted from all other answers.

Given the parameters, an answer depends on its pair's trait alone. So without answer r
the trait has the posterior :math:`p(s \mid y_{-r}) \propto p(s \mid y) / p(y_r \mid
s)`, whatever the labels of an item share, and nothing is fitted again.

References
----------
Gelfand, Dey and Chang (1992), Model determination using predictive distributions.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Shaped

from consilience.contains.latent_trait import answer_tables
from consilience.model import (
    Model,
    belief,
    from_draw,
    lay_out,
    score,
    thin,
)
from consilience.truth import ContainsSpace, Observations

TINY = 1e-12  # of a probability
ROWS = 50_000  # answers looked at together
WORTH = np.array([0.0, 0.5, 1.0])  # of no, maybe and yes, as the votes have them


class Predicted(NamedTuple):
    """What one draw of the parameters makes of each answer, from all others."""

    likelihood: Float[np.ndarray, " N"]
    residual: Float[np.ndarray, " N"]


def predicted(
    model: Model[Any],
    space: ContainsSpace,
    parameters: Mapping[str, Shaped[np.ndarray, "chain draw ..."]],
    most: int,
) -> Iterator[Predicted]:
    """Predict every answer from all others, by each of some draws."""
    with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        observations = lay_out(model, space)
    group = np.asarray(observations.layout.unit_group)[space.unit]
    for draw in thin(parameters, most):
        with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
            trait, answers = map(np.asarray, _trait(model, observations, dict(draw)))
        yield Predicted(*np.hstack([*_rows(space, group, trait, answers)]))


def _rows(
    space: ContainsSpace,
    group: Shaped[np.ndarray, " N"],
    trait: Float[np.ndarray, "U T"],
    answers: Float[np.ndarray, "J G L T"],
) -> Iterator[Float[np.ndarray, "2 B"]]:
    for start in range(0, len(space.unit), ROWS):
        rows = slice(start, start + ROWS)
        tables = answers[space.annotator[rows], group[rows]]
        seen = np.take_along_axis(tables, space.answer[rows, None, None], 1)[:, 0]
        weight = trait[space.unit[rows]] / np.maximum(seen, TINY)
        total = weight.sum(1)
        chance = np.einsum("nt,nlt->nl", weight, tables) / total[:, None]
        mean = chance @ WORTH
        deviation = np.sqrt(np.maximum(chance @ WORTH**2 - mean**2, TINY))
        residual = (WORTH[space.answer[rows]] - mean) / deviation
        yield np.stack([1 / total, residual])


@partial(jax.jit, static_argnames="model")
def _trait(model: Model[Any], observations: Observations, draw: Any) -> tuple[Any, Any]:
    """Return the posterior of the trait of each pair, and p(answer | trait)."""
    ran = from_draw(model, observations, draw)
    beliefs = belief(score(ran, observations))
    of_pairs: Any = ran.answers
    answers = jax.numpy.exp(answer_tables(of_pairs.parameters))
    return beliefs.reshape(len(beliefs), -1, answers.shape[-1]).sum(1), answers
