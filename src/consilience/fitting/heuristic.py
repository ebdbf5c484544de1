"""Apply a heuristic, and keep its tables as a fit keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from consilience import annotators
from consilience.errors import KindError, OptionError, UnknownEngineError
from consilience.fitting.request import Request, Study
from consilience.model import Heuristic
from consilience.posterior.stored_fit.stored import with_tables
from consilience.posterior.stored_fit.tree import root
from consilience.responses import Responses
from consilience.when_used import xr

WHY = "it is a heuristic: nothing is fitted"
REMARK = "a heuristic states its result as certain, without uncertainty"


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
        raise UnknownEngineError(msg)
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
