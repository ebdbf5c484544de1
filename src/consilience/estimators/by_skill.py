"""Estimators of the models with few parameters for each annotator."""

from collections.abc import Mapping

import pandas as pd

from consilience.estimators.aggregate import Aggregated, Settings
from consilience.estimators.base import Aggregator
from consilience.fitting import EngineOptions


class OneCoinDawidSkene(Aggregator):
    """One coin: each annotator has one accuracy, whatever the true label.

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
    Ada    0.61
    Ben    0.77
    Name: skill, dtype: float64
    """

    model = "one_coin_dawid_skene"

    def _keep(self, result: Aggregated, data: pd.DataFrame) -> None:
        super()._keep(result, data)
        right = result.mean("skill")[:, 0]
        self.skills_ = pd.Series(right, index=result.names["annotator"], name="skill")


class SharedErrors(OneCoinDawidSkene):
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


class GLAD(Aggregator):
    """GLAD: a right answer has log-odds of the ability times the ease of the item.

    The ease of items is integrated out, so it is not an attribute.

    Parameters
    ----------
    %(parameter_list)s

    Attributes
    ----------
    alphas_ : pandas.Series
        Ability of each worker; zero is chance.
    %(attribute_list)s

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
    >>> cs.GLAD(engine="em").fit(answers).alphas_.head(2).round(1)
    worker
    Ada    0.1
    Ben    0.9
    Name: alpha, dtype: float64
    """

    model = "glad"

    def _keep(self, result: Aggregated, data: pd.DataFrame) -> None:
        super()._keep(result, data)
        skill = result.mean("skill")
        self.alphas_ = pd.Series(skill, index=result.names["annotator"], name="alpha")


class BWA(Aggregator):
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


class MACE(Aggregator):
    """MACE: an annotator either knows the truth or answers at random.

    Parameters
    ----------
    n_restarts : int, optional
        Number of starts, of which the best is kept; the engine's own default if None.
    %(parameter_list)s

    Attributes
    ----------
    spamming_ : array of shape (workers, 2)
        How often each worker answers at random, and how often from knowledge, in
        the order in which workers occur in the data, as in crowd-kit.
    thetas_ : ndarray of shape (n_workers, n_labels)
        Distribution of each worker's random answers, with rows as above and labels in
        the order in which they occur in the data.
    %(attribute_list)s

    See Also
    --------
    OneCoinDawidSkene : One accuracy for each annotator.

    References
    ----------
    Hovy et al. (2013), Learning whom to trust with MACE.

    Examples
    --------
    %(answers)s
    >>> cs.MACE(n_restarts=2).fit(answers).spamming_[:2].round(1)
    array([[0.7, 0.3],
           [0.4, 0.6]])
    """

    model = "mace"

    def __init__(
        self,
        n_restarts: int | None = None,
        n_iter: int | None = None,
        tol: float | None = None,
        *,
        engine: str = "auto",
        prior: Mapping[str, float] | None = None,
        random_state: int = 0,
    ) -> None:
        super().__init__(
            n_iter, tol, engine=engine, prior=prior, random_state=random_state
        )
        self.n_restarts = n_restarts

    def _keep(self, result: Aggregated, data: pd.DataFrame) -> None:
        super()._keep(result, data)
        people, labels = result.names["annotator"], result.names["given_class"]
        rows = people.get_indexer(pd.Index(data[people.name].unique()))
        answered = labels.get_indexer(pd.Index(data[labels.name].unique()))
        self.spamming_ = result.mean("trust")[rows][:, ::-1]
        self.thetas_ = result.mean("habit")[rows][:, answered]

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
