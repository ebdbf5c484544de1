"""Fit responses of kind contains: whether a label is present in an item.

The model `auto` is the scale of appearances of `contains` wherever its cost allows. On
the raters of the reassessed ImageNet study (553 pairs with the majority of five
experts) it had a log-loss of .344, .277, .247, .218 and .187 from one, two, three, five
and ten raters a label; three states in closed form, tempered, .354, .288, .256, .229
and .201. Where something is known of labels, only it
can use that (.278 from one).
"""

from __future__ import annotations

from dataclasses import replace

from consilience import annotators
from consilience.fitting.assembly import fit_tree
from consilience.fitting.inputs import reporter
from consilience.fitting.request import Request, Study
from consilience.fitting.single import fit_one
from consilience.truth import ContainsSpace
from consilience.when_used import xr

MAX_ON_SCALE = 2_000_000  # answers: some ten minutes on two cores


def fit_contains(study: Study, request: Request) -> xr.DataTree:
    """Fit the model that is asked for, with the number of states that it has.

    Parameters
    ----------
    study
        Responses of kind contains.
    request
        How to fit them.
    """
    name, why = request.model, None
    with reporter(request.progress) as report:
        if name == "auto":
            space = study.contains_space(request.states or 2)
            name, why = which_contains(space, request.engine)
        space = study.contains_space(request.states or annotators.fittable(name).states)
        single = fit_one(
            name,
            space,
            request.seed,
            engine=request.engine,
            prior=request.prior,
            effort=request.effort,
            report=report,
        )
    if why is not None:
        single = replace(single, reason=f"{why}; {single.reason}")
    return fit_tree(study, request, space, single)


def which_contains(space: ContainsSpace, engine: str = "auto") -> tuple[str, str]:
    """Return the name of the model that suits, and why.

    Parameters
    ----------
    space
        Of kind contains.
    engine
        Which engine is asked for.
    """
    answers = int(space.n.sum())
    if not space.identified.any():
        return "contains_counts", "no annotator has an id, so counts are all there is"
    if engine not in ("auto", *annotators.fittable("contains").engines):
        return "contains_states", f"the engine {engine} does not fit a scale"
    scale = "its probabilities are the best calibrated from any number of answers"
    if space.covariates.names:
        scale = "it can use prior covariates of labels"
    elif len(space.groups.names):
        scale = "it can use the groups that labels have"
    elif space.similar_sets.linked:
        scale = "it can use the similarity of labels"
    if answers > MAX_ON_SCALE:
        return "contains_states", (
            f"{answers:,} answers are many: beyond {MAX_ON_SCALE:,} the closed form is "
            "taken"
        )
    return "contains", scale
