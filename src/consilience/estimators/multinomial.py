"""The estimator of the pooled multinomial."""

import pandas as pd
from sklearn.base import BaseEstimator

from consilience.estimators.aggregate import aggregate
from consilience.fitting import Effort


class Multinomial(BaseEstimator):  # type: ignore[misc]  # it has no types
    """Pooled multinomial: all annotators share one confusion.

    Parameters
    ----------
    n_iter
        Most sweeps; None: the engine's own default. Without effect on `nuts`.
    tol
        Gain per answer below which the climb stops; None: the engine's own default.
    engine
        As for `consilience.fit`.
    random_state
        One seed gives one result.

    Attributes
    ----------
    labels_
        Best label of each task.
    probas_
        Posterior probability: a row per task, a column per label.
    priors_
        How frequent each label is.
    errors_
        p(answer | truth): a row per worker and answer, a column per true label; each
        worker's columns sum to one.
    fit_
        The fit.
    """

    def __init__(
        self,
        n_iter: int | None = None,
        tol: float | None = None,
        *,
        engine: str = "auto",
        random_state: int = 0,
    ) -> None:
        self.n_iter = n_iter
        self.tol = tol
        self.engine = engine
        self.random_state = random_state

    def fit(
        self, data: pd.DataFrame, true_labels: pd.Series | None = None
    ) -> "Multinomial":
        """Fit to responses; `true_labels` holds known labels, indexed by task."""
        found = aggregate(
            data,
            true_labels,
            model="multinomial",
            engine=self.engine,
            seed=self.random_state,
            effort=Effort(sweeps=self.n_iter, tolerance=self.tol),
        )
        self.labels_, self.probas_, self.fit_ = found.labels, found.probas, found.fit
        self.priors_, self.errors_ = found.priors, found.errors
        return self

    def fit_predict(
        self, data: pd.DataFrame, true_labels: pd.Series | None = None
    ) -> pd.Series:
        """Fit and return the best label of each task."""
        return self.fit(data, true_labels).labels_

    def fit_predict_proba(
        self, data: pd.DataFrame, true_labels: pd.Series | None = None
    ) -> pd.DataFrame:
        """Fit and return the probability of each label of each task."""
        return self.fit(data, true_labels).probas_
