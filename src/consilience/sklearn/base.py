"""What estimators share: sections of docstrings, and models as estimators."""

from collections.abc import Mapping
from inspect import cleandoc
from string import Template
from typing import Any, ClassVar

import pandas as pd
from sklearn.base import BaseEstimator

from consilience import annotators
from consilience.fitting import EngineOptions
from consilience.sklearn.answers import Aggregated, aggregate

LABELS = """\
labels_ : pandas.Series
    Best label of each task; where labels tie, the first in sorted order."""
PROBAS = f"""\
{LABELS}
probas_ : pandas.DataFrame
    Probability of each label, one row per task and one column per label."""
FIT = """\
fit_ : Fit
    The fit, with all tables, intervals and diagnostics."""
ATTRIBUTES = f"""\
{PROBAS}
priors_ : pandas.Series
    Prevalence of each label.
errors_ : pandas.DataFrame
    Confusion matrices, p(answer | truth): one row per worker and answer, one column
    per true label. The columns of each worker sum to one.
{FIT}"""
PARAMETERS = """\
n_iter : int, optional
    Largest number of sweeps; the engine's own default if None. Ignored by nuts.
tol : float, optional
    Gain per answer, in nats, below which the optimizer stops; the engine's own
    default if None.
engine : {"auto", "gibbs", "nuts", "vb", "em"}, default "auto"
    As for `consilience.fit`.
prior : mapping of str to float, optional
    Settings of the model's prior to change, by name.
random_state : int, default 0
    Seed of the random number generator."""
SHARED = {
    "parameters": PARAMETERS,
    "probas": PROBAS,
    "attributes": ATTRIBUTES,
    "votes": """\
labels_, probas_
    Best label of each task that was predicted last, and shares of the weighted
    votes.""",
    "loss_history": """\
loss_history_ : list of float
    Penalised log-likelihood per answer, in nats, after each iteration; empty with
    an engine that does not climb.""",
    "fit_or_algorithm": """\
engine, prior
    "classical", the default engine: the published algorithm. Another fits the model
    of the same name, with `fit_` and `errors_`; parameters as of `ModelAggregator`.""",
    "answers": """\
>>> import consilience as cs
>>> from consilience.demo import study
>>> columns = {"photo": "task", "annotator": "worker", "animal": "label"}
>>> answers = study(0, num_photos=30).answers.rename(columns=columns)""",
}
OF_MODEL = """\
$summary

Parameters
----------
$parameters

Attributes
----------
$attributes

See Also
--------
consilience.fit : Fits the model `$model`, with all options.

References
----------
$references

Examples
--------
$answers
>>> estimator = cs.sklearn.$name(engine="$engine")
>>> estimator.fit(answers).labels_["photo-001"]
'malamute'"""


class Estimator(BaseEstimator):  # type: ignore[misc]
    """Base class: a scikit-learn estimator that is fitted to a table of answers."""

    def __init_subclass__(cls, *, attributes: str = ATTRIBUTES, **more: Any) -> None:
        """Fill what estimators share into a docstring, or write that of a model."""
        super().__init_subclass__(**more)
        members, shared = vars(cls), {**SHARED, "attributes": attributes}
        doc = cleandoc(members.get("__doc__") or "")
        if "model" in members and "Examples" not in doc:
            loaded = annotators.load(members["model"])
            shared |= {"name": cls.__name__, "model": members["model"], "summary": doc}
            shared |= {"references": "\n".join(loaded.references)}
            shared |= {"engine": loaded.engines[0]}
            doc = OF_MODEL
        cls.__doc__ = Template(doc).safe_substitute(shared)

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn may expect: a table of answers is no matrix."""
        tags = super().__sklearn_tags__()
        tags.no_validation = True
        tags.input_tags.two_d_array = False
        tags.input_tags.categorical = True
        return tags

    def __getattr__(self, name: str) -> Any:
        """Say where to find the fit, which only estimators of a model have."""
        msg = f"{type(self).__name__!r} object has no attribute {name!r}"
        if name == "fit_":
            msg += (
                "; it is set by `fit` where the estimator has an `engine`, and that "
                'is another than "classical", such as "auto"'
            )
        raise AttributeError(msg)


class Aggregator(Estimator):
    """Base class: a method of aggregation as a scikit-learn estimator.

    Attributes
    ----------
    labels_ : pandas.Series
        Best label of each task; where labels tie, the first in sorted order.

    See Also
    --------
    ModelAggregator : Estimators of the models of `consilience.fit`.

    Examples
    --------
    >>> import consilience as cs
    >>> isinstance(cs.sklearn.MajorityVote(), cs.sklearn.Aggregator)
    True
    """

    labels_: pd.Series

    def fit_predict(
        self, data: pd.DataFrame, *more: Any, **more_by_name: Any
    ) -> pd.Series:
        """Fit to responses and return the best label of each task.

        Parameters
        ----------
        data : pandas.DataFrame
            Columns task (or item), worker (or annotator) and label.
        *more, **more_by_name
            What else `fit` takes.

        Returns
        -------
        pandas.Series
            Labels, indexed by task.
        """
        fitted: Aggregator = self.fit(data, *more, **more_by_name)
        fitted._aggregate(data)
        return fitted.labels_

    def _aggregate(self, data: pd.DataFrame) -> None:
        """Set the labels of responses, where a fit does not."""


class ProbabilisticAggregator(Aggregator):
    """Base class: a method that states how probable each label is.

    Attributes
    ----------
    $probas

    See Also
    --------
    ModelAggregator : Estimators of the models of `consilience.fit`.

    Examples
    --------
    $answers
    >>> cs.sklearn.MajorityVote().fit_predict_proba(answers).shape
    (30, 5)
    """

    probas_: pd.DataFrame

    def fit_predict_proba(
        self, data: pd.DataFrame, *more: Any, **more_by_name: Any
    ) -> pd.DataFrame:
        """Fit as `fit_predict` does and return the probabilities of the labels.

        Parameters
        ----------
        data, *more, **more_by_name
            As of `fit_predict`.

        Returns
        -------
        pandas.DataFrame
            One row per task and one column per label.
        """
        self.fit_predict(data, *more, **more_by_name)
        return self.probas_

    def _keep_nothing(self) -> None:
        """Set the attributes where there are no answers."""
        self.labels_, self.probas_ = no_labels(), pd.DataFrame()


def no_labels(dtype: str = "float") -> pd.Series:
    """Return the labels of no task."""
    return pd.Series([], dtype=dtype, name="agg_label")


class ModelAggregator(ProbabilisticAggregator):
    """Base class: an annotator model of `consilience.fit` as an estimator.

    Parameters
    ----------
    $parameters

    Attributes
    ----------
    $attributes

    See Also
    --------
    consilience.fit : The function behind it.

    Examples
    --------
    $answers
    >>> estimator = cs.sklearn.BayesianDawidSkene(n_iter=50)
    >>> estimator
    BayesianDawidSkene(n_iter=50)
    >>> estimator.fit_predict_proba(answers).iloc[:2, :3].round(2)
    label       fox  husky  malamute
    task
    photo-001  0.00   0.00      0.95
    photo-002  0.01   0.94      0.02
    """

    model: ClassVar[str]
    n_iter: Any
    tol: Any

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

    def fit[A: "ModelAggregator"](  # noqa: PYI019 (checked method by method)
        self: A,
        data: pd.DataFrame,
        true_labels: pd.Series | None = None,
        initial_error: pd.DataFrame | None = None,
    ) -> A:
        """Fit the model to responses.

        Parameters
        ----------
        data : pandas.DataFrame
            Columns task (or item), worker (or annotator) and label.
        true_labels : pandas.Series, optional
            Known labels, indexed by task.
        initial_error : pandas.DataFrame, optional
            How often workers gave each answer to tasks of known truth before, laid out
            as `errors_`; a prior of their confusions.

        Returns
        -------
        Aggregator
            The estimator itself.
        """
        result = aggregate(
            data,
            true_labels,
            initial_error,
            model=self.model,
            engine=self.engine,
            prior=self.prior,
            seed=self.random_state,
            effort=self._effort(),
        )
        self._keep(result, data)
        return self

    def _effort(self) -> EngineOptions:
        return EngineOptions(iterations=self.n_iter, tolerance=self.tol)

    def _keep(self, result: Aggregated, data: pd.DataFrame) -> None:
        """Set the attributes."""
        del data  # whose order some estimators need
        self.labels_, self.probas_, self.fit_ = result.labels, result.probas, result.fit
        self.priors_ = result.priors
        if result.errors is not None:
            self.errors_ = result.errors
