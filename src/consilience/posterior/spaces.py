"""A space in the tree of a fit, out and in: who answered what about which unit.

How alike the user said that labels are is kept of labels that one item was asked about.

**Columns of items**, such as the system that each is from: of the table of items, and
those of the answers that say the same in all rows of an item. Values are kept as text,
in codes.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import fields
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int, Shaped

from consilience.errors import OptionError, not_among
from consilience.responses import Responses
from consilience.truth import ChoiceSpace, ContainsSpace, ObjectsSpace, Space
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

# By the name in the tree: where the space has it, and its axes there.
_CONSTANT: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "unit_item": ("unit_item", "item"),
        "annotator_identified": ("identified", "annotator"),
        "group_of_annotator": ("annotator_groups.code", "annotator"),
        "votes": ("votes", "given_class true_class"),
        "superclass": ("parent", "true_class"),
        "aside_unit": ("asides.unit", "aside"),
        "aside_label": ("asides.label", "aside"),
        "aside_n": ("asides.n", "aside"),
        "unit_label": ("unit_label", "item"),
        "present": ("present", "true_class"),
        "unit_group": ("groups.code", "item"),
        "similar_set": ("similar_sets.of_unit", "item"),
        "shown_set": ("similar_sets.shown", "item"),
        "covariates": ("covariates.value", "item candidate covariate"),
        "covariate_centre": ("covariates.centre", "covariate"),
        "covariate_spread": ("covariates.spread", "covariate"),
    }
)
_OBSERVED = {"annotator": "annotator", "item": "unit", "answer": "answer", "n": "n"}
_ALWAYS = {"annotator": "annotators", "true_class": "states", "given_class": "answers"}
_SOME = {
    "annotator_group": "annotator_groups.names",
    "covariate": "covariates.names",
    "group": "groups.names",
}


def constant_data(space: Space) -> xr.Dataset:
    """Lay out what was known before anyone answered, and how many answers came."""
    states = listed_states(space)
    shape = (space.num_units, space.state.shape[1])
    answers = np.bincount(space.annotator, space.n, space.num_annotators)
    of_unit = np.bincount(space.unit, space.n, space.num_units)
    variables: dict[str, Any] = {
        "candidate_class": ("candidate", states[0]),
        "num_responses": ("item", of_unit.astype(np.int64)),
        "annotator_responses": ("annotator", answers.astype(np.int64)),
    }
    if space.ragged:
        variables["candidate_class"] = (("item", "candidate"), states)
    before = np.broadcast_to(space.log_prior, shape)
    if before[np.broadcast_to(space.real, shape)].any():
        variables["log_prior"] = (("item", "candidate"), before.astype(np.float32))
    there = {field.name for field in fields(space)} - _silent(space)
    for name, (source, dims) in _CONSTANT.items():
        if source.split(".")[0] in there:
            value = attrgetter(source)(space)
            axes = dims.split()
            if value.ndim < len(axes):  # of contains, covariates are those of a unit
                axes.remove("candidate")
            variables[name] = (axes, value)
    if isinstance(space, ObjectsSpace) and space.named.contains_counts is not None:
        axes = ["item", "place", "contains_answer"]
        counts = space.named.contains_counts.astype(np.int32)
        variables["contains_counts"] = (axes, counts)
    return xr.Dataset(variables, {"item": items_of(space), **coordinates(space)})


def _silent(space: Space) -> set[str]:
    """Return the parts of a space that say nothing, which a fit does not keep."""
    kept: dict[str, bool] = {}
    if isinstance(space, ChoiceSpace):
        kept = {"parent": bool((space.parent != "").any())}
        kept["asides"] = len(space.asides.unit) > 0
    if isinstance(space, ContainsSpace):
        kept = {"groups": len(space.groups.names) > 0}
        kept["similar_sets"] = space.similar_sets.linked
    if isinstance(space, (ChoiceSpace, ContainsSpace)):
        kept["covariates"] = len(space.covariates.names) > 0
    return {name for name, says in kept.items() if not says}


def observed_data(space: Space) -> xr.Dataset:
    """Lay out the answers, as codes."""
    values = {name: attrgetter(source)(space) for name, source in _OBSERVED.items()}
    return xr.Dataset({name: ("response", value) for name, value in values.items()})


def coordinates(space: Space) -> dict[str, Shaped[np.ndarray, " _"]]:
    """Return names along axes: of annotators, states, answers, covariates, groups."""
    there = {field.name for field in fields(space)}
    some = {
        axis: attrgetter(source)(space)
        for axis, source in _SOME.items()
        if source.split(".")[0] in there
    }
    every = {axis: attrgetter(source)(space) for axis, source in _ALWAYS.items()}
    every |= {axis: names for axis, names in some.items() if len(names)}
    return {axis: np.asarray(names, object) for axis, names in every.items()}


def items_of(space: Space) -> pd.Index:
    """Return the index of units."""
    # Of Python's own strings: pandas would code them for Arrow, and xarray take them
    # out again, a copy for every group.
    if isinstance(space, ContainsSpace):
        return pd.RangeIndex(space.num_units)
    return pd.Index(space.unit_item, dtype=object)


def listed_states(space: Space) -> Int[np.ndarray, "#U S"]:
    """Return the states listed for each unit, -1 in padding; one row where shared."""
    if not space.ragged:
        return space.state[:1]
    shape = (space.num_units, space.state.shape[1])
    return np.where(
        np.broadcast_to(space.real, shape), np.broadcast_to(space.state, shape), -1
    )


def restored_space(data: xr.DataTree) -> ChoiceSpace | ContainsSpace:
    """Return who answered what about which item, or pair of item and label."""
    of_contains = data.attrs["kind"] == "contains"
    return restored_contains(data) if of_contains else restored_choice(data)


def restored_choice(data: xr.DataTree) -> ChoiceSpace:
    """Return who answered what about which item."""
    parts = _parts(data)
    units, states = len(parts["unit_item"]), len(parts["states"])
    asides, covariates = parts.pop("asides", None), parts.pop("covariates", None)
    return ChoiceSpace(
        **{"parent": np.full(states, "", object), **parts},
        similar=no_pairs(),
        covariates=covariates or no_covariates(units, 0),
        asides=no_asides() if asides is None else Asides(**asides),
    )


def restored_contains(data: xr.DataTree) -> ContainsSpace:
    """Return who answered what about which pair of item and label."""
    parts = _parts(data)
    units = len(parts["unit_item"])
    alone = np.arange(units, dtype=np.int32)
    groups, covariates = parts.pop("groups", None), parts.pop("covariates", None)
    sets = parts.pop("similar_sets", {"of_unit": alone, "shown": alone})
    return ContainsSpace(
        **parts,
        groups=no_groups(units) if groups is None else Groups(**groups),
        similar_sets=SimilarSets(**sets),
        covariates=covariates or no_covariates(units),
    )


def _parts(data: xr.DataTree) -> dict[str, Any]:
    """Return what the tree has of a space, by the names of its fields."""
    constant, observed = data["constant_data"], data["observed_data"]
    parts: dict[str, Any] = defaultdict(dict)

    def put(source: str, values: np.ndarray) -> None:
        part, _, field = source.partition(".")
        if field:
            parts[part][field] = values
        else:
            parts[part] = values

    for name, (source, dims) in _CONSTANT.items():
        if name in constant:
            axes = [axis for axis in dims.split() if axis in constant[name].dims]
            put(source, constant[name].transpose(*axes).to_numpy())
    for name, source in _OBSERVED.items():
        put(source, observed[name].to_numpy())
    for axis, source in (_ALWAYS | _SOME).items():
        if axis in constant.coords or axis in _ALWAYS:
            put(source, constant[axis].to_numpy())
    if "covariates" in parts:
        covariates = parts["covariates"]
        names = tuple(map(str, covariates.pop("names")))
        everywhere = np.ones(covariates["value"].shape[:-1], bool)
        parts["covariates"] = Covariates(**covariates, names=names, observed=everywhere)
    state = candidate_states(data)
    log_prior = np.where(state < 0, -np.inf, 0.0)
    if "log_prior" in constant:
        kept = constant["log_prior"].transpose("item", "candidate").to_numpy()
        log_prior = kept.astype(float)
    return {
        **parts,
        "identified": parts["identified"].astype(bool),
        "annotator_groups": annotator_groups(data),
        "states": tuple(map(str, parts["states"])),
        "answers": tuple(map(str, parts["answers"])),
        "state": np.maximum(state, 0),
        "log_prior": log_prior,
        "assumptions": tuple(json.loads(data.attrs["assumptions"])),
    }


def annotator_groups(data: xr.DataTree) -> Groups:
    """Return the groups of annotators of a fit."""
    constant = data["constant_data"]
    names = np.zeros(0, object)
    if "annotator_group" in constant.coords:
        names = constant["annotator_group"].to_numpy()
    return Groups(constant["group_of_annotator"].to_numpy(), names)


def candidate_states(data: xr.DataTree) -> Int[np.ndarray, "#U S"]:
    """Return the states listed for each unit, -1 in padding; one row where shared."""
    listed = data["constant_data"]["candidate_class"]
    axes = [axis for axis in ("item", "candidate") if axis in listed.dims]
    return np.atleast_2d(listed.transpose(*axes).to_numpy())


_MOST = 200_000  # items of which columns are kept
_OF_ANSWERS = (
    *("item", "annotator", "kind", "label", "answer", "object", "main", "n"),
    "response_id",
)


def item_columns(responses: Responses) -> pd.DataFrame:
    """Return what each item has beside its answers: `item`, and columns of text."""
    table, about = responses.table, responses.items
    items = table["item"].cat.categories if about is None else about["item"]
    columns: dict[str, Any] = {"item": items.astype("str")}
    if about is not None:
        columns |= {name: about[name] for name in about.columns if name != "item"}
    if len(items) > _MOST or not len(table):
        return pd.DataFrame(columns)
    item = table["item"].cat.codes.to_numpy()
    order = pd.Index(table["item"].cat.categories).get_indexer(pd.Index(items))
    for name in table.columns.difference([*_OF_ANSWERS, *columns], sort=False):
        codes, values = pd.factorize(table[name].astype("str"))
        first = np.full(item.max() + 1, -1)
        first[item[::-1]] = codes[::-1]
        if (first[item] == codes).all():
            text = np.append(np.asarray(values, object), "")[first]
            columns[name] = np.where(order < 0, "", text[order])
    return pd.DataFrame(columns)


def with_item_columns(constant: xr.Dataset, table: pd.DataFrame) -> xr.Dataset:
    """Return the constant data of a fit with the columns of its items."""
    named = [str(name) for name in table.columns if name not in {"item", "text"}]
    place = pd.Index(table["item"].astype("str")).get_indexer(
        pd.Index(constant["unit_item"].to_numpy().astype(str))
    )
    for number, name in enumerate(named):
        codes, values = pd.factorize(table[name].astype("str").str.replace("\0", " "))
        of_unit = np.append(codes, -1)[place].astype(np.int32)
        axis = f"item_column_{number}"
        constant = constant.assign({f"item_code_{number}": ("item", of_unit)})
        constant = constant.assign_coords({axis: np.asarray(values, object)})
    return constant.assign_attrs(item_columns=json.dumps(named))


def names_of_columns(data: xr.DataTree) -> list[str]:
    """Return the names of the columns of items that a fit keeps."""
    kept: list[str] = json.loads(data["constant_data"].attrs.get("item_columns", "[]"))
    return kept


def item_column(data: xr.DataTree, name: str) -> tuple[Int[np.ndarray, " U"], pd.Index]:
    """Return a column of the items of a fit: a code for each unit, and the values."""
    kept = names_of_columns(data)
    if name not in kept:
        raise OptionError(
            f"{not_among('column of the items', name, kept)}; give a table of items "
            "with this column, or read it with the answers (`extras=`) and fit again"
        )
    number, constant = kept.index(name), data["constant_data"]
    codes = constant[f"item_code_{number}"].to_numpy()
    return codes, pd.Index(constant[f"item_column_{number}"].to_numpy(), dtype="str")
