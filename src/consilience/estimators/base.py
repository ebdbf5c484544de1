"""What all estimators share: parameters, attributes, and how they are fitted."""

from collections.abc import Mapping
from inspect import signature
from typing import Any, ClassVar

import pandas as pd

from consilience.errors import OptionError, not_among
from consilience.estimators.aggregate import Aggregated, Settings, aggregate
from consilience.fitting import EngineOptions


class Aggregator:
    """An annotator model as a scikit-learn estimator.

    It has the interface that scikit-learn asks for, but does not load it.

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

    @classmethod
    def _parameters(cls) -> list[str]:
        return [name for name in signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002
        """Return the parameters by name; `deep` changes nothing: none is an estimator.

        Parameters
        ----------
        deep
            As scikit-learn passes it.
        """
        del deep
        return {name: getattr(self, name) for name in self._parameters()}

    def set_params(self, **params: Any) -> "Aggregator":
        """Set parameters by name.

        Raises
        ------
        OptionError
            There is no such parameter.
        """
        known = self._parameters()
        for name, value in params.items():
            if name not in known:
                what = f"parameter of {type(self).__name__}"
                raise OptionError(not_among(what, name, known))
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        """Return the call that makes it, with what differs from the defaults."""
        usual = signature(type(self).__init__).parameters
        given = (
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if value is not usual[name].default and value != usual[name].default
        )
        return f"{type(self).__name__}({', '.join(given)})"

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn may expect of it."""
        from sklearn.base import BaseEstimator  # noqa: PLC0415

        return BaseEstimator.__sklearn_tags__(self)

    def _settings(self) -> Settings:
        return Settings(
            model=self.model,
            engine=self.engine,
            prior=self.prior,
            seed=self.random_state,
            effort=EngineOptions(sweeps=self.n_iter, tolerance=self.tol),
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
