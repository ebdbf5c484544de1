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
from jaxtyping import Float, Int
from scipy.special import logit
from scipy.stats import t

from consilience.analysis.context_effect.estimate import Design, ShiftEstimate, estimate
from consilience.analysis.context_effect.items import leading_of_objects
from consilience.analysis.context_effect.likelihood import Scale, false_yes
from consilience.annotators.contains import MODEL
from consilience.contains.context_labels import Rivals, rivals, share_shown, shown
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
    fit: Fit,
    similarity: Table | None = None,
    *,
    progress: bool | Reporter = False,
) -> pd.DataFrame:
    """Estimate how much a similar label that is present raises the odds of a false yes.

    Parameters
    ----------
    fit : Fit
        A fit of the model `contains`, of annotators with ids, in which items were asked
        about several labels; or a fit of kind objects and contains together (see
        below).
    similarity : data frame or path, optional
        Columns label_a, label_b and, if pairs differ, value: labels that are similar,
        and how much, as `co_confusion` returns them; or a folder of candidates. By
        default the labels of one group, where labels have groups; else those that are
        often asked about together.
    progress : bool or callable, default False
        As for `fit`.

    Returns
    -------
    pandas.DataFrame
        Two rows, for the contrasts *a similar label is there* and *and was not shown*:
        odds_ratio of one annotator and one pair, lower and upper; average_odds_ratio,
        average_lower and average_upper, of the rates of false yes over all pairs
        (rate_without, rate_with); answers (expected number about absent labels whose
        similar label is present; in the second row those that were not shown it) and
        items. NaN where the data cannot show the effect: all were shown the similar
        label, or none.

        For objects and contains together, how much more likely objects are endorsed
        than named: columns contrast, odds_ratio, lower, upper, seen and granted (shares
        of exhaustive responses, and of the annotators who were asked), for objects of
        low and high detection probability, and what makes a label be endorsed more or
        less.

    Raises
    ------
    OptionError
        If the fit is of another model, or no label has a similar one in its item.
    CandidatesError
        If the table of similar labels is not valid.

    See Also
    --------
    co_confusion : Which labels are similar, from classifiers.

    Examples
    --------
    >>> import consilience as cs
    >>> import pandas as pd
    >>> study = cs.simulate(
    ...     kind="objects", items=16, annotators=8, classes=6, per_item=4,
    ...     prior={"asked": 4.0}, seed=0,
    ... )
    >>> fit = cs.fit(study.contains, model="contains", engine="em")
    >>> similar = pd.DataFrame({"label_a": ["class0"], "label_b": ["class1"]})
    >>> table = cs.leading_question(fit, similar)
    >>> table["contrast"].tolist()
    ['a similar label is there', 'and was not shown']
    """
    name = fit.data.attrs["model"]
    if fit.data.attrs["kind"] == "objects" and similarity is None:
        return leading_of_objects(fit.data)
    if name != "contains":
        msg = f"the fit is of the model {name}; fit the model contains to the responses"
        raise OptionError(msg)
    space = restored_contains(fit.data)
    similar = rivals(space, as_similarity(similarity, space.unit_label))
    if not len(similar.first):
        msg = (
            "no item was asked about two similar labels; give pairs of similar labels "
            "(`similarity=`), or groups of labels"
        )
        raise OptionError(msg)
    with jax.enable_x64(True), reporter(progress) as report:  # noqa: FBT003 (JAX's way)
        units, place = np.unique([similar.first, similar.second], return_inverse=True)
        scale, prior = _fitted_scale(fit, some_units(space, units))
        odds = prior[place.reshape(2, -1).T]
        design = _design(space, similar, odds)
        fitted = estimate(scale, design, report)
        rows = [
            _row(scale, design, fitted, name, float(fit.data.attrs["mass"]))
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
    component = appearances(pairs, answer_tables(parameters), parameters).hump
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
    scale: Scale, design: Design, fitted: ShiftEstimate, name: str, mass: float
) -> dict[str, str | float]:
    nothing = np.full(8, np.nan)
    if name not in design.names:
        return _table_row(name, nothing, 0.0, 0)
    at = design.names.index(name)
    clusters = min(len(np.unique(design.item)), len(np.unique(design.annotator)))
    reach = t.ppf((1 + mass) / 2, max(clusters - 1, 1))
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
