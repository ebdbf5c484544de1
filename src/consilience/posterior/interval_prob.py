r"""A fit whose intervals have another probability than it was fitted with.

Intervals of parameters are quantiles of their draws, so that any probability will do.
For the posterior of the truth a fit keeps bounds. Those of `gibbs` and `vb` are of
log-odds taken as normal (`inference.closed_form.augmentation.interval`): bounds at
probability p are at the distance :math:`\Phi^{-1}((1 + p) / 2)` standard deviations
from the middle, so that those at another follow, before tempering and after it. Other
engines take quantiles over draws, which are computed again from the draws of the
parameters. Where a fit keeps bounds alone (mixtures of models, tables too large for
their draws, the tables of objects) there are none at another probability, which is an
error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.errors import OptionError, not_a
from consilience.inference import Result
from consilience.intervals import move_bound
from consilience.posterior.results.confusion import is_of_classes
from consilience.posterior.results.diagnostics import as_dataset
from consilience.posterior.results.labels import (
    Candidates,
    candidates,
    labels_of_candidates,
)
from consilience.posterior.stored_fit.restored import KEPT_PROB, with_tables
from consilience.posterior.stored_fit.tree import (
    listed_states,
    reported_truth,
    tree,
    with_groups,
)
from consilience.posterior.tempering import MIXTURE, Tempering
from consilience.responses.tables.id_types import Types
from consilience.truth import Space
from consilience.when_used import special, xr

_NORMAL = ("gibbs", "vb")  # engines whose bounds are of log-odds taken as normal


def check_prob(prob: object) -> float:
    """Return a probability of intervals."""
    if isinstance(prob, bool) or not isinstance(prob, (int, float, np.number)):
        raise OptionError(not_a("prob", prob, "a number between 0 and 1"))
    if not 0 < prob < 1:
        msg = f"prob is {prob:g}; give a probability of the intervals between 0 and 1"
        raise OptionError(msg)
    return float(prob)


def with_prob(data: xr.DataTree, prob: float, *, truth: bool = True) -> xr.DataTree:
    """Return a fit whose intervals have another probability."""
    prob, kept = check_prob(prob), float(data.attrs["prob"])
    if prob == kept:
        return data
    origin = float(data.attrs.get(KEPT_PROB, kept))
    made = is_of_classes(data)  # its tables, which are made again below
    changed = data.copy()
    changed.attrs = {**data.attrs, "prob": prob, KEPT_PROB: prob if made else origin}
    if truth and "truth" in data.children and data.attrs["kind"] != "objects":
        changed["truth"] = xr.DataTree(_truth(data, prob))
    if made:
        # It needs JAX, which only fits of classes do.
        from consilience.posterior.results.class_confusion import (  # noqa: PLC0415
            class_tables,
        )

        changed = with_tables(changed, class_tables(changed))
    return changed


def _truth(data: xr.DataTree, prob: float) -> xr.Dataset:
    """Return the group of the truth with bounds at another probability."""
    group = data["truth"].to_dataset().transpose("item", "candidate", ...)
    if np.isnan(group["lower"].to_numpy()).all():
        return group
    if MIXTURE in data.attrs["engine_reason"]:
        raise OptionError(_only_bounds(data))
    # The posterior that bounds are stated of, and what is before its names.
    reported = group.attrs.get("reported", "raw")
    prefix = {"raw": "raw_", "tempered": "tempered_", reported: ""}
    if data.attrs["engine"] in _NORMAL:
        factor = _deviations(prob) / _deviations(float(data.attrs["prob"]))
        first, bounds = reported, _scaled(group, factor)
    else:
        first, bounds = "raw", _of_draws(data, prob)
    for which, before in prefix.items():
        if f"{before}probability" not in group:
            continue
        moved = bounds
        if which != first:
            effect = group["design_effect"].to_numpy()[:, None]
            names = (f"{each}probability" for each in (prefix[first], before))
            old, new = (group[name].to_numpy().astype(float) for name in names)
            power = effect if which == "raw" else 1 / effect
            lower, upper = (move_bound(each, old, new, power) for each in bounds)
            moved = lower, upper
        group = _with_bounds(group, before, *moved)
    return group


def _with_bounds(
    group: xr.Dataset,
    which: str,
    lower: Float[np.ndarray, "U S"],
    upper: Float[np.ndarray, "U S"],
) -> xr.Dataset:
    """Return the group with bounds that hold the probability, as all do."""
    value = group[f"{which}probability"].to_numpy()
    bounds = {"lower": np.minimum(lower, value), "upper": np.maximum(upper, value)}
    kept = {name: group[f"{which}{name}"] for name in bounds}
    return group.assign(
        {
            f"{which}{name}": kept[name].copy(data=bound.astype(kept[name].dtype))
            for name, bound in bounds.items()
        }
    )


def _deviations(prob: float) -> float:
    return NormalDist().inv_cdf((1 + prob) / 2)


def _scaled(
    group: xr.Dataset, factor: float
) -> tuple[Float[np.ndarray, "U S"], Float[np.ndarray, "U S"]]:
    """Return bounds at another distance from their middle, in log-odds."""
    lower, upper = (group[name].to_numpy().astype(float) for name in ("lower", "upper"))
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = special.logit(lower), special.logit(upper)
        middle, reach = (low + high) / 2, factor * (high - low) / 2
        below, above = special.expit(middle - reach), special.expit(middle + reach)
    # A bound of exactly 0 or 1 has no log-odds: it stays.
    sure = ~np.isfinite(middle)
    return np.where(sure, lower, below), np.where(sure, upper, above)


def _of_draws(
    data: xr.DataTree, prob: float
) -> tuple[Float[np.ndarray, "U S"], Float[np.ndarray, "U S"]]:
    # It loads scipy and the models, which most tables do without.
    from consilience.posterior.tempering import truth_bounds  # noqa: PLC0415

    drawn = truth_bounds(data, prob)
    if drawn is None:
        raise OptionError(_only_bounds(data))
    real = candidates(data).state >= 0
    return np.where(real, drawn[0], np.nan), np.where(real, drawn[1], np.nan)


def _only_bounds(data: xr.DataTree) -> str:
    kept = float(data.attrs.get(KEPT_PROB, data.attrs["prob"]))
    why = "no draws of it"
    if MIXTURE in data.attrs["engine_reason"]:
        why = "since they are of a mixture of models"
    return (
        f"of the posterior of the truth this fit keeps only bounds, {why}; their "
        f"probability is {kept:g}: use that, or fit again with "
        "EngineOptions(prob=...)"
    )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Outcome:
    """A fit as its engine left it; to lay it out takes about as long as a sweep."""

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
