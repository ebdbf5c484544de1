r"""Which items should get gold labels, and what so many of them can be expected to add.

**The design** is drawn with unequal probabilities (systematic sampling in random order;
Särndal, Swensson and Wretman 1992, section 3.6). Half of the expected number falls on
all items alike, half in proportion to what the truth of an item would tell of the
annotators: the sum over their weights w of the variance of what w multiplies (`gold`),
with states as probable as the mean of the fit and of the votes says. The probability of
being drawn comes back in the column `inclusion`: each item counts as one over it where
a fit is scored, so that scores are those of all items, whichever were drawn.

**The curve** is simulated: weights are drawn, and truths given the weights; from so
many gold labels weights are learned, and the other items are scored. Where a fit was
given gold, weights are as that has left them open; without any, as in the prior of
`gold`, which says how much crowds differ, not what this one is like.

References
----------
Särndal, Swensson and Wretman (1992), Model assisted survey sampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from consilience.errors import OptionError
from consilience.fitting.gold import GROUP, SCORED, Prior, Study, Taught, mode
from consilience.fitting.gold_columns import (
    Design,
    Gold,
    Start,
    blocks,
    names_of_columns,
    weights_of_annotators,
)
from consilience.intervals import bounds
from consilience.posterior import Fit
from consilience.posterior.spaces import restored_space
from consilience.posterior.truth import Truth, candidates, given_truth
from consilience.responses.id_types import restores_types
from consilience.truth import ContainsSpace, Space
from consilience.when_used import special, xr

RANDOM = 0.5  # share of the design that falls on all items alike
NUMBERS = (0, 10, 20, 50, 100, 200)
SIMULATED, SCORED_UNITS = 40, 1000  # studies that a curve is the mean of; units of each


@restores_types
def gold_design(fit: Fit, number: int, *, seed: int = 0) -> pd.DataFrame:
    """Draw items, or pairs of item and label, that should get gold labels.

    Fill in the truth and give the table as `gold=`, to `fit` and to `score`: its column
    `inclusion` weighs each item, so that scores are those of all items.

    Parameters
    ----------
    fit : Fit
        A fit of kind choice or contains.
    number : int
        How many to draw among those without gold.
    seed : int, default 0
        Seed of the draw.

    Returns
    -------
    pandas.DataFrame
        Columns item, label (empty; of contains, the label that was asked about),
        answer (contains: empty) and inclusion, the probability of being drawn.

    Raises
    ------
    OptionError
        If there are fewer items, or the fit keeps no answers.

    See Also
    --------
    gold_curve : What so many gold labels can be expected to add.
    score : Score the fit against them.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> fit = cs.fit(study(0, num_photos=60).responses(), model="dawid_skene")
    >>> sheet = cs.analysis.gold_design(fit, 20)
    >>> len(sheet), list(sheet.columns)
    (20, ['item', 'label', 'inclusion'])
    """
    data = fit.data
    space, truth, free = _unlabelled(data)
    if not (isinstance(number, Integral) and 1 <= number <= len(free)):
        raise OptionError(
            f"gold labels of {number!r} items are asked for; give a number from 1 to "
            f"{len(free):,}, the items without gold"
        )
    chance = _inclusion(_information(space, truth)[free], number)
    drawn = _systematic(chance, np.random.default_rng(seed))
    units = free[drawn]
    empty = pd.Series("", range(len(units)), dtype="str")
    columns = {"item": pd.Series(space.unit_item[units].astype(str), dtype="str")}
    columns["label"] = empty
    if isinstance(space, ContainsSpace):
        labels = space.unit_label[units].astype(str)
        columns |= {"label": pd.Series(labels, dtype="str"), "answer": empty}
    return pd.DataFrame({**columns, "inclusion": chance[drawn]})


def gold_curve(
    fit: Fit, numbers: Sequence[int] = NUMBERS, *, seed: int = 0
) -> pd.DataFrame:
    """Simulate what so many further gold labels would add.

    Parameters
    ----------
    fit : Fit
        A fit of kind choice or contains; best one that was given some gold, which says
        what the others are like.
    numbers : sequence of int, default (0, 10, 20, 50, 100, 200)
        Numbers of further gold labels; those above half of the items are left out.
    seed : int, default 0
        Seed of the simulation.

    Returns
    -------
    pandas.DataFrame
        Columns gold (the number), log_loss and accuracy of the other items, expected;
        nine of ten simulated log-losses lie between lower and upper.

    Raises
    ------
    OptionError
        If the fit keeps no answers.

    See Also
    --------
    gold_design : Which items should get them.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> fit = cs.fit(study(0, num_photos=60).responses(), model="dawid_skene")
    >>> cs.analysis.gold_curve(fit, [0, 20])["gold"].tolist()
    [0, 20]
    """
    data = fit.data
    space, truth, free = _unlabelled(data)
    numbers = [number for number in numbers if number <= len(free) // 2]
    if not numbers or min(numbers) < 0:
        raise OptionError(
            "no number of gold labels can be simulated; give numbers from 0 to "
            f"{len(free) // 2:,}, half of the items without gold"
        )
    taught = None
    if GROUP in data.children:
        taught = Taught.restored(data[GROUP].to_dataset())
        before = data[GROUP]["before"].to_numpy().astype(float)
        truth = Truth(before, before, before)
    generator = np.random.default_rng(seed)
    largest = max(numbers)
    some = generator.permutation(free)[: largest + SCORED_UNITS]
    shape = (len(some), space.state.shape[1])
    columns = names_of_columns(space, Gold(some, np.ones(shape)))
    design = Design(space, Start(truth), columns)
    study = Study(design.rows(some), np.ones(shape), design.possible[some])
    prior = Prior.of(columns)
    scores = []
    for _ in range(SIMULATED):
        mean, precision, weight = _drawn(prior, taught, columns, generator)
        share = study.share(weight)
        state = (share.cumsum(1) < generator.random((len(share), 1))).sum(1)
        state = np.minimum(state, shape[1] - 1)
        order = generator.permutation(len(some))
        gold = (np.arange(shape[1]) == state[:, None]).astype(float)
        simulated, tested = study._replace(gold=gold), order[largest:]
        at = mean
        for count in numbers:
            of_it = np.zeros(len(some), bool)
            of_it[order[:count]] = True
            if count:
                at = mode(simulated.of(of_it), mean, precision, at)
            stated = study.share(at)[tested]
            right = stated[np.arange(len(tested)), state[tested]]
            loss = -np.log(np.maximum(right, SCORED)).mean()
            hit = (stated.argmax(1) == state[tested]).mean()
            scores.append((count, loss, hit))
    simulated_scores = pd.DataFrame(scores, columns=["gold", "log_loss", "accuracy"])
    rows = []
    for given, each in simulated_scores.groupby("gold"):
        low, high = bounds(each["log_loss"].to_numpy(), 0.9)
        means = each["log_loss"].mean(), each["accuracy"].mean()
        rows.append((given, means[0], float(low), float(high), means[1]))
    names = ["gold", "log_loss", "lower", "upper", "accuracy"]
    return pd.DataFrame(rows, columns=names)


def _unlabelled(data: xr.DataTree) -> tuple[Space, Truth, Int[np.ndarray, " F"]]:
    """Return the space of a fit, its truth, and the units without gold."""
    if data.attrs["kind"] == "objects" or "observed_data" not in data.children:
        raise OptionError(
            "gold labels are designed for fits of kind choice and contains that keep "
            "their answers; of objects, see the items of the highest entropy in the "
            "table items"
        )
    free = np.flatnonzero(~given_truth(data))
    if not len(free):
        raise OptionError("every item has gold labels already: there is none to draw")
    listed = candidates(data)
    values = (listed.probability, listed.lower, listed.upper)
    truth = Truth(*(np.nan_to_num(value) for value in values))
    return restored_space(data), truth, free


def _information(space: Space, truth: Truth) -> Float[np.ndarray, " U"]:
    """Return what the truth of each unit would tell of weights of annotators."""
    names = weights_of_annotators(space, range(space.num_annotators))
    design = Design(space, Start(truth), ["fit", "votes", *names])
    information = np.empty(space.num_units)
    for units in blocks(space.num_units):
        rows = design.rows(units).tocsc()[:, 2:].tocsr()
        votes = design.votes[units] + 1 / len(space.answers)
        share = truth.probability[units] + votes / votes.sum(1, keepdims=True)
        share = np.where(design.possible[units], share, 0.0)
        share /= share.sum(1, keepdims=True)
        unit = np.repeat(np.arange(len(units)), share.shape[1])
        adding = csr_array((share.ravel(), (unit, np.arange(len(unit)))))
        mean, square = adding @ rows, adding @ rows.multiply(rows)
        information[units] = np.asarray((square - mean.multiply(mean)).sum(1)).ravel()
    return np.maximum(information, 0.0)


def _inclusion(
    information: Float[np.ndarray, " F"], number: int
) -> Float[np.ndarray, " F"]:
    """Return with what probability each unit is drawn; their sum is the number."""
    share = np.full(len(information), 1 / len(information))
    if information.sum() > 0:
        share = RANDOM * share + (1 - RANDOM) * information / information.sum()
    chance, sure = number * share, np.zeros(len(information), bool)
    while (chance > 1).any():  # drawn in any case, and the rest share what is left
        sure |= chance >= 1
        left = number - sure.sum()
        chance = np.where(sure, 1.0, left * share / share[~sure].sum())
    return chance


def _systematic(
    chance: Float[np.ndarray, " F"], generator: np.random.Generator
) -> Int[np.ndarray, " N"]:
    """Draw as many as the probabilities sum to, each with its own."""
    order = generator.permutation(len(chance))
    ends = np.cumsum(chance[order])
    ends[-1] = np.round(ends[-1])
    steps = np.arange(int(ends[-1])) + generator.random()
    return np.sort(order[np.searchsorted(ends, steps, side="right")])


def _drawn(
    prior: Prior,
    taught: Taught | None,
    columns: list[str],
    generator: np.random.Generator,
) -> tuple[Float[np.ndarray, " P"], Float[np.ndarray, " P"], Float[np.ndarray, " P"]]:
    """Draw weights; return their mean and precision before, and themselves."""
    chance = special.softmax(prior.log_weight)
    precision = prior.precision[generator.choice(len(chance), p=chance)]
    weight = prior.mean + generator.standard_normal(len(columns)) / np.sqrt(precision)
    if taught is None:
        return prior.mean, precision, weight
    place = pd.Index(taught.columns).get_indexer(pd.Index(columns))
    drawn, has = taught.draw[generator.integers(len(taught.draw))], place >= 0
    spread = np.maximum(taught.draw.std(0), 1e-4)
    mean = np.where(has, taught.draw.mean(0)[place], prior.mean)
    precision = np.where(has, spread[place] ** -2.0, precision)
    return mean, precision, np.where(has, drawn[place], weight)
