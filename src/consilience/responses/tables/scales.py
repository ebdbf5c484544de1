# ruff: noqa: RUF001 - signs of minus and dashes that labels hold
"""The order of labels: numbers by size, and the words of well-known scales.

``10`` comes after ``9``, ``10 stars`` after ``9 stars``, and *agree* after *neutral*.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from consilience.responses.tables.coding import natural_order, text_array

_NUMBER = re.compile(r"(?<![\w.])[-+−]?\d+(?:[.,]\d+)?(?![\w.]*\d)|\d+")
_STEPS = 11  # of a rating, at most
_MOST = 1000  # labels that are looked at


def _scale(text: str) -> dict[str, int]:
    places = (part.split("/") for part in " ".join(text.split()).split("|"))
    return {word.strip(): place for place, words in enumerate(places) for word in words}


# In the file each goes from its low end to its high one; words of one place, between
# slashes, mean the same.
_TEXT = Path(__file__).with_name("scales.txt").read_text("utf-8")
SCALES = tuple(map(_scale, _TEXT.strip().split("\n\n")))


def scale_order(labels: Sequence[str]) -> list[str] | None:
    """Return labels in the order of their scale; None: they have none that is known."""
    if not 2 <= len(labels) <= _MOST:
        return None
    keys = _numbered(labels) or _worded(labels)
    if keys is None or len(set(keys)) < len(keys):
        return None
    return [label for _, label in sorted(zip(keys, labels, strict=True))]


def natural_texts(labels: Sequence[str]) -> list[str]:
    """Return labels by their scale, else by number if all are numbers, else as text."""
    natural = [labels[place] for place in natural_order(text_array(labels))]
    return scale_order(natural) or natural


def has_order(labels: Sequence[str]) -> bool:
    """Say whether labels stand in the order of numbers or of a known scale."""
    return scale_order(labels) == list(labels)


def is_scale(labels: Sequence[str]) -> bool:
    """Say whether labels that stand in this order are steps of a scale or ratings.

    Words must be of a known scale, and numbers follow one another.
    """
    if len(labels) < 3 or not has_order(labels):
        return False
    numbers = _numbered(labels)
    if numbers is None:
        return True
    steps = {high - low for low, high in pairwise(numbers)}
    return len(labels) <= _STEPS and len(steps) == 1


def _numbered(labels: Sequence[str]) -> list[float] | None:
    """Return the one number in each label, where they differ in little else.

    Beside words that differ, numbers count only where each label begins with its own,
    as in ``1 = bad``.
    """
    matches = [list(_NUMBER.finditer(label)) for label in labels]
    if not all(len(each) == 1 for each in matches):
        return None
    rests = {
        re.sub(r"\W+", "", label[: m.start()] + "#" + label[m.end() :]).rstrip("s")
        for label, (m,) in zip(labels, matches, strict=True)
    }
    leading = all(m.start() == 0 for (m,) in matches)
    parted = all(
        re.match(r"\s*[-–=:.)]|\s", x[m[0].end() :])
        for x, m in zip(labels, matches, strict=True)
    )
    if len(rests) > 1 and not (leading and parted):
        return None
    return [float(m.group().replace(",", ".").replace("−", "-")) for (m,) in matches]


def _worded(labels: Sequence[str]) -> list[float] | None:
    words = [
        " ".join(re.split(r"[\W_]+", label.casefold())).strip() for label in labels
    ]
    for scale in SCALES:
        if all(word in scale for word in words):
            return [float(scale[word]) for word in words]
    return None
