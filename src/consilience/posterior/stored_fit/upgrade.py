"""Names that earlier releases stored in a fit, and what they are called now.

The mappings give the current name for each earlier one, by the group of the tree that
it stands in. Numbers are left as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from consilience.annotators import current_name
from consilience.when_used import xr

Renamed = Mapping[str, str]

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
        "/posterior": {"worth": "relative_information"},
        "/constant_data": {"beforehand": "covariates"},
    }
)
"""Variables, coordinates and dimensions of a group."""

VALUES: Mapping[str, Mapping[str, Renamed]] = MappingProxyType({})
"""Text in a variable of a group; the variable by its current name."""


def upgraded(data: xr.DataTree) -> xr.DataTree:
    """Return a fit under the names that it would have if it were stored now.

    Parameters
    ----------
    data
        A fit as an earlier release stored it. One with the current names comes back
        as it is.
    """
    groups = {
        node.path: _renamed(node.path, node.to_dataset(inherit=False))
        for node in data.subtree
    }
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
    if "model" in group.attrs:
        group.attrs["model"] = current_name(group.attrs["model"])
    for name, renamed in VALUES.get(path, {}).items():
        if name in group:
            values = [renamed.get(value, value) for value in group[name].to_numpy()]
            group[name] = group[name].copy(data=values)
    return group
