"""From the parameters of a fit of kind objects to the posterior of each item."""

from typing import Any

import xarray as xr

from consilience.inference import Result
from consilience.model import (
    AnnotatorModel,
    Parameters,
    lay_out,
    parameters_from_draw,
    thin,
)
from consilience.objects.layout.items import Items
from consilience.objects.posterior import label_pairs
from consilience.objects.posterior.right_names import label_counts
from consilience.posterior.objects.item_posterior import item_posterior
from consilience.posterior.objects.joint_draws import Record
from consilience.posterior.objects.tables import curves, item_tables
from consilience.posterior.stored_fit.stored import with_tables
from consilience.posterior.stored_fit.tree import with_groups
from consilience.progress import Reporter, silent
from consilience.truth import ObjectsSpace

MAX_DRAWS = 20  # of the parameters that are looked at, evenly taken
IN_ALL = 500  # draws of each item: probabilities to within .022


def with_objects(
    data: xr.DataTree,
    space: ObjectsSpace,
    model: AnnotatorModel[Any],
    result: Result,
    *,
    seed: int,
    prob: float,
    report: Reporter = silent,
) -> xr.DataTree:
    """Return the fit with what each item holds, and what all of them say together."""
    observations = lay_out(model, space)
    draws = [
        parameters_from_draw(model, observations, values)
        for values in thin(result.parameters, MAX_DRAWS)
    ]
    items: Items = observations.layout
    with_posteriors = with_item_posteriors(
        data, space, items, draws, seed=seed, prob=prob, report=report
    )
    pooled = label_pairs.as_dataset(label_pairs.evidence_from(space, items.names))
    return with_groups(with_posteriors, **{label_pairs.GROUP: pooled})


def with_item_posteriors(
    data: xr.DataTree,
    space: ObjectsSpace,
    items: Items,
    draws: list[Parameters],
    *,
    seed: int,
    prob: float,
    report: Reporter = silent,
) -> xr.DataTree:
    """Return the fit with what each item holds."""
    named = space.named
    number = -(-IN_ALL // len(draws))
    record = Record(named.candidate, len(draws), number)
    given = label_counts(space, named)
    posterior = item_posterior(
        items,
        space.unit_item,
        given,
        draws,
        record,
        number=number,
        seed=seed,
        report=report,
    )
    with_curves = with_groups(
        data, objects=curves(space, posterior), joint_draws=record.dataset()
    )
    return with_tables(with_curves, item_tables(space, posterior, prob))
