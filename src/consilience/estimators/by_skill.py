"""Estimators of the models that say in few numbers how good a worker is."""

from collections.abc import Mapping

import pandas as pd

from consilience.estimators.aggregate import Settings
from consilience.estimators.base import Aggregator
from consilience.fitting import EngineOptions


class OneCoinDawidSkene(Aggregator):
    """One coin: each annotator is right with one probability, whatever the truth.

    Attributes
    ----------
    skills_
        Accuracy of each worker. All other attributes are those of `Aggregator`.
    """

    model = "one_coin_dawid_skene"

    def fit(
        self, data: pd.DataFrame, true_labels: pd.Series | None = None
    ) -> "OneCoinDawidSkene":
        """Fit to responses; `true_labels` holds known labels, indexed by task."""
        found = self._aggregate(data, true_labels)
        right = found.mean("skill")[:, 0]
        self.skills_ = pd.Series(right, index=found.names["annotator"], name="skill")
        return self


class SharedErrors(OneCoinDawidSkene):
    """One coin with shared errors: accuracies differ, all err towards the same labels.

    Attributes
    ----------
    skills_
        Accuracy of each worker. All other attributes are those of `Aggregator`.
    """

    model = "shared_errors"


class GLAD(Aggregator):
    """GLAD: an annotator's skill times an item's ease says how likely they are right.

    Ease is integrated out, so items have none of their own.

    Attributes
    ----------
    alphas_
        Skill of each worker; zero is a coin. All other attributes are those of
        `Aggregator`.
    """

    model = "glad"

    def fit(self, data: pd.DataFrame, true_labels: pd.Series | None = None) -> "GLAD":
        """Fit to responses; `true_labels` holds known labels, indexed by task."""
        found = self._aggregate(data, true_labels)
        skill = found.mean("skill")
        self.alphas_ = pd.Series(skill, index=found.names["annotator"], name="alpha")
        return self


class BWA(Aggregator):
    """Bayesian weighted average: votes weighed by how near each worker is to all.

    Attributes
    ----------
    weights_
        Weight of each worker's vote: a row per worker, a column per label voted on.
        There is no `errors_`: the model has no confusions. `priors_` are the means of
        `probas_`.
    """

    model = "bwa"

    def fit(self, data: pd.DataFrame, true_labels: pd.Series | None = None) -> "BWA":
        """Fit to responses; `true_labels` holds known labels, indexed by task."""
        found = self._aggregate(data, true_labels)
        self.weights_ = pd.DataFrame(
            found.mean("precision"),
            index=found.names["annotator"],
            columns=found.names["given_class"],
        )
        return self


class MACE(Aggregator):
    """MACE: an annotator either knows the truth or answers by habit.

    Parameters
    ----------
    n_restarts
        Starts, of which the best is kept; None: the engine's own default.
    n_iter, tol, engine, prior, random_state
        As for `Aggregator`.

    Attributes
    ----------
    spamming_
        How often each worker answers by habit, and how often knowingly: a row per
        worker, in the order in which they come in the data, as crowd-kit has it.
    thetas_
        What each worker answers by habit: rows as above, columns labels in the order
        in which they come in the data. All other attributes are those of `Aggregator`.
    """

    model = "mace"

    def __init__(
        self,
        n_restarts: int | None = None,
        n_iter: int | None = None,
        tol: float | None = None,
        *,
        engine: str = "auto",
        prior: Mapping[str, float] | None = None,
        random_state: int = 0,
    ) -> None:
        super().__init__(
            n_iter, tol, engine=engine, prior=prior, random_state=random_state
        )
        self.n_restarts = n_restarts

    def fit(self, data: pd.DataFrame, true_labels: pd.Series | None = None) -> "MACE":
        """Fit to responses; `true_labels` holds known labels, indexed by task."""
        found = self._aggregate(data, true_labels)
        people, labels = found.names["annotator"], found.names["given_class"]
        rows = people.get_indexer(pd.Index(data[people.name].unique()))
        said = labels.get_indexer(pd.Index(data[labels.name].unique()))
        self.spamming_ = found.mean("trust")[rows][:, ::-1]
        self.thetas_ = found.mean("habit")[rows][:, said]
        return self

    def _settings(self) -> Settings:
        return Settings(
            model=self.model,
            engine=self.engine,
            prior=self.prior,
            seed=self.random_state,
            effort=EngineOptions(
                sweeps=self.n_iter, tolerance=self.tol, restarts=self.n_restarts
            ),
        )
