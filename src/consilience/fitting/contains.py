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
from consilience.checks.leave_one_out import (
    LeaveOneOut,
    leave_one_response_out,
    standing,
)
from consilience.checks.presence import beyond_habit
from consilience.contains.space import MEANINGS
from consilience.errors import OptionError
from consilience.fitting.comparing import (
    lead,
    mixture_of,
    scores_of,
    standing_table,
)
from consilience.fitting.request import Request, Study
from consilience.fitting.single import Single, fit_one, fit_outcome
from consilience.inference.options import seed_for
from consilience.posterior.tree import Outcome, reported_truth
from consilience.posterior.truth import Truth, mix
from consilience.progress import Reporter, reporter
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
    scores: LeaveOneOut | None
    with reporter(request.progress) as report:
        if name == "auto":
            name, why = which_contains(study.space(request.states or 2), request.engine)
        if name == "auto":
            if request.prior:
                msg = (
                    "prior settings belong to a model, and auto compares several; name "
                    "the model they are meant for: contains"
                )
                raise OptionError(msg)
            fits, table = _compare(study, request, report)
            space, scores = fits[0].space, fits[0].scores
            single = _mixture(fits, table)
        else:
            space = study.space(request.states or annotators.fittable(name).states)
            single = fit_one(name, space, request, report)
            draws = single.result.parameters
            scores = leave_one_response_out(single.model, space, draws)
            if why is not None:
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
    request, fits = replace(request, engine="auto"), []
    for name in COMPARED:
        space = study.space(annotators.fittable(name).states)
        seed = None if name == COMPARED[0] else seed_for(request.seed, name)
        single = fit_one(name, space, request, report, seed=seed)
        scores = scores_of(single, space, "it has no draws; leave `draws` open")
        fits.append(Compared(single, space, scores))
    space = fits[0].space
    elpd = np.stack([each.scores.elpd for each in fits])
    ranking = standing(elpd, space.unit, space.n, request.seed)
    table = standing_table([each.single for each in fits], ranking, ranking.weight)
    return fits, table


def _mixture(fits: Sequence[Compared], table: pd.DataFrame) -> Single:
    """Mix what the models say of presence; annotators are those of the scale."""
    weight = dict(zip(table["model"], table["weight"], strict=True))
    weights = np.array([weight[each.single.name] for each in fits])
    mixed = mix([_present(each) for each in fits], weights)
    first = fits[0].single
    reason = f"{lead(table)}; {mixture_of(weight.items())}"
    return replace(first.believing(mixed), reason=reason)


def _present(compared: Compared) -> Truth:
    """Return absent and present as a model has them, tempered where it can be."""
    single, space, _ = compared
    truth = reported_truth(single.result, single.tempering)
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
    if space.identified.any():
        attributes["beyond_habit"] = beyond_habit(space, scores.elpd)._asdict()
    return attributes
