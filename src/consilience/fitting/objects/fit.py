"""Fit responses of kind objects: what is in an item, and what each is called."""

import jax
import xarray as xr

from consilience.fitting.assembly import fit_tree
from consilience.fitting.inputs import reporter
from consilience.fitting.objects.conditioning import with_objects
from consilience.fitting.request import Request, Study
from consilience.fitting.single import fit_one


def fit_objects(study: Study, request: Request) -> xr.DataTree:
    """Fit the model that is asked for, and draw the objects of each item.

    Parameters
    ----------
    study
        Responses of kind objects, and those of kind contains beside them.
    request
        How to fit them; the model "auto" is `objects`.
    """
    with reporter(request.progress) as report:
        space = study.objects_space()
        single = fit_one(
            "objects" if request.model == "auto" else request.model,
            space,
            request.seed,
            engine=request.engine,
            prior=request.prior,
            effort=request.effort,
            report=report,
        )
    data = fit_tree(study, request, space, single)
    with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        return with_objects(
            data,
            space,
            single.model,
            single.result,
            seed=request.seed,
            prob=request.effort.prob,
        )
