"""Fit responses of kind contains: whether a label is present in an item.

The model `auto` compares the scale of appearances of `contains` with tables of three
states and of two by how well each predicts every answer from all others, and mixes what
they say of presence by stacking. Weights are not shrunk as those of choice are: of
fourteen kinds of simulated studies that none of the models draws, equal shares of the
three lost .05 and .07 to the scale alone in two, and gained .002 nats on average;
nearness to the votes prefers the models with too many labels present.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from consilience import annotators
from consilience.checks.leave_one_out import LeaveOneOut, leave_one_response_out
from consilience.checks.presence import beyond_habit
from consilience.checks.stacking import standing
from consilience.contains.space import MEANINGS
from consilience.errors import OptionError
from consilience.fitting.assembly import fit_outcome
from consilience.fitting.comparison.comparing import standing_table
from consilience.fitting.inputs import reporter
from consilience.fitting.request import Request, Study
from consilience.fitting.single import Single, fit_one
from consilience.inference.options import seed_for
from consilience.posterior.tree import Outcome
from consilience.posterior.truth import MIXTURE, Truth, mix
from consilience.progress import Reporter
from consilience.truth import ContainsSpace

MAX_ON_SCALE = 2_000_000  # answers: some ten minutes on two cores
# Models that are compared: a scale, and tables of three states and of two.
COMPARED = ("contains", "contains_states", "hierarchical_dawid_skene")


class Compared(NamedTuple):
    """A model fitted, in its space, and its score of each answer."""

    single: Single
    space: ContainsSpace
    scores: LeaveOneOut


def fit_contains(study: Study, request: Request) -> Outcome:
    """Fit the model that is asked for; "auto" compares several and mixes them."""
    name, why, table = request.model, None, None
    scores: LeaveOneOut | None = None
    with reporter(request.progress) as report:
        if name == "auto":
            space = study.contains_space(request.states or 2)
            name, why = which_contains(space, request.engine)
            if name == "auto":
                if request.prior:
                    msg = (
                        "prior settings belong to a model, and auto compares several; "
                        "name the model they are meant for: contains"
                    )
                    raise OptionError(msg)
                fits, table = _compare(study, request, report)
                single, space = _mixture(fits, table), fits[0].space
                scores = fits[0].scores
        if table is None:
            states = request.states or annotators.fittable(name).states
            space = study.contains_space(states)
            single = fit_one(
                name,
                space,
                request.seed,
                engine=request.engine,
                prior=request.prior,
                effort=request.effort,
                report=report,
            )
            scores = leave_one_response_out(
                single.model, space, single.result.parameters
            )
    if why is not None and table is None:
        single = replace(single, reason=f"{why}; {single.reason}")
    outcome = fit_outcome(study, request, space, single, _meaning(single))
    return replace(outcome, comparison=table, attributes=_with(outcome, space, scores))


def which_contains(space: ContainsSpace, engine: str = "auto") -> tuple[str, str]:
    """Return the name of the model that suits, or "auto" where several do, and why."""
    answers = int(space.n.sum())
    if not space.identified.any():
        return "contains_counts", "no annotator has an id, so counts are all there is"
    if engine not in ("auto", *annotators.fittable("contains").engines):
        return "contains_states", f"the engine {engine} does not fit a scale"
    if len(space.states) != 2:
        return "contains_states", "three states were asked for"
    if answers > MAX_ON_SCALE:
        return "contains_states", (
            f"{answers:,} answers are many: beyond {MAX_ON_SCALE:,} the closed form is "
            "taken"
        )
    if engine == "nuts":
        return "contains", "the engine nuts fits one model"
    return "auto", ""


def _compare(
    study: Study, request: Request, report: Reporter
) -> tuple[list[Compared], pd.DataFrame]:
    fits = []
    for name in COMPARED:
        space = study.contains_space(annotators.fittable(name).states)
        single = fit_one(
            name,
            space,
            request.seed if name == COMPARED[0] else seed_for(request.seed, name),
            effort=request.effort,
            report=report,
        )
        scores = leave_one_response_out(single.model, space, single.result.parameters)
        if scores is None:
            msg = f"{name} cannot be compared without draws; leave `draws` open"
            raise OptionError(msg)
        fits.append(Compared(single, space, scores))
    space = fits[0].space
    ranking = standing(
        np.stack([each.scores.elpd for each in fits]), space.unit, space.n, request.seed
    )
    names = [each.single.name for each in fits]
    seconds = [each.single.seconds for each in fits]
    return fits, standing_table(names, ranking, ranking.weight, seconds)


def _mixture(fits: Sequence[Compared], table: pd.DataFrame) -> Single:
    """Mix what the models say of presence; annotators are those of the scale."""
    weight = table.set_index("model")["weight"]
    weights = np.array([weight[each.single.name] for each in fits])
    mixed = mix([_present(each) for each in fits], weights)
    first = fits[0].single
    result = replace(
        first.result, belief=mixed.probability, lower=mixed.lower, upper=mixed.upper
    )
    shown = ", ".join(
        f"{name} {share:.2f}" for name, share in weight.items() if share >= 0.005
    )
    best, second = table.iloc[0], table.iloc[1]
    ahead, error = -second["difference"], second["difference_se"]
    reason = (
        f"of {len(table)} models {best['model']} predicts answers best, by {ahead:.4f} "
        f"± {error:.4f} nats an answer over {second['model']}; {MIXTURE}: {shown}"
    )
    return replace(first, result=result, reason=reason)


def _present(compared: Compared) -> Truth:
    """Return absent and present as a model has them, tempered where it can be."""
    single, space, _ = compared
    result = single.result
    truth = Truth(result.belief, result.lower, result.upper)
    if single.tempering is not None:
        truth = single.tempering.tempered
    low, mean, high = (
        each @ space.present for each in (truth.lower, truth.probability, truth.upper)
    )
    # Of several states, the sums of their bounds are wider than the bounds of the sum.
    high = np.minimum(high, 1.0)
    return Truth(
        np.stack([1 - mean, mean], 1),
        np.stack([1 - high, low], 1),
        np.stack([1 - low, high], 1),
    )


def _meaning(single: Single) -> list[str]:
    """Say what makes a label present, and how many are by other meanings."""
    shares = single.result.parameters.get("share_present")
    if shares is None:
        return []
    mean = np.asarray(shares, float).mean((0, 1))
    reported, *others = (
        (meaning, share)
        for meaning, share in zip(MEANINGS, mean, strict=True)
        if np.isfinite(share)
    )
    panel = getattr(single.model.prior, "panel", 0)
    how = (
        f"at least half of {panel:g} new annotators would endorse it, a maybe counting "
        f"{single.model.prior.maybe:g}"
        if panel
        else "it looks more like labels that are there than like labels that are not "
        "(the upper of two components of equal spread, and in part the cut that tells "
        "most about an answer)"
    )
    shown = "; ".join(f"{meaning} {share:.0%}" for meaning, share in others)
    sentence = (
        f"a label is present if {how}: {reported[1]:.0%} of the pairs. By other "
        f"meanings: {shown}"
    )
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
