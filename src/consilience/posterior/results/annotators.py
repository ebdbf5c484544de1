"""The table `annotators`: the accuracy of each annotator with an id.

Accuracy is the chance that an answer names the truth: in each draw
sum_k p_k sum_l c_kl v_lk, with p the prevalence of the true states (what is known of
candidates included), c the
annotator's confusion and v_lk how far answer l is a vote for state k (1 for the same
label; one half for *maybe* between absent and present). Bounds are those of fewer
answers where errors are correlated (`design_effect`). Sensitivity is
P(yes | present), specificity P(no | absent); a model without tables of labels gives the
accuracy itself. Where several states count as present, or
as absent, they are weighted by their prevalence.

A model in which annotators may answer by habit, whatever the item (MACE), adds how
often each does so: the column spammer.

References
----------
Dawid and Skene (1979), section 2; Hovy et al. (2013), section 2.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.posterior.results.confusion import individual
from consilience.posterior.results.design_effect import (
    annotator_design_effect,
    widen,
)
from consilience.posterior.results.frames import category, names
from consilience.posterior.stored_fit.draws import Estimate, draws, estimate
from consilience.posterior.stored_fit.stored import stored
from consilience.when_used import xr


def annotators(data: xr.DataTree) -> pd.DataFrame:
    """Skill of each annotator with an id."""
    kept = stored(data, "annotators")
    if kept is not None:
        return kept.assign(**_styles(data))
    constant = data["constant_data"]
    people = np.flatnonzero(constant["annotator_identified"].to_numpy())
    votes = constant["votes"].transpose("true_class", "given_class").to_numpy()
    everyone = np.ones(len(votes), dtype=bool)
    accuracy = _chance(data, everyone, votes)
    columns = {
        "annotator": category(people, names(data, "annotator")),
        "responses": constant["annotator_responses"].to_numpy()[people],
        "accuracy": accuracy.mean[people],
        "lower": accuracy.lower[people],
        "upper": accuracy.upper[people],
    }
    if data.attrs["kind"] == "contains":
        present = constant["present"].to_numpy()
        given = names(data, "given_class")
        for column, states, answer in (
            ("sensitivity", present == 1, "yes"),
            ("specificity", present == 0, "no"),
        ):
            right = np.broadcast_to((given == answer).astype(float), votes.shape)
            interval = _chance(data, states, right)
            columns[column] = interval.mean[people]
            columns[f"{column}_lower"] = interval.lower[people]
            columns[f"{column}_upper"] = interval.upper[people]
    habit = draws(data, "spammer", ("annotator",))
    if habit is not None:
        interval = estimate(habit, float(data.attrs["prob"]))
        columns["spammer"] = interval.mean[people]
        columns["spammer_lower"] = interval.lower[people]
        columns["spammer_upper"] = interval.upper[people]
    return pd.DataFrame(columns)


def _styles(data: xr.DataTree) -> dict[str, Float[np.ndarray, " J"]]:
    """Return how often each picks one object, and sees what is there (kind objects)."""
    columns = {}
    sources = {"single_label": "single_label_rate", "recall": "detection_probability"}
    for column, name in sources.items():
        drawn = draws(data, name, ("annotator",))
        if drawn is not None:
            identified = data["constant_data"]["annotator_identified"].to_numpy()
            people = np.flatnonzero(identified)
            interval = estimate(drawn, float(data.attrs["prob"]))
            columns[column] = interval.mean[people]
            columns[f"{column}_lower"] = interval.lower[people]
            columns[f"{column}_upper"] = interval.upper[people]
    return columns


def accuracy_draws(data: xr.DataTree) -> Float[np.ndarray, "S J"] | None:
    """Return draws of the accuracy of each annotator; None where there are none."""
    votes = data["constant_data"]["votes"].transpose("true_class", "given_class")
    return _chances(data, np.ones(votes.shape[0], bool), votes.to_numpy())


def _chance(
    data: xr.DataTree, states: np.ndarray, right: Float[np.ndarray, "K L"]
) -> Estimate:
    """Chance of a right answer when the truth is among some states, per annotator."""
    chances = _chances(data, states, right)
    if chances is None:
        nothing = np.full(data["constant_data"].sizes["annotator"], np.nan)
        return Estimate(mean=nothing, lower=nothing, upper=nothing)
    effect = annotator_design_effect(data)
    return widen(estimate(chances, float(data.attrs["prob"])), effect)


def _chances(
    data: xr.DataTree, states: np.ndarray, right: Float[np.ndarray, "K L"]
) -> Float[np.ndarray, "S J"] | None:
    """Return draws of the chance of a right answer.

    Where the fit keeps no draws of the confusion, its mean and the prevalence's mean
    stand in for them as a single draw. States count alike where the model has no
    prevalence.
    """
    accuracy = draws(data, "accuracy", ("annotator",))
    if accuracy is not None:
        return accuracy
    prevalence = draws(data, "mean_prior", ("true_class",))
    if prevalence is None:
        prevalence = draws(data, "prevalence", ("true_class",))
    confusion = draws(data, "confusion", ("annotator", "true_class", "given_class"))
    if confusion is None:
        by_annotator = individual(data)
        if by_annotator is None:
            return None
        confusion = by_annotator.mean[None]
        if prevalence is not None:
            prevalence = prevalence.mean(axis=0, keepdims=True)
    if prevalence is None:
        prevalence = np.ones((len(confusion), confusion.shape[2]))
    weight = prevalence * states
    # A point estimate may say that none of these states ever occurs; what an annotator
    # would answer there is still a question, asked of each state alike.
    never = weight.sum(axis=1, keepdims=True) == 0
    weight = np.where(never, states, weight)
    weight = weight / weight.sum(axis=1, keepdims=True)
    num_draws, num_annotators, num_true, num_given = confusion.shape
    value = weight[:, :, None] * right
    chance: Float[np.ndarray, "S J"] = np.matmul(
        confusion.reshape(num_draws, num_annotators, num_true * num_given),
        value.reshape(num_draws, -1, 1).astype(confusion.dtype),
    )[:, :, 0]
    return chance
