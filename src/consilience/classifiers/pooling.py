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

**The weight of a pooled score** is learned from gold.

**One truth per item.** The mean is sharpened or flattened by one temperature, after
averaging, because averaging itself makes it too flat:

.. math::

   q_i(l) \propto p_i(l)^{1/T}

**Several labels may be there.** That a softmax gives a label little does not say that
it is absent: it may only be beside another. So log-odds of presence are a regression on
the score and on the ranks, whose slope is learned, with a normal prior:

.. math::

   \mathrm{logit}\, p(l \in i) = a + b \log p_i(l) + c^\top x_{il}

References
----------
Clemen and Winkler (1999), Combining probability distributions from experts in risk
analysis.
Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks.
Rahaman and Thiery (2021), Uncertainty quantification and deep ensembles, for the
temperature after averaging.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int, Shaped
from scipy.optimize import minimize_scalar
from scipy.special import entr, log_expit

from consilience.classifiers.predictions import Predictions
from consilience.errors import DataError, OptionError

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

    def with_labels(self, tables: Sequence[pd.DataFrame | None]) -> "Pool":
        """Return the pool with the labels that tables name after its own."""
        named = [table["label"].astype("str") for table in tables if table is not None]
        more = np.asarray(pd.concat(named).unique() if named else (), object)
        new = more[~pd.Index(more).isin(self.labels)]
        return replace(self, labels=np.concatenate([self.labels, new]))

    def pair_codes(
        self, item: Int[np.ndarray, " N"], label: Int[np.ndarray, " N"]
    ) -> Int[np.ndarray, " N"]:
        """Return one number for each pair of item and label, in their order."""
        return item.astype(np.int64) * len(self.labels) + label

    def pairs(
        self, item: Int[np.ndarray, " N"], label: Int[np.ndarray, " N"]
    ) -> "Pairs":
        """Return pairs of item and label with their cells."""
        cells = pd.Index(self.pair_codes(self.item, self.label))
        cell = cells.get_indexer(self.pair_codes(item, label))
        return Pairs(item, label, np.where(label >= 0, cell, -1))

    def pairs_of(self, table: pd.DataFrame) -> tuple["Pairs", Bool[np.ndarray, " N"]]:
        """Return the pairs that a table names, and its rows about items of the pool."""
        item = name_codes(self.items, table["item"])
        label = name_codes(self.labels, table["label"])
        here = item >= 0
        return self.pairs(item[here], label[here]), here


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of item and label, and the cell of the pool; minus one: there is none."""

    item: Int[np.ndarray, " C"]
    label: Int[np.ndarray, " C"]
    cell: Int[np.ndarray, " C"]

    def pick(
        self, cells: Float[np.ndarray, " E"], elsewhere: Float[np.ndarray, " I"]
    ) -> Float[np.ndarray, " C"]:
        """Return what the cell of each pair has, or its item for labels without one."""
        return np.where(self.cell >= 0, cells[self.cell], elsewhere[self.item])


def name_codes(names: np.ndarray, column: pd.Series) -> Int[np.ndarray, " N"]:
    """Return the place of each cell of a column among names; minus one: nowhere."""
    return pd.Index(names).get_indexer(pd.Index(column.astype("str")))


def pool(predictions: Sequence[Predictions], gold: pd.DataFrame | None = None) -> Pool:
    """Pool predictions."""
    names = [name for source in predictions for name in source.families]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(
            f"two predictions are of a classifier named {twice[0]!r}; leave one out"
        )
    families = {k: v for source in predictions for k, v in source.families.items()}
    tables = [source.table for source in predictions]
    (item, items), (label, labels), (model, models) = (
        _row_codes(tables, name) for name in ("item", "label", "model")
    )
    rank = np.concatenate([table["rank"].to_numpy(np.int64) for table in tables])
    share = np.concatenate([table["probability"].to_numpy(float) for table in tables])
    ranked = (np.bincount(model, np.isnan(share), len(models)) > 0)[model]
    right = None
    if gold is not None:
        truth = np.full(len(items), np.nan)
        unit, code = name_codes(items, gold["item"]), name_codes(labels, gold["label"])
        truth[unit[unit >= 0]] = code[unit >= 0]  # -1, never hit: nobody lists it
        right = np.where(np.isnan(truth[item]), np.nan, truth[item] == label)[ranked]
    share[ranked] = _rank_shares(model[ranked], rank[ranked], len(models), right)
    num_labels = max(
        len(labels), *(k for source in predictions for k in source.num_labels.values())
    )
    family = np.array([families[name] for name in models])
    _, which, size = np.unique(family, return_inverse=True, return_counts=True)
    weight = 1.0 / size[which]
    weight /= weight.sum()
    pair = item * len(models) + model
    shape = (len(items), len(models))
    kept = np.bincount(pair, minlength=shape[0] * shape[1]).reshape(shape)
    mass = np.bincount(pair, share, kept.size).reshape(shape)
    here = weight * (kept > 0)
    here /= here.sum(1, keepdims=True)
    rest = np.maximum(1 - mass, 0) / np.maximum(num_labels - kept, 1)
    elsewhere = (here * rest).sum(1)
    cells, cell = np.unique(item * len(labels) + label, return_inverse=True)
    cell_item, cell_label = np.divmod(cells, len(labels))
    more = np.bincount(cell, here[item, model] * (share - rest[item, model]))
    return Pool(
        items=items,
        labels=labels,
        models=models,
        num_labels=num_labels,
        item=cell_item,
        label=cell_label,
        probability=np.clip(more + elsewhere[cell_item], 1e-12, 1.0),
        elsewhere=np.clip(elsewhere, 1e-12, 1.0),
        row_cell=cell,
        row_model=model,
        row_rank=rank,
        row_weight=here[item, model],
        weight=weight,
    )


def _row_codes(
    tables: Sequence[pd.DataFrame], column: str
) -> tuple[Int[np.ndarray, " R"], Shaped[np.ndarray, " V"]]:
    """Return a code for each row of all tables by a column of names, and the names."""
    both = pd.api.types.union_categoricals(
        [pd.Categorical(table[column].astype("category")) for table in tables]
    ).remove_unused_categories()
    return both.codes.astype(np.int64), both.categories.to_numpy(dtype=object)


def choose_cells(
    pool: Pool, policy: Policy, top: int, mass: float
) -> Bool[np.ndarray, " E"]:
    """Say of each cell whether its label is a candidate of its item."""
    if top < 1 or not 0 < mass < 1:
        raise OptionError(
            f"`top={top}`, `mass={mass:g}`: expected 1 or more, and between 0 and 1"
        )
    if policy == "union":
        rank = np.full(len(pool.item), np.inf)
        np.minimum.at(rank, pool.row_cell, pool.row_rank)
        return rank <= top
    place, before = _in_order(pool)
    if policy == "ensemble":
        return place < top
    if policy == "mass":
        return before < mass
    raise OptionError(f"`policy={policy!r}`: expected union, ensemble or mass")


def _in_order(pool: Pool) -> tuple[Int[np.ndarray, " E"], Float[np.ndarray, " E"]]:
    """Return how many cells of its item go before each, and how much they hold."""
    order = np.lexsort((pool.label, -pool.probability, pool.item))
    probability = pd.Series(pool.probability).iloc[order]
    of_item = probability.groupby(pool.item[order])
    before = of_item.cumsum() - probability
    return of_item.cumcount().sort_index().to_numpy(), before.sort_index().to_numpy()


def _rank_shares(
    model: Int[np.ndarray, " R"],
    rank: Int[np.ndarray, " R"],
    num_models: int,
    right: Float[np.ndarray, " R"] | None,
) -> Float[np.ndarray, " R"]:
    """Return how often rows of lists are right, by list and rank."""
    place = (model, rank - 1)
    depth = int(rank.max(initial=1))
    listed, hits, trials = np.zeros((3, num_models, depth))
    listed[place] = 1.0
    falling = listed / np.arange(1, depth + 1)
    total = np.maximum(falling.sum(1, keepdims=True), 1e-12)
    usual = (1 - OFF_LIST) * falling / total
    if right is None:
        return np.asarray(usual[place])
    np.add.at(hits, place, np.nan_to_num(right))
    np.add.at(trials, place, ~np.isnan(right))
    together = (hits.sum(0) + usual.max(0)) / (trials.sum(0) + 1)
    shares = (hits + SHRINKAGE * together) / (trials + SHRINKAGE)
    return np.asarray(shares[place])


def choose_pairs(pool: Pool, chosen: np.ndarray, also: pd.DataFrame | None) -> Pairs:
    """Return the cells that are chosen and what a table names, each pair once."""
    codes = pool.pair_codes(pool.item[chosen], pool.label[chosen])
    if also is not None:
        more, _ = pool.pairs_of(also)
        codes = np.append(codes, pool.pair_codes(more.item, more.label))
    return pool.pairs(*np.divmod(np.unique(codes), len(pool.labels)))


def candidate_features(
    pool: Pool, top: int, dataset_labels: pd.DataFrame | None, pairs: Pairs
) -> dict[str, Float[np.ndarray, " C"]]:
    """Return the numeric columns of pairs."""

    def weighted_sum(value: np.ndarray) -> np.ndarray:
        total = np.bincount(pool.row_cell, pool.row_weight * value, len(pool.item))
        return pairs.pick(total, np.zeros(len(pool.items)))

    features = {
        "score": np.log(pairs.pick(pool.probability, pool.elsewhere)),
        "top": weighted_sum(pool.row_rank <= top),
        "reciprocal_rank": weighted_sum(1.0 / pool.row_rank),
        "first": weighted_sum(pool.row_rank == 1),
    }
    if dataset_labels is not None and len(dataset_labels):
        named, _ = pool.pairs_of(dataset_labels)
        codes = pool.pair_codes(named.item, named.label)
        named_too = np.isin(pool.pair_codes(pairs.item, pairs.label), codes)
        features["dataset_label"] = named_too.astype(float)
    return features


COOLEST, HOTTEST = -3.0, 3.0  # log of the temperature
MIN_GOLD = 20  # items or pairs; fewer say nothing of a temperature or a slope
FOLDS = 5
RIDGE = 1.0  # precision of a weight per standard deviation of its column


def choice_log_odds(
    pool: Pool, pairs: Pairs, gold: pd.DataFrame
) -> tuple[dict[str, Any], Float[np.ndarray, " C"]]:
    """Return the temperature, and the log of each share against a uniform one."""
    account = fit_temperature(pool, pool.pairs_of(gold)[0])
    share = apply_temperature(pool, account["value"])
    listed = np.bincount(pool.item, share, len(pool.items))
    cells = np.bincount(pool.item, minlength=len(pool.items))
    others = np.maximum(pool.num_labels - cells, 1)
    here = pairs.pick(share, np.maximum(1 - listed, 1e-12) / others)
    log_odds = np.log(np.maximum(here, 1e-12) * pool.num_labels)
    return {"temperature": account}, log_odds


def presence_log_odds(
    pool: Pool,
    pairs: Pairs,
    gold: pd.DataFrame,
    features: Callable[[Pairs], Mapping[str, np.ndarray]],
) -> tuple[dict[str, Any], Float[np.ndarray, " C"]]:
    """Return the regression, and log-odds; those of gold pairs are left out in turn."""
    answer = gold["answer"].astype("str")
    if not answer.isin(["yes", "no"]).all():
        odd = answer[~answer.isin(["yes", "no"])].iloc[0]
        raise DataError(f"gold has the answer {odd!r}; expected yes or no")
    once = gold.assign(answer=answer).drop_duplicates(["item", "label"])
    about, here = pool.pairs_of(once)
    columns, of_gold = features(pairs), features(about)
    account, held_out = fit_presence(
        np.stack(list(of_gold.values()), 1),
        (once["answer"] == "yes").to_numpy()[here],
        about.item,
    )
    weights = account["weights"]
    log_odds = account["intercept"] + np.stack(list(columns.values()), 1) @ weights
    ours, theirs = (pool.pair_codes(each.item, each.label) for each in (pairs, about))
    at = pd.Index(ours).get_indexer(theirs)
    log_odds[at[at >= 0]] = held_out[at >= 0]
    by_column = dict(zip(columns, weights.tolist(), strict=True))
    return {"presence": {**account, "weights": by_column}}, log_odds


def apply_temperature(pool: Pool, temperature: float) -> Float[np.ndarray, " E"]:
    """Return the mean at a temperature, at each cell; items sum to one."""
    log_mass, log_cell, _ = _tempered_logs(pool, temperature)
    return np.exp(log_cell - log_mass[pool.item])


def fit_temperature(pool: Pool, gold: Pairs) -> dict[str, Any]:
    """Fit the temperature to pairs of an item and its true label; return an account."""
    _check_enough(len(gold.item), "items that were classified")

    def loss(log_temperature: float) -> float:
        log_mass, log_cell, log_rest = _tempered_logs(
            pool, float(np.exp(log_temperature))
        )
        right = gold.pick(log_cell, log_rest)
        return float(-(right - log_mass[gold.item]).mean())

    optimum = minimize_scalar(loss, bounds=(COOLEST, HOTTEST), method="bounded")
    return {
        "value": float(np.exp(optimum.x)),
        "gold_items": len(gold.item),
        "log_loss_before": loss(0.0),
        "log_loss_after": float(optimum.fun),
    }


def _tempered_logs(
    pool: Pool, temperature: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return log of the sum of all labels, of each cell, and of one without a cell."""
    log_cell = np.log(pool.probability) / temperature
    log_rest = np.log(pool.elsewhere) / temperature
    cells = np.bincount(pool.item, minlength=len(pool.items))
    others = np.maximum(pool.num_labels - cells, 0)
    # The largest term is taken out first, so that nothing underflows.
    largest = np.maximum.reduceat(log_cell, np.cumsum(cells) - cells)
    largest = np.where(others > 0, np.maximum(largest, log_rest), largest)
    total = np.bincount(pool.item, np.exp(log_cell - largest[pool.item]), len(cells))
    total += others * np.exp(log_rest - largest)
    return largest + np.log(total), log_cell, log_rest


def fit_presence(
    columns: Float[np.ndarray, "N F"],
    present: Bool[np.ndarray, " N"],
    item: Int[np.ndarray, " N"],
) -> tuple[dict[str, Any], Float[np.ndarray, " N"]]:
    """Fit log-odds of presence to gold; return an account, and log-odds held out."""
    _check_enough(len(present), "pairs of item and label that were classified")
    if present.all() or not present.any():
        raise DataError(
            "all gold pairs are present, or none is: they cannot calibrate anything"
        )
    intercept, weights = _regress(columns, present)
    fold = np.unique(item, return_inverse=True)[1] % FOLDS
    held_out = np.empty(len(present))
    for held_out_fold in range(FOLDS):
        out = fold == held_out_fold
        if present[~out].any() and not present[~out].all():
            a, b = _regress(columns[~out], present[~out])
        else:
            a, b = intercept, weights
        held_out[out] = a + columns[out] @ b
    share = present.mean()
    right = log_expit(np.where(present, held_out, -held_out))
    account = {
        "gold_pairs": len(present),
        "present": int(present.sum()),
        "log_loss_held_out": float(-right.mean()),
        "log_loss_of_the_share_alone": float(entr([share, 1 - share]).sum()),
        "intercept": intercept,
        "weights": weights,
    }
    return account, held_out


def _regress(
    columns: Float[np.ndarray, "N F"], present: Bool[np.ndarray, " N"]
) -> tuple[float, Float[np.ndarray, " F"]]:
    """Return intercept and weights of a logistic regression with a ridge."""
    # Loaded where gold of this kind is given: it takes longer than all else here.
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    scale = StandardScaler().fit(columns)
    regression = LogisticRegression(C=1 / RIDGE, tol=1e-6, max_iter=1000)
    regression.fit(scale.transform(columns), present)
    weights = regression.coef_[0] / scale.scale_
    return float(regression.intercept_[0] - weights @ scale.mean_), weights


def _check_enough(number: int, what: str) -> None:
    if number < MIN_GOLD:
        raise DataError(
            f"gold labels {number} {what}; {MIN_GOLD} are needed; give more, or "
            "leave gold out: annotator models then learn the weight of the scores"
        )
