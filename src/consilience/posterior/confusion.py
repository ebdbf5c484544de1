r"""The table `confusion`: p(answer | truth).

The population is, in each draw, the mean of the annotators' confusions weighted by how
many responses each gave, the anonymous pool among them: how an answer drawn at random
from those given depends on the truth.

**Intervals of annotators are wider where errors are correlated**, as the truth that
annotators are measured by is inferred from their answers. With n answers of an item
whose errors correlate by :math:`\rho`, variances grow by the design effect
:math:`1 + (n - 1) \rho`, here with the residual correlation shrunk towards what is
usual across data sets, and averaged over the items that an annotator answered. Bounds
move away from the estimate by its root, in log-odds.

**Of the annotators together, for the pairs of labels that occur.** With a thousand
labels most of a table of labels by labels is empty. Here a cell is

.. math::

   \hat p_{kl} = \frac{\sum_i q_{ik}\, c_{il}}{\sum_i q_{ik}\, n_i}

with q the posterior of the truth of an item, c how often a label was given for it and n
how many answers it got. Labels may be joined to groups first. Items are the units that
vary, so the variance is that of a ratio over items, to first order, and the truth of an
item is as uncertain as q says:

.. math::

   \hat v_{kl} = \sum_i q_{ik} (c_{il} - \hat p_{kl} n_i)^2
   \Big/ \Big(\sum_i q_{ik} n_i\Big)^2 .

The interval is that of a Beta distribution (`intervals.share_bounds`).

References
----------
Kish (1965), Survey sampling, section 5.4. Cochran (1977), Sampling Techniques, section
6.3. Korn and Graubard (1998), Confidence intervals for proportions with small expected
number of positive counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.errors import OptionError
from consilience.intervals import move_bound, share_bounds
from consilience.posterior.stored import (
    Estimate,
    category,
    confusion_frame,
    draws,
    estimate,
    is_of_classes,
    names,
    stored,
)
from consilience.posterior.truth import candidates
from consilience.truth import Space, answer_slot
from consilience.truth.named import label_groups
from consilience.truth.space import MAX_NUMBERS
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
    owner, shares = np.zeros(0, np.int64), [np.zeros((0, *map(len, labels)))] * 3
    if together is not None:
        owner, shares = np.array([-1]), [part[None] for part in together.parts()]
    if by_annotator is not None:
        people = np.flatnonzero(identified)
        owner = np.append(owner, people)
        both = zip(shares, by_annotator.of(people).parts(), strict=True)
        shares = [np.concatenate(parts) for parts in both]
    return _dense("annotator", owner, names(data, "annotator"), labels, shares)


def _dense(
    of: str,
    owner: Int[np.ndarray, " R"],
    owners: np.ndarray,
    labels: tuple[np.ndarray, np.ndarray],
    shares: Sequence[Float[np.ndarray, "R K L"]],
) -> pd.DataFrame:
    """Return all cells of whole matrices, each of which has an owner."""
    row, true, given = (code.ravel() for code in np.indices(shares[0].shape))
    flat = [share.ravel() for share in shares]
    whose = {of: category(owner[row], owners)}
    return confusion_frame(whose, (true, given), labels, flat)


def sparse_confusion(
    data: xr.DataTree, min_expected: float = MIN_EXPECTED
) -> pd.DataFrame:
    """P(answer | truth) of the annotators together, where some answers are expected."""
    labels = names(data, "true_class")
    table = _counted(data, np.arange(len(labels)), labels)
    return table[table.pop("expected") >= min_expected].reset_index(drop=True)


def confusion_of_label(data: xr.DataTree, label: str) -> pd.DataFrame:
    """P(answer | truth) for one true label and every answer given about it."""
    labels = names(data, "true_class")
    if label not in set(labels):
        raise OptionError(
            f"confusion: there is no label {label!r} among the {len(labels)} labels"
        )
    code = int(np.flatnonzero(labels == label)[0])
    if is_of_classes(data):
        # It needs JAX, which only fits of classes do.
        from consilience.posterior import class_confusion

        return class_confusion.confusion_of_class(data, code)
    table = _counted(data, np.arange(len(labels)), labels, code)
    return table.drop(columns="expected")


def confusion_at_level(data: xr.DataTree, level: int) -> pd.DataFrame:
    """P(group of the answer | group of the truth), some steps up the hierarchy."""
    if data.attrs["kind"] != "choice":
        kept = stored(data, "superclass_confusion")
        if kept is not None and level == 1:
            return kept
        has = "the levels 0 and 1" if kept is not None else "the level 0 alone"
        raise OptionError(
            f"confusion: a fit of kind {data.attrs['kind']} has {has}; other levels of "
            "labels are of kind choice (for main labels, fit the model class_confusion)"
        )
    groups = label_levels(data, level)
    if is_of_classes(data):
        from consilience.posterior import class_confusion

        return class_confusion.confusion_at_level(data, *groups)
    return _counted(data, *groups).drop(columns="expected")


def label_levels(
    data: xr.DataTree, level: int
) -> tuple[Int[np.ndarray, " K"], np.ndarray]:
    """Return the group of each label, some steps up the hierarchy, and their names."""
    constant = data["constant_data"]
    if "superclass" not in constant:
        raise OptionError(
            "confusion: no label has a superclass; read the responses with a table of "
            "labels that has a column parent (`labels=`)"
        )
    labels = names(data, "true_class")
    parent = dict(zip(labels, constant["superclass"].to_numpy(), strict=True))
    group, group_names = label_groups(pd.Index(labels, dtype="str"), parent, level)
    order = np.argsort(group_names.to_numpy(dtype=str), kind="stable")
    return np.argsort(order)[group], group_names.to_numpy(dtype=object)[order]


def group_confusion(data: xr.DataTree) -> pd.DataFrame:
    """P(answer | truth) in each group of labels (contains)."""
    values = draws(data, "group_confusion", ("group", *_CELLS))
    if values is None or "group" not in data["posterior"].coords:
        raise OptionError(
            f"the fit ({data.attrs['model']}) has no groups of labels; fit the "
            "model contains to responses whose labels have a parent"
        )
    interval = estimate(values, float(data.attrs["prob"]))
    groups = data["posterior"]["group"].to_numpy().astype(str).astype(object)
    labels = names(data, "true_class"), names(data, "given_class")
    owner = np.arange(len(groups))
    return _dense("group", owner, groups, labels, interval.parts())


def individual(data: xr.DataTree) -> Estimate | None:
    """Confusion of each annotator."""
    values = draws(data, "confusion", ("annotator", *_CELLS))
    if values is None:
        return None
    effect = annotator_design_effect(data)[:, None, None]
    return widen(estimate(values, float(data.attrs["prob"])), effect)


def population(data: xr.DataTree) -> Estimate | None:
    """Confusion of the annotators together."""
    values = population_draws(data)
    if values is None:
        return None
    effect = float(_shares(data) @ annotator_design_effect(data))
    return widen(estimate(values, float(data.attrs["prob"])), effect)


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
    """Return the design effect of each annotator; one where nothing is correlated.

    Gold labels measure how errors correlate, which is more than answers show.
    """
    constant = data["constant_data"]
    annotators = constant.sizes["annotator"]
    correlation = float(data["truth"].attrs.get("residual_shrunk", 0.0))
    if "gold" in data.children:
        correlation = np.fmax(correlation, data["gold"].attrs["correlation"])
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


def _counted(
    data: xr.DataTree,
    groups: Int[np.ndarray, " K"],
    group_names: np.ndarray,
    only: int | None = None,
) -> pd.DataFrame:
    """Cross the answers with what is believed of the truth, by group of labels."""
    truth, observed = candidates(data), data["observed_data"]
    probable = (truth.state >= 0) & (np.nan_to_num(truth.probability) > _TRACE)
    item, slot = np.nonzero(probable)
    believed = pd.DataFrame(
        {
            "item": item,
            "true": groups[truth.state[item, slot]],
            "chance": truth.probability[item, slot].astype(float),
        }
    )
    answered = pd.DataFrame(
        {
            "item": observed["item"].to_numpy(),
            "given": groups[observed["answer"].to_numpy()],
            "count": observed["n"].to_numpy().astype(float),
        }
    )
    total = np.bincount(answered["item"], answered["count"], len(truth.probability))
    kept = believed["true"] >= 0 if only is None else believed["true"] == only
    believed = believed[kept].groupby(["item", "true"], as_index=False).sum()
    answered = answered[answered["given"] >= 0]
    answered = answered.groupby(["item", "given"], as_index=False).sum()
    believed["total"] = total[believed["item"]]
    # Every group of the truth of an item meets every group that was named for it.
    met = believed.merge(answered, on="item")
    hits = met["chance"] * met["count"]
    met = met.assign(hits=hits, square=hits * met["count"], cross=hits * met["total"])
    cells = met.groupby(["true", "given"])[["hits", "square", "cross"]].sum()
    given = believed["chance"] * believed["total"]
    rows = believed.assign(weight=given, whole=given * believed["total"])
    rows = rows.groupby("true")[["weight", "whole"]].sum()
    cells = cells.reset_index().join(rows, on="true")
    share, weight = cells["hits"] / cells["weight"], cells["weight"].to_numpy()
    variance = cells["square"] - 2 * share * cells["cross"] + share**2 * cells["whole"]
    lower, upper = share_bounds(
        share.to_numpy(),
        variance.to_numpy() / weight**2,
        weight,
        float(data.attrs["prob"]),
    )
    nobody = category(np.full(len(cells), -1), names(data, "annotator"))
    return confusion_frame(
        {"annotator": nobody},
        (cells["true"].to_numpy(), cells["given"].to_numpy()),
        (group_names, group_names),
        (share.to_numpy(), lower, upper),
    ).assign(expected=cells["hits"].to_numpy())


def counted_parameters(
    space: Space, belief: Float[np.ndarray, "U S"]
) -> dict[str, tuple[tuple[str, ...], Float[np.ndarray, ...]]]:
    """Count the confusion of each annotator, for models without: axes and values.

    An annotator who never met a state is given the population's row. Where matrices are
    too large, it is how often an annotator's answer is the truth, where it was listed.
    """
    shape = (space.num_annotators, len(space.states), len(space.answers))
    if prod(shape) > MAX_NUMBERS:
        truth = belief[space.unit, answer_slot(space)] * space.n
        right, answers = (
            np.bincount(space.annotator, weight, space.num_annotators)
            for weight in (truth, space.n)
        )
        return {"accuracy": (("annotator",), right / answers)}
    counts = np.zeros(shape)
    states = np.broadcast_to(space.state, belief.shape)
    for slot in range(states.shape[1]):
        weight = belief[space.unit, slot] * space.n
        at = (space.annotator, states[space.unit, slot], space.answer)
        np.add.at(counts, at, weight)
    uniform = np.full(shape[1:], 1 / shape[2])
    population = _row_shares(counts.sum(0), uniform)
    confusion = _row_shares(counts, np.broadcast_to(population, shape))
    prevalence = np.bincount(states.ravel(), belief.ravel(), shape[1])
    return {
        "prevalence": (("true_class",), prevalence / prevalence.sum()),
        "confusion": (("annotator", *_CELLS), confusion),
    }


def _row_shares(
    counts: Float[np.ndarray, "*rows L"], otherwise: Float[np.ndarray, "*rows L"]
) -> Float[np.ndarray, "*rows L"]:
    """Return the shares of each row; others where a row has no counts."""
    total = counts.sum(-1, keepdims=True)
    return np.divide(counts, total, out=otherwise.copy(), where=total > 0)
