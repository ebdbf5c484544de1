"""Fit responses of kind objects: what is in an item, and what each is called.

The model is `objects`, whether annotators have ids or not: in twelve simulated studies
of 25 annotators who differ much, little or not at all, a style and a recall of each did
not help to find what items hold.

**A fit applied to other items, or to more answers.** Parameters stay as they were
fitted, and so does what that study said of classes, labels and pairs. An item that was
in it does not get its own answers from there. What is found of an item depends on its
own answers alone, not on the items beside it.

**Gold labels** say which labels are right names of what is there. To every response
each candidate of the item is a question, whether its object is there and it is a right
name: yes, if the response names it, and no if not. So P(label) is corrected as that of
*contains* (`gold`). How many objects there are, and which names are one, stay as they
were found without gold.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Int
from scipy.special import logsumexp

from consilience.errors import DataError, OptionError
from consilience.fitting.earlier import DRAWS, align_draws, result_of
from consilience.fitting.gold import GROUP, Taught, learn
from consilience.fitting.gold_columns import Start, gold_of
from consilience.fitting.request import Request, Study
from consilience.fitting.single import fit_one, fit_outcome
from consilience.fitting.with_gold import stated, with_known
from consilience.inference.options import generator_of, seed_for
from consilience.model import Model, Parameters, from_draw, lay_out, thin
from consilience.objects import label_pairs
from consilience.objects.draws import block_weights
from consilience.objects.items import Items, items_of
from consilience.objects.label_pairs import StudyEvidence
from consilience.objects.pooling import pool
from consilience.objects.response_panels import label_counts
from consilience.posterior.item_posterior import Record, item_posterior
from consilience.posterior.item_tables import ItemTables
from consilience.posterior.labels import labels as labels_of
from consilience.posterior.stored import with_tables
from consilience.posterior.tree import tree, with_groups
from consilience.posterior.truth import Truth
from consilience.presence.space import presence
from consilience.programs import double_precision
from consilience.progress import Reporter, reporter, silent
from consilience.responses import Responses, read
from consilience.truth import ContainsSpace, ObjectsSpace

_PAIR = ["item", "label"]
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
            pooled = StudyEvidence(pool=pool(space), names=items.names, answers=space)
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
    values = align_draws(space, before["posterior"].to_dataset())
    prob = float(before.attrs["prob"])
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
    earlier = (
        pd.Series(study.answers.named.parents, study.labels).reindex(labels).fillna("")
    )
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


def with_gold(data: xr.DataTree, study: Study, request: Request) -> xr.DataTree:
    """Return a fit of objects as gold labels correct it."""
    assert study.gold is not None  # noqa: S101 (for the type checker)
    table = labels_of(data)
    answers = questions(study.responses, table)
    space = presence(answers)
    truth, place = _truth(space, table)
    gold = gold_of(space, presence(answers, gold=judged(study.gold, table)))
    if not len(gold.unit):
        return data
    generator = generator_of(seed_for(request.seed, GROUP))
    learned, worth = learn(space, Start(truth), gold, generator)
    prob = float(data.attrs["prob"])
    better = with_known(learned.corrected(space, Start(truth), prob), gold)
    weight, kind = np.ones(len(gold.unit)), space.kind
    sentence, worth_table, surprise = stated(worth, weight, prob, kind)
    about = {"sentence": sentence, "surprise": surprise, "items": len(gold.unit)}
    about |= {"correlation": np.nan, "correlation_error": np.nan}
    items = pd.Index(data["constant_data"]["unit_item"].to_numpy().astype(str))
    has_gold = items.get_indexer(pd.unique(space.unit_item[gold.unit].astype(str)))
    group = learned.stored().assign_attrs(about)
    group["given"] = "unit_with_gold", has_gold
    tables = {"labels": _corrected(table, better, place), "gold": worth_table}
    return with_tables(with_groups(data, **{GROUP: group}), tables)


def as_taught(data: xr.DataTree, before: xr.DataTree, given: Responses) -> xr.DataTree:
    """Return a prediction as the gold labels of the earlier fit correct it."""
    if GROUP not in before.children:
        return data
    table = labels_of(data)
    space = presence(questions(given, table))
    truth, place = _truth(space, table)
    learned = Taught.restored(before[GROUP].to_dataset())
    better = learned.corrected(space, Start(truth), float(data.attrs["prob"]))
    return with_tables(data, {"labels": _corrected(table, better, place)})


def questions(responses: Responses, table: pd.DataFrame) -> Responses:
    """Return for each response and candidate of its item whether it is named."""
    rows = responses.table[["item", "annotator", "response_id", "label", "n"]]
    rows = rows.astype({"item": str, "label": str})
    each = rows.drop_duplicates(["item", "response_id"]).drop(columns="label")
    every = each.merge(table[_PAIR].astype(str), on="item")
    named = rows.dropna(subset="label")[["item", "response_id", "label"]]
    named = named.drop_duplicates().assign(answer="yes")
    every = every.merge(named, how="left", on=["item", "response_id", "label"])
    every["answer"] = every["answer"].fillna("no")
    every = every[["item", "annotator", "label", "answer", "n"]]
    return read(every, kind="contains", n="n")


def judged(gold: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return whether gold says yes or no of each candidate that it judges."""
    rows = gold.astype(dict.fromkeys(_PAIR, str))
    if "answer" in rows:
        return rows
    about = table[table["item"].astype(str).isin(rows["item"])][_PAIR].astype(str)
    if about.empty:
        raise DataError(
            "gold: none of its items has a label that the fit considers; give the gold "
            "of the same study"
        )
    valid = pd.MultiIndex.from_frame(rows[_PAIR])
    yes = pd.MultiIndex.from_frame(about).isin(valid)
    return about.assign(answer=np.where(yes, "yes", "no"))


def _truth(
    space: ContainsSpace, table: pd.DataFrame
) -> tuple[Truth, Int[np.ndarray, " N"]]:
    """Return P(absent) and P(present) by unit, and the unit of each row."""
    units = pd.MultiIndex.from_arrays(
        [space.unit_item.astype(str), space.unit_label.astype(str)]
    )
    place = units.get_indexer(pd.MultiIndex.from_frame(table[_PAIR].astype(str)))
    row = np.empty(len(units), np.int64)
    row[place] = np.arange(len(table))

    def of(low: str, high: str) -> Any:
        no, yes = (table[name].to_numpy(float)[row] for name in (high, low))
        return np.stack([1 - no, yes], 1)

    middle = of("probability", "probability")
    lower, upper = (
        np.where(np.isnan(bound), middle, bound)
        for bound in (of("lower", "upper"), of("upper", "lower"))
    )
    return Truth(middle, lower, upper), place


def _corrected(
    table: pd.DataFrame, truth: Truth, place: Int[np.ndarray, " N"]
) -> pd.DataFrame:
    columns: dict[str, Any] = {"probability": truth.probability[place, 1]}
    if table["lower"].notna().any():
        columns |= {"lower": truth.lower[place, 1], "upper": truth.upper[place, 1]}
    return table.assign(**columns)
