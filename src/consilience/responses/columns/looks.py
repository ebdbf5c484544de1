"""What a column of text looks like, whatever it is called.

A reader that cannot use a column says what the column seems to hold, and leaves out of
a matrix of labels what cannot be labels. Only a sample of the distinct values is
looked at, so that a glance at a column of millions costs nothing.
"""

import re
from collections.abc import Callable
from statistics import median

from consilience.responses.answers import is_yes_or_no
from consilience.responses.tables.coding import Coded, drop_unused
from consilience.responses.tables.structures import is_structure

FEW = 5  # rows below which a different value in every row means nothing
_SAMPLE = 400
_MIN_SHARE = 0.8  # share of the values that decides
_LONG = 45  # characters of a text that is not a label

EMPTY = "empty"
STRUCTURES = "JSON"
LINKS = "links"
DATES = "dates or times"
TEXTS = "free text"
YES_NO = "yes/no words"
FLAGS = "0 and 1"
NUMBERS = "numbers"
FRACTIONS = "numbers with a point"
DISTINCT = "a different value in every row"
CONSTANT = "one value in every row"

NEVER_LABELS = frozenset({EMPTY, STRUCTURES, LINKS, DATES, TEXTS, DISTINCT})

_LINK = re.compile(r"(?i)^(?:[a-z][a-z0-9+.-]*://|www\.|data:[a-z]+/|//)\S+$")
_DATE = re.compile(
    r"^(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
    r"|\d{1,2}:\d{2}(?::\d{2})?|[A-Z][a-z]{2} [A-Z][a-z]{2} \d{1,2} [\d:]{5,8} .*)"
    r"(?:[T ,].*)?$"
)
_NUMBER = re.compile(r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$")


def look(column: Coded) -> str:
    """Say in a few words what a column seems to hold; nothing: texts like labels.

    Parameters
    ----------
    column
        Any column of text.
    """
    column = drop_unused(column)
    filled = int((column.codes >= 0).sum())
    values: list[str] = column.values[:_SAMPLE].to_pylist()
    distinct = len(column.values) == filled >= FEW
    numeric = all(map(_NUMBER.match, values))
    tests: dict[str, Callable[[], bool]] = {
        EMPTY: lambda: not values,
        STRUCTURES: lambda: _mostly(values, is_structure),
        LINKS: lambda: _mostly(values, _LINK.match),
        DATES: lambda: _mostly(values, _DATE.match),
        FLAGS: lambda: numeric and is_yes_or_no(values),
        YES_NO: lambda: is_yes_or_no(values),
        TEXTS: lambda: median(map(len, values)) > _LONG,
        DISTINCT: lambda: distinct,
        FRACTIONS: lambda: numeric and not all(float(v).is_integer() for v in values),
        NUMBERS: lambda: numeric,
        CONSTANT: lambda: len(values) == 1 and filled >= FEW,
    }
    return next((name for name, holds in tests.items() if holds()), "")


def _mostly(values: list[str], test: Callable[[str], object]) -> bool:
    return sum(bool(test(value)) for value in values) >= _MIN_SHARE * len(values)
