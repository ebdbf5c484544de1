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
    found: Float[np.ndarray, "rows P"] = (
        table[list(names)].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    )
    wrong = ~np.isfinite(found)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        msg = (
            f"candidates, column {names[column]!r}, row {row + 1}: found "
            f"{table[names[column]].iloc[row]!r}, expected a finite number; fix it or "
            "leave the column out"
        )
        raise CandidatesError(msg)
    return found


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


def standardised(
    names: Sequence[str],
    told: Float[np.ndarray, "N P"],
    known: Bool[np.ndarray, "U *listed"],
) -> Covariates:
    """Return the numbers by their deviation from the mean.

    Parameters
    ----------
    names
        Of the columns.
    told
        The numbers, in order of what is known.
    known
        Of which units, or states listed for them, something is known.
    """
    centre, spread = told.mean(0), told.std(0)
    spread = np.where(spread > 0, spread, 1.0)
    value = np.zeros((*known.shape, len(names)))
    value[known] = (told - centre) / spread
    return Covariates(value, tuple(map(str, names)), centre, spread, known)
