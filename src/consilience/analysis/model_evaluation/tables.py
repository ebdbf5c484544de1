"""The tables of an evaluation, from sums over items and their weightings."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.analysis.model_evaluation.bootstrap import (
    Sums,
    Weights,
    bounds,
    draw_of,
)
from consilience.analysis.model_evaluation.proposals import Proposals
from consilience.analysis.model_evaluation.truth_sums import Cell

type Cells = Mapping[Cell, Sums]
type Ratios = Mapping[Cell, Float[np.ndarray, "S A"]]

MEAN = "mean of the models"
_OF_MODELS = ["model", "metric", "subset", "value", "lower", "upper", "items"]
_OF_LABELS = ["label", "items", "right", "model", "dataset_accuracy", "accuracy"]
_FOLLOWED = ["wrong", "followed", "followed_lower", "followed_upper"]
_WRONG = ("other_main_label", "label_wrong")  # the first that there is


def models_table(
    names: list[str], sums: Cells, values: Ratios, prob: float
) -> pd.DataFrame:
    """Return model, metric, subset, value, lower, upper, items."""
    parts = []
    for (metric, subset), ratio in values.items():
        lower, upper = bounds(ratio, prob)
        numbers = np.nansum(sums[metric, subset][1].mean(0), axis=1)
        columns = {"value": ratio[0], "lower": lower, "upper": upper, "items": numbers}
        named = {"model": names, "metric": metric, "subset": subset}
        parts.append(pd.DataFrame({**named, **columns}))
    if not parts:
        return pd.DataFrame(columns=_OF_MODELS)
    return pd.concat(parts, ignore_index=True)


def differences_table(names: list[str], values: Ratios, prob: float) -> pd.DataFrame:
    """Return metric, subset, model, against, difference, lower, upper, better."""
    pairs = list(combinations(range(len(names)), 2))
    first, second = (np.array([pair[place] for pair in pairs], int) for place in (0, 1))
    models = np.array(names, object)
    parts = []
    for (metric, subset), ratio in values.items():
        apart = ratio[:, first] - ratio[:, second]
        lower, upper = bounds(apart, prob)
        ahead = ((apart[1:] > 0) + (apart[1:] == 0) / 2).mean(0)
        named = {"metric": metric, "subset": subset}
        named |= {"model": models[first], "against": models[second]}
        columns = {"difference": apart[0], "lower": lower, "upper": upper}
        parts.append(pd.DataFrame({**named, **columns, "better": ahead}))
    return pd.concat(parts, ignore_index=True)


def costs_table(names: list[str], values: Ratios, prob: float) -> pd.DataFrame:
    """Return model, metric, value, lower, upper: what several objects or labels cost.

    It is the metric where items have one, less that where they have several, of each
    model and of the mean over the models.
    """
    parts = []
    for metric in dict.fromkeys(metric for metric, _ in values):
        for what in ("object", "label"):
            one, several = (metric, f"one_{what}"), (metric, f"several_{what}s")
            if one not in values or several not in values:
                continue
            apart = values[one] - values[several]
            apart = np.concatenate([apart, apart.mean(1, keepdims=True)], axis=1)
            lower, upper = bounds(apart, prob)
            columns = {"value": apart[0], "lower": lower, "upper": upper}
            named = {"model": [*names, MEAN], "metric": metric}
            parts.append(pd.DataFrame({**named, **columns}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def labels_table(
    proposals: Proposals, sums: Cells, weightings: Weights, prob: float
) -> pd.DataFrame:
    """Return how the data set and the models do on the items of each label."""
    if proposals.dataset is None:
        return pd.DataFrame(columns=_OF_LABELS + _FOLLOWED)
    codes, group = np.unique(proposals.dataset, return_inverse=True)
    order = np.argsort(group, kind="stable")
    start = np.searchsorted(group[order], np.arange(len(codes)))
    # Subsets that have no item in any draw are not among the sums.
    nothing = (np.zeros_like(sums["accuracy", "all"][0]),) * 2
    cells = [("dataset_accuracy", subset) for subset in _WRONG]
    wrong = next((sums[cell] for cell in cells if cell in sums), nothing)
    right = sums.get(("dataset_accuracy", "label_right"), nothing)[1]
    is_right = _mean(right, group)[:, 0]
    of_dataset = _mean(sums["dataset_accuracy", "all"][0], group)
    accuracy = _mean(sums["accuracy", "all"][0], group)
    parts = []
    for place, model in enumerate(proposals.models):
        top, bottom = (np.nan_to_num(values[:, place, order]) for values in wrong)
        followed, lower, upper = _follow_rates(
            top, bottom, start, weightings, order, prob
        )
        columns = [proposals.names[codes], np.bincount(group), is_right, model]
        columns += [of_dataset[:, place], accuracy[:, place]]
        columns += [np.add.reduceat(bottom.mean(0), start), followed, lower, upper]
        named = dict(zip(_OF_LABELS + _FOLLOWED, columns, strict=True))
        parts.append(pd.DataFrame(named))
    return pd.concat(parts, ignore_index=True)


def _mean(
    value: Float[np.ndarray, "D A I"], group: np.ndarray
) -> Float[np.ndarray, "G A"]:
    """Return the mean over the items of each group that could be judged."""
    means = []
    for model in value.mean(0):
        counted = np.bincount(group, ~np.isnan(model))
        with np.errstate(invalid="ignore"):
            means.append(np.bincount(group, np.nan_to_num(model)) / counted)
    return np.stack(means, 1)


def _follow_rates(
    top: Float[np.ndarray, "D I"],
    bottom: Float[np.ndarray, "D I"],
    start: np.ndarray,
    weightings: Weights,
    order: np.ndarray,
    prob: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    parts, at = [], 0
    for block in weightings:
        which = draw_of(at, len(block), len(top))
        weight = block[:, order]
        above = np.add.reduceat(weight * top[which], start, axis=1)
        below = np.add.reduceat(weight * bottom[which], start, axis=1)
        parts.append(above / np.where(below > 0, below, np.nan))
        at += len(block)
    above = np.add.reduceat(top.mean(0), start)
    below = np.add.reduceat(bottom.mean(0), start)
    value = above / np.where(below > 0, below, np.nan)
    lower, upper = bounds(np.concatenate([value[None], *parts]), prob)
    return value, lower, upper
