"""Fit responses of kind choice: every answer is a label, and every item has one."""

from dataclasses import replace

from consilience.fitting.assembly import fit_outcome
from consilience.fitting.comparison.automatic import fit_auto
from consilience.fitting.inputs import reporter
from consilience.fitting.request import Request, Study
from consilience.fitting.single import fit_one
from consilience.posterior.outcome import Outcome


def fit_choice(study: Study, request: Request) -> Outcome:
    """Fit the model that is asked for; "auto" compares several and mixes them.

    Parameters
    ----------
    study
        Responses of kind choice.
    request
        How to fit them.
    """
    table = None
    with reporter(request.progress) as report:
        space = study.space()
        if request.model == "auto":
            single, table = fit_auto(
                space,
                request.seed,
                engine=request.engine,
                prior=request.prior,
                effort=request.effort,
                report=report,
                ordered=request.ordered,
            )
        else:
            single = fit_one(
                request.model,
                space,
                request.seed,
                engine=request.engine,
                prior=request.prior,
                effort=request.effort,
                report=report,
            )
    return replace(fit_outcome(study, request, space, single), comparison=table)
