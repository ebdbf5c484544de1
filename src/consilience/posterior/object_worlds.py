"""What items hold, draw by draw: for whoever asks about two things at once.

The tables of a fit tell of each label by itself. That a label is valid *and* that the
item holds several objects is a question to the joint posterior, and drawn worlds answer
it: in each, every item has objects, each with a share of annotators who name it, and
names. A rule has one world, the one that it states.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Int, Shaped, UInt8

from consilience.errors import OptionError
from consilience.model.contract import Parameters
from consilience.posterior.object_draws import Chunk, chunks, draw
from consilience.posterior.object_weights import weighed
from consilience.posterior.stored import stored
from consilience.posterior.streams import streams
from consilience.truth.block_counts import Blocks
from consilience.truth.items import Items

GROUP = "worlds"
MOST_NUMBERS = 30_000_000  # worlds x candidates: 60 MB
LEADING, MAIN_OBJECT, MAIN_LABEL = 1, 2, 4  # of a candidate, as bits


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Worlds:
    """Drawn worlds: D draws of the parameters, S of the items for each; N candidates.

    Attributes
    ----------
    items, labels
        Names, by code.
    item, label
        Codes of each candidate, items ascending.
    hundredths
        Share of annotators who name the candidate's object, rounded down.
    facts
        Bits: LEADING, the label that its object is called by most; MAIN_OBJECT, one of
        the names of the main object; MAIN_LABEL, what most give as the main label.
    """

    items: Shaped[np.ndarray, " U"]
    labels: Shaped[np.ndarray, " L"]
    item: Int[np.ndarray, " N"]
    label: Int[np.ndarray, " N"]
    hundredths: UInt8[np.ndarray, "D S N"]
    facts: UInt8[np.ndarray, "D S N"]


def draw_worlds(
    items: Items,
    names: Shaped[np.ndarray, " U"],
    candidate: Int[np.ndarray, "U C"],
    draws: list[Parameters],
    *,
    number: int,
    seed: int,
) -> xr.Dataset:
    """Draw worlds, to be kept in the tree.

    Parameters
    ----------
    items
        Counts and covariates.
    names
        What the items are called; each has random numbers of its own.
    candidate
        Codes of each item's candidates; -1 is padding.
    draws
        Of the parameters.
    number
        Worlds for each of them; fewer where they would take more than 60 MB.
    seed
        Of random numbers.
    """
    unit, slot = np.nonzero(candidate >= 0)
    number = max(min(number, MOST_NUMBERS // (len(draws) * len(unit))), 1)
    shape = (len(draws), number, len(unit))
    # What is the only candidate is all of it, in every world.
    hundredths = np.full(shape, 100, np.uint8)
    facts = np.full(shape, LEADING | MAIN_OBJECT | MAIN_LABEL, np.uint8)
    first = np.searchsorted(unit, np.arange(len(candidate)))
    for blocks, known in zip(items.blocks, items.known, strict=True):
        weights = [weighed(blocks, known, parameters) for parameters in draws]
        for rows in chunks(weights[0], blocks.num_labels):
            generator = streams(seed, names[blocks.unit[rows]])
            cell = first[blocks.unit[rows], None] + np.arange(blocks.num_labels)
            for which, weight in enumerate(weights):
                chunk = draw(blocks, weight, rows, number, generator)
                hundredths[which, :, cell.ravel()] = _named(blocks, chunk)
                facts[which, :, cell.ravel()] = _facts(blocks, chunk)
    axes = ("parameter_draw", "item_draw", "cell")
    return xr.Dataset(
        {
            "hundredths": (axes, hundredths),
            "facts": (axes, facts),
            "cell_item": ("cell", unit.astype(np.int32)),
            "cell_label": ("cell", candidate[unit, slot].astype(np.int32)),
        }
    )


def _named(blocks: Blocks, chunk: Chunk) -> UInt8[np.ndarray, "M S"]:
    share = np.take_along_axis(chunk.frequency, chunk.object_of, axis=2)
    return _by_cell((share * 100).astype(np.uint8), blocks.num_labels)


def _facts(blocks: Blocks, chunk: Chunk) -> UInt8[np.ndarray, "M S"]:
    n, of = blocks.num_labels, chunk.object_of
    main_object = of == chunk.salience.argmax(2)[:, :, None]
    main_label = np.arange(n) == chunk.main.argmax(2)[:, :, None]
    same = of[..., None] == of[..., None, :]
    rival = np.where(same, chunk.share[..., None, :], 0.0).max(3)
    leading = chunk.share >= rival
    found = leading * LEADING | main_object * MAIN_OBJECT | main_label * MAIN_LABEL
    return _by_cell(found.astype(np.uint8), n)


def _by_cell(
    values: UInt8[np.ndarray, "u S n"], num_labels: int
) -> UInt8[np.ndarray, "M S"]:
    units, number = values.shape[:2]
    return values.transpose(0, 2, 1).reshape(units * num_labels, number)


def worlds(data: xr.DataTree) -> Worlds:
    """Return the worlds of a fit.

    Parameters
    ----------
    data
        A fit of kind objects.

    Raises
    ------
    OptionError
        The fit holds no worlds: it is of another kind, or an older program wrote it.
    """
    if GROUP in data.children:
        kept = data[GROUP]
        return Worlds(
            items=data["constant_data"]["unit_item"].to_numpy().astype(str),
            labels=data["objects"]["label"].to_numpy().astype(str),
            item=kept["cell_item"].to_numpy(),
            label=kept["cell_label"].to_numpy(),
            hundredths=kept["hundredths"].to_numpy(),
            facts=kept["facts"].to_numpy(),
        )
    objects, items = stored(data, "objects"), stored(data, "items")
    if objects is None or items is None or stored(data, "same_object") is not None:
        msg = (
            "the fit holds no drawn objects: it is of kind "
            f"{data.attrs['kind']}, or an older program wrote it; fit again"
        )
        raise OptionError(msg)
    return _of_rule(objects, items, stored(data, "labels"))


def _of_rule(
    objects: pd.DataFrame, items: pd.DataFrame, labels: pd.DataFrame | None
) -> Worlds:
    """Return the one world that a rule states: an object is valid under its name."""
    assert labels is not None  # noqa: S101 (a rule that states objects states labels)
    names = pd.Index(items["item"].astype(str))
    known = pd.Index(labels["label"].cat.categories.astype(str))

    def key(frame: pd.DataFrame, label: str = "label") -> pd.Index:
        place = names.get_indexer(pd.Index(frame["item"].astype(str)))
        code = known.get_indexer(pd.Index(frame[label].astype(str)))
        found: pd.Index = pd.Index(place.astype(np.int64) * len(known) + code)
        return found

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
    return Worlds(
        items=names.to_numpy(),
        labels=known.to_numpy(),
        item=(cells // len(known)).to_numpy(),
        label=(cells % len(known)).to_numpy(),
        hundredths=hundredths.astype(np.uint8)[None, None],
        facts=facts.astype(np.uint8)[None, None],
    )
