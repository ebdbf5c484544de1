"""Prior covariates: columns of the table of candidates, checked and standardized.

They are standardized, so that one prior suits
the weights of all; where nothing is known they are zero, as of an average candidate.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from consilience.errors import CandidatesError
from consilience.truth.space import Covariates


def numbers(table: pd.DataFrame, names: Sequence[str]) -> Float[np.ndarray, "rows P"]:
    """Return columns of a table as numbers.

    Parameters
    ----------
    table
        Columns item, label, and those named.
    names
        Of the columns of numbers.

    Raises
    ------
    CandidatesError
        A pair of item and label occurs twice, or a value is not a finite number.
    """
    pairs = table[["item", "label"]].astype(str)
    twice = pairs.duplicated()
    if twice.any():
        item, label = pairs[twice].iloc[0]
        msg = f"candidates name item {item!r} and label {label!r} twice; name it once"
        raise CandidatesError(msg)
    values: Float[np.ndarray, "rows P"] = (
        table[list(names)].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    )
    wrong = ~np.isfinite(values)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        msg = (
            f"candidates, column {names[column]!r}, row {row + 1}: found "
            f"{table[names[column]].iloc[row]!r}, expected a finite number; fix it or "
            "leave the column out"
        )
        raise CandidatesError(msg)
    return values


def check_any(here: Bool[np.ndarray, " _"]) -> None:
    """Refuse numbers none of which is about what was asked.

    Raises
    ------
    CandidatesError
        Nothing is here.
    """
    if not here.any():
        msg = (
            "candidates name none of the items and labels that were asked about; "
            "check that both name them alike"
        )
        raise CandidatesError(msg)


def standardise(
    names: Sequence[str],
    values: Float[np.ndarray, "N P"],
    observed: Bool[np.ndarray, "U *listed"],
) -> Covariates:
    """Return the numbers by their deviation from the mean.

    Parameters
    ----------
    names
        Of the columns.
    values
        The numbers, in order of what is known.
    observed
        Of which units, or states listed for them, something is known.
    """
    centre, deviation = values.mean(0), values.std(0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    value = np.zeros((*observed.shape, len(names)))
    value[observed] = (values - centre) / deviation
    return Covariates(value, tuple(map(str, names)), centre, deviation, observed)
