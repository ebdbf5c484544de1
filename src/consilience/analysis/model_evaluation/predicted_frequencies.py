"""Selection frequencies of the labels that models predict, and of the data set's.

A prediction can differ from the data set's label and be one that most people would say
yes to, or agree with it and be one that few would. Set beside a model's accuracy, the
*selection frequency* of its predictions says which its errors are.

It is the mean over items of the share of yes among the answers about the label, a maybe
counting half. Models have predicted without having seen the answers, so this mean is
unbiased however few answers there are, as a count of shares above a threshold is not.
(The means of `frequencies` are not used: they draw the labels of each model towards all
the labels that people were asked about.) Bounds are of items like these, by the
Bayesian bootstrap (Rubin 1981), the same weights for all, so that differences to the
data set's labels are paired.

References
----------
Tsipras, Santurkar, Engstrom, Ilyas and Madry (2020), section 5.2 (selection frequency
of predictions). Rubin (1981), The Bayesian bootstrap, Annals of Statistics 9(1).
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from consilience.analysis.decisions.filtering import vote_shares
from consilience.analysis.model_evaluation.bootstrap import (
    Weights,
    bounds,
    ratios,
    weights,
)
from consilience.analysis.model_evaluation.evaluation import (
    check_not_used_in_fit,
    check_settings,
)
from consilience.analysis.model_evaluation.proposals import Proposals, propose
from consilience.errors import KindError, OptionError
from consilience.posterior import Fit

DATASET = "dataset"


def predicted_frequencies(
    fit: Fit,
    predictions: pd.DataFrame,
    *,
    dataset_labels: pd.DataFrame | None = None,
    resamples: int = 1000,
    prob: float = 0.9,
    seed: int = 0,
    allow_circular: bool = False,
) -> pd.DataFrame:
    """Estimate how often people select the labels that models predict.

    Parameters
    ----------
    fit : Fit
        A fit of kind contains. Its answers are used, whatever its model.
    predictions : pandas.DataFrame
        Columns item, label and rank (from 1), and model where there are several. Only
        the first labels are used.
    dataset_labels : pandas.DataFrame, optional
        Columns item and label: the label of each item in the data set, one each.
    resamples : int, default 1000
        Number of weightings of the items (Bayesian bootstrap).
    prob : float, default 0.9
        Probability of the intervals.
    seed : int, default 0
        Seed of the weights.
    allow_circular : bool, default False
        Allow models whose predictions were covariates of the fit: which labels people
        were asked about, and their answers, do not depend on the posterior.

    Returns
    -------
    pandas.DataFrame
        Columns who (`dataset`, where its labels are given, then the models), statistic,
        subset, value, lower, upper and items (on which people were asked about the
        label). `frequency` is the share of yes. With labels of the data set also
        `less_dataset`, the difference from that of the data set's label (over the items
        that have both), and `accuracy`, the share of these items where the label is the
        data set's: the frequency if people said yes to the data set's label and to
        nothing else. Subsets: `all`; `right` and `wrong`, where a model's label is the
        data set's, and is not.

    Raises
    ------
    PredictionsError
        If a column is missing, a rank occurs twice, or no item is one of the fit.
    CircularError
        If the predictions of a model were covariates of the fit.
    KindError
        If the fit is of another kind.
    OptionError
        If a setting is not valid.

    See Also
    --------
    evaluate : Accuracy against the posterior of the truth.
    frequencies : Selection frequencies of all labels.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="contains", items=20, annotators=6, classes=3, seed=0)
    >>> fit = cs.fit(study.responses, model="contains_states")
    >>> guesses = fit.labels()[["item", "label"]].assign(rank=1, model="asked")
    >>> table = cs.predicted_frequencies(fit, guesses)
    >>> table[["who", "statistic", "value"]].round(2)
         who  statistic  value
    0  asked  frequency   0.48
    """
    check_settings(resamples=resamples, prob=prob)
    _check_kind(fit)
    proposals = propose(fit, predictions, dataset_labels, 1)
    if not allow_circular:
        check_not_used_in_fit(fit, proposals.models)
    weightings = list(weights(len(proposals.items), resamples, seed))
    share = _shares(fit, proposals, proposals.label[:, :, 0])
    observed = ~np.isnan(share)
    parts = []
    if proposals.dataset is None:
        parts.append(_rows(proposals.models, "frequency", "all", share, observed))
    else:
        dataset_share = _shares(fit, proposals, proposals.dataset[None])
        hit = proposals.label[:, :, 0] == proposals.dataset
        parts.append(
            _rows(
                [DATASET], "frequency", "all", dataset_share, ~np.isnan(dataset_share)
            )
        )
        for subset, kept in (("all", observed), ("right", hit), ("wrong", ~hit)):
            parts.append(
                _rows(proposals.models, "frequency", subset, share, observed & kept)
            )
            apart = share - dataset_share
            if subset != "right":
                both = kept & ~np.isnan(apart)
                parts.append(
                    _rows(proposals.models, "less_dataset", subset, apart, both)
                )
        parts.append(
            _rows(proposals.models, "accuracy", "all", hit.astype(float), observed)
        )
    return pd.concat(
        [_report(*part, weightings=weightings, prob=prob) for part in parts],
        ignore_index=True,
    )


EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def error_frequencies(
    fit: Fit,
    predictions: pd.DataFrame,
    *,
    dataset_labels: pd.DataFrame,
    edges: Sequence[float] = EDGES,
    resamples: int = 1000,
    prob: float = 0.9,
    seed: int = 0,
    allow_circular: bool = False,
) -> pd.DataFrame:
    """Return how often people select the labels with which models err.

    An error is a label that is not the data set's. Where most people say yes to it, the
    error is one of the data set rather than of the model.

    Parameters
    ----------
    fit : Fit
        A fit of kind contains. Its answers are used, whatever its model.
    predictions : pandas.DataFrame
        Columns item, label and rank (from 1), and model where there are several. Only
        the first labels are used.
    dataset_labels : pandas.DataFrame
        Columns item and label: the label of each item in the data set, one each.
    edges : sequence of float, default (0, .2, .4, .6, .8, 1)
        Edges of the bins of the share of yes, ascending from 0 to 1.
    resamples, seed : int
        Number and seed of the weightings of the items (Bayesian bootstrap).
    prob : float, default 0.9
        Probability of the intervals.
    allow_circular : bool, default False
        Allow models whose predictions were covariates of the fit.

    Returns
    -------
    pandas.DataFrame
        Columns model, low and high (edges of the bin; the last includes its upper
        edge), value (share of the model's errors), lower, upper and items (errors that
        people were asked about). The shares are of answers, so that few raters spread
        them: of five raters who would each say yes with probability .5, one or none
        does in a fifth of cases.

    Raises
    ------
    PredictionsError
        If a column is missing, a rank occurs twice, or no item is one of the fit.
    CircularError
        If the predictions of a model were covariates of the fit.
    KindError
        If the fit is of another kind.
    OptionError
        If a setting is not valid.

    See Also
    --------
    predicted_frequencies : The mean selection frequency of all predictions.

    References
    ----------
    Tsipras et al. (2020), From ImageNet to image classification: contextualizing
    progress on benchmarks, section 5.2.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="contains", items=20, annotators=6, classes=3, seed=0)
    >>> fit = cs.fit(study.responses, model="contains_states")
    >>> asked = fit.labels()[["item", "label"]]
    >>> table = cs.error_frequencies(
    ...     fit, asked.assign(rank=1), dataset_labels=asked.assign(label="another")
    ... )
    >>> float(table["value"].sum().round(6)), int(table["items"].iloc[0])
    (1.0, 20)
    """
    check_settings(resamples=resamples, prob=prob)
    _check_kind(fit)
    inner = np.asarray(edges, float)
    if len(inner) < 2 or inner[0] != 0 or inner[-1] != 1 or (np.diff(inner) <= 0).any():
        msg = f"edges {list(edges)}: give numbers that ascend from 0 to 1"
        raise OptionError(msg)
    proposals = propose(fit, predictions, dataset_labels, 1)
    if not allow_circular:
        check_not_used_in_fit(fit, proposals.models)
    first = proposals.label[:, :, 0]
    share = _shares(fit, proposals, first)
    wrong = ~np.isnan(share) & (first != proposals.dataset)
    place = np.searchsorted(inner[1:-1], share, side="right")
    weightings = list(weights(len(proposals.items), resamples, seed))
    parts = []
    for number, (low, high) in enumerate(pairwise(inner)):
        values = ratios(
            (wrong & (place == number))[None].astype(float),
            wrong[None].astype(float),
            weightings,
        )
        lower, upper = bounds(values, prob)
        columns = {"model": proposals.models, "low": low, "high": high}
        columns |= {"value": values[0], "lower": lower, "upper": upper}
        parts.append(pd.DataFrame({**columns, "items": wrong.sum(1)}))
    return pd.concat(parts, ignore_index=True)


def _check_kind(fit: Fit) -> None:
    kind = fit.data.attrs["kind"]
    if kind != "contains":
        msg = (
            f"the fit is of kind {kind}; selection frequencies need answers of kind "
            "contains"
        )
        raise KindError(msg)


type _Part = tuple[pd.DataFrame, Float[np.ndarray, "W I"], Bool[np.ndarray, "W I"]]


def _rows(
    who: list[str],
    statistic: str,
    subset: str,
    value: Float[np.ndarray, "W I"],
    members: Bool[np.ndarray, "W I"],
) -> _Part:
    named = pd.DataFrame({"who": who, "statistic": statistic, "subset": subset})
    return named, value, members


def _report(
    named: pd.DataFrame,
    value: Float[np.ndarray, "W I"],
    members: Bool[np.ndarray, "W I"],
    *,
    weightings: Weights,
    prob: float,
) -> pd.DataFrame:
    top = np.where(members, np.nan_to_num(value), 0.0)
    values = ratios(top[None], members[None].astype(float), weightings)
    lower, upper = bounds(values, prob)
    columns = {"value": values[0], "lower": lower, "upper": upper}
    return named.assign(**columns, items=members.sum(1))


def _shares(
    fit: Fit, proposals: Proposals, label: Int[np.ndarray, "W I"]
) -> Float[np.ndarray, "W I"]:
    """Return the share of yes of a label of each item; NaN where nobody was asked."""
    constant = fit.data["constant_data"]
    item, code = (
        index.get_indexer(pd.Index(constant[name].to_numpy()).astype("str"))
        for index, name in (
            (proposals.items, "unit_item"),
            (proposals.names, "unit_label"),
        )
    )
    answered = constant["num_responses"].to_numpy() > 0
    kept = np.flatnonzero((item >= 0) & (code >= 0) & answered)
    key = item[kept].astype(np.int64) * len(proposals.names) + code[kept]
    wanted = np.arange(len(proposals.items)) * len(proposals.names) + label
    place = pd.Index(key).get_indexer(wanted.ravel()).reshape(wanted.shape)
    share = vote_shares(fit)[kept]
    shares: Float[np.ndarray, "W I"] = np.where(place >= 0, share[place], np.nan)
    return shares
