"""The estimator of majority vote."""

from consilience.estimators.aggregate import Settings
from consilience.estimators.base import Aggregator


class MajorityVote(Aggregator):
    """Majority vote: the label that most annotators gave.

    `probas_` are shares of votes, `errors_` answers crossed with them.

    Parameters
    ----------
    engine
        As for `consilience.fit`.
    random_state
        One seed gives one result.
    """

    model = "majority"

    def __init__(self, *, engine: str = "auto", random_state: int = 0) -> None:
        self.engine = engine
        self.random_state = random_state

    def _settings(self) -> Settings:
        return Settings(model=self.model, engine=self.engine, seed=self.random_state)
