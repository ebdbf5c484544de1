"""Predicted labels of a larger panel of annotators, from few answers per item.

The label that most of a few annotators give is more often another than the data set's
own than that of many: noise rarely speaks for the class. So a panel is drawn: those who
have answered, and new annotators up to its size, who answer as the item's posterior has
it (its class's confusion, how closely items keep to that, and the answers there are).

How often an item is called by its own label by those who do not lapse is drawn given
the answers about it. New answers are drawn one by one: each is a lapse, or gives the
own label or not; which other label it gives is that of one of the others before it, or
afresh as the class has it: Polya's urn, whose outcomes are Dirichlet-multinomial.

References
----------
Blackwell and MacQueen (1973), Ferguson distributions via Polya urn schemes.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from consilience.class_confusion.class_posterior import ClassPosterior
from consilience.class_confusion.confusion_posterior import ConfusionPosterior
from consilience.class_confusion.dataset_label import (
    dataset_label_and_others,
    log_probabilities,
    possible_lapses,
)
from consilience.class_confusion.label_counts import LabelCounts
from consilience.ragged import places_within


def panel_disagreement(
    learned: ClassPosterior, sizes: Sequence[int], *, draws: int, seed: int
) -> Float[np.ndarray, "D P"]:
    """Draw the share of items that most of a panel call otherwise than their class."""
    generator = np.random.default_rng(seed)
    label_counts = learned.label_counts
    given = _response_rows(label_counts)
    number = (given >= 0).sum(1)
    shares = np.empty((draws, len(sizes)))
    for row in shares:
        posterior = learned.draw(generator)
        votes = _draw_votes(posterior, label_counts, given, max(sizes), generator)
        for place, size in enumerate(sizes):
            label = _winner(votes, number, size)
            row[place] = (label != label_counts.dataset_label).mean()
    return shares


def _response_rows(label_counts: LabelCounts) -> Int[np.ndarray, "I n"]:
    """Return the labels given to each item, in no order; -1 is padding."""
    item, label = (
        np.repeat(each, label_counts.votes.astype(int))
        for each in (label_counts.item, label_counts.label)
    )
    number = np.bincount(item, minlength=len(label_counts.dataset_label))
    rows = np.full((len(number), int(number.max(initial=1))), -1)
    rows[item, places_within(number)] = label
    return rows


def _draw_votes(
    posterior: ConfusionPosterior,
    label_counts: LabelCounts,
    given: Int[np.ndarray, "I n"],
    most: int,
    generator: np.random.Generator,
) -> Int[np.ndarray, "I m"]:
    """Draw answers until every item has so many."""
    theta = posterior.draw(generator)
    dataset_label, (items, answers) = label_counts.dataset_label, given.shape
    votes = np.full((items, max(most, answers)), -1)
    votes[:, :answers] = given
    share = (1 - posterior.lapse) * _shares(posterior, label_counts, theta, generator)
    np.fill_diagonal(theta, 0.0)
    ladder = np.cumsum(theta / np.maximum(theta.sum(1, keepdims=True), 1e-300), axis=1)
    ladder += np.arange(len(ladder))[:, None]  # one ladder for all classes
    for place in range(votes.shape[1]):
        unfinished = np.flatnonzero(votes[:, place] < 0)
        before, class_ = votes[unfinished, :place], dataset_label[unfinished]
        is_own = generator.random(len(unfinished)) < share[unfinished]
        top = ladder[class_, -1] - class_
        step = class_ + generator.random(len(unfinished)) * top
        new = np.searchsorted(ladder.ravel(), step) - class_ * ladder.shape[1]
        new = np.minimum(new, ladder.shape[1] - 1)
        other = _draw_other(before, class_, posterior.beside, new, generator)
        votes[unfinished, place] = np.where(is_own, class_, other)
    return votes


def _shares(
    posterior: ConfusionPosterior,
    label_counts: LabelCounts,
    theta: Float[np.ndarray, "K K"],
    generator: np.random.Generator,
) -> Float[np.ndarray, " I"]:
    """Draw how often each item is called by its own label by those who do not lapse."""
    share = np.diagonal(theta)[label_counts.dataset_label] / (1 - posterior.lapse)
    agreeing, others = dataset_label_and_others(label_counts)
    rows = possible_lapses(agreeing, others)
    mean = share[rows.which][:, None]
    logs = log_probabilities(rows, mean, posterior.spread, posterior.lapse)
    # The greatest of log chances, each with Gumbel noise, is a draw by those chances.
    noise = generator.gumbel(size=len(rows.which))
    order = np.lexsort((np.asarray(logs)[:, 0] + noise, rows.which))
    heeded = rows.heeded[order[np.cumsum(others + 1) - 1]]
    yes = posterior.spread * share + agreeing
    no = posterior.spread * (1 - share) + heeded - agreeing
    return np.asarray(generator.beta(yes, no))


def _draw_other(
    before: Int[np.ndarray, "i m"],
    class_: Int[np.ndarray, " i"],
    spread: float,
    new: Int[np.ndarray, " i"],
    generator: np.random.Generator,
) -> Int[np.ndarray, " i"]:
    """Return one of the other labels given before, or the new one."""
    if before.shape[1] == 0:
        return new
    other = before != class_[:, None]
    number = other.sum(1)
    fresh = generator.random(len(class_)) * (spread + number) < spread
    ticket = np.where(other, generator.random(other.shape), -1.0).argmax(1)
    return np.where(fresh, new, before[np.arange(len(class_)), ticket])


def _winner(
    votes: Int[np.ndarray, "I m"], number: Int[np.ndarray, " I"], size: int
) -> Int[np.ndarray, " I"]:
    """Return the label most of a panel give, on a tie the first: order says nothing."""
    counted = np.arange(votes.shape[1]) < np.maximum(size, number)[:, None]
    same = (votes[:, :, None] == votes[:, None, :]) & counted[:, None, :]
    often = np.where(counted, same.sum(2), 0)
    return votes[np.arange(len(votes)), often.argmax(1)]
