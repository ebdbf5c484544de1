"""Fit responses of kind choice: every answer is a label, and every item has one."""

from dataclasses import replace

from consilience.fitting.annotator_table import earlier_answers, of_study
from consilience.fitting.assembly import fit_outcome
from consilience.fitting.comparison.automatic import fit_auto
from consilience.fitting.inputs import reporter
from consilience.fitting.request import Request, Study
from consilience.fitting.single import fit_one
from consilience.posterior.interval_prob import Outcome


def fit_choice(study: Study, request: Request) -> Outcome:
    """Fit the model that is asked for; "auto" compares several and mixes them."""
    table, remarks = None, list[str]()
    with reporter(request.progress) as report:
        study_space = space = study.choice_space()
        if study.annotator_prior is not None:
            earlier = earlier_answers(study.annotator_prior, study_space)
            space = earlier.joined(study_space)
            remarks += earlier.remarks
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
    single = of_study(single, study_space.num_units)
    outcome = fit_outcome(study, request, study_space, single, remarks)
    return replace(outcome, comparison=table)
