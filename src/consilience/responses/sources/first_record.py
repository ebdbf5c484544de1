"""The first record of a JSON file, without reading the file whole."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LOOK = 1 << 22
_NEAR = 1 << 16  # characters in which a list begins
_LISTS = ("items", "docs", "records")  # keys under which an API lists records


def first_record(path: Path) -> Mapping[str, Any]:
    """Return the first record of a list or of lines, or the one of the file."""
    with path.open("rb") as file:
        start = file.read(_LOOK).removeprefix(b"\xef\xbb\xbf")
    text = start.decode("utf-8", errors="ignore").lstrip()
    is_list = text.startswith("[")
    text = text.removeprefix("[").lstrip()
    try:
        record, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return _wrapped(text) if text.startswith("{") and not is_list else {}
    if is_list or not isinstance(record, dict):
        return record if isinstance(record, dict) else {}
    lists = (record[key] for key in _LISTS if isinstance(record.get(key), list))
    wrapped = next(lists, None)
    if wrapped and isinstance(wrapped[0], dict):
        return wrapped[0]
    return record


def _wrapped(text: str) -> Mapping[str, Any]:
    """Return the first record of a long list that an API wraps."""
    start = re.search(rf'"(?:{"|".join(_LISTS)})"\s*:\s*\[\s*', text[:_NEAR])
    if start is None:
        return {}
    try:
        record, _ = json.JSONDecoder().raw_decode(text, start.end())
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}
