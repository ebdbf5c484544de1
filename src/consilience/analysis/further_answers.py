r"""Expected number of further answers until the presence of a label is settled.

From what the fit believes now, futures are played through: a state of the pair is drawn
from its posterior, fresh annotators answer as the population does in that state, and
after each answer the posterior is updated, until it is as certain as requested or
the answers are used up.

References
----------
Sheng, Provost and Ipeirotis (2008), Get another label? Improving data quality and data
mining using multiple, noisy labelers. Wald (1945), Sequential tests of statistical
hypotheses.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax.nn import log_softmax, logsumexp
from jaxtyping import Array, Float, Int, Key

from consilience.errors import OptionError
from consilience.model import (
    ByTables,
    LaidOutAnswers,
    Model,
    from_draw,
    lay_out,
    num_substates,
    score,
)
from consilience.posterior import Fit
from consilience.posterior.spaces import restored_contains
from consilience.posterior.stored import restored_model
from consilience.programs import double_precision
from consilience.responses.id_types import restores_types
from consilience.truth import ContainsSpace, Observations
from consilience.truth.coding import some_units

BLOCK = 5_000  # pairs looked at together
MIN_PROBABILITY = 1e-12  # of a probability


@restores_types
def more_answers(
    fit: Fit,
    prob: float = 0.95,
    *,
    max_answers: int = 30,
    futures: int = 40,
    seed: int = 0,
) -> pd.DataFrame:
    """Predict how many more answers each label of each item needs.

    Parameters
    ----------
    fit : Fit
        A fit of kind contains. Its raw posterior is used.
    prob : float, default 0.95
        Probability to reach, that the label is present or that it is absent; above one
        half and below one.
    max_answers : int, default 30
        Number of answers after which to stop.
    futures : int, default 40
        Number of simulated futures of each pair.
    seed : int, default 0
        Seed of the simulation.

    Returns
    -------
    pandas.DataFrame
        Columns item, label, probability (that the label is present, now), expected
        (number of answers until `prob`, zero where it is reached; stopped futures
        count as `max_answers`), error (its Monte Carlo standard error) and settled
        (probability of reaching `prob` by then).

    Raises
    ------
    OptionError
        If the fit is of another kind or of a model whose answers are not drawn from
        tables, or if a number is out of its range.

    See Also
    --------
    decide : Decide now.
    predict : Update the posterior when the answers have come.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="contains", items=20, annotators=6, classes=3, seed=0)
    >>> fit = cs.fit(study.responses, model="dawid_skene")
    >>> cs.contains.more_answers(fit, max_answers=10).columns.tolist()[2:]
    ['probability', 'expected', 'error', 'settled']
    """
    if fit.data.attrs["kind"] != "contains":
        raise OptionError(
            f"the fit is of kind {fit.data.attrs['kind']}; this needs answers of kind "
            "contains"
        )
    if not (0.5 < prob < 1 and max_answers > 0 and futures > 1):
        raise OptionError(
            f"prob is {prob:g}, max_answers {max_answers} and futures {futures}; "
            "give a probability above one half and below one, an answer or more, and "
            "two futures or more"
        )
    space, model = restored_contains(fit.data), restored_model(fit.data)
    values = {
        str(name): variable.to_numpy().astype(float).mean((0, 1))
        for name, variable in fit.data["posterior"].data_vars.items()
    }
    key, parts = jax.random.key(seed), []
    with double_precision():
        for units in _blocks(space):
            part = some_units(space, units)
            by_state = _by_state(model, part, values)
            subkey = jax.random.fold_in(key, int(units[0]))
            parts.append(
                _simulate_futures(*by_state, prob, subkey, max_answers, futures)
            )
    now, used, settled = (
        np.concatenate(columns) for columns in zip(*parts, strict=True)
    )
    return pd.DataFrame(
        {
            "item": space.unit_item,
            "label": space.unit_label,
            "probability": now,
            "expected": used.mean(1),
            "error": used.std(1, ddof=1) / np.sqrt(futures),
            "settled": settled.mean(1),
        }
    )


def _blocks(space: ContainsSpace) -> list[Int[np.ndarray, " B"]]:
    """Return units in blocks of about one size that cut no item apart."""
    new = space.unit_item[1:] != space.unit_item[:-1]
    starts = np.concatenate([[0], np.flatnonzero(new) + 1])
    at = np.arange(0, space.num_units, BLOCK)
    cut = starts[np.searchsorted(starts, at, side="right") - 1]
    return np.split(np.arange(space.num_units), np.unique(cut)[1:])


def _by_state(
    model: Model[Any], space: ContainsSpace, values: dict[str, Any]
) -> tuple[Float[Array, "U M"], Float[Array, "G M L"], Int[Array, " U"], Array]:
    """Return log posterior, answers of a fresh annotator, and P(present) of states."""
    observations = lay_out(model, space)
    weight = np.bincount(space.annotator, space.n, space.num_annotators)
    share = jnp.asarray(weight / weight.sum())
    scores, fresh = _log_posterior(model, observations, values, share)
    if fresh is None:
        raise OptionError(
            "answers of this model are not drawn from tables; take contains_states"
        )
    group = jnp.asarray(space.groups.code)
    if model.by_tables:
        group = jnp.zeros(space.num_units, int)
    present = jnp.repeat(jnp.asarray(space.present), num_substates(model))
    return scores, fresh, group, present


@partial(jax.jit, static_argnames="model")
def _log_posterior(
    model: Model[Any],
    observations: Observations,
    values: Any,
    share: Float[Array, " J"],
) -> tuple[Float[Array, "U M"], Float[Array, "G M L"] | None]:
    """Return the log posterior, and what a fresh annotator answers in each state.

    Of tables, annotators count as they have answered.
    """
    ran = from_draw(model, observations, values)
    scores = log_softmax(score(ran, observations))
    if isinstance(ran.answers, LaidOutAnswers):
        return scores, ran.answers.new_annotator()
    if not isinstance(ran.answers, ByTables):
        return scores, None
    chances = jnp.exp(ran.answers.log_table)
    whole = jnp.broadcast_to(chances, (len(share), *chances.shape[1:]))
    pooled = jnp.tensordot(share, whole, 1)
    return scores, pooled.reshape(1, -1, pooled.shape[-1])


@partial(jax.jit, static_argnames=("max_answers", "futures"))
def _simulate_futures(
    scores: Float[Array, "U M"],
    fresh: Float[Array, "G M L"],
    group: Int[Array, " U"],
    present: Float[Array, " M"],
    confidence: Float[Array, ""] | float,
    key: Key[Array, ""],
    max_answers: int,
    futures: int,
) -> tuple[Float[Array, " U"], Float[Array, "U F"], Float[Array, "U F"]]:
    """Return P(present) now, and of each future the answers used and whether sure."""
    logs = jnp.log(jnp.maximum(fresh, MIN_PROBABILITY))

    def belief(now: Float[Array, "U M"]) -> Float[Array, " U"]:
        return jnp.exp(logsumexp(now, axis=1, b=present) - logsumexp(now, axis=1))

    def undecided(now: Float[Array, "U M"]) -> Array:
        believed = belief(now)
        return (believed < confidence) & (believed > 1 - confidence)

    def future(key: Key[Array, ""]) -> Any:
        first, then = jax.random.split(key)
        state = jax.random.categorical(first, scores)
        rows = logs[group, state]

        def ask(carry: Any, key: Key[Array, ""]) -> Any:
            now, used, open_ = carry
            answer = jax.random.categorical(key, rows)
            after = now + logs[group, :, answer]
            now = jnp.where(open_[:, None], after, now)
            return (now, used + open_, open_ & undecided(now)), None

        start = (scores, jnp.zeros(len(scores)), undecided(scores))
        (_, used, open_), _ = jax.lax.scan(
            ask, start, jax.random.split(then, max_answers)
        )
        return used, 1.0 - open_

    used, settled = jax.lax.map(future, jax.random.split(key, futures))
    return belief(scores), used.T, settled.T
