r"""Several classifiers as one: their mean, in which a family counts once.

.. math::

   p_i(l) = \sum_m w_m\, p_{im}(l), \qquad w_m \propto 1 / n_{f(m)}

with :math:`n_f` classifiers in family :math:`f`. Of each classifier only its best
labels are kept; what probability is left is spread evenly over the others.

**The accuracy of each rank of a list** is learned from gold, each list's own shares
shrunk to those of all lists; without gold it is in proportion to one over the rank.

Only labels that some classifier lists have a cell; all others of an item share one
probability, so nothing here is as large as items times labels.

**Which labels become the candidates of an item.**

- `union`: every label that some classifier has among its best. It never drops what a
  dissenter picks, and needs no probabilities.
- `ensemble`: the best labels of the mean.
- `mass`: the fewest labels that together hold so much of the mean's probability: few
  where classifiers agree, many where they do not.

**Covariates of a pair of item and label** are the numeric columns of candidates: how
many classifiers have the label among their best, how high, how often first, and the log
of its pooled probability.

References
----------
Clemen and Winkler (1999), Combining probability distributions from experts in risk
analysis.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int, Shaped

from consilience.classifiers.predictions import Predictions
from consilience.errors import OptionError, PredictionsError

type Policy = Literal["union", "ensemble", "mass"]
# What a list of ranks leaves to labels that it does not list, where no gold says;
# judgement. It orders nothing, and without gold no prior is made of it.
OFF_LIST = 0.05
# Gold items that the pool of lists counts for in the ranks of one of them; judgement.
SHRINKAGE = 50.0
ANNOTATORS, DATASET = "(annotators)", "(data set)"  # sources that are no classifiers


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """What several classifiers say, by item and label."""

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
        listed = np.append(codes, -1)[at] == wanted
        here: Int[np.ndarray, " N"] = np.where(
            listed & (item >= 0) & (label >= 0), at, -1
        )
        return here


@dataclass(frozen=True, slots=True, eq=False)
class RankedRows:
    """Rows of all classifiers; the share is missing where only ranks are known."""

    item: Int[np.ndarray, " R"]
    label: Int[np.ndarray, " R"]
    model: Int[np.ndarray, " R"]
    rank: Int[np.ndarray, " R"]
    share: Float[np.ndarray, " R"]
    num_models: int

    @property
    def ranks_only(self) -> Bool[np.ndarray, " R"]:
        """Rows of classifiers with ranks only."""
        lacking = np.bincount(self.model, np.isnan(self.share), self.num_models) > 0
        rows: Bool[np.ndarray, " R"] = lacking[self.model]
        return rows

    def with_ranks(self, deserved: Float[np.ndarray, "M D"]) -> Float[np.ndarray, " R"]:
        """Return the probability of each row: as given, or by its rank."""
        of_rank = deserved[self.model, self.rank - 1]
        share: Float[np.ndarray, " R"] = np.where(self.ranks_only, of_rank, self.share)
        return share


def pool(predictions: Sequence[Predictions], gold: pd.DataFrame | None = None) -> Pool:
    """Pool predictions."""
    names = [name for source in predictions for name in source.families]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f"two predictions are of a classifier named {twice[0]!r}; leave one out"
        raise PredictionsError(msg)
    families: dict[str, str] = {}
    for source in predictions:
        families |= source.families
    item, items = _row_codes([source.table["item"] for source in predictions])
    label, labels = _row_codes([source.table["label"] for source in predictions])
    model, models = _row_codes([source.table["model"] for source in predictions])
    rank = np.concatenate([source.table["rank"].to_numpy() for source in predictions])
    share = np.concatenate(
        [source.table["probability"].to_numpy(dtype=float) for source in predictions]
    )
    number = max(len(labels), *(n for p in predictions for n in p.num_labels.values()))
    rows = RankedRows(item, label, model, rank.astype(np.int64), share, len(models))
    share = rows.with_ranks(rank_shares(rows, gold, items, labels))
    return _combine(
        rows, share, _weights(models, families), (items, labels, models), number
    )


def _row_codes(
    columns: Sequence[pd.Series],
) -> tuple[Int[np.ndarray, " R"], Shaped[np.ndarray, " V"]]:
    """Return one code for each row of several columns of names, and the names."""
    both = pd.api.types.union_categoricals(
        [pd.Categorical(column.astype("category")) for column in columns]
    ).remove_unused_categories()
    return both.codes.astype(np.int64), both.categories.to_numpy(dtype=object)


def _weights(
    models: np.ndarray, families: Mapping[str, str]
) -> Float[np.ndarray, " M"]:
    family = np.array([families[name] for name in models])
    _, which, size = np.unique(family, return_inverse=True, return_counts=True)
    weight = 1.0 / size[which]
    normalised: Float[np.ndarray, " M"] = weight / weight.sum()
    return normalised


def _combine(
    rows: RankedRows,
    share: Float[np.ndarray, " R"],
    weight: Float[np.ndarray, " M"],
    names: tuple[np.ndarray, np.ndarray, np.ndarray],
    num_labels: int,
) -> Pool:
    items, labels, models = names
    pair = rows.item * len(models) + rows.model
    shape = (len(items), len(models))
    length = np.prod(shape)
    kept = np.bincount(pair, minlength=length).reshape(shape)
    mass = np.bincount(pair, share, length).reshape(shape)
    here = weight * (kept > 0)
    here /= here.sum(1, keepdims=True)
    rest = np.maximum(1 - mass, 0) / np.maximum(num_labels - kept, 1)
    code = rows.item * len(labels) + rows.label
    cells, cell = np.unique(code, return_inverse=True)
    more = here[rows.item, rows.model] * (share - rest[rows.item, rows.model])
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
        row_model=rows.model,
        row_rank=rows.rank,
        row_weight=here[rows.item, rows.model],
        weight=weight,
    )


def choose_cells(
    pool: Pool, policy: Policy, top: int, mass: float
) -> Bool[np.ndarray, " E"]:
    """Say of each cell whether its label is a candidate of its item."""
    if top < 1 or not 0 < mass < 1:
        msg = f"`top={top}`, `mass={mass:g}`: expected 1 or more, and between 0 and 1"
        raise OptionError(msg)
    if policy == "union":
        return best_rank(pool) <= top
    place, before = _in_order(pool)
    if policy == "ensemble":
        return place < top
    if policy == "mass":
        return before < mass
    msg = f"`policy={policy!r}`: expected union, ensemble or mass"
    raise OptionError(msg)


def best_rank(pool: Pool) -> Int[np.ndarray, " E"]:
    """Return the best rank that any classifier gives each cell."""
    rank = np.full(len(pool.item), np.iinfo(np.int64).max)
    np.minimum.at(rank, pool.row_cell, pool.row_rank)
    return rank


def _in_order(
    pool: Pool,
) -> tuple[Int[np.ndarray, " E"], Float[np.ndarray, " E"]]:
    """Return how many cells of its item go before each, and how much they hold."""
    order = np.lexsort((pool.label, -pool.probability, pool.item))
    number = np.bincount(pool.item, minlength=len(pool.items))
    start = np.cumsum(number) - number
    probability = pool.probability[order]
    before = np.cumsum(probability) - probability
    first = start[pool.item[order]]
    place, sums = np.empty(len(order), np.int64), np.empty(len(order))
    place[order] = np.arange(len(order)) - first
    sums[order] = before - before[first]
    return place, sums


def rank_shares(
    rows: RankedRows,
    gold: pd.DataFrame | None,
    items: np.ndarray,
    labels: np.ndarray,
) -> Float[np.ndarray, "M D"]:
    """Return how often each rank of each list is right.

    From gold: the list's own shares, shrunk to those of all lists. Without gold: one
    over the rank.
    """
    depth = int(rows.rank.max(initial=1))
    listed = np.zeros((rows.num_models, depth))
    ranked = rows.ranks_only
    np.maximum.at(listed, (rows.model[ranked], rows.rank[ranked] - 1), 1.0)
    falling = listed / np.arange(1, depth + 1)
    total = np.maximum(falling.sum(1, keepdims=True), 1e-12)
    usual = (1 - OFF_LIST) * falling / total
    if gold is None or not ranked.any():
        return usual
    truth = _truth(gold, items, labels)
    judged = ranked & (truth[rows.item] >= 0)
    hit = judged & (truth[rows.item] == rows.label)
    place = (rows.model, rows.rank - 1)
    hits, trials = np.zeros_like(listed), np.zeros_like(listed)
    np.add.at(hits, (place[0][hit], place[1][hit]), 1.0)
    np.add.at(trials, (place[0][judged], place[1][judged]), 1.0)
    together = (hits.sum(0) + usual.max(0)) / (trials.sum(0) + 1)
    return listed * (hits + SHRINKAGE * together) / (trials + SHRINKAGE)


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


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of item and label, and the cell of the pool where there is one."""

    item: Int[np.ndarray, " C"]
    label: Int[np.ndarray, " C"]
    cell: Int[np.ndarray, " C"]


class Vocabulary:
    """Names of items and labels: the pool's own first, then what else is named."""

    def __init__(self, pooled: Pool, tables: Sequence[pd.DataFrame | None]) -> None:
        self.items = pooled.items
        named = [t["label"].astype("str") for t in tables if t is not None]
        more = np.asarray(pd.concat(named).unique() if named else (), object)
        new = more[~pd.Index(more).isin(pooled.labels)]
        self.labels = np.concatenate([pooled.labels, new])

    def codes(self, table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return codes of the rows about items that were classified, and which."""
        item = pd.Index(self.items).get_indexer(pd.Index(table["item"].astype("str")))
        label = pd.Index(self.labels).get_indexer(
            pd.Index(table["label"].astype("str"))
        )
        here = item >= 0
        return item[here], label[here], here

    def pairs(self, pooled: Pool, kept: np.ndarray, also: pd.DataFrame | None) -> Pairs:
        """Return the cells that are kept and what else is named, each pair once."""
        item, label = pooled.item[kept], pooled.label[kept]
        if also is not None:
            more, named, _ = self.codes(also)
            item, label = np.append(item, more), np.append(label, named)
        return self.locate(pooled, item, label, unique=True)

    def locate(
        self, pooled: Pool, item: np.ndarray, label: np.ndarray, *, unique: bool
    ) -> Pairs:
        """Return pairs with their cells."""
        if unique:
            codes = np.unique(item.astype(np.int64) * len(self.labels) + label)
            item, label = np.divmod(codes, len(self.labels))
        codes_in_pool = np.where(label < len(pooled.labels), label, -1)
        return Pairs(item, label, pooled.cell(item, codes_in_pool))


def candidate_features(
    pooled: Pool,
    pairs: Pairs,
    top: int,
    also: pd.DataFrame | None,
    vocabulary: Vocabulary,
) -> dict[str, Float[np.ndarray, " C"]]:
    """Return the number columns of pairs."""

    def weighted_sum(value: np.ndarray) -> np.ndarray:
        total = np.bincount(
            pooled.row_cell, pooled.row_weight * value, len(pooled.item)
        )
        return np.where(pairs.cell >= 0, total[pairs.cell], 0.0)

    here = np.where(
        pairs.cell >= 0,
        pooled.probability[pairs.cell],
        pooled.elsewhere[pairs.item],
    )
    features = {
        "score": np.log(here),
        "top": weighted_sum(pooled.row_rank <= top),
        "reciprocal_rank": weighted_sum(1.0 / pooled.row_rank),
        "first": weighted_sum(pooled.row_rank == 1),
    }
    if also is not None and (also["source"] == DATASET).any():
        item, label, _ = vocabulary.codes(also[also["source"] == DATASET])
        dataset_pairs = set(zip(item.tolist(), label.tolist(), strict=True))
        both = zip(pairs.item.tolist(), pairs.label.tolist(), strict=True)
        features["dataset_label"] = np.array(
            [float(pair in dataset_pairs) for pair in both]
        )
    return features
