r"""The confusion of people and of models, side by side.

With :math:`w_i` the weight of an item, of label g that is held to be true,

.. math::

   \Pr(\text{called } h \mid g) =
   \frac{\sum_i w_i \Pr(i \text{ is } g, \text{called } h)}
        {\sum_i w_i \Pr(i \text{ is } g)}.

Held to be true is the label of the data set, so that people's and models' ways of
calling its classes stand beside each other; or the main label as the fit has it, so
that models and the data set are judged. Bounds are of weightings of the items (Bayesian
bootstrap), each with one of the fit's draws of the parameters. What never occurred has
bounds of zero: they are of what was seen, weighed otherwise.

References
----------
Tsipras, Santurkar, Engstrom, Ilyas and Madry (2020), section 5.3 (human and model
confusion, between and within superclasses). Rubin (1981), The Bayesian bootstrap.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from consilience.analysis.calls import (
    Calls,
    cells_of,
    dataset_calls,
    main_labels,
    model_calls,
    people_calls,
    rate_bounds,
    rates,
    summed,
)
from consilience.analysis.proposals import propose
from consilience.analysis.shares import Resampling, Weights, bounds
from consilience.notebook import shown_as
from consilience.posterior import Fit
from consilience.responses.tables.id_types import Types, restores_types
from consilience.truth.named import label_groups

PEOPLE, DATASET = "people", "dataset"

type Against = Literal["dataset", "truth"]


@shown_as("table", "pairs", facts=("items", "labels", "prob"))
@dataclass(frozen=True, slots=True, eq=False)
class ComparedConfusion:
    """The confusion of people and of models, side by side.

    Attributes
    ----------
    calls : mapping of str to Calls
        By party: `people` first where the data set's label is taken as the truth, else
        `dataset`; then the models.
    labels : pandas.Index
        Names of the labels, by code.
    parents : pandas.DataFrame, optional
        Columns label and parent; None where labels have no parents.
    items : int
        Number of items.
    weightings : Weights
        Bootstrap weights of the items.
    prob : float
        Probability of the intervals.
    types : mapping of str to str
        Type of the labels in the source of the fit.

    See Also
    --------
    consilience.compare_confusion : Compute it.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="objects", items=16, annotators=8, classes=6)
    >>> fit = cs.fit(study.responses, engine="em")
    >>> own = study.responses.items.rename(columns={"dataset_label": "label"})
    >>> guesses = own.assign(rank=1, model="copy")
    >>> compared = cs.compare_confusion(fit, guesses, dataset_labels=own)
    >>> compared.items, list(compared.calls)
    (16, ['people', 'copy'])
    """

    calls: Mapping[str, Calls]
    labels: pd.Index
    parents: pd.DataFrame | None
    items: int
    weightings: Weights
    prob: float
    types: Types = field(default_factory=dict)

    @restores_types
    def table(self, level: int = 0, min_probability: float = 0.02) -> pd.DataFrame:
        """Return the cells whose probability is large enough for at least one party.

        Parameters
        ----------
        level : int, default 0
            Steps up the hierarchy of labels; 0 for the labels themselves.
        min_probability : float, default 0.02
            Smallest probability of a cell, for at least one party.

        Returns
        -------
        pandas.DataFrame
            Columns who, true_label, given_label, probability, lower, upper and items
            (expected number with true_label); each cell has a row for each party.

        Raises
        ------
        OptionError
            If there is no such level.
        """
        group, names = label_groups(self.labels, self.parents, level)
        cells = {who: cells_of(calls, group) for who, calls in self.calls.items()}
        kept = np.unique(
            np.concatenate(
                [key[rate >= min_probability] for key, rate, _ in cells.values()]
            )
        )
        parts = []
        for who, (key, rate, size) in cells.items():
            calls = self.calls[who].merge_labels(group)
            lower, upper = rate_bounds(
                calls, kept, len(names), self.weightings, self.prob
            )
            place = np.minimum(np.searchsorted(key, kept), len(key) - 1)
            value = np.where(key[place] == kept, rate[place], 0.0)
            true, given = np.divmod(kept, len(names))
            columns = {"who": who, "true_label": names[true]}
            columns |= {"given_label": names[given], "probability": value}
            columns |= {"lower": lower, "upper": upper, "items": size[true]}
            parts.append(pd.DataFrame(columns))
        return pd.concat(parts, ignore_index=True)

    @restores_types
    def pairs(self, level: int = 0, min_probability: float = 0.2) -> pd.DataFrame:
        """Return pairs of labels of which a party mistakes one for the other.

        Parameters
        ----------
        level : int, default 0
            Steps up the hierarchy of labels.
        min_probability : float, default 0.2
            Smallest probability of either mistake, for at least one party.

        Returns
        -------
        pandas.DataFrame
            Columns who, label_a, label_b, items_a, items_b, a_called_b, b_called_a,
            mutual (the smaller of the two) with mutual_lower and mutual_upper, and
            one_sided (the difference) with its bounds; the most mutual pairs of the
            first party first.
        """
        group, names = label_groups(self.labels, self.parents, level)
        size = len(names)
        either: list[np.ndarray] = []
        for calls in self.calls.values():
            key, rate, _ = cells_of(calls, group)
            true, given = np.divmod(key[rate >= min_probability], size)
            both = np.stack([np.minimum(true, given), np.maximum(true, given)])
            either.append((both[0] * size + both[1])[true != given])
        first, second = np.divmod(np.unique(np.concatenate(either)), size)
        there, back = first * size + second, second * size + first
        parts = [self._pairs_of(who, group, names, there, back) for who in self.calls]
        table = pd.concat(parts, ignore_index=True)
        rank = parts[0]["mutual"].rank(method="first", ascending=False).to_numpy()
        order = np.lexsort(
            [np.repeat(np.arange(len(parts)), len(there)), np.tile(rank, len(parts))]
        )
        return table.iloc[order].reset_index(drop=True)

    @restores_types
    def within(self, level: int = 1) -> pd.DataFrame:
        """Return how often items get another label, and how often within their group.

        Parameters
        ----------
        level : int, default 1
            Steps up the hierarchy of labels.

        Returns
        -------
        pandas.DataFrame
            Columns who, statistic, value, lower, upper and items. `called_otherwise` is
            the share of items that get another label; `inside`, the share of these
            whose label is in the same group; `group_kept`, the share of items that get
            a label of the same group.
        """
        group, _ = label_groups(self.labels, self.parents, level)
        rows = []
        for who, calls in self.calls.items():
            other = calls.given != calls.true
            same = group[calls.given] == group[calls.true]
            ones = np.ones(len(other), bool)
            for statistic, top, bottom in (
                ("called_otherwise", other, ones),
                ("inside", other & same, other),
                ("group_kept", same, ones),
            ):
                above, below = (
                    summed(calls, part, self.weightings) for part in (top, bottom)
                )
                with np.errstate(invalid="ignore"):
                    values = (above / below)[:, None]
                lower, upper = bounds(values, self.prob)
                row = (who, statistic, values[0, 0], lower[0], upper[0], below[0])
                rows.append(row)
        names = ["who", "statistic", "value", "lower", "upper", "items"]
        return pd.DataFrame(rows, columns=names)

    def _pairs_of(
        self,
        who: str,
        group: np.ndarray,
        names: pd.Index,
        there: np.ndarray,
        back: np.ndarray,
    ) -> pd.DataFrame:
        size = len(names)
        calls = self.calls[who].merge_labels(group)
        rows = np.bincount(calls.true, calls.weight.mean(0), size)
        order = np.argsort(back)
        forth = np.nan_to_num(rates(calls, there, size, self.weightings))
        turned = np.nan_to_num(rates(calls, back[order], size, self.weightings))
        turned = turned[:, np.argsort(order)]
        first, second = np.divmod(there, size)
        columns: dict[str, object] = {"who": who}
        columns |= {"label_a": names[first], "label_b": names[second]}
        columns |= {"items_a": rows[first], "items_b": rows[second]}
        columns |= {"a_called_b": forth[0], "b_called_a": turned[0]}
        both = np.minimum(forth, turned)
        for name, values in (("mutual", both), ("one_sided", abs(forth - turned))):
            lower, upper = bounds(values, self.prob)
            columns |= {name: values[0]}
            columns |= {f"{name}_lower": lower, f"{name}_upper": upper}
        return pd.DataFrame(columns)


def compare_confusion(  # noqa: PLR0913 (each option stands alone)
    fit: Fit,
    predictions: pd.DataFrame,
    *,
    dataset_labels: pd.DataFrame,
    labels: pd.DataFrame | None = None,
    against: Against = "dataset",
    resamples: int = 1000,
    prob: float = 0.9,
    seed: int = 0,
    allow_circular: bool = False,
) -> ComparedConfusion:
    """Compare how people and models label the items of each class.

    Parameters
    ----------
    fit : Fit
        A fit of kind objects (its main labels) or choice (its truth).
    predictions : pandas.DataFrame
        Columns item, label and rank (from 1), and model where there are several.
    dataset_labels : pandas.DataFrame
        Columns item and label: the label of each item in the data set, one each.
    labels : pandas.DataFrame, optional
        Columns label and parent: superclasses, or a hierarchy where parents have
        parents of their own.
    against : {"dataset", "truth"}, default "dataset"
        What is taken as the truth: the data set's label (people beside models), or the
        posterior of the fit (models and the data set).
    resamples, prob, seed, allow_circular
        See `evaluate`.

    Returns
    -------
    ComparedConfusion
        The confusion of each party.

    Raises
    ------
    PredictionsError, CircularError
        See `evaluate`.
    KindError
        If the fit is of kind contains.
    OptionError
        If a setting is not valid.

    See Also
    --------
    human_confusion : The confusion of people, from few answers.
    evaluate : Accuracy of the models.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="objects", items=16, annotators=8, classes=6)
    >>> fit = cs.fit(study.responses, engine="em")
    >>> own = study.responses.items.rename(columns={"dataset_label": "label"})
    >>> guesses = own.assign(rank=1, model="copy")
    >>> compared = cs.compare_confusion(fit, guesses, dataset_labels=own)
    >>> table = compared.table()
    >>> columns = ["true_label", "given_label", "probability"]
    >>> table.loc[table["who"] == "copy", columns].head(2).reset_index(drop=True)
      true_label given_label  probability
    0     class0      class0          1.0
    1     class0      class3          0.0
    """
    proposals = propose(
        fit, predictions, dataset_labels, 1, allow_circular=allow_circular
    )
    how = Resampling(len(proposals.items), resamples, prob, seed)
    main, dataset = main_labels(fit, proposals), proposals.dataset
    if dataset is None:
        msg = "the data set has labels here"
        raise TypeError(msg)
    reference = dataset if against == "dataset" else None
    if against == "dataset":
        calls = {PEOPLE: people_calls(main, dataset)}
    else:
        calls = {DATASET: dataset_calls(main, dataset)}
    for place, model in enumerate(proposals.models):
        calls[model] = model_calls(proposals.label[place, :, 0], main, reference)
    return ComparedConfusion(
        calls=calls,
        labels=proposals.names,
        parents=labels,
        items=len(proposals.items),
        weightings=how.weightings,
        prob=prob,
        types=fit.types,
    )
