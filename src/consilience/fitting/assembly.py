"""From what an engine returned to the tree of a fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from consilience.fitting.inputs import types_in
from consilience.fitting.request import Request, Study
from consilience.fitting.single import Single
from consilience.model import DIMS
from consilience.posterior.tree import Outcome
from consilience.truth import ChoiceSpace, ContainsSpace, Space
from consilience.when_used import xr


def fit_tree(
    study: Study,
    request: Request,
    space: Space,
    single: Single,
    remarks: Sequence[str] = (),
) -> xr.DataTree:
    """Return a fit as a tree, with what was assumed and how it was fitted."""
    return fit_outcome(study, request, space, single, remarks).tree()


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
            "states": len(space.states) if isinstance(space, ContainsSpace) else 2,
            "precision": "float64",
        },
    }
    return Outcome(
        space=space,
        result=single.result.as_kept(),
        dims={**DIMS, **single.model.dims},
        attributes=attributes,
        tempering=single.tempering,
    )


def _unused(study: Study, space: Space, single: Single) -> list[str]:
    """Say what is known of labels and annotators that the model does not use."""
    parameters, unused = single.result.parameters, []
    if isinstance(space, (ChoiceSpace, ContainsSpace)) and "weight" not in parameters:
        names = ", ".join(space.covariates.names)
        unused += [f"the prior covariates ({names})"] if names else []
    similar = study.similarity is not None and isinstance(space, ContainsSpace)
    if similar and "context_effect" not in parameters:
        unused += ["the similarity of labels"]
    grouped = len(space.annotator_groups.names) > 0
    if grouped and not single.model.has_rows:
        unused += ["the groups of annotators"]
    return [f"{single.name} does not use {each}" for each in unused]
