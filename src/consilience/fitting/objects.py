"""Fit responses of kind objects: what is in an item, and what each is called.

The model is `objects`, whether annotators have ids or not: in twelve simulated studies
of 25 annotators who differ much, little or not at all, a style and a recall of each did
not help to find what items hold.

**A fit applied to other items, or to more answers.** Parameters stay as they were
fitted, and so does what that study said of classes, labels and pairs. An item that was
in it does not get its own answers from there. What is found of an item depends on its
own answers alone, not on the items beside it.

**Contexts** are responses to be predicted, each with the other answers that are given.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Bool, Float, Int
from scipy.special import logsumexp

from consilience.errors import OptionError
from consilience.fitting.earlier import DRAWS, align_draws, result_of
from consilience.fitting.request import Request, Study
from consilience.fitting.single import fit_one, fit_outcome
from consilience.model import Model, Parameters, from_draw, lay_out, thin
from consilience.objects import label_pairs
from consilience.objects.draws import block_weights
from consilience.objects.items import Items, items_of
from consilience.objects.label_pairs import StudyEvidence
from consilience.objects.pooling import Pool, class_codes
from consilience.objects.response_panels import label_counts
from consilience.objects.space import anonymous
from consilience.posterior.item_posterior import Record, item_posterior
from consilience.posterior.item_tables import ItemTables
from consilience.posterior.stored import with_tables
from consilience.posterior.tree import tree, with_groups
from consilience.programs import double_precision
from consilience.progress import Reporter, reporter, silent
from consilience.ragged import places_within
from consilience.responses import Responses
from consilience.truth import ObjectsSpace
from consilience.truth.named import Named


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Contexts:
    """Responses to be predicted, and the answers that are given."""

    space: ObjectsSpace
    unit: Int[np.ndarray, " C"]
    kept: Int[np.ndarray, " C"]
    main: Int[np.ndarray, " C"]
    new_label: Bool[np.ndarray, " C"]
    new_main: Bool[np.ndarray, " C"]
    n: Int[np.ndarray, " C"]

    @property
    def empty(self) -> float:
        """Share of responses with something else that name nothing beside it."""
        new = self.n * self.new_label
        return float(((new * (self.kept == 0)).sum() + 0.5) / (new.sum() + 1))


def contexts(
    space: ObjectsSpace, others: int | None, seed: int, max_responses: int | None = None
) -> Contexts:
    """Return every response with the other answers that are given."""
    named = space.named
    generator = np.random.default_rng(seed)
    if others is None:
        target, n = np.arange(len(space.n)), space.n
    else:
        target = np.repeat(np.arange(len(space.n)), space.n)
        n = np.ones(len(target), np.int64)
    if max_responses is not None and len(target) > max_responses:
        chosen = np.sort(generator.choice(len(target), max_responses, replace=False))
        target, n = target[chosen], n[chosen]
    context, row, count = _conditioned(space, target, others, generator)
    unit = space.unit[target]
    slots = np.arange(named.candidate.shape[1])
    present = (slots == named.dataset_label_slot[unit][:, None]).astype(int)
    bits = (named.mask[row][:, None] >> slots) & 1
    np.maximum.at(present, context, bits)
    place = np.cumsum(present, axis=1) - 1
    moved = np.where(present > 0, 1 << np.maximum(place, 0), 0)
    answered = (named.mask[target][:, None] >> slots) & 1
    layout = replace(
        _with_candidates(named, unit, present, place),
        mask=(bits * moved[context]).sum(1),
        main=place[context, named.main[row]],
    )
    conditioned = anonymous(layout, space.unit_item[unit], context, count)
    is_there = present[np.arange(len(unit)), named.main[target]] > 0
    return Contexts(
        space=conditioned,
        unit=np.arange(len(unit)),
        kept=(answered * moved).sum(1),
        main=np.where(is_there, place[np.arange(len(unit)), named.main[target]], -1),
        new_label=(answered * (1 - present)).any(1),
        new_main=~is_there,
        n=n,
    )


def _with_candidates(
    named: Named,
    unit: Int[np.ndarray, " C"],
    present: Int[np.ndarray, "C S"],
    place: Int[np.ndarray, "C S"],
) -> Named:
    """Return the candidates that are present in each context, at their places there."""
    at, slot = np.nonzero(present)
    here, there = (at, place[at, slot]), (unit[at], slot)
    candidate = np.full(present.shape, -1)
    candidate[here] = named.candidate[there]
    covariates = np.zeros((len(unit), *named.covariates.shape[1:]))
    covariates[here] = named.covariates[there]
    counts = None
    if named.contains_counts is not None:
        counts = np.zeros((*present.shape, 3), np.int64)
        counts[here] = named.contains_counts[there]
    return replace(
        named,
        candidate=candidate,
        dataset_label=named.dataset_label[unit],
        covariates=covariates,
        none=np.zeros(len(unit), np.int64),
        observed=np.ones(len(unit), bool),
        contains_counts=counts,
    )


def _conditioned(
    space: ObjectsSpace,
    target: Int[np.ndarray, " C"],
    others: int | None,
    generator: np.random.Generator,
) -> tuple[Int[np.ndarray, " R"], Int[np.ndarray, " R"], Int[np.ndarray, " R"]]:
    """Return context, row and number of the answers given in each context."""
    context, row = rows_of_units(space, space.unit[target])
    count = space.n[row] - (row == target[context])
    if others is not None:
        one = np.repeat(np.arange(len(row)), count)
        order = np.lexsort([generator.random(len(one)), context[one]])
        one = one[order]
        first = np.searchsorted(context[one], np.arange(len(target)))
        rank = np.arange(len(one)) - first[context[one]]
        count = np.bincount(one[rank < others], minlength=len(row))
    kept = count > 0
    return context[kept], row[kept], count[kept]


def rows_of_units(
    space: ObjectsSpace, units: Int[np.ndarray, " C"]
) -> tuple[Int[np.ndarray, " R"], Int[np.ndarray, " R"]]:
    """Return the rows of answers about some units, and the place of each one's unit."""
    start = np.searchsorted(space.unit, np.arange(space.num_units + 1))
    length = start[units + 1] - start[units]
    place = np.repeat(np.arange(len(units)), length)
    return place, start[units][place] + places_within(length)


MAX_DRAWS = 20  # of the parameters that are looked at, evenly taken
IN_ALL = 500  # draws of each item: probabilities to within .022
MIN_PROBABILITY = 1e-3  # of the probability of something else


def fit_objects(study: Study, request: Request) -> xr.DataTree:
    """Fit the model that is asked for, and draw the objects of each item."""
    with reporter(request.progress) as report:
        space: ObjectsSpace = study.space()
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
    return with_groups(data, **{label_pairs.GROUP: label_pairs.as_dataset(evidence)})


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
