"""Fit responses of kind contains: whether a label is present in an item."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from consilience import annotators
from consilience.checks.leave_one_out import (
    LeaveOneOut,
    given_two_states,
    leave_one_response_out,
)
from consilience.checks.presence import beyond_habit
from consilience.contains.space import MEANINGS, PRESENT, shares_by_meaning
from consilience.errors import OptionError
from consilience.fitting.halves import (
    HALVES,
    Half,
    by_halves,
    kept,
    tables_given_presence,
)
from consilience.fitting.request import Request, Study
from consilience.fitting.single import Single, fit_one, fit_outcome
from consilience.inference.options import generator_of, seed_for
from consilience.model import PREVALENCE, stack_chains
from consilience.posterior.tree import Outcome, reported_truth, with_groups
from consilience.progress import Reporter, reporter
from consilience.truth import ContainsSpace
from consilience.when_used import xr


def fit_contains(study: Study, request: Request) -> Outcome:
    """Fit the model that is asked for; "auto" mixes two by halves."""
    name, why, groups = request.model, None, dict[str, xr.Dataset]()
    scores: LeaveOneOut | None
    with reporter(request.progress) as report:
        if name == "auto":
            name, why = which_contains(study.space(), request)
        if name == "auto":
            if request.prior:
                msg = (
                    "prior settings belong to a model, and auto mixes two; name the "
                    f"model they are meant for: {' or '.join(HALVES)}"
                )
                raise OptionError(msg)
            space = study.space()
            single, groups = _by_halves(study, request, report)
            confusion = stack_chains(single.result.parameters["confusion"]).mean(0)
            truth = reported_truth(single.result, single.tempering).probability
            scores = given_two_states(space, truth, confusion)
        else:
            space = study.space(request.states or annotators.fittable(name).states)
            single = fit_one(name, space, request, report)
            draws = single.result.parameters
            scores = leave_one_response_out(single.model, space, draws)
            if why is not None:
                single = replace(single, reason=f"{why}; {single.reason}")
    remarks = _meaning(space, single, mixed=name == "auto")
    outcome = fit_outcome(study, request, space, single, remarks)
    return replace(
        outcome,
        attributes=_with(outcome, space, scores),
        finish=lambda data: with_groups(data, **groups),
    )


def which_contains(space: ContainsSpace, request: Request) -> tuple[str, str]:
    """Return the name of the model that suits, or "auto" where two do, and why."""
    if not space.identified.any():
        return "contains_counts", "no annotator has an id, so counts are all there is"
    if request.engine not in ("auto", "vb"):
        return "contains_states", f"the engine {request.engine} fits one model"
    if request.states is not None:
        which = HALVES[request.states == 3]
        return which, f"{request.states} states were asked for"
    return "auto", ""


def _by_halves(
    study: Study, request: Request, report: Reporter
) -> tuple[Single, dict[str, xr.Dataset]]:
    """Fit both models, and mix what they say of presence."""
    fits, halves = [], []
    for name in HALVES:
        space = study.space(annotators.fittable(name).states)
        seed = None if name == HALVES[0] else seed_for(request.seed, name)
        single = fit_one(name, space, request, report, seed=seed)
        fits.append(single)
        halves.append(Half(name, space, single.result, single.tempering))
    first, space = fits[0], halves[0].space
    mixed = by_halves(halves, request.effort.prob)
    result = replace(first.result, log_likelihood=None)
    number = len(stack_chains(result.parameters[PREVALENCE]))
    if number > 1:  # none where none were asked for
        generator = generator_of(request.seed)
        drawn = tables_given_presence(first.model, space, mixed, number, generator)
        result = replace(result, parameters=drawn)
    single = replace(
        replace(first, result=result).believing(mixed.tempering.raw),
        tempering=mixed.tempering,
        reason=f"{mixed.reason}; annotators are those of {first.name}",
    )
    return single, kept(halves, mixed.known)


def _meaning(space: ContainsSpace, single: Single, *, mixed: bool) -> list[str]:
    """Say what makes a label present, and how many are by other meanings."""
    parameters = single.result.parameters
    shares = parameters.get("share_present")
    panel = getattr(single.model.prior, "panel", 0)
    if shares is not None:
        how = (
            f"at least half of {panel:g} new annotators would endorse it, a maybe "
            f"counting {single.model.prior.maybe:g}"
            if panel
            else "it looks more like labels that are there than like labels that are "
            "not (the upper of two components of equal spread, and in part the cut "
            "that tells most about an answer)"
        )
        mean = np.asarray(shares, float).mean((0, 1))
    else:
        names = {"confusion", PREVALENCE}
        if not names <= parameters.keys():
            return []
        two = "it is in the upper of two states that tell most about the answers"
        three = "the upper of three, an unclear one counting half"
        how = f"it is in {three}" if len(space.states) > 2 else two
        if mixed:
            how = f"{two}; or, with equal weight, in {three}"
        asked = np.bincount(space.annotator, space.n, space.num_annotators)
        drawn = (stack_chains(parameters[name]) for name in ("confusion", PREVALENCE))
        truth = reported_truth(single.result, single.tempering)
        reported = float((truth.probability @ space.present).mean())
        shares = shares_by_meaning(*drawn, asked, space.present, reported)
        mean = shares.mean(0)
    (_, share), *others = (
        (meaning, share)
        for meaning, share in zip(MEANINGS, mean, strict=True)
        if np.isfinite(share)
    )
    shown = "; ".join(f"{meaning} {other:.0%}" for meaning, other in others)
    sentence = f"{PRESENT} {how}: {share:.0%} of the pairs. By other meanings: {shown}"
    return [sentence]


def _with(
    outcome: Outcome, space: ContainsSpace, scores: LeaveOneOut | None
) -> dict[str, object]:
    """Add what the checks of answers left out look at."""
    attributes = dict(outcome.attributes)
    if scores is None:
        return attributes
    if scores.copied is not None:
        attributes["most_alike"] = scores.copied._asdict()
    if space.identified.any():
        attributes["beyond_habit"] = beyond_habit(space, scores.elpd)._asdict()
    return attributes
