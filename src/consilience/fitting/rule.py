"""A rule applied: its tables, kept as a fit keeps them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from consilience.errors import KindError, OptionError, UnknownEngineError
from consilience.model import Heuristic
from consilience.posterior.stored_fit.stored import with_tables
from consilience.posterior.stored_fit.tree import root
from consilience.responses import Responses

WHY = "it is a heuristic: nothing is fitted"
REMARK = "a heuristic states its result as certain, without uncertainty"


def apply_heuristic(
    model: Heuristic[Any],
    name: str,
    engine: str,
    responses: Responses,
    **beside: object,
) -> Mapping[str, pd.DataFrame]:
    """Return what a heuristic says of responses.

    Parameters
    ----------
    model, name
        A heuristic, and what it is called.
    engine
        What was asked for.
    responses
        Responses of a kind that it takes.
    beside
        What else was given, by name; None where it was not.

    Raises
    ------
    OptionError
        Something else was given, such as gold labels, which a rule cannot heed.
    UnknownEngineError
        Another engine than the rule was asked for.
    KindError
        It does not take responses of this kind.
    """
    if engine not in ("auto", *model.engines):
        msg = f"{name} cannot be fitted by {engine}: {WHY}; leave the engine out"
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


def heuristic_tree(
    tables: Mapping[str, pd.DataFrame],
    responses: Responses,
    attributes: Mapping[str, Any],
) -> xr.DataTree:
    """Lay the tables of a rule out as a fit.

    Parameters
    ----------
    tables
        What the rule says.
    responses
        Of what.
    attributes
        Of the root; lists and tables become JSON.
    """
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
    data = xr.DataTree.from_dict({"/": root(attributes), "constant_data": constant})
    return with_tables(data, {**tables, **_annotator_tables(responses)})


def _annotator_tables(responses: Responses) -> dict[str, pd.DataFrame]:
    """Return the tables of annotators: a rule knows no more than that they answered."""
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
