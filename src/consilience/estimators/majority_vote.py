"""The estimator of majority vote."""

from consilience.estimators.aggregate import Settings
from consilience.estimators.base import Aggregator


class MajorityVote(Aggregator):
    """Majority vote: the label that most annotators gave.

    `probas_` are shares of votes, and `errors_` a cross-table of answers and majority.

    Parameters
    ----------
    engine : str, default "auto"
        As for `consilience.fit`.
    random_state : int, default 0
        Seed of the random number generator.

    %(attributes)s

    See Also
    --------
    DawidSkene : Votes weighted by a confusion matrix.

    Examples
    --------
    %(answers)s
    >>> cs.MajorityVote().fit(answers).labels_.head(2)
    task
    photo-001    malamute
    photo-002       husky
    Name: agg_label, dtype: str
    """

    model = "majority"

    def __init__(self, *, engine: str = "auto", random_state: int = 0) -> None:
        self.engine = engine
        self.random_state = random_state

    def _settings(self) -> Settings:
        return Settings(model=self.model, engine=self.engine, seed=self.random_state)
