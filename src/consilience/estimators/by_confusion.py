"""Estimators of the models whose parameters are confusion matrices."""

from consilience.estimators.base import Aggregator


class DawidSkene(Aggregator):
    """Dawid-Skene: a confusion matrix for each annotator, by maximum likelihood.

    %(parameters)s

    %(attributes)s

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
    true_label    fox  husky
    worker label
    Ada    fox    0.5    0.0
           husky  0.0    0.5
    """

    model = "dawid_skene"


class BayesianDawidSkene(Aggregator):
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


class HierarchicalDawidSkene(Aggregator):
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


class Multinomial(Aggregator):
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


class ClassConditional(Aggregator):
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


class CommunityBCC(Aggregator):
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


class EBCC(Aggregator):
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


class LogisticRandomEffects(Aggregator):
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
    >>> cs.LogisticRandomEffects(engine="em").fit(answers).labels_.head(2)
    task
    photo-001    malamute
    photo-002       husky
    Name: agg_label, dtype: str
    """

    model = "logistic_random_effects"


class ItemDifficulty(Aggregator):
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


class AutoAggregator(Aggregator):
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
