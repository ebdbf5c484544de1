"""Whether a fit is to be trusted: the outcomes of its checks, and them in one line.

A check passes or fails. It is *corrected* where what it has seen is taken into account:
errors of annotators that go together, where the posterior of the truth is tempered.
And some cannot be told, of one start, say, or of too few answers.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pandas as pd

from consilience.when_used import xr

type Outcome = Literal["passed", "failed", "corrected", "cannot be told"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome.__value__)
PASSED, FAILED, CORRECTED, CANNOT_TELL = OUTCOMES
_TYPES = {
    "name": "str",
    "value": "float64",
    "limit": "float64",
    "outcome": "str",
    "ok": "bool",
    "remedy": "str",
}


def diagnostics(data: xr.DataTree) -> pd.DataFrame:
    """Verdicts of the checks, each with a remedy."""
    columns = dict.fromkeys(_TYPES, np.zeros(0))
    if "diagnostics" in data.children:
        columns = {name: data["diagnostics"][name].to_numpy() for name in _TYPES}
    table = pd.DataFrame(
        {name: pd.Series(columns[name], dtype=type_) for name, type_ in _TYPES.items()}
    )
    corrected = table["outcome"] == CORRECTED
    if corrected.any() and data["truth"].attrs.get("reported") != "tempered":
        table.loc[corrected, "outcome"] = FAILED  # the raw posterior was asked for
        table.loc[corrected, "ok"] = False
    return table


def counts(table: pd.DataFrame) -> dict[Outcome, int]:
    """Return how many checks had each outcome."""
    number = table["outcome"].value_counts()
    return {outcome: int(number.get(outcome, 0)) for outcome in OUTCOMES}


def tally(table: pd.DataFrame) -> str:
    """Return how many checks had each outcome, in words."""
    if len(table) > 1 and (table["outcome"] == PASSED).all():
        return f"all {len(table)} passed"
    parts = []
    for outcome, number in counts(table).items():
        if number:
            names = table.loc[table["outcome"] == outcome, "name"]
            which = f" ({', '.join(names)})" if outcome != PASSED else ""
            parts.append(f"{number} {outcome}{which}")
    return ", ".join(parts)


def is_sound(table: pd.DataFrame) -> bool:
    """Say whether no check failed."""
    return not (table["outcome"] == FAILED).any()


def trust(table: pd.DataFrame) -> str:
    """Say in one line whether a fit is to be trusted."""
    if table.empty:
        return "checks: a heuristic has none"
    head = "" if is_sound(table) else "DO NOT TRUST THIS FIT YET: "
    return f"{head}checks: {tally(table)}"
