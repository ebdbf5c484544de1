"""The tables of a fit of kind objects, from the posterior of items."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Int

from consilience.errors import OptionError
from consilience.intervals import bounds
from consilience.objects.posterior.point_partitions import LOSSES
from consilience.objects.posterior.response_panels import SIZES
from consilience.posterior.objects.item_posterior import (
    GRID,
    PANELS,
    TAU,
    TAUS,
    ItemPosterior,
)
from consilience.posterior.objects.main_confusion import main_accuracy, main_confusion
from consilience.posterior.objects.stored_objects import name_of
from consilience.posterior.results.frames import category
from consilience.responses.tools.on_screen import NONE
from consilience.truth import ObjectsSpace
from consilience.when_used import xr


def item_tables(
    space: ObjectsSpace, posterior: ItemPosterior, prob: float
) -> dict[str, pd.DataFrame]:
    """Return the tables of a run by name."""
    main = posterior.main_label
    by_superclass = {}
    if (space.named.parents != "").any():
        table = main_confusion(space, space.named, main, prob, level=1)
        by_superclass = {"superclass_confusion": table}
    return {
        **by_superclass,
        "labels": _labels(space, posterior, prob),
        "items": _items(space, posterior),
        **{
            name_of(loss): _objects(space, posterior, place)
            for place, loss in enumerate(LOSSES)
        },
        "object_counts": _counts(space, posterior),
        "same_object": _same(space, posterior),
        "ambiguity": _ambiguity(space, posterior),
        "panels": _panels(space, posterior),
        "confusion": main_confusion(space, space.named, main, prob),
        "annotators": main_accuracy(space, space.named, main, prob),
    }


def curves(space: ObjectsSpace, posterior: ItemPosterior) -> xr.Dataset:
    """Return how often objects are named, of each label, and totals over all items."""
    named = space.named
    return xr.Dataset(
        {
            "beyond": (
                ("item", "candidate", "share"),
                posterior.beyond.astype(np.float32),
            ),
            "main_share": (("item", "candidate"), posterior.main_share),
            "candidate_label": (("item", "candidate"), _candidates(space, posterior)),
            "several": (("population_draw", "tau"), posterior.several),
            "judged_several": (("population_draw", "panel"), posterior.judged_several),
            "differs": (("population_draw", "panel"), posterior.differs),
        },
        {
            "share": GRID,
            "tau": TAUS,
            "panel": np.array([*PANELS, 0]),
            "label": named.labels,
        },
    )


def labels_at(data: xr.DataTree, tau: float) -> pd.DataFrame:
    """Return how probably each label is valid at a share of annotators."""
    if "objects" not in data.children or "beyond" not in data["objects"]:
        msg = f"there is no threshold tau in a fit of {data.attrs['model']}"
        raise OptionError(msg)
    if not 0 <= tau <= 1:
        msg = f"tau is {tau}; give a share of annotators, from 0 to 1"
        raise OptionError(msg)
    group = data["objects"]
    code = group["candidate_label"].to_numpy()
    beyond = group["beyond"].interp(share=tau).to_numpy()
    unit, slot = np.nonzero(code >= 0)
    return pd.DataFrame(
        {
            "item": category(unit, data["constant_data"]["unit_item"].to_numpy()),
            "label": category(code[unit, slot], group["label"].to_numpy()),
            "probability": beyond[unit, slot].astype(float),
        }
    )


def _candidates(
    space: ObjectsSpace, posterior: ItemPosterior
) -> Int[np.ndarray, "U C"]:
    return space.named.candidate[:, : posterior.beyond.shape[1]]


def _rows(
    space: ObjectsSpace, posterior: ItemPosterior
) -> tuple[Int[np.ndarray, " R"], Int[np.ndarray, " R"], dict[str, pd.Categorical]]:
    """Return item and place of each candidate, and both by name."""
    candidate = _candidates(space, posterior)
    unit, slot = np.nonzero(candidate >= 0)
    names = {
        "item": category(unit, space.unit_item),
        "label": category(candidate[unit, slot], space.named.labels),
    }
    return unit, slot, names


def _labels(space: ObjectsSpace, posterior: ItemPosterior, prob: float) -> pd.DataFrame:
    unit, slot, names = _rows(space, posterior)
    probability = posterior.valid.mean(0)[unit, slot]
    lower = upper = np.full(len(unit), np.nan)
    if len(posterior.valid) > 1:
        low, high = bounds(posterior.valid, prob)
        lower, upper = low[unit, slot], high[unit, slot]
        lower, upper = np.minimum(lower, probability), np.maximum(upper, probability)
    return pd.DataFrame(
        {**names, "probability": probability, "lower": lower, "upper": upper}
    )


def _items(space: ObjectsSpace, posterior: ItemPosterior) -> pd.DataFrame:
    candidate = _candidates(space, posterior)
    units = np.arange(len(candidate))
    chance = np.where(candidate >= 0, posterior.main_label, 0.0)
    # Most annotators may answer that it is none of these.
    if space.named.none.any():
        none = np.flatnonzero(space.named.labels == NONE)[0]
        rest = np.clip(1 - chance.sum(1, keepdims=True), 0.0, 1.0)
        chance = np.concatenate([chance, rest], 1)
        candidate = np.concatenate([candidate, np.full_like(rest, none, int)], 1)
    best = chance.argmax(1)
    highest = chance[units, best]
    names = category(candidate[units, best], space.named.labels)
    at = int(np.argmin(np.abs(TAUS - TAU)))
    answers = np.bincount(space.unit, space.n, len(candidate)) + space.named.none
    return pd.DataFrame(
        {
            "item": category(units, space.unit_item),
            "label": names,
            "probability": highest,
            "entropy": -(chance * np.log(np.where(chance > 0, chance, 1.0))).sum(1),
            "responses": answers.astype(np.int64),
            "tied": (chance >= highest[:, None]).sum(1) > 1,
            "objects": posterior.counts[:, at].argmax(1),
            "main_label": names,
        }
    )


def _objects(space: ObjectsSpace, posterior: ItemPosterior, loss: int) -> pd.DataFrame:
    unit, slot, names = _rows(space, posterior)
    main = posterior.main[loss]
    valid, present = posterior.valid.mean(0)[unit, slot], posterior.present[unit, slot]
    # Objects are numbered from one by how probably they are the main one.
    order = np.argsort(np.argsort(-main, axis=1, kind="stable"), axis=1)
    place = posterior.object_of[loss, unit, slot]
    frame = pd.DataFrame(
        {
            "item": names["item"],
            "object": order[unit, place] + 1,
            "label": names["label"],
            "share": posterior.share[loss, unit, slot],
            "right_name": valid / np.maximum(present, np.finfo(float).tiny),
            "probability": posterior.there[loss, unit, place],
            "main_probability": main[unit, place],
        }
    )
    share, number = frame["share"].to_numpy(), frame["object"].to_numpy()
    keys = np.lexsort([-share, number, unit])
    return frame.iloc[keys].reset_index(drop=True)


def _counts(space: ObjectsSpace, posterior: ItemPosterior) -> pd.DataFrame:
    unit, tau, number = np.nonzero(posterior.counts > 0)
    return pd.DataFrame(
        {
            "item": category(unit, space.unit_item),
            "tau": TAUS[tau].round(6),
            "objects": number,
            "probability": posterior.counts[unit, tau, number],
        }
    )


def _same(space: ObjectsSpace, posterior: ItemPosterior) -> pd.DataFrame:
    candidate = _candidates(space, posterior)
    named = candidate >= 0
    real = named[:, :, None] & named[:, None, :]
    places = candidate.shape[1]
    before = np.triu(np.ones((places, places), bool), 1)
    unit, first, second = np.nonzero(real & before)
    names = space.named.labels
    same = np.clip(posterior.same[unit, first, second], 0.0, 1.0)
    return pd.DataFrame(
        {
            "item": category(unit, space.unit_item),
            "label_a": category(candidate[unit, first], names),
            "label_b": category(candidate[unit, second], names),
            "probability": same,
            "synonyms": np.minimum(posterior.synonyms[unit, first, second], same),
        }
    )


def _ambiguity(space: ObjectsSpace, posterior: ItemPosterior) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "item": category(np.arange(space.num_units), space.unit_item),
            "structure": posterior.structure,
            "naming": posterior.naming,
            "salience": posterior.salience,
        }
    )


def _panels(space: ObjectsSpace, posterior: ItemPosterior) -> pd.DataFrame:
    sizes = np.array([*SIZES, 0])
    units = np.arange(space.num_units).repeat(len(sizes))
    return pd.DataFrame(
        {
            "item": category(units, space.unit_item),
            "annotators": np.tile(sizes, space.num_units),
            "several": posterior.panel_several.ravel(),
            "differs": posterior.panel_differs.ravel(),
        }
    )
