"""Cells that hold a JSON object or list, or Python's text of one: never a label."""

import ast
import json
import warnings

from consilience.errors import BadCellError
from consilience.responses.draft import Draft

_PAIRS = {"{": "}", "[": "]"}


def parse_structure(text: str) -> object:
    """Return the list or object that a text is; None where it is a plain text."""
    text = text.strip()
    if not text or _PAIRS.get(text[0]) != text[-1]:
        return None
    for parse in (json.loads, _python):
        try:
            value: object = parse(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        return value
    return None


def _python(text: str) -> object:
    with warnings.catch_warnings():  # of the compiler, about odd escapes
        warnings.simplefilter("ignore")
        return ast.literal_eval(text)


def is_structure(text: str) -> bool:
    """Whether a text is a list or an object and no plain text."""
    return parse_structure(text) is not None


def check_plain(draft: Draft) -> None:
    """Refuse labels that are lists or objects."""
    for code, label in enumerate(draft.label.values.to_pylist()):
        if label is None or label[:1] not in _PAIRS or not is_structure(label):
            continue
        rows = (draft.label.codes == code).nonzero()[0]
        if not len(rows):
            continue
        shown = label if len(label) <= 60 else label[:57] + "..."
        msg = (
            f"{draft.where(int(draft.row[rows[0]]))}: the label is a list or an object "
            f"({shown!r}), not a plain text; write one label per row (or a JSON list "
            "of labels, read as kind objects), or name the format or the column that "
            "holds plain labels"
        )
        raise BadCellError(msg)
