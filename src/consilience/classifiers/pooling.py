r"""Several classifiers as one: their mean, in which a family counts once.

.. math::

   p_i(l) = \sum_m w_m\, p_{im}(l), \qquad w_m \propto 1 / n_{f(m)}

with :math:`n_f` classifiers in family :math:`f`. Of each classifier only its best
labels are kept; what probability is left is spread evenly over the others. A list of
ranks is given the probability that its ranks deserve: learned from gold, or else in
proportion to one over the rank.

Only labels that some classifier lists have a cell; all others of an item share one
probability, so nothing here is as large as items times labels.

References
----------
Clemen and Winkler (1999), Combining probability distributions from experts in risk
analysis.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int, Shaped

from consilience.classifiers.predictions import Predictions
from consilience.errors import PredictionsError

# What a list of ranks leaves to labels that it does not list, where no gold says;
# judgement. It orders nothing, and without gold no prior is made of it.
OFF_LIST = 0.05
# Gold items that the pool of lists counts for in the ranks of one of them; judgement.
SHRINKAGE = 50.0


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """What several classifiers say, by item and label.

    Attributes
    ----------
    items, labels, models
        Names.
    num_labels
        K, how many labels there are, listed or not.
    item, label
        Codes of each cell, in ascending order.
    probability
        Of the mean, at each cell.
    elsewhere
        The same of each label of an item that has no cell.
    row_cell, row_model, row_rank, row_weight
        The rows behind the cells: who listed it, at which rank, and what that
        classifier weighs among those that answered about the item.
    weight
        Of each classifier; sums to one.
    """

    items: Shaped[np.ndarray, " I"]
    labels: Shaped[np.ndarray, " L"]
    models: Shaped[np.ndarray, " M"]
    num_labels: int
    item: Int[np.ndarray, " E"]
    label: Int[np.ndarray, " E"]
    probability: Float[np.ndarray, " E"]
    elsewhere: Float[np.ndarray, " I"]
    row_cell: Int[np.ndarray, " R"]
    row_model: Int[np.ndarray, " R"]
    row_rank: Int[np.ndarray, " R"]
    row_weight: Float[np.ndarray, " R"]
    weight: Float[np.ndarray, " M"]

    def cell(
        self, item: Int[np.ndarray, " N"], label: Int[np.ndarray, " N"]
    ) -> Int[np.ndarray, " N"]:
        """Return the cell of pairs of item and label; minus one where there is none."""
        codes = self.item.astype(np.int64) * len(self.labels) + self.label
        wanted = item.astype(np.int64) * len(self.labels) + label
        at = np.searchsorted(codes, wanted)
        found = np.append(codes, -1)[at] == wanted
        here: Int[np.ndarray, " N"] = np.where(
            found & (item >= 0) & (label >= 0), at, -1
        )
        return here


def pool(predictions: Sequence[Predictions], gold: pd.DataFrame | None = None) -> Pool:
    """Pool predictions.

    Parameters
    ----------
    predictions
        Of different classifiers.
    gold
        Columns item, label: the one truth of some items; says what ranks deserve.

    Raises
    ------
    PredictionsError
        Two classifiers have one name.
    """
    names = [name for each in predictions for name in each.families]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f"two predictions are of a classifier named {twice[0]!r}; leave one out"
        raise PredictionsError(msg)
    families: dict[str, str] = {}
    for each in predictions:
        families |= each.families
    item, items = _joined([each.table["item"] for each in predictions])
    label, labels = _joined([each.table["label"] for each in predictions])
    model, models = _joined([each.table["model"] for each in predictions])
    rank = np.concatenate([each.table["rank"].to_numpy() for each in predictions])
    share = np.concatenate(
        [each.table["probability"].to_numpy(dtype=float) for each in predictions]
    )
    number = max(len(labels), *(n for p in predictions for n in p.num_labels.values()))
    told = _Told(item, label, model, rank.astype(np.int64), share, len(models))
    share = told.with_ranks(_rank_shares(told, gold, items, labels))
    return _pooled(
        told, share, _weights(models, families), (items, labels, models), number
    )


def _joined(
    columns: Sequence[pd.Series],
) -> tuple[Int[np.ndarray, " R"], Shaped[np.ndarray, " V"]]:
    """Return one code for each row of several columns of names, and the names."""
    both = pd.api.types.union_categoricals(
        [pd.Categorical(column.astype("category")) for column in columns]
    ).remove_unused_categories()
    return both.codes.astype(np.int64), both.categories.to_numpy(dtype=object)


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """Rows of all classifiers; the share is missing where only ranks are known."""

    item: Int[np.ndarray, " R"]
    label: Int[np.ndarray, " R"]
    model: Int[np.ndarray, " R"]
    rank: Int[np.ndarray, " R"]
    share: Float[np.ndarray, " R"]
    num_models: int

    @property
    def ranks_only(self) -> Bool[np.ndarray, " R"]:
        """Rows of classifiers that tell ranks only."""
        lacking = np.bincount(self.model, np.isnan(self.share), self.num_models) > 0
        rows: Bool[np.ndarray, " R"] = lacking[self.model]
        return rows

    def with_ranks(self, deserved: Float[np.ndarray, "M D"]) -> Float[np.ndarray, " R"]:
        """Return the probability of each row: as told, or what its rank deserves."""
        of_rank = deserved[self.model, self.rank - 1]
        share: Float[np.ndarray, " R"] = np.where(self.ranks_only, of_rank, self.share)
        return share


def _rank_shares(
    told: _Told,
    gold: pd.DataFrame | None,
    items: np.ndarray,
    labels: np.ndarray,
) -> Float[np.ndarray, "M D"]:
    """Return how often each rank of each list is right.

    From gold: the list's own shares, shrunk to those of all lists. Without gold: one
    over the rank.
    """
    depth = int(told.rank.max(initial=1))
    listed = np.zeros((told.num_models, depth))
    rows = told.ranks_only
    np.maximum.at(listed, (told.model[rows], told.rank[rows] - 1), 1.0)
    falling = listed / np.arange(1, depth + 1)
    total = np.maximum(falling.sum(1, keepdims=True), 1e-12)
    usual = (1 - OFF_LIST) * falling / total
    if gold is None or not rows.any():
        return usual
    truth = _truth(gold, items, labels)
    known = rows & (truth[told.item] >= 0)
    hit = known & (truth[told.item] == told.label)
    place = (told.model, told.rank - 1)
    right, asked = np.zeros_like(listed), np.zeros_like(listed)
    np.add.at(right, (place[0][hit], place[1][hit]), 1.0)
    np.add.at(asked, (place[0][known], place[1][known]), 1.0)
    together = (right.sum(0) + usual.max(0)) / (asked.sum(0) + 1)
    return listed * (right + SHRINKAGE * together) / (asked + SHRINKAGE)


def _truth(
    gold: pd.DataFrame, items: np.ndarray, labels: np.ndarray
) -> Int[np.ndarray, " I"]:
    """Return the code of the true label of each item; minus one where not known."""
    item = pd.Index(items).get_indexer(pd.Index(gold["item"].astype("str")))
    label = pd.Index(labels).get_indexer(pd.Index(gold["label"].astype("str")))
    truth = np.full(len(items), -1)
    here = item >= 0
    # A label that nobody lists is known and never hit.
    truth[item[here]] = np.where(label[here] < 0, len(labels), label[here])
    return truth


def _weights(
    models: np.ndarray, families: Mapping[str, str]
) -> Float[np.ndarray, " M"]:
    family = np.array([families[name] for name in models])
    _, which, size = np.unique(family, return_inverse=True, return_counts=True)
    weight = 1.0 / size[which]
    normalised: Float[np.ndarray, " M"] = weight / weight.sum()
    return normalised


def _pooled(
    told: _Told,
    share: Float[np.ndarray, " R"],
    weight: Float[np.ndarray, " M"],
    names: tuple[np.ndarray, np.ndarray, np.ndarray],
    num_labels: int,
) -> Pool:
    items, labels, models = names
    pair = told.item * len(models) + told.model
    shape = (len(items), len(models))
    length = np.prod(shape)
    kept = np.bincount(pair, minlength=length).reshape(shape)
    mass = np.bincount(pair, share, length).reshape(shape)
    here = weight * (kept > 0)
    here /= here.sum(1, keepdims=True)
    rest = np.maximum(1 - mass, 0) / np.maximum(num_labels - kept, 1)
    code = told.item * len(labels) + told.label
    cells, cell = np.unique(code, return_inverse=True)
    more = here[told.item, told.model] * (share - rest[told.item, told.model])
    elsewhere = (here * rest).sum(1)
    item, label = np.divmod(cells, len(labels))
    probability = np.bincount(cell, more, len(cells)) + elsewhere[item]
    return Pool(
        items=items,
        labels=labels,
        models=models,
        num_labels=num_labels,
        item=item,
        label=label,
        probability=np.clip(probability, 1e-12, 1.0),
        elsewhere=np.clip(elsewhere, 1e-12, 1.0),
        row_cell=cell,
        row_model=told.model,
        row_rank=told.rank,
        row_weight=here[told.item, told.model],
        weight=weight,
    )
