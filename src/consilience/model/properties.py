"""Properties of a model and a space that need no data laid out."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from consilience.errors import TooLargeError
from consilience.model.contract import (
    AnnotatorModel,
    Coding,
    Dirichlet,
    HasPriors,
)
from consilience.model.names import PREVALENCE, WEIGHT
from consilience.truth import Space, check_lists, check_size

# Axes of what is reported beside a model's own parameters.
DIMS: Mapping[str, tuple[str, ...]] = {
    WEIGHT: ("covariate",),
    "relative_information": (),
    "mean_prior": ("true_class",),
}


def takes_columns(model: AnnotatorModel[Any]) -> bool:
    """Return whether the model has a prevalence, which columns can add to."""
    return PREVALENCE in model.dims


def num_substates(model: AnnotatorModel[Any]) -> int:
    """Return into how many states the score splits each listed one."""
    return model.substates(model.prior)


def closed_priors(
    model: HasPriors, coding: Coding, *, columns: bool
) -> Mapping[str, Dirichlet]:
    """Return the Dirichlet priors of what has a closed form, given the truth."""
    priors = dict(model.priors(coding))
    if columns:
        priors.pop(PREVALENCE, None)
    return priors


def imagined_units(model: HasPriors, coding: Coding) -> np.ndarray:
    """Return how many units of each state the prior of the prevalence imagines (K,)."""
    priors = model.priors(coding)
    if PREVALENCE not in priors:
        return np.ones(coding.num_states)
    prior = priors[PREVALENCE]
    return np.broadcast_to(np.asarray(prior.concentration), prior.shape)


def check_tables(model: AnnotatorModel[Any], space: Space) -> None:
    """Refuse a model whose tables of answers would not fit in memory."""
    cells = {"true_class", "given_class"}
    tables = [axes for axes in model.dims.values() if cells <= set(axes)]
    states, answers = len(space.states), len(space.answers)
    for axes in tables:
        annotators = space.num_annotators if "annotator" in axes else 1
        check_size(annotators, states, answers)
    if tables:
        check_lists(space.num_units, states)


def fits_in_memory(model: AnnotatorModel[Any], space: Space) -> bool:
    """Return whether the model's tables of answers would fit in memory."""
    try:
        check_tables(model, space)
    except TooLargeError:
        return False
    return True
