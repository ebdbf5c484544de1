"""What was fitted, before it is laid out as a tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from consilience.inference import Result
from consilience.posterior.results.comparison import as_dataset
from consilience.posterior.results.labels import Candidates, labels_of_candidates
from consilience.posterior.stored_fit.tree import (
    listed_states,
    reported_truth,
    tree,
    with_groups,
)
from consilience.posterior.tempering import Tempering
from consilience.responses.tables.id_types import Types
from consilience.truth import Space
from consilience.when_used import xr


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Outcome:
    """A fit as its engine left it.

    To lay a fit out takes about as long as a sweep over its answers, and loads xarray;
    the table that most callers are after needs neither.

    Attributes
    ----------
    space
        What could be true, and the answers.
    result
        What the engine returned.
    dims
        Axes of each parameter after chain and draw.
    attributes
        Of the root of the tree.
    types
        Types of items, annotators and labels in the source, by role.
    tempering
        The posterior of the truth, raw and tempered; None: as the engine returned it.
    comparison
        How the compared models rank; None: one was asked for.
    finish
        Adds to the tree what follows from it, such as the verdicts of the checks.
    """

    space: Space
    result: Result
    dims: Mapping[str, tuple[str, ...]]
    attributes: Mapping[str, Any]
    types: Types
    tempering: Tempering | None
    comparison: pd.DataFrame | None = None
    finish: Callable[[xr.DataTree], xr.DataTree] = lambda data: data

    def tree(self) -> xr.DataTree:
        """Lay the fit out."""
        data = tree(self.space, self.result, self.dims, self.attributes, self.tempering)
        if self.comparison is not None:
            data = with_groups(data, comparison=as_dataset(self.comparison))
        return self.finish(data)

    def labels(self) -> pd.DataFrame:
        """Return the table `labels`, as the tree has it."""
        truth = reported_truth(self.result, self.tempering)
        candidates = Candidates(
            listed_states(self.space), truth.probability, truth.lower, truth.upper
        )
        states = np.asarray(self.space.states, object)
        return labels_of_candidates(candidates, self.space.unit_item, states)
