"""Simulation-based calibration: whether posteriors are calibrated on average.

Draw parameters from the prior, answers from the parameters, and fit the answers. Over
many such studies the position of the drawn parameter among the draws of its posterior
is uniform, 90 % of the 90 % intervals hold it, and the most probable states are true
as often as they are said to be. All three hold exactly for the exact posterior, on
average over the prior; how far an engine is off shows how far to trust its intervals.

Positions are judged by the simultaneous band of their empirical distribution: the
smallest of the binomial tails at all points, against its distribution when positions
are uniform. Truths are discrete: there the promised accuracy is held against the
realised one, over all units and bin by bin. Units of one study share its parameters
and rise and fall together, so standard errors go by study.

**Simulated studies.** All studies have one design, and all are laid out alike: a
response becomes one row for each answer that could have been given, which counts once
or not at all. So every array has the same shape in every study, and what is compiled
for the first serves them all.

Looked at is only what does not depend on the names of hidden kinds: prevalence,
confusions (subtypes and communities averaged over), and the log-likelihood.

References
----------
Talts, Betancourt, Simpson, Vehtari and Gelman (2018), Validating Bayesian inference
algorithms with simulation-based calibration, section 4. Modrák, Moon, Kim, Bürkner,
Huurre, Faltejsková, Gelman and Vehtari (2023), Simulation-based calibration checking
for Bayesian computation: the choice of test quantities shapes sensitivity, section 3
(the log-likelihood among the quantities). Säilynoja, Bürkner and Vehtari (2022),
Graphical test for discrete uniformity and its applications in goodness-of-fit
evaluation and multiple sample comparison, section 2.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any

import jax
import numpy as np
import numpyro  # noqa: F401 (whole before its parts: see `model.program`)
import pandas as pd
from jaxtyping import Array, Float, Int, Shaped
from numpyro.handlers import seed, substitute
from scipy.special import bdtr
from scipy.stats import norm

from consilience.errors import ConsilienceError
from consilience.inference import EngineOptions, Result, run
from consilience.model import (
    Model,
    Parameters,
    Rule,
    marginal,
    sample_answers,
    score,
    simulate,
    stack_chains,
)
from consilience.model.summed import lay_out
from consilience.progress import silent
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
    if isinstance(model, Rule):
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
    return marginal(score(ran, observations)).sum()


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


# A row of the tables fails when figures as bad as its own come about less often than
# this by chance, all its tests together (Bonferroni).
LEVEL = 0.01
MASSES = (0.5, 0.9)
TOO_FEW = "too few studies to tell"
POWER = 0.8  # with which intervals of a third of the width are to be found
# Bounds of the bins of what a state is said to be true with.
BINS = (0.0, 0.5, 0.7, 0.9, 0.99, 1.0)
TRIALS = 4000  # uniform samples that the smallest tail is held against
_SEED = 20220322  # of those samples: one sample size has one null distribution


def position(
    truth: Float[np.ndarray, " Q"],
    draws: Float[np.ndarray, "D Q"],
    generator: np.random.Generator,
) -> Float[np.ndarray, " Q"]:
    """Place each true value among its draws, from 0 (below all) to 1.

    A place between two draws, or among equal ones, is drawn by lot: then positions are
    uniform, with any number of draws, if the truth and the draws are exchangeable.
    """
    below = (draws < truth).sum(axis=0)
    equal = (draws == truth).sum(axis=0)
    lot = generator.random(truth.shape)
    return (below + lot * (equal + 1)) / (len(draws) + 1)


def uniformity(positions: Float[np.ndarray, " N"]) -> float:
    """Return how often uniform positions would stray as far: a p-value."""
    null = _smallest_tails(len(positions))
    tail = _smallest_tail(np.sort(positions)[None])[0]
    return float((1 + (null <= tail).sum()) / (1 + len(null)))


def studies_needed(tests: int) -> int:
    """Return the number of studies that find 90 % intervals a third as wide as right.

    That many are needed to find them with probability `POWER` by one of several tests
    of coverage: a normal posterior of a third of the width holds .42 of the truths, and
    the test goes by the standard deviation of what is held.
    """
    prob = MASSES[-1]
    covered = 1 - 2 * norm.sf(norm.isf((1 - prob) / 2) / 3)
    reach = norm.isf(LEVEL / tests / 2) + norm.isf(1 - POWER)
    return int(np.ceil((reach / (prob - covered)) ** 2 * covered * (1 - covered)))


def judge_parameters(ranks: pd.DataFrame) -> pd.DataFrame:
    """Judge the positions of true parameters among their draws."""
    groups = ranks.groupby("quantity", sort=False, observed=True)
    rows = [{"quantity": name, **_parameter(group)} for name, group in groups]
    return pd.DataFrame(rows)


def judge_truth(items: pd.DataFrame) -> pd.DataFrame:
    """Judge whether the most probable states are true as often as promised."""
    parts = [("all", items)]
    parts += [
        (str(name), part)
        for name, part in items.groupby("confidence", sort=True)
        if part["units"].sum()
    ]
    rows = [{"confidence": name, **_gap(part)} for name, part in parts]
    gap, chance = float(rows[0]["gap"]), float(rows[0]["p"])
    # The row of all and the bins are as many tests; where there is one bin it is all.
    count = len(rows) if len(rows) > 2 else 1
    worst = min(1.0, min(float(row["p"]) for row in rows) * count)
    needed = studies_needed(count)
    if worst >= LEVEL:
        verdict = "calibrated" if rows[0]["simulations"] >= needed else TOO_FEW
    elif chance >= LEVEL:
        verdict = "off in parts"
    else:
        verdict = "overconfident" if gap > 0 else "underconfident"
    rows[0].update({"p": worst, "needed": needed, "verdict": verdict})
    return pd.DataFrame(rows).fillna({"verdict": ""})


def tally(
    belief: Float[np.ndarray, "U K"], state: Int[np.ndarray, " U"]
) -> pd.DataFrame:
    """Count, bin by bin, how often the most probable state is true, and should be."""
    confidence = belief.max(axis=1)
    right = belief.argmax(axis=1) == state
    inner = np.asarray(BINS[1:-1])
    bin_of = np.searchsorted(inner, confidence, side="right")
    number = len(BINS) - 1

    def total(values: Float[np.ndarray, " U"]) -> Float[np.ndarray, " B"]:
        return np.bincount(bin_of, values, minlength=number)

    names = [f"{low:g} to {high:g}" for low, high in pairwise(BINS)]
    return pd.DataFrame(
        {
            "confidence": names,
            "units": np.bincount(bin_of, minlength=number),
            "expected": total(confidence),
            "realised": total(right.astype(float)),
            "variance": total(confidence * (1 - confidence)),
        }
    )


def coverage(
    positions: Float[np.ndarray, "N E"], prob: float
) -> tuple[float, float, float]:
    """Return how often the central interval holds the truth, its error, and p."""
    covered = np.abs(positions - 0.5) < prob / 2
    share = float(covered.mean())
    of_study = covered.mean(axis=1)
    number = len(of_study)
    clustered = float(of_study.std(ddof=1)) if number > 1 else np.inf
    # Not less than independent elements have: a handful of studies may all agree.
    error = max(clustered, float(np.sqrt(prob * (1 - prob) / covered.shape[1])))
    error /= np.sqrt(number)
    return share, error, float(2 * norm.sf(abs(share - prob) / error))


def _parameter(group: pd.DataFrame) -> dict[str, Any]:
    wide = group.pivot_table(
        index="simulation", columns="element", values="position", dropna=False
    )
    positions = wide.to_numpy(dtype=float)
    errors = (group["mean"] - group["truth"]).groupby(group["simulation"]).mean()
    gap = errors.to_numpy(dtype=float)
    row: dict[str, Any] = {
        "simulations": len(gap),
        "elements": positions.shape[1],
        "error": gap.mean(),
        "error_se": gap.std(ddof=1) / np.sqrt(len(gap)) if len(gap) > 1 else np.nan,
    }
    if np.isnan(positions).any():
        # A point holds the truth never, whatever its interval is asked to hold.
        for prob in MASSES:
            row |= {_name(prob): 0.0, f"{_name(prob)}_se": 0.0}
        return {**row, "p": 0.0, "verdict": "a point, no interval"}
    chances = [uniformity(column) for column in positions.T]
    for prob in MASSES:
        share, error, chance = coverage(positions, prob)
        row |= {_name(prob): share, f"{_name(prob)}_se": error}
        chances.append(chance)
    worst = min(1.0, min(chances) * len(chances))
    distance = (share - prob) / error  # of the widest interval
    needed = studies_needed(len(chances))
    if worst >= LEVEL:
        verdict = "calibrated" if len(gap) >= needed else TOO_FEW
    elif abs(distance) > 2:
        verdict = "too narrow" if distance < 0 else "too wide"
    else:
        verdict = "shifted"
    return {**row, "p": worst, "needed": needed, "verdict": verdict}


def _name(prob: float) -> str:
    return f"coverage_{100 * prob:.0f}"


def _gap(part: pd.DataFrame) -> dict[str, Any]:
    names = ["units", "expected", "realised", "variance"]
    sums = part.groupby("simulation")[names].sum().to_numpy(dtype=float)
    units, expected, realised, variance = sums.sum(axis=0)
    apart = float(((sums[:, 1] - sums[:, 2]) ** 2).sum())
    # Not less than independent units have: a handful of studies may all agree.
    error = np.sqrt(max(apart, variance)) / units
    gap = (expected - realised) / units
    return {
        "simulations": len(sums),
        "units": int(units),
        "expected": expected / units,
        "realised": realised / units,
        "gap": gap,
        "gap_se": error,
        "p": float(2 * norm.sf(abs(gap) / error)) if error > 0 else float(gap == 0),
    }


def _smallest_tail(ordered: Float[np.ndarray, "T N"]) -> Float[np.ndarray, " T"]:
    # Of the binomial distribution of how many of N lie below 1/N, 2/N, ..., either way.
    number = ordered.shape[1]
    points = np.arange(1, number) / number
    counts = np.stack([np.searchsorted(row, points, side="right") for row in ordered])
    low = bdtr(counts, number, points)
    high = np.where(counts > 0, 1 - bdtr(np.maximum(counts - 1, 0), number, points), 1)
    return np.minimum(low, high).min(axis=1, initial=1.0)


@lru_cache(maxsize=32)
def _smallest_tails(number: int) -> Float[np.ndarray, " T"]:
    generator = np.random.default_rng(_SEED)
    return _smallest_tail(np.sort(generator.random((TRIALS, number)), axis=1))
