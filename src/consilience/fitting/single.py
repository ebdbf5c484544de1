"""One model fitted, and its posterior of the truth tempered."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from consilience import annotators
from consilience.checks.dependence.independence import Residual, residual_correlation
from consilience.checks.sampling import weigh_modes
from consilience.inference import EngineOptions, Result, choose, run, with_default_draws
from consilience.inference.options import Seed
from consilience.log import logger
from consilience.model import PREVALENCE, WEIGHT, Model
from consilience.posterior.truth import Tempering, Truth, Which, temper
from consilience.progress import Reporter
from consilience.truth import ChoiceSpace, ContainsSpace, Space


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Single:
    """One model fitted."""

    name: str
    model: Model[Any]
    engine: str
    reason: str
    result: Result
    tempering: Tempering | None
    seconds: float


def fit_one(
    name: str,
    space: Space,
    seed: Seed,
    *,
    engine: str = "auto",
    prior: Mapping[str, float] | None = None,
    informative: Model[Any] | None = None,
    effort: EngineOptions,
    report: Reporter,
) -> Single:
    """Fit the model of that name, or that model as an earlier fit informs it."""
    started = time.monotonic()
    model = informative or annotators.fittable(name, prior)
    unasked = engine == "auto"
    engine, reason = choose(model, name, engine, space)
    if unasked:
        effort = with_default_draws(model, space, engine, effort)
    what = f"{name} by {engine}"
    logger.info(
        "%s: %s; %d answers about %d items or questions, %d annotators",
        *(what, reason, int(space.n.sum()), space.num_units, space.num_annotators),
    )
    result = run(model, space, engine, seed, effort, report)
    result = weigh_modes(model, space, result, effort.prob)
    seconds = time.monotonic() - started
    logger.info("%s: %.2f seconds%s", what, seconds, _converged(result))
    return Single(
        name=name,
        model=model,
        engine=engine,
        reason=reason,
        result=result,
        tempering=_tempering(model, space, result),
        seconds=seconds,
    )


def _converged(result: Result) -> str:
    """Say in how many starts an optimization ended by itself, for the log."""
    how = result.optimization
    if how is None:
        return ""
    course = how.objective[how.chosen]
    course = course[np.isfinite(course)]
    last = f", {how.what} {course[-1]:.6g}" if len(course) else ""
    starts = len(how.converged)
    return f"; {int(how.converged.sum())} of {starts} starts converged{last}"


def _tempering(model: Model[Any], space: Space, result: Result) -> Tempering | None:
    residual = residual_correlation(model, space, result.parameters)
    if residual is None:
        return None
    return temper_result(residual, "tempered", space, result)


def temper_result(
    residual: Residual, which: Which, space: Space, result: Result
) -> Tempering:
    """Temper what a result believes of the truth."""
    effect = residual.design_effect(np.bincount(space.unit, space.n, space.num_units))
    raw = Truth(result.belief, result.lower, result.upper)
    kept = prior_at_full_strength(space, result)
    return Tempering(
        raw=raw,
        tempered=temper(raw, kept, effect),
        design_effect=effect,
        reported=which,
        correlation=residual.correlation,
        z=residual.z,
        shrunk=residual.shrunk,
        common=residual.common,
    )


def prior_at_full_strength(space: Space, result: Result) -> Float[np.ndarray, "#U S"]:
    """Return the part of the prior of the truth that tempering leaves as it is."""
    kept: Float[np.ndarray, "#U S"] = np.exp(space.log_prior)
    if isinstance(space, ContainsSpace):
        prevalence = np.asarray(result.parameters[PREVALENCE], float).mean((0, 1))
        kept = prevalence[space.state] * kept
    elif (
        isinstance(space, ChoiceSpace)
        and space.covariates.names
        and WEIGHT in result.parameters
    ):
        weight = np.asarray(result.parameters[WEIGHT], float).mean((0, 1))
        odds = space.covariates.value @ weight
        kept = kept * np.exp(odds - odds.max(1, keepdims=True))
    return kept
