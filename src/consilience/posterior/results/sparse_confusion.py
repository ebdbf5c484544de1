r"""Confusion of the annotators together, for the pairs of labels that occur.

With a thousand labels most of a table of labels by labels is empty. Here a cell is

.. math::

   \hat p_{kl} = \frac{\sum_i q_{ik}\, c_{il}}{\sum_i q_{ik}\, n_i}

with q the posterior of the truth of an item, c how often a label was given for it and n
how many answers it got: of the answers about items whose truth is k, the share that say
l. It is that of the lists as they were shown. Labels may be joined to groups first.

Items are the units that vary, so the variance is that of a ratio over items, to first
order, and the truth of an item is as uncertain as q says:

.. math::

   \hat v_{kl} = \sum_i q_{ik} (c_{il} - \hat p_{kl} n_i)^2
   \Big/ \Big(\sum_i q_{ik} n_i\Big)^2 .

The interval is that of a Beta distribution after as many answers as would leave that
variance if they were independent, and half an answer of each kind (Jeffreys).

References
----------
Cochran (1977), Sampling Techniques, section 6.3. Korn and Graubard (1998), Confidence
intervals for proportions with small expected number of positive counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.errors import OptionError
from consilience.intervals import share_bounds
from consilience.posterior.results.frames import category, names
from consilience.posterior.results.labels import candidates
from consilience.ragged import places_within
from consilience.truth.named import label_groups
from consilience.when_used import xr

MIN_EXPECTED = 0.5  # answers expected in a cell that is worth a row
_TRACE = 1e-6  # a state less probable than this adds nothing that can be seen


def sparse_confusion(
    data: xr.DataTree, min_expected: float = MIN_EXPECTED
) -> pd.DataFrame:
    """P(answer | truth) of the annotators together, where some answers are expected."""
    labels = names(data, "true_class")
    table = _table(data, np.arange(len(labels)), labels)
    return table[table.pop("expected") >= min_expected].reset_index(drop=True)


def confusion_of_label(data: xr.DataTree, label: int) -> pd.DataFrame:
    """P(answer | truth) for one true label and every answer given about it."""
    labels = names(data, "true_class")
    return _table(data, np.arange(len(labels)), labels, label).drop(columns="expected")


def confusion_of_groups(
    data: xr.DataTree, group: Int[np.ndarray, " K"], group_names: np.ndarray
) -> pd.DataFrame:
    """P(group of the answer | group of the truth)."""
    return _table(data, group, group_names).drop(columns="expected")


def label_levels(
    data: xr.DataTree, level: int
) -> tuple[Int[np.ndarray, " K"], np.ndarray]:
    """Return the group of each label, some steps up the hierarchy, and their names."""
    constant = data["constant_data"]
    if "superclass" not in constant:
        msg = (
            "confusion: no label has a superclass; read the responses with a table of "
            "labels that has a column parent (`labels=`)"
        )
        raise OptionError(msg)
    labels = names(data, "true_class")
    parent = dict(zip(labels, constant["superclass"].to_numpy(), strict=True))
    group, group_names = label_groups(pd.Index(labels, dtype="str"), parent, level)
    order = np.argsort(group_names.to_numpy(dtype=str), kind="stable")
    return np.argsort(order)[group], group_names.to_numpy(dtype=object)[order]


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """A sparse table of items by groups: rows in order, each cell once."""

    item: Int[np.ndarray, " M"]
    group: Int[np.ndarray, " M"]
    value: Float[np.ndarray, " M"]


def _table(
    data: xr.DataTree,
    groups: Int[np.ndarray, " K"],
    group_names: np.ndarray,
    only: int | None = None,
) -> pd.DataFrame:
    number = len(group_names)
    believed = _beliefs(data, groups, number, only)
    answers, answered = _answers(data, groups, number)
    # Every group of the truth of an item meets every group that was named for it.
    times = np.bincount(answered.item, minlength=len(answers))
    start = np.cumsum(times) - times
    repeat = times[believed.item]
    left = np.repeat(np.arange(len(believed.item)), repeat)
    within = places_within(repeat)
    right = start[believed.item[left]] + within
    chance, count = believed.value[left], answered.value[right]
    code = believed.group[left] * number + answered.group[right]
    total = answers[believed.item[left]]
    cells, place = np.unique(code, return_inverse=True)
    given, square, cross = (
        np.bincount(place, chance * part, len(cells))
        for part in (count, count**2, count * total)
    )
    true, answer = np.divmod(cells, number)
    of_item = answers[believed.item]
    weight, whole = (
        np.bincount(believed.group, believed.value * of_item**power, number)[true]
        for power in (1, 2)
    )
    share = given / weight
    variance = (square - 2 * share * cross + share**2 * whole) / weight**2
    lower, upper = share_bounds(share, variance, weight, float(data.attrs["prob"]))
    return pd.DataFrame(
        {
            "annotator": category(np.full(len(cells), -1), names(data, "annotator")),
            "true_label": category(true, group_names),
            "given_label": category(answer, group_names),
            "probability": share,
            "lower": lower,
            "upper": upper,
            "expected": given,
        }
    )


def _beliefs(
    data: xr.DataTree, groups: Int[np.ndarray, " K"], number: int, only: int | None
) -> _Cells:
    truth = candidates(data)
    probable = (truth.state >= 0) & (np.nan_to_num(truth.probability) > _TRACE)
    item, slot = np.nonzero(probable)
    group = groups[truth.state[item, slot]]
    kept = group >= 0 if only is None else group == only
    value = truth.probability[item, slot]
    return _sum_cells(item[kept], group[kept], value[kept], number)


def _answers(
    data: xr.DataTree, groups: Int[np.ndarray, " K"], number: int
) -> tuple[Float[np.ndarray, " U"], _Cells]:
    """Return how many answers each item got, and how many of each group."""
    observed = data["observed_data"]
    item, answer, n = (
        observed[name].to_numpy().astype(np.int64) for name in ("item", "answer", "n")
    )
    total = np.bincount(item, n, data["truth"].sizes["item"])
    group = groups[answer]
    kept = group >= 0
    cells = _sum_cells(item[kept], group[kept], n[kept].astype(float), number)
    return total, cells


def _sum_cells(
    item: Int[np.ndarray, " M"],
    group: Int[np.ndarray, " M"],
    value: Float[np.ndarray, " M"],
    number: int,
) -> _Cells:
    codes, place = np.unique(item * number + group, return_inverse=True)
    item, group = np.divmod(codes, number)
    return _Cells(item, group, np.bincount(place, value, len(codes)))
