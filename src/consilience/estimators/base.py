"""What all estimators share: parameters, attributes, and how they are fitted."""

from collections.abc import Mapping
from typing import ClassVar

import pandas as pd
from sklearn.base import BaseEstimator

from consilience.estimators.aggregate import Aggregated, Settings, aggregate
from consilience.fitting import Effort


class Aggregator(BaseEstimator):  # type: ignore[misc]  # it has no types
    """An annotator model as a scikit-learn estimator.

    Parameters
    ----------
    n_iter
        Most sweeps; None: the engine's own default. Without effect on `nuts`.
    tol
        Gain per answer below which the climb stops; None: the engine's own default.
    engine
        As for `consilience.fit`.
    prior
        Settings of the model's prior to change, by name.
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
        The fit: all tables, with intervals and checks.
    """

    model: ClassVar[str]

    def __init__(
        self,
        n_iter: int | None = None,
        tol: float | None = None,
        *,
        engine: str = "auto",
        prior: Mapping[str, float] | None = None,
        random_state: int = 0,
    ) -> None:
        self.n_iter = n_iter
        self.tol = tol
        self.engine = engine
        self.prior = prior
        self.random_state = random_state

    def fit(
        self, data: pd.DataFrame, true_labels: pd.Series | None = None
    ) -> "Aggregator":
        """Fit to responses; `true_labels` holds known labels, indexed by task."""
        self._aggregate(data, true_labels)
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

    def _settings(self) -> Settings:
        return Settings(
            model=self.model,
            engine=self.engine,
            prior=self.prior,
            seed=self.random_state,
            effort=Effort(sweeps=self.n_iter, tolerance=self.tol),
        )

    def _aggregate(
        self, data: pd.DataFrame, true_labels: pd.Series | None
    ) -> Aggregated:
        found = aggregate(data, true_labels, self._settings())
        self.labels_, self.probas_, self.fit_ = found.labels, found.probas, found.fit
        self.priors_ = found.priors
        if found.errors is not None:
            self.errors_ = found.errors
        return found
