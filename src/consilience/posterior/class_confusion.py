"""The confusion of a fit of classes, at any level of the hierarchy of labels.

A level is so many steps up from the labels: 1 is that of their superclasses. There,
each class that was asked about weighs alike in its group.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from consilience.class_confusion.class_posterior import ClassPosterior, class_posterior
from consilience.class_confusion.confusion_posterior import beta_from_moments
from consilience.class_confusion.dataset_label import classes_of
from consilience.intervals import beta_bounds, bounds
from consilience.posterior.shrinkage import Answers, accuracy_table, confusion_table
from consilience.posterior.spaces import restored_choice
from consilience.posterior.stored import (
    Estimate,
    confusion_frame,
    names,
    restored_draws,
)
from consilience.truth.space import ChoiceSpace
from consilience.when_used import xr

MIN_PROBABILITY = 0.01  # of a cell without answers that is worth a row
_DRAWS = 1000  # of the confusion of groups of labels


def posterior_of(data: xr.DataTree) -> ClassPosterior:
    """Return what a fit of classes says of how their items are called."""
    drawn = {
        name: values
        for name, values in restored_draws(data).items()
        if values.ndim == 2
    }
    return class_posterior(restored_choice(data), drawn)


def class_tables(data: xr.DataTree) -> dict[str, pd.DataFrame]:
    """Return the tables that a fit of classes holds."""
    posterior, prob = posterior_of(data), float(data.attrs["prob"])
    space, labels = restored_choice(data), names(data, "true_class")
    class_ = classes_of(space)[space.unit]
    theirs = space.identified[space.annotator] & (class_ >= 0)
    who = space.annotator[theirs].astype(np.int64)
    class_, given = class_[theirs], space.answer[theirs].astype(np.int64)
    answers = (who, class_ * len(labels) + given, space.n[theirs].astype(float))
    row, column = cells(posterior, MIN_PROBABILITY)
    mean, square = posterior.moments(row, column)
    lower, upper = beta_bounds(*beta_from_moments(mean, square), prob)
    confusion = confusion_table(
        row * len(labels) + column,
        Estimate(mean=mean, lower=lower, upper=upper),
        square,
        answers,
        space.annotators,
        labels,
        prob,
    )
    people = _accuracy(posterior, space, answers, prob)
    return {"confusion": confusion, "annotators": people}


def _accuracy(
    posterior: ClassPosterior, space: ChoiceSpace, answers: Answers, prob: float
) -> pd.DataFrame:
    """Return how often each annotator gives the class's own label."""
    who, pair, count = answers
    class_, given = np.divmod(pair, len(space.states))
    classes = np.arange(len(space.states))
    mean, square = posterior.moments(classes, classes)
    number = space.num_annotators
    total, hits, expected = (
        np.bincount(who, count * weight, number).astype(float)
        for weight in (np.ones(len(who)), given == class_, mean[class_])
    )
    # Classes are uncertain each by itself.
    met, row = np.unique(pair // len(classes) + who * len(classes), return_inverse=True)
    of_class = met % len(classes)
    variance = np.bincount(
        met // len(classes),
        np.bincount(row, count) ** 2 * (square - mean**2)[of_class],
        number,
    )
    size = np.maximum(total, 1.0)
    share = expected / size
    everyone = (share, share**2 + variance / size**2)
    people = np.flatnonzero(space.identified)
    return accuracy_table(people, space.annotators, hits, total, everyone, prob)


def cells(
    posterior: ClassPosterior, min_probability: float
) -> tuple[Int[np.ndarray, " N"], Int[np.ndarray, " N"]]:
    """Return the cells that are worth a row, the most probable label first."""
    mean, counts = posterior.probability, posterior.label_counts
    kept = (mean >= min_probability) | (counts.by_class(counts.votes) > 0)
    row, column = np.nonzero(kept & has_answers(posterior)[:, None])
    order = np.lexsort((-mean[row, column], row))
    return row[order], column[order]


def cell_table(
    posterior: ClassPosterior,
    labels: np.ndarray,
    prob: float,
    row: Int[np.ndarray, " N"],
    column: Int[np.ndarray, " N"],
) -> pd.DataFrame:
    """Return the table of some cells of the population."""
    mean, square = posterior.moments(row, column)
    lower, upper = beta_bounds(*beta_from_moments(mean, square), prob)
    counts = posterior.label_counts
    votes = counts.by_class(counts.votes)
    return confusion_frame(
        {"annotator": pd.Categorical([None] * len(row))},
        (row, column),
        (labels, labels),
        (mean, lower, upper),
    ).assign(responses=votes[row, column].astype(np.int64))


def confusion_of_class(data: xr.DataTree, class_: int) -> pd.DataFrame:
    """Return the confusion of one class."""
    labels, prob = names(data, "true_class"), float(data.attrs["prob"])
    posterior = posterior_of(data)
    column = np.arange(len(labels) * has_answers(posterior)[class_])
    table = cell_table(posterior, labels, prob, np.full(len(column), class_), column)
    table = table.sort_values("probability", ascending=False, kind="stable")
    return table.drop(columns="responses").reset_index(drop=True)


def confusion_at_level(
    data: xr.DataTree, group: Int[np.ndarray, " K"], group_names: np.ndarray
) -> pd.DataFrame:
    """Return the confusion between groups of labels."""
    prob = float(data.attrs["prob"])
    table = confusion_of_groups(posterior_of(data), group, group_names, prob)
    return table.assign(annotator=pd.Categorical([None] * len(table)))[
        ["annotator", *table.columns]
    ]


def confusion_of_groups(
    posterior: ClassPosterior,
    group: Int[np.ndarray, " K"],
    group_names: np.ndarray,
    prob: float,
    *,
    draws: int = _DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the confusion between groups of labels, each class with equal weight."""
    member = (group[:, None] == np.arange(len(group_names))).astype(float)
    counted = member * has_answers(posterior)[:, None]
    rows: Float[np.ndarray, "K G"] = counted / np.maximum(counted.sum(0), 1.0)
    between = rows.T @ posterior.probability @ member
    drawn = posterior.draw_groups(np.random.default_rng(seed), draws, member, rows)
    lower, upper = bounds(drawn, prob)
    true, given = (each.ravel() for each in np.indices(between.shape))
    shares = [each.ravel() for each in (between, lower, upper)]
    return confusion_frame({}, (true, given), (group_names, group_names), shares)


def has_answers(posterior: ClassPosterior) -> Bool[np.ndarray, " K"]:
    """Return which classes have answers about their items."""
    counts = posterior.label_counts
    return counts.by_class(counts.votes).sum(1) > 0
