r"""Label sets that hold the truth with a stated probability, calibrated on gold labels.

The score of a label is :math:`1 - p`, with the posterior probability p of the label
being the truth. The set of an item holds all labels whose score is at most the
:math:`\lceil (n + 1) c \rceil`-th smallest score of the truth among n items with gold
labels, as that of its truth is with probability c or a little more. Items with gold
must be exchangeable with the others; the fit may use the answers about all of them, but
not the gold. Of all scores this one gives the smallest sets on average where the
probabilities are right. Equal scores stand in random order, so that the coverage is c,
and above by less than :math:`1 / (n + 1)`.

References
----------
Vovk, Gammerman and Shafer (2005), Algorithmic learning in a random world, chapters 2
and 4.
"""

from math import ceil

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.errors import DataError, OptionError, not_a
from consilience.fitting.inputs import Table, as_table, check_fit
from consilience.intervals import check_prob
from consilience.posterior import Fit
from consilience.posterior.labels import labels
from consilience.posterior.truth import given_truth
from consilience.responses.id_types import restores_types
from consilience.responses.side_columns import named_in
from consilience.responses.side_tables import nothing_shared
from consilience.truth.coding import gold_codes

_ROUNDING = 1e-9  # .55 of 100 is 55


@restores_types
def label_sets(
    fit: Fit,
    gold: Table,
    *,
    prob: float = 0.9,
    by_class: bool = False,
    allow_empty: bool = False,
    seed: int = 0,
) -> pd.DataFrame:
    """Return a set of labels per item that contains the truth with a given probability.

    Split conformal prediction: the coverage does not depend on the model being right; a
    better model has smaller sets.

    Parameters
    ----------
    fit : Fit
        A fit of kind choice that was not given these gold labels.
    gold : data frame or path
        Columns item and label: the truth of some items, drawn like the others. Where an
        item has several rows, the set contains one of them. Items that are not in the
        fit are ignored.
    prob : float, default 0.9
        Probability that the set of a further item contains its truth, over items and
        choices of the gold items. Needs gold labels of at least
        ``prob / (1 - prob)`` items.
    by_class : bool, default False
        Guarantee the coverage among the items of each true label, not only among all.
        Needs that many gold items of each label.
    allow_empty : bool, default False
        Leave items without a set where even the most probable label is too improbable.
        Then the coverage is the one asked for also where more items than that are
        labelled right.
    seed : int, default 0
        Seed of the order of equal probabilities.

    Returns
    -------
    pandas.DataFrame
        One row per label of each item's set, the most probable first. Columns item,
        label, probability, size (of the set) and gold (whether the item was used to
        calibrate, so that the guarantee is not about it). An empty set has no row.

    Raises
    ------
    OptionError
        If the fit is of another kind or was given the truth of an item with gold, or
        `prob` is not between 0 and 1.
    DataError
        If there are too few gold labels for the coverage, a label is none of the
        study's, or too many are not among the candidates of their item.

    See Also
    --------
    decide : Which labels are present (kind contains).
    consilience.score : Score a fit against gold labels.

    References
    ----------
    Sadinle, Lei and Wasserman (2019), Least ambiguous set-valued classifiers with
    bounded error levels. Angelopoulos and Bates (2023), Conformal prediction: a gentle
    introduction.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> simulated = study(0, num_photos=60)
    >>> responses = cs.read(simulated.answers, item="photo", label="animal")
    >>> fit = cs.fit(responses, model="hierarchical_dawid_skene")
    >>> gold = simulated.truth.set_axis(["item", "label"], axis=1).tail(30)
    >>> sets = cs.analysis.label_sets(fit, gold, prob=0.9)
    >>> sets[sets["size"] > 1].head(2).round(1)
             item     label  probability  size   gold
    13  photo-014  malamute          0.5     2  False
    14  photo-014     husky          0.4     2  False
    """
    check_fit(fit)
    if fit.data.attrs["kind"] != "choice":
        raise OptionError(
            f"the fit is of kind {fit.data.attrs['kind']}; label sets are for items "
            "with one true label each (kind choice)"
        )
    check_prob(prob)
    table = labels(fit.data)[["item", "label", "probability"]]
    item, label = (
        table[name].cat.codes.to_numpy().astype(np.int64) for name in ("item", "label")
    )
    num_labels = len(table["label"].cat.categories)
    truth_item, truth_label = _truths(fit, table, gold)
    rank = _ranks(table["probability"].to_numpy(), seed)
    place = pd.Index(item * num_labels + label).get_indexer(
        pd.Index(truth_item * num_labels + truth_label)
    )
    # A truth that is not among the candidates comes after all of them.
    of_truth = np.where(place >= 0, rank[place], len(rank))
    calibrating, first = np.unique(truth_item, return_index=True)
    least = np.minimum.reduceat(of_truth, first)
    if by_class:
        if len(calibrating) < len(truth_item):
            raise DataError(
                f"gold: {len(truth_item) - len(calibrating):,} labels are further ones "
                "of an item; with `by_class=True` each item needs one label"
            )
        last = np.array(
            [
                _last_rank(least[truth_label == code], len(rank), prob, repr(name))
                for code, name in enumerate(table["label"].cat.categories)
            ]
        )[label]
    else:
        last = np.full(len(rank), _last_rank(least, len(rank), prob))
    inside = rank <= last
    if not allow_empty:
        # The most probable label is put into sets that would be empty.
        labels_of = pd.DataFrame({"inside": inside, "rank": rank}).groupby(item)
        empty = ~labels_of["inside"].transform("any")
        inside |= (empty & (rank == labels_of["rank"].transform("min"))).to_numpy()
    size = np.bincount(item, inside)[item].astype(np.int64)
    order = np.lexsort((rank, item))
    sets: pd.DataFrame = table.assign(size=size, gold=np.isin(item, calibrating))
    return sets.take(order[inside[order]]).reset_index(drop=True)


def _truths(
    fit: Fit, table: pd.DataFrame, gold: Table
) -> tuple[Int[np.ndarray, " G"], Int[np.ndarray, " G"]]:
    """Return codes of gold's items, in order, and of their labels, each pair once."""
    rows = as_table(gold, "gold", named_in(table))
    if rows is None:
        raise OptionError(not_a("gold", gold, "a file or a data frame"))
    items, names = (
        pd.Index(table[name].cat.categories.astype("str")) for name in ("item", "label")
    )
    item, label = gold_codes(rows, items, names)
    item, label = item[item >= 0], label[item >= 0]
    if not len(item):
        raise nothing_shared(pd.Index(rows["item"].unique()), items)
    pairs = np.unique(item.astype(np.int64) * len(names) + label)
    item, label = np.divmod(pairs, len(names))
    used = np.unique(item[given_truth(fit.data)[item]])
    if len(used):
        raise OptionError(
            f"the fit was given the truth of {len(used):,} of the gold items (such as "
            f"{items[used[0]]!r}), so that they are not like the others; fit without "
            "`gold=`, or give gold labels of other items"
        )
    return item, label


def _ranks(probability: Float[np.ndarray, " N"], seed: int) -> Int[np.ndarray, " N"]:
    """Return the place of each label by falling probability, ties in random order."""
    chance = np.random.default_rng(seed).random(len(probability))
    return np.lexsort((chance, -probability)).argsort()


def _last_rank(
    of_truth: Int[np.ndarray, " G"], num_ranks: int, prob: float, name: str = ""
) -> int:
    """Return the rank up to which labels are in the sets."""
    number, place = len(of_truth), conformal_place(len(of_truth), prob)
    of_label = f" of the label {name}" if name else ""
    if place > number:
        raise DataError(
            f"prob {prob:g} needs gold labels of at least "
            f"{ceil(prob / (1 - prob) - _ROUNDING)} items{of_label} that are "
            f"in the fit, and there are {number}; give more gold labels or a lower "
            "`prob=`"
        )
    last = int(np.partition(of_truth, place - 1)[place - 1])
    if last == num_ranks:
        raise DataError(
            f"the truth of {(of_truth == num_ranks).sum():,} of {number:,} gold "
            f"items{of_label} is not among their candidates, more than a coverage of "
            f"{prob:g} allows; give longer lists of candidates or a lower `prob=`"
        )
    return last


def conformal_place(number: int, prob: float) -> int:
    """Return which of so many sorted scores a further one exceeds seldom enough."""
    return ceil((number + 1) * prob - _ROUNDING)
