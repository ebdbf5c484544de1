"""Estimators of the models whose parameters are confusion matrices."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from consilience.errors import OptionError, not_among
from consilience.estimators.aggregate import (
    EarlierErrors,
    check_complete,
    earlier_errors,
)
from consilience.estimators.base import ModelAggregator
from consilience.estimators.classical.em import (
    Confusion,
    Counted,
    as_errors,
    dawid_skene_em,
)
from consilience.estimators.classically import CLASSICAL, ClassicalAggregator
from consilience.estimators.columns import Answers


class DawidSkene(ClassicalAggregator):
    """Dawid-Skene: a confusion matrix for each annotator, by maximum likelihood.

    Parameters
    ----------
    n_iter : int, default 100
        Largest number of iterations of EM.
    tol : float, default 1e-5
        Gain per answer, in nats, below which to stop.
    initial_error_strategy : {"assign", "addition", "prior"}, optional
        What `initial_error` is: the confusion matrices to start from (probabilities or
        counts, of all workers); counts that are added to those of the first M-step;
        or a prior, counts that are added in every M-step. None: it is not used.
    %(classical_parameters)s

    Attributes
    ----------
    loss_history_ : list of float
        Evidence lower bound per answer, in nats, after each iteration; not with another
        `engine` than "classical".
    %(attribute_list)s

    See Also
    --------
    BayesianDawidSkene : The same with a fixed prior.
    HierarchicalDawidSkene : The same with a learned prior.

    References
    ----------
    Dawid and Skene (1979), Maximum likelihood estimation of observer error-rates
    using the EM algorithm.

    Examples
    --------
    %(answers)s
    >>> dawid_skene = cs.DawidSkene()
    >>> dawid_skene.fit_predict(answers).head(2)
    task
    photo-001    malamute
    photo-002       husky
    Name: agg_label, dtype: str
    >>> dawid_skene.errors_.round(2).iloc[:2, :2]
                  fox  husky
    worker label
    Ada    fox    0.5    0.0
           husky  0.0    0.5
    """

    model = "dawid_skene"

    def __init__(
        self,
        n_iter: int = 100,
        tol: float = 1e-5,
        initial_error_strategy: str | None = None,
        *,
        engine: str = CLASSICAL,
        prior: Mapping[str, float] | None = None,
        random_state: int = 0,
    ) -> None:
        super().__init__(
            n_iter, tol, engine=engine, prior=prior, random_state=random_state
        )
        self.initial_error_strategy = initial_error_strategy

    def _fit_classical(
        self,
        answers: Answers,
        gold: Int[np.ndarray, "G 2"],
        initial_error: pd.DataFrame | None,
        data: pd.DataFrame,
    ) -> None:
        del data
        earlier = self._earlier(answers, initial_error)
        strategy = self.initial_error_strategy

        def maximise(counted: Counted, counts: Confusion, first: bool) -> Confusion:  # noqa: FBT001
            given = counted.given
            if earlier is not None and first and strategy == "assign":
                counts, given = earlier.counts, earlier.given
            elif earlier is not None and (first or strategy == "prior"):
                counts, given = counts + earlier.counts, given | earlier.given
            return self._confusions(counts, given)

        result = dawid_skene_em(
            answers, maximise, n_iter=self.n_iter, tol=self.tol, gold=gold
        )
        self._keep_estimated(answers, result)
        if initial_error is not None and strategy == "assign":
            # As it was given, which is what a user compares it with.
            index = initial_error.index.intersection(self.errors_.index, sort=False)
            columns = [name for name in initial_error if name in self.errors_]
            self.errors_ = self.errors_.loc[index, columns]

    def _confusions(
        self, counts: Confusion, given: Bool[np.ndarray, "J L"]
    ) -> Confusion:
        return as_errors(counts, given)

    def _earlier(
        self, answers: Answers, initial_error: pd.DataFrame | None
    ) -> EarlierErrors | None:
        strategy = self.initial_error_strategy
        if initial_error is None or strategy is None:
            return None
        choices = ("assign", "addition", "prior")
        if strategy not in choices:
            raise OptionError(not_among("initial_error_strategy", strategy, choices))
        earlier = earlier_errors(answers, initial_error)
        if strategy == "assign":
            check_complete(answers, initial_error, earlier)
        return earlier


class BayesianDawidSkene(ModelAggregator):
    """Bayesian Dawid-Skene: a confusion matrix for each annotator, with a fixed prior.

    %(parameters)s

    %(attributes)s

    See Also
    --------
    HierarchicalDawidSkene : The same with a learned prior.
    DawidSkene : The same by maximum likelihood.

    References
    ----------
    Kim and Ghahramani (2012), Bayesian classifier combination.

    Examples
    --------
    %(answers)s
    >>> cs.BayesianDawidSkene().fit(answers).labels_.head(2)
    task
    photo-001    malamute
    photo-002       husky
    Name: agg_label, dtype: str
    """

    model = "bayesian_dawid_skene"


class HierarchicalDawidSkene(ModelAggregator):
    """Hierarchical Dawid-Skene: confusion matrices from a learned population.

    %(parameters)s

    %(attributes)s

    See Also
    --------
    BayesianDawidSkene : The same with a fixed prior.
    DawidSkene : The same by maximum likelihood.

    References
    ----------
    Paun et al. (2018), Comparing Bayesian models of annotation, section 3.4.

    Examples
    --------
    %(answers)s
    >>> cs.HierarchicalDawidSkene().fit(answers).labels_.head(2)
    task
    photo-001    malamute
    photo-002       husky
    Name: agg_label, dtype: str
    """

    model = "hierarchical_dawid_skene"


class Multinomial(ModelAggregator):
    """Pooled multinomial: all annotators share one confusion matrix.

    %(parameters)s

    %(attributes)s

    See Also
    --------
    HierarchicalDawidSkene : A confusion matrix for each annotator.

    References
    ----------
    Paun et al. (2018), Comparing Bayesian models of annotation, section 3.1.

    Examples
    --------
    %(answers)s
    >>> cs.Multinomial().fit(answers).labels_.head(2)
    task
    photo-001    malamute
    photo-002        wolf
    Name: agg_label, dtype: str
    """

    model = "multinomial"


class ClassConditional(ModelAggregator):
    """Class-conditional: each annotator has an accuracy for each true label.

    %(parameters)s

    %(attributes)s

    See Also
    --------
    OneCoinDawidSkene : One accuracy for all labels.

    References
    ----------
    Pullin, Gurrin and Vukcevic (2023), Statistical models for repeated categorical
    ratings: the R package rater.

    Examples
    --------
    %(answers)s
    >>> cs.ClassConditional().fit(answers).labels_.head(2)
    task
    photo-001    malamute
    photo-002       husky
    Name: agg_label, dtype: str
    """

    model = "class_conditional"


class CommunityBCC(ModelAggregator):
    """Community BCC: each annotator mixes a few confusion matrices that all share.

    %(parameters)s

    %(attributes)s

    See Also
    --------
    HierarchicalDawidSkene : Annotators from one population.

    References
    ----------
    Venanzi et al. (2014), Community-based Bayesian aggregation models for
    crowdsourcing.

    Examples
    --------
    %(answers)s
    >>> cs.CommunityBCC().fit(answers).labels_.head(2)
    task
    photo-001    malamute
    photo-002       husky
    Name: agg_label, dtype: str
    """

    model = "community_bcc"


class EBCC(ModelAggregator):
    """Enhanced BCC: labels have subtypes, which make errors of annotators dependent.

    Annotators who make the same errors count for less.

    %(parameters)s

    %(attributes)s

    See Also
    --------
    BayesianDawidSkene : The same without subtypes.

    References
    ----------
    Li, Rubinstein and Cohn (2019), Exploiting worker correlation for label
    aggregation in crowdsourcing.

    Examples
    --------
    %(answers)s
    >>> cs.EBCC().fit(answers).labels_.head(2)
    task
    photo-001    malamute
    photo-002       husky
    Name: agg_label, dtype: str
    """

    model = "ebcc"


class LogisticRandomEffects(ModelAggregator):
    """Logistic random effects: confusion matrices that depend on an item's difficulty.

    %(parameters)s

    %(attributes)s

    See Also
    --------
    ItemDifficulty : The same without effects of annotators.

    References
    ----------
    Paun et al. (2018), Comparing Bayesian models of annotation, section 3.6.

    Examples
    --------
    %(answers)s
    >>> cs.LogisticRandomEffects().fit(answers).labels_.head(2)
    task
    photo-001    malamute
    photo-002       husky
    Name: agg_label, dtype: str
    """

    model = "logistic_random_effects"


class ItemDifficulty(ModelAggregator):
    """Item difficulty: annotators share a confusion matrix that depends on the item.

    %(parameters)s

    %(attributes)s

    See Also
    --------
    LogisticRandomEffects : The same with effects of annotators.
    GLAD : Difficulty and skill, one number each.

    References
    ----------
    Paun et al. (2018), Comparing Bayesian models of annotation, section 3.5.

    Examples
    --------
    %(answers)s
    >>> cs.ItemDifficulty(engine="em").fit(answers).labels_.head(2)
    task
    photo-001    malamute
    photo-002       husky
    Name: agg_label, dtype: str
    """

    model = "item_difficulty"


class AutoAggregator(ModelAggregator):
    """Model average: several models compared, and their posteriors mixed.

    Confusion matrices and prevalences are those of the model that predicts answers
    best; `fit_.comparison()` shows the ranking.

    %(parameters)s

    %(attributes)s

    See Also
    --------
    consilience.compare : The comparison alone.

    References
    ----------
    Yao, Vehtari, Simpson and Gelman (2018), Using stacking to average Bayesian
    predictive distributions.

    Examples
    --------
    %(answers)s
    >>> cs.AutoAggregator().fit(answers).labels_.head(2)
    task
    photo-001    malamute
    photo-002       husky
    Name: agg_label, dtype: str
    """

    model = "auto"
