"""Confusions: the population's, then those of the annotators who answered most."""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from consilience.reports.columns.coded import Names, estimate, group_starts
from consilience.reports.record import Run

# Cells of confusions by annotator: some megabyte of the page.
MAX_CELLS = 120_000


def confusions(run: Run, people: Names) -> dict[str, Any]:
    """Return a run's confusions, an owner after the other."""
    table = run.table("confusion")
    if table.empty:
        return {}
    true, given = Names(), Names()
    true.add(pd.Series(table["true_label"].cat.categories))
    given.add(pd.Series(table["given_label"].cat.categories))
    who = people.add(table["annotator"])
    cells = np.bincount(who + 1, minlength=len(people.codes) + 1)
    shown = _busiest(run, people, cells)
    place = np.full(len(cells), -1)
    place[np.append(0, shown + 1)] = np.arange(len(shown) + 1)
    owner = place[who + 1]
    rows = np.flatnonzero(owner >= 0)
    rows = rows[np.argsort(owner[rows], kind="stable")]
    return {
        **group_starts(owner[rows], len(shown) + 1),
        "who": [-1, *shown.tolist()],
        "left": int((cells[1:] > 0).sum() - len(shown)),
        "true": true.all(),
        "given": given.all(),
        "t": true.add(table["true_label"])[rows].tolist(),
        "g": given.add(table["given_label"])[rows].tolist(),
        **estimate(table, rows),
    }


def _busiest(
    run: Run, people: Names, cells: Int[np.ndarray, " J"]
) -> Int[np.ndarray, " S"]:
    """Return the annotators who answered most, as many as there is room for."""
    table = run.table("annotators")
    if table.empty:
        return np.zeros(0, np.int64)
    order = table.sort_values("responses", ascending=False, kind="stable")
    busy = people.add(order["annotator"])
    busy = busy[busy + 1 < len(cells)]
    busy = busy[cells[busy + 1] > 0]
    kept: np.ndarray = busy[cells[0] + np.cumsum(cells[busy + 1]) <= MAX_CELLS]
    return kept
