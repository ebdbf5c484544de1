"""Estimators of scores from comparisons of two items, of which one is chosen."""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy.optimize import minimize
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.special import expit, log_expit

from consilience.errors import ConsilienceWarning, DataError, OptionError, not_a
from consilience.sklearn.answers import (
    ANNOTATOR,
    Column,
    coded,
    codes_of,
    filled_column,
)
from consilience.sklearn.base import Estimator

type Codes = Int[np.ndarray, " N"]


class PairwiseAggregator(Estimator):
    """Base class: a method that scores items by comparisons of two of them.

    Attributes
    ----------
    scores_ : pandas.Series
        Score of each item.

    See Also
    --------
    Aggregator : Methods that aggregate labels.

    Examples
    --------
    >>> import consilience as cs
    >>> isinstance(cs.sklearn.BradleyTerry(), cs.sklearn.PairwiseAggregator)
    True
    """

    scores_: pd.Series

    def fit_predict(self, data: pd.DataFrame) -> pd.Series:
        """Fit to comparisons and return the scores; see `fit`."""
        fitted: PairwiseAggregator = self.fit(data)
        return fitted.scores_


class BradleyTerry(PairwiseAggregator):
    """Bradley-Terry: the odds that an item is chosen are the ratio of two scores.

    Scores maximize the likelihood. A score is zero in the limit where an item, or
    several as a group, never won against the others; a warning names such an item.

    Parameters
    ----------
    n_iter : int, default 100
        Largest number of iterations of the MM algorithm.
    tol : float, default 1e-5
        Sum of the absolute changes of the scores below which to stop.

    Attributes
    ----------
    scores_ : pandas.Series
        Score of each item, in sorted order of the items; they sum to one.
    loss_history_ : list of float
        Sum of the absolute changes of the scores in each iteration.

    See Also
    --------
    NoisyBradleyTerry : Workers differ in skill and in bias to a position.

    References
    ----------
    Hunter (2004), MM algorithms for generalized Bradley-Terry models.

    Examples
    --------
    >>> import consilience as cs
    >>> import pandas as pd
    >>> rows = [("tea", "milk", "tea")] * 3 + [("milk", "tea", "milk")]
    >>> data = pd.DataFrame(rows, columns=["left", "right", "label"])
    >>> cs.sklearn.BradleyTerry().fit_predict(data)
    milk    0.25
    tea     0.75
    Name: agg_score, dtype: float64
    """

    def __init__(self, n_iter: int = 100, tol: float = 1e-5) -> None:
        self.n_iter = n_iter
        self.tol = tol

    def fit(self, data: pd.DataFrame) -> "BradleyTerry":
        """Fit to comparisons: columns left and right, and label, the item chosen."""
        pairs = comparisons_of(data)
        self.loss_history_: list[float] = []
        if data.empty:
            self.scores_ = pd.Series([], dtype=float, name="agg_score")
            return self
        pairs.check_connected()
        scores, self.loss_history_ = pairs.scores(self.n_iter, self.tol)
        self.scores_ = pairs.item.series(scores, "agg_score").rename_axis(None)
        return self


class NoisyBradleyTerry(PairwiseAggregator):
    """Noisy Bradley-Terry: a worker compares the items or answers by their position.

    With the probability of the worker's skill the item is chosen by a Bradley-Terry
    model, otherwise the left one with the probability of the worker's bias.

    Parameters
    ----------
    n_iter : int, default 100
        Largest number of iterations of L-BFGS.
    tol : float, default 1e-5
        Relative gain of the penalised log-likelihood below which to stop.
    regularization_ratio : float, default 1e-5
        Weight of two imagined comparisons of each item with one of average score, of
        which it wins one.
    random_state : int, default 0
        Seed of the skills and biases to start from.

    Attributes
    ----------
    scores_ : pandas.Series
        Probability that each item is chosen over one of average score, by a worker who
        compares; in sorted order of the items.
    skills_ : pandas.Series
        Share of each worker's answers that compare the items.
    biases_ : pandas.Series
        Share of the left item in each worker's other answers.

    See Also
    --------
    BradleyTerry : All workers are alike, or unknown.

    References
    ----------
    Bugakova et al. (2019), Aggregation of pairwise comparisons with reduction of
    biases.

    Examples
    --------
    >>> import consilience as cs
    >>> import pandas as pd
    >>> rows = [("Ada", "tea", "milk", "tea"), ("Ada", "milk", "tea", "tea")] * 9
    >>> rows += [("Ben", "tea", "milk", "tea"), ("Ben", "milk", "tea", "milk")] * 9
    >>> data = pd.DataFrame(rows, columns=["worker", "left", "right", "label"])
    >>> cs.sklearn.NoisyBradleyTerry().fit(data).skills_.round(1)
    worker
    Ada    1.0
    Ben    0.0
    Name: skill, dtype: float64
    """

    def __init__(
        self,
        n_iter: int = 100,
        tol: float = 1e-5,
        regularization_ratio: float = 1e-5,
        random_state: int = 0,
    ) -> None:
        self.n_iter = n_iter
        self.tol = tol
        self.regularization_ratio = regularization_ratio
        self.random_state = random_state

    def fit(self, data: pd.DataFrame) -> "NoisyBradleyTerry":
        """Fit to comparisons: columns worker, left, right, and label, the winner."""
        pairs = comparisons_of(data)
        worker = coded(filled_column(data, ANNOTATOR))
        items, people = len(pairs.item.values), len(worker.values)
        ends = items, items + people
        point = np.random.default_rng(self.random_state).random(items + 2 * people)
        point[:items] = 0
        if not data.empty:
            rows = np.stack([worker.codes, pairs.winner, pairs.loser, pairs.sign])
            counted = np.unique(rows, axis=1, return_counts=True)
            point = minimize(
                noisy_loss,
                point,
                (ends, *counted, self.regularization_ratio),
                "L-BFGS-B",
                jac=True,
                options={"maxiter": self.n_iter, "ftol": self.tol},
            ).x
        score, bias, skill = np.split(expit(point), ends)
        self.scores_ = pairs.item.series(score, "agg_score")
        self.biases_ = worker.series(bias, "bias")
        self.skills_ = worker.series(skill, "skill")
        return self


@dataclass(frozen=True, eq=False)
class Comparisons:
    """The item that won each comparison and the one that lost, coded."""

    item: Column
    winner: Codes
    loser: Codes
    sign: Codes  # 1 if the left item won, else -1

    def check_connected(self) -> None:
        """Refuse scores that cannot be compared, and warn of those that go to zero."""
        values, winner, loser = self.item.values, self.winner, self.loser
        graph = coo_matrix((np.ones(len(winner)), (winner, loser)), (len(values),) * 2)
        groups, group = connected_components(graph, connection="weak")
        if groups > 1:
            raise DataError(
                "the comparisons are not connected: none leads, over other items, from "
                f"{values[0]!r} to {values[group.argmax()]!r}; fit each group of items "
                "by itself"
            )
        groups, group = connected_components(graph, connection="strong")
        if groups > 1:
            winners = group[winner[group[winner] != group[loser]]]
            beaten = values[np.isin(group, winners, invert=True)]
            more = f" (and {len(beaten) - 1} more)" * (len(beaten) > 1)
            warnings.warn(
                f"{beaten[0]!r}{more} never won against the other items, so that the "
                "best score is zero; NoisyBradleyTerry has a penalty against that",
                ConsilienceWarning,
                stacklevel=3,
            )

    def scores(
        self, n_iter: int, tol: float
    ) -> tuple[Float[np.ndarray, " I"], list[float]]:
        """Return scores by the MM algorithm, and how far each iteration moved them."""
        items = len(self.item.values)
        wins = np.bincount(self.winner, minlength=items)
        first, second = np.sort([self.winner, self.loser], axis=0)
        pair, number = np.unique(first * items + second, return_counts=True)
        first, second = np.divmod(pair, items)
        scores, moved = np.full(items, 1 / items), []
        for _ in range(n_iter):
            rate = number / (scores[first] + scores[second])
            total = np.bincount(first, rate, items) + np.bincount(second, rate, items)
            before, scores = scores, wins / total
            scores /= scores.sum()
            moved.append(float(np.abs(scores - before).sum()))
            if moved[-1] < tol:
                break
        return scores, moved


def comparisons_of(data: pd.DataFrame) -> Comparisons:
    """Code a data frame of comparisons."""
    if not isinstance(data, pd.DataFrame):
        expected = "a data frame with the columns left, right and label"
        raise OptionError(not_a("the data", data, expected))
    columns = [filled_column(data, (name,)) for name in ("left", "right", "label")]
    item = coded(pd.concat(columns[:2]).rename("label"))
    left, right = item.codes.reshape(2, -1)
    label = codes_of(columns[2], item.values)
    wrong = (left == right) | (label != left) & (label != right)
    if wrong.any():
        row = int(wrong.argmax())
        first, second, chosen = (column.iloc[row] for column in columns)
        what = f"the label {chosen!r} is neither {first!r} nor {second!r}; correct it"
        if left[row] == right[row]:
            what = f"{first!r} is compared with itself; drop the row"
        raise DataError(f"the data frame, row {row + 1}: {what}")
    loser = np.where(label == left, right, left)
    return Comparisons(item, label, loser, np.where(label == left, 1, -1))


def noisy_loss(
    point: Float[np.ndarray, " P"],
    ends: tuple[int, int],
    rows: Int[np.ndarray, "4 M"],
    number: Int[np.ndarray, " M"],
    ratio: float,
) -> tuple[float, Float[np.ndarray, " P"]]:
    """Return the negative penalised log-likelihood, and its gradient.

    A point has the scores, then the biases, then the skills, all as log-odds.
    """
    score, bias, skill = np.split(point, ends)
    worker, winner, loser, sign = rows
    ahead, habit = score[winner] - score[loser], sign * bias[worker]
    by_skill = log_expit(skill)[worker] + log_expit(ahead)
    by_habit = log_expit(-skill)[worker] + log_expit(habit)
    log_chance = np.logaddexp(by_skill, by_habit)
    compared = np.exp(by_skill - log_chance)
    slope = number * compared * expit(-ahead)
    of_score = np.bincount(winner, slope, len(score)) - ratio * np.tanh(score / 2)
    of_score -= np.bincount(loser, slope, len(score))
    slope = number * (1 - compared) * sign * expit(-habit)
    of_bias = np.bincount(worker, slope, len(bias))
    slope = number * (compared - expit(skill)[worker])
    of_skill = np.bincount(worker, slope, len(skill))
    value = number @ log_chance + ratio * (log_expit(score) + log_expit(-score)).sum()
    return -float(value), -np.concatenate([of_score, of_bias, of_skill])
