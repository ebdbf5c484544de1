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

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from consilience.analysis.model_evaluation.bootstrap import ratios, weights
from consilience.analysis.model_evaluation.drawn_objects import (
    drawn_objects,
    object_sums,
    random_object,
)
from consilience.analysis.model_evaluation.proposals import propose
from consilience.analysis.model_evaluation.tables import (
    costs_table,
    differences_table,
    labels_table,
    models_table,
)
from consilience.analysis.model_evaluation.truth_sums import truth_sums
from consilience.analysis.model_evaluation.truths import truths
from consilience.errors import CircularError, OptionError
from consilience.notebook import shown_as
from consilience.posterior import Fit
from consilience.posterior.tempering import MAX_DRAWS
from consilience.responses.tables.id_types import restores_types

HALF = 0.5
_NUMBERS = 2**23  # draws x models x items of one sum: 64 MiB


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
    check_settings(top=top, resamples=resamples, prob=prob, tau=tau)
    proposals = propose(fit, predictions, dataset_labels, top)
    if not allow_circular:
        check_not_used_in_fit(fit, proposals.models)
    weightings = list(weights(len(proposals.items), resamples, seed))
    baseline = {}
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
    values = {cell: ratios(*parts, weightings) for cell, parts in sums.items()}
    beside = {cell: ratios(*parts, weightings) for cell, parts in baseline.items()}
    baselines = models_table(["random_object"], baseline, beside, prob)
    judged = np.isnan(sums["accuracy", "all"][0]).any(0).sum(1)
    return Evaluation(
        models=models_table(proposals.models, sums, values, prob),
        differences=differences_table(proposals.models, values, prob),
        labels=labels_table(proposals, sums, weightings, prob),
        baselines=baselines.rename(columns={"model": "baseline"}),
        costs=costs_table(proposals.models, values, prob),
        prob=prob,
        left_out=dict(zip(proposals.models, map(int, judged), strict=True)),
    )


def check_settings(
    *, prob: float, resamples: int = 2, top: int = 1, tau: float = HALF
) -> None:
    """Refuse what no evaluation can use."""
    wrong = {
        f"top {top}: give 1 or more": top < 1,
        f"resamples {resamples}: give 2 or more": resamples < 2,
        f"prob {prob:g}: give a number between 0 and 1": not 0 < prob < 1,
        f"tau {tau:g}: give a share of annotators, between 0 and 1": not 0 < tau < 1,
    }
    for message, is_wrong in wrong.items():
        if is_wrong:
            raise OptionError(message)


def check_not_used_in_fit(fit: Fit, models: list[str]) -> None:
    """Reject models whose predictions a fit has used."""
    names = set(json.loads(fit.data.attrs.get("classifiers", "[]")))
    for group, axis in (("constant_data", "covariate"), ("posterior", _OF_CANDIDATES)):
        if group in fit.data.children and axis in fit.data[group].coords:
            names |= set(map(str, fit.data[group][axis].to_numpy()))
    used = [model for model in models if model in names]
    if used:
        msg = (
            f"the fit was given what {', '.join(used)} predicted, so the evaluation "
            "would be circular; fit without, or ask for it (allow_circular)"
        )
        raise CircularError(msg)


_OF_CANDIDATES = "label_covariate"  # of a fit of objects
