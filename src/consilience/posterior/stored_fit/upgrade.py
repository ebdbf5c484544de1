"""Names that earlier releases stored in a fit, and what they are called now.

The mappings give the current name for each earlier one, by the current name of
the group of the tree that it stands in. Numbers are left as they are, but parameters
that a model of objects has gained since are added, with values at which it is the
model that was fitted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from consilience.annotators import current_name, current_settings
from consilience.when_used import xr

Renamed = Mapping[str, str]

GROUPS: Renamed = MappingProxyType({"/learned": "/evidence", "/worlds": "/joint_draws"})
"""Groups of the tree."""

ATTRIBUTES: Mapping[str, Renamed] = MappingProxyType(
    {
        "/": {
            "mass": "prob",
            "model_asked": "requested_model",
            "told_of": "classifiers",
        },
        "/truth": {"told": "reported"},
    }
)
"""Attributes of a group."""

VARIABLES: Mapping[str, Renamed] = MappingProxyType(
    {
        "/posterior": {
            "asked_covariate": "endorsement_covariate",
            "granted": "endorsement_probability",
            "granters": "endorsement_shape",
            "granting": "endorsement",
            "how_often": "detection_level",
            "hump": "mixture_component",
            "led": "context_effect",
            "leading": "leading_question",
            "led_apart": "context_effect_not_shown",
            "often": "high_detection",
            "own_discrimination": "annotator_discrimination",
            "own_discrimination_spread": "annotator_discrimination_spread",
            "own_group": "annotator_threshold",
            "own_group_spread": "annotator_threshold_spread",
            "own_width": "annotator_width",
            "own_width_spread": "annotator_width_spread",
            "picker": "single_label",
            "picking": "single_label_effect",
            "picking_place": "single_label_effect_place",
            "picks": "single_label_rate",
            "seen": "detection",
            "sees": "detection_probability",
            "slip": "duplicate_name",
            "worth": "relative_information",
        },
        "/constant_data": {
            "annotator_known": "annotator_identified",
            "asked": "contains_counts",
            "asked_answer": "contains_answer",
            "beforehand": "covariates",
        },
        "/evidence": {
            "appeal": "ability",
            "asked": "opportunities",
            "asked_code": "opportunities_code",
            "asked_covariate": "endorsement_covariate",
            "asked_covariates": "endorsement_covariates",
            "asked_entry": "opportunities_entry",
            "label_asked": "label_opportunities",
            "label_asked_code": "label_opportunities_code",
            "label_asked_entry": "label_opportunities_entry",
            "own_pair": "affinity_pair",
            "said": "answers_entry",
            "said_candidate": "answers_candidate",
            "said_item": "answers_item",
            "said_item_entry": "answers_item_entry",
            "said_main": "answers_main",
            "said_mask": "answers_mask",
            "said_n": "answers_n",
            "said_own": "answers_dataset_label",
            "said_unit": "answers_unit",
            "stake": "exposure",
            "stake_code": "exposure_code",
            "stake_entry": "exposure_entry",
        },
    }
)
"""Variables, coordinates and dimensions of a group."""

VALUES: Mapping[str, Mapping[str, Renamed]] = MappingProxyType(
    {
        "/posterior": {"label_covariate": {"granted": "endorsed"}},
        "/evidence": {"label_covariates": {"granted": "endorsed"}},
    }
)
"""Text in a variable of a group; the variable by its current name."""


def upgraded(data: xr.DataTree) -> xr.DataTree:
    """Return a fit under the names that it would have if it were stored now.

    Parameters
    ----------
    data
        A fit as an earlier release stored it. One with the current names comes back
        as it is.
    """
    groups = {}
    for node in data.subtree:
        path = GROUPS.get(node.path, node.path)
        groups[path] = _with_synonyms(_renamed(path, node.to_dataset(inherit=False)))
    return xr.DataTree.from_dict(groups)


def _renamed(path: str, group: xr.Dataset) -> xr.Dataset:
    names = {
        old: new
        for old, new in VARIABLES.get(path, {}).items()
        if old in group.variables or old in group.dims
    }
    attributes = ATTRIBUTES.get(path, {})
    group = group.rename(names)
    group.attrs = {
        attributes.get(name, name): value for name, value in group.attrs.items()
    }
    if path == "/":
        group.attrs |= _model(group.attrs)
    for name, renamed in VALUES.get(path, {}).items():
        if name in group:
            values = [renamed.get(value, value) for value in group[name].to_numpy()]
            group[name] = group[name].copy(data=values)
    return group


def _with_synonyms(group: xr.Dataset) -> xr.Dataset:
    """Return draws of objects with synonyms that are named as rivals are."""
    if "duplicate_name" not in group or "synonyms" in group:
        return group
    rivals = group["duplicate_name"]
    added = {
        "duplicate_name": xr.concat([rivals, rivals], "names").transpose(
            *rivals.dims[:-1], "names", rivals.dims[-1]
        )
    }
    for new, like in (("synonyms", "affinity"), ("synonym_pairs", "pairs")):
        if like in group:
            added[new] = xr.zeros_like(group[like])
    return group.assign(added)


def _model(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Return the model of a fit and its settings, by the names that they have now."""
    name = current_name(attributes["model"])
    settings = json.loads(attributes["settings"])
    if settings.get("prior"):
        settings["prior"] = current_settings(name, settings["prior"])
    return {"model": name, "settings": json.dumps(settings, ensure_ascii=False)}
