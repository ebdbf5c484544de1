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
    DawidSkene : Votes weighted by a confusion matrix.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> columns = {"photo": "task", "annotator": "worker", "animal": "label"}
    >>> answers = study(0, num_photos=30).answers.rename(columns=columns)
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
