"""What the type of a column is called, whoever holds it: pandas, Arrow or JSON.

Only types that ids and labels are given again have a name here: whole numbers, numbers
with a point, booleans and text.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

MIXED = "mixed"


def type_of(column: pd.Series | pd.Index) -> str | None:
    """Return the name of a column's type."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        inner = type_of(dtype.categories)
        if inner in (None, MIXED) or is_text(pd.api.types.pandas_dtype(inner)):
            return None
        return f"category[{inner}]"
    if pd.api.types.is_object_dtype(dtype):
        return _type_of_objects(column)
    plain = getattr(dtype, "numpy_dtype", dtype)
    if is_text(dtype) or getattr(plain, "kind", "O") in "iufb":
        return str(dtype)
    return None


def _type_of_objects(column: pd.Series | pd.Index) -> str | None:
    inferred = pd.api.types.infer_dtype(column, skipna=True)
    if inferred.startswith("mixed"):
        return MIXED
    return {
        "integer": "int64",
        "floating": "float64",
        "boolean": "bool",
        "string": "object",
    }.get(inferred)


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
    """Return the type of columns that are put below one another, as pandas has it.

    `MIXED` where pandas would make objects of them; text of several types is text.
    """
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


def type_of_cells(cells: Iterable[object]) -> str | None:
    """Return the name of the type of cells of JSON; None for text."""
    types = {type(cell) for cell in cells if cell is not None}
    if len(types) == 1:
        return {int: "int64", bool: "bool"}.get(types.pop())
    return MIXED if {int, bool} & types else None


def is_text(dtype: Any) -> bool:
    """Say whether a type of pandas holds text (or any object)."""
    return isinstance(dtype, pd.StringDtype) or pd.api.types.is_object_dtype(dtype)
