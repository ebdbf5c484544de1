r"""Models judged by what items really show, as a fit knows it, not by one old label.

A model proposes labels for each item, the best first. Its accuracy is the share of
items whose proposed label is true; as the truth is known with a probability only, it is
the mean of :math:`p_i`, the probability that the label proposed for item i is true.
Nothing is thresholded. Within a subset that is itself uncertain (items whose data-set
label is wrong, items that show several labels) it is

.. math:: \frac{\sum_i \Pr(\text{label true}, i \in S)}{\sum_i \Pr(i \in S)}.

**Intervals** are of items like these: weights of the items are drawn by the Bayesian
bootstrap (Rubin 1981), the same for all models, so that differences are paired and
"better" is a probability. As what is averaged is the probability and not a truth drawn
from it, doubt about the single items is in them; that the annotators' confusions were
themselves estimated is not.

References
----------
Rubin (1981), The Bayesian bootstrap, Annals of Statistics 9(1). Shankar, Roelofs,
Mania, Fang, Recht and Schmidt (2020), Evaluating machine accuracy on ImageNet, section
3 (multi-label accuracy).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.analysis.proposals import Proposals, propose
from consilience.analysis.truths import UNKNOWN, Truths
from consilience.errors import CircularError, OptionError
from consilience.posterior import Fit

_BLOCK = 2**22  # weights held at once: 32 MiB

type Sums = tuple[Float[np.ndarray, "A I"], Float[np.ndarray, "A I"]]


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """How models stand.

    Attributes
    ----------
    models
        model, metric, subset, value, lower, upper, items (how many are expected to be
        in the subset and could be judged).
    differences
        metric, subset, model, against, difference, lower, upper, better (probability
        that `model` is the better of the two).
    labels
        By label of the data set and model: label, items, right (expected share of items
        of which it is true), model, dataset_accuracy, accuracy. Empty without labels of
        the data set.
    mass
        Probability between the bounds.
    left_out
        By model: how many items could not be judged, since nobody was asked about the
        label that it proposes.
    """

    models: pd.DataFrame
    differences: pd.DataFrame
    labels: pd.DataFrame
    mass: float
    left_out: Mapping[str, int]


def evaluate(
    fit: Fit,
    predictions: pd.DataFrame,
    *,
    dataset_labels: pd.DataFrame | None = None,
    top: int = 5,
    resamples: int = 1000,
    mass: float = 0.9,
    seed: int = 0,
    circular: bool = False,
) -> Evaluation:
    """Judge models by a fit.

    Parameters
    ----------
    fit
        A fit of kind choice or contains.
    predictions
        Columns item, label, rank (from 1); model where there are several.
    dataset_labels
        Columns item, label: the label that each item has in the data set, one each.
    top
        Also how often one of so many labels is true; where a model has fewer, of those.
    resamples
        Weightings of the items.
    mass
        Probability between the bounds.
    seed
        Of the weights.
    circular
        Judge also models that the fit was told of beforehand.

    Returns
    -------
    Metrics: `accuracy` (the first label is true), `top_k` (one of the first k is),
    `dataset_accuracy` and `dataset_top_k` (is the data set's). Subsets: `all`; for
    contains `one_label` and `several_labels` (are true); with labels of the data set
    `label_right` and `label_wrong`.

    Raises
    ------
    PredictionsError
        A column is missing, a rank stands twice, or no item is one of the fit.
    CircularError
        The fit was told what a model had predicted.
    KindError
        The fit is of kind objects.
    OptionError
        A setting cannot be used.
    """
    _check(top, resamples, mass)
    said = propose(fit, predictions, dataset_labels, top)
    if not circular:
        _check_told(fit, said.models)
    sums = dict(_sums(said))
    weights = list(_weights(len(said.items), resamples, seed))
    values = {cell: _ratios(*parts, weights) for cell, parts in sums.items()}
    return Evaluation(
        models=_models(said, sums, values, mass),
        differences=_differences(said, values, mass),
        labels=_by_label(said, sums),
        mass=mass,
        left_out={
            model: int(np.isnan(row).sum())
            for model, row in zip(said.models, sums["accuracy", "all"][0], strict=True)
        },
    )


def _sums(said: Proposals) -> Iterator[tuple[tuple[str, str], Sums]]:
    """Give of each metric and subset both sums of the ratio, by model and item."""
    ask, truth = said.asked, said.truths
    first = ask[:, :, 0]
    true = truth.probability(first)
    judged = np.where(np.isnan(true), np.nan, 1.0)
    depth = ask.shape[2]
    yield ("accuracy", "all"), (true, judged)
    if depth > 1:
        any_true = truth.any_of(ask)
        yield (
            (f"top_{depth}", "all"),
            (any_true, np.where(np.isnan(any_true), np.nan, 1.0)),
        )
    several = np.broadcast_to(truth.several(), true.shape)
    if several.any():
        both = truth.others(first)
        yield ("accuracy", "several_labels"), (both, several * judged)
        yield ("accuracy", "one_label"), (true - both, _one(truth, several) * judged)
    if said.dataset is None:
        return
    same = (said.label[:, :, 0] == said.dataset).astype(float)
    ones = np.ones_like(same)
    yield ("dataset_accuracy", "all"), (same, ones)
    if depth > 1:
        among = (said.label == said.dataset[:, None]).any(2).astype(float)
        yield (f"dataset_top_{depth}", "all"), (among, ones)
    old = np.where(said.dataset < len(truth.labels), said.dataset, UNKNOWN)
    right = np.broadcast_to(truth.probability(old[None]), true.shape)
    both = truth.both(first, old)
    judged = judged * np.where(np.isnan(right), np.nan, 1.0)
    yield ("accuracy", "label_right"), (both, right * judged)
    yield ("accuracy", "label_wrong"), (true - both, (1 - right) * judged)
    yield ("dataset_accuracy", "label_right"), (same * right, right * ones)
    yield ("dataset_accuracy", "label_wrong"), (same * (1 - right), (1 - right) * ones)
    if several.any():
        many = truth.several()
        yield ("dataset_accuracy", "several_labels"), (same * many, many * ones)
        one = _one(truth, several)
        yield ("dataset_accuracy", "one_label"), (same * one, one * ones)


def _one(truth: Truths, several: Float[np.ndarray, "A I"]) -> Float[np.ndarray, "A I"]:
    one: Float[np.ndarray, "A I"] = np.maximum(truth.some() - several, 0.0)
    return one


def _weights(
    items: int, resamples: int, seed: int
) -> Iterator[Float[np.ndarray, "R I"]]:
    generator = np.random.default_rng(seed)
    step = max(1, _BLOCK // items)
    for start in range(0, resamples, step):
        yield generator.exponential(size=(min(step, resamples - start), items))


def _ratios(
    top: Float[np.ndarray, "A I"],
    bottom: Float[np.ndarray, "A I"],
    weights: list[Float[np.ndarray, "R I"]],
) -> Float[np.ndarray, "S A"]:
    """Return the ratio with all weights one, then with each weighting."""
    skipped = np.isnan(top) | np.isnan(bottom)
    above, below = (np.where(skipped, 0.0, each).T for each in (top, bottom))
    ones = np.ones((1, len(above)))
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = [(each @ above) / (each @ below) for each in (ones, *weights)]
    return np.concatenate(parts)


def _bounds(
    values: Float[np.ndarray, "S M"], mass: float
) -> tuple[Float[np.ndarray, " M"], Float[np.ndarray, " M"]]:
    lower, upper = np.quantile(values[1:], [(1 - mass) / 2, (1 + mass) / 2], axis=0)
    return lower, upper


def _models(
    said: Proposals,
    sums: Mapping[tuple[str, str], Sums],
    values: Mapping[tuple[str, str], Float[np.ndarray, "S A"]],
    mass: float,
) -> pd.DataFrame:
    parts = []
    for (metric, subset), found in values.items():
        lower, upper = _bounds(found, mass)
        numbers = np.nansum(sums[metric, subset][1], axis=1)
        columns = {"value": found[0], "lower": lower, "upper": upper, "items": numbers}
        named = {"model": said.models, "metric": metric, "subset": subset}
        parts.append(pd.DataFrame({**named, **columns}))
    return pd.concat(parts, ignore_index=True)


def _differences(
    said: Proposals,
    values: Mapping[tuple[str, str], Float[np.ndarray, "S A"]],
    mass: float,
) -> pd.DataFrame:
    pairs = list(combinations(range(len(said.models)), 2))
    first, second = (np.array([pair[place] for pair in pairs], int) for place in (0, 1))
    models = np.array(said.models, object)
    parts = []
    for (metric, subset), found in values.items():
        apart = found[:, first] - found[:, second]
        lower, upper = _bounds(apart, mass)
        ahead = ((apart[1:] > 0) + (apart[1:] == 0) / 2).mean(0)
        named = {"metric": metric, "subset": subset}
        named |= {"model": models[first], "against": models[second]}
        columns = {"difference": apart[0], "lower": lower, "upper": upper}
        parts.append(pd.DataFrame({**named, **columns, "better": ahead}))
    return pd.concat(parts, ignore_index=True)


def _by_label(said: Proposals, sums: Mapping[tuple[str, str], Sums]) -> pd.DataFrame:
    columns = ["label", "items", "right", "model", "dataset_accuracy", "accuracy"]
    if said.dataset is None:
        return pd.DataFrame(columns=columns)
    codes, group = np.unique(said.dataset, return_inverse=True)
    number = np.bincount(group)
    right = sums["accuracy", "label_right"][1][0]

    def mean(value: Float[np.ndarray, " I"]) -> Float[np.ndarray, " G"]:
        counted = np.bincount(group, ~np.isnan(value), len(codes))
        total = np.bincount(group, np.nan_to_num(value), len(codes))
        with np.errstate(invalid="ignore"):
            share: Float[np.ndarray, " G"] = total / counted
        return share

    parts = [
        pd.DataFrame(
            {
                "label": said.names[codes],
                "items": number,
                "right": mean(right),
                "model": model,
                "dataset_accuracy": mean(sums["dataset_accuracy", "all"][0][place]),
                "accuracy": mean(sums["accuracy", "all"][0][place]),
            }
        )
        for place, model in enumerate(said.models)
    ]
    return pd.concat(parts, ignore_index=True)[columns]


def _check(top: int, resamples: int, mass: float) -> None:
    wrong = {
        f"top {top}: give 1 or more": top < 1,
        f"resamples {resamples}: give 2 or more": resamples < 2,
        f"mass {mass:g}: give a number between 0 and 1": not 0 < mass < 1,
    }
    for message, is_wrong in wrong.items():
        if is_wrong:
            raise OptionError(message)


def _check_told(fit: Fit, models: list[str]) -> None:
    told = fit.data["constant_data"].coords
    names = set(json.loads(fit.data.attrs.get("told_of", "[]")))
    names |= set(map(str, told["covariate"].to_numpy() if "covariate" in told else ()))
    used = [model for model in models if model in names]
    if used:
        msg = (
            f"the fit was told what {', '.join(used)} predicted, so it would judge "
            "what it already believes; fit without, or ask for it (circular)"
        )
        raise CircularError(msg)
