"""Apply a fit of objects to other items, or to more answers.

Parameters stay as they were fitted, and so does what that study said of classes, labels
and pairs. An item that was in it does not get its own answers from there. What is found
of an item depends on its own answers alone, not on the items beside it.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import logsumexp

from consilience.errors import OptionError
from consilience.fitting.objects.fit import with_item_posteriors
from consilience.fitting.previous.predicting import DRAWS, align_draws, result_of
from consilience.fitting.request import Study
from consilience.model import Model, Parameters, thin
from consilience.objects.layout.items import Items, items_of
from consilience.objects.posterior import label_pairs
from consilience.objects.posterior.draws import block_weights
from consilience.objects.posterior.label_pairs import StudyEvidence
from consilience.posterior.tree import tree, with_groups
from consilience.responses import Responses
from consilience.truth import ObjectsSpace

NOT_OURS = "attraction"  # the slope that no table of candidates gives


def predict_objects(
    before: xr.DataTree,
    model: Model[Any],
    study: Study,
    attributes: Callable[[ObjectsSpace], Mapping[str, Any]],
) -> xr.DataTree:
    """Infer what items hold by what an earlier study has learned."""
    evidence = label_pairs.evidence_of(before)
    if evidence is None:
        msg = (
            "the earlier fit does not hold the effects of classes and labels; "
            "it was written by an older version: fit that study again"
        )
        raise OptionError(msg)
    if study.contains is not None and not evidence.names.endorsement:
        msg = (
            "the earlier fit had no answers of kind contains and has no estimate of "
            "leading questions; leave them out, or fit both tasks there"
        )
        raise OptionError(msg)
    given = with_labels(study.responses, evidence)
    space: ObjectsSpace = replace(study, responses=given).space()
    named = replace(space.named, similar=evidence.similar)
    space = replace(space, named=named)
    _check_numbers(evidence, named.covariate_names)
    evidence = evidence.with_labels(named.labels, named.parents).about(space.unit_item)
    items = items_of(
        space,
        evidence.pool,
        evidence.item_counts(space),
        names=evidence.names,
        slopes=False,
        by_annotator="annotator" in before["posterior"].dims,
    )
    values, prob = align_draws(space, before), float(before.attrs["prob"])
    shape = (space.num_units, len(space.states))
    result = result_of(partial(_read, items, shape), values, prob)
    data = with_item_posteriors(
        tree(space, result, model.dims, attributes(space), covariates=evidence.names),
        space,
        items,
        list(map(_as_jax, thin(values, DRAWS))),
        seed=int(before.attrs["seed"]),
        prob=prob,
    )
    return with_groups(data, **{label_pairs.GROUP: label_pairs.as_dataset(evidence)})


def _as_jax(draw: Mapping[str, Any]) -> Parameters:
    return {name: jnp.asarray(value) for name, value in draw.items()}


def _read(
    items: Items, shape: tuple[int, int], draw: Mapping[str, Any]
) -> tuple[Any, Any, Mapping[str, Any]]:
    """Return how many objects each item has by a draw, and the log-likelihood."""
    parameters, scores = _as_jax(draw), np.full(shape, -np.inf)
    scores[:, 0] = 0.0
    each = zip(items.blocks, items.covariates, items.responses_by_size, strict=True)
    for blocks, covariates, who in each:
        sums = block_weights(blocks, covariates, parameters, who).sums
        scores[blocks.unit, : sums.shape[1]] = sums
    likelihood = logsumexp(scores, axis=1)
    return np.exp(scores - likelihood[:, None]), likelihood, {}


def with_labels(given: Responses, study: StudyEvidence) -> Responses:
    """Return the responses with the labels of an earlier study first, then new ones."""
    rows = given.labels.set_index(given.labels["label"].astype(str))
    before = [*map(str, study.labels)]
    labels = [*before, *sorted({*rows.index} - {*before})]
    kind = given.table["label"].cat.categories.dtype
    parent = rows["parent"].reindex(labels).fillna("")
    earlier = pd.Series(study.parents, study.labels).reindex(labels).fillna("")
    parent = parent.where(parent != "", earlier).replace("", None)
    table = rows.reindex(labels).assign(
        label=labels,
        name=rows["name"].reindex(labels).fillna(pd.Series(labels, labels)),
        parent=parent.astype(rows["parent"].dtype),
    )
    codes = given.table["label"].cat.set_categories(pd.Index(labels, dtype=kind))
    return replace(
        given,
        table=given.table.assign(label=codes),
        labels=table.reset_index(drop=True),
    )


def _check_numbers(study: StudyEvidence, now: tuple[str, ...]) -> None:
    before = tuple(name for name in study.names.slope if name != NOT_OURS)
    if now != before:
        msg = (
            f"candidates have the columns {', '.join(now) or 'none'}; the earlier fit "
            f"had {', '.join(before) or 'none'}: give the same"
        )
        raise OptionError(msg)
