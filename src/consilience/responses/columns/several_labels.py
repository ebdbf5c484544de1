"""Cells that hold several labels: split where the caller says how, or reported."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int

from consilience.errors import (
    BadCellError,
)
from consilience.responses.columns.names import listing
from consilience.responses.options import Kind, ReadOptions
from consilience.responses.tables.coding import (
    Coded,
    encode,
)
from consilience.responses.tables.structures import parse_structure

_SEPARATORS = ("|", ";", ",", "\n")
_MAX_VALUES = 2000  # distinct values that are looked at
_AGAIN = 0.5  # share of the parts that must come back
_SHARE = 0.2  # share of the cells that must hold several


def as_lists(column: Coded, options: ReadOptions) -> pa.Array | None:
    """Return the labels of each cell, where cells hold several; None: they hold one."""
    texts: list[str | None] = column.values.to_pylist()
    cells: list[list[str] | None]
    if options.split is not None:
        cells = [None if t is None else split_labels(t, options.split) for t in texts]
    else:
        cells = [None if t is None else _json_list(t) for t in texts]
        listed = np.array([cell is not None for cell in cells], bool)
        filled = column.codes[column.codes >= 0]
        if not listed[filled].all() or not len(filled):
            return None
    values = pa.array([*cells, None], pa.list_(pa.string()))
    codes = [code if code >= 0 else len(cells) for code in column.codes.tolist()]
    return values.take(pa.array(codes, pa.int64()))


def check_lists(cells: pa.Array | None, kind: Kind | None, source: str) -> None:
    """Refuse several labels per cell where the question is not one for objects."""
    if cells is None or kind == "objects":
        return
    most = pc.max(pc.list_value_length(cells)).as_py() or 0
    if kind == "choice" and most <= 1:
        return
    msg = (
        f'{source}: it holds several labels per row; ask for `kind="objects"`, or '
        "write one row per answer"
    )
    raise BadCellError(msg)


def flatten(cells: pa.Array) -> tuple[Int[np.ndarray, " N"], Coded]:
    """Row and text of each label; an empty list is an answer without a label."""
    full = pc.if_else(
        pc.equal(pc.fill_null(pc.list_value_length(cells), 0), 0),
        pa.scalar([None], pa.list_(pa.string())),
        cells,
    )
    rows = pc.list_parent_indices(full).to_numpy().astype(np.int64)
    return rows, encode(pc.list_flatten(full))


def split_labels(text: str, separator: str) -> list[str]:
    """Return the labels between separators, each once, without blanks around them."""
    parts = (part.strip() for part in text.split(separator))
    return list(dict.fromkeys(part for part in parts if part))


def check_single(column: Coded, source: str, options: ReadOptions) -> tuple[str, ...]:
    """Reject cells that certainly hold several labels, warn of those that may."""
    if options.labels is not None or options.offered is not None:
        return ()
    texts = [t for t in column.values[:_MAX_VALUES].to_pylist() if t is not None]
    for separator in _SEPARATORS:
        several = [text for text in texts if len(split_labels(text, separator)) > 1]
        if not several:
            continue
        often = Counter(
            part for text in texts for part in split_labels(text, separator)
        )
        parts = {part for text in several for part in split_labels(text, separator)}
        again = sum(often[part] > 1 for part in parts) / len(parts)
        if again <= _AGAIN and separator not in "|\n":
            continue
        msg = (
            f"{source}: cells such as {listing(several, 2)} seem to hold several "
            f"labels; split them with `split={separator!r}` (kind objects), or, if "
            'each is one label, ask for `kind="choice"`'
        )
        words = sum(len(part) > 2 for part in parts) > len(parts) / 2
        many = 1 < len(several) > _SHARE * len(texts)
        if again > _AGAIN and words and many and options.kind != "choice":
            raise BadCellError(msg)
        return (msg,)
    return ()


def _json_list(text: str) -> list[str] | None:
    """Return the labels of a JSON list of texts and numbers."""
    if not text.startswith("["):
        return None
    value = parse_structure(text)
    if not isinstance(value, list) or not all(isinstance(p, str | int) for p in value):
        return None
    return [str(part) for part in value]
