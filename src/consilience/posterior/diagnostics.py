"""The table `diagnostics`: the checks' verdicts as the fit carries them.

**The table `comparison`: the models that were compared, the best first.** elpd is the
mean log probability of an answer given all others, in nats; `weight` is the share of a
model in the mixture that predicts answers best, and `best` the probability that it
alone predicts best, were there more items like these.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pandas as pd

from consilience.when_used import xr

type Outcome = Literal["passed", "failed", "too little data to tell"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome.__value__)
PASSED, FAILED, TOO_LITTLE = OUTCOMES
_TYPES = {
    "name": "str",
    "value": "float64",
    "limit": "float64",
    "outcome": "str",
    "ok": "bool",
    "remedy": "str",
}
COLUMNS = ("elpd", "se", "difference", "difference_se", "weight", "best", "seconds")


def diagnostics(data: xr.DataTree) -> pd.DataFrame:
    """Verdicts of the checks, each with a remedy."""
    columns = dict.fromkeys(_TYPES, np.zeros(0))
    if "diagnostics" in data.children:
        columns = {name: data["diagnostics"][name].to_numpy() for name in _TYPES}
    return pd.DataFrame(
        {name: pd.Series(columns[name], dtype=type_) for name, type_ in _TYPES.items()}
    )


def counts(table: pd.DataFrame) -> dict[Outcome, int]:
    """Return how many checks had each outcome."""
    number = table["outcome"].value_counts()
    return {outcome: int(number.get(outcome, 0)) for outcome in OUTCOMES}


def tally(table: pd.DataFrame) -> str:
    """Return how many checks had each outcome, in words."""
    if (table["outcome"] == PASSED).all():
        return f"all {len(table)} passed"
    words = {PASSED: "passed", FAILED: "failed", TOO_LITTLE: f"with {TOO_LITTLE}"}
    parts = []
    for outcome, number in counts(table).items():
        if number:
            names = table.loc[table["outcome"] == outcome, "name"]
            which = f" ({', '.join(names)})" if outcome != PASSED else ""
            parts.append(f"{number} {words[outcome]}{which}")
    return ", ".join(parts)


def comparison(data: xr.DataTree) -> pd.DataFrame:
    """Models that were compared for the model "auto"."""
    if "comparison" not in data.children:
        none = {name: np.zeros(0) for name in COLUMNS}
        return pd.DataFrame({"model": pd.Series([], dtype="str"), **none})
    group = data["comparison"]
    names = pd.Series(group["model"].to_numpy(), dtype="str")
    columns = {name: group[name].to_numpy().astype(float) for name in COLUMNS}
    return pd.DataFrame({"model": names, **columns})


def as_dataset(table: pd.DataFrame) -> xr.Dataset:
    """Lay the table out as the group `comparison` of a fit."""
    names = table["model"].to_numpy(dtype=object)
    values = {name: table[name].to_numpy() for name in COLUMNS}
    return xr.Dataset(
        {
            name: ("candidate_model", column)
            for name, column in {"model": names, **values}.items()
        }
    )
