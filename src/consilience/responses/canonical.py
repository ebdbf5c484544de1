"""Canonical Parquet columns held to the rules of the tables, whoever wrote them."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from consilience.errors import BadCellError, MissingColumnError
from consilience.responses.arrow_columns import as_text
from consilience.responses.cleaning import Cleaning
from consilience.responses.coding import (
    Coded,
    encode,
    index,
    natural_order,
    nothing,
    recode_to,
    sort_values,
    text_array,
)
from consilience.responses.names import listing
from consilience.responses.options import Offer
from consilience.responses.side_tables import checked_labels
from consilience.responses.table import ANSWERS, CANONICAL, KINDS, Responses
from consilience.responses.type_names import type_of_arrow


def canonical_responses(
    table: pa.Table,
    source: str,
    sides: Mapping[str, pd.DataFrame],
    *,
    offer: Offer | None,
    assumptions: tuple[str, ...],
    cleaning: Cleaning | None,
    sources: Mapping[str, str],
    types: Mapping[str, str] | None = None,
) -> Responses:
    """Make responses of columns that have the canonical names.

    Parameters
    ----------
    table
        The answers.
    source
        Name of the file, for messages.
    sides
        The tables beside it, by name.
    offer, assumptions, cleaning, sources, types
        What was written of the reading; None if it was written by another program.

    Raises
    ------
    MissingColumnError, BadCellError
        If a column is missing or a cell breaks a rule.
    """
    for name in ("item", "kind", "label"):
        if name not in table.column_names:
            msg = (
                f"{source}: there is no column {name!r}; found "
                f"{listing(table.column_names)}; a canonical table needs item, kind "
                "and label"
            )
            raise MissingColumnError(msg)
    items = sides.get("items")
    text = {name: _text(table, name) for name in _TEXTS}
    _check(text["item"].codes >= 0, source, "the item is empty")
    more = None if items is None else text_array(items["item"].astype("str"))
    labels = _labels(text["label"], sides)
    label = recode_to(text["label"], text_array(labels["label"]))
    unknown = (text["label"].codes >= 0) & (label.codes < 0)
    _check(~unknown, source, "the label is not in labels.parquet")
    kind = _among(text["kind"], KINDS, source, "kind", null=False)
    answer = _among(text["answer"], ANSWERS, source, "answer", null=True)
    n = _numbers(table, "n", "int64", 1, source)
    columns = {
        "item": sort_values(text["item"], more).series(),
        "annotator": sort_values(text["annotator"]).series(),
        "kind": kind.series(),
        "label": label.series(),
        "answer": answer.series(ordered=True),
        "object": _numbers(table, "object", "Int32", 0, source),
        "main": _numbers(table, "main", "boolean", 0, source),
        "n": n,
        "response_id": sort_values(text["response_id"]).series(),
    }
    extras = {
        name: table.column(name).to_pandas()
        for name in table.column_names
        if name not in CANONICAL
    }
    whole = Cleaning(read=len(n), kept=len(n), answers=len(n))
    offered = sides.get("offered")
    gold = sides.get("gold")
    if gold is not None:
        gold = gold.assign(
            label=gold["label"]
            .astype("str")
            .astype(pd.CategoricalDtype(pd.Index(labels["label"], dtype="str")))
        )
    return Responses(
        table=pd.DataFrame({**columns, **extras}),
        offer=offer or ("unknown" if offered is None else "listed"),
        offered=offered,
        items=items,
        labels=labels,
        gold=gold,
        assumptions=assumptions,
        cleaning=cleaning or whole,
        sources=sources,
        types=_types(table) if types is None else types,
    )


def _types(table: pa.Table) -> dict[str, str]:
    """Return the types of ids and labels in a table of another program."""
    found = {
        role: type_of_arrow(table.schema.field(role).type)
        for role in ("item", "annotator", "label")
        if role in table.column_names
    }
    return {role: kind for role, kind in found.items() if kind is not None}


_TEXTS = ("item", "annotator", "kind", "label", "answer", "response_id")


def _text(table: pa.Table, name: str) -> Coded:
    if name not in table.column_names:
        return nothing(table.num_rows)
    return encode(as_text(table.column(name))[0])


def _labels(label: Coded, sides: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    if "labels" in sides:
        frame = sides["labels"]
        return frame.assign(label=frame["label"].astype("str"))
    values = sort_values(label).values
    values = values.take(pa.array(natural_order(values)))
    return checked_labels(pd.DataFrame({"label": index(values)}))


def _among(
    column: Coded, words: tuple[str, ...], source: str, what: str, *, null: bool
) -> Coded:
    coded = recode_to(column, text_array(words))
    good = (coded.codes >= 0) | (null & (column.codes < 0))
    _check(good, source, f"{what} is not one of {', '.join(words)}")
    return coded


def _numbers(
    table: pa.Table, name: str, dtype: str, least: int, source: str
) -> pd.Series:
    """Read a column of whole numbers (or booleans) and hold it to its least value."""
    if name not in table.column_names:
        fill = 1 if name == "n" else None
        return pd.Series([fill] * table.num_rows, dtype=dtype)
    column = table.column(name)
    try:
        if dtype == "boolean":
            column = column.cast(pa.bool_())
        numbers = column.cast(pa.int64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        msg = f"{source}: column {name!r} is not of type {dtype} ({error}); mend it"
        raise BadCellError(msg) from None
    good = pc.greater_equal(numbers, least).fill_null(name != "n")
    _check(good.to_numpy(), source, f"column {name!r} must be at least {least}")
    gaps = numbers.is_null().to_numpy()
    values = pd.Series(numbers.fill_null(1).to_numpy()).astype("Int64")
    out: pd.Series = values.mask(gaps).astype(pd.api.types.pandas_dtype(dtype))
    return out


def _check(good: np.ndarray, source: str, what: str) -> None:
    if not good.all():
        row = int((~good).argmax()) + 1
        msg = f"{source}, row {row}: {what}; mend the file or write the folder again"
        raise BadCellError(msg)
