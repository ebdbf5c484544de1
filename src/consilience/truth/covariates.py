"""Prior covariates: columns of the table of candidates, checked and standardized.

They are standardized, so that one prior suits
the weights of all; where nothing is known they are zero, as of an average candidate.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from consilience.errors import CandidatesError

UNLISTED = "unlisted"  # the column that says a label is not in the table
FAR = 5.0  # its value there: far lower log-odds than others' are to be expected


@dataclass(frozen=True, slots=True, eq=False)
class Covariates:
    """Numbers known before anyone was asked: of units, or of their listed states."""

    value: Float[np.ndarray, "U *listed P"]
    names: tuple[str, ...]
    centre: Float[np.ndarray, " P"]
    spread: Float[np.ndarray, " P"]
    observed: Bool[np.ndarray, "U *listed"]

    def with_unlisted(self, place: Bool[np.ndarray, "U S"]) -> "Covariates":
        """Return the same, and a column for what is in no table, which is far off."""
        column = np.where(place, FAR, 0.0)[..., None]
        return Covariates(
            value=np.concatenate([self.value, column], axis=-1),
            names=(*self.names, UNLISTED),
            centre=np.append(self.centre, 0.0),
            spread=np.append(self.spread, 1 / FAR),
            observed=self.observed | place,
        )

    def of_units(self, units: Int[np.ndarray, " B"]) -> "Covariates":
        """Return the covariates of some units."""
        return replace(self, value=self.value[units], observed=self.observed[units])

    def measured_by(
        self, centre: Float[np.ndarray, " P"], spread: Float[np.ndarray, " P"]
    ) -> "Covariates":
        """Return the same numbers by the centre and the spread of another study."""
        moved = (self.value * self.spread + self.centre - centre) / spread
        value = np.where(self.observed[..., None], moved, 0.0)
        return Covariates(value, self.names, centre, spread, self.observed)


def no_covariates(*shape: int) -> Covariates:
    """Return covariates without any column."""
    nothing = np.zeros(0)
    return Covariates(
        np.zeros((*shape, 0)), (), nothing, nothing, np.zeros(shape, bool)
    )


def numbers(table: pd.DataFrame, names: Sequence[str]) -> Float[np.ndarray, "rows P"]:
    """Return columns of a table as numbers."""
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
    """Refuse numbers none of which is about what was asked."""
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
    """Return the numbers by their deviation from the mean."""
    centre, deviation = values.mean(0), values.std(0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    value = np.zeros((*observed.shape, len(names)))
    value[observed] = (values - centre) / deviation
    return Covariates(value, tuple(map(str, names)), centre, deviation, observed)
