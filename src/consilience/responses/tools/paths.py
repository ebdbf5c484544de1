"""Values of nested records, by paths.

A path is keys with points between them, or one key that holds points; ``*`` stands for
every part of a list or object: ``projects.*.labels.*``.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from consilience.errors import DataError
from consilience.responses.sources.arrow_columns import cell_text


def dig(value: object, path: str) -> list[Any]:
    """Return all values at a path; none where it leads nowhere."""
    reached, values = list[Any](), [value]
    for key, rest in _steps(path):
        below = []
        for each in values:
            if isinstance(each, dict) and rest in each:
                reached.append(each[rest])
            elif isinstance(each, dict) and key in each:
                below.append(each[key])
            elif key == "*" and isinstance(each, (list, dict)):
                below += each.values() if isinstance(each, dict) else each
            elif key == "*" and each is not None:
                msg = f"found {each!r:.40} where a list was expected; export it again"
                raise DataError(msg)
        values = below
    return reached + values


@cache
def _steps(path: str) -> list[tuple[str, str]]:
    """Return the keys of a path, each with the path from there on."""
    keys = path.split(".") if path else []
    return [(key, ".".join(keys[k:])) for k, key in enumerate(keys)]


def first(value: object, *paths: str) -> Any:
    """Return the first value at any of some paths that is not missing."""
    return lookup(*paths)(value)


@cache
def lookup(*paths: str) -> Callable[[object], Any]:
    """Return what finds the first value at any of some paths that is not missing."""
    finds = [_lookup(path) for path in paths]

    def of_paths(value: object) -> Any:
        for find in finds:
            result = find(value)
            if result is not None:
                return result
        return None

    return finds[0] if len(finds) == 1 else of_paths


def _lookup(path: str) -> Callable[[object], Any]:
    """Return what finds the first value at one path."""
    steps = _steps(path)

    def of_steps(value: object) -> Any:
        for key, rest in steps:
            if not isinstance(value, dict):
                return None
            if rest in value:
                return None if value[rest] == "" else value[rest]
            value = value.get(key)
        return None

    def of_parts(value: object) -> Any:
        return next((each for each in dig(value, path) if each not in (None, "")), None)

    return of_parts if "*" in path else of_steps


def one(value: object, paths: tuple[str, ...], place: str) -> str | None:
    """Return the first plain value at any of some paths, as text."""
    strange = None
    for path in paths:
        result = lookup(path)(value)
        if result is not None and not isinstance(result, (list, dict)):
            return text(result, place)
        strange = result if strange is None else strange
    if strange is not None:
        msg = (
            f"{place}: {paths[0]} is {strange!r:.60}; expected a text or a number; "
            "export it again"
        )
        raise DataError(msg)
    return None


def text(value: object, place: str = "") -> str | None:
    """Return the text of a label or an id; a truth value as JSON writes it."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return None if value is None else cell_text(value, place) or None
