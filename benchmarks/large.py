"""Shards: from files to tables, and sweeps beside copying.

Feeds `docs/reference/benchmarks-large.md`.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.harness import NO_CACHE, Call, Case, Report, alone, has_peer, measured

FEW = 10_000_000  # answers that memory holds
ABOUT = (
    "Ten labels, five answers an item, a thousand answers an annotator, text ids in a "
    "Parquet file; dawid_skene by em."
)


def _program(function: str, **arguments: Any) -> Call:
    return "benchmarks.shards", function, arguments


@contextmanager
def _made(answers: int) -> Iterator[tuple[str, str]]:
    """Give a file of answers, and a folder for what is made of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/{answers}.parquet"
        alone(_program("make_large", path=path, answers=answers))
        yield path, folder


def large(*, quick: bool, repeats: int) -> Report:
    """From a file to tables of all items, in shards, in memory, by crowd-kit."""
    del repeats
    rows = []
    for answers in (5_000,) if quick else (10**power for power in range(3, 9)):
        with _made(answers) as (path, folder):
            named = {"path": path, "model": "dawid_skene", "engine": "em"}
            calls = {"shards": _program("in_shards", folder=folder, **named)}
            if answers <= FEW:
                calls = {"in memory": _program("in_memory", **named), **calls}
            if answers <= FEW and has_peer():
                calls["crowd-kit DawidSkene"] = _program("crowd_kit", path=path)
            cases = [
                Case({"responses": answers, "program": name}, call, NO_CACHE)
                for name, call in calls.items()
            ]
            rows += measured(cases, 1)
    notes = (
        (
            f"{ABOUT} To its default tolerance (1e-7 nats an answer), from the file to "
            "tables of all items and labels. Each once, in a process of its own; "
            "crowd-kit to the same tolerance, its frame read by pandas."
        ),
    )
    return Report("Large studies, in shards and in memory", rows, notes)


def many_answers(*, quick: bool, repeats: int) -> Report:
    """Models of many answers, in memory and in shards."""
    del repeats
    rows = []
    for kind, model in {"choice": "auto", "contains": "contains_states"}.items():
        for answers in (5_000,) if quick else (10**6, FEW):
            with tempfile.TemporaryDirectory() as folder:
                path = f"{folder}/{answers}.parquet"
                make = "make_large" if kind == "choice" else "make_contains"
                alone(_program(make, path=path, answers=answers))
                named = {"path": path, "model": model, "engine": "auto"}
                calls = {"shards": _program("in_shards", folder=folder, **named)}
                if answers < FEW:
                    calls = {"in memory": _program("in_memory", **named), **calls}
                about = {"kind": kind, "model": model, "responses": answers}
                cases = [
                    Case({**about, "program": name}, call, NO_CACHE)
                    for name, call in calls.items()
                ]
                rows += measured(cases, 1)
    notes = (
        (
            "Ten labels, five answers about an item, or about each of two labels of an "
            "item; text ids in a Parquet file; from it to tables of all items and "
            "labels. Each once, in a process of its own. auto of choice has no "
            "correlated rows where annotators are more than a thousand, as they are of "
            "ten million answers; of contains it is contains_states."
        ),
    )
    return Report("Models of many answers", rows, notes)


def swept(*, quick: bool, repeats: int) -> Report:
    """Sweeps beside copying as many bytes."""
    rows = []
    for answers in (5_000,) if quick else (10**6, 10**7):
        with _made(answers) as (path, folder):
            call = _program("swept", path=path, folder=folder, sweeps=5 * repeats)
            rows += measured([Case({"responses": answers}, call)], 1)
    notes = (
        (
            f"{ABOUT} stored: answers by items and by annotators, each read once a "
            "sweep. gathered: for each answer a row of its annotator's table and one "
            "of its item's posterior. Scores and posteriors of items, and tables, are "
            "written and read. Copying: as many bytes in all, read and written in "
            "order, by as many threads as there are cores. Medians of sweeps and "
            "copies in turn."
        ),
    )
    return Report("Sweeps beside copying", rows, notes)
