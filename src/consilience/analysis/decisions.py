r"""Decisions about labels, given the cost of errors; thresholds; leading questions.

A probability of one half is the right place to cut where each error costs the same,
wherever it happens. The F-measure is not such a loss: a label that is found is worth
the more, the fewer there are. What is expected of it is most where some number of the
most probable labels are called present, and that number is found here, without gold.

**Expected F of calling the most probable labels present, exactly and for all at once.**
With :math:`T` labels truly there, of the `k` that are called present :math:`S`, the
F-measure in which a miss weighs :math:`b` false yeses (:math:`b = \beta^2`) is
:math:`(1 + b) S / (b T + k)`. Of :math:`1/x = \int_0^\infty e^{-xt} dt`, with labels
that are there independently with chances :math:`p_i`,

.. math::

   E\,F_k = (1 + b) \int_0^\infty e^{-(b + k) t}
   \Bigl[ \sum_{i \le k} \frac{p_i}{r_i(t)} \Bigr] \prod_j r_j(t) \, dt,
   \qquad r_i(t) = 1 - p_i + p_i e^{-bt},

and the sum in brackets is a running one. So the F of all `k` take one pass over the
labels, where recursions over the counts take the square of their number.

**The leading question: the odds of a yes where the question suggests it.** The model
`contains` learns how much a similar label that is present raises the odds of a false
yes, and how much more where annotators were not shown that label. The models of
objects, fitted to both tasks in one likelihood, learn how much likelier objects are
endorsed when asked about than named (`consilience.objects.endorsement`).

References
----------
Lewis (1995), section 4: where labels are independent, the best are the most probable
`k`. Ye, Chai, Lee and Chieu (2012), section 3, for the recursion. Waegeman et al.
(2014), On the Bayes-optimality of F-measure maximizers, sections 3 and 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Bool, Float

from consilience.errors import KindError, OptionError, not_among
from consilience.notebook import shown_as
from consilience.posterior import Fit
from consilience.posterior.stored import draws, estimate
from consilience.responses.id_types import restores_types

# The integral is taken evenly in log t, where the integrand is smooth and falls off on
# both sides: to 1e-11 of the smallest scale below, to exp(-40) above.
MIN_NODE, MAX_NODE, STEP = 1e-11, 40.0, 0.2
BLOCK = 10_000  # labels looked at together: some 200 nodes of each, 16 MB
THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
ROUNDING = 1e-9  # a share of 3 in 5 is at least .6


@shown_as("labels", facts=("threshold", "expected_loss"))
@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """Which labels are decided to be present.

    Attributes
    ----------
    labels : pandas.DataFrame
        Columns item, label, probability and present.
    threshold : float
        The smallest probability that is decided as present; NaN if there is none.
    expected_loss : float
        Posterior expectation of the loss. For "errors", the mean cost of an error over
        the labels (a false positive costs 1); for "f1", one minus the F-measure.

    See Also
    --------
    consilience.contains.decide : Make the decision.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="contains", items=20, annotators=6, classes=3, seed=0)
    >>> fit = cs.fit(study.responses, model="contains_states")
    >>> cs.contains.decide(fit).labels.head(1).round(2)
        item   label  probability  present
    0  item0  class1         0.86     True
    """

    labels: pd.DataFrame
    threshold: float
    expected_loss: float


@restores_types
def decide(
    fit: Fit, *, loss: str = "errors", false_negative_cost: float = 1.0
) -> Decision:
    """Decide which labels are present so that the expected loss is smallest.

    Parameters
    ----------
    fit : Fit
        A fit of kind contains.
    loss : {"errors", "f1"}, default "errors"
        "errors" counts false positives and false negatives. "f1" is one minus the
        F-measure of all labels of all items together; its labels are taken to be
        independent given the fit, and labels of equal probability are decided alike.
    false_negative_cost : float, default 1.0
        Cost of a false negative in false positives. For the F-measure it is the square
        of beta: 4 gives F2.

    Returns
    -------
    Decision
        The labels with their decisions, the threshold, and the expected loss.

    Raises
    ------
    OptionError
        If the fit is of another kind, there is no such loss, or `false_negative_cost`
        is not positive.

    See Also
    --------
    filtering : What given thresholds keep and lose.

    References
    ----------
    Lewis (1995), Evaluating and optimizing autonomous text classification systems. Ye,
    Chai, Lee and Chieu (2012), Optimizing F-measures: a tale of two approaches.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="contains", items=20, annotators=6, classes=3, seed=0)
    >>> fit = cs.fit(study.responses, model="contains_states")
    >>> decision = cs.contains.decide(fit, false_negative_cost=5.0)
    >>> round(decision.threshold, 2), round(decision.expected_loss, 2)
    (0.22, 0.46)
    """
    kind = fit.data.attrs["kind"]
    if kind != "contains":
        raise OptionError(
            f"the fit is of kind {kind}; decide is for answers about one label at a "
            "time (kind contains), for other kinds items() gives the best label"
        )
    table = fit.labels()
    chance = table["probability"].to_numpy(dtype=float)
    present, expected = minimise_loss(chance, loss, false_negative_cost)
    return Decision(
        labels=table[["item", "label", "probability"]].assign(present=present),
        threshold=float(chance[present].min()) if present.any() else np.nan,
        expected_loss=expected,
    )


def minimise_loss(
    chance: Float[np.ndarray, " U"], loss: str, false_negative_cost: float
) -> tuple[Bool[np.ndarray, " U"], float]:
    """Return which labels to call present, and the loss to be expected."""
    if not 0 < false_negative_cost < np.inf:
        raise OptionError(
            f"false_negative_cost is {false_negative_cost}; give the cost of a false "
            "negative in false positives, a number above 0"
        )
    if loss == "errors":
        # At equal cost either way, it is called.
        present = false_negative_cost * chance >= 1 - chance
        cost = np.where(present, 1 - chance, false_negative_cost * chance)
        return present, float(cost.mean())
    if loss != "f1":
        raise OptionError(not_among("loss", loss, ("errors", "f1")))
    ranked = np.sort(chance)[::-1]
    value = expected_f(ranked, false_negative_cost)
    # Between equal ones there is no cut.
    apart = np.concatenate([[True], ranked[1:] < ranked[:-1], [True]])
    best = int(np.where(apart, value, -np.inf).argmax())
    least = ranked[best - 1] if best else np.inf
    return chance >= least, float(1 - value[best])


def expected_f(chance: Float[np.ndarray, " U"], miss: float) -> Float[np.ndarray, " V"]:
    """Return the expected F of calling the first 0, 1, ..., U labels present."""
    number = len(chance)
    first = np.log(MIN_NODE / ((1 + miss) * max(number, 1)))
    node = np.exp(np.arange(first, np.log(MAX_NODE / min(miss, 1.0)), STEP))
    faded = np.exp(-miss * node)
    parts = [chance[at : at + BLOCK] for at in range(0, number, BLOCK)]

    def factor(part: Float[np.ndarray, " u"]) -> Float[np.ndarray, "u Q"]:
        value = (1 - part[:, None]) + part[:, None] * faded
        return np.maximum(value, np.finfo(float).tiny)

    rest = sum((np.log(factor(part)).sum(0) for part in parts), np.zeros_like(node))
    values = [np.prod(1 - chance)[None]]
    running, called = np.zeros((1, len(node))), 0
    for part in parts:
        running = running[-1] + np.cumsum(part[:, None] / factor(part), axis=0)
        number_called = called + np.arange(1, len(part) + 1)
        weight = np.exp(rest - (miss + number_called[:, None]) * node)
        values.append((1 + miss) * STEP * (weight * running) @ node)
        called += len(part)
    return np.concatenate(values)


def filtering(
    fit: Fit,
    thresholds: Sequence[float] = THRESHOLDS,
    *,
    by: Literal["votes", "probability"] = "votes",
) -> pd.DataFrame:
    """Compare thresholds by the pairs of item and label that they keep and lose.

    Data sets were made by keeping what a share of the annotators agreed to; this
    estimates how much of it is wrong, and what it loses.

    Parameters
    ----------
    fit : Fit
        A fit of kind contains.
    thresholds : sequence of float
        A pair is kept if `by` is at least the threshold.
    by : {"votes", "probability"}, default "votes"
        The share of answers that are yes, where *maybe* counts half; or the posterior
        probability that the label is present.

    Returns
    -------
    pandas.DataFrame
        Columns threshold, kept (pairs), kept_share, wrong (expected share of the kept
        pairs whose label is absent) and lost (expected share of the present labels that
        are not kept), both with bounds (`wrong_lower` and so on). The intervals have
        the probability of the fit's, with the truths of pairs independent given the
        fit. NaN where nothing is kept or nothing is present.

    Raises
    ------
    OptionError
        If the fit is of another kind, or a threshold is not above 0 and at most 1.

    See Also
    --------
    decide : Choose the threshold that minimizes a loss.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="contains", items=20, annotators=6, classes=3, seed=0)
    >>> fit = cs.fit(study.responses, model="contains_states")
    >>> table = cs.contains.filtering(fit, [0.3, 0.7])
    >>> table[["threshold", "kept", "wrong", "lost"]].round(2)
       threshold  kept  wrong  lost
    0        0.3    14   0.34  0.11
    1        0.7     7   0.14  0.42
    """
    if fit.data.attrs["kind"] != "contains":
        raise OptionError(
            f"the fit is of kind {fit.data.attrs['kind']}; thresholds filter answers "
            "about one label at a time (kind contains)"
        )
    for threshold in thresholds:
        if not 0 < threshold <= 1:
            raise OptionError(f"threshold {threshold} is not above 0 and at most 1")
    present = fit.labels()["probability"].to_numpy(dtype=float)
    if by not in {"votes", "probability"}:
        raise OptionError(not_among("value of `by`", by, ("votes", "probability")))
    value = vote_shares(fit) if by == "votes" else present
    least = np.array(thresholds)[:, None] - ROUNDING
    kept = (value >= least).astype(float)
    number, retained, doubt = kept.sum(1), kept @ present, present * (1 - present)
    there, kept_doubt = present.sum(), kept @ doubt
    lost, lost_doubt = there - retained, doubt.sum() - kept_doubt
    # The delta method, lost and retained being independent.
    spread = np.sqrt(retained**2 * lost_doubt + lost**2 * kept_doubt)
    with np.errstate(invalid="ignore", divide="ignore"):
        estimates = {
            "wrong": ((number - retained) / number, np.sqrt(kept_doubt) / number),
            "lost": (lost / there, spread / there**2),
        }
    columns = {"threshold": list(thresholds), "kept": number.astype(int)}
    columns["kept_share"] = number / len(value)
    reach = NormalDist().inv_cdf((1 + fit.data.attrs["prob"]) / 2)
    for name, (share, error) in estimates.items():
        columns[name] = share
        columns[f"{name}_lower"] = np.clip(share - reach * error, 0, 1)
        columns[f"{name}_upper"] = np.clip(share + reach * error, 0, 1)
    return pd.DataFrame(columns)


def vote_shares(fit: Fit) -> Float[np.ndarray, " U"]:
    """Return the share of yes among the answers about each pair; maybe counts half."""
    observed, constant = fit.data["observed_data"], fit.data["constant_data"]
    words = list(map(str, constant["given_class"].to_numpy()))
    weight = np.array([{"no": 0.0, "maybe": 0.5, "yes": 1.0}[word] for word in words])
    unit, n = observed["item"].to_numpy(), observed["n"].to_numpy()
    units = constant.sizes["item"]
    yes = np.bincount(unit, n * weight[observed["answer"].to_numpy()], units)
    return yes / np.maximum(np.bincount(unit, n, units), 1)


def share_of_yes(fit: Fit) -> pd.Series:
    """Return the shares of yes of the pairs that have answers, by item and label."""
    kind, constant = fit.data.attrs["kind"], fit.data["constant_data"]
    if kind != "contains":
        raise KindError(
            f"the fit is of kind {kind}; shares of yes need answers of kind contains"
        )
    names = [constant[name].to_numpy() for name in ("unit_item", "unit_label")]
    pairs = pd.MultiIndex.from_arrays([pd.Index(each).astype("str") for each in names])
    return pd.Series(vote_shares(fit), pairs)[constant["num_responses"].to_numpy() > 0]


SIMILAR = {
    "context_effect": "a similar label is there",
    "context_effect_not_shown": "and was not shown",
}
SELDOM, OFTEN = "a thing seldom seen", "a thing often seen"
CONTRASTS = {
    "one of several names": "of a thing with several names, against one name",
    "own": "of the data set's own label, against others",
}


def leading_question(fit: Fit) -> pd.DataFrame:
    """Return by how much a leading question raises the odds of a yes.

    Parameters
    ----------
    fit : Fit
        A fit of the model `contains` with similar labels (groups, or `similarity=`), or
        a fit of kind objects and contains together.

    Returns
    -------
    pandas.DataFrame
        Columns contrast, odds_ratio, lower and upper. The bounds are NaN where the
        engine gave no draws.

        For `contains`, the odds of a yes to an absent label, by an annotator with
        discrimination one: *a similar label is there*, and in addition *and was not
        shown*. NaN where all annotators were shown the similar label, or none. For
        objects and contains together, the odds of endorsing an object over those of
        naming it, for objects of low and of high detection probability, with the
        columns detection_probability and endorsement_probability (shares of exhaustive
        responses, and of the annotators who were asked); and what makes a label be
        endorsed more or less.

    Raises
    ------
    OptionError
        If the fit does not estimate the effect.

    See Also
    --------
    co_confusion : Which labels are similar, from classifiers.

    Examples
    --------
    >>> import consilience as cs
    >>> import pandas as pd
    >>> both = {"contains_answers": 4.0}
    >>> study = cs.simulate(
    ...     kind="objects", items=16, annotators=8, classes=6, per_item=4, prior=both
    ... )
    >>> similar = pd.DataFrame({"label": ["class0"], "other_label": ["class1"]})
    >>> fit = cs.fit(study.contains, model="contains", engine="em", similarity=similar)
    >>> cs.contains.leading_question(fit)["contrast"].tolist()
    ['a similar label is there', 'and was not shown']
    """
    if fit.data.attrs["kind"] == "objects":
        return _of_objects(fit.data)
    effects = {name: draws(fit.data, name, ()) for name in SIMILAR}
    estimated = [effect for effect in effects.values() if effect is not None]
    if not estimated:
        raise OptionError(
            "the fit estimates no effect of similar labels; fit the model contains to "
            "items that were asked about similar labels, and name these "
            "(`similarity=`), or give groups of labels"
        )
    nothing = np.full_like(estimated[0], np.nan)
    columns = [nothing if each is None else each for each in effects.values()]
    return _odds_ratios(list(SIMILAR.values()), np.stack(columns, 1), fit.data)


def _odds_ratios(
    names: list[str], effects: np.ndarray, data: xr.DataTree
) -> pd.DataFrame:
    columns = estimate(effects, float(data.attrs["prob"])).columns("odds_ratio")
    ratios = {name: np.exp(column) for name, column in columns.items()}
    return pd.DataFrame({"contrast": names, **ratios})


def _of_objects(data: xr.DataTree) -> pd.DataFrame:
    leading = draws(data, "leading_question", ("detection_level",))
    effects = draws(data, "endorsement", ("endorsement_covariate",))
    if leading is None or effects is None:
        raise OptionError(
            "the fit has no answers of kind contains beside those of kind objects; "
            "give both tasks to the fit (`contains=`)"
        )
    names = [
        str(name) for name in data["posterior"]["endorsement_covariate"].to_numpy()
    ]
    table = _odds_ratios(
        [SELDOM, OFTEN, *(CONTRASTS[name] for name in names[1:])],
        np.concatenate([leading, effects[:, 1:]], axis=1),
        data,
    )
    drawn = draws(data, "endorsement_probability", ("detection_level",))
    endorsement = np.asarray(drawn, float)
    odds = np.log(endorsement) - np.log1p(-endorsement) - leading
    detection, rest = 1 / (1 + np.exp(-odds)), np.full(len(names) - 1, np.nan)
    return table.assign(
        detection_probability=np.append(detection.mean(0), rest),
        endorsement_probability=np.append(endorsement.mean(0), rest),
    )
