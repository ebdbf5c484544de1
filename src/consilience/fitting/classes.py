"""Fit a model of classes: the truth of an item is the label that the data set has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from consilience.errors import KindError, OptionError
from consilience.fitting.request import Request, Study
from consilience.fitting.single import fit_one, fit_outcome
from consilience.model import Heuristic
from consilience.posterior.stored import with_tables
from consilience.posterior.tree import Outcome, root
from consilience.progress import reporter
from consilience.responses import Responses
from consilience.spaces import choice_space
from consilience.truth.named import named_sets
from consilience.truth.space import Asides, ChoiceSpace, no_asides
from consilience.when_used import xr

WHY = "it is a heuristic: nothing is fitted"
REMARK = "a heuristic states its result as certain, without uncertainty"


def fit_classes(study: Study, request: Request) -> Outcome:
    """Fit a model of classes; of responses of kind objects, to their main labels."""
    if study.contains is not None:
        raise OptionError(
            f"{request.model} does not use responses of kind contains; leave them out"
        )
    study, asides = _main_labels(study)
    study, classes = _with_classes(study)
    with reporter(request.progress) as report:
        space = replace(_space(study, classes), asides=asides)
        space = study.annotators.of_space(space)
        single = fit_one(request.model, space, request, report)
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
        raise OptionError(
            "no item has a label of the data set, of those with answers; read a table "
            "of items with the columns item and dataset_label, or give the classes as "
            "gold labels (`gold=`)"
        )
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


def fit_heuristic(
    model: Heuristic[Any], responses: Responses, request: Request, **beside: object
) -> xr.DataTree:
    """Apply a heuristic."""
    name = request.model
    if request.engine not in ("auto", *model.engines):
        raise OptionError(
            f"{name} cannot be fitted by {request.engine}: {WHY}; leave the engine out"
        )
    given = [what for what, value in beside.items() if value is not None]
    if given:
        raise OptionError(
            f"{name} is a heuristic and does not use {', '.join(given)}; leave them out"
        )
    if responses.kind not in model.kinds:
        raise KindError(
            f"the model {name} takes responses of kind {', '.join(model.kinds)}; these "
            f"are of kind {responses.kind}: choose another model (`consilience models`)"
        )
    tables = {**model.tables(responses), **_annotator_tables(responses)}
    attributes = {
        **request.attributes(Study(responses=responses)),
        "id_types": dict(responses.types),
        "model": name,
        "engine": model.engines[0],
        "engine_reason": WHY,
        "assumptions": [*responses.assumptions, REMARK],
        "settings": {},
    }
    count = responses.table.groupby("item", observed=False)["n"].sum()
    constant = xr.Dataset(
        {
            "unit_item": ("item", count.index.to_numpy(dtype=object)),
            "num_responses": ("item", count.to_numpy(np.int64)),
        }
    )
    groups = {"/": root(attributes), "constant_data": constant}
    return with_tables(xr.DataTree.from_dict(groups), tables)


def _annotator_tables(responses: Responses) -> dict[str, pd.DataFrame]:
    """Return the tables of annotators, of whom only the answers are known."""
    keys = ["response_id"] if responses.table["response_id"].notna().all() else ["item"]
    once = responses.table.drop_duplicates([*keys, "annotator"])
    count = once.groupby("annotator", observed=False)["n"].sum().astype(np.int64)
    people = count.rename("responses").reset_index()
    text = pd.Categorical([], categories=pd.Index([], dtype="str"))
    named = dict.fromkeys(("annotator", "true_label", "given_label"), text)
    number_columns = {name: np.zeros(0) for name in ("probability", "lower", "upper")}
    return {
        "annotators": people.assign(accuracy=np.nan, lower=np.nan, upper=np.nan),
        "confusion": pd.DataFrame({**named, **number_columns}),
    }
