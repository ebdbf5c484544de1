"""The types of ids and labels: kept while they are text inside, and restored outside.

Items, annotators and labels are text from the reader to the fit, so that ids of all
sources compare alike: 1, 1.0 and "1" are one id, "01" is another. What type each of
them had in the data frame, Parquet or JSON file that it came from is recorded by role,
and every table that leaves the package is given these types again. A type is restored
exactly or not at all: where one value of a column could not be written as the same
text, the column stays text. Text of text files has no type to be restored.

A type is called what pandas calls it, whoever holds the column: whole numbers, numbers
with a point, booleans and text have a name here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import wraps
from types import MappingProxyType
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api.extensions import ExtensionDtype

from consilience.errors import OptionError, not_a

MIXED = "mixed"
_EXACT = 2**53  # beyond it a float skips whole numbers
_LABELS = (
    *("label", "dataset_label", "main_label", "true_label"),
    *("given_label", "other_label"),
)
ROLES: Mapping[str, str] = MappingProxyType(
    {
        "item": "item",
        **dict.fromkeys(("annotator", "other_annotator"), "annotator"),
        **dict.fromkeys(_LABELS, "label"),
    }
)
"""Columns that hold ids or labels, in every table, and whose type they have."""

type Types = Mapping[str, str]
type Texts = pa.StringArray | pa.LargeStringArray


@runtime_checkable
class HasTypes(Protocol):
    """What knows the types of its ids and labels: responses, or a fit."""

    @property
    def types(self) -> Types:
        """Type of items, annotators and labels, by role."""


def settled(
    types: Mapping[str, str | None], values: Mapping[str, Texts]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Keep types that all values of their role can be given again; say the others."""
    kept, notes = {}, []
    for role, name in types.items():
        if name is None:
            continue
        if name == MIXED:
            notes.append(f"the column of the {role} holds several types: it is text")
            continue
        texts = pd.Index(pd.array(values[role], dtype="str"))
        if not is_text(_dtype(name)) and _values(texts, name) is None:
            notes.append(f"not every {role} can be written as {name}: they are text")
        else:
            kept[role] = name
    return kept, tuple(notes)


def restored(frame: pd.DataFrame, types: Types) -> pd.DataFrame:
    """Return a table whose ids and labels have their own types again."""
    columns = {
        name: _restored(frame[name], types[role])
        for name, role in ROLES.items()
        if name in frame and role in types
    }
    return frame.assign(**columns) if columns else frame


def restores_types[Function: Callable[..., Any]](function: Function) -> Function:
    """Give the tables that a function returns the types of its first argument."""
    names = f"the arguments of {function.__name__}"

    @wraps(function)
    def typed(given: HasTypes, *args: object, **options: object) -> Any:
        if not isinstance(given, HasTypes):
            expected = "responses (see read) or a fit"
            raise OptionError(not_a(f"the first of {names}", given, expected))
        return _all_restored(function(given, *args, **options), given.types)

    return cast("Function", typed)


def _all_restored(result: Any, types: Types) -> Any:
    if isinstance(result, pd.DataFrame):
        return restored(result, types)
    if is_dataclass(result) and not isinstance(result, type):
        tables = {
            field.name: restored(value, types)
            for field in fields(result)
            if isinstance(value := getattr(result, field.name), pd.DataFrame)
        }
        return replace(result, **tables)
    return result


def as_texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose ids and labels are text, written as readers write them."""
    columns = {name: text_of(frame[name]) for name in ROLES if name in frame}
    return frame.assign(**columns)


def text_of(column: pd.Series) -> pd.Series:
    """Return a column as text, written as readers write it; gaps stay gaps."""
    if isinstance(column.dtype, pd.StringDtype):
        return column.astype("str")
    codes, values = pd.factorize(column)
    levels = pd.Series(values)
    if isinstance(levels.dtype, pd.CategoricalDtype):
        levels = levels.astype(levels.cat.categories.dtype)
    if levels.dtype == object:
        texts = levels.map(str).astype("str")
    else:
        array = values_as_text(pa.array(levels, from_pandas=True))[0]
        texts = pd.Series(array.to_pylist(), dtype="str")
    text = texts.reindex(codes).mask(codes < 0)
    return pd.Series(text.array, index=column.index, name=column.name)


def _restored(column: pd.Series, name: str) -> pd.Series:
    is_coded = isinstance(column.dtype, pd.CategoricalDtype)
    coded = column if is_coded else column.astype("category")
    levels = _values(coded.cat.categories.astype("str"), name)
    if levels is None:
        return column
    codes = coded.cat.codes.to_numpy()
    if name.startswith("category"):
        new = pd.Categorical.from_codes(codes, categories=pd.Index(levels))
        return pd.Series(new, index=column.index, name=column.name)
    gaps = bool((codes < 0).any())
    if gaps and isinstance(levels.dtype, np.dtype) and levels.dtype.kind in "iub":
        levels = pd.Series(pd.array(levels.to_numpy()))
    values = levels.array.take(codes, allow_fill=gaps)
    return pd.Series(values, column.index, levels.dtype, column.name)


def _values(texts: pd.Index, name: str) -> pd.Series | None:
    """Return texts as values of a type; None where one would be another text."""
    dtype = _dtype(name)
    if is_text(dtype):
        return pd.Series(texts).astype(dtype)
    plain = getattr(dtype, "numpy_dtype", dtype)
    array = pa.array(texts).cast(pa.string())
    try:
        values = array.cast(pa.from_numpy_dtype(plain))
        same = values_as_text(values)[0].equals(array)
    except (pa.ArrowException, TypeError):
        return None
    if not same:
        return None
    return pd.Series(values.to_numpy(zero_copy_only=False), dtype=dtype)


def _dtype(name: str) -> np.dtype | ExtensionDtype:
    """Return a type by its name, of a categorical that of its categories."""
    inner = name.removeprefix("category[")
    return pd.api.types.pandas_dtype(name if inner == name else inner.removesuffix("]"))


def values_as_text(values: pa.Array) -> tuple[pa.Array, str | None]:
    """Write distinct values as text, and say what was decided."""
    kind = values.type
    if pa.types.is_boolean(kind):
        return pc.if_else(values, "True", "False"), None
    if not pa.types.is_floating(kind):
        return values.cast(pa.string()), None
    values = pc.if_else(pc.is_nan(values), pa.scalar(None, kind), values)
    whole = pc.all(pc.equal(pc.round(values), values)).as_py()
    largest = pc.max(pc.abs(values)).as_py()
    if whole and largest is not None and largest < _EXACT:
        note = "whole numbers, written without the point"
        return values.cast(pa.int64()).cast(pa.string()), note
    return values.cast(pa.string()), None


def type_of(column: pd.Series | pd.Index) -> str | None:
    """Return the name of a column's type."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        inner = type_of(dtype.categories)
        if inner in (None, MIXED) or is_text(pd.api.types.pandas_dtype(inner)):
            return None
        return f"category[{inner}]"
    if pd.api.types.is_object_dtype(dtype):
        inferred = pd.api.types.infer_dtype(column, skipna=True)
        kinds = {"integer": "int64", "floating": "float64"}
        kinds |= {"boolean": "bool", "string": "object"}
        return MIXED if inferred.startswith("mixed") else kinds.get(inferred)
    plain = getattr(dtype, "numpy_dtype", dtype)
    if is_text(dtype) or getattr(plain, "kind", "O") in "iufb":
        return str(dtype)
    return None


def type_of_arrow(column: pa.DataType) -> str | None:
    """Return the name of a type of Arrow; None for text, and where it is not kept."""
    if pa.types.is_dictionary(column):
        inner = type_of_arrow(column.value_type)
        return None if inner is None else f"category[{inner}]"
    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)
    if any(kind(column) for kind in kinds):
        return str(np.dtype(column.to_pandas_dtype()))
    return None


def common_type(types: Sequence[str | None]) -> str | None:
    """Return the type of columns that are put below one another, as pandas has it."""
    if len(set(types)) == 1:
        return types[0]
    plain = [name for name in types if name not in (None, MIXED)]
    coded = any(name.startswith("category") for name in plain)
    if MIXED in types or coded:
        return MIXED
    dtypes = [pd.api.types.pandas_dtype(name) for name in plain]
    if all(map(is_text, dtypes)):
        return None
    joined = str(pd.concat([pd.Series(dtype=dtype) for dtype in dtypes]).dtype)
    return MIXED if len(plain) < len(types) or joined == "object" else joined


def type_of_cells(types: set[type]) -> str | None:
    """Return the name of the type of cells of JSON; None for text."""
    if len(types) == 1:
        return {int: "int64", bool: "bool"}.get(next(iter(types)))
    return MIXED if {int, bool} & types else None


def is_text(dtype: Any) -> bool:
    """Say whether a type of pandas holds text (or any object)."""
    return isinstance(dtype, pd.StringDtype) or pd.api.types.is_object_dtype(dtype)
