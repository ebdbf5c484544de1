"""Summary of a study of objects: shares of its items.

A share is what is expected of the items, given the fit: the mean of probabilities, each
from the joint draws of the items. Of whom it speaks depends on the fit. A model with a
likelihood speaks of all annotators that there might be: an item holds *several objects*
where more than `tau` of them would name each of two, and has *another main label* where
the label that most of them give as the main one is not the data set's. The rule
`tsipras2020` speaks of the panel that answered, whose votes it takes for facts; with
few annotators for each item its shares are inflated, since a label that wins by chance
is another label. What a panel of so many annotators would find is predicted by
`Fit.panel`, and by `HumanConfusion.panels`.

`evaluate` has the same items in its subsets, in the same draws.

Items that a study began with and did not ask about count, where `of` says that there
are such, as one object under the data set's own label.

References
----------
Tsipras, Santurkar, Engstrom, Ilyas and Madry (2020), section 4.1, whose figures these
are. Rubin (1981), The Bayesian bootstrap, for the bounds.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.analysis.model_evaluation.bootstrap import bounds, ratios, weights
from consilience.analysis.model_evaluation.drawn_objects import (
    DrawnObjects,
    drawn_objects,
    other_main_label,
)
from consilience.analysis.model_evaluation.proposals import labels_of
from consilience.analysis.study.label_pairs import with_dataset_labels
from consilience.errors import OptionError
from consilience.posterior import Fit
from consilience.responses import Responses

_HALF = 0.5


def study_summary(
    fit: Fit,
    responses: Responses,
    *,
    of: int | None = None,
    tau: float = _HALF,
    resamples: int = 1000,
    prob: float = 0.9,
    seed: int = 0,
) -> pd.DataFrame:
    """Estimate the shares of items with several objects and with another main label.

    Parameters
    ----------
    fit : Fit
        A fit of kind objects.
    responses : Responses
        The responses of the fit, with the data set's label of each item.
    of : int, optional
        Number of items in the study; by default those of the fit.
    tau : float, default 0.5
        An object counts if more than this share of annotators name it, where the model
        has such a threshold; in steps of one hundredth.
    resamples, seed : int
        Number and seed of the weightings of the items (Bayesian bootstrap).
    prob : float, default 0.9
        Probability of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per statistic: statistic, value, lower, upper and items (its
        denominator). `several_objects` and `three_objects` (or more) of all items;
        `mean_objects`; `other_main_label` (the label that most annotators would give as
        the main one is not the data set's) of the items of the fit that have a label of
        the data set, of those with several objects (`_several`) and of the others
        (`_single`).

    Raises
    ------
    OptionError
        If the fit is of another kind, no item has a label of the data set, or `of` is
        less than the number of items of the fit.

    See Also
    --------
    valid_labels : Number of valid labels by threshold.

    References
    ----------
    Rubin (1981), The Bayesian bootstrap. Tsipras et al. (2020), From ImageNet to image
    classification: contextualizing progress on benchmarks.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(
    ...     kind="objects", items=16, annotators=8, classes=6, per_item=4, seed=0
    ... )
    >>> fit = cs.fit(study.responses, engine="em")
    >>> cs.study_summary(fit, study.responses)["statistic"].tolist()[:3]
    ['several_objects', 'three_objects', 'mean_objects']
    """
    items = with_dataset_labels(fit, responses)
    answered = items[items["responses"] > 0]
    whole = len(answered) if of is None else of
    if whole < len(answered):
        msg = f"of={of} is less than the {len(answered):,} items of the fit; give more"
        raise OptionError(msg)
    labels = labels_of(fit)
    truth = drawn_objects(fit, pd.Index(answered["item"]), labels, tau)
    shares = _shares(truth, answered, labels)
    rest = whole - len(answered)
    top = np.stack([_padded(s.part, rest, s.part_of_rest) for s in shares], axis=1)
    bottom = np.stack([_padded(s.whole, rest, s.whole_of_rest) for s in shares], axis=1)
    values = ratios(top, bottom, list(weights(whole, resamples, seed)))
    lower, upper = bounds(values, prob)
    return pd.DataFrame(
        {
            "statistic": [share.statistic for share in shares],
            "value": values[0],
            "lower": lower,
            "upper": upper,
            "items": bottom.mean(0).sum(1).round().astype(np.int64),
        }
    )


class _Share(NamedTuple):
    """A statistic as a ratio of sums over items, in each draw of the parameters."""

    statistic: str
    part: Float[np.ndarray, "D I"]
    whole: Float[np.ndarray, "D I"]
    part_of_rest: int = 0
    whole_of_rest: int = 0


def _shares(
    truth: DrawnObjects, answered: pd.DataFrame, labels: pd.Index
) -> tuple[_Share, ...]:
    dataset_label = labels.get_indexer(pd.Index(answered["dataset_label"]))
    judged = (
        answered["dataset_label"].notna() & answered["main_label"].notna()
    ).to_numpy()
    several, other = truth.at_least(2), other_main_label(truth, dataset_label)
    many, three, both, any_other = map(
        truth.probability, (several, truth.at_least(3), several & other, other)
    )
    every = np.ones_like(many)
    single = (1 - many) * judged
    return (
        _Share("several_objects", many, every, 0, 1),
        _Share("three_objects", three, every, 0, 1),
        _Share("mean_objects", truth.expected(truth.numbers), every, 1, 1),
        _Share("other_main_label", any_other * judged, every * judged),
        _Share("other_main_label_several", both * judged, many * judged),
        _Share("other_main_label_single", (any_other - both) * judged, single),
    )


def _padded(
    values: Float[np.ndarray, "D I"], rest: int, of_rest: int
) -> Float[np.ndarray, "D M"]:
    return np.pad(values, ((0, 0), (0, rest)), constant_values=of_rest)
