"""Restore the model and the space of a fit from its tree.

How alike the user said that labels are is kept of labels that one item was asked about.

**Tables that a fit holds as they are, because nothing in it implies them.** A rule such
as the paper's own has no draws from which tables follow: it states them. They lie in
the tree under `tables`, a group for each; a column of text is held as codes, with its
names beside it.

**A fit's parameters as arrays with one axis of draws, and estimates over that axis.**
Chains are laid end to end, so S = C * D draws. Bounds are equal-tailed: at probability
p, the quantiles (1 - p) / 2 and (1 + p) / 2. A point estimate is a single draw; one
draw says nothing of spread, so its bounds are NaN, never the point itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped

from consilience.annotators import fittable
from consilience.errors import OptionError
from consilience.intervals import bounds
from consilience.model import Model
from consilience.model.draws import stack_chains
from consilience.posterior.results.frames import category
from consilience.truth import ChoiceSpace, ContainsSpace
from consilience.truth.named import no_pairs
from consilience.truth.space import (
    Asides,
    Covariates,
    Groups,
    SimilarSets,
    no_asides,
    no_covariates,
    no_groups,
)
from consilience.when_used import xr

_GROUP = "tables"
KEPT_PROB = "kept_prob"  # of bounds that have no draws, where others have another
JOINT_DRAWS = "joint_draws"  # the group of joint draws of objects
# Quantiles sort a copy of what they are given. Blocks of this many numbers (32 MiB in
# single precision) keep that copy small beside the draws, which may be gigabytes.
_BLOCK = 2**23


def restored_model(data: xr.DataTree) -> Model[Any]:
    """Return the model of a fit, with the prior that it was fitted with."""
    settings = json.loads(data.attrs["settings"])
    return fittable(data.attrs["model"], settings["prior"])


def restored_draws(
    data: xr.DataTree,
) -> dict[str, Shaped[np.ndarray, "chain draw ..."]]:
    """Return the draws of each parameter by name; none where the fit has none."""
    if "posterior" not in data.children:
        return {}
    # One that is called as one of its axes (subtype) is no data variable for xarray.
    return {
        str(name): variable.to_numpy()
        for name, variable in data["posterior"].variables.items()
        if {"chain", "draw"} <= {*variable.dims}
    }


def restored_space(data: xr.DataTree) -> ChoiceSpace | ContainsSpace:
    """Return who answered what about which item, or pair of item and label."""
    if data.attrs["kind"] == "contains":
        return restored_contains(data)
    constant = data["constant_data"]
    units, states = constant.sizes["item"], constant.sizes["true_class"]
    parent = np.full(states, "", object)
    if "superclass" in constant:
        parent = constant["superclass"].to_numpy()
    return ChoiceSpace(
        **_common(data),
        parent=parent,
        similar=no_pairs(),
        covariates=_covariates(data) or no_covariates(units, 0),
        asides=_asides(data),
    )


def _asides(data: xr.DataTree) -> Asides:
    constant = data["constant_data"]
    if "aside_unit" not in constant:
        return no_asides()
    names = (field.name for field in fields(Asides))
    return Asides(*(constant[f"aside_{name}"].to_numpy() for name in names))


def restored_contains(data: xr.DataTree) -> ContainsSpace:
    """Return who answered what about which pair of item and label."""
    constant = data["constant_data"]
    units = constant.sizes["item"]
    groups = no_groups(units)
    if "unit_group" in constant:
        code = constant["unit_group"].to_numpy().astype(np.int32)
        groups = Groups(code, constant["group"].to_numpy())
    alone = np.arange(units, dtype=np.int32)
    of_unit, shown = (
        constant[name].to_numpy().astype(np.int32) if name in constant else alone
        for name in ("similar_set", "shown_set")
    )
    return ContainsSpace(
        **_common(data),
        unit_label=constant["unit_label"].to_numpy(),
        present=constant["present"].to_numpy(),
        groups=groups,
        similar_sets=SimilarSets(of_unit, shown),
        covariates=_covariates(data) or no_covariates(units),
    )


def _common(data: xr.DataTree) -> dict[str, Any]:
    """Return what the spaces of both kinds have."""
    constant, observed = data["constant_data"], data["observed_data"]
    state, log_prior = _listed(data)
    return {
        "unit_item": constant["unit_item"].to_numpy(),
        "annotators": constant["annotator"].to_numpy(),
        "identified": constant["annotator_identified"].to_numpy().astype(bool),
        "annotator_groups": annotator_groups(data),
        "states": tuple(map(str, constant["true_class"].to_numpy())),
        "answers": tuple(map(str, constant["given_class"].to_numpy())),
        "unit": observed["item"].to_numpy().astype(np.int32),
        "annotator": observed["annotator"].to_numpy().astype(np.int32),
        "answer": observed["answer"].to_numpy().astype(np.int32),
        "n": observed["n"].to_numpy(),
        "state": state,
        "log_prior": log_prior,
        "votes": constant["votes"].transpose("given_class", "true_class").to_numpy(),
        "assumptions": tuple(json.loads(data.attrs["assumptions"])),
    }


def annotator_groups(data: xr.DataTree) -> Groups:
    """Return the groups of annotators of a fit."""
    constant = data["constant_data"]
    code = constant["group_of_annotator"].to_numpy().astype(np.int32)
    if "annotator_group" not in constant.coords:
        return Groups(code, np.zeros(0, object))
    return Groups(code, constant["annotator_group"].to_numpy())


def _listed(
    data: xr.DataTree,
) -> tuple[Int[np.ndarray, "#U S"], Float[np.ndarray, "#U S"]]:
    """Return the states listed for each unit, and their log prior weights."""
    constant = data["constant_data"]
    listed = constant["candidate_class"]
    axes = [axis for axis in ("item", "candidate") if axis in listed.dims]
    code = np.atleast_2d(listed.transpose(*axes).to_numpy().astype(np.int32))
    if "log_prior" in constant:
        kept = constant["log_prior"].transpose("item", "candidate").to_numpy()
        log_prior = kept.astype(float)
    else:
        log_prior = np.where(code < 0, -np.inf, 0.0)
    return np.maximum(code, 0), log_prior


def _covariates(data: xr.DataTree) -> Covariates | None:
    constant = data["constant_data"]
    if "covariates" not in constant:
        return None
    stored = constant["covariates"]
    axes = [axis for axis in ("item", "candidate") if axis in stored.dims]
    value = stored.transpose(*axes, "covariate").to_numpy()
    return Covariates(
        value=value,
        names=tuple(map(str, constant["covariate"].to_numpy())),
        centre=constant["covariate_centre"].to_numpy(),
        spread=constant["covariate_spread"].to_numpy(),
        observed=np.ones(value.shape[:-1], bool),
    )


def with_tables(data: xr.DataTree, tables: Mapping[str, pd.DataFrame]) -> xr.DataTree:
    """Return the tree with tables in it."""
    changed = data.copy()
    for name, frame in tables.items():
        changed[f"{_GROUP}/{name}"] = xr.DataTree(_dataset(frame))
    return changed


def stored_names(data: xr.DataTree) -> tuple[str, ...]:
    """Return the names of the tables that the fit holds as they are."""
    return tuple(data[_GROUP].children) if _GROUP in data.children else ()


def stored(data: xr.DataTree, name: str) -> pd.DataFrame | None:
    """Return a table that the fit holds as it is; None where it holds no such."""
    if name not in stored_names(data):
        return None
    group = data[_GROUP][name]
    columns: dict[str, np.ndarray | pd.Categorical] = {}
    for column in group.attrs["columns"].split():
        values = group[column].to_numpy()
        if f"{column}_names" in group:
            columns[column] = category(values, group[f"{column}_names"].to_numpy())
        else:
            columns[column] = values
    if "lower" in columns and np.isfinite(columns["lower"]).any():
        check_kept(data, f"the table {name}")
    return pd.DataFrame(columns)


def check_kept(data: xr.DataTree, what: str) -> None:
    """Refuse bounds at another probability where there are no draws."""
    kept = data.attrs.get(KEPT_PROB)
    if kept is not None and kept != data.attrs["prob"]:
        msg = (
            f"{what}: the fit keeps no draws of it, only bounds, whose probability is "
            f"{kept:g}: use that, or fit again with another"
        )
        raise OptionError(msg)


def _dataset(frame: pd.DataFrame) -> xr.Dataset:
    variables: dict[str, tuple[str, np.ndarray]] = {}
    for column in frame.columns:
        values = frame[column]
        if isinstance(values.dtype, pd.CategoricalDtype):
            names = values.cat.categories.to_numpy(dtype=object)
            variables[column] = ("row", values.cat.codes.to_numpy(dtype=np.int32))
            variables[f"{column}_names"] = (f"{column}_name", names)
        else:
            variables[column] = ("row", values.to_numpy())
    return xr.Dataset(variables, attrs={"columns": " ".join(frame.columns)})


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """Posterior mean with equal-tailed bounds; NaN bounds where nothing states them."""

    mean: Float[np.ndarray, "*shape"]
    lower: Float[np.ndarray, "*shape"]
    upper: Float[np.ndarray, "*shape"]

    def parts(self) -> tuple[Float[np.ndarray, "*shape"], ...]:
        """Return the mean and its bounds."""
        return self.mean, self.lower, self.upper


def draws(
    data: xr.DataTree, name: str, dims: tuple[str, ...]
) -> Float[np.ndarray, "S ..."] | None:
    """Draws of one parameter, chains end to end."""
    if "posterior" not in data.children or name not in data["posterior"].data_vars:
        return None
    variable = data["posterior"][name]
    if set(variable.dims) != {"chain", "draw", *dims}:
        return None
    values = variable.transpose("chain", "draw", *dims).to_numpy()
    return stack_chains(values)


def estimate(values: Float[np.ndarray, "S ..."], prob: float) -> Estimate:
    """Mean and equal-tailed bounds over the draws."""
    num_draws, *shape = values.shape
    columns = values.reshape(num_draws, -1)
    lower = np.full(columns.shape[1], np.nan)
    upper = lower.copy()
    step = max(1, _BLOCK // num_draws)
    for start in range(0, columns.shape[1] if num_draws > 1 else 0, step):
        block = slice(start, start + step)
        lower[block], upper[block] = bounds(columns[:, block], prob)
    return Estimate(
        mean=values.mean(axis=0, dtype=np.float64),
        lower=lower.reshape(shape),
        upper=upper.reshape(shape),
    )
