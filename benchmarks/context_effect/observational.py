r"""The leading question: how much a similar label raises the odds of a false *yes*.

Who is asked *is there a husky?* may say yes to a malamute, and all the sooner if nobody
has asked them about malamutes. Two odds ratios measure the effect: of saying yes to a
label that is not there where a similar one, its *rival*, is; and where the rival was
not shown besides. Which labels are there need not be known: it is summed out, of the
two together (see `leading_likelihood`).

An item of which not all labels were shown together may differ from others. So the share
of the item's labels that was shown is allowed for, whether or not a rival is there, as
are the covariates of the fit and how similar the rival is; and a rival makes the label
itself more or less likely to be there, by as much as the answers say. What is left is a
comparison of answers, not an experiment, unless chance decided who was shown what.

Annotators and mixture components are those of the fit; one that was not given which
labels are similar lays a part of the effect to them. Where they are known, the
estimates are right on average. Errors are clustered by item and by annotator.

References
----------
Cameron, Gelbach and Miller (2011), Robust inference with multiway clustering, section
2. Zeger, Liang and Albert (1988), section 2, on odds ratios of one and on average.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy.special import logit
from scipy.stats import t

from benchmarks.context_effect.estimate import Design, ShiftEstimate, estimate
from benchmarks.context_effect.likelihood import Scale, false_yes
from consilience.annotators.contains import MODEL
from consilience.contains.context_labels import Rivals, rivals
from consilience.contains.item_label_pairs import Pairs
from consilience.contains.label_kinds import Kind, appearances, item_nodes
from consilience.contains.latent_trait import answer_tables, log_odds
from consilience.errors import OptionError
from consilience.fitting.inputs import Table, as_similarity, reporter
from consilience.model import lay_out, parameters_from_draw
from consilience.posterior import Fit
from consilience.posterior.stored_fit.restored import restored_contains
from consilience.progress import Reporter
from consilience.truth import ContainsSpace
from consilience.truth.parts import some_units

THERE, APART = "a similar label is there", "and was not shown"


def leading_question(
    fit: Fit, similarity: Table, *, progress: bool | Reporter = False
) -> pd.DataFrame:
    """Estimate how much a similar label that is present raises the odds of a false yes.

    Parameters
    ----------
    fit
        A fit of the model `contains`, of annotators with ids, in which items were asked
        about several labels.
    similarity
        Columns label_a, label_b and, if pairs differ, value.
    progress
        As for `fit`.

    Returns
    -------
    Two rows, for the contrasts *a similar label is there* and *and was not shown*:
    odds_ratio of one annotator and one pair, lower and upper; average_odds_ratio,
    average_lower and average_upper, of the rates of false yes over all pairs
    (rate_without, rate_with); answers (expected number about absent labels whose
    similar label is present; in the second row those that were not shown it) and
    items. NaN where the data cannot show the effect: all were shown the similar label,
    or none.
    """
    name = fit.data.attrs["model"]
    if name != "contains":
        msg = f"the fit is of the model {name}; fit the model contains to the responses"
        raise OptionError(msg)
    space = restored_contains(fit.data)
    similar = rivals(space, as_similarity(similarity, space.unit_label))
    if not len(similar.first):
        msg = "no item was asked about two similar labels"
        raise OptionError(msg)
    with jax.enable_x64(True), reporter(progress) as report:  # noqa: FBT003 (JAX's way)
        units, place = np.unique([similar.first, similar.second], return_inverse=True)
        scale, prior = _fitted_scale(fit, some_units(space, units))
        odds = prior[place.reshape(2, -1).T]
        design = _design(space, similar, odds)
        fitted = estimate(scale, design, report)
        rows = [
            _row(scale, design, fitted, name, float(fit.data.attrs["prob"]))
            for name in (THERE, APART)
        ]
    return pd.DataFrame(rows)


def _fitted_scale(
    fit: Fit, space: ContainsSpace
) -> tuple[Scale, Float[np.ndarray, " U"]]:
    """Return annotators, mixture components and the prior log-odds of presence.

    Components are those of labels that no other label leads, averaged over items.
    """
    values = {
        str(name): variable.to_numpy().astype(float).mean((0, 1))
        for name, variable in fit.data["posterior"].data_vars.items()
    }
    observations = lay_out(MODEL, space)
    parameters = parameters_from_draw(MODEL, observations, values)
    pairs: Pairs = observations.layout
    low, high = log_odds(parameters)
    component = appearances(pairs, answer_tables(parameters), parameters).component
    weight = np.exp(item_nodes(pairs)[1])[:, None]
    absent, present = (
        jnp.log((weight * component[:, kind]).sum(1)) for kind in (Kind.ABSENT, -1)
    )
    lapse = jax.nn.sigmoid(parameters["lapse"])
    odds = (pairs.by_place @ parameters["odds"].reshape(-1, 1))[:, 0]
    return Scale(low, high, lapse, absent, present), np.asarray(odds)


def _design(
    space: ContainsSpace, similar: Rivals, odds: Float[np.ndarray, "E 2"]
) -> Design:
    sides = np.stack([similar.first, similar.second], 1).ravel()
    start = np.searchsorted(space.unit, np.arange(space.num_units + 1))
    number = (start[1:] - start[:-1])[sides]
    side = np.repeat(np.arange(len(sides)), number)
    within = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
    at = start[sides][side] + within
    group = space.groups.code
    both, led = _shifts(space, similar, at, side)
    names = (*both, *led, "share", "together")
    shifts = np.stack([*both.values(), *led.values()], 1)
    shifts = np.pad(shifts, [(0, 0), (0, 2)])
    return Design(
        names=names,
        side=side,
        annotator=space.annotator[at],
        group=group[space.unit[at]],
        answer=space.answer[at],
        n=space.n[at],
        item=pd.factorize(space.unit_item[similar.first])[0],
        odds=odds,
        side_group=group[sides].reshape(-1, 2),
        without=shifts * np.array([name in both for name in names]),
        with_rival=shifts,
    )


def _shifts(
    space: ContainsSpace,
    similar: Rivals,
    at: Int[np.ndarray, " N"],
    side: Int[np.ndarray, " N"],
) -> tuple[dict[str, Float[np.ndarray, " N"]], dict[str, Float[np.ndarray, " N"]]]:
    """Return what may shift an answer in any case, and where the rival is there."""
    both: dict[str, Float[np.ndarray, " N"]] = {"base": np.ones(len(at))}
    partly = 1 - share_shown(space)[at]
    if np.ptp(partly) > 0:
        both["partly"] = partly
    columns = space.covariates.value[space.unit[at]].T
    both.update(
        (f"covariate {name}", column)
        for name, column in zip(space.covariates.names, columns, strict=True)
    )
    led = {THERE: np.ones(len(at))}
    if np.ptp(similar.alike) > 0:
        closeness = np.log(similar.alike)
        led["alike"] = (closeness - closeness.mean())[side // 2]
    others = np.stack([similar.second, similar.first], 1).ravel()
    apart = ~shown(space, others[side], space.annotator[at])
    if apart.any() and not apart.all():
        led[APART] = apart.astype(float)
    return both, led


def _row(
    scale: Scale, design: Design, fitted: ShiftEstimate, name: str, prob: float
) -> dict[str, str | float]:
    nothing = np.full(8, np.nan)
    if name not in design.names:
        return _table_row(name, nothing, 0.0, 0)
    at = design.names.index(name)
    clusters = min(len(np.unique(design.item)), len(np.unique(design.annotator)))
    reach = t.ppf((1 + prob) / 2, max(clusters - 1, 1))
    alone = np.eye(len(fitted.theta))[at]
    near = fitted.theta[at] + reach * fitted.error(alone) * _SIDES
    weight = fitted.led.ravel()[design.side] * design.n
    away, after = (design.with_rival.copy() for _ in range(2))
    if name == THERE:
        away = design.without
    else:
        away[:, at] = 0
    after[:, at] = 1
    if name == THERE and APART in design.names:
        after[:, design.names.index(APART)] = 0
    rates, slopes = zip(
        *(
            _rate(scale, design, columns, fitted.theta, weight)
            for columns in (away, after)
        ),
        strict=True,
    )
    apart = float(logit(rates[1]) - logit(rates[0]))
    error = fitted.error(slopes[1] - slopes[0])
    average = apart + reach * error * _SIDES
    there = weight * (design.with_rival[:, at] > 0)
    items = len(np.unique(design.item_of_answer[there > 0]))
    values = np.concatenate([np.exp(near), np.exp(average), rates])
    return _table_row(name, values, float(there.sum()), items)


_SIDES = np.array([0.0, -1.0, 1.0])


def _table_row(
    name: str, values: Float[np.ndarray, " 8"], answers: float, items: int
) -> dict[str, str | float]:
    columns = (
        *("odds_ratio", "lower", "upper"),
        *("average_odds_ratio", "average_lower", "average_upper"),
        *("rate_without", "rate_with"),
    )
    row = dict(zip(columns, values.tolist(), strict=True))
    return {"contrast": name, **row, "answers": answers, "items": items}


def _rate(
    scale: Scale,
    design: Design,
    columns: Float[np.ndarray, "N P"],
    theta: Float[np.ndarray, " P"],
    weight: Float[np.ndarray, " N"],
) -> tuple[float, Float[np.ndarray, " P"]]:
    """Return the mean rate of false yeses, and the slope of its log-odds in theta."""
    rate, rise = false_yes(scale, design.annotator, design.group, columns @ theta)
    share = weight / weight.sum()
    mean = float(share @ np.asarray(rate))
    slope: Float[np.ndarray, " P"] = (share * np.asarray(rise)) @ columns
    return mean, slope / (mean * (1 - mean))


def shown(
    space: ContainsSpace, unit: Int[np.ndarray, " N"], annotator: Int[np.ndarray, " N"]
) -> Bool[np.ndarray, " N"]:
    """Return whether each annotator was asked about that pair of item and label."""
    width = space.num_annotators
    pairs = np.unique(space.unit.astype(np.int64) * width + space.annotator)
    sought = unit.astype(np.int64) * width + annotator
    position = np.minimum(np.searchsorted(pairs, sought), len(pairs) - 1)
    return np.asarray(pairs[position] == sought)


def share_shown(space: ContainsSpace) -> Float[np.ndarray, " N"]:
    """Return the share of the labels of the item that each answer's annotator saw."""
    item, names = pd.factorize(space.unit_item)
    width = space.num_annotators
    both = item[space.unit].astype(np.int64) * width + space.annotator
    pairs = np.unique(space.unit.astype(np.int64) * width + space.annotator)
    saw = item[pairs // width].astype(np.int64) * width + pairs % width
    number = np.bincount(saw, minlength=len(names) * width)
    there = np.bincount(item, minlength=len(names))
    share: Float[np.ndarray, " N"] = number[both] / there[item[space.unit]]
    return share
