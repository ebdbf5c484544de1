"""One pass over the answers, for every model with closed forms.

A pass takes the logarithms of the parameters to the log-likelihood with the truth
summed out, the posterior of the truth and the expected counts. EM, variational Bayes
and the draws are loops around it on the host. Models of tables have it in NumPy and
SciPy (`model.tables`), so nothing is compiled; the others, in one program for a model
and a size.
"""

from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from consilience.model import (
    Coding,
    Dirichlet,
    Model,
    Parameters,
    Site,
    Swept,
    Tables,
)
from consilience.truth import ResponseMatrix, Space


@runtime_checkable
class Sweeps(Protocol):
    """A model with closed-form updates, laid out for the answers of a study."""

    candidates: ResponseMatrix | None
    priors: dict[str, Dirichlet]

    @property
    def model(self) -> Any:
        """The model: its parameters have Dirichlet priors, given the truth."""

    @property
    def coding(self) -> Coding:
        """What the model was laid out for."""

    @property
    def total(self) -> float:
        """How many answers there are."""

    @property
    def guess(self) -> Float[np.ndarray, "U S"]:
        """A first guess of the truth."""

    @property
    def normal(self) -> dict[str, Site]:
        """The priors of the parameters that are free numbers, by name."""

    def sweep(self, logs: Parameters, *, assign: Any = None, deal: Any = None) -> Swept:
        """Sum the truth out, and count the events; see `model.Tables`."""

    def step(
        self, logs: Parameters, free: Parameters, belief: Float[np.ndarray, "U M"]
    ) -> Parameters:
        """Return the free numbers one step further up."""

    def truth(self, belief: Float[np.ndarray, "U M"]) -> Float[np.ndarray, "U S"]:
        """Return the posterior of the truth: that of all states that share it."""

    def derived(self, logs: Parameters) -> dict[str, Float[np.ndarray, "..."]]:
        """Return what follows from the parameters and is reported with them."""


def sweeps_of(model: Model[Any], space: Space) -> Sweeps:
    """Lay a model with closed-form updates out for the answers of a space."""
    if model.by_tables:
        return Tables(model, space)
    from consilience.inference.closed_form.compiled_sweeps import CompiledSweeps

    return CompiledSweeps(model, space)
