"""A model as a NumPyro program, and simulation from it.

Evaluate all draws of models with JAX layouts by one compiled program.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

# ArviZ leaves a NumPyro that loads when it is first named, and breaks if that is one of
# its submodules: so wherever it is imported it is named whole, before its parts.
import numpyro
from jaxtyping import Array, Int, Key, Shaped
from numpyro.handlers import seed, substitute, trace

from consilience.errors import FitError
from consilience.model.columns import log_prior_of_truth
from consilience.model.contract import TINY, WEIGHT, Given, Parameters
from consilience.model.in_numpyro import InNumPyro
from consilience.model.kinds import Model, dirichlet_priors, num_substates
from consilience.model.language import run_by
from consilience.model.summed import (
    LaidOutAnswers,
    Ran,
    belief,
    derived,
    lay_out,
    log_likelihood,
    marginal,
    posterior_of_truth,
    sample_weights,
    score,
)
from consilience.programs import double_precision, drop_programs
from consilience.truth import Observations, Space
from consilience.truth.arrays import pytree

SCORE = "score"  # the site under which `joint` leaves the score of a draw


@pytree()
@dataclass(frozen=True, slots=True)
class Simulated:
    """A draw from a model: parameters by name, true states, and answers."""

    parameters: Parameters
    state: Int[Array, " U"]
    answer: Int[Array, " N"]


def sample_answers(model: Model[Any], observations: Observations) -> Ran:
    """Run the program inside a NumPyro program."""
    with run_by(InNumPyro(observations)) as words, trace() as sites:
        answers = model.program(observations, model.prior)
    weight = sample_weights(observations)
    return Ran(answers, weight, words.reported, frozenset(sites), model.share_confusion)


def given(model: Model[Any], observations: Observations, values: Parameters) -> Ran:
    """Run the program by known values: of closed forms, logarithms; else as sampled."""
    if not model.closed(observations):
        return _run_again(model, observations, jax.random.key(0), values)
    with run_by(Given(values)) as words:
        answers = model.program(observations, model.prior)
    return Ran(
        answers,
        values.get(WEIGHT),
        words.reported,
        frozenset(values),
        model.share_confusion,
    )


def joint(model: Model[Any], observations: Observations) -> None:
    """Joint density of parameters and answers as a NumPyro program.

    The truth is summed out by hand: NumPyro's own enumeration took 15 to 66 times as
    long for the gradient of the same density.
    """
    ran = sample_answers(model, observations)
    likelihood = log_likelihood(ran, observations, num_substates(model))
    numpyro.factor("answers", (observations.scale * likelihood).sum())
    for name, value in derived(ran, observations).items():
        numpyro.deterministic(name, value)
    numpyro.deterministic(SCORE, score(ran, observations))


def simulate(
    model: Model[Any],
    space: Space,
    key: Key[Array, ""],
    given: Parameters | None = None,
) -> Simulated:
    """Draw parameters, truths and answers; only the design of `space` is read.

    Parameters
    ----------
    model
        The model to draw from.
    space
        Who answers about what; its answers are not looked at.
    key
        Random key.
    given
        Parameters that are not drawn, by name, and their values.

    Raises
    ------
    FitError
        The prior is improper, so that nothing can be drawn from it.
    TypeError
        The model does not say how answers are drawn.
    """
    first, second, third = jax.random.split(key, 3)
    observations = lay_out(model, space, simulating=True)
    # Where priors are Dirichlet, models share samplers, which are long to compile; the
    # others are compiled whole, and run once more for the answers.
    values = given or {}
    if model.closed(observations):
        drawn, following, ran = _drawn(model, observations, first, values)
    else:
        drawn, following = _compiled(model, observations, first, values)
        ran = _run_again(model, observations, first, values)
    if not all(np.isfinite(value).all() for value in drawn.values()):
        raise FitError(
            "the prior cannot be drawn from; simulate from a model with a proper prior"
        )
    drawn |= following
    if isinstance(ran.answers, LaidOutAnswers):
        arithmetic, parameters = ran.answers.arithmetic, ran.answers.parameters
        made = arithmetic.simulate(second, observations, parameters)
        return replace(made, parameters={**drawn, **made.parameters})
    log_prior = jnp.broadcast_to(
        log_prior_of_truth(observations, ran.answers.log_prevalence, ran.weight),
        (observations.num_units, observations.state.shape[1]),
    )
    slot = jax.random.categorical(second, log_prior)
    lists = jnp.broadcast_to(observations.state, log_prior.shape)
    state = jnp.take_along_axis(lists, slot[:, None], axis=1)[:, 0]
    answers: Any = ran.answers
    answer = answers.simulate_answers(third, observations, state)
    return Simulated(drawn, state, answer)


def _run_again(
    model: Model[Any],
    observations: Observations,
    key: Key[Array, ""],
    fixed: Parameters,
) -> Ran:
    program = seed(substitute(sample_answers, data=fixed), key)
    return program(model, observations)


def _drawn(
    model: Model[Any],
    observations: Observations,
    key: Key[Array, ""],
    fixed: Parameters,
) -> tuple[dict[str, Array], Parameters, Ran]:
    """Return parameters, and what follows from them, by name, and the answers."""
    with trace() as sites:
        ran = _run_again(model, observations, key, fixed)
    kinds = ("sample", "deterministic")
    by_name = {
        name: site["value"] for name, site in sites.items() if site["type"] in kinds
    }
    return by_name, derived(ran, observations), ran


@partial(jax.jit, static_argnames="model")
def _compiled(
    model: Model[Any],
    observations: Observations,
    key: Key[Array, ""],
    fixed: Parameters,
) -> tuple[dict[str, Array], Parameters]:
    return _drawn(model, observations, key, fixed)[:2]


def can_restore_parameters(
    model: Model[Any], observations: Observations, names: Collection[str]
) -> bool:
    """Return whether parameters of some names say all that the answers need."""
    if model.closed(observations):
        closed = set(dirichlet_priors(model, observations))
        return bool(closed) and closed <= set(names)
    return not model.has_rows


def from_draw(
    model: Model[Any],
    observations: Observations,
    values: Mapping[str, Shaped[np.ndarray | Array, "..."]],
) -> Ran:
    """Run the program by the values of one reported draw.

    Closed forms take the logarithms of what they report.
    """
    drawn = {name: jnp.asarray(value) for name, value in values.items()}
    if model.closed(observations):
        closed = dirichlet_priors(model, observations)
        if closed and closed.keys() <= values.keys():
            logs = {name: jnp.log(jnp.maximum(drawn[name], TINY)) for name in closed}
            return given(model, observations, {**drawn, **logs})
        return _run_again(model, observations, jax.random.key(0), drawn)
    return given(model, observations, drawn)


def compiled_reader(
    model: Model[Any], space: Space, names: Collection[str]
) -> Callable[[Mapping[str, Any]], Any] | None:
    """Return how a draw is read: posterior of the truth, likelihood, what follows.

    None where parameters of these names do not say all that the answers need.
    """
    drop_programs()
    with double_precision():
        observations = lay_out(model, space)
        if not can_restore_parameters(model, observations, names):
            return None

    def read(draw: Mapping[str, Any]) -> Any:
        with double_precision():
            values = _read(model, observations, dict(draw))
        return jax.tree.map(np.asarray, values)

    return read


@partial(jax.jit, static_argnames="model")
def _read(model: Model[Any], observations: Observations, draw: Any) -> Any:
    ran = from_draw(model, observations, draw)
    scores = score(ran, observations)
    truth = posterior_of_truth(model, belief(scores))
    return truth, marginal(scores), derived(ran, observations)
