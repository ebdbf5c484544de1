"""What was read, row by row, and how many random inputs are tried.

The environment variable CONSILIENCE_FUZZ says how many of each kind are tried
(`CONTRIBUTING.md`); without it, a dozen or more, the same in every run.
"""

import os

from hypothesis import settings

NAMES = ["item", "annotator", "label"]
FUZZ = int(os.environ.get("CONSILIENCE_FUZZ", "0"))


def some(number):
    """Try so many inputs, or as many as CONSILIENCE_FUZZ says, and then other ones."""
    if FUZZ:
        return settings(max_examples=FUZZ, derandomize=False, database=None)
    return settings(max_examples=number)


def rows(responses, *columns):
    """Return the cells of some columns, row by row."""
    table = responses.table[list(columns)].astype(object)
    return table.where(table.notna(), None).to_numpy().tolist()


def back(responses):
    """Return item, annotator and label of each row as text."""
    return [tuple(row) for row in responses.table[NAMES].astype("str").to_numpy()]


def in_line(responses, *columns):
    """Return the rows of some columns in one line, such as ``ann cat, bob dog``."""
    cells = rows(responses, *columns)
    return ", ".join(" ".join("-" if c is None else str(c) for c in r) for r in cells)
