"""Counts of the labels given to each item, beside the data set's label."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.errors import KindError, OptionError
from consilience.responses import Responses
from consilience.responses.columns.named_sets import named_sets


@dataclass(frozen=True, slots=True, eq=False)
class LabelCounts:
    """How items were called.

    Letters: I items, K labels; a cell is an item and a label that it was called, and
    stands once.

    Attributes
    ----------
    dataset_label
        The class of each item: the label that the data set has for it.
    item, label, votes, asides
        Of each cell: how many answers give the label (for objects: as the main one),
        and how many name it besides.
    parent
        The superclass of each label; None where labels have none.
    num_labels
        K.
    """

    dataset_label: Int[np.ndarray, " I"]
    item: Int[np.ndarray, " N"]
    label: Int[np.ndarray, " N"]
    votes: Float[np.ndarray, " N"]
    asides: Float[np.ndarray, " N"]
    parent: Int[np.ndarray, " K"] | None
    num_labels: int

    def by_class(self, cells: Float[np.ndarray, " N"]) -> Float[np.ndarray, "K K"]:
        """Sum the evidence of each cell over the items of a class."""
        size = self.num_labels
        place = self.dataset_label[self.item] * size + self.label
        return np.bincount(place, cells, size * size).reshape(size, size)


def sum_label_counts(
    dataset_label: Int[np.ndarray, " I"],
    item: Int[np.ndarray, " R"],
    label: Int[np.ndarray, " R"],
    votes: Float[np.ndarray, " R"],
    asides: Float[np.ndarray, " R"],
    *,
    parent: Int[np.ndarray, " K"] | None,
    num_labels: int,
) -> LabelCounts:
    """Sum what answers say, cell by cell.

    Parameters
    ----------
    dataset_label, parent, num_labels
        As in `LabelCounts`.
    item, label, votes, asides
        Of each row of an answer: what it is about, the label, and how often it gives
        the label, or names it aside.
    """
    pairs, cell = np.unique(item * num_labels + label, return_inverse=True)
    return LabelCounts(
        dataset_label=dataset_label,
        item=pairs // num_labels,
        label=pairs % num_labels,
        votes=np.bincount(cell, votes),
        asides=np.bincount(cell, asides),
        parent=parent,
        num_labels=num_labels,
    )


def label_counts(
    responses: Responses, labels: pd.Index, parent: pd.Index
) -> LabelCounts:
    """Return how items were called, those that have a class and an answer.

    Parameters
    ----------
    responses
        Of kind choice or objects, with the data set's own label of each item.
    labels, parent
        Names of the labels in the order of their codes, and their superclasses.

    Raises
    ------
    KindError
        The responses are of another kind.
    OptionError
        No item has a label of the data set.
    """
    items = responses.items
    if items is None or "dataset_label" not in items:
        msg = (
            "no item has a label of the data set; give the table items with the "
            "columns item and dataset_label"
        )
        raise OptionError(msg)
    names = responses.table["item"].cat.categories
    dataset_label = items.set_index(items["item"].astype("str"))["dataset_label"]
    of_item = labels.get_indexer(pd.Index(dataset_label.reindex(names.astype("str"))))
    item, label, votes, asides = _cells(responses)
    kept = of_item[item] >= 0
    # Items in the order in which they come, those without a class or answer left out.
    answered = list(dict.fromkeys(item[kept].tolist()))
    if not answered:
        msg = (
            "no item that was answered has a label of the data set; check the column "
            "dataset_label of the table items"
        )
        raise OptionError(msg)
    rank = np.full(len(names), -1)
    rank[answered] = np.arange(len(answered))
    code, groups = pd.factorize(parent)
    return sum_label_counts(
        of_item[answered],
        rank[item[kept]],
        label[kept],
        votes[kept],
        asides[kept],
        parent=None if list(groups) == [""] else code,
        num_labels=len(labels),
    )


def _cells(
    responses: Responses,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return item, label, and whether it is the answer or named aside, of each row."""
    if responses.kinds == ("objects",):
        sets = named_sets(responses)
        item = sets.item[sets.response]
        main = (sets.label == sets.main[sets.response]).astype(float)
        n = sets.n[sets.response]
        return item, sets.label, main * n, (1 - main) * n
    if responses.kinds != ("choice",):
        kinds = ", ".join(responses.kinds)
        msg = f"labels are given in kinds choice and objects; these are of kind {kinds}"
        raise KindError(msg)
    table = responses.table[responses.table["label"].notna()]
    item, label = (
        table[name].cat.codes.to_numpy().astype(np.int64) for name in ("item", "label")
    )
    n = table["n"].to_numpy().astype(float)
    return item, label, n, np.zeros(len(n))
