"""Whether models are as sure as they should be, by the posterior of what items show.

A model that says "dog" with probability .8 is calibrated where eight in ten of such
labels are valid. What is valid is not known but has a posterior, whose probabilities
are averaged as in `evaluate`. Models of which only the best labels are public state no
probability; of these it is given how often the label of each rank is valid.

References
----------
Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks,
section 2. Rubin (1981), The Bayesian bootstrap, for the bounds.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from consilience.analysis.model_evaluation.bootstrap import (
    Values,
    bounds,
    ratios,
    weights,
)
from consilience.analysis.model_evaluation.drawn_objects import drawn_objects
from consilience.analysis.model_evaluation.evaluation import (
    HALF,
    check_not_used_in_fit,
    check_settings,
)
from consilience.analysis.model_evaluation.proposals import Proposals, propose
from consilience.analysis.model_evaluation.truths import truths
from consilience.errors import OptionError
from consilience.posterior import Fit
from consilience.responses.tables.id_types import as_texts


def model_calibration(
    fit: Fit,
    predictions: pd.DataFrame,
    *,
    bins: int = 10,
    tau: float = HALF,
    resamples: int = 1000,
    prob: float = 0.9,
    seed: int = 0,
    allow_circular: bool = False,
) -> pd.DataFrame:
    """Estimate how often labels are valid that models state with some probability.

    Parameters
    ----------
    fit : Fit
        A fit of any kind.
    predictions : pandas.DataFrame
        Columns item, label, rank (from 1) and probability, and model where there are
        several. The first label of each item is used.
    bins : int, default 10
        Number of bins between 0 and 1, all of one width.
    tau : float, default 0.5
        Kind objects: an object is present if more than this share of annotators name
        it.
    resamples, seed : int
        Number and seed of the weightings of the items (Bayesian bootstrap).
    prob : float, default 0.9
        Probability of the intervals.
    allow_circular : bool, default False
        Allow models whose predictions were covariates of the fit.

    Returns
    -------
    pandas.DataFrame
        Columns model, group (the bin, from 0), stated (mean probability that the model
        states), value (expected share of valid labels), lower, upper and items; bins
        without items are left out.

    Raises
    ------
    PredictionsError
        If a column is missing, a rank occurs twice, or no item is one of the fit.
    CircularError
        If the predictions of a model were covariates of the fit.
    OptionError
        If no probability is stated, or a setting is not valid.

    See Also
    --------
    validity_by_rank : The same for models without probabilities.
    evaluate : Accuracy of the models.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
    >>> fit = cs.fit(responses, model="multinomial")
    >>> guesses = fit.items()[["item"]].assign(label="husky", rank=1, probability=0.6)
    >>> table = cs.model_calibration(fit, guesses)
    >>> table[["group", "stated", "value"]].round(2)
       group  stated  value
    0      6     0.6   0.23
    """
    check_settings(resamples=resamples, prob=prob, tau=tau)
    if bins < 1:
        msg = f"bins {bins}: give 1 or more"
        raise OptionError(msg)
    stated_by = predictions.get("probability")
    if stated_by is None or stated_by.isna().all():
        msg = (
            "predictions: they state no probability (column probability); give scores, "
            "or ask for the validity by rank"
        )
        raise OptionError(msg)
    scored = predictions[stated_by.notna()]
    proposals = propose(fit, scored, None, 1)
    if not allow_circular:
        check_not_used_in_fit(fit, proposals.models)
    stated = _stated(scored, proposals)
    group = np.minimum((stated * bins).astype(int), bins - 1)
    valid = _validity(fit, proposals, tau)(proposals.fitted_label[:, :, 0])
    weightings = list(weights(len(proposals.items), resamples, seed))
    parts = []
    for number in range(bins):
        members = (group == number) & ~np.isnan(valid).any(0)
        below = np.broadcast_to(members.astype(float), valid.shape)
        values = ratios(np.nan_to_num(valid) * below, below, weightings)
        columns = {"model": proposals.models, "group": number}
        columns["stated"] = _mean(stated, members)
        parts.append(_table(columns, values, members, prob))
    table = pd.concat(parts, ignore_index=True)
    return table[table["items"] > 0].sort_values(
        ["model", "group"], ignore_index=True, kind="stable"
    )


def validity_by_rank(
    fit: Fit,
    predictions: pd.DataFrame,
    *,
    top: int = 5,
    tau: float = HALF,
    resamples: int = 1000,
    prob: float = 0.9,
    seed: int = 0,
    allow_circular: bool = False,
) -> pd.DataFrame:
    """Estimate how often the label of each rank of a model is valid.

    Parameters
    ----------
    fit : Fit
        A fit of any kind.
    predictions : pandas.DataFrame
        Columns item, label and rank (from 1), and model where there are several.
    top : int, default 5
        Number of ranks; where a model has fewer, all of them.
    tau : float, default 0.5
        Kind objects: an object is present if more than this share of annotators name
        it.
    resamples, seed : int
        Number and seed of the weightings of the items (Bayesian bootstrap).
    prob : float, default 0.9
        Probability of the intervals.
    allow_circular : bool, default False
        Allow models whose predictions were covariates of the fit.

    Returns
    -------
    pandas.DataFrame
        Columns model, rank, value (expected share of valid labels), lower, upper and
        items.

    Raises
    ------
    PredictionsError
        If a column is missing, a rank occurs twice, or no item is one of the fit.
    CircularError
        If the predictions of a model were covariates of the fit.
    OptionError
        If a setting is not valid.

    See Also
    --------
    model_calibration : By the probability that models state.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
    >>> fit = cs.fit(responses, model="multinomial")
    >>> guesses = fit.items()[["item"]].assign(label="husky", rank=1, model="husky")
    >>> cs.validity_by_rank(fit, guesses)[["model", "rank", "value"]].round(2)
       model  rank  value
    0  husky     1   0.23
    """
    check_settings(top=top, resamples=resamples, prob=prob, tau=tau)
    proposals = propose(fit, predictions, None, top)
    if not allow_circular:
        check_not_used_in_fit(fit, proposals.models)
    weightings = list(weights(len(proposals.items), resamples, seed))
    validity = _validity(fit, proposals, tau)
    parts = []
    for place in range(proposals.label.shape[2]):
        valid = validity(proposals.fitted_label[:, :, place])
        listed = proposals.label[:, :, place] >= 0
        members = listed & ~np.isnan(valid).any(0)
        below = np.broadcast_to(members.astype(float), valid.shape)
        values = ratios(np.nan_to_num(valid) * below, below, weightings)
        columns = {"model": proposals.models, "rank": place + 1}
        parts.append(_table(columns, values, members, prob))
    table = pd.concat(parts, ignore_index=True)
    return table[table["items"] > 0].reset_index(drop=True)


def _validity(
    fit: Fit, proposals: Proposals, tau: float
) -> Callable[[Int[np.ndarray, "A I"]], Values]:
    """Return what gives P(valid) of labels; NaN where the fit says nothing."""
    if fit.data.attrs["kind"] == "objects":
        names = proposals.names[: proposals.num_fit_labels]
        drawn = drawn_objects(fit, proposals.items, names, tau)
        return lambda label: np.stack(
            [drawn.probability(drawn.bits_of(drawn.valid, one)) for one in label], 1
        )
    by_draw = truths(fit, proposals.items)
    return lambda label: np.stack([truth.probability(label) for truth in by_draw])


def _stated(scored: pd.DataFrame, proposals: Proposals) -> Float[np.ndarray, "A I"]:
    """Return the probability that each model states of its first label."""
    first = scored[scored["rank"] == 1]
    model = first.get("model", pd.Series("model", first.index)).astype("str")
    item = as_texts(first[["item"]])["item"]
    values = pd.Series(first["probability"].to_numpy(float), [model, item])
    keys = pd.MultiIndex.from_product([proposals.models, proposals.items])
    stated = values.reindex(keys).to_numpy().reshape(-1, len(proposals.items))
    wrong = ~((stated >= 0) & (stated <= 1))
    if wrong.any():
        msg = (
            f"predictions of {proposals.models[int(wrong.any(1).argmax())]!r}: a "
            f"probability is {stated[wrong][0]:g}; give numbers between 0 and 1"
        )
        raise OptionError(msg)
    return stated


def _mean(
    values: Float[np.ndarray, "A I"], members: Bool[np.ndarray, "A I"]
) -> Float[np.ndarray, " A"]:
    number = np.maximum(members.sum(1), 1)
    mean: Float[np.ndarray, " A"] = (values * members).sum(1) / number
    return mean


def _table(
    columns: dict[str, object],
    values: Float[np.ndarray, "S A"],
    members: Bool[np.ndarray, "A I"],
    prob: float,
) -> pd.DataFrame:
    lower, upper = bounds(values, prob)
    return pd.DataFrame(
        {
            **columns,
            "value": values[0],
            "lower": lower,
            "upper": upper,
            "items": members.sum(1),
        }
    )
