"""Fits of simulated studies, for simulation-based calibration.

All studies have one design, and all are laid out alike: a response becomes one row for
each answer that could have been given, which counts once or not at all. So every array
has the same shape in every study, and what is compiled for the first serves them all.

Looked at is only what does not depend on the names of hidden kinds: prevalence,
confusions (subtypes and communities averaged over), and the log-likelihood.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import numpy as np
import numpyro  # noqa: F401 (whole before its parts: see `model.program`)
import pandas as pd
from jaxtyping import Array, Float, Int, Shaped
from numpyro.handlers import seed, substitute

from consilience.checks.simulation_based_calibration import position, tally
from consilience.errors import ConsilienceError
from consilience.inference import EngineOptions, Result, run
from consilience.model import (
    Model,
    Parameters,
    marginal,
    sample_answers,
    score,
    simulate,
    stack_chains,
)
from consilience.model.laid_out import lay_out
from consilience.progress import Progress, Reporter, silent
from consilience.truth import Observations, Space

type Quantities = dict[tuple[str, str], Float[np.ndarray, " _"]]  # one, or many draws

KEPT = 100  # draws that a truth is placed among; successive ones are alike
STATES, ANNOTATORS = 3, 2  # how many of each are looked at one by one


@dataclass(frozen=True, slots=True)
class SimulatedFits:
    """What the fits of simulated studies gave."""

    ranks: pd.DataFrame
    items: pd.DataFrame
    failed: tuple[str, ...]
    one_state: float
    seconds: float


def cannot_simulate(model: Model[Any], space: Space) -> str | None:
    """Return why a model has no prior to draw studies from, or None."""
    if space.kind not in model.kinds:
        return f"it takes no responses of kind {space.kind}, of which the studies are"
    if model.rule:
        return "it has no parameters, so no prior to draw studies from"
    try:
        simulate(model, space, jax.random.key(0))
    except (ConsilienceError, TypeError) as error:
        return str(error)
    return None


def simulated_fits(
    model: Model[Any],
    space: Space,
    engine: str,
    *,
    simulations: int,
    seed_of_all: int,
    effort: EngineOptions,
    power: int = 1,
    report: Reporter = silent,
) -> SimulatedFits:
    """Draw studies from a model's own prior and fit each."""
    generator = np.random.default_rng([seed_of_all, 1])
    ranks, items, failed, alike = [], [], [], 0
    took = []
    for number in range(simulations):
        key = jax.random.fold_in(jax.random.key(seed_of_all), number)
        drawn = simulate(model, space, jax.random.split(key)[0])
        state = np.asarray(drawn.state)
        alike += bool((state == state[0]).all())
        observed = replace_answers(space, np.asarray(drawn.answer), power=power)
        began = time.monotonic()
        try:
            result = run(model, observed, engine, (seed_of_all, number), effort, silent)
        except ConsilienceError as error:
            failed.append(str(error))
            continue
        took.append(time.monotonic() - began)
        log_likelihood = _log_likelihood(
            model, lay_out(model, observed), drawn.parameters
        )
        truth = _quantities(
            {name: np.asarray(value)[None] for name, value in drawn.parameters.items()},
            np.asarray(log_likelihood)[None],
            space,
        )
        draws = _quantities(*_flat(result), space)
        ranks.append(_positions(truth, draws, generator).assign(simulation=number))
        items.append(tally(result.belief, state).assign(simulation=number))
        report(Progress("fits", number + 1, simulations))
    return SimulatedFits(
        pd.concat(ranks, ignore_index=True) if ranks else pd.DataFrame(),
        pd.concat(items, ignore_index=True) if items else pd.DataFrame(),
        tuple(failed),
        alike / simulations,
        float(np.mean(took[1:])) if took[1:] else np.nan,
    )


def replace_answers(
    space: Space, answer: Int[np.ndarray, " N"], *, power: int = 1
) -> Space:
    """Return the space with other answers, laid out the same whatever they are."""
    number, words = len(space.unit), len(space.answers)
    word = np.tile(np.arange(words, dtype=space.answer.dtype), number)
    return replace(
        space,
        unit=np.repeat(space.unit, words),
        annotator=np.repeat(space.annotator, words),
        answer=word,
        n=power * (word == np.repeat(answer, words)).astype(space.n.dtype),
    )


@partial(jax.jit, static_argnames="model")
def _log_likelihood(
    model: Model[Any], observations: Observations, drawn: Parameters
) -> Float[Array, ""]:
    with substitute(data=drawn), seed(rng_seed=0):
        ran = sample_answers(model, observations)
    total: Float[Array, ""] = marginal(score(ran, observations)).sum()
    return total


def _flat(
    result: Result,
) -> tuple[Mapping[str, Shaped[np.ndarray, "draw ..."]], Float[np.ndarray, " draw"]]:
    # Chains joined, and of so many draws as are compared, evenly taken.
    def thin(values: Shaped[np.ndarray, "chain draw ..."]) -> Any:
        flat = stack_chains(values)
        at = np.linspace(0, len(flat) - 1, min(KEPT, len(flat))).round().astype(int)
        return flat[at]

    likelihood = result.log_likelihood
    assert likelihood is not None  # noqa: S101 (simulated studies are small)
    summed = likelihood.sum(axis=-1, dtype=float)
    return {name: thin(value) for name, value in result.parameters.items()}, thin(
        summed
    )


def _quantities(
    parameters: Mapping[str, Shaped[np.ndarray, "draw ..."]],
    likelihood: Float[np.ndarray, " draw"],
    space: Space,
) -> Quantities:
    """Return draws of the quantities that are looked at, by name and element."""
    quantities: Quantities = {}
    states = range(min(STATES, len(space.states)))
    if "prevalence" in parameters:
        for k in states:
            quantities["prevalence", space.states[k]] = parameters["prevalence"][:, k]
    confusion = parameters.get("confusion")
    if confusion is not None:
        modal = space.votes.argmax(axis=0)
        cells = [
            (k, word)
            for k in states
            for word in (modal[k], (modal[k] + 1) % len(space.answers))
        ]
        shared = (
            confusion if confusion.ndim == 3 else confusion.mean(axis=1, dtype=float)
        )
        for k, word in cells:
            name = f"{space.answers[word]} for {space.states[k]}"
            quantities["population confusion", name] = shared[:, k, word]
        people = range(min(ANNOTATORS, space.num_annotators))
        for j in people if confusion.ndim == 4 else ():
            for k, word in cells[:2]:
                name = f"{space.answers[word]} for {space.states[k]}"
                name = f"{space.annotators[j]}: {name}"
                quantities["annotators' confusion", name] = confusion[:, j, k, word]
    quantities["log-likelihood", "all answers"] = likelihood
    return quantities


def _positions(
    truth: Quantities, draws: Quantities, generator: np.random.Generator
) -> pd.DataFrame:
    rows = []
    for (quantity, element), values in draws.items():
        true = truth[quantity, element]
        if len(values) > 1 and np.ptp(values) == 0:
            continue  # held fixed by the model: there is nothing to find
        place = np.nan
        if len(values) > 1:
            place = float(position(true, values[:, None], generator)[0])
        rows.append((quantity, element, place, float(true[0]), float(values.mean())))
    names = ["quantity", "element", "position", "truth", "mean"]
    return pd.DataFrame(rows, columns=names)
