"""Fit responses of kind objects: what is in an item, and what each is called.

The model is `objects`, whether annotators have ids or not: in twelve simulated studies
of 25 annotators who differ much, little or not at all, a style and a recall of each did
not help to find what items hold.

**A fit applied to other items, or to more answers.** Parameters stay as they were
fitted, and so does what that study said of classes, labels and pairs. An item that was
in it does not get its own answers from there. What is found of an item depends on its
own answers alone, not on the items beside it.
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
from consilience.fitting.earlier import DRAWS, align_draws, result_of
from consilience.fitting.gold_of_objects import as_taught, with_gold
from consilience.fitting.request import Request, Study
from consilience.fitting.single import fit_one, fit_outcome
from consilience.model import Model, Parameters, from_draw, lay_out, thin
from consilience.objects import label_pairs
from consilience.objects.draws import block_weights
from consilience.objects.items import Items, items_of
from consilience.objects.label_pairs import StudyEvidence
from consilience.objects.response_panels import label_counts
from consilience.posterior.item_posterior import Record, item_posterior
from consilience.posterior.item_tables import ItemTables
from consilience.posterior.stored import with_tables
from consilience.posterior.tree import tree, with_groups
from consilience.programs import double_precision
from consilience.progress import Reporter, reporter, silent
from consilience.responses import Responses
from consilience.truth import ObjectsSpace

MAX_DRAWS = 20  # of the parameters that are looked at, evenly taken
IN_ALL = 500  # draws of each item: probabilities to within .022


def fit_objects(study: Study, request: Request) -> xr.DataTree:
    """Fit the model that is asked for, and draw the objects of each item."""
    with reporter(request.progress) as report:
        space: ObjectsSpace = replace(study, gold=None).space()
        name = "objects" if request.model == "auto" else request.model
        single = fit_one(name, space, request, report)
        data = fit_outcome(study, request, space, single).tree()
        with double_precision():
            observations = lay_out(single.model, space)
            draws = []
            for values in thin(single.result.parameters, MAX_DRAWS):
                answers: Any = from_draw(single.model, observations, values).answers
                draws.append(answers.parameters)
            items: Items = observations.layout
            data = with_item_posteriors(
                data,
                space,
                items,
                draws,
                seed=request.seed,
                prob=request.effort.prob,
                report=report,
            )
            pooled = label_pairs.evidence_from(space, items.names)
        data = with_groups(data, **{label_pairs.GROUP: label_pairs.as_dataset(pooled)})
        return data if study.gold is None else with_gold(data, study, request)


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
    posterior = item_posterior(
        items,
        space.unit_item,
        label_counts(space, named),
        draws,
        record,
        number=number,
        seed=seed,
        report=report,
    )
    tables = ItemTables(space, posterior, prob)
    drawn = with_groups(data, objects=tables.curves(), joint_draws=record.dataset())
    return with_tables(drawn, tables.frames())


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
        raise OptionError(
            "the earlier fit does not hold the effects of classes and labels; fit that "
            "study again"
        )
    if study.contains is not None and not evidence.names.endorsement:
        raise OptionError(
            "the earlier fit had no answers of kind contains and has no estimate of "
            "leading questions; leave them out, or fit both tasks there"
        )
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
    )
    values, prob = (
        align_draws(space, before["posterior"].to_dataset()),
        float(before.attrs["prob"]),
    )
    shape = (space.num_units, len(space.states))
    result = result_of(partial(_read, items, shape), values, prob)
    data = with_item_posteriors(
        tree(
            space,
            result,
            model.dims(space),
            attributes(space),
            covariates=evidence.names,
        ),
        space,
        items,
        list(map(_as_jax, thin(values, DRAWS))),
        seed=int(before.attrs["seed"]),
        prob=prob,
    )
    data = with_groups(data, **{label_pairs.GROUP: label_pairs.as_dataset(evidence)})
    return as_taught(data, before, given)


def _as_jax(draw: Mapping[str, Any]) -> Parameters:
    return {name: jnp.asarray(value) for name, value in draw.items()}


def _read(
    items: Items, shape: tuple[int, int], draw: Mapping[str, Any]
) -> tuple[Any, Any, Mapping[str, Any]]:
    """Return how many objects each item has by a draw, and the log-likelihood."""
    parameters, scores = _as_jax(draw), np.full(shape, -np.inf)
    scores[:, 0] = 0.0
    for blocks, covariates in zip(items.blocks, items.covariates, strict=True):
        sums = block_weights(blocks, covariates, parameters).sums
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
        raise OptionError(
            f"candidates have the columns {', '.join(now) or 'none'}; the earlier fit "
            f"had {', '.join(before) or 'none'}: give the same"
        )
