"""The tables `annotator_groups` and `group_differences`: groups of annotators compared.

The accuracy of a group is the mean of that of its annotators, in each draw; its spread
is their standard deviation. A difference is taken within draws, so that what groups
have in common cancels.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Shaped

from consilience.posterior.results.annotators import accuracy_draws
from consilience.posterior.results.design_effect import annotator_design_effect
from consilience.posterior.results.frames import category
from consilience.posterior.stored_fit.draws import estimate
from consilience.when_used import xr


def annotator_groups(data: xr.DataTree) -> pd.DataFrame:
    """Return the accuracy of each group of annotators."""
    names, members = _groups(data)
    accuracy = _widened_draws(data) if len(names) else None
    if accuracy is None:
        accuracy = np.full((1, members.shape[1]), np.nan)
    prob = float(data.attrs["prob"])
    mean = estimate(_means(accuracy, members), prob)
    spreads = [
        accuracy[:, who].std(1, ddof=1)
        if who.sum() > 1
        else np.full(len(accuracy), np.nan)
        for who in members
    ]
    spread = estimate(np.stack(spreads, 1) if spreads else np.empty((1, 0)), prob)
    answers = np.zeros(members.shape[1], int)
    if len(names):
        answers = data["constant_data"]["annotator_responses"].to_numpy()
    return pd.DataFrame(
        {
            "group": category(np.arange(len(names)), names),
            "annotators": members.sum(1),
            "responses": members @ answers,
            "accuracy": mean.mean,
            "lower": mean.lower,
            "upper": mean.upper,
            "spread": spread.mean,
            "spread_lower": spread.lower,
            "spread_upper": spread.upper,
        }
    )


def group_differences(data: xr.DataTree) -> pd.DataFrame:
    """Return by how much annotators of one group are more accurate than of another."""
    names, members = _groups(data)
    pairs = np.array([*combinations(range(len(names)), 2)], int).reshape(-1, 2)
    accuracy = _widened_draws(data) if len(names) else None
    if accuracy is None or len(accuracy) < 2:
        pairs, accuracy = pairs[:0], np.ones((1, members.shape[1]))
    means = _means(accuracy, members)
    apart = means[:, pairs[:, 0]] - means[:, pairs[:, 1]]
    difference = estimate(apart, float(data.attrs["prob"]))
    return pd.DataFrame(
        {
            "group": category(pairs[:, 0], names),
            "other_group": category(pairs[:, 1], names),
            "difference": difference.mean,
            "lower": difference.lower,
            "upper": difference.upper,
            "more_accurate": (apart > 0).mean(0),
        }
    )


def _groups(
    data: xr.DataTree,
) -> tuple[Shaped[np.ndarray, " G"], Bool[np.ndarray, "G J"]]:
    """Return the names of groups that have annotators with an id, and who these are."""
    constant = data["constant_data"]
    if "annotator_group" not in constant.coords:  # a heuristic has no annotators either
        number = constant.sizes.get("annotator", 0)
        return np.zeros(0, object), np.zeros((0, number), bool)
    identified = constant["annotator_identified"].to_numpy().astype(bool)
    names = constant["annotator_group"].to_numpy()
    code = constant["group_of_annotator"].to_numpy()
    members = (code == np.arange(len(names))[:, None]) & identified
    some = members.any(1)
    return names[some], members[some]


def _widened_draws(data: xr.DataTree) -> Float[np.ndarray, "S J"] | None:
    """Return draws of accuracy as of fewer answers, where errors are correlated."""
    accuracy = accuracy_draws(data)
    if accuracy is None:
        return None
    factor, mean = np.sqrt(annotator_design_effect(data)), accuracy.mean(0)
    return np.clip(mean + factor * (accuracy - mean), 0.0, 1.0)


def _means(
    accuracy: Float[np.ndarray, "S J"], members: Bool[np.ndarray, "G J"]
) -> Float[np.ndarray, "S G"]:
    share = members / np.maximum(members.sum(1, keepdims=True), 1)
    means: Float[np.ndarray, "S G"] = accuracy @ share.T
    return means
