"""Values inside nested records, found by their path.

A path is keys with points between them; ``*`` stands for every part of a list or every
value of an object: ``projects.*.labels.*``.
"""

from collections.abc import Iterator, Sequence
from typing import Any

EVERY = "*"


def dig(value: object, path: str) -> Iterator[Any]:
    """Give all values at a path; none where the path leads nowhere."""
    key, _, rest = path.partition(".")
    if not path:
        yield value
    elif key == EVERY and isinstance(value, (list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from dig(part, rest)
    elif isinstance(value, dict) and key in value:
        yield from dig(value[key], rest)


def first(value: object, paths: Sequence[str] | str) -> Any:
    """Return the first value at any of some paths that is not missing."""
    for path in [paths] if isinstance(paths, str) else paths:
        for each in dig(value, path):
            if each is not None and each != "":
                return each
    return None
