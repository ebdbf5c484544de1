"""Estimators of votes, weighted by what the skill of each annotator seems to be."""

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from consilience.errors import OptionError, not_among
from consilience.sklearn.answers import Answers, answers_of
from consilience.sklearn.base import Aggregator, ProbabilisticAggregator, no_labels
from consilience.sklearn.published import (
    agreement_with,
    agreement_with_votes,
    covariance,
    message_passing,
    rank_one,
    right_by_gold,
    vote_shares,
    weighted_votes,
    zero_based_skill,
)


class MajorityVote(ProbabilisticAggregator):
    """Majority vote: the label that most annotators gave, votes weighted if asked for.

    Where labels tie, the first in sorted order is taken.

    Parameters
    ----------
    default_skill : float, optional
        Weight of workers whose skill is not given, if `on_missing_skill` is "value".
    on_missing_skill : {"error", "ignore", "value"}, default "error"
        What to do with answers of workers whose skill is not given: raise an error,
        leave them out, or use `default_skill`.

    Attributes
    ----------
    labels_ : pandas.Series
        Best label of each task.
    probas_ : pandas.DataFrame
        Share of the votes, one row per task and one column per label.
    skills_ : pandas.Series
        Share of each worker's answers that agree with `labels_`.

    See Also
    --------
    DawidSkene : Votes weighted by a confusion matrix.

    Examples
    --------
    $answers
    >>> cs.sklearn.MajorityVote().fit_predict(answers)["photo-002"]
    'husky'
    """

    def __init__(
        self, default_skill: float | None = None, on_missing_skill: str = "error"
    ) -> None:
        self.default_skill = default_skill
        self.on_missing_skill = on_missing_skill

    def fit(
        self, data: pd.DataFrame, skills: pd.Series | None = None
    ) -> "MajorityVote":
        """Count the votes.

        Parameters
        ----------
        data : pandas.DataFrame
            Columns task (or item), worker (or annotator) and label.
        skills : pandas.Series, optional
            Weight of each worker's votes, indexed by worker.

        Returns
        -------
        MajorityVote
            The estimator itself.

        Raises
        ------
        OptionError
            If a skill is missing and `on_missing_skill` says that it must not.
        """
        answers = answers_of(data)
        if not answers.number:
            self._keep_nothing()
            self.skills_ = pd.Series([], dtype=float, name="skill")
            return self
        weight = None
        if skills is not None:
            of_workers = skills.reindex(answers.annotator.values).to_numpy(float)
            weight = self._filled(of_workers[answers.annotator.codes], answers)
            kept = ~np.isnan(weight)
            answers, weight = answers_of(data[kept]), weight[kept]
        scores = weighted_votes(answers, weight)
        self.probas_ = answers.by_label(vote_shares(scores))
        self.labels_ = answers.best(scores)
        agreed = agreement_with_votes(answers, scores)
        self.skills_ = answers.annotator.series(agreed, "skill")
        return self

    def _filled(self, weight: np.ndarray, answers: Answers) -> np.ndarray:
        """Return the weight of each answer, NaN of those to leave out."""
        choices = ("error", "ignore", "value")
        if self.on_missing_skill not in choices:
            message = not_among("on_missing_skill", self.on_missing_skill, choices)
            raise OptionError(message)
        if (self.on_missing_skill == "value") != (self.default_skill is not None):
            raise OptionError(
                "give `default_skill=` with `on_missing_skill='value'`, and only then; "
                f"default_skill is {self.default_skill!r} and on_missing_skill is "
                f"{self.on_missing_skill!r}"
            )
        unknown = np.isnan(weight)
        if self.on_missing_skill == "value":
            return np.where(unknown, float(self.default_skill or 0), weight)
        answered = np.unique(answers.item.codes[~unknown])
        lost = len(answers.item.values) - len(answered)
        if self.on_missing_skill == "ignore" and lost:
            raise OptionError(
                f"{lost:,} tasks were answered by no worker with a skill; give a skill "
                "of one or more workers of each task, or `default_skill=`"
            )
        if self.on_missing_skill == "error" and unknown.any():
            first = answers.annotator.values[answers.annotator.codes[unknown][0]]
            raise OptionError(
                f"{unknown.sum():,} answers are of workers without a skill, such as "
                f"{first!r}; give the skills of all, or another `on_missing_skill=`"
            )
        return weight


class _VotesBySkill(Aggregator):
    """Votes weighted by skills that `fit` estimates, perhaps from other data."""

    skills_: pd.Series

    def predict(self, data: pd.DataFrame) -> pd.Series:
        """Return the label of each task with the most votes, weighted by skill."""
        self._aggregate(data)
        return self.labels_

    def _votes(self, data: pd.DataFrame) -> MajorityVote:
        check_is_fitted(self, "skills_")
        return MajorityVote().fit(data, self.skills_)


class _SharesBySkill(_VotesBySkill, ProbabilisticAggregator):
    """Votes whose weighted shares are taken for probabilities."""

    def predict_proba(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return the shares of the votes, weighted by skill."""
        self._aggregate(data)
        return self.probas_

    def _aggregate(self, data: pd.DataFrame) -> None:
        votes = self._votes(data)
        self.labels_, self.probas_ = votes.labels_, votes.probas_


class Wawa(_SharesBySkill):
    """Worker agreement with aggregate: votes weighted by agreement with the majority.

    Attributes
    ----------
    skills_ : pandas.Series
        Share of each worker's answers that agree with the majority.
    $votes

    See Also
    --------
    ZeroBasedSkill : The same with skills that are adapted step by step.
    OneCoinDawidSkene : Accuracies by maximum likelihood.

    Examples
    --------
    $answers
    >>> cs.sklearn.Wawa().fit(answers).skills_["Ben"].round(2)
    np.float64(0.83)
    """

    def fit(self, data: pd.DataFrame) -> "Wawa":
        """Estimate the skills from data as for `fit_predict`."""
        self.skills_ = MajorityVote().fit(data).skills_
        return self


class ZeroBasedSkill(_SharesBySkill):
    """Zero-based skill: skills follow the agreement with the votes that they weigh.

    Parameters
    ----------
    n_iter : int, default 100
        Number of steps.
    lr_init : float, default 1.0
        Size of the first steps, as a share of the way.
    lr_steps_to_reduce : int, default 20
        Number of steps after which they become smaller.
    lr_reduce_factor : float, default 0.5
        By which factor they do.
    eps : float, default 1e-5
        By how much the first skills are above chance.

    Attributes
    ----------
    skills_ : pandas.Series
        Skill of each worker.
    $votes

    See Also
    --------
    Wawa : The same with one step.

    Examples
    --------
    $answers
    >>> cs.sklearn.ZeroBasedSkill().fit(answers).skills_["Ben"].round(2)
    np.float64(0.83)
    """

    def __init__(
        self,
        n_iter: int = 100,
        lr_init: float = 1.0,
        lr_steps_to_reduce: int = 20,
        lr_reduce_factor: float = 0.5,
        eps: float = 1e-5,
    ) -> None:
        self.n_iter = n_iter
        self.lr_init = lr_init
        self.lr_steps_to_reduce = lr_steps_to_reduce
        self.lr_reduce_factor = lr_reduce_factor
        self.eps = eps

    def fit(self, data: pd.DataFrame) -> "ZeroBasedSkill":
        """Estimate the skills from data as for `fit_predict`."""
        answers = answers_of(data)
        reduced = np.arange(1, self.n_iter + 1) // self.lr_steps_to_reduce
        rates = self.lr_init * self.lr_reduce_factor**reduced
        start = 1 / max(len(answers.label.values), 1) + self.eps
        skill = zero_based_skill(answers, rates, start)
        self.skills_ = answers.annotator.series(skill, "skill")
        return self


class GoldMajorityVote(_SharesBySkill):
    """Gold majority vote: votes weighted by accuracy on tasks of known truth.

    Attributes
    ----------
    skills_ : pandas.Series
        Share of right answers of each worker who answered a task of known truth.
    $votes

    See Also
    --------
    DawidSkene : Known labels and all other answers in one model.

    Examples
    --------
    $answers
    >>> gold = study(0, num_photos=30).truth.set_index("photo")["animal"]
    >>> cs.sklearn.GoldMajorityVote().fit(answers, gold).skills_["Ben"].round(2)
    np.float64(0.83)
    """

    def fit(self, data: pd.DataFrame, true_labels: pd.Series) -> "GoldMajorityVote":
        """Measure the accuracies.

        Parameters
        ----------
        data
            As for `fit_predict`.
        true_labels : pandas.Series
            Known labels, indexed by task; of several of one task, each is right.

        Returns
        -------
        GoldMajorityVote
            The estimator itself.
        """
        answers = answers_of(data, [true_labels])
        right, judged = right_by_gold(answers, answers.gold(true_labels))
        skill = agreement_with(answers, right, judged)
        self.skills_ = answers.annotator.series(skill, "skill").dropna()
        return self


class MMSR(_VotesBySkill):
    """M-MSR: accuracies by robust completion of the matrix of agreement.

    Parameters
    ----------
    n_iter : int, default 10000
        Largest number of iterations.
    tol : float, default 1e-10
        Change of the matrix below which to stop.
    random_state : int, default 0
        Seed of the start.

    Attributes
    ----------
    skills_ : pandas.Series
        Weight of each worker's votes: log-odds of being right over those of chance.
    labels_ : pandas.Series
        Best label of each task that was predicted last.
    scores_ : pandas.DataFrame
        Share of the weighted votes, one row per task and one column per label; weights
        may be negative.
    loss_history_ : list of float
        Change of the matrix after each iteration.

    See Also
    --------
    OneCoinDawidSkene : Accuracies by maximum likelihood.

    References
    ----------
    Ma and Olshevsky (2020), Adversarial crowdsourcing through robust rank-one matrix
    completion.

    Examples
    --------
    $answers
    >>> cs.sklearn.MMSR().fit_predict(answers)["photo-002"]
    'husky'
    """

    def __init__(
        self, n_iter: int = 10000, tol: float = 1e-10, random_state: int | None = 0
    ) -> None:
        self.n_iter = n_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, data: pd.DataFrame) -> "MMSR":
        """Estimate the skills from data as for `fit_predict`."""
        answers = answers_of(data)
        if not answers.number:
            self.skills_ = pd.Series([], dtype=float, name="skill")
            self.loss_history_: list[float] = []
            return self
        items, labels = len(answers.item.values), max(len(answers.label.values), 2)
        skill, self.loss_history_ = rank_one(
            *covariance(answers),
            items=items,
            n_iter=self.n_iter,
            tol=self.tol,
            seed=self.random_state,
        )
        certain = 1 / np.sqrt(items)
        skill = np.maximum(np.minimum(skill, 1 - certain), certain - 1 / (labels - 1))
        right = skill * (labels - 1) / labels + 1 / labels
        with np.errstate(divide="ignore"):
            weight = np.log(right * (labels - 1) / (1 - right))
        self.skills_ = answers.annotator.series(weight, "skill")
        return self

    def predict_score(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return the shares of the votes, weighted by skill."""
        self._aggregate(data)
        return self.scores_

    def fit_predict_score(self, data: pd.DataFrame) -> pd.DataFrame:
        """Fit to responses and return the shares of the votes; see `fit`."""
        return self.fit(data).predict_score(data)

    def _aggregate(self, data: pd.DataFrame) -> None:
        votes = self._votes(data)
        self.labels_, self.scores_ = votes.labels_, votes.probas_


class KOS(Aggregator):
    """KOS: messages between tasks and workers, of two labels.

    Parameters
    ----------
    n_iter : int, default 100
        Number of iterations.
    random_state : int, default 0
        Seed of the first messages.

    Attributes
    ----------
    labels_ : pandas.Series
        Best label of each task; in a tie the first in sorted order.

    See Also
    --------
    OneCoinDawidSkene : Accuracies by maximum likelihood, of any number of labels.

    References
    ----------
    Karger, Oh and Shah (2014), Budget-optimal task allocation for reliable
    crowdsourcing systems.

    Examples
    --------
    $answers
    >>> husky = answers.assign(label=answers["label"] == "husky")
    >>> cs.sklearn.KOS().fit_predict(husky)["photo-002"]
    np.True_
    """

    def __init__(self, n_iter: int = 100, random_state: int = 0) -> None:
        self.n_iter = n_iter
        self.random_state = random_state

    def fit(self, data: pd.DataFrame) -> "KOS":
        """Pass the messages, of data as for `fit_predict` with two labels."""
        answers = answers_of(data)
        if not answers.number:
            self.labels_ = no_labels("object")
            return self
        labels = answers.label.values
        if len(labels) != 2:
            raise OptionError(
                f"KOS is for two labels; the data frame has {len(labels)}: take "
                "another method, such as OneCoinDawidSkene"
            )
        # The label that occurs first is positive, for the same start as crowd-kit's.
        positive = answers.label.codes[0]
        sign = np.where(answers.label.codes == positive, 1, -1)
        generator = np.random.RandomState(self.random_state)
        score = message_passing(answers, sign, self.n_iter, generator)
        scores = np.zeros((len(score), 2))
        scores[:, positive] = score
        self.labels_ = answers.best(scores)
        return self


class BinaryRelevance(Aggregator):
    """Binary relevance: every answer is a list of labels, each aggregated by itself.

    Parameters
    ----------
    base_aggregator : Aggregator, optional
        Estimator of whether a task has a label; by default MajorityVote.

    Attributes
    ----------
    labels_ : pandas.Series
        List of the labels of each task.
    aggregators_ : dict of object to Aggregator
        The fitted estimator of each label.

    See Also
    --------
    consilience.fit : Fits responses of kind contains, all labels in one model.

    Examples
    --------
    >>> import consilience as cs
    >>> import pandas as pd
    >>> given = [["cat", "dog"], ["cat"], ["cat", "dog"]]
    >>> answers = pd.DataFrame({"task": 1, "worker": list("abc"), "label": given})
    >>> cs.sklearn.BinaryRelevance().fit_predict(answers)
    task
    1    [cat, dog]
    Name: agg_label, dtype: object
    """

    def __init__(self, base_aggregator: Aggregator | None = None) -> None:
        self.base_aggregator = base_aggregator

    def fit(self, data: pd.DataFrame) -> "BinaryRelevance":
        """Aggregate each label; the labels of the data are lists."""
        base: Aggregator = self.base_aggregator or MajorityVote()
        labels = data["label"] if "label" in data else pd.Series(dtype=object)
        names = pd.Index(sorted({name for given in labels for name in given}))
        self.aggregators_: dict[object, Aggregator] = {}
        answers = answers_of(data.assign(label=labels.map(len)) if len(names) else data)
        items = answers.item.series(None, "agg_label").index
        of_items: dict[object, list[object]] = {item: [] for item in items}
        for name in names:
            of_label = data.assign(label=[name in given for given in labels])
            self.aggregators_[name] = clone(base)
            present = self.aggregators_[name].fit_predict(of_label)
            for item in present.index[present.to_numpy(bool)]:
                of_items[item].append(name)
        labelled = pd.Series(list(of_items.values()), items, name="agg_label")
        self.labels_ = labelled if len(items) else no_labels()
        return self
