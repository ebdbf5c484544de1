"""Shares of a model's labels that are valid, and that people say yes to.

**Calibration.** A model that says "dog" with probability .8 is calibrated where eight
in ten of such labels are valid. What is valid is not known but has a posterior, whose
probabilities are averaged as in `evaluate`. Of models of which only the best labels are
public it is given how often the label of each rank is valid.

**Selection frequencies.** A prediction can differ from the data set's label and be one
that most people would say yes to, or agree with it and be one that few would. The
*selection frequency* of a model's predictions is the mean over items of the share of
yes among the answers about the label, a maybe counting half. Models have predicted
without having seen the answers, so this mean is unbiased however few answers there are,
as a count of shares above a threshold is not. (The means of `frequencies` are not used:
they draw the labels of each model towards all the labels that people were asked about.)

References
----------
Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks,
section 2. Tsipras, Santurkar, Engstrom, Ilyas and Madry (2020), section 5.2 (selection
frequency of predictions). Rubin (1981), The Bayesian bootstrap, for the bounds.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.analysis.decisions import vote_shares
from consilience.analysis.drawn_objects import drawn_objects
from consilience.analysis.evaluation import HALF, check_tau
from consilience.analysis.proposals import Proposals, propose
from consilience.analysis.shares import Resampling, Values, mean_share
from consilience.analysis.truths import truths
from consilience.errors import KindError, OptionError
from consilience.posterior import Fit
from consilience.responses.tables.id_types import as_texts

DATASET = "dataset"
EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


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
    tau, resamples, prob, seed, allow_circular
        See `evaluate`.

    Returns
    -------
    pandas.DataFrame
        Columns model, group (the bin, from 0), stated (mean probability that the model
        states), value (expected share of valid labels), lower, upper and items; bins
        without items are left out.

    Raises
    ------
    PredictionsError, CircularError
        See `evaluate`.
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
    check_tau(tau)
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
    proposals = propose(fit, scored, None, 1, allow_circular=allow_circular)
    how = Resampling(len(proposals.items), resamples, prob, seed)
    stated = _stated(scored, proposals)
    group = np.minimum((stated * bins).astype(int), bins - 1)
    valid = _validity(fit, proposals, tau)(proposals.fitted_label[:, :, 0])
    judged = ~np.isnan(valid).any(0)
    shares = []
    for number in range(bins):
        members = judged & (group == number)
        mean = (stated * members).sum(1) / np.maximum(members.sum(1), 1)
        named = {"model": proposals.models, "group": number, "stated": mean}
        shares.append(mean_share(valid, members, named))
    table = how.table(shares)
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
    tau, resamples, prob, seed, allow_circular
        See `evaluate`.

    Returns
    -------
    pandas.DataFrame
        Columns model, rank, value (expected share of valid labels), lower, upper and
        items.

    Raises
    ------
    PredictionsError, CircularError
        See `evaluate`.
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
    check_tau(tau)
    proposals = propose(fit, predictions, None, top, allow_circular=allow_circular)
    how = Resampling(len(proposals.items), resamples, prob, seed)
    validity = _validity(fit, proposals, tau)
    shares = []
    for place in range(proposals.label.shape[2]):
        valid = validity(proposals.fitted_label[:, :, place])
        listed = proposals.label[:, :, place] >= 0
        named = {"model": proposals.models, "rank": place + 1}
        shares.append(mean_share(valid, listed & ~np.isnan(valid).any(0), named))
    table = how.table(shares)
    return table[table["items"] > 0].reset_index(drop=True)


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
    dataset_labels, resamples, prob, seed, allow_circular
        See `evaluate`. Which labels people were asked about, and their answers, do not
        depend on the posterior.

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
    PredictionsError, CircularError
        See `evaluate`.
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
    _check_kind(fit)
    proposals = propose(
        fit, predictions, dataset_labels, 1, allow_circular=allow_circular
    )
    how = Resampling(len(proposals.items), resamples, prob, seed)
    models, dataset = proposals.models, proposals.dataset
    first = proposals.label[:, :, 0]
    share = _shares(fit, proposals, first)
    observed = ~np.isnan(share)
    of_all = {"who": models, "statistic": "frequency", "subset": "all"}
    if dataset is None:
        return how.table([mean_share(share, observed, of_all)])
    dataset_share = _shares(fit, proposals, dataset[None])
    hit, apart = first == dataset, share - dataset_share
    both = ~np.isnan(apart)
    less = of_all | {"statistic": "less_dataset"}
    return how.table(
        [
            mean_share(
                dataset_share, ~np.isnan(dataset_share), of_all | {"who": [DATASET]}
            ),
            mean_share(share, observed, of_all),
            mean_share(apart, observed & both, less),
            mean_share(share, observed & hit, of_all | {"subset": "right"}),
            mean_share(share, observed & ~hit, of_all | {"subset": "wrong"}),
            mean_share(apart, both & ~hit, less | {"subset": "wrong"}),
            mean_share(hit.astype(float), observed, of_all | {"statistic": "accuracy"}),
        ]
    )


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
    resamples, prob, seed, allow_circular
        See `evaluate`.

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
    PredictionsError, CircularError
        See `evaluate`.
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
    _check_kind(fit)
    inner = np.asarray(edges, float)
    if len(inner) < 2 or inner[0] != 0 or inner[-1] != 1 or (np.diff(inner) <= 0).any():
        msg = f"edges {list(edges)}: give numbers that ascend from 0 to 1"
        raise OptionError(msg)
    proposals = propose(
        fit, predictions, dataset_labels, 1, allow_circular=allow_circular
    )
    how = Resampling(len(proposals.items), resamples, prob, seed)
    first = proposals.label[:, :, 0]
    share = _shares(fit, proposals, first)
    wrong = ~np.isnan(share) & (first != proposals.dataset)
    place = np.searchsorted(inner[1:-1], share, side="right")
    return how.table(
        mean_share(
            (place == number).astype(float),
            wrong,
            {"model": proposals.models, "low": low, "high": high},
        )
        for number, (low, high) in enumerate(pairwise(inner))
    )


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


def _check_kind(fit: Fit) -> None:
    kind = fit.data.attrs["kind"]
    if kind != "contains":
        msg = (
            f"the fit is of kind {kind}; selection frequencies need answers of kind "
            "contains"
        )
        raise KindError(msg)


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
