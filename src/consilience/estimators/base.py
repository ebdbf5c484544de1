"""The base of all estimators: parameters, attributes, and fitting."""

import re
from collections.abc import Mapping
from inspect import cleandoc, signature
from typing import Any, ClassVar

import pandas as pd

from consilience.errors import OptionError, not_among
from consilience.estimators.aggregate import Aggregated, Settings, aggregate
from consilience.fitting import EngineOptions


class Aggregator:
    """Base class: an annotator model as a scikit-learn estimator.

    It has the interface of a scikit-learn estimator without importing scikit-learn.

    Parameters
    ----------
    n_iter : int, optional
        Largest number of sweeps; the engine's own default if None. Ignored by nuts.
    tol : float, optional
        Gain per answer, in nats, below which the optimizer stops; the engine's own
        default if None.
    engine : {"auto", "gibbs", "nuts", "vb", "em", "svi"}, default "auto"
        As for `consilience.fit`.
    prior : mapping of str to float, optional
        Settings of the model's prior to change, by name.
    random_state : int, default 0
        Seed of the random number generator.

    Attributes
    ----------
    labels_ : pandas.Series
        Best label of each task.
    probas_ : pandas.DataFrame
        Posterior probability, one row per task and one column per label.
    priors_ : pandas.Series
        Prevalence of each label.
    errors_ : pandas.DataFrame
        Confusion matrices, p(answer | truth): one row per worker and answer, one column
        per true label. The columns of each worker sum to one.
    fit_ : Fit
        The fit, with all tables, intervals and diagnostics.

    See Also
    --------
    consilience.fit : The function behind it.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> columns = {"photo": "task", "annotator": "worker", "animal": "label"}
    >>> answers = study(0, num_photos=30).answers.rename(columns=columns)
    >>> estimator = cs.DawidSkene(n_iter=50)
    >>> estimator
    DawidSkene(n_iter=50)
    >>> estimator.fit_predict_proba(answers).iloc[:2, :3].round(2)
    label      fox  husky  malamute
    task
    photo-001  0.0    0.0       1.0
    photo-002  0.0    1.0       0.0
    """

    model: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """Complete the docstring by the sections that all estimators share."""
        if cls.__doc__:
            cls.__doc__ = cleandoc(cls.__doc__)
            for name, text in _shared_sections().items():
                cls.__doc__ = cls.__doc__.replace(f"%({name})s", text)

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

    def fit[A: "Aggregator"](  # noqa: PYI019 (types are checked method by method)
        self: A, data: pd.DataFrame, true_labels: pd.Series | None = None
    ) -> A:
        """Fit the model to responses.

        Parameters
        ----------
        data : pandas.DataFrame
            Columns task (or item), worker (or annotator) and label.
        true_labels : pandas.Series, optional
            Known labels, indexed by task.

        Returns
        -------
        Aggregator
            The estimator itself.
        """
        self._keep(aggregate(data, true_labels, self._settings()), data)
        return self

    def fit_predict(
        self, data: pd.DataFrame, true_labels: pd.Series | None = None
    ) -> pd.Series:
        """Fit the model and return the best label of each task.

        Parameters
        ----------
        data : pandas.DataFrame
            Columns task (or item), worker (or annotator) and label.
        true_labels : pandas.Series, optional
            Known labels, indexed by task.

        Returns
        -------
        pandas.Series
            Labels, indexed by task.
        """
        return self.fit(data, true_labels).labels_

    def fit_predict_proba(
        self, data: pd.DataFrame, true_labels: pd.Series | None = None
    ) -> pd.DataFrame:
        """Fit the model and return the posterior probabilities of each task.

        Parameters
        ----------
        data : pandas.DataFrame
            Columns task (or item), worker (or annotator) and label.
        true_labels : pandas.Series, optional
            Known labels, indexed by task.

        Returns
        -------
        pandas.DataFrame
            One row per task and one column per label.
        """
        return self.fit(data, true_labels).probas_

    @classmethod
    def _parameters(cls) -> list[str]:
        return [name for name in signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002
        """Return the parameters by name.

        Parameters
        ----------
        deep : bool, default True
            Ignored: no parameter is an estimator.

        Returns
        -------
        dict
            Parameters by name.
        """
        del deep
        return {name: getattr(self, name) for name in self._parameters()}

    def set_params(self, **params: Any) -> "Aggregator":
        """Set parameters by name.

        Returns
        -------
        Aggregator
            The estimator itself.

        Raises
        ------
        OptionError
            If there is no such parameter.
        """
        parameters = self._parameters()
        for name, value in params.items():
            if name not in parameters:
                what = f"parameter of {type(self).__name__}"
                raise OptionError(not_among(what, name, parameters))
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

    def _keep(self, result: Aggregated, data: pd.DataFrame) -> None:
        """Set the attributes."""
        del data  # whose order some estimators need
        self.labels_, self.probas_, self.fit_ = result.labels, result.probas, result.fit
        self.priors_ = result.priors
        if result.errors is not None:
            self.errors_ = result.errors


def _shared_sections() -> dict[str, str]:
    """Return parts of the base's docstring, by the names that stand for them."""
    parts = re.split(r"\n\n(?=\w[\w ]*\n-+\n)", cleandoc(Aggregator.__doc__ or ""))
    section = {part.split("\n", 1)[0]: part for part in parts}
    return {
        "parameters": section["Parameters"],
        "attributes": section["Attributes"],
        "parameter_list": section["Parameters"].split("\n", 2)[2],
        "attribute_list": section["Attributes"].split("\n", 2)[2],
        "answers": "\n".join(section["Examples"].split("\n")[2:6]),
    }
