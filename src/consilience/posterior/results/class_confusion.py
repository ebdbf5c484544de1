"""The confusion of a fit of classes, at any level of the hierarchy of labels.

A level is so many steps up from the labels: 1 is that of their superclasses. There,
each class that was asked about weighs alike in its group.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy.stats import beta

from consilience.class_confusion.class_posterior import ClassPosterior, class_posterior
from consilience.intervals import bounds
from consilience.posterior.results.frames import category, names
from consilience.posterior.stored_fit.restored import restored_draws, restored_space
from consilience.truth.space import ChoiceSpace
from consilience.when_used import xr

MIN_PROBABILITY = 0.01  # of a cell without answers that is worth a row
_DRAWS = 1000  # of the confusion of groups of labels


def posterior_of(data: xr.DataTree) -> ClassPosterior:
    """Return what a fit of classes says of how their items are called.

    Parameters
    ----------
    data
        A fit of classes.
    """
    space = restored_space(data)
    if not isinstance(space, ChoiceSpace):
        msg = "a fit of classes is of kind choice"
        raise TypeError(msg)
    drawn = {
        name: values for name, values in restored_draws(data).items() if values.ndim == 2
    }
    return class_posterior(space, drawn)


def class_tables(data: xr.DataTree) -> dict[str, pd.DataFrame]:
    """Return the tables that a fit of classes holds.

    Parameters
    ----------
    data
        A fit of classes.
    """
    posterior, prob = posterior_of(data), float(data.attrs["prob"])
    table = population_table(posterior, names(data, "true_class"), prob)
    table = table.drop(columns="votes")
    return {"confusion": table}


def population_table(
    posterior: ClassPosterior,
    labels: np.ndarray,
    prob: float,
    min_probability: float = MIN_PROBABILITY,
    only: int | None = None,
) -> pd.DataFrame:
    """Return the cells that have answers, or at least so large a probability.

    Parameters
    ----------
    posterior
        What a fit says.
    labels
        Names of the labels.
    prob
        Probability that an interval holds.
    min_probability
        Smallest probability of a cell without answers.
    only
        The class whose cells are wanted, all of them; None: those of all classes.

    Returns
    -------
    Columns annotator (null: the population), true_label, given_label, probability,
    lower, upper and votes; classes in order, the most probable label first.
    """
    mean = posterior.probability()
    counts = posterior.label_counts
    votes = counts.by_class(counts.votes)
    kept = ((mean >= min_probability) | (votes > 0)) & has_answers(posterior)[:, None]
    if only is not None:
        kept = np.arange(len(mean))[:, None] == np.full_like(mean, only)
    row, column = np.nonzero(kept)
    order = np.lexsort((-mean[row, column], row))
    row, column = row[order], column[order]
    distribution = beta(*posterior.beta(row, column))
    tail = (1 - prob) / 2
    return pd.DataFrame(
        {
            "annotator": pd.Categorical([None] * len(row)),
            "true_label": category(row, labels),
            "given_label": category(column, labels),
            "probability": mean[row, column],
            "lower": distribution.ppf(tail),
            "upper": distribution.ppf(1 - tail),
            "votes": votes[row, column].astype(np.int64),
        }
    )


def confusion_of_class(data: xr.DataTree, class_: int) -> pd.DataFrame:
    """Return the confusion of one class.

    Parameters
    ----------
    data
        A fit of classes.
    class_
        Code of the class.
    """
    labels, prob = names(data, "true_class"), float(data.attrs["prob"])
    table = population_table(posterior_of(data), labels, prob, only=class_)
    return table.drop(columns="votes")


def confusion_at_level(
    data: xr.DataTree, group: Int[np.ndarray, " K"], group_names: np.ndarray
) -> pd.DataFrame:
    """Return the confusion between groups of labels.

    Parameters
    ----------
    data
        A fit of classes.
    group, group_names
        The group of each label, and their names.
    """
    prob = float(data.attrs["prob"])
    table = confusion_of_groups(posterior_of(data), group, group_names, prob)
    table.insert(0, "annotator", pd.Categorical([None] * len(table)))
    return table


def confusion_of_groups(
    posterior: ClassPosterior,
    group: Int[np.ndarray, " K"],
    group_names: np.ndarray,
    prob: float,
    *,
    draws: int = _DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the confusion between groups of labels, each class with equal weight.

    Parameters
    ----------
    posterior
        What a fit says.
    group, group_names
        The group of each label, and their names.
    prob
        Probability that an interval holds.
    draws, seed
        Number and seed of the posterior draws for the bounds.

    Returns
    -------
    Columns true_label and given_label (groups), probability, lower and upper.
    """
    member = (group[:, None] == np.arange(len(group_names))).astype(float)
    counted = member * has_answers(posterior)[:, None]
    rows: Float[np.ndarray, "K G"] = counted / np.maximum(counted.sum(0), 1.0)
    between = rows.T @ posterior.probability() @ member
    drawn = posterior.draw_groups(np.random.default_rng(seed), draws, member, rows)
    lower, upper = bounds(drawn, prob)
    true, given = (each.ravel() for each in np.indices(between.shape))
    return pd.DataFrame(
        {
            "true_label": category(true, group_names),
            "given_label": category(given, group_names),
            "probability": between.ravel(),
            "lower": lower.ravel(),
            "upper": upper.ravel(),
        }
    )


def has_answers(posterior: ClassPosterior) -> Bool[np.ndarray, " K"]:
    """Return which classes have answers about their items."""
    counts = posterior.label_counts
    answered: Bool[np.ndarray, " K"] = counts.by_class(counts.votes).sum(1) > 0
    return answered
