"""Estimators of the models with few parameters for each annotator."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from consilience.errors import OptionError, not_among
from consilience.estimators.aggregate import Aggregated, Settings
from consilience.estimators.base import ModelAggregator
from consilience.estimators.by_confusion import DawidSkene
from consilience.estimators.classical.em import (
    Confusion,
    Estimated,
    GladEm,
    MaceEm,
    by_accuracy,
)
from consilience.estimators.classically import CLASSICAL, ClassicalAggregator
from consilience.estimators.columns import Answers, Column
from consilience.fitting import EngineOptions

type Given = Bool[np.ndarray, "J L"]


class OneCoinDawidSkene(DawidSkene):
    """One coin: each annotator has one accuracy, whatever the true label.

    Parameters
    ----------
    n_iter : int, default 100
        Largest number of iterations of EM.
    tol : float, default 1e-5
        Gain per answer, in nats, below which to stop.
    initial_error_strategy : {"assign", "addition", "prior"}, optional
        As of DawidSkene; the accuracy that the confusion matrix implies is used.
    %(classical_parameters)s

    Attributes
    ----------
    skills_ : pandas.Series
        Accuracy of each worker.
    loss_history_ : list of float
        Evidence lower bound per answer, in nats, after each iteration; not with another
        `engine` than "classical".
    %(attribute_list)s

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
    %(answers)s
    >>> cs.OneCoinDawidSkene().fit(answers).skills_.head(2).round(2)
    worker
    Ada    0.50
    Ben    0.83
    Name: skill, dtype: float64
    """

    model = "one_coin_dawid_skene"

    def _keep(self, result: Aggregated, data: pd.DataFrame) -> None:
        super()._keep(result, data)
        self.skills_ = _skills(result)

    def _confusions(self, counts: Confusion, given: Given) -> Confusion:
        """Return confusions of one accuracy each; see `DawidSkene`."""
        return np.where(given.any(1)[:, None, None], by_accuracy(counts), 0.0)

    def _keep_nothing(self) -> None:
        super()._keep_nothing()
        self.skills_ = pd.Series([], dtype=float, name="skill")

    def _keep_estimated(self, answers: Answers, result: Estimated) -> None:
        super()._keep_estimated(answers, result)
        right = np.einsum("jkk->jk", result.errors)[:, 0]
        self.skills_ = answers.annotator.series(right, "skill")


class SharedErrors(ModelAggregator):
    """One coin with shared errors: accuracies differ, errors are distributed alike.

    Parameters
    ----------
    %(parameter_list)s

    Attributes
    ----------
    skills_ : pandas.Series
        Accuracy of each worker.
    %(attribute_list)s

    See Also
    --------
    OneCoinDawidSkene : The same with uniform errors.

    References
    ----------
    Van Horn et al. (2018), Lean multiclass crowdsourcing.

    Examples
    --------
    %(answers)s
    >>> cs.SharedErrors().fit(answers).skills_.head(2).round(2)
    worker
    Ada    0.63
    Ben    0.76
    Name: skill, dtype: float64
    """

    model = "shared_errors"

    def _keep(self, result: Aggregated, data: pd.DataFrame) -> None:
        super()._keep(result, data)
        self.skills_ = _skills(result)


class GLAD(ClassicalAggregator):
    """GLAD: a right answer has log-odds of the ability times the ease of the task.

    Parameters
    ----------
    n_iter : int, default 100
        Largest number of iterations of EM.
    tol : float, default 1e-5
        Gain below which to stop, per answer and label.
    silent : bool, default True
        Ignored; there is no progress bar.
    labels_priors : pandas.Series, optional
        Prior probability of each label; by default all are alike.
    alphas_priors_mean, betas_priors_mean : pandas.Series, optional
        Prior mean of the ability of workers, and of the logarithm of the ease of tasks;
        by default one.
    m_step_max_iter : int, default 25
        Largest number of conjugate gradient steps in an M-step.
    m_step_tol : float, default 1e-2
        Tolerance of the conjugate gradient steps.
    %(classical_parameters)s

    Attributes
    ----------
    alphas_ : pandas.Series
        Ability of each worker; zero is chance.
    betas_ : pandas.Series
        Logarithm of the ease of each task; with another `engine` than "classical" it is
        integrated out, and not an attribute.
    loss_history_ : list of float
        Expected log posterior density per answer and label, after each iteration; not
        with another `engine` than "classical".
    labels_ : pandas.Series
        Best label of each task.
    probas_ : pandas.DataFrame
        Posterior probability, one row per task and one column per label.
    priors_ : pandas.Series
        Prior probability of each label.
    errors_, fit_
        Only with another `engine` than "classical", as of `ModelAggregator`.

    See Also
    --------
    ItemDifficulty : Difficulty with confusion matrices.

    References
    ----------
    Whitehill et al. (2009), Whose vote should count more: optimal integration of
    labels from labelers of unknown expertise.

    Examples
    --------
    %(answers)s
    >>> cs.GLAD().fit(answers).alphas_.head(2).round(1)
    worker
    Ada    0.0
    Ben    0.6
    Name: alpha, dtype: float64
    """

    model = "glad"

    def __init__(  # noqa: PLR0913 (as crowd-kit has them)
        self,
        n_iter: int = 100,
        tol: float = 1e-5,
        silent: bool = True,  # noqa: FBT001, FBT002
        labels_priors: pd.Series | None = None,
        alphas_priors_mean: pd.Series | None = None,
        betas_priors_mean: pd.Series | None = None,
        m_step_max_iter: int = 25,
        m_step_tol: float = 1e-2,
        *,
        engine: str = CLASSICAL,
        prior: Mapping[str, float] | None = None,
        random_state: int = 0,
    ) -> None:
        super().__init__(
            n_iter, tol, engine=engine, prior=prior, random_state=random_state
        )
        self.silent = silent
        self.labels_priors = labels_priors
        self.alphas_priors_mean = alphas_priors_mean
        self.betas_priors_mean = betas_priors_mean
        self.m_step_max_iter = m_step_max_iter
        self.m_step_tol = m_step_tol

    def _keep(self, result: Aggregated, data: pd.DataFrame) -> None:
        super()._keep(result, data)
        skill = result.mean("skill")
        self.alphas_ = pd.Series(skill, index=result.names["annotator"], name="alpha")

    def _further_labels(self) -> list[pd.Series | pd.Index]:
        return [] if self.labels_priors is None else [self.labels_priors.index]

    def _keep_nothing(self) -> None:
        super()._keep_nothing()
        self.alphas_ = pd.Series([], dtype=float, name="alpha")
        self.betas_ = pd.Series([], dtype=float, name="beta")

    def _fit_classical(
        self,
        answers: Answers,
        gold: Int[np.ndarray, "G 2"],
        initial_error: pd.DataFrame | None,
        data: pd.DataFrame,
    ) -> None:
        del data
        _only_answers(self, gold, initial_error)
        alike = 1 / len(answers.label.values)
        priors = _means(self.labels_priors, answers.label, alike)
        with np.errstate(divide="ignore"):
            log_prior = np.log(priors)
        result = GladEm(
            answers,
            log_prior,
            _means(self.alphas_priors_mean, answers.annotator, 1.0),
            _means(self.betas_priors_mean, answers.item, 1.0),
        ).run(self.n_iter, self.tol, self.m_step_max_iter, self.m_step_tol)
        self.probas_ = answers.by_label(result.probas)
        self.labels_ = answers.best(result.probas)
        self.priors_ = answers.label.series(priors, "prior")
        self.alphas_ = answers.annotator.series(result.alpha, "alpha")
        self.betas_ = answers.item.series(result.beta, "beta")
        self.loss_history_ = result.history


class BWA(ModelAggregator):
    """Bayesian weighted average: votes weighted by the precision of each worker.

    The model has no confusion matrices, so there is no `errors_`.

    Parameters
    ----------
    %(parameter_list)s

    Attributes
    ----------
    weights_ : pandas.DataFrame
        Weight of each worker's vote, one row per worker and one column per label.
    labels_ : pandas.Series
        Best label of each task.
    probas_ : pandas.DataFrame
        Posterior probability, one row per task and one column per label.
    priors_ : pandas.Series
        Mean of `probas_` for each label.
    fit_ : Fit
        The fit, with all tables, intervals and diagnostics.

    See Also
    --------
    MajorityVote : Votes of equal weight.

    References
    ----------
    Li, Rubinstein and Cohn (2019), Truth inference at scale: a Bayesian model for
    adjudicating highly redundant crowd annotations.

    Examples
    --------
    %(answers)s
    >>> cs.BWA().fit(answers).labels_.head(2)
    task
    photo-001    malamute
    photo-002       husky
    Name: agg_label, dtype: str
    """

    model = "bwa"

    def _keep(self, result: Aggregated, data: pd.DataFrame) -> None:
        super()._keep(result, data)
        self.weights_ = pd.DataFrame(
            result.mean("precision"),
            index=result.names["annotator"],
            columns=result.names["given_class"],
        )


class MACE(ClassicalAggregator):
    """MACE: an annotator either knows the truth or answers at random.

    Parameters
    ----------
    n_restarts : int, default 10
        Number of starts, of which the best is kept.
    n_iter : int, default 50
        Number of iterations of each.
    method : {"vb", "em"}, default "vb"
        Variational Bayes, or EM with smoothed counts.
    smoothing : float, optional
        What EM adds to the counts; by default a hundredth over the number of labels.
    default_noise : float, default 0.5
        How far the starts differ.
    alpha, beta : float, default 0.5
        Imagined answers at random and from knowledge, of variational Bayes.
    random_state : int, default 0
        Seed of the starts.
    verbose : int, default 0
        Ignored; there is no progress bar.
    tol : float, optional
        As of `ModelAggregator`, of another `engine` than "classical".
    engine : str, default "classical"
        "classical": the published algorithm. Another engine fits the model of the same
        name as `consilience.fit` does, with `fit_`; of the parameters above it takes
        `n_restarts`, `n_iter` and `random_state`.
    prior : mapping of str to float, optional
        Settings of the model's prior to change, by name; not of "classical".

    Attributes
    ----------
    spamming_ : array of shape (workers, 2)
        How often each worker answers at random, and how often from knowledge, in
        the order in which workers occur in the data, as in crowd-kit. Of "vb" the
        exponential of the mean logarithm, so that rows sum to less than one.
    thetas_ : ndarray of shape (n_workers, n_labels)
        Distribution of each worker's random answers, with rows as above and labels in
        the order in which they occur in the data.
    labels_ : pandas.Series
        Best label of each task.
    probas_ : pandas.DataFrame
        Posterior probability, one row per task and one column per label.
    priors_, errors_, fit_
        Only with another `engine` than "classical", as of `ModelAggregator`.

    See Also
    --------
    OneCoinDawidSkene : One accuracy for each annotator.

    References
    ----------
    Hovy et al. (2013), Learning whom to trust with MACE.

    Examples
    --------
    %(answers)s
    >>> cs.MACE().fit(answers).spamming_[:2].round(1)
    array([[0.6, 0.4],
           [0.3, 0.6]])
    """

    model = "mace"

    def __init__(  # noqa: PLR0913, PLR0917 (as crowd-kit has them)
        self,
        n_restarts: int = 10,
        n_iter: int = 50,
        method: str = "vb",
        smoothing: float | None = None,
        default_noise: float = 0.5,
        alpha: float = 0.5,
        beta: float = 0.5,
        random_state: int = 0,
        verbose: int = 0,
        *,
        tol: float | None = None,
        engine: str = CLASSICAL,
        prior: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(
            n_iter, tol, engine=engine, prior=prior, random_state=random_state
        )
        self.n_restarts = n_restarts
        self.method = method
        self.smoothing = smoothing
        self.default_noise = default_noise
        self.alpha = alpha
        self.beta = beta
        self.verbose = verbose

    def _keep(self, result: Aggregated, data: pd.DataFrame) -> None:
        super()._keep(result, data)
        people, labels = result.names["annotator"], result.names["given_class"]
        rows = people.get_indexer(pd.Index(data[people.name].unique()))
        answered = labels.get_indexer(pd.Index(data[labels.name].unique()))
        self.spamming_ = result.mean("trust")[rows][:, ::-1]
        self.thetas_ = result.mean("habit")[rows][:, answered]

    def _keep_nothing(self) -> None:
        super()._keep_nothing()
        self.spamming_, self.thetas_ = np.zeros((0, 2)), np.zeros((0, 0))

    def _fit_classical(
        self,
        answers: Answers,
        gold: Int[np.ndarray, "G 2"],
        initial_error: pd.DataFrame | None,
        data: pd.DataFrame,
    ) -> None:
        del data
        _only_answers(self, gold, initial_error)
        if self.method not in ("vb", "em"):
            raise OptionError(not_among("method", self.method, ("vb", "em")))
        # Workers and labels in the order in which they occur, so that the random start
        # is crowd-kit's.
        annotator, _ = pd.factorize(answers.annotator.codes)
        label, labels = pd.factorize(answers.label.codes)
        shape = len(answers.item.values), int(annotator.max()) + 1, len(labels)
        where, seen = MaceEm(answers.item.codes, annotator, label, shape).run(
            n_restarts=self.n_restarts,
            n_iter=self.n_iter,
            method=self.method,
            smoothing=0.01 / shape[2] if self.smoothing is None else self.smoothing,
            default_noise=self.default_noise,
            imagined=(self.alpha, self.beta),
            seed=self.random_state,
        )
        probas = np.zeros((shape[0], len(answers.label.values)))
        probas[:, labels] = seen.probas
        self.probas_ = answers.by_label(probas)
        self.labels_ = answers.best(probas)
        self.spamming_, self.thetas_ = where

    def _settings(self) -> Settings:
        return Settings(
            model=self.model,
            engine=self.engine,
            prior=self.prior,
            seed=self.random_state,
            effort=EngineOptions(
                sweeps=self.n_iter, tolerance=self.tol, restarts=self.n_restarts
            ),
        )


def _skills(result: Aggregated) -> pd.Series:
    right = result.mean("skill")[:, 0]
    return pd.Series(right, index=result.names["annotator"], name="skill")


def _means(
    given: pd.Series | None, column: Column, otherwise: float
) -> Float[np.ndarray, " X"]:
    """Return a number for each value of a column: what is given, or the default."""
    if given is None:
        return np.full(len(column.values), otherwise)
    return given.reindex(column.values).fillna(otherwise).to_numpy(float)


def _only_answers(
    estimator: ClassicalAggregator,
    gold: Int[np.ndarray, "G 2"],
    initial_error: pd.DataFrame | None,
) -> None:
    """Refuse what the published algorithm has no place for."""
    if len(gold) or initial_error is not None:
        what = "true_labels" if len(gold) else "initial_error"
        msg = (
            f"the published algorithm of {type(estimator).__name__} does not use "
            f'{what}; take another engine than "classical", such as `engine="auto"`'
        )
        raise OptionError(msg)
