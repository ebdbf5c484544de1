"""Tables of annotators: their accuracy, that of their groups, and what columns add.

Accuracy is the chance that an answer names the truth: in each draw
sum_k p_k sum_l c_kl v_lk, with p the prevalence of the true states (what is known of
candidates included), c the annotator's confusion and v_lk how far answer l is a vote
for state k (1 for the same label; one half for *maybe* between absent and present).
Several states that count as present, or as absent, are weighted by their prevalence.
Bounds are those of fewer answers where errors are correlated (`design_effect`).

The accuracy of a group is the mean of that of its annotators, in each draw. A
difference is taken within draws, so that what groups have in common cancels.

Candidates may have columns of numbers, such as the scores of classifiers. A weight is
the change in log-odds for one standard deviation of the column, a slope that for one
unit of it: of the log of a probability, a slope of one would take the classifier at its
word. The relative information of all columns is what they contain about the truth over
that of one answer, of an annotator drawn at random.

Where labels are ordered, e is an answer less the truth, in units of labels that are
numbers, else in places. Weighted by prevalence, the bias is its mean and the precision
one over its standard deviation; the extremity is by how much the slope of the mean
answer over the truth exceeds one, so that who keeps to the middle is below zero.

References
----------
Dawid and Skene (1979), section 2; Hovy et al. (2013), section 2.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Shaped

from consilience.intervals import move_bound
from consilience.posterior.confusion import annotator_design_effect, widen
from consilience.posterior.stored import (
    Estimate,
    answers_given,
    category,
    copies,
    draws,
    estimate,
    label_values,
    names,
    stored,
)
from consilience.posterior.truth import MIN_PROBABILITY
from consilience.when_used import xr


def skills(data: xr.DataTree) -> pd.DataFrame:
    """Skill of each annotator with an id."""
    kept = stored(data, "annotators")
    if kept is not None:
        return kept
    constant = data["constant_data"]
    people = np.flatnonzero(constant["annotator_identified"].to_numpy())
    votes = constant["votes"].transpose("true_class", "given_class").to_numpy()
    everyone = np.ones(len(votes), dtype=bool)
    accuracy = _chance(data, everyone, votes)
    columns = {
        "annotator": category(people, names(data, "annotator")),
        "responses": answers_given(data)[people],
        **accuracy.of(people).columns("accuracy"),
    }
    if data.attrs["kind"] == "contains":
        present = constant["present"].to_numpy()
        given = names(data, "given_class")
        for column, states, answer in (
            ("sensitivity", present == 1, "yes"),
            ("specificity", present == 0, "no"),
        ):
            right = np.broadcast_to((given == answer).astype(float), votes.shape)
            chance = _chance(data, states, right).of(people)
            columns |= chance.columns(column, f"{column}_")
    effect, prob = annotator_design_effect(data), float(data.attrs["prob"])
    for name, values in _scale(data).items():
        columns |= _stated(values, effect, prob).of(people).columns(name, f"{name}_")
    spammer = draws(data, "spammer", ("annotator",))  # how often each has a habit
    if spammer is not None:
        columns |= estimate(spammer, prob).of(people).columns("spammer", "spammer_")
    table = pd.DataFrame(columns)
    sources = {pair["annotator"]: pair["copy_of"] for pair in copies(data)[::-1]}
    if not sources:
        return table
    source = table["annotator"].astype("str").map(sources).fillna("")
    return table.assign(copy_of=source.astype("str"))


def _scale(data: xr.DataTree) -> dict[str, Float[np.ndarray, "S J"]]:
    """Return draws of how annotators use an ordered scale; none where no draw says."""
    confusion = draws(data, "confusion", ("annotator", "true_class", "given_class"))
    prevalence = draws(data, "prevalence", ("true_class",))
    if not data.attrs.get("ordered") or confusion is None or prevalence is None:
        return {}
    value = label_values(names(data, "given_class"))
    given, weight = confusion @ value, prevalence[:, None]
    square = confusion @ value**2 - 2 * given * value + value**2
    bias = (weight * (given - value)).sum(2)
    error = np.sqrt(np.maximum((weight * square).sum(2) - bias**2, MIN_PROBABILITY))
    away = value - (weight * value).sum(2, keepdims=True)
    slope = (weight * away * given).sum(2) / (weight * away**2).sum(2)
    return {"bias": bias, "precision": 1 / error, "extremity": slope - 1}


def _information(data: xr.DataTree) -> Float[np.ndarray, "S J"] | None:
    """Return draws of what an answer tells of the truth, in nats."""
    confusion = draws(data, "confusion", ("annotator", "true_class", "given_class"))
    prevalence = draws(data, "prevalence", ("true_class",))
    if confusion is None or prevalence is None:
        return None
    given = np.maximum(confusion.astype(float), MIN_PROBABILITY)
    overall = np.einsum("sk,sjkl->sjl", prevalence, given)
    return np.einsum(
        "sk,sjkl,sjkl->sj", prevalence, given, np.log(given / overall[:, :, None])
    )


def _stated(
    values: Float[np.ndarray, "S M"], effect: Float[np.ndarray, " M"], prob: float
) -> Estimate:
    """Return estimates whose bounds are those of fewer answers, by a design effect."""
    stated = estimate(values, prob)
    apart = np.stack(stated.parts()[1:]) - stated.mean
    return Estimate(stated.mean, *(stated.mean + np.sqrt(effect) * apart))


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

    States count alike where the model has no prevalence.
    """
    accuracy = draws(data, "accuracy", ("annotator",))
    if accuracy is not None:
        return accuracy
    prevalence = draws(data, "mean_prior", ("true_class",))
    if prevalence is None:
        prevalence = draws(data, "prevalence", ("true_class",))
    confusion = draws(data, "confusion", ("annotator", "true_class", "given_class"))
    if confusion is None:
        return None
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
    return np.matmul(
        confusion.reshape(num_draws, num_annotators, num_true * num_given),
        value.reshape(num_draws, -1, 1).astype(confusion.dtype),
    )[:, :, 0]


def annotator_groups(data: xr.DataTree) -> pd.DataFrame:
    """Return the accuracy of each group of annotators."""
    names, members, accuracy, wider = _groups(data)
    prob = float(data.attrs["prob"])
    mean = _bounded(_means(accuracy, members), _means(wider, members), prob)
    spreads = [
        wider[:, who].std(1, ddof=1) if who.sum() > 1 else np.full(len(wider), np.nan)
        for who in members
    ]
    spread = estimate(np.stack(spreads, 1) if spreads else np.empty((1, 0)), prob)
    answers = np.zeros(members.shape[1], int)
    if len(names):
        answers = data["constant_data"]["annotator_responses"].to_numpy()
    columns = {
        "group": category(np.arange(len(names)), names),
        "annotators": members.sum(1),
        "responses": members @ answers,
        **mean.columns("accuracy"),
        **spread.columns("spread", "spread_"),
    }
    bias = _scale(data).get("bias") if len(members) else None
    if bias is not None:
        effect = _means(annotator_design_effect(data)[None], members)[0]
        stated = _stated(_means(bias, members), effect, prob)
        columns |= stated.columns("bias", "bias_")
    return pd.DataFrame(columns)


def group_differences(data: xr.DataTree) -> pd.DataFrame:
    """Return by how much annotators of one group are more accurate than of another."""
    names, members, accuracy, wider = _groups(data)
    pairs = np.array([*combinations(range(len(names)), 2)], int).reshape(-1, 2)
    if len(accuracy) < 2:  # of a point, nothing is the more accurate with a probability
        pairs = pairs[:0]
    close, apart = (
        means[:, pairs[:, 0]] - means[:, pairs[:, 1]]
        for means in (_means(accuracy, members), _means(wider, members))
    )
    prob, name = float(data.attrs["prob"]), "relative_information"
    difference = _bounded(close, apart, prob)
    information = _information(data) if len(pairs) else None
    ratio = np.full((1, len(pairs)), np.nan)
    if information is not None:
        of_group = _means(information, members)
        ratio = of_group[:, pairs[:, 0]] / of_group[:, pairs[:, 1]]
    return pd.DataFrame(
        {
            "group": category(pairs[:, 0], names),
            "other_group": category(pairs[:, 1], names),
            **difference.columns("difference"),
            "p_greater": (apart > 0).mean(0),
            **estimate(ratio, prob).columns(name, f"{name}_"),
        }
    )


class _Groups(NamedTuple):
    """The names of groups, who is in them, and draws of all accuracies.

    Groups have annotators with an id. Draws are also given as of fewer answers, where
    errors are correlated; there is one of NaN where there are none.
    """

    names: Shaped[np.ndarray, " G"]
    members: Bool[np.ndarray, "G J"]
    accuracy: Float[np.ndarray, "S J"]
    wider: Float[np.ndarray, "S J"]


def _groups(data: xr.DataTree) -> _Groups:
    constant = data["constant_data"]
    number = constant.sizes.get("annotator", 0)  # a heuristic has no annotators
    nothing = np.full((1, number), np.nan)
    if "annotator_group" not in constant.coords:
        members = np.zeros((0, number), bool)
        return _Groups(np.zeros(0, object), members, nothing, nothing)
    identified = constant["annotator_identified"].to_numpy().astype(bool)
    names = constant["annotator_group"].to_numpy()
    code = constant["group_of_annotator"].to_numpy()
    members = (code == np.arange(len(names))[:, None]) & identified
    some = members.any(1)
    votes = constant["votes"].transpose("true_class", "given_class").to_numpy()
    accuracy = _chances(data, np.ones(len(votes), bool), votes) if some.any() else None
    if accuracy is None:
        return _Groups(names[some], members[some], nothing, nothing)
    factor = np.sqrt(annotator_design_effect(data))[None]
    mean = np.broadcast_to(accuracy.mean(0), accuracy.shape)
    wider = move_bound(accuracy, mean, mean, factor)
    return _Groups(names[some], members[some], accuracy, wider)


def _bounded(
    values: Float[np.ndarray, "S G"], wider: Float[np.ndarray, "S G"], prob: float
) -> Estimate:
    """Return the mean of draws, with the bounds of others."""
    _, lower, upper = estimate(wider, prob).parts()
    return Estimate(values.mean(0), lower, upper)


def _means(
    accuracy: Float[np.ndarray, "S J"], members: Bool[np.ndarray, "G J"]
) -> Float[np.ndarray, "S G"]:
    share = members / np.maximum(members.sum(1, keepdims=True), 1)
    return accuracy @ share.T


def covariate_effects(data: xr.DataTree) -> pd.DataFrame:
    """Return the weight of each column of the candidates."""
    weight, names, spread = np.empty((1, 0)), np.zeros(0, object), np.ones(0)
    drawn = draws(data, "weight", ("covariate",))
    if drawn is not None:
        weight, names = drawn, data["posterior"]["covariate"].to_numpy()
        spread = data["constant_data"]["covariate_spread"].to_numpy()
    interval = estimate(weight, float(data.attrs["prob"]))
    return pd.DataFrame(
        {
            "column": pd.Series(list(map(str, names)), dtype="str"),
            **interval.columns("weight"),
            "slope": interval.mean / spread,
        }
    )


def relative_information(data: xr.DataTree) -> pd.DataFrame:
    """Return the information of all covariates, in answers of an annotator."""
    drawn = draws(data, "relative_information", ())
    values = np.empty((1, 0)) if drawn is None else drawn[:, None]
    interval = estimate(values, float(data.attrs["prob"]))
    return pd.DataFrame(interval.columns("relative_information"))
