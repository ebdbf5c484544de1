r"""Decisions: which labels are present, given the cost of errors; thresholds.

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
from jaxtyping import Bool, Float

from consilience.errors import KindError, OptionError, not_among
from consilience.notebook import shown_as
from consilience.posterior import Fit
from consilience.responses.tables.id_types import restores_types

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
    consilience.decide : Make the decision.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="contains", items=20, annotators=6, classes=3, seed=0)
    >>> fit = cs.fit(study.responses, model="contains_states")
    >>> cs.decide(fit).labels.head(1).round(2)
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
    >>> decision = cs.decide(fit, false_negative_cost=5.0)
    >>> round(decision.threshold, 2), round(decision.expected_loss, 2)
    (0.22, 0.46)
    """
    kind = fit.data.attrs["kind"]
    if kind != "contains":
        msg = (
            f"the fit is of kind {kind}; decide is for answers about one label at a "
            "time (kind contains), for other kinds items() gives the best label"
        )
        raise OptionError(msg)
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
        msg = (
            f"false_negative_cost is {false_negative_cost}; give the cost of a false "
            "negative in false positives, a number above 0"
        )
        raise OptionError(msg)
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
        floored: Float[np.ndarray, "u Q"] = np.maximum(value, np.finfo(float).tiny)
        return floored

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
    >>> table = cs.filtering(fit, [0.3, 0.7])
    >>> table[["threshold", "kept", "wrong", "lost"]].round(2)
       threshold  kept  wrong  lost
    0        0.3    14   0.34  0.11
    1        0.7     7   0.14  0.42
    """
    if fit.data.attrs["kind"] != "contains":
        msg = (
            f"the fit is of kind {fit.data.attrs['kind']}; thresholds filter answers "
            "about one label at a time (kind contains)"
        )
        raise OptionError(msg)
    for threshold in thresholds:
        if not 0 < threshold <= 1:
            msg = f"threshold {threshold} is not above 0 and at most 1"
            raise OptionError(msg)
    present = fit.labels()["probability"].to_numpy(dtype=float)
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
    share: Float[np.ndarray, " U"] = yes / np.maximum(np.bincount(unit, n, units), 1)
    return share


def share_of_yes(fit: Fit) -> pd.Series:
    """Return the shares of yes of the pairs that have answers, by item and label."""
    kind, constant = fit.data.attrs["kind"], fit.data["constant_data"]
    if kind != "contains":
        msg = f"the fit is of kind {kind}; shares of yes need answers of kind contains"
        raise KindError(msg)
    names = [constant[name].to_numpy() for name in ("unit_item", "unit_label")]
    pairs = pd.MultiIndex.from_arrays([pd.Index(each).astype("str") for each in names])
    return pd.Series(vote_shares(fit), pairs)[constant["num_responses"].to_numpy() > 0]
