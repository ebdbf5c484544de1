"""Fit responses of kind objects: what is in an item, and what each is called.

The model `auto` is `objects`, whether annotators have ids or not. In twelve simulated
studies of 25 annotators who differ much, little or not at all, `objects_by_annotator`
was a little better at which labels are one object (log-loss .62, and .65 of `objects`)
and a little worse at how many objects there are (1.46, and 1.42), and took two to six
times as long.
"""

from dataclasses import replace
from typing import Any

import jax
import numpy as np
import xarray as xr
from jaxtyping import Float

from consilience.fitting.inputs import reporter
from consilience.fitting.objects.contexts import Contexts
from consilience.fitting.request import Request, Study
from consilience.fitting.single import fit_one, fit_outcome
from consilience.model import (
    Parameters,
    from_draw,
    lay_out,
    thin,
)
from consilience.objects.layout.items import Items
from consilience.objects.layout.pooling import Pool, class_codes
from consilience.objects.posterior import label_pairs
from consilience.objects.posterior.response_panels import label_counts
from consilience.posterior.item_posterior import Record, item_posterior
from consilience.posterior.item_tables import ItemTables
from consilience.posterior.stored import with_tables
from consilience.posterior.tree import with_groups
from consilience.progress import Reporter, silent
from consilience.truth import ObjectsSpace

WITH_IDS = (
    "what items hold is found as well without parameters of annotators; "
    "objects_by_annotator estimates the style of each"
)
MAX_DRAWS = 20  # of the parameters that are looked at, evenly taken
IN_ALL = 500  # draws of each item: probabilities to within .022
MIN_PROBABILITY = 1e-3  # of the probability of something else


def fit_objects(study: Study, request: Request) -> xr.DataTree:
    """Fit the model that is asked for, and draw the objects of each item."""
    unasked = request.model == "auto"
    with reporter(request.progress) as report:
        space: ObjectsSpace = study.space()
        name = "objects" if unasked else request.model
        single = fit_one(name, space, request, report)
        if unasked and space.identified.any():
            single = replace(single, reason=f"{WITH_IDS}; {single.reason}")
        data = fit_outcome(study, request, space, single).tree()
        with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
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
            return with_groups(
                data, **{label_pairs.GROUP: label_pairs.as_dataset(pooled)}
            )


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


def probability_of_new_label(
    training: Contexts, test: Contexts, counts: Pool
) -> tuple[Float[np.ndarray, " C"], Float[np.ndarray, " C"]]:
    """Return how probable a new label is, anywhere and as the main one.

    A logistic regression on the answers given: how many answers, candidates, labels
    that one answer alone names, and how much of its class's votes the candidates leave
    out.
    """
    # Every fit would pay for it: a second, of some five for all other imports.
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    before, now = _features(training.space, counts), _features(test.space, counts)
    probabilities = []
    for truth in (training.new_label, training.new_main):
        if truth.all() or not truth.any():
            chance = np.full(len(now), truth.mean())
        else:
            model = LogisticRegression(C=1.0, max_iter=1000)
            model.fit(before, truth, sample_weight=training.n)
            chance = model.predict_proba(now)[:, 1]
        probabilities.append(np.clip(chance, MIN_PROBABILITY, 1 - MIN_PROBABILITY))
    return probabilities[0], probabilities[1]


def _features(space: ObjectsSpace, counts: Pool) -> Float[np.ndarray, "C F"]:
    named = space.named
    shape = named.candidate.shape
    slots = np.arange(shape[1])
    bits = ((named.mask[:, None] >> slots) & 1) * space.n[:, None]
    votes = np.stack(
        [np.bincount(space.unit, column, shape[0]) for column in bits.T], axis=1
    )
    mains = np.zeros(shape)
    np.add.at(mains, (space.unit, named.main), space.n)
    number = np.bincount(space.unit, space.n, shape[0])
    codes = class_codes(named)
    has = named.dataset_label >= 0
    listed = np.where(has, counts.share.at(codes).sum(1), 0)
    whole = np.where(has, counts.items.at(named.dataset_label), 0)
    missing = np.maximum(whole - listed, 0)
    share = (missing + 0.1) / (whole + 1)
    rate = votes.sum(1) / np.maximum(number, 1)
    return np.stack(
        [
            np.log1p(number),
            np.log((votes == 1).sum(1) + 0.5),
            np.log((mains == 1).sum(1) + 0.5),
            np.log(named.size),
            rate,
            np.log(share),
            mains.max(1) / np.maximum(number, 1),
        ],
        axis=1,
    )
