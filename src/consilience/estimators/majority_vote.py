"""The estimator of majority vote."""

import pandas as pd
from sklearn.base import BaseEstimator

from consilience.estimators.aggregate import aggregate
from consilience.fitting import Effort


class MajorityVote(BaseEstimator):  # type: ignore[misc]  # it has no types
    """Majority vote: the label that most annotators gave.

    Parameters
    ----------
    engine
        As for `consilience.fit`.
    random_state
        One seed gives one result.

    Attributes
    ----------
    labels_
        Best label of each task.
    probas_
        Share of votes: a row per task, a column per label.
    fit_
        The fit.
    """

    def __init__(self, *, engine: str = "auto", random_state: int = 0) -> None:
        self.engine = engine
        self.random_state = random_state

    def fit(
        self, data: pd.DataFrame, true_labels: pd.Series | None = None
    ) -> "MajorityVote":
        """Fit to responses; `true_labels` holds known labels, indexed by task."""
        found = aggregate(
            data,
            true_labels,
            model="majority",
            engine=self.engine,
            seed=self.random_state,
            effort=Effort(),
        )
        self.labels_, self.probas_, self.fit_ = found.labels, found.probas, found.fit
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
