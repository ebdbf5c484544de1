"""Fit responses of kind contains: whether a label is present in an item."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from consilience import annotators
from consilience.checks.presence import beyond_habit
from consilience.errors import OptionError
from consilience.fitting.grid_trait import learn
from consilience.fitting.halves import (
    HALVES,
    Half,
    by_halves,
    kept,
    mixed_single,
    tables_given_presence,
)
from consilience.fitting.request import Request, Study
from consilience.fitting.single import Single, fit_one, fit_outcome
from consilience.fitting.with_gold import Corrected, corrected, learns_from_gold
from consilience.inference.options import generator_of, seed_for
from consilience.model import PREVALENCE, stack_chains
from consilience.posterior.labels import with_meaning
from consilience.posterior.leave_one_out import given_two_states, leave_one_response_out
from consilience.posterior.tree import Outcome, reported_truth, with_groups
from consilience.progress import Reporter, reporter
from consilience.truth import ContainsSpace
from consilience.when_used import xr


def fit_contains(study: Study, request: Request) -> Outcome:
    """Fit the model that is asked for; "auto" mixes several."""
    name, why, groups = request.model, None, dict[str, xr.Dataset]()
    scores: Float[np.ndarray, " N"] | None
    taught: Corrected | None = None
    with reporter(request.progress) as report:
        if name == "auto":
            name, why = which_contains(study.space(), request)
        if name == "auto":
            if request.prior:
                raise OptionError(
                    "prior settings belong to a model, and auto mixes two; name the "
                    f"model they are meant for: {' or '.join(HALVES)}"
                )
            space = study.space()
            single, groups, taught = _by_halves(study, request, report)
            confusion = stack_chains(single.result.parameters["confusion"]).mean(0)
            truth = reported_truth(single.result, single.tempering).probability
            scores = given_two_states(space, truth, confusion)
        else:
            states = request.states or annotators.fittable(name).states
            given = learns_from_gold(study, name)
            space = study.space(states, fixed=not given)
            single = fit_one(name, space, request, report)
            draws = single.result.parameters
            scores = leave_one_response_out(single.model, space, draws)
            if why is not None:
                single = replace(single, reason=f"{why}; {single.reason}")
            if given:
                fixed = study.space(states)
                taught = corrected(space, fixed, single, request, study.gold)
                single, space = single if taught is None else taught.single, fixed
    outcome = fit_outcome(study, request, space, single)

    def finish(data: xr.DataTree) -> xr.DataTree:
        data = with_groups(data, **groups)
        return with_meaning(data if taught is None else taught.kept(data))

    attributes = dict(outcome.attributes)
    if scores is not None and space.identified.any():
        attributes["beyond_habit"] = beyond_habit(space, scores)._asdict()
    return replace(outcome, attributes=attributes, finish=finish)


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
) -> tuple[Single, dict[str, xr.Dataset], Corrected | None]:
    """Fit both models and the latent trait, and mix what they say of presence."""
    fits, halves, given = [], [], learns_from_gold(study, "auto")
    for name in HALVES:
        space = study.space(annotators.fittable(name).states, fixed=not given)
        seed = None if name == HALVES[0] else seed_for(request.seed, name)
        single = fit_one(name, space, request, report, seed=seed)
        fits.append(single)
        halves.append(Half(name, space, single.result, single.tempering))
    first, space = fits[0], halves[0].space
    share = sum(half.share() for half in halves) / len(halves)
    trait = learn([space], len(space.n), share)
    mixed = by_halves(halves, trait, request.effort.prob)
    result = replace(first.result, log_likelihood=None)
    number = len(stack_chains(result.parameters[PREVALENCE]))
    if number > 1 and not given:  # none where none were asked for
        generator = generator_of(request.seed)
        drawn = tables_given_presence(first.model, space, mixed, number, generator)
        result = replace(result, parameters=drawn)
    single = mixed_single(replace(first, result=result), mixed)
    groups = kept(halves, trait, mixed.added)
    if not given:
        return single, groups, None
    taught = corrected(space, study.space(), single, request, study.gold)
    return single if taught is None else taught.single, groups, taught
