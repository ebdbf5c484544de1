"""One model fitted, its posterior of the truth tempered, and laid out as a fit."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from consilience import annotators
from consilience.fitting.inputs import types_in
from consilience.fitting.request import Request, Study
from consilience.inference import Result, choose, run, with_default_draws
from consilience.inference.modes import weigh
from consilience.inference.options import Seed
from consilience.model import PREVALENCE, WEIGHT, Model, logsumexp, num_substates, thin
from consilience.posterior.correlation import (
    LOOKED_AT,
    Residual,
    residual_correlation,
    scores_by_draw,
)
from consilience.posterior.leave_one_out import (
    leave_one_response_out,
    shrink_weights,
    stacking_weights,
)
from consilience.posterior.spaces import item_columns
from consilience.posterior.tree import Outcome, believing, reported_truth
from consilience.posterior.truth import (
    FIELDS,
    MIN_PROBABILITY,
    Tempering,
    Truth,
    Which,
    temper,
)
from consilience.progress import Reporter, logger
from consilience.truth import ChoiceSpace, ContainsSpace, Space
from consilience.truth.coding import some_units


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
    models: Mapping[str, Float[np.ndarray, "U S"]] = field(default_factory=dict)

    def believing(self, truth: Truth) -> "Single":
        """Return the fit with another posterior of the truth."""
        return replace(self, result=believing(self.result, truth))

    def first(self, units: int) -> "Single":
        """Return the fit of the first units alone, without those behind them."""

        def cut(truth: Truth) -> Truth:
            return Truth(*(getattr(truth, name)[:units] for name in FIELDS))

        result, tempering = self.result, self.tempering
        truth, likelihood = cut(reported_truth(result, None)), result.log_likelihood
        result = replace(
            result,
            belief=truth.probability,
            lower=truth.lower,
            upper=truth.upper,
            log_likelihood=None if likelihood is None else likelihood[:, :, :units],
        )
        if tempering is not None:
            tempering = replace(
                tempering,
                raw=cut(tempering.raw),
                tempered=cut(tempering.tempered),
                design_effect=tempering.design_effect[:units],
            )
        models = {name: share[:units] for name, share in self.models.items()}
        return replace(self, result=result, tempering=tempering, models=models)


def fit_one(
    name: str,
    space: Space,
    request: Request,
    report: Reporter,
    *,
    seed: Seed | None = None,
    informative: Model[Any] | None = None,
) -> Single:
    """Fit the model of that name, or that model as an earlier fit informs it."""
    started = time.monotonic()
    model = informative or annotators.fittable(name, request.prior)
    engine, reason = choose(model, name, request.engine, space)
    effort = request.effort
    if request.engine == "auto":
        effort = with_default_draws(model, space, engine, effort)
    what = f"{name} by {engine}"
    logger.info(
        "%s: %s; %d answers about %d items or questions, %d annotators",
        *(what, reason, int(space.n.sum()), space.num_units, space.num_annotators),
    )
    seed = request.seed if seed is None else seed
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
        tempering=tempering_of(model, space, result),
        seconds=seconds,
    )


def tempering_of(model: Model[Any], space: Space, result: Result) -> Tempering | None:
    """Temper by how far errors are correlated, where there is enough data to tell."""
    residual = residual_correlation(model, space, result.parameters)
    if residual is None:
        return None
    return temper_result(model, residual, "tempered", space, result)


def weigh_modes(model: Model[Any], space: Space, result: Result, prob: float) -> Result:
    """Return the result with its modes weighted; as it is where there is one.

    How many chains fell into a mode says where chains started. Modes are weighted as
    models are that are compared: so that their mixture predicts each answer best from
    all others, and shrunk towards equal weights, because a model that errs can predict
    answers better by labels that are worse.
    """
    mixing = result.mixing
    if mixing is None or len(mixing.weight) < 2 or not result.moments:
        return result
    scores = []
    for mode in range(len(mixing.weight)):
        chains = mixing.mode == mode
        draws = {name: each[chains] for name, each in result.parameters.items()}
        predicted = leave_one_response_out(model, space, draws)
        if predicted is None:
            return result
        scores.append(predicted)
    stacked = stacking_weights(np.stack(scores), space.n)
    weight = shrink_weights(
        stacked, np.zeros(len(stacked)), np.ones(len(stacked), bool)
    )
    shares = ", ".join(f"{each:.2f}" for each in weight)
    logger.info("modes: %s; weighted %s", mixing.modes, shares)
    return weigh(result, weight, prob)


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


def temper_result(
    model: Model[Any], residual: Residual, which: Which, space: Space, result: Result
) -> Tempering:
    """Temper what a result believes of the truth."""
    effect = residual.design_effect(np.bincount(space.unit, space.n, space.num_units))
    raw = reported_truth(result, None)
    kept = prior_at_full_strength(space, result)
    return Tempering(
        raw=raw,
        tempered=temper(raw, kept, effect, log_belief(model, space, result)),
        design_effect=effect,
        reported=which,
        correlation=residual.correlation,
        z=residual.z,
        shrunk=residual.shrunk,
        common=residual.common,
    )


def log_belief(
    model: Model[Any], space: Space, result: Result
) -> Float[np.ndarray, "U S"]:
    """Return the log posterior of the truth, also where no number is so small."""
    logs: Float[np.ndarray, "U S"] = np.log(np.maximum(result.belief, MIN_PROBABILITY))
    listed = np.broadcast_to(space.log_prior > -np.inf, logs.shape)
    far = np.flatnonzero((listed & (result.belief < MIN_PROBABILITY)).any(1))
    if not len(far):
        return logs
    part, split, by_draw = some_units(space, far), num_substates(model), []
    for _, _, scores in scores_by_draw(model, part, thin(result.parameters, LOOKED_AT)):
        whole = logsumexp(scores.reshape(len(far), -1, split), 2)
        by_draw.append(whole - logsumexp(whole, 1)[:, None])
    logs[far] = logsumexp(np.stack(by_draw), 0) - np.log(len(by_draw))
    return logs


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


def fit_outcome(
    study: Study,
    request: Request,
    space: Space,
    single: Single,
    remarks: Sequence[str] = (),
) -> Outcome:
    """Return what was fitted, with what was assumed and how it was fitted."""
    types, lost = types_in(space, study.responses.types)
    attributes = {
        **request.attributes(study),
        "id_types": types,
        "model": single.name,
        "engine": single.engine,
        "engine_reason": single.reason,
        "assumptions": [
            *space.assumptions,
            *study.remarks,
            *remarks,
            *lost,
            *single.result.remarks,
            *_unused(study, space, single),
        ],
        "settings": {
            "effort": asdict(request.effort),
            "prior": asdict(single.model.prior),
            **({"states": len(space.states)} if space.kind == "contains" else {}),
            "precision": "float64",
        },
    }
    return Outcome(
        space=space,
        result=single.result.as_kept(),
        dims=single.model.dims(space),
        attributes=attributes,
        tempering=single.tempering,
        items=item_columns(study.responses),
    )


def _unused(study: Study, space: Space, single: Single) -> list[str]:
    """Say what is known of labels and annotators that the model does not use."""
    parameters, unused = single.result.parameters, []
    if isinstance(space, (ChoiceSpace, ContainsSpace)) and "weight" not in parameters:
        names = ", ".join(space.covariates.names)
        unused += [f"the prior covariates ({names})"] if names else []
    similar = study.similarity is not None and isinstance(space, ContainsSpace)
    if similar and "context_effect" not in parameters:
        unused += ["the similarity of labels (the model contains does)"]
    grouped = len(space.annotator_groups.names) > 0
    if grouped and not single.model.has_rows:
        unused += ["the groups of annotators"]
    return [f"{single.name} does not use {each}" for each in unused]
