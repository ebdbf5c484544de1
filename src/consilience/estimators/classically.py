"""The base of estimators that run the published algorithm unless a fit is asked for."""

import numpy as np
import pandas as pd
from jaxtyping import Int

from consilience.errors import OptionError
from consilience.estimators.base import ModelAggregator
from consilience.estimators.by_votes import no_labels
from consilience.estimators.classical.em import Estimated
from consilience.estimators.columns import Answers, answers_of

CLASSICAL = "classical"


class ClassicalAggregator(ModelAggregator):
    """Base class: the published algorithm, or the model of the same name.

    Parameters
    ----------
    %(parameter_list)s

    %(attributes)s

    See Also
    --------
    ModelAggregator : Estimators without an algorithm of their own.

    Examples
    --------
    >>> import consilience as cs
    >>> cs.DawidSkene(engine="em")
    DawidSkene(engine='em')
    """

    def fit[A: "ClassicalAggregator"](  # noqa: PYI019 (checked method by method)
        self: A,
        data: pd.DataFrame,
        true_labels: pd.Series | None = None,
        initial_error: pd.DataFrame | None = None,
    ) -> A:
        """Fit to responses.

        Parameters
        ----------
        data : pandas.DataFrame
            Columns task (or item), worker (or annotator) and label.
        true_labels : pandas.Series, optional
            Known labels, indexed by task.
        initial_error : pandas.DataFrame, optional
            How often workers gave each answer to tasks of known truth before, laid out
            as `errors_`; DawidSkene's `initial_error_strategy` says what becomes of it.

        Returns
        -------
        Aggregator
            The estimator itself.

        Raises
        ------
        OptionError
            If prior settings are given, of which the published algorithm has none.
        """
        if self.engine != CLASSICAL:
            return super().fit(data, true_labels, initial_error)
        if self.prior is not None:
            msg = (
                'prior settings are those of a model; give another engine than "'
                f'{CLASSICAL}", such as `engine="auto"`'
            )
            raise OptionError(msg)
        if self.tol is not None and np.isnan(self.tol):
            msg = "tolerance is nan; give a number: iterations end at a smaller gain"
            raise OptionError(msg)
        answers = answers_of(data, [true_labels, *self._further_labels()])
        if not answers.number:
            self._keep_nothing()
            return self
        self._fit_classical(answers, answers.gold(true_labels), initial_error, data)
        return self

    def _further_labels(self) -> list[pd.Series | pd.Index]:
        """Return labels that the settings name."""
        return []

    def _fit_classical(
        self,
        answers: Answers,
        gold: Int[np.ndarray, "G 2"],
        initial_error: pd.DataFrame | None,
        data: pd.DataFrame,
    ) -> None:
        """Run the algorithm and set the attributes."""
        raise NotImplementedError

    def _keep_nothing(self) -> None:
        self.labels_, self.probas_ = no_labels(), pd.DataFrame()
        self.priors_ = pd.Series([], dtype=float, name="prior")
        self.errors_ = pd.DataFrame()
        self.loss_history_: list[float] = []

    def _keep_estimated(self, answers: Answers, result: Estimated) -> None:
        self.probas_ = answers.by_label(result.probas)
        self.labels_ = answers.best(result.probas)
        self.priors_ = answers.label.series(result.priors, "prior")
        self.errors_ = answers.errors(result.errors)
        self.loss_history_ = result.history
