"""The estimator of several labels at once."""

import pandas as pd
from sklearn.base import clone

from consilience.estimators.base import Aggregator
from consilience.estimators.by_votes import MajorityVote, no_labels
from consilience.estimators.columns import answers_of


class BinaryRelevance(Aggregator):
    """Binary relevance: every answer is a list of labels, each aggregated by itself.

    Parameters
    ----------
    base_aggregator : Aggregator, optional
        Estimator of whether a task has a label; by default MajorityVote.

    Attributes
    ----------
    labels_ : pandas.Series
        List of the labels of each task.
    aggregators_ : dict of object to Aggregator
        The fitted estimator of each label.

    See Also
    --------
    consilience.fit : Fits responses of kind contains, all labels in one model.

    Examples
    --------
    >>> import consilience as cs
    >>> import pandas as pd
    >>> given = [["cat", "dog"], ["cat"], ["cat", "dog"]]
    >>> answers = pd.DataFrame({"task": 1, "worker": list("abc"), "label": given})
    >>> cs.BinaryRelevance().fit_predict(answers)
    task
    1    [cat, dog]
    Name: agg_label, dtype: object
    """

    def __init__(self, base_aggregator: Aggregator | None = None) -> None:
        self.base_aggregator = base_aggregator

    def fit[A: "BinaryRelevance"](  # noqa: PYI019 (checked method by method)
        self: A,
        data: pd.DataFrame,
    ) -> A:
        """Aggregate each label.

        Parameters
        ----------
        data : pandas.DataFrame
            Columns task (or item), worker (or annotator) and label, a list of labels.

        Returns
        -------
        BinaryRelevance
            The estimator itself.
        """
        if self.base_aggregator is None:
            base: Aggregator = MajorityVote()
        else:
            base = self.base_aggregator
        labels = data["label"] if "label" in data else pd.Series(dtype=object)
        names = pd.Index(sorted({name for given in labels for name in given}))
        self.aggregators_: dict[object, Aggregator] = {}
        answers = answers_of(data.assign(label=labels.map(len)) if len(names) else data)
        items = answers.item.series(None, "agg_label").index
        of_items: dict[object, list[object]] = {item: [] for item in items}
        for name in names:
            of_label = data.assign(label=[name in given for given in labels])
            self.aggregators_[name] = clone(base)
            present = self.aggregators_[name].fit_predict(of_label)
            for item in present.index[present.to_numpy(bool)]:
                of_items[item].append(name)
        self.labels_ = no_labels()
        if len(items):
            self.labels_ = pd.Series(list(of_items.values()), items, name="agg_label")
        return self
