"""Tidy tables are read as they are meant, or asked about, and never misread.

`make studies` reads many more tables than the suite. A reading is right if its kind is
that of the table and its answers are the known ones, whatever their order.
"""

import re
import warnings
from collections import Counter
from functools import cache

import pandas as pd
import pytest
from tests.responses.tidy_tables import TidyTable, make

import consilience as cs
from consilience.errors import ConsilienceError

FEW, MANY = 40, 5_000  # tables that are read in the suite, and by `make studies`
_STEP = 40
_OPTION = re.compile(r"`[a-z_]+=[^`]*`")

pytestmark = pytest.mark.filterwarnings("ignore")


def plain(text):
    """Return a value without what programs add to it: 1 is 1.0, True is true."""
    text = re.sub(r"^(-?(?:0|[1-9]\d*))\.0$", r"\1", str(text))
    return text.lower() if text in {"True", "False"} else text


def answers_of(kind, answers, known: TidyTable):
    """Return what can be compared: how often each answer was given."""
    names = ["item", "annotator", "label", *(["answer"] if kind == "contains" else [])]
    cells = [answers[name].astype(object).map(plain) for name in names]
    if known.anonymous:
        cells[1] = pd.Series("-", index=answers.index)
    number = answers["n"] if "n" in answers else pd.Series(1, index=answers.index)
    found = Counter()
    for *cell, n in zip(*cells, number, strict=True):
        found[tuple(cell)] += int(n)
    if not known.renamed:
        return kind, found
    of_items: dict[str, Counter] = {}
    for (item, *cell), n in found.items():
        of_items.setdefault(item, Counter())[tuple(cell)] += n
    return kind, Counter(frozenset(each.items()) for each in of_items.values())


def read_as(known: TidyTable, **options):
    """Return what is read, in the form in which it is compared."""
    responses = cs.read(known.table, **options)
    kind, table = responses.kind, responses.table
    needed = ["label", *(["answer"] if kind == "contains" else [])]
    return answers_of(kind, table.dropna(subset=needed), known)


def right(known: TidyTable):
    """Return the right readings, in the form in which they are compared."""
    readings = [(known.kind, known.answers), *known.also]
    return [answers_of(kind, answers, known) for kind, answers in readings]


@cache
def outcome(seed: int) -> str:
    """Say how a table is read without options: right, asked or wrong."""
    known = make(seed)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = read_as(known)
    except ConsilienceError as error:
        return "asked" if _OPTION.search(str(error)) else "wrong"
    except Exception:  # noqa: BLE001 - whatever is raised else
        return "wrong"
    return "right" if found in right(known) else "wrong"


def some(number, least=0):
    """Give seeds in steps, so that each test is short."""
    return [range(k, min(k + _STEP, number)) for k in range(least, number, _STEP)]


# Once misread: items by their text beside an id, and by their link beside a text; a
# topic of each item as the label of objects.
MISREAD = [range(seed, seed + 1) for seed in (4297, 4416, 4479)]
SEEDS = [
    *some(FEW),
    *MISREAD,
    *(pytest.param(each, marks=pytest.mark.study) for each in some(MANY, FEW)),
]


@pytest.mark.parametrize("seeds", SEEDS, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_no_table_is_wrong(seeds):
    wrong = [seed for seed in seeds if outcome(seed) == "wrong"]
    assert not wrong, f"{len(wrong)} of {len(seeds)}: {make(wrong[0]).description}"


def test_usual_names_are_read():
    """Where options can say what the table is."""
    made = {seed: make(seed) for seed in range(FEW)}
    usual = [k for k, each in made.items() if each.names == "usual" and each.commands]
    asked = [seed for seed in usual if outcome(seed) != "right"]
    assert len(asked) <= 0.1 * len(usual), make(asked[0]).description


@pytest.mark.parametrize("seeds", some(FEW), ids=lambda each: f"{each[0]}-{each[-1]}")
def test_commands_read(seeds):
    for seed in seeds:
        known = make(seed)
        if known.commands is None:
            continue
        assert read_as(known, **known.commands) in right(known), known.description
