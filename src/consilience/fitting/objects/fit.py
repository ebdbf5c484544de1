"""Fit responses of kind objects: what is in an item, and what each is called.

The model `auto` is `objects`, whether annotators have ids or not. In twelve simulated
studies of 25 annotators who differ much, little or not at all, `objects_by_annotator`
was a little better at which labels are one object (log-loss .62, and .65 of `objects`)
and a little worse at how many objects there are (1.46, and 1.42), and took two to six
times as long.
"""

from dataclasses import replace

import jax
import xarray as xr

from consilience.fitting.assembly import fit_tree
from consilience.fitting.inputs import reporter
from consilience.fitting.objects.conditioning import with_objects
from consilience.fitting.request import Request, Study
from consilience.fitting.single import fit_one

WITH_IDS = (
    "what items hold is found as well without parameters of annotators; "
    "objects_by_annotator estimates the style of each"
)


def fit_objects(study: Study, request: Request) -> xr.DataTree:
    """Fit the model that is asked for, and draw the objects of each item."""
    unasked = request.model == "auto"
    with reporter(request.progress) as report:
        space = study.objects_space()
        single = fit_one(
            "objects" if unasked else request.model,
            space,
            request.seed,
            engine=request.engine,
            prior=request.prior,
            effort=request.effort,
            report=report,
        )
        if unasked and space.identified.any():
            single = replace(single, reason=f"{WITH_IDS}; {single.reason}")
        data = fit_tree(study, request, space, single)
        with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
            return with_objects(
                data,
                space,
                single.model,
                single.result,
                seed=request.seed,
                prob=request.effort.prob,
                report=report,
            )
