"""What a fit of kind objects holds: tables of items, styles, and joint draws.

**Styles: how a typical annotator answers.** Some responses name one object alone,
others list all that was detected. Of the typical item: the share of single-label
responses, the probability that an exhaustive response detects an object that is not the
main one (averaged over objects of high and of low detection), and that it gives a
further name of an object that is named already, of rivals and of synonyms.

**Joint posterior draws.** That a label is valid *and* that the item holds several
objects is a question to the joint posterior: in each draw, every item has objects, each
with a share of annotators who name it, and names. A rule has one, which it states.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Int, Shaped, UInt8

from consilience.errors import OptionError
from consilience.posterior.stored import JOINT_DRAWS, category, draws, estimate, stored
from consilience.when_used import special, xr

OF_ITEMS = (*("objects", "object_counts"), *("same_object", "ambiguity", "panels"))
LEADING, MAIN_OBJECT, MAIN_LABEL = 1, 2, 4  # of a candidate, as bits
_AXES = {
    "single_label": ("mean_and_spread",),
    "detection": ("detection_level",),
    "duplicate_name": ("names", "mean_and_spread"),
    "high_detection": ("block_covariate",),
}


def object_table(data: xr.DataTree, name: str) -> pd.DataFrame:
    """Return a table that a fit of kind objects holds, of each item."""
    kept = stored(data, name)
    if kept is None:
        kind, model = data.attrs["kind"], data.attrs["model"]
        msg = f"{name}: the fit is of kind {kind}; it has no objects"
        if kind == "objects":
            msg = f"{name}: {model} has no such table; choose another (`fit.tables`)"
        raise OptionError(msg)
    return kept


def labels_at(data: xr.DataTree, threshold: float) -> pd.DataFrame:
    """Return how probably each label is valid at a share of annotators."""
    if "objects" not in data.children or "beyond" not in data["objects"]:
        raise OptionError(f"there is no threshold in a fit of {data.attrs['model']}")
    if not 0 <= threshold <= 1:
        raise OptionError(
            f"threshold is {threshold}; give a share of annotators, from 0 to 1"
        )
    group = data["objects"]
    code = group["candidate_label"].to_numpy()
    beyond = group["beyond"].interp(share=threshold).to_numpy()
    unit, slot = np.nonzero(code >= 0)
    return pd.DataFrame(
        {
            "item": category(unit, data["constant_data"]["unit_item"].to_numpy()),
            "label": category(code[unit, slot], group["label"].to_numpy()),
            "probability": beyond[unit, slot].astype(float),
        }
    )


def styles(data: xr.DataTree) -> pd.DataFrame:
    """Return how people in general answer."""
    by_name = {name: draws(data, name, axes) for name, axes in _AXES.items()}
    parameters = {name: value for name, value in by_name.items() if value is not None}
    if len(parameters) < len(_AXES):
        nothing = pd.DataFrame(columns=["share", "lower", "upper"], dtype=float)
        nothing.insert(0, "style", pd.Series(dtype="str"))
        return nothing
    low = parameters["detection"][:, 0]
    high = low + np.exp(parameters["detection"][:, 1])
    share = special.expit(parameters["high_detection"][:, 0])
    drawn = {
        "single_label": special.expit(parameters["single_label"][:, 0]),
        "recall": (1 - share) * special.expit(low) + share * special.expit(high),
        "rival_name": special.expit(parameters["duplicate_name"][:, 0, 0]),
        "synonym": special.expit(parameters["duplicate_name"][:, 1, 0]),
    }
    interval = estimate(np.stack(list(drawn.values()), 1), float(data.attrs["prob"]))
    return pd.DataFrame(
        {"style": pd.Series(list(drawn), dtype="str"), **interval.columns("share")}
    )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class JointDraws:
    """Joint draws: D draws of the parameters, S of the items for each; N candidates."""

    items: Shaped[np.ndarray, " U"]
    labels: Shaped[np.ndarray, " L"]
    item: Int[np.ndarray, " N"]
    label: Int[np.ndarray, " N"]
    hundredths: UInt8[np.ndarray, "D S N"]
    levels: UInt8[np.ndarray, "D S N"]
    facts: UInt8[np.ndarray, "D S N"]


def joint_draws(data: xr.DataTree) -> JointDraws:
    """Return the joint draws of a fit."""
    if JOINT_DRAWS in data.children and "levels" in data[JOINT_DRAWS]:
        kept = data[JOINT_DRAWS]
        return JointDraws(
            items=data["constant_data"]["unit_item"].to_numpy().astype(str),
            labels=data["objects"]["label"].to_numpy().astype(str),
            item=kept["cell_item"].to_numpy(),
            label=kept["cell_label"].to_numpy(),
            hundredths=kept["hundredths"].to_numpy(),
            levels=kept["levels"].to_numpy(),
            facts=kept["facts"].to_numpy(),
        )
    objects, items = stored(data, "objects"), stored(data, "items")
    if objects is None or items is None or stored(data, "same_object") is not None:
        raise OptionError(
            "the fit holds no drawn objects; fit responses of kind objects"
        )
    return _heuristic_draws(objects, items, stored(data, "labels"))


def _heuristic_draws(
    objects: pd.DataFrame, items: pd.DataFrame, labels: pd.DataFrame | None
) -> JointDraws:
    """Return the one world that a rule states: an object is valid under its name."""
    assert labels is not None  # noqa: S101 (a rule that states objects states labels)
    names = pd.Index(items["item"].astype(str))
    label_names = pd.Index(labels["label"].cat.categories.astype(str))

    def key(frame: pd.DataFrame, label: str = "label") -> pd.Index:
        place = names.get_indexer(pd.Index(frame["item"].astype(str)))
        code = label_names.get_indexer(pd.Index(frame[label].astype(str)))
        return pd.Index(place.astype(np.int64) * len(label_names) + code)

    cells = key(labels).sort_values()
    valid = pd.Series(labels["probability"].to_numpy(), key(labels)).loc[cells] > 0
    parts = objects.assign(key=key(objects))
    most = parts.groupby("item", observed=True)["main_probability"].transform("max")
    # Of objects with as many main votes, the first is the main one.
    first = parts[parts["main_probability"] == most]
    lowest = first.groupby("item", observed=True)["object"].transform("min")
    main_object = cells.isin(first.loc[first["object"] == lowest, "key"])
    main_label = cells.isin(key(items[items["main_label"].notna()], "main_label"))
    facts = valid.to_numpy() * LEADING
    facts |= main_object * MAIN_OBJECT | main_label * MAIN_LABEL
    hundredths = np.where(valid, 100, 0)
    return JointDraws(
        items=names.to_numpy(),
        labels=label_names.to_numpy(),
        item=(cells // len(label_names)).to_numpy(),
        label=(cells % len(label_names)).to_numpy(),
        hundredths=hundredths.astype(np.uint8)[None, None],
        levels=hundredths.astype(np.uint8)[None, None],
        facts=facts.astype(np.uint8)[None, None],
    )
