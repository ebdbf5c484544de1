r"""The table `confusion`: p(answer | truth).

The rows without an annotator are the population: in each draw, the mean of the
annotators' confusions weighted by how many responses each gave, the anonymous pool
among them. It is how an answer drawn at random from those given depends on the truth.

**By how much intervals of annotators are wider since errors are correlated.** The truth
that annotators are measured by is inferred from their answers. With n answers of an
item whose errors correlate by :math:`\rho`, variances grow by the design effect
:math:`1 + (n - 1) \rho` (Kish 1965, section 5.4), here with the residual correlation
shrunk towards what is usual across data sets, and averaged over the items that an
annotator answered. Bounds move away from the estimate by its root, in log-odds.

**Of the annotators together, for the pairs of labels that occur.** With a thousand
labels most of a table of labels by labels is empty. Here a cell is

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
from consilience.intervals import move_bound, share_bounds
from consilience.posterior.results.frames import category, confusion_frame, names
from consilience.posterior.results.labels import candidates
from consilience.posterior.stored_fit.restored import (
    Estimate,
    check_kept,
    draws,
    estimate,
    stored,
)
from consilience.ragged import places_within
from consilience.truth.named import label_groups
from consilience.when_used import xr

_CELLS = ("true_class", "given_class")
MIN_EXPECTED = 0.5  # answers expected in a cell that is worth a row
_TRACE = 1e-6  # a state less probable than this adds nothing that can be seen


def confusion(data: xr.DataTree) -> pd.DataFrame:
    """P(answer | truth) of the population and of each annotator with an id."""
    kept = stored(data, "confusion")
    if kept is not None:
        return kept
    together, by_annotator = population(data), individual(data)
    if together is None and data.attrs["kind"] == "choice":
        return sparse_confusion(data)
    identified = data["constant_data"]["annotator_identified"].to_numpy().astype(bool)
    labels = names(data, "true_class"), names(data, "given_class")
    owners = [np.zeros(0, np.int64)]
    blocks = [[np.zeros((0, *map(len, labels)))] * 3]
    if together is not None:
        owners.append(np.array([-1]))
        blocks.append([part[None] for part in together.parts()])
    if by_annotator is not None:
        owners.append(np.flatnonzero(identified))
        blocks.append([part[identified] for part in by_annotator.parts()])
    owner = np.concatenate(owners)
    shares = [np.concatenate(parts) for parts in zip(*blocks, strict=True)]
    row, true, given = (code.ravel() for code in np.indices(shares[0].shape))
    return confusion_frame(
        {"annotator": category(owner[row], names(data, "annotator"))},
        (true, given),
        labels,
        [share.ravel() for share in shares],
    )


def sparse_confusion(
    data: xr.DataTree, min_expected: float = MIN_EXPECTED
) -> pd.DataFrame:
    """P(answer | truth) of the annotators together, where some answers are expected."""
    labels = names(data, "true_class")
    table = _table(data, np.arange(len(labels)), labels)
    return table[table.pop("expected") >= min_expected].reset_index(drop=True)


def confusion_of_label(data: xr.DataTree, label: str) -> pd.DataFrame:
    """P(answer | truth) for one true label and every answer given about it."""
    labels = names(data, "true_class")
    if label not in set(labels):
        msg = f"confusion: there is no label {label!r} among the {len(labels)} labels"
        raise OptionError(msg)
    code = int(np.flatnonzero(labels == label)[0])
    if not is_of_classes(data):
        table = _table(data, np.arange(len(labels)), labels, code)
        return table.drop(columns="expected")
    # It needs JAX, which only fits of classes do.
    from consilience.posterior.results import class_confusion  # noqa: PLC0415

    return class_confusion.confusion_of_class(data, code)


def confusion_at_level(data: xr.DataTree, level: int) -> pd.DataFrame:
    """P(group of the answer | group of the truth), some steps up the hierarchy."""
    if data.attrs["kind"] != "choice":
        kept = stored(data, "superclass_confusion")
        if kept is not None and level == 1:
            return kept
        has = "the levels 0 and 1" if kept is not None else "the level 0 alone"
        msg = (
            f"confusion: a fit of kind {data.attrs['kind']} has {has}; other levels of "
            "labels are of kind choice (for main labels, fit the model class_confusion)"
        )
        raise OptionError(msg)
    group, group_names = label_levels(data, level)
    if not is_of_classes(data):
        return _table(data, group, group_names).drop(columns="expected")
    from consilience.posterior.results import class_confusion  # noqa: PLC0415

    return class_confusion.confusion_at_level(data, group, group_names)


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


def is_of_classes(data: xr.DataTree) -> bool:
    """Return whether a fit is of a model of classes."""
    return "posterior" in data.children and "own_label_odds" in data["posterior"]


def group_confusion(data: xr.DataTree) -> pd.DataFrame:
    """P(answer | truth) in each group of labels (contains)."""
    values = draws(data, "group_confusion", ("group", *_CELLS))
    if values is None:
        msg = (
            f"the fit ({data.attrs['model']}) has no groups of labels; fit the "
            "model contains to responses whose labels have a parent"
        )
        raise OptionError(msg)
    interval = estimate(values, float(data.attrs["prob"]))
    group, true_code, given_code = (
        part.ravel() for part in np.indices(values.shape[1:])
    )
    groups = data["posterior"]["group"].to_numpy().astype(str).astype(object)
    return confusion_frame(
        {"group": category(group, groups)},
        (true_code, given_code),
        (names(data, "true_class"), names(data, "given_class")),
        [part.ravel() for part in interval.parts()],
    )


def individual(data: xr.DataTree) -> Estimate | None:
    """Confusion of each annotator."""
    values = draws(data, "confusion", ("annotator", *_CELLS))
    effect = annotator_design_effect(data)[:, None, None]
    if values is not None:
        return widen(estimate(values, float(data.attrs["prob"])), effect)
    if "summary" not in data.children or "confusion_mean" not in data["summary"]:
        return None
    check_kept(data, "the confusion of annotators")
    mean, lower, upper = (
        data["summary"][f"confusion_{part}"]
        .transpose("annotator", *_CELLS)
        .to_numpy()
        .astype(np.float64)
        for part in ("mean", "lower", "upper")
    )
    return widen(Estimate(mean=mean, lower=lower, upper=upper), effect)


def population(data: xr.DataTree) -> Estimate | None:
    """Confusion of the annotators together."""
    values = population_draws(data)
    if values is not None:
        effect = float(_shares(data) @ annotator_design_effect(data))
        return widen(estimate(values, float(data.attrs["prob"])), effect)
    by_annotator = individual(data)
    if by_annotator is None:
        return None
    mean = np.einsum("j,jkl->kl", _shares(data), by_annotator.mean)
    unknown = np.full_like(mean, np.nan)
    return Estimate(mean=mean, lower=unknown, upper=unknown)


def population_draws(data: xr.DataTree) -> Float[np.ndarray, "S K L"] | None:
    """Draws of the annotators' confusion together."""
    shared = draws(data, "confusion", _CELLS)
    if shared is not None:
        return shared
    values = draws(data, "confusion", ("annotator", *_CELLS))
    if values is None:
        return None
    num_draws, num_annotators, *cells = values.shape
    # A product of matrices reads the draws where they lie; einsum would copy them.
    together = np.matmul(
        _shares(data).astype(values.dtype),
        values.reshape(num_draws, num_annotators, -1),
    )
    return np.asarray(together.reshape(num_draws, *cells))


def _shares(data: xr.DataTree) -> Float[np.ndarray, " J"]:
    """Each annotator's share of the responses; equal when there are none at all."""
    responses = data["constant_data"]["annotator_responses"].to_numpy()
    total = responses.sum()
    if total == 0:
        return np.full(len(responses), 1 / max(1, len(responses)))
    return np.asarray(responses / total)


def annotator_design_effect(data: xr.DataTree) -> Float[np.ndarray, " J"]:
    """Return the design effect of each annotator; one where nothing is correlated."""
    constant = data["constant_data"]
    annotators = constant.sizes["annotator"]
    correlation = float(data["truth"].attrs.get("residual_shrunk", 0.0))
    if not correlation > 0:
        return np.ones(annotators)
    observed = data["observed_data"]
    others = constant["num_responses"].to_numpy()[observed["item"].to_numpy()] - 1.0
    who, n = observed["annotator"].to_numpy(), observed["n"].to_numpy()
    total = np.bincount(who, n * np.maximum(others, 0.0), annotators)
    answers = np.maximum(np.bincount(who, n, annotators), 1)
    return 1 + correlation * total / answers


def widen(
    estimate: Estimate, design_effect: Float[np.ndarray, "#*shape"] | float
) -> Estimate:
    """Return an estimate of probabilities with bounds as of fewer answers."""
    if np.all(np.asarray(design_effect) == 1):
        return estimate
    factor = np.broadcast_to(np.sqrt(design_effect), estimate.mean.shape)
    lower, upper = (
        move_bound(bound, estimate.mean, estimate.mean, factor)
        for bound in (estimate.lower, estimate.upper)
    )
    return Estimate(mean=estimate.mean, lower=lower, upper=upper)


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
    nobody = category(np.full(len(cells), -1), names(data, "annotator"))
    return confusion_frame(
        {"annotator": nobody},
        (true, answer),
        (group_names, group_names),
        (share, lower, upper),
    ).assign(expected=given)


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
