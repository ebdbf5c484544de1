"""Restore the model and the space of a fit from its tree.

How alike the user said that labels are is kept of labels that one item was asked about.
"""

import json
from dataclasses import fields
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float, Int, Shaped

from consilience.annotators import fittable
from consilience.model import AnnotatorModel
from consilience.truth import ChoiceSpace, ContainsSpace
from consilience.truth.covariates import Covariates, no_covariates
from consilience.truth.label_pairs.pairs import no_pairs
from consilience.truth.space import (
    Asides,
    Groups,
    SimilarSets,
    no_asides,
    no_groups,
)


def restored_model(data: xr.DataTree) -> AnnotatorModel[Any]:
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
    if "group_of_annotator" not in constant:  # a fit of an earlier release
        return no_groups(constant.sizes["annotator"])
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
