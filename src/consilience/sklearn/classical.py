"""Estimators that run a published algorithm unless an engine of a fit is named."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.errors import OptionError, not_among
from consilience.fitting import EngineOptions
from consilience.sklearn.answers import Aggregated, Answers, Column, answers_of
from consilience.sklearn.base import ModelAggregator
from consilience.sklearn.published import Glad, Mace

CLASSICAL = "classical"


class ClassicalAggregator(ModelAggregator):
    """Base class: the published algorithm, or the model of the same name.

    Parameters and attributes are those of `ModelAggregator`.

    See Also
    --------
    ModelAggregator : Estimators without an algorithm of their own.

    Examples
    --------
    >>> import consilience as cs
    >>> cs.sklearn.GLAD(engine="em")
    GLAD(engine='em')
    """

    loss_history_: list[float]
    labels_priors: pd.Series | None = None

    def fit[A: "ClassicalAggregator"](  # noqa: PYI019 (checked method by method)
        self: A,
        data: pd.DataFrame,
        true_labels: pd.Series | None = None,
        initial_error: pd.DataFrame | None = None,
    ) -> A:
        """Fit to responses; as for `ModelAggregator.fit`."""
        if self.engine != CLASSICAL:
            return super().fit(data, true_labels, initial_error)
        if self.prior is not None:
            raise OptionError(
                'prior settings are those of a model; give another engine than "'
                f'{CLASSICAL}", such as `engine="auto"`'
            )
        if self.tol is not None and np.isnan(self.tol):
            raise OptionError(
                "tolerance is nan; give a number: iterations end at a smaller gain"
            )
        offered = None if self.labels_priors is None else self.labels_priors.index
        answers = answers_of(data, [true_labels, offered])
        if not answers.number:
            self._keep_nothing()
            return self
        gold = answers.gold(true_labels)
        if len(gold) or initial_error is not None:
            what = "true_labels" if len(gold) else "initial_error"
            raise OptionError(
                f"the published algorithm of {type(self).__name__} does not use "
                f'{what}; take another engine than "classical", such as `engine="auto"`'
            )
        self._fit_classical(answers)
        return self

    def _fit_classical(self, answers: Answers) -> None:
        """Run the algorithm and set the attributes."""
        raise NotImplementedError


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
    $fit_or_algorithm
    random_state
        As of `ModelAggregator`.

    Attributes
    ----------
    alphas_ : pandas.Series
        Ability of each worker; zero is chance.
    betas_, loss_history_
        Of the published algorithm: logarithm of the ease of each task; expected log
        posterior density per answer and label, after each iteration.
    $probas
    priors_ : pandas.Series
        Prior probability of each label.

    See Also
    --------
    ItemDifficulty : Difficulty with confusion matrices.

    References
    ----------
    Whitehill et al. (2009), Whose vote should count more: optimal integration of
    labels from labelers of unknown expertise.

    Examples
    --------
    $answers
    >>> cs.sklearn.GLAD().fit(answers).alphas_.head(2).round(1)
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
        self.alphas_ = pd.Series(skill, index=result.people, name="alpha")

    def _keep_nothing(self) -> None:
        super()._keep_nothing()
        self.priors_ = pd.Series([], dtype=float, name="prior")
        self.alphas_ = pd.Series([], dtype=float, name="alpha")
        self.betas_ = pd.Series([], dtype=float, name="beta")
        self.loss_history_ = []

    def _fit_classical(self, answers: Answers) -> None:
        alike = 1 / len(answers.label.values)
        priors = _means(self.labels_priors, answers.label, alike)
        with np.errstate(divide="ignore"):
            log_prior = np.log(priors)
        ability = _means(self.alphas_priors_mean, answers.annotator, 1.0)
        ease = _means(self.betas_priors_mean, answers.item, 1.0)
        probas, point, self.loss_history_ = Glad(answers, log_prior, ability, ease).em(
            self.n_iter, self.tol, self.m_step_max_iter, self.m_step_tol
        )
        self.probas_, self.labels_ = answers.by_label(probas), answers.best(probas)
        self.priors_ = answers.label.series(priors, "prior")
        self.alphas_ = answers.annotator.series(point[: len(ability)], "alpha")
        self.betas_ = answers.item.series(point[len(ability) :], "beta")


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
    tol
        As of `ModelAggregator`, of another `engine` than "classical".
    $fit_or_algorithm

    Attributes
    ----------
    spamming_ : array of shape (workers, 2)
        How often each worker answers at random, and how often from knowledge, in
        the order in which workers occur in the data, as in crowd-kit. Of "vb" the
        exponential of the mean logarithm, so that rows sum to less than one.
    thetas_ : ndarray of shape (n_workers, n_labels)
        Distribution of each worker's random answers, with rows as above and labels in
        the order in which they occur in the data.
    $probas

    See Also
    --------
    OneCoinDawidSkene : One accuracy for each annotator.

    References
    ----------
    Hovy et al. (2013), Learning whom to trust with MACE.

    Examples
    --------
    $answers
    >>> cs.sklearn.MACE().fit(answers).spamming_[:2].round(1)
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

    def _effort(self) -> EngineOptions:
        return EngineOptions(
            iterations=self.n_iter, tolerance=self.tol, restarts=self.n_restarts
        )

    def _keep(self, result: Aggregated, data: pd.DataFrame) -> None:
        super()._keep(result, data)
        people, labels = result.people, result.probas.columns
        rows = people.get_indexer(pd.Index(data[people.name].unique()))
        answered = labels.get_indexer(pd.Index(data[labels.name].unique()))
        self.spamming_ = result.mean("trust")[rows][:, ::-1]
        self.thetas_ = result.mean("habit")[rows][:, answered]

    def _keep_nothing(self) -> None:
        super()._keep_nothing()
        self.spamming_, self.thetas_ = np.zeros((0, 2)), np.zeros((0, 0))

    def _fit_classical(self, answers: Answers) -> None:
        if self.method not in ("vb", "em"):
            raise OptionError(not_among("method", self.method, ("vb", "em")))
        # Workers and labels in the order in which they occur, so that the random start
        # is crowd-kit's.
        annotator, people = pd.factorize(answers.annotator.codes)
        label, labels = pd.factorize(answers.label.codes)
        shape = len(answers.item.values), len(people), len(labels)
        end = Mace(answers.item.codes, annotator, label, shape).em(
            n_restarts=self.n_restarts,
            n_iter=self.n_iter,
            smoothing=0.01 / len(labels) if self.smoothing is None else self.smoothing,
            default_noise=self.default_noise,
            imagined=(self.alpha, self.beta) if self.method == "vb" else None,
            seed=self.random_state,
        )
        probas = np.zeros((shape[0], len(answers.label.values)))
        probas[:, labels] = end.probas
        self.probas_, self.labels_ = answers.by_label(probas), answers.best(probas)
        self.spamming_, self.thetas_ = end.spamming, end.thetas


def _means(
    given: pd.Series | None, column: Column, otherwise: float
) -> Float[np.ndarray, " X"]:
    """Return a number for each value of a column: what is given, or the default."""
    if given is None:
        return np.full(len(column.values), otherwise)
    return given.reindex(column.values).fillna(otherwise).to_numpy(float)
