r"""Models evaluated against the posterior of the truth, not against one fixed label.

A model proposes labels for each item, the best first. Its accuracy is the share of
items whose proposed label is true; as the truth is known with a probability only, it is
the mean of :math:`p_i`, the probability that the label proposed for item i is true.
Nothing is thresholded. Within a subset that is itself uncertain (items whose data-set
label is wrong, items that show several objects) it is

.. math:: \frac{\sum_i \Pr(\text{label true}, i \in S)}{\sum_i \Pr(i \in S)}.

**True** is, of kind choice, the label that is the truth; of contains, each that is
present; of objects, each name of an object that more than `tau` of annotators would
name (multi-label accuracy, names of one object counted alike). Of objects a model is
judged by the main object as well: `main_object`, its label is one of the names of that
object; `main_label`, it is the label that most would give.

**Intervals** are of items like these: weights of the items are drawn by the Bayesian
bootstrap (Rubin 1981), the same for all models, so that differences are paired and
"better" is a probability. As what is averaged is the probability and not a truth drawn
from it, doubt about the single items is in them. Each weighting takes its probabilities
from one of the fit's draws of the parameters, so that bounds carry that annotators were
themselves estimated; where a fit is a point (`em` without draws), they do not. Weights
and draws are taken for independent. Where the items judged are those that told the
parameters, and tell little by themselves, they are not: if each item's probability is
drawn to the mean of all by a share :math:`1 - s`, the variance comes out
:math:`s^2 + (1 - s)^2` times what it should be, so that bounds are at worst .71 as wide
(:math:`s = 1/2`).

References
----------
Rubin (1981), The Bayesian bootstrap, Annals of Statistics 9(1). Shankar, Roelofs,
Mania, Fang, Recht and Schmidt (2020), Evaluating machine accuracy on ImageNet, section
3 (multi-label accuracy). Tsipras, Santurkar, Engstrom, Ilyas and Madry (2020), section
5 (main label, number of objects, a random object as baseline).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.sparse import csr_array

from consilience.analysis.drawn_objects import (
    drawn_objects,
    object_sums,
    random_object,
)
from consilience.analysis.proposals import Proposals, propose
from consilience.analysis.shares import (
    Cell,
    Resampling,
    Share,
    Sums,
    bounds,
    weighted_sums,
)
from consilience.analysis.truths import truth_sums, truths
from consilience.errors import OptionError
from consilience.notebook import shown_as
from consilience.posterior import Fit
from consilience.posterior.truth import MAX_DRAWS
from consilience.responses.tables.id_types import restores_types

HALF = 0.5
MEAN = "mean of the models"
_NUMBERS = 2**23  # draws x models x items of one sum: 64 MiB
_OF_MODELS = ["model", "metric", "subset", "value", "lower", "upper", "items"]
_OF_LABELS = ["label", "items", "right", "model", "dataset_accuracy", "accuracy"]
_FOLLOWED = ["wrong", "followed", "followed_lower", "followed_upper"]
_WRONG = ("other_main_label", "label_wrong")  # the first that there is
type Cells = Mapping[Cell, Sums]
type Ratios = Mapping[Cell, Float[np.ndarray, "S A"]]


@shown_as("models", "differences", "labels", "baselines", "costs", facts=("prob",))
@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """How models perform against the posterior of the truth.

    Attributes
    ----------
    models : pandas.DataFrame
        Columns model, metric, subset, value, lower, upper and items (expected number in
        the subset that could be judged).
    differences : pandas.DataFrame
        Columns metric, subset, model, against, difference, lower, upper and better
        (probability that `model` is the better of the two).
    labels : pandas.DataFrame
        One row per label of the data set and model: label, items, right (expected share
        of items with that true label), model, dataset_accuracy, accuracy, wrong
        (expected number of items whose true label is another; for objects, whose main
        label is another), followed (the share of these on which the model gives the
        label nevertheless) with followed_lower and followed_upper. Empty without labels
        of the data set.
    baselines : pandas.DataFrame
        For objects, with labels of the data set: baseline, metric, subset, value,
        lower, upper and items. `random_object` names one of the item's objects at
        random, by its most frequent label.
    costs : pandas.DataFrame
        Columns model, metric, value, lower and upper: the metric on items with one
        object (contains: one label) less that on items with several, of each model and
        of the mean of the models. Empty where items have one label by definition.
    prob : float
        Probability of the intervals.
    left_out : mapping of str to int
        By model, the number of items that could not be judged, because no annotator was
        asked about the label that it predicts.

    See Also
    --------
    consilience.evaluate : Compute it.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
    >>> fit = cs.fit(responses, model="multinomial")
    >>> guesses = fit.items()[["item"]].assign(label="husky", rank=1, model="husky")
    >>> cs.evaluate(fit, guesses).models.columns.tolist()
    ['model', 'metric', 'subset', 'value', 'lower', 'upper', 'items']
    """

    models: pd.DataFrame
    differences: pd.DataFrame
    labels: pd.DataFrame
    baselines: pd.DataFrame
    costs: pd.DataFrame
    prob: float
    left_out: Mapping[str, int]


@restores_types
def evaluate(  # noqa: PLR0913 (each option stands alone)
    fit: Fit,
    predictions: pd.DataFrame,
    *,
    dataset_labels: pd.DataFrame | None = None,
    top: int = 5,
    tau: float = HALF,
    resamples: int = 1000,
    prob: float = 0.9,
    seed: int = 0,
    allow_circular: bool = False,
) -> Evaluation:
    """Estimate the accuracy of models against the posterior of the truth.

    Parameters
    ----------
    fit : Fit
        A fit of any kind.
    predictions : pandas.DataFrame
        Columns item, label and rank (from 1), and model where there are several.
    dataset_labels : pandas.DataFrame, optional
        Columns item and label: the label of each item in the data set, one each.
    top : int, default 5
        Number of labels of the top-k metrics; where a model has fewer, all of them.
    tau : float, default 0.5
        Kind objects: an object is present if more than this share of annotators name
        it.
    resamples : int, default 1000
        Number of weightings of the items (Bayesian bootstrap).
    prob : float, default 0.9
        Probability of the intervals.
    seed : int, default 0
        Seed of the weights.
    allow_circular : bool, default False
        Allow models whose predictions were covariates of the fit.

    Returns
    -------
    Evaluation
        Metrics: `accuracy` (the first label is true), `top_k` (one of the first k is),
        `dataset_accuracy` and `dataset_top_k` (agreement with the data set's label);
        for objects also `main_object` and `main_label`. Subsets: `all`; for contains
        `one_label` and `several_labels` (are true); for objects `one_object` (at most),
        `several_objects`, `two_objects`, `three_objects`, `four_objects` (or more);
        with labels of the data set `label_right` and `label_wrong`, for objects also
        `other_main_label` and `other_main_label_several` (with several objects).

    Raises
    ------
    PredictionsError
        If a column is missing, a rank occurs twice, or no item is one of the fit.
    CircularError
        If the predictions of a model were covariates of the fit.
    OptionError
        If a setting is not valid, or a fit of objects has no draws of them.

    See Also
    --------
    compare_confusion : Which labels models confuse.
    consilience.score : Score a fit against gold labels.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
    >>> fit = cs.fit(responses, model="multinomial")
    >>> guesses = fit.items()[["item"]].assign(label="husky", rank=1, model="husky")
    >>> table = cs.evaluate(fit, guesses).models
    >>> table[["model", "metric", "value"]].head(1).round(2)
       model    metric  value
    0  husky  accuracy   0.23
    """
    check_tau(tau)
    proposals = propose(
        fit, predictions, dataset_labels, top, allow_circular=allow_circular
    )
    how = Resampling(len(proposals.items), resamples, prob, seed)
    baseline: Cells = {}
    if fit.data.attrs["kind"] == "objects":
        drawn = drawn_objects(
            fit, proposals.items, proposals.names[: proposals.num_fit_labels], tau
        )
        sums = dict(object_sums(proposals, drawn))
        baseline = dict(random_object(proposals, drawn))
    else:
        draws = _NUMBERS // (len(proposals.models) * len(proposals.items))
        drawn_truths = truths(fit, proposals.items, max(1, min(MAX_DRAWS, draws)))
        sums = dict(truth_sums(proposals, drawn_truths))
    values = {cell: how.ratios(*parts) for cell, parts in sums.items()}
    beside = {cell: how.ratios(*parts) for cell, parts in baseline.items()}
    baselines = _models_table(["random_object"], baseline, beside, how)
    judged = np.isnan(sums["accuracy", "all"][0]).any(0).sum(1)
    return Evaluation(
        models=_models_table(proposals.models, sums, values, how),
        differences=_differences_table(proposals.models, values, how),
        labels=_labels_table(proposals, sums, how),
        baselines=baselines.rename(columns={"model": "baseline"}),
        costs=_costs_table(proposals.models, values, how),
        prob=prob,
        left_out=dict(zip(proposals.models, map(int, judged), strict=True)),
    )


def check_tau(tau: float) -> None:
    """Refuse what is no share of annotators."""
    if not 0 < tau < 1:
        msg = f"tau {tau:g}: give a share of annotators, between 0 and 1"
        raise OptionError(msg)


def _models_table(
    names: list[str], sums: Cells, values: Ratios, how: Resampling
) -> pd.DataFrame:
    parts = [
        how.rows(
            Share({"model": names, "metric": cell[0], "subset": cell[1]}, *sums[cell]),
            ratio,
        )
        for cell, ratio in values.items()
    ]
    if not parts:
        return pd.DataFrame(columns=_OF_MODELS)
    return pd.concat(parts, ignore_index=True)


def _differences_table(
    names: list[str], values: Ratios, how: Resampling
) -> pd.DataFrame:
    pairs = list(combinations(range(len(names)), 2))
    first, second = (np.array([pair[place] for pair in pairs], int) for place in (0, 1))
    models = np.array(names, object)
    parts = []
    for (metric, subset), ratio in values.items():
        apart = ratio[:, first] - ratio[:, second]
        ahead = ((apart[1:] > 0) + (apart[1:] == 0) / 2).mean(0)
        named = {"metric": metric, "subset": subset}
        named |= {"model": models[first], "against": models[second]}
        columns = how.interval(apart, "difference")
        parts.append(pd.DataFrame({**named, **columns, "better": ahead}))
    return pd.concat(parts, ignore_index=True)


def _costs_table(names: list[str], values: Ratios, how: Resampling) -> pd.DataFrame:
    """Return the metric where items have one object or label, less where several."""
    parts = []
    for metric in dict.fromkeys(metric for metric, _ in values):
        for what in ("object", "label"):
            one, several = (metric, f"one_{what}"), (metric, f"several_{what}s")
            if one not in values or several not in values:
                continue
            apart = values[one] - values[several]
            apart = np.concatenate([apart, apart.mean(1, keepdims=True)], axis=1)
            named = {"model": [*names, MEAN], "metric": metric}
            parts.append(pd.DataFrame({**named, **how.interval(apart)}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _labels_table(proposals: Proposals, sums: Cells, how: Resampling) -> pd.DataFrame:
    """Return how the data set and the models do on the items of each label."""
    if proposals.dataset is None:
        return pd.DataFrame(columns=_OF_LABELS + _FOLLOWED)
    codes, group = np.unique(proposals.dataset, return_inverse=True)
    # Subsets that have no item in any draw are not among the sums.
    nothing = (np.zeros_like(sums["accuracy", "all"][0]),) * 2
    cells = [("dataset_accuracy", subset) for subset in _WRONG]
    wrong = next((sums[cell] for cell in cells if cell in sums), nothing)
    right = sums.get(("dataset_accuracy", "label_right"), nothing)[1]
    is_right = _mean(right, group)[:, 0]
    of_dataset = _mean(sums["dataset_accuracy", "all"][0], group)
    accuracy = _mean(sums["accuracy", "all"][0], group)
    place = np.arange(len(group)), group

    def by_label(values: Float[np.ndarray, "D I"]) -> Float[np.ndarray, "S G"]:
        by_draw = [csr_array((np.nan_to_num(each), place)) for each in values]
        return weighted_sums(by_draw, how.weightings)

    parts = []
    for number, model in enumerate(proposals.models):
        given, wrong_items = (by_label(values[:, number]) for values in wrong)
        followed = given / np.where(wrong_items > 0, wrong_items, np.nan)
        columns = [proposals.names[codes], np.bincount(group), is_right, model]
        columns += [of_dataset[:, number], accuracy[:, number], wrong_items[0]]
        columns += [followed[0], *bounds(followed, how.prob)]
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
