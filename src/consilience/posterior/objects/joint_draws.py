"""Joint posterior draws of the objects of items.

The tables of a fit describe each label by itself. That a label is valid *and* that the
item holds several objects is a question to the joint posterior, and joint draws answer
it: in each, every item has objects, each with a share of annotators who name it, and
names. A rule has one world, the one that it states.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped, UInt8

from consilience.errors import OptionError
from consilience.objects.posterior.draws import Chunk
from consilience.posterior.stored_fit.restored import JOINT_DRAWS, stored
from consilience.when_used import xr

MAX_NUMBERS = 30_000_000  # joint draws x candidates: 90 MB
LEADING, MAIN_OBJECT, MAIN_LABEL = 1, 2, 4  # of a candidate, as bits


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


class Record:
    """Worlds as they are drawn, to be kept in the tree."""

    def __init__(
        self, candidate: Int[np.ndarray, "U C"], draws: int, number: int
    ) -> None:
        unit, slot = np.nonzero(candidate >= 0)
        self._item, self._label = unit, candidate[unit, slot]
        self._first = np.searchsorted(unit, np.arange(len(candidate)))
        self._number = max(min(number, MAX_NUMBERS // (draws * len(unit))), 1)
        shape = (draws, self._number, len(unit))
        # What is the only candidate is all of it, in every world.
        self._hundredths = np.full(shape, 100, np.uint8)
        self._levels = np.full(shape, 100, np.uint8)
        self._facts = np.full(shape, LEADING | MAIN_OBJECT | MAIN_LABEL, np.uint8)

    def add(
        self,
        units: Int[np.ndarray, " u"],
        chunk: Chunk,
        level: Float[np.ndarray, "u D n"],
        which: int,
    ) -> None:
        """Keep the joint draws of some items."""
        cell = (self._first[units, None] + np.arange(level.shape[2])).ravel()
        for kept, values in (
            (self._hundredths, chunk.of_label * 100),
            (self._levels, level * 100),
            (self._facts, _facts(chunk)),
        ):
            some = values[:, : self._number].astype(np.uint8)
            kept[which, :, cell] = some.transpose(0, 2, 1).reshape(-1, self._number)

    def dataset(self) -> xr.Dataset:
        """Lay the joint draws out for the tree."""
        axes = ("parameter_draw", "item_draw", "cell")
        return xr.Dataset(
            {
                "hundredths": (axes, self._hundredths),
                "levels": (axes, self._levels),
                "facts": (axes, self._facts),
                "cell_item": ("cell", self._item.astype(np.int32)),
                "cell_label": ("cell", self._label.astype(np.int32)),
            }
        )


def _facts(chunk: Chunk) -> UInt8[np.ndarray, "u D n"]:
    main_object = chunk.object_of == chunk.salience.argmax(2)[:, :, None]
    leading = chunk.relative >= 1
    flags = leading * LEADING | main_object * MAIN_OBJECT
    flags |= chunk.is_main_label * MAIN_LABEL
    facts: UInt8[np.ndarray, "u D n"] = flags.astype(np.uint8)
    return facts


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
        msg = (
            "the fit holds no drawn objects: it is of kind "
            f"{data.attrs['kind']}, or it was written by an older version; fit again"
        )
        raise OptionError(msg)
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
        index: pd.Index = pd.Index(place.astype(np.int64) * len(label_names) + code)
        return index

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
