"""Columns of items that a fit keeps, such as the system that each item is from.

A column of the answers that says the same in all rows of an item is one of the item, as
is a column of a table of items. Values are kept as text, in codes.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from consilience.errors import OptionError, not_among
from consilience.responses import Responses
from consilience.when_used import xr

_MOST = 200_000  # items of which columns are kept
_OF_ANSWERS = (
    *("item", "annotator", "kind", "label", "answer", "object", "main", "n"),
    "response_id",
)


def item_columns(responses: Responses) -> pd.DataFrame:
    """Return what each item has beside its answers: `item`, and columns of text."""
    table, about = responses.table, responses.items
    items = table["item"].cat.categories if about is None else about["item"]
    columns: dict[str, Any] = {"item": items.astype("str")}
    if about is not None:
        columns |= {name: about[name] for name in about.columns if name != "item"}
    if len(items) > _MOST or not len(table):
        return pd.DataFrame(columns)
    item = table["item"].cat.codes.to_numpy()
    order = pd.Index(table["item"].cat.categories).get_indexer(pd.Index(items))
    for name in table.columns.difference([*_OF_ANSWERS, *columns], sort=False):
        codes, values = pd.factorize(table[name].astype("str"))
        first = np.full(item.max() + 1, -1)
        first[item[::-1]] = codes[::-1]
        if (first[item] == codes).all():
            text = np.append(np.asarray(values, object), "")[first]
            columns[name] = np.where(order < 0, "", text[order])
    return pd.DataFrame(columns)


def with_item_columns(constant: xr.Dataset, table: pd.DataFrame) -> xr.Dataset:
    """Return the constant data of a fit with the columns of its items."""
    named = [str(name) for name in table.columns if name not in {"item", "text"}]
    place = pd.Index(table["item"].astype("str")).get_indexer(
        pd.Index(constant["unit_item"].to_numpy().astype(str))
    )
    for number, name in enumerate(named):
        codes, values = pd.factorize(table[name].astype("str").str.replace("\0", " "))
        of_unit = np.append(codes, -1)[place].astype(np.int32)
        axis = f"item_column_{number}"
        constant = constant.assign({f"item_code_{number}": ("item", of_unit)})
        constant = constant.assign_coords({axis: np.asarray(values, object)})
    return constant.assign_attrs(item_columns=json.dumps(named))


def names_of_columns(data: xr.DataTree) -> list[str]:
    """Return the names of the columns of items that a fit keeps."""
    kept: list[str] = json.loads(data["constant_data"].attrs.get("item_columns", "[]"))
    return kept


def item_column(data: xr.DataTree, name: str) -> tuple[Int[np.ndarray, " U"], pd.Index]:
    """Return a column of the items of a fit: a code for each unit, and the values."""
    kept = names_of_columns(data)
    if name not in kept:
        raise OptionError(
            f"{not_among('column of the items', name, kept)}; give a table of items "
            "with this column, or read it with the answers (`extras=`) and fit again"
        )
    number, constant = kept.index(name), data["constant_data"]
    codes = constant[f"item_code_{number}"].to_numpy()
    return codes, pd.Index(constant[f"item_column_{number}"].to_numpy(), dtype="str")
