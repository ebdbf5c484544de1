"""Estimators of annotator models: most only name a model of `consilience.fit`.

DawidSkene and OneCoinDawidSkene take crowd-kit's parameters, and are fitted by EM from
the shares of the votes.
"""

import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd

from consilience.errors import ConsilienceWarning, OptionError, not_among
from consilience.fitting import EngineOptions
from consilience.sklearn.answers import Aggregated, Answers, answers_of, earlier_counts
from consilience.sklearn.base import ATTRIBUTES, FIT, PROBAS, ModelAggregator

STRATEGIES = ("assign", "addition", "prior")
SKILLS = """\
skills_ : pandas.Series
    Accuracy of each worker."""
WEIGHTS = """\
weights_ : pandas.DataFrame
    Weight of each worker's vote, one row per worker and one column per label."""
MEAN_PRIORS = """\
priors_ : pandas.Series
    Mean of `probas_` for each label."""


class BayesianDawidSkene(ModelAggregator):
    """Bayesian Dawid-Skene: confusion matrices of annotators, with a fixed prior."""

    model = "bayesian_dawid_skene"


class HierarchicalDawidSkene(ModelAggregator):
    """Hierarchical Dawid-Skene: confusion matrices from a learned population."""

    model = "hierarchical_dawid_skene"


class Multinomial(ModelAggregator):
    """Pooled multinomial: all annotators share one confusion matrix."""

    model = "multinomial"


class ClassConditional(ModelAggregator):
    """Class-conditional: each annotator has an accuracy for each true label."""

    model = "class_conditional"


class CommunityBCC(ModelAggregator):
    """Community BCC: each annotator mixes a few confusion matrices that all share."""

    model = "community_bcc"


class EBCC(ModelAggregator):
    """Enhanced BCC: labels have subtypes, which make errors of annotators dependent.

    Annotators who make the same errors count for less.
    """

    model = "ebcc"


class LogisticRandomEffects(ModelAggregator):
    """Logistic random effects: confusion matrices that depend on items' difficulty."""

    model = "logistic_random_effects"


class ItemDifficulty(ModelAggregator):
    """Item difficulty: annotators share a confusion matrix that depends on the item."""

    model = "item_difficulty"


class AutoAggregator(ModelAggregator):
    """Model average: several models compared, and their posteriors mixed.

    Confusion matrices and prevalences are those of the model that predicts answers
    best; `fit_.comparison()` shows the ranking.

    Parameters
    ----------
    $parameters

    Attributes
    ----------
    $attributes

    See Also
    --------
    consilience.compare : The comparison alone.

    References
    ----------
    Yao, Vehtari, Simpson and Gelman (2018)

    Examples
    --------
    $answers
    >>> cs.sklearn.AutoAggregator().fit(answers).labels_["photo-001"]
    'malamute'
    """

    model = "auto"


class SharedErrors(ModelAggregator, attributes=f"{SKILLS}\n{ATTRIBUTES}"):
    """One coin with shared errors: accuracies differ, errors are distributed alike."""

    model = "shared_errors"

    def _keep(self, result: Aggregated, data: pd.DataFrame) -> None:
        super()._keep(result, data)
        self.skills_ = _skills(result)


class BWA(ModelAggregator, attributes=f"{WEIGHTS}\n{PROBAS}\n{MEAN_PRIORS}\n{FIT}"):
    """Bayesian weighted average: votes weighted by the precision of each worker.

    The model has no confusion matrices, so there is no `errors_`.
    """

    model = "bwa"

    def _keep(self, result: Aggregated, data: pd.DataFrame) -> None:
        super()._keep(result, data)
        self.weights_ = pd.DataFrame(
            result.mean("precision"), index=result.people, columns=result.probas.columns
        )


class DawidSkene(ModelAggregator):
    """Dawid-Skene: a confusion matrix for each annotator, by maximum likelihood.

    EM starts from the shares of the votes. Where all answers are one label, that is the
    label of each task.

    Parameters
    ----------
    n_iter : int, default 100
        Largest number of iterations of EM; at least one is made.
    tol : float, default 1e-5
        Gain per answer, in nats, below which to stop.
    initial_error_strategy : {"assign", "addition", "prior"}, optional
        Of crowd-kit. Here `initial_error` is a prior, whichever it is: counts that are
        added in every M-step, and a warning says so where another is named. "assign"
        wants the confusions of all workers.
    engine, prior, random_state : optional
        As of `ModelAggregator`; the default engine is "em".

    Attributes
    ----------
    $loss_history
    $attributes

    See Also
    --------
    BayesianDawidSkene : The same with a fixed prior.
    HierarchicalDawidSkene : The same with a learned prior.

    References
    ----------
    Dawid and Skene (1979), Maximum likelihood estimation of observer error-rates
    using the EM algorithm.

    Examples
    --------
    $answers
    >>> cs.sklearn.DawidSkene().fit(answers).errors_.round(2).iloc[:2, :2]
                  fox  husky
    worker label
    Ada    fox    0.5    0.0
           husky  0.0    0.5
    """

    model = "dawid_skene"
    loss_history_: list[float]

    def __init__(
        self,
        n_iter: int = 100,
        tol: float = 1e-5,
        initial_error_strategy: str | None = None,
        *,
        engine: str = "em",
        prior: Mapping[str, float] | None = None,
        random_state: int = 0,
    ) -> None:
        super().__init__(
            n_iter, tol, engine=engine, prior=prior, random_state=random_state
        )
        self.initial_error_strategy = initial_error_strategy

    def fit[A: "DawidSkene"](  # noqa: PYI019 (checked method by method)
        self: A,
        data: pd.DataFrame,
        true_labels: pd.Series | None = None,
        initial_error: pd.DataFrame | None = None,
    ) -> A:
        """Fit the model to responses; as for `ModelAggregator.fit`."""
        answers = answers_of(data, [true_labels])
        if not answers.number or len(answers.label.values) < 2:
            answers.gold(true_labels)  # refuses those of other tasks
            self._keep_certain(answers)
            return self
        if initial_error is not None and self.initial_error_strategy is not None:
            strategy = self.initial_error_strategy
            if strategy not in STRATEGIES:
                what = "initial_error_strategy"
                raise OptionError(not_among(what, strategy, STRATEGIES))
            if strategy == "assign":
                _check_complete(answers, initial_error)
            if strategy != "prior":
                msg = (
                    f'initial_error_strategy="{strategy}" is taken as "prior": the '
                    "counts are added in every step, not in the first alone"
                )
                warnings.warn(msg, ConsilienceWarning, stacklevel=2)
        return super().fit(data, true_labels, initial_error)

    def _effort(self) -> EngineOptions:
        """Return the settings; crowd-kit may take no step, or never stop."""
        return EngineOptions(
            iterations=max(self.n_iter, 1), tolerance=max(self.tol, 0.0)
        )

    def _keep(self, result: Aggregated, data: pd.DataFrame) -> None:
        super()._keep(result, data)
        self.loss_history_ = result.course()

    def _keep_certain(self, answers: Answers) -> None:
        """Set the attributes where there is nothing to infer."""
        self.loss_history_ = []
        if not answers.number:
            self._keep_nothing()
            return
        items, people = len(answers.item.values), len(answers.annotator.values)
        self.probas_ = answers.by_label(np.ones((items, 1)))
        self.labels_ = answers.best(np.ones((items, 1)))
        self.priors_ = answers.label.series(1.0, "prior")
        self.errors_ = answers.errors(np.ones((people, 1, 1)))

    def _keep_nothing(self) -> None:
        super()._keep_nothing()
        self.priors_ = pd.Series([], dtype=float, name="prior")
        self.errors_ = pd.DataFrame()


class OneCoinDawidSkene(DawidSkene):
    """One coin: each annotator has one accuracy, whatever the true label.

    Parameters
    ----------
    n_iter, tol, initial_error_strategy, engine, prior, random_state : optional
        As of `DawidSkene`.

    Attributes
    ----------
    skills_ : pandas.Series
        Accuracy of each worker.
    $loss_history
    $attributes

    See Also
    --------
    SharedErrors : The same with a shared distribution of errors.
    MACE : Annotators know the truth or answer at random.

    References
    ----------
    Zhang et al. (2016), Spectral methods meet EM: a provably optimal algorithm for
    crowdsourcing.

    Examples
    --------
    $answers
    >>> cs.sklearn.OneCoinDawidSkene().fit(answers).skills_.head(2).round(2)
    worker
    Ada    0.56
    Ben    0.75
    Name: skill, dtype: float64
    """

    model = "one_coin_dawid_skene"

    def _keep(self, result: Aggregated, data: pd.DataFrame) -> None:
        super()._keep(result, data)
        self.skills_ = _skills(result)

    def _keep_certain(self, answers: Answers) -> None:
        super()._keep_certain(answers)
        self.skills_ = answers.annotator.series(1.0, "skill")


def _skills(result: Aggregated) -> pd.Series:
    right = result.mean("skill")[:, 0]
    return pd.Series(right, index=result.people, name="skill")


def _check_complete(answers: Answers, table: pd.DataFrame) -> None:
    """Refuse earlier confusions that are not those of all annotators."""
    counts = earlier_counts(answers, table)
    who = answers.annotator.values.take(answers.annotator.codes)
    label = answers.label.values.take(answers.label.codes)
    lacks = who[~pd.MultiIndex.from_arrays([who, label]).isin(table.index)].unique()
    if len(lacks):
        raise OptionError(
            f"initial_error lacks answers of {len(lacks):,} annotators, such as "
            f"{lacks[0]!r}; to start from it, give the confusions of all, or take "
            '`initial_error_strategy="addition"`'
        )
    if (table <= 1).all(axis=None) and not np.allclose(counts.sum(1), 1.0):
        # crowd-kit's words, which programs may look for.
        raise OptionError(
            "The sum of each worker's error matrix in initial_error should be 1.0 for "
            "each true label; give probabilities that are, or counts"
        )
