"""A fit laid out as an ArviZ DataTree, and what each of its groups means.

Whichever model and engine wrote it, the tree means the same. Draws have the dimensions
chain and draw, one of each for a point estimate; a *unit* is an item, or for contains
an item and a label asked about, and lies along the dimension item.

posterior
    Parameters of the model. Table models have prevalence(true_class) and
    confusion([annotator,] true_class, given_class); those of many labels have
    prevalence(true_class) and accuracy(annotator). Where candidates have columns,
    weight(covariate) of each and relative_information of all together; for choice
    prevalence is then that of an item of which they say nothing, and
    mean_prior(true_class) the mean over the items of what was believed before anyone
    answered.
truth
    probability, lower, upper (item, candidate); NaN at padding and where the engine
    states no bounds. Where residuals of annotators can be correlated, also the other
    posterior, as raw_probability and so on or tempered_probability and so on, and
    design_effect(item). Attributes: reported (raw or tempered) and, where that was
    changed, first_reported; residual_correlation, residual_z, and residual_shrunk, by
    which intervals of annotators are wider.
comparison
    model, elpd, se, difference, difference_se, weight, best and seconds along
    candidate_model (model "auto").
constant_data
    candidate_class([item,] candidate), an index into true_class or -1 for padding;
    log_prior(item, candidate) where candidates have weights or items have gold;
    superclass(true_class) where labels have one;
    unit_group(item), an index into group, where labels have groups; similar_set(item)
    and shown_set(item), codes of the similar labels of an item, and of those shown
    together (contains, where somebody says what is similar);
    covariates(item, [candidate,] covariate), covariate_centre and covariate_spread
    (covariate), where candidates have columns;
    aside_unit, aside_label and aside_n (aside), labels named besides main labels, where
    these are the answers; num_responses(item); annotator_responses,
    annotator_identified and group_of_annotator (annotator), an index into
    annotator_group, where annotators have groups;
    first_label and second_label (pair), the labels of pairs that have a parameter;
    votes(given_class, true_class); unit_item(item); item_text(item), the beginning of
    what shows it, where that is known; for contains unit_label(item) and
    present(true_class); for objects, where candidates were asked about as well,
    contains_counts(item, place, contains_answer), how many said no, maybe and yes of
    each.
observed_data
    annotator, item, answer and n along response, as codes.
log_likelihood
    responses(chain, draw, item), the truth summed out.
sample_stats
    diverging, energy, num_steps, accept_prob (NUTS).
convergence
    rhat, ess_bulk, ess_tail, and the lowest and highest mean of a chain along
    quantity, what tables give (NUTS, Gibbs; at most
    200 of a kind, those whose chains differ most), of the draws before modes were
    weighted; mode_of_chain(chain) and mode_weight(mode); the attribute modes says in
    what modes differ, draws how many were taken, of which every other one may have been
    dropped.
optimization
    objective(restart, sweep), NaN after the end; converged(restart); chosen (EM, VB,
    SVI).
diagnostics
    name, value, limit, ok and remedy along check.
objects
    Kind objects, models with a likelihood: beyond(item, candidate, share), P(a label is
    valid at a share of annotators); main_share and candidate_label (item, candidate),
    -1 for padding; judged_several and differs (population_draw, panel), the shares that
    a panel of so many, those who have answered among them, finds to have several
    objects, and another main label than the data set's (0: in the limit).
joint_draws
    Kind objects, models with a likelihood: hundredths(parameter_draw, item_draw, cell),
    the share of annotators who name a candidate's object in a drawn world; levels, the
    share up to which the candidate is valid; and facts of it as bits (the name that its
    object goes by most, a name of the main object, the main label); cell_item and
    cell_label, of each candidate.
tables
    A group for each table that the fit holds as it is, along row: what a rule states.

Attributes of the root: model, engine, engine_reason, kind, seed, prob (and kept_prob,
that of bounds in the tree, where tables have another), seconds, version, and as JSON
assumptions, sources, settings, the types that items, annotators and labels had in the
source (id_types), the classifiers whose predictions were covariates (classifiers), who
is a sample of whom (repeat_of), and who copies whom (copies; absent if not looked for).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Shaped

from consilience.inference import Result
from consilience.inference.mixing import Mixing
from consilience.inference.result import Optimization
from consilience.objects.space import Names, frequent_pairs
from consilience.posterior.confusion import counted_parameters
from consilience.posterior.labels import labels_of_candidates
from consilience.posterior.spaces import (
    constant_data,
    coordinates,
    items_of,
    listed_states,
    observed_data,
    with_item_columns,
)
from consilience.posterior.tables import as_dataset
from consilience.posterior.truth import FIELDS, Candidates, Tempering, Truth
from consilience.presence.space import MEANINGS
from consilience.truth import ObjectsSpace, Space
from consilience.when_used import xr

SAMPLED = ("chain", "draw")


_TEXT = 300  # characters of what shows an item


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
        "constant_data": constant_data(space),
        "observed_data": observed_data(space),
    }
    if isinstance(space, ObjectsSpace) and "pair" in groups["posterior"].dims:
        # Beside the parameters, as ArviZ takes coordinates that all of them have.
        both = _pairs(space, covariates).T
        named = zip(("first_label", "second_label"), both, strict=True)
        groups["constant_data"] = groups["constant_data"].assign(
            {name: ("pair", labels) for name, labels in named}
        )
    if result.log_likelihood is not None:
        values = np.asarray(result.log_likelihood, np.float32)
        groups["log_likelihood"] = xr.Dataset(
            {"responses": ((*SAMPLED, "item"), values)}, {"item": items_of(space)}
        )
    if result.sample_stats:
        stats = {name: (SAMPLED, value) for name, value in result.sample_stats.items()}
        groups["sample_stats"] = xr.Dataset(stats)
    if result.mixing is not None:
        groups["convergence"] = _convergence(result.mixing)
    if result.optimization is not None:
        groups["optimization"] = _optimization(result.optimization)
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


def with_items(data: xr.DataTree, items: pd.DataFrame | None) -> xr.DataTree:
    """Return the tree with columns of items and the beginning of what shows each."""
    if items is None:
        return data
    constant = with_item_columns(data["constant_data"].to_dataset(), items)
    if "text" not in items:
        return with_groups(data, constant_data=constant)
    texts = items.set_index("item")["text"].astype("str").str.slice(0, _TEXT)
    texts = texts.str.replace("\0", " ")  # which no file of a run could hold
    shown = texts.reindex(constant["unit_item"].to_numpy().astype(str)).fillna("")
    constant = constant.assign(item_text=("item", shown.to_numpy(object)))
    return with_groups(data, constant_data=constant)


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
    if counted:
        for name, (dims_of, value) in counted_parameters(space, result.belief).items():
            axes[name], values[name] = dims_of, value[None, None]
    along: dict[str, Any] = {
        **coordinates(space),
        "mixture_component": np.array(["low", "high"], object),
    }
    if isinstance(space, ObjectsSpace):
        from consilience.objects.covariates import column_names  # noqa: PLC0415

        names = covariates or column_names(space)
        along |= {
            f"{what}_covariate": np.asarray(columns, object)
            for what, columns in asdict(names).items()
            if what != "pairs"
        }
    used = {axis for name in values for axis in axes[name]}
    along = {axis: names for axis, names in along.items() if axis in used}
    if isinstance(space, ObjectsSpace) and "pair" in used:
        pairs = _pairs(space, covariates)
        names_of_pairs = [f"{first} / {second}" for first, second in pairs]
        along["pair"] = np.asarray(names_of_pairs, object)
    if "share_present" in values:
        along["meaning"] = np.asarray(MEANINGS, object)
    return xr.Dataset(
        {
            name: ((*SAMPLED, *axes[name]), np.asarray(value, np.float32))
            for name, value in values.items()
        },
        along,
    )


def _pairs(space: ObjectsSpace, covariates: Names | None) -> Shaped[np.ndarray, "P 2"]:
    """Return the labels of the pairs that have a number of their own."""
    pairs = frequent_pairs(space.named) if covariates is None else covariates.pairs
    return np.asarray(space.named.labels[np.array(pairs, int).reshape(-1, 2)])


def reported_truth(result: Result, tempering: Tempering | None) -> Truth:
    """Return the posterior of the truth that the tables give."""
    if tempering is None:
        return Truth(result.belief, result.lower, result.upper)
    return tempering.raw if tempering.reported == "raw" else tempering.tempered


def believing(result: Result, truth: Truth) -> Result:
    """Return the result with another posterior of the truth."""
    return replace(
        result, belief=truth.probability, lower=truth.lower, upper=truth.upper
    )


def _truth(space: Space, result: Result, tempering: Tempering | None) -> xr.Dataset:
    reported = reported_truth(result, tempering)
    values = {name: getattr(reported, name) for name in FIELDS}
    if tempering is not None:
        of_raw = tempering.reported == "tempered"
        which, other = (
            ("raw", tempering.raw) if of_raw else ("tempered", tempering.tempered)
        )
        values |= {
            f"{which}_{name}": getattr(other, name).astype(np.float32)
            for name in FIELDS
        }
    if space.ragged:
        values = {
            name: np.where(space.real, array, np.nan) for name, array in values.items()
        }
    group = xr.Dataset(
        {name: (("item", "candidate"), array) for name, array in values.items()},
        {"item": items_of(space)},
    )
    if tempering is None:
        return group
    return group.assign(design_effect=("item", tempering.design_effect)).assign_attrs(
        reported=tempering.reported,
        residual_correlation=tempering.correlation,
        residual_z=tempering.z,
        residual_shrunk=tempering.shrunk,
        residual_common=tempering.common,
    )


def _convergence(mixing: Mixing) -> xr.Dataset:
    of_quantities = ("rhat", "ess_bulk", "ess_tail", "lowest", "highest")
    return xr.Dataset(
        {
            **{name: ("quantity", getattr(mixing, name)) for name in of_quantities},
            "mode_of_chain": ("chain", mixing.mode),
            "mode_weight": ("mode", mixing.weight),
        },
        {"quantity": mixing.quantity},
        {"modes": mixing.modes, "draws": mixing.draws},
    )


def _optimization(how: Optimization) -> xr.Dataset:
    return xr.Dataset(
        {
            "objective": (("restart", "sweep"), how.objective),
            "converged": ("restart", how.converged),
            "chosen": how.chosen,
        },
        attrs={"what": how.what},
    )


def _plain(value: Any) -> str | int | float:
    if isinstance(value, (str, int, float)):
        return value
    return json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Outcome:
    """A fit as its engine left it; to lay it out takes about as long as a sweep."""

    space: Space
    result: Result
    dims: Mapping[str, tuple[str, ...]]
    attributes: Mapping[str, Any]
    tempering: Tempering | None
    comparison: pd.DataFrame | None = None
    items: pd.DataFrame | None = None  # what is known of items, their text among it
    finish: Callable[[xr.DataTree], xr.DataTree] = lambda data: data

    def tree(self) -> xr.DataTree:
        """Lay the fit out."""
        data = tree(self.space, self.result, self.dims, self.attributes, self.tempering)
        if self.comparison is not None:
            data = with_groups(data, comparison=as_dataset(self.comparison))
        return self.finish(with_items(data, self.items))

    def labels(self) -> pd.DataFrame:
        """Return the table `labels`, as the tree has it."""
        truth = reported_truth(self.result, self.tempering)
        candidates = Candidates(
            listed_states(self.space), truth.probability, truth.lower, truth.upper
        )
        states = np.asarray(self.space.states, object)
        return labels_of_candidates(candidates, self.space.unit_item, states)
