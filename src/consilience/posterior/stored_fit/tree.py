"""A fit laid out as an ArviZ DataTree; `posterior.fit` says what each group means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped

from consilience.contains.space import MEANINGS
from consilience.inference import Result
from consilience.inference.mixing import Mixing
from consilience.objects.layout.covariate_names import Names, frequent_pairs
from consilience.posterior.tempering import FIELDS, Tempering, Truth
from consilience.truth import (
    ChoiceSpace,
    ContainsSpace,
    ObjectsSpace,
    Space,
    answer_slot,
    named_pairs,
)
from consilience.truth.space import MAX_NUMBERS, Covariates
from consilience.when_used import xr

SAMPLED = ("chain", "draw")


def tree(
    space: Space,
    result: Result,
    dims: Mapping[str, tuple[str, ...]],
    attributes: Mapping[str, Any],
    tempering: Tempering | None = None,
    covariates: Names | None = None,
) -> xr.DataTree:
    """Lay out a fit."""
    groups = {
        "posterior": _posterior(space, result, dims, covariates),
        "truth": _truth(space, result, tempering),
        "constant_data": _constant(space),
        "observed_data": _observed(space),
    }
    if "pair" in groups["posterior"].dims:
        # Beside the parameters, as ArviZ takes coordinates that all of them have.
        both = _pairs(space, covariates).T
        named = zip(("first_label", "second_label"), both, strict=True)
        groups["constant_data"] = groups["constant_data"].assign(
            {name: ("pair", labels) for name, labels in named}
        )
    if result.log_likelihood is not None:
        values = np.asarray(result.log_likelihood, np.float32)
        groups["log_likelihood"] = xr.Dataset(
            {"responses": ((*SAMPLED, "item"), values)}, {"item": _items(space)}
        )
    if result.sample_stats:
        stats = {name: (SAMPLED, value) for name, value in result.sample_stats.items()}
        groups["sample_stats"] = xr.Dataset(stats)
    if result.mixing is not None:
        groups["convergence"] = _convergence(result.mixing)
    if result.optimization is not None:
        groups["optimization"] = _optimization(result)
    groups = {path: _numbered(group) for path, group in groups.items()}
    return xr.DataTree.from_dict({"/": root(attributes), **groups})


def root(attributes: Mapping[str, Any]) -> xr.Dataset:
    """Return the root of a fit: its attributes, lists and tables as JSON."""
    return xr.Dataset(attrs={name: _plain(value) for name, value in attributes.items()})


def with_groups(data: xr.DataTree, **added: xr.Dataset) -> xr.DataTree:
    """Return the tree with groups added, such as the verdicts of the checks."""
    changed = data.copy()
    for path, group in added.items():
        changed[path] = xr.DataTree(_numbered(group))
    return changed


def _numbered(group: xr.Dataset) -> xr.Dataset:
    """Return a group with chains and draws numbered, as ArviZ expects them."""
    axes = (axis for axis in SAMPLED if axis in group.dims)
    return group.assign_coords({axis: np.arange(group.sizes[axis]) for axis in axes})


def _posterior(
    space: Space,
    result: Result,
    dims: Mapping[str, tuple[str, ...]],
    covariates: Names | None,
) -> xr.Dataset:
    values: dict[str, Shaped[np.ndarray, ...]] = dict(result.parameters)
    axes = dict(dims)
    # Confusions that are no parameters are counted; fits of classes have theirs made.
    stated = {"confusion", "accuracy", "own_label_odds"} & values.keys()
    counted = not stated and not isinstance(space, ObjectsSpace)
    if counted and _too_many_cells(space):
        values["accuracy"] = _observed_accuracy(space, result)[None, None]
        axes["accuracy"] = ("annotator",)
    elif counted:
        prevalence, confusion = _observed_confusion(space, result)
        values["prevalence"] = prevalence[None, None]
        values["confusion"] = confusion[None, None]
        axes["prevalence"] = ("true_class",)
        axes["confusion"] = ("annotator", "true_class", "given_class")
    coordinates: dict[str, Any] = {
        "annotator": space.annotators,
        "true_class": np.asarray(space.states, object),
        "given_class": np.asarray(space.answers, object),
        "mixture_component": np.array(["low", "high"], object),
        **_annotator_groups(space),
    }
    if isinstance(space, ObjectsSpace):
        from consilience.objects.layout.covariates import column_names  # noqa: PLC0415

        names = covariates or column_names(space)
        coordinates |= {
            f"{what}_covariate": np.asarray(columns, object)
            for what, columns in asdict(names).items()
            if what != "pairs"
        }
    else:
        coordinates |= _coordinates(space)
    used = {axis for name in values for axis in axes[name]}
    coordinates = {axis: names for axis, names in coordinates.items() if axis in used}
    if "pair" in used:
        pairs = _pairs(space, covariates)
        names_of_pairs = [f"{first} / {second}" for first, second in pairs]
        coordinates["pair"] = np.asarray(names_of_pairs, object)
    if "share_present" in values:
        coordinates["meaning"] = np.asarray(MEANINGS, object)
    return xr.Dataset(
        {
            name: ((*SAMPLED, *axes[name]), np.asarray(value, np.float32))
            for name, value in values.items()
        },
        coordinates,
    )


def _pairs(space: Space, covariates: Names | None) -> Shaped[np.ndarray, "P 2"]:
    """Return the labels of the pairs that have a number of their own."""
    if not isinstance(space, ObjectsSpace):
        label_pairs, labels = named_pairs(space), np.asarray(space.states, object)
        return np.stack([labels[label_pairs.first], labels[label_pairs.second]], 1)
    pairs = frequent_pairs(space.named) if covariates is None else covariates.pairs
    return np.asarray(space.named.labels[np.array(pairs, int).reshape(-1, 2)])


def _too_many_cells(space: Space) -> bool:
    cells = space.num_annotators * len(space.states) * len(space.answers)
    return cells > MAX_NUMBERS


def _observed_accuracy(space: Space, result: Result) -> Float[np.ndarray, " J"]:
    """Return how often the truth is what an annotator said, where it was listed."""
    truth = result.belief[space.unit, answer_slot(space)] * space.n
    annotators = space.num_annotators
    right = np.bincount(space.annotator, truth, annotators)
    return right / np.bincount(space.annotator, space.n, annotators)


def _observed_confusion(
    space: Space, result: Result
) -> tuple[Float[np.ndarray, " K"], Float[np.ndarray, "J K L"]]:
    """Cross answers with the posterior of the truth, for models without confusions.

    An annotator who never met a state is given the population's row.
    """
    shape = (space.num_annotators, len(space.states), len(space.answers))
    counts = np.zeros(shape)
    states = np.broadcast_to(space.state, result.belief.shape)
    for slot in range(states.shape[1]):
        weight = result.belief[space.unit, slot] * space.n
        at = (space.annotator, states[space.unit, slot], space.answer)
        np.add.at(counts, at, weight)
    population = counts.sum(0)
    total = population.sum(1, keepdims=True)
    uniform = np.full_like(population, 1 / population.shape[1])
    population = np.where(total > 0, population / np.maximum(total, 1e-300), uniform)
    rows = counts.sum(2, keepdims=True)
    confusion = np.where(rows > 0, counts / np.maximum(rows, 1e-300), population)
    prevalence = np.bincount(
        states.ravel(), weights=result.belief.ravel(), minlength=len(space.states)
    )
    return prevalence / prevalence.sum(), confusion


def reported_truth(result: Result, tempering: Tempering | None) -> Truth:
    """Return the posterior of the truth that the tables give."""
    if tempering is None:
        return Truth(result.belief, result.lower, result.upper)
    return tempering.raw if tempering.reported == "raw" else tempering.tempered


def _truth(space: Space, result: Result, tempering: Tempering | None) -> xr.Dataset:
    reported = reported_truth(result, tempering)
    values = {name: getattr(reported, name) for name in FIELDS}
    if tempering is None:
        return _dataset(space, values)
    other, name_of_other = tempering.tempered, "tempered"
    if tempering.reported == "tempered":
        other, name_of_other = tempering.raw, "raw"
    for name in FIELDS:
        values[f"{name_of_other}_{name}"] = getattr(other, name).astype(np.float32)
    dataset = _dataset(space, values)
    dataset["design_effect"] = ("item", tempering.design_effect)
    return dataset.assign_attrs(
        reported=tempering.reported,
        residual_correlation=tempering.correlation,
        residual_z=tempering.z,
        residual_shrunk=tempering.shrunk,
        residual_common=tempering.common,
    )


def _dataset(
    space: Space, values: Mapping[str, Float[np.ndarray, "U S"]]
) -> xr.Dataset:
    if space.ragged:
        padding = _padding(space, next(iter(values.values())).shape)
        values = {
            name: np.where(padding, np.nan, array) for name, array in values.items()
        }
    return xr.Dataset(
        {name: (("item", "candidate"), array) for name, array in values.items()},
        {"item": _items(space)},
    )


def listed_states(space: Space) -> Int[np.ndarray, "#U S"]:
    """Return the states listed for each unit, -1 in padding; one row where shared."""
    if not space.ragged:
        return space.state[:1]
    padding = _padding(space, (space.num_units, space.state.shape[1]))
    return np.where(padding, -1, np.broadcast_to(space.state, padding.shape))


def _constant(space: Space) -> xr.Dataset:
    states = listed_states(space)
    listed: Any = ("candidate", states[0])
    if space.ragged:
        listed = (("item", "candidate"), states)
    answers = np.bincount(space.annotator, space.n, space.num_annotators)
    variables: dict[str, Any] = {
        "candidate_class": listed,
        "num_responses": ("item", _per_unit(space)),
        "annotator_responses": ("annotator", answers.astype(np.int64)),
        "annotator_identified": ("annotator", space.identified),
        "group_of_annotator": ("annotator", space.annotator_groups.code),
        "votes": (("given_class", "true_class"), space.votes),
        "unit_item": ("item", space.unit_item),
    }
    shape = (space.num_units, space.state.shape[1])
    before = np.broadcast_to(space.log_prior, shape)
    if before[np.broadcast_to(space.real, shape)].any():
        variables["log_prior"] = (("item", "candidate"), before.astype(np.float32))
    variables |= _of_kind(space)
    coordinates = {
        "item": _items(space),
        "annotator": space.annotators,
        "true_class": np.asarray(space.states, object),
        "given_class": np.asarray(space.answers, object),
    }
    coordinates |= _annotator_groups(space)
    return xr.Dataset(variables, coordinates | _coordinates(space))


def _of_kind(space: Space) -> dict[str, Any]:
    """Return what only one kind of response has."""
    match space:
        case ChoiceSpace():
            variables = _covariates(space.covariates, "item", "candidate")
            if (space.parent != "").any():
                variables["superclass"] = ("true_class", space.parent)
            for name, values in asdict(space.asides).items():
                if len(values):
                    variables[f"aside_{name}"] = ("aside", values)
        case ContainsSpace():
            variables = _covariates(space.covariates, "item")
            variables["unit_label"] = ("item", space.unit_label)
            variables["present"] = ("true_class", space.present)
            if len(space.groups.names):
                variables["unit_group"] = ("item", space.groups.code)
            if space.similar_sets.linked:
                variables["similar_set"] = ("item", space.similar_sets.of_unit)
                variables["shown_set"] = ("item", space.similar_sets.shown)
        case ObjectsSpace() if space.named.contains_counts is not None:
            counts = space.named.contains_counts.astype(np.int32)
            axes = ("item", "place", "contains_answer")
            variables = {"contains_counts": (axes, counts)}
        case _:
            variables = {}
    return variables


def _covariates(covariates: Covariates, *axes: str) -> dict[str, Any]:
    if not covariates.names:
        return {}
    return {
        "covariates": ((*axes, "covariate"), covariates.value),
        "covariate_centre": ("covariate", covariates.centre),
        "covariate_spread": ("covariate", covariates.spread),
    }


def _annotator_groups(space: Space) -> dict[str, Shaped[np.ndarray, " G"]]:
    names = space.annotator_groups.names
    return {"annotator_group": names} if len(names) else {}


def _coordinates(space: Space) -> dict[str, Shaped[np.ndarray, " _"]]:
    """Return the names of covariates and of groups of labels, where there are any."""
    names: dict[str, Shaped[np.ndarray, " _"]] = {}
    if isinstance(space, (ChoiceSpace, ContainsSpace)) and space.covariates.names:
        names["covariate"] = np.asarray(space.covariates.names, object)
    if isinstance(space, ContainsSpace) and len(space.groups.names):
        names["group"] = space.groups.names
    return names


def _observed(space: Space) -> xr.Dataset:
    return xr.Dataset(
        {
            "annotator": ("response", space.annotator),
            "item": ("response", space.unit),
            "answer": ("response", space.answer),
            "n": ("response", space.n),
        }
    )


def _convergence(mixing: Mixing) -> xr.Dataset:
    return xr.Dataset(
        {
            "rhat": ("quantity", mixing.rhat),
            "ess_bulk": ("quantity", mixing.ess_bulk),
            "ess_tail": ("quantity", mixing.ess_tail),
            "lowest": ("quantity", mixing.lowest),
            "highest": ("quantity", mixing.highest),
            "mode_of_chain": ("chain", mixing.mode),
            "mode_weight": ("mode", mixing.weight),
        },
        {"quantity": mixing.quantity},
        {"modes": mixing.modes},
    )


def _optimization(result: Result) -> xr.Dataset:
    how = result.optimization
    if how is None:
        msg = "the engine left no record of the optimization"
        raise TypeError(msg)
    return xr.Dataset(
        {
            "objective": (("restart", "sweep"), how.objective),
            "converged": ("restart", how.converged),
            "chosen": how.chosen,
        },
        attrs={"what": how.what},
    )


def _items(space: Space) -> pd.Index:
    # Of Python's own strings: pandas would code them for Arrow, and xarray take them
    # out again, a copy for every group.
    if isinstance(space, ContainsSpace):
        return pd.RangeIndex(space.num_units)
    names: pd.Index = pd.Index(space.unit_item, dtype=object)
    return names


def _per_unit(space: Space) -> Shaped[np.ndarray, " U"]:
    return np.bincount(space.unit, space.n, space.num_units).astype(np.int64)


def _padding(space: Space, shape: tuple[int, int]) -> Shaped[np.ndarray, "U S"]:
    if not space.ragged:
        return np.zeros(shape, bool)
    # Lists are in ascending order, so state 0 behind the first slot is padding.
    state = np.broadcast_to(space.state, shape)
    return np.asarray((state == 0) & (np.arange(shape[1]) > 0))


def _plain(value: Any) -> str | int | float:
    if isinstance(value, (str, int, float)):
        return value
    return json.dumps(value, ensure_ascii=False)
