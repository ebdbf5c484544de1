"""The tables of a fit of kind objects, from the posterior of items.

**The table `styles`: how a typical annotator answers (kind objects).** Some responses
name one object alone, others list all that was detected. Of the typical item: the share
of single-label responses, the probability that an exhaustive response detects an object
that is not the main one (averaged over objects of high and of low detection), and that
it gives a further name of an object that is named already, where names are rivals and
where they are synonyms.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from numpy.polynomial.hermite_e import hermegauss

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
from consilience.posterior.objects.joint_draws import (
    main_accuracy,
    main_confusion,
)
from consilience.posterior.results.frames import category
from consilience.posterior.stored_fit.restored import (
    draws,
    estimate,
    stored,
    stored_names,
)
from consilience.responses.columns.selections import NONE
from consilience.truth import ObjectsSpace
from consilience.when_used import special, xr

BINDER = "binder"
_AXES = {
    "single_label": ("mean_and_spread",),
    "detection": ("detection_level",),
    "duplicate_name": ("names", "mean_and_spread"),
    "high_detection": ("block_covariate",),
}


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


def name_of(loss: str) -> str:
    """Return the name of the table of the partition of least loss."""
    return "objects" if loss == BINDER else f"objects_{loss}"


def objects(data: xr.DataTree, loss: str = BINDER) -> pd.DataFrame:
    """Objects of each item and what they are called.

    Parameters
    ----------
    data
        A fit.
    loss
        The point estimate of the partition minimizes the expected loss: binder, or
        vi.

    Returns
    -------
    Columns item, object, label, share, right_name, probability, main_probability.

    Raises
    ------
    OptionError
        The fit is not of kind objects, or there is no such loss.
    """
    table = _stored(data, "objects")
    if loss == BINDER:
        return table
    others = [
        name.removeprefix("objects_")
        for name in stored_names(data)
        if name.startswith("objects_")
    ]
    if loss not in others:
        available = ", ".join([BINDER, *others])
        msg = f"loss is {loss!r}; this fit has the partitions that minimize {available}"
        raise OptionError(msg)
    return _stored(data, name_of(loss))


def object_counts(data: xr.DataTree) -> pd.DataFrame:
    """Return how probable each number of objects is, of each item."""
    return _stored(data, "object_counts")


def same_object(data: xr.DataTree) -> pd.DataFrame:
    """Return how probably two labels are names of one object, of each item."""
    return _stored(data, "same_object")


def ambiguity(data: xr.DataTree) -> pd.DataFrame:
    """Return what is ambiguous about each item, in nats."""
    return _stored(data, "ambiguity")


def panels(data: xr.DataTree) -> pd.DataFrame:
    """Return what fresh panels of several sizes would find of each item."""
    return _stored(data, "panels")


def panel(data: xr.DataTree, annotators: int) -> pd.DataFrame:
    """Return what a fresh panel of so many annotators would find of each item."""
    panels = _stored(data, "panels")
    sizes = panels["annotators"].unique()
    if annotators not in sizes:
        listed = ", ".join(str(size) for size in sorted(sizes))
        msg = (
            f"a panel of {annotators} annotators is not available; give one of {listed}"
        )
        raise OptionError(msg)
    rows = panels[panels["annotators"] == annotators]
    return rows.drop(columns="annotators").reset_index(drop=True)


def _stored(data: xr.DataTree, name: str) -> pd.DataFrame:
    kept = stored(data, name)
    if kept is None:
        msg = f"{name}: the fit is of kind {data.attrs['kind']}; it has no objects"
        raise OptionError(msg)
    return kept


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
        "single_label": _single_label_rate(
            parameters["single_label"], pulled="spreads" in data["posterior"]
        ),
        "recall": (1 - share) * special.expit(low) + share * special.expit(high),
        "rival_name": special.expit(parameters["duplicate_name"][:, 0, 0]),
        "synonym": special.expit(parameters["duplicate_name"][:, 1, 0]),
    }
    interval = estimate(np.stack(list(drawn.values()), 1), float(data.attrs["prob"]))
    return pd.DataFrame(
        {
            "style": pd.Series(list(drawn), dtype="str"),
            "share": interval.mean,
            "lower": interval.lower,
            "upper": interval.upper,
        }
    )


def _single_label_rate(
    single_label: Float[np.ndarray, "S 2"], *, pulled: bool
) -> Float[np.ndarray, " S"]:
    """Return the share of single-label responses: a Beta mean, or one over items."""
    if not pulled:
        mean: Float[np.ndarray, " S"] = special.expit(single_label[:, 0])
        return mean
    node, weight = hermegauss(31)
    odds = single_label[:, :1] + np.exp(single_label[:, 1:]) * node
    whole: Float[np.ndarray, " S"] = special.expit(odds) @ weight / weight.sum()
    return whole
