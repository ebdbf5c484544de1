r"""The table `confusion`: p(answer | truth).

The rows without an annotator are the population: in each draw, the mean of the
annotators' confusions weighted by how many responses each gave, the anonymous pool
among them. It is how an answer drawn at random from those given depends on the truth.

**By how much intervals of annotators are wider since errors are correlated.** The truth
that annotators are measured by is inferred from their answers. With n answers of an
item whose errors correlate by :math:`\rho`, variances grow by the design effect
:math:`1 + (n - 1) \rho` (Kish 1965, section 5.4), here with the residual correlation
shrunk towards what is usual across data sets, and averaged over the items that an
annotator answered. Bounds move away from the estimate by its root, in log-odds.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.errors import OptionError
from consilience.intervals import move_bound
from consilience.posterior.results import sparse_confusion
from consilience.posterior.results.frames import category, names
from consilience.posterior.results.sparse_confusion import label_levels
from consilience.posterior.stored_fit.restored import (
    Estimate,
    check_kept,
    draws,
    estimate,
    stored,
)
from consilience.when_used import xr

_CELLS = ("true_class", "given_class")


def confusion(data: xr.DataTree) -> pd.DataFrame:
    """P(answer | truth) of the population and of each annotator with an id."""
    kept = stored(data, "confusion")
    if kept is not None:
        return kept
    together, by_annotator = population(data), individual(data)
    if together is None and data.attrs["kind"] == "choice":
        return sparse_confusion.sparse_confusion(data)
    identified = data["constant_data"]["annotator_identified"].to_numpy().astype(bool)
    people = (
        np.flatnonzero(identified)
        if by_annotator is not None
        else np.zeros(0, np.int64)
    )
    owners = np.concatenate([[-1], people]) if together is not None else people
    true_names, given_names = (names(data, dim) for dim in _CELLS)
    num_true, num_given = len(true_names), len(given_names)
    columns = {
        column: np.concatenate(
            [
                getattr(part_of_table, part)[which].ravel()
                for part_of_table, which in ((together, None), (by_annotator, people))
                if part_of_table is not None
            ]
            or [np.zeros(0)]
        )
        for column, part in (
            ("probability", "mean"),
            ("lower", "lower"),
            ("upper", "upper"),
        )
    }
    true_code, given_code = np.divmod(np.arange(num_true * num_given), num_given)
    return pd.DataFrame(
        {
            "annotator": category(
                owners.repeat(num_true * num_given), names(data, "annotator")
            ),
            "true_label": category(np.tile(true_code, len(owners)), true_names),
            "given_label": category(np.tile(given_code, len(owners)), given_names),
            **columns,
        }
    )


def confusion_of_label(data: xr.DataTree, label: str) -> pd.DataFrame:
    """P(answer | truth) for one true label and every answer given about it."""
    labels = names(data, "true_class")
    if label not in set(labels):
        msg = f"confusion: there is no label {label!r} among the {len(labels)} labels"
        raise OptionError(msg)
    code = int(np.flatnonzero(labels == label)[0])
    if not is_of_classes(data):
        return sparse_confusion.confusion_of_label(data, code)
    # It needs JAX, which only fits of classes do.
    from consilience.posterior.results import class_confusion  # noqa: PLC0415

    return class_confusion.confusion_of_class(data, code)


def confusion_at_level(data: xr.DataTree, level: int) -> pd.DataFrame:
    """P(group of the answer | group of the truth), some steps up the hierarchy."""
    if data.attrs["kind"] != "choice":
        kept = stored(data, "superclass_confusion")
        if kept is not None and level == 1:
            return kept
        has = "the levels 0 and 1" if kept is not None else "the level 0 alone"
        msg = (
            f"confusion: a fit of kind {data.attrs['kind']} has {has}; other levels of "
            "labels are of kind choice (for main labels, fit the model class_confusion)"
        )
        raise OptionError(msg)
    group, group_names = label_levels(data, level)
    if not is_of_classes(data):
        return sparse_confusion.confusion_of_groups(data, group, group_names)
    from consilience.posterior.results import class_confusion  # noqa: PLC0415

    return class_confusion.confusion_at_level(data, group, group_names)


def is_of_classes(data: xr.DataTree) -> bool:
    """Return whether a fit is of a model of classes."""
    return "posterior" in data.children and "own_label_odds" in data["posterior"]


def group_confusion(data: xr.DataTree) -> pd.DataFrame:
    """P(answer | truth) in each group of labels (contains)."""
    values = draws(data, "group_confusion", ("group", *_CELLS))
    if values is None:
        msg = (
            f"the fit ({data.attrs['model']}) has no groups of labels; fit the "
            "model contains to responses whose labels have a parent"
        )
        raise OptionError(msg)
    interval = estimate(values, float(data.attrs["prob"]))
    group, true_code, given_code = (
        part.ravel() for part in np.indices(values.shape[1:])
    )
    groups = data["posterior"]["group"].to_numpy().astype(str).astype(object)
    true_names, given_names = (names(data, dim) for dim in _CELLS)
    return pd.DataFrame(
        {
            "group": category(group, groups),
            "true_label": category(true_code, true_names),
            "given_label": category(given_code, given_names),
            "probability": interval.mean.ravel(),
            "lower": interval.lower.ravel(),
            "upper": interval.upper.ravel(),
        }
    )


def individual(data: xr.DataTree) -> Estimate | None:
    """Confusion of each annotator."""
    values = draws(data, "confusion", ("annotator", *_CELLS))
    effect = annotator_design_effect(data)[:, None, None]
    if values is not None:
        return widen(estimate(values, float(data.attrs["prob"])), effect)
    if "summary" not in data.children or "confusion_mean" not in data["summary"]:
        return None
    check_kept(data, "the confusion of annotators")
    mean, lower, upper = (
        data["summary"][f"confusion_{part}"]
        .transpose("annotator", *_CELLS)
        .to_numpy()
        .astype(np.float64)
        for part in ("mean", "lower", "upper")
    )
    return widen(Estimate(mean=mean, lower=lower, upper=upper), effect)


def population(data: xr.DataTree) -> Estimate | None:
    """Confusion of the annotators together."""
    values = population_draws(data)
    if values is not None:
        effect = float(_shares(data) @ annotator_design_effect(data))
        return widen(estimate(values, float(data.attrs["prob"])), effect)
    by_annotator = individual(data)
    if by_annotator is None:
        return None
    mean = np.einsum("j,jkl->kl", _shares(data), by_annotator.mean)
    unknown = np.full_like(mean, np.nan)
    return Estimate(mean=mean, lower=unknown, upper=unknown)


def population_draws(data: xr.DataTree) -> Float[np.ndarray, "S K L"] | None:
    """Draws of the annotators' confusion together."""
    shared = draws(data, "confusion", _CELLS)
    if shared is not None:
        return shared
    values = draws(data, "confusion", ("annotator", *_CELLS))
    if values is None:
        return None
    num_draws, num_annotators, *cells = values.shape
    # A product of matrices reads the draws where they lie; einsum would copy them.
    together = np.matmul(
        _shares(data).astype(values.dtype),
        values.reshape(num_draws, num_annotators, -1),
    )
    return np.asarray(together.reshape(num_draws, *cells))


def _shares(data: xr.DataTree) -> Float[np.ndarray, " J"]:
    """Each annotator's share of the responses; equal when there are none at all."""
    responses = data["constant_data"]["annotator_responses"].to_numpy()
    total = responses.sum()
    if total == 0:
        return np.full(len(responses), 1 / max(1, len(responses)))
    return np.asarray(responses / total)


def annotator_design_effect(data: xr.DataTree) -> Float[np.ndarray, " J"]:
    """Return the design effect of each annotator; one where nothing is correlated."""
    constant = data["constant_data"]
    annotators = constant.sizes["annotator"]
    correlation = float(data["truth"].attrs.get("residual_shrunk", 0.0))
    if not correlation > 0:
        return np.ones(annotators)
    observed = data["observed_data"]
    others = constant["num_responses"].to_numpy()[observed["item"].to_numpy()] - 1.0
    who, n = observed["annotator"].to_numpy(), observed["n"].to_numpy()
    total = np.bincount(who, n * np.maximum(others, 0.0), annotators)
    answers = np.maximum(np.bincount(who, n, annotators), 1)
    return 1 + correlation * total / answers


def widen(
    estimate: Estimate, design_effect: Float[np.ndarray, "#*shape"] | float
) -> Estimate:
    """Return an estimate of probabilities with bounds as of fewer answers."""
    if np.all(np.asarray(design_effect) == 1):
        return estimate
    factor = np.broadcast_to(np.sqrt(design_effect), estimate.mean.shape)
    lower, upper = (
        move_bound(bound, estimate.mean, estimate.mean, factor)
        for bound in (estimate.lower, estimate.upper)
    )
    return Estimate(mean=estimate.mean, lower=lower, upper=upper)
