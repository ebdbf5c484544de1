"""Fit a model of classes: the truth of an item is the label that the data set has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from consilience import annotators
from consilience.errors import KindError, OptionError
from consilience.fitting.assembly import fit_outcome
from consilience.fitting.inputs import reporter
from consilience.fitting.request import Request, Study
from consilience.fitting.single import fit_one
from consilience.model import Heuristic, Model
from consilience.posterior.stored import with_tables
from consilience.posterior.tree import Outcome, root
from consilience.responses import Responses
from consilience.responses.named_sets import named_sets
from consilience.spaces import choice_space
from consilience.truth.space import Asides, ChoiceSpace, no_asides
from consilience.when_used import xr

WHY = "it is a heuristic: nothing is fitted"
REMARK = "a heuristic states its result as certain, without uncertainty"


def asks_for_classes(request: Request) -> bool:
    """Return whether a model of classes is asked for."""
    if request.model == "auto":
        return False
    model = annotators.load(request.model, request.prior)
    return isinstance(model, Model) and model.of_classes


def fit_classes(study: Study, request: Request) -> Outcome:
    """Fit a model of classes; of responses of kind objects, to their main labels."""
    if study.contains is not None:
        msg = f"{request.model} does not use responses of kind contains; leave them out"
        raise OptionError(msg)
    study, asides = _main_labels(study)
    study, classes = _with_classes(study)
    with reporter(request.progress) as report:
        space = replace(_space(study, classes), asides=asides)
        space = study.annotators.of_space(space)
        single = fit_one(
            request.model,
            space,
            request.seed,
            engine=request.engine,
            prior=request.prior,
            effort=request.effort,
            report=report,
        )
    outcome = fit_outcome(study, request, space, single)
    return replace(outcome, finish=_with_class_tables)


def _with_class_tables(data: xr.DataTree) -> xr.DataTree:
    # It needs JAX, which not all fits do.
    from consilience.posterior.class_confusion import class_tables  # noqa: PLC0415

    return with_tables(data, class_tables(data))


def _main_labels(study: Study) -> tuple[Study, Asides]:
    """Return the main labels as responses of kind choice, and what is named besides."""
    responses = study.responses
    if responses.kinds != ("objects",):
        return study, no_asides()
    sets = named_sets(responses)
    aside = sets.label != sets.main[sets.response]
    named = sets.response[aside]
    asides = Asides(sets.item[named], sets.label[aside], sets.n[named])
    main = np.flatnonzero(sets.main >= 0)
    table = responses.table
    row = np.flatnonzero(table["label"].notna())[sets.start[main]]
    choice = pd.Categorical(["choice"] * len(row), table["kind"].cat.categories)
    if "choice" not in choice.categories:
        choice = pd.Categorical(["choice"] * len(row))
    names = table["label"].cat.categories
    label = pd.Categorical.from_codes(sets.main[main], categories=names)
    answers = table.iloc[row].assign(kind=choice, label=label)
    sentence = "the answer of a response is its main label"
    if len(named):
        sentence += f"; {sets.n[named].sum():,} labels that are named besides tell more"
    converted = replace(
        responses,
        table=answers.reset_index(drop=True),
        assumptions=(*responses.assumptions, sentence),
    )
    return replace(study, responses=converted), asides


def _with_classes(study: Study) -> tuple[Study, pd.DataFrame]:
    """Return responses with the labels of all classes, and the classes of items."""
    responses, gold = study.responses, study.gold
    classes = pd.DataFrame({"item": [], "label": []}, dtype="str")
    items = responses.items
    if items is not None and "dataset_label" in items:
        classes = items[["item", "dataset_label"]].dropna().astype("str")
        classes = classes.rename(columns={"dataset_label": "label"})
    if gold is not None:
        gold = gold[["item", "label"]].astype("str")
        classes = pd.concat([classes[~classes["item"].isin(gold["item"])], gold])
    names = responses.table["item"].cat.categories.astype("str")
    classes = classes[classes["item"].isin(names)].drop_duplicates()
    answered = responses.table.loc[responses.table["label"].notna(), "item"]
    if not classes["item"].isin(answered.astype("str")).any():
        msg = (
            "no item has a label of the data set, of those with answers; read a table "
            "of items with the columns item and dataset_label, or give the classes as "
            "gold labels (`gold=`)"
        )
        raise OptionError(msg)
    return replace(study, responses=responses.with_labels(classes["label"])), classes


def _space(study: Study, classes: pd.DataFrame) -> ChoiceSpace:
    """Return the space in which the class of an item is its truth."""
    responses: Responses = study.responses
    items = responses.table["item"].cat.categories.astype("str")
    if study.candidates is not None or not classes["item"].is_unique:
        return choice_space(responses, study.candidates, classes)
    class_ = classes.set_index("item")["label"].reindex(items)
    if class_.isna().any():
        return choice_space(responses, None, classes)
    # One state for each item, and not a list of all of them.
    space = choice_space(replace(responses, offer="all", offered=None))
    state = pd.Index(space.states).get_indexer(pd.Index(class_))
    return replace(
        space,
        state=state.astype(np.int32)[:, None],
        log_prior=np.zeros((len(state), 1)),
        assumptions=(
            *space.assumptions,
            f"the class of all {len(state):,} items is the data set's label",
        ),
    )


def asked_heuristic(request: Request) -> Heuristic[Any] | None:
    """Return the heuristic that is asked for; None where it is another model."""
    if request.model == "auto":
        return None
    model = annotators.load(request.model, request.prior)
    return model if isinstance(model, Heuristic) else None


def fit_heuristic(
    model: Heuristic[Any],
    responses: Responses,
    request: Request,
    **beside: object,
) -> xr.DataTree:
    """Apply a heuristic."""
    tables = _apply(model, request, responses, beside)
    attributes = {
        **request.attributes(Study(responses=responses)),
        "id_types": dict(responses.types),
        "model": request.model,
        "engine": model.engines[0],
        "engine_reason": WHY,
        "assumptions": [*responses.assumptions, REMARK],
        "settings": {},
    }
    return with_tables(
        _tree(responses, attributes), {**tables, **_annotator_tables(responses)}
    )


def _apply(
    model: Heuristic[Any],
    request: Request,
    responses: Responses,
    beside: Mapping[str, object],
) -> Mapping[str, pd.DataFrame]:
    name = request.model
    if request.engine not in ("auto", *model.engines):
        msg = (
            f"{name} cannot be fitted by {request.engine}: {WHY}; leave the engine out"
        )
        raise OptionError(msg)
    given = [what for what, value in beside.items() if value is not None]
    if given:
        msg = (
            f"{name} is a heuristic and does not use {', '.join(given)}; leave them out"
        )
        raise OptionError(msg)
    if responses.kind not in model.kinds:
        msg = (
            f"the model {name} takes responses of kind {', '.join(model.kinds)}; these "
            f"are of kind {responses.kind}: choose another model (`consilience models`)"
        )
        raise KindError(msg)
    return model.tables(responses)


def _tree(responses: Responses, attributes: Mapping[str, Any]) -> xr.DataTree:
    table = responses.table
    count = np.bincount(
        table["item"].cat.codes, table["n"], minlength=len(table["item"].cat.categories)
    )
    constant = xr.Dataset(
        {
            "unit_item": ("item", table["item"].cat.categories.to_numpy(dtype=object)),
            "num_responses": ("item", count.astype(np.int64)),
        }
    )
    return xr.DataTree.from_dict({"/": root(attributes), "constant_data": constant})


def _annotator_tables(responses: Responses) -> dict[str, pd.DataFrame]:
    """Return the tables of annotators, of whom only the answers are known."""
    given = responses.table["annotator"]
    keys = ["response_id"] if responses.table["response_id"].notna().all() else ["item"]
    once = responses.table.drop_duplicates([*keys, "annotator"])
    number = len(given.cat.categories)
    codes = once["annotator"].cat.codes.to_numpy()
    num_responses = np.bincount(
        codes[codes >= 0], once["n"][codes >= 0], minlength=number
    )
    nothing = np.full(number, np.nan)
    people = pd.DataFrame(
        {
            "annotator": pd.Categorical.from_codes(
                np.arange(number), categories=given.cat.categories
            ),
            "responses": num_responses.astype(np.int64),
            "accuracy": nothing,
            "lower": nothing,
            "upper": nothing,
        }
    )
    text = pd.Categorical([], categories=pd.Index([], dtype="str"))
    named = dict.fromkeys(("annotator", "true_label", "given_label"), text)
    number_columns = {name: np.zeros(0) for name in ("probability", "lower", "upper")}
    return {
        "annotators": people,
        "confusion": pd.DataFrame({**named, **number_columns}),
    }
