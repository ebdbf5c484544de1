"""Estimators of the models that say all they learn by confusions."""

from consilience.estimators.base import Aggregator


class DawidSkene(Aggregator):
    """Dawid-Skene: a confusion of each annotator, by maximum likelihood."""

    model = "dawid_skene"


class BayesianDawidSkene(Aggregator):
    """Bayesian Dawid-Skene: a confusion of each annotator, under a fixed prior."""

    model = "bayesian_dawid_skene"


class HierarchicalDawidSkene(Aggregator):
    """Hierarchical Dawid-Skene: annotators are drawn from a learned population."""

    model = "hierarchical_dawid_skene"


class Multinomial(Aggregator):
    """Pooled multinomial: all annotators share one confusion."""

    model = "multinomial"


class ClassConditional(Aggregator):
    """Class-conditional: each annotator has an accuracy for each true label."""

    model = "class_conditional"


class CommunityBCC(Aggregator):
    """Communities: annotators mix a few styles of answering, which all share."""

    model = "community_bcc"


class EBCC(Aggregator):
    """EBCC: labels have subtypes, so that those who err together count less."""

    model = "ebcc"


class LogisticRandomEffects(Aggregator):
    """Logistic random effects: confusions that move with each item's difficulty."""

    model = "logistic_random_effects"


class ItemDifficulty(Aggregator):
    """Item difficulty: annotators share a confusion, which each item moves."""

    model = "item_difficulty"


class AutoAggregator(Aggregator):
    """The choice that the data make: several models compared, and their beliefs mixed.

    Confusions and frequencies are those of the model that foresees answers best;
    `fit_.comparison()` tells how all stand.
    """

    model = "auto"
