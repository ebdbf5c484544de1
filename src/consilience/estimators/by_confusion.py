"""Estimators of the models whose parameters are confusion matrices."""

from consilience.estimators.base import Aggregator


class DawidSkene(Aggregator):
    """Dawid-Skene: a confusion matrix for each annotator, by maximum likelihood.

    Parameters
    ----------
    n_iter : int, optional
        Largest number of sweeps; the engine's own default if None. Ignored by nuts.
    tol : float, optional
        Gain per answer, in nats, below which the optimizer stops; the engine's own
        default if None.
    engine : {"auto", "nuts", "vb", "em", "svi"}, default "auto"
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
    BayesianDawidSkene : The same with a fixed prior.
    HierarchicalDawidSkene : The same with a learned prior.

    References
    ----------
    Dawid and Skene (1979), Maximum likelihood estimation of observer error-rates
    using the EM algorithm.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> columns = {"photo": "task", "annotator": "worker", "animal": "label"}
    >>> answers = study(0, num_photos=30).answers.rename(columns=columns)
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

    Parameters
    ----------
    n_iter : int, optional
        Largest number of sweeps; the engine's own default if None. Ignored by nuts.
    tol : float, optional
        Gain per answer, in nats, below which the optimizer stops; the engine's own
        default if None.
    engine : {"auto", "nuts", "vb", "em", "svi"}, default "auto"
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
    HierarchicalDawidSkene : The same with a learned prior.
    DawidSkene : The same by maximum likelihood.

    References
    ----------
    Kim and Ghahramani (2012), Bayesian classifier combination.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> columns = {"photo": "task", "annotator": "worker", "animal": "label"}
    >>> answers = study(0, num_photos=30).answers.rename(columns=columns)
    >>> cs.BayesianDawidSkene().fit(answers).labels_.head(2)
    task
    photo-001    malamute
    photo-002       husky
    Name: agg_label, dtype: str
    """

    model = "bayesian_dawid_skene"


class HierarchicalDawidSkene(Aggregator):
    """Hierarchical Dawid-Skene: confusion matrices from a learned population.

    Parameters
    ----------
    n_iter : int, optional
        Largest number of sweeps; the engine's own default if None. Ignored by nuts.
    tol : float, optional
        Gain per answer, in nats, below which the optimizer stops; the engine's own
        default if None.
    engine : {"auto", "nuts", "vb", "em", "svi"}, default "auto"
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
    BayesianDawidSkene : The same with a fixed prior.
    DawidSkene : The same by maximum likelihood.

    References
    ----------
    Paun et al. (2018), Comparing Bayesian models of annotation, section 3.4.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> columns = {"photo": "task", "annotator": "worker", "animal": "label"}
    >>> answers = study(0, num_photos=30).answers.rename(columns=columns)
    >>> cs.HierarchicalDawidSkene().fit(answers).labels_.head(2)
    task
    photo-001    malamute
    photo-002       husky
    Name: agg_label, dtype: str
    """

    model = "hierarchical_dawid_skene"


class Multinomial(Aggregator):
    """Pooled multinomial: all annotators share one confusion matrix.

    Parameters
    ----------
    n_iter : int, optional
        Largest number of sweeps; the engine's own default if None. Ignored by nuts.
    tol : float, optional
        Gain per answer, in nats, below which the optimizer stops; the engine's own
        default if None.
    engine : {"auto", "nuts", "vb", "em", "svi"}, default "auto"
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
    HierarchicalDawidSkene : A confusion matrix for each annotator.

    References
    ----------
    Paun et al. (2018), Comparing Bayesian models of annotation, section 3.1.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> columns = {"photo": "task", "annotator": "worker", "animal": "label"}
    >>> answers = study(0, num_photos=30).answers.rename(columns=columns)
    >>> cs.Multinomial().fit(answers).labels_.head(2)
    task
    photo-001    malamute
    photo-002        wolf
    Name: agg_label, dtype: str
    """

    model = "multinomial"


class ClassConditional(Aggregator):
    """Class-conditional: each annotator has an accuracy for each true label.

    Parameters
    ----------
    n_iter : int, optional
        Largest number of sweeps; the engine's own default if None. Ignored by nuts.
    tol : float, optional
        Gain per answer, in nats, below which the optimizer stops; the engine's own
        default if None.
    engine : {"auto", "nuts", "vb", "em", "svi"}, default "auto"
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
    OneCoinDawidSkene : One accuracy for all labels.

    References
    ----------
    Pullin, Gurrin and Vukcevic (2023), Statistical models for repeated categorical
    ratings: the R package rater.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> columns = {"photo": "task", "annotator": "worker", "animal": "label"}
    >>> answers = study(0, num_photos=30).answers.rename(columns=columns)
    >>> cs.ClassConditional().fit(answers).labels_.head(2)
    task
    photo-001    malamute
    photo-002       husky
    Name: agg_label, dtype: str
    """

    model = "class_conditional"


class CommunityBCC(Aggregator):
    """Community BCC: each annotator mixes a few confusion matrices that all share.

    Parameters
    ----------
    n_iter : int, optional
        Largest number of sweeps; the engine's own default if None. Ignored by nuts.
    tol : float, optional
        Gain per answer, in nats, below which the optimizer stops; the engine's own
        default if None.
    engine : {"auto", "nuts", "vb", "em", "svi"}, default "auto"
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
    HierarchicalDawidSkene : Annotators from one population.

    References
    ----------
    Venanzi et al. (2014), Community-based Bayesian aggregation models for
    crowdsourcing.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> columns = {"photo": "task", "annotator": "worker", "animal": "label"}
    >>> answers = study(0, num_photos=30).answers.rename(columns=columns)
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

    Parameters
    ----------
    n_iter : int, optional
        Largest number of sweeps; the engine's own default if None. Ignored by nuts.
    tol : float, optional
        Gain per answer, in nats, below which the optimizer stops; the engine's own
        default if None.
    engine : {"auto", "nuts", "vb", "em", "svi"}, default "auto"
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
    BayesianDawidSkene : The same without subtypes.

    References
    ----------
    Li, Rubinstein and Cohn (2019), Exploiting worker correlation for label
    aggregation in crowdsourcing.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> columns = {"photo": "task", "annotator": "worker", "animal": "label"}
    >>> answers = study(0, num_photos=30).answers.rename(columns=columns)
    >>> cs.EBCC().fit(answers).labels_.head(2)
    task
    photo-001    malamute
    photo-002       husky
    Name: agg_label, dtype: str
    """

    model = "ebcc"


class LogisticRandomEffects(Aggregator):
    """Logistic random effects: confusion matrices that depend on an item's difficulty.

    Parameters
    ----------
    n_iter : int, optional
        Largest number of sweeps; the engine's own default if None. Ignored by nuts.
    tol : float, optional
        Gain per answer, in nats, below which the optimizer stops; the engine's own
        default if None.
    engine : {"auto", "nuts", "vb", "em", "svi"}, default "auto"
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
    ItemDifficulty : The same without effects of annotators.

    References
    ----------
    Paun et al. (2018), Comparing Bayesian models of annotation, section 3.6.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> columns = {"photo": "task", "annotator": "worker", "animal": "label"}
    >>> answers = study(0, num_photos=30).answers.rename(columns=columns)
    >>> cs.LogisticRandomEffects(engine="em").fit(answers).labels_.head(2)
    task
    photo-001    malamute
    photo-002       husky
    Name: agg_label, dtype: str
    """

    model = "logistic_random_effects"


class ItemDifficulty(Aggregator):
    """Item difficulty: annotators share a confusion matrix that depends on the item.

    Parameters
    ----------
    n_iter : int, optional
        Largest number of sweeps; the engine's own default if None. Ignored by nuts.
    tol : float, optional
        Gain per answer, in nats, below which the optimizer stops; the engine's own
        default if None.
    engine : {"auto", "nuts", "vb", "em", "svi"}, default "auto"
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
    LogisticRandomEffects : The same with effects of annotators.
    GLAD : Difficulty and skill, one number each.

    References
    ----------
    Paun et al. (2018), Comparing Bayesian models of annotation, section 3.5.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> columns = {"photo": "task", "annotator": "worker", "animal": "label"}
    >>> answers = study(0, num_photos=30).answers.rename(columns=columns)
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

    Parameters
    ----------
    n_iter : int, optional
        Largest number of sweeps; the engine's own default if None. Ignored by nuts.
    tol : float, optional
        Gain per answer, in nats, below which the optimizer stops; the engine's own
        default if None.
    engine : {"auto", "nuts", "vb", "em", "svi"}, default "auto"
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
    consilience.compare : The comparison alone.

    References
    ----------
    Yao, Vehtari, Simpson and Gelman (2018), Using stacking to average Bayesian
    predictive distributions.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> columns = {"photo": "task", "annotator": "worker", "animal": "label"}
    >>> answers = study(0, num_photos=30).answers.rename(columns=columns)
    >>> cs.AutoAggregator().fit(answers).labels_.head(2)
    task
    photo-001    malamute
    photo-002       husky
    Name: agg_label, dtype: str
    """

    model = "auto"
