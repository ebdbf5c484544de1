r"""Drift: annotators whose answers get better or worse in the order they were given.

An answer is right with the probability that the truth, as believed without it, agrees
with it; the annotator's confusion says how probable that was. What is left over is
regressed on the place of the answer in the order of that annotator's, from -1 for the
first to 1 for the last. A change b, whose standard error s shows from what the line
leaves, is weighed by how probable b is if there is a change (normal, standard deviation
.25) and if there is none; a priori one annotator in twenty changes.
"""

from __future__ import annotations

import json
from statistics import NormalDist

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from consilience.errors import OptionError
from consilience.posterior.annotators import skills
from consilience.posterior.fit import Fit
from consilience.posterior.flags import Answers, Flag, flags, with_flags
from consilience.posterior.loading import check_responses
from consilience.posterior.stored import category
from consilience.responses import Responses
from consilience.responses.id_types import restored, restores_types
from consilience.when_used import special

DRIFTS = "drifts"
TIME = "created_at"  # of an answer, where the source tells
_RARE = 0.05  # share of annotators who change, a priori
_CHANGE = 0.25  # standard deviation of half a change, where there is one
_FEW = 20  # answers that a change is looked for in
_LEAST = 0.01  # of what varies in an answer being right
_USUAL = 20.0  # answers that the usual variance of one is worth
# Probability of a change from which it is a flag. In 50 simulated crowds, whose items
# differ in difficulty and tempt to a wrong label, .8 % of annotators who do not change
# had it, and of those who fall from .75 to .25 within 90 answers 5 of 6 by `auto`.
_FLAGGED = 0.2


@restores_types
def drift(fit: Fit, responses: Responses) -> pd.DataFrame:
    """Return how the answers of each annotator change in the order they were given.

    The order is that of the times of the answers, where the responses have them
    (`created_at`, as labelling tools export it), else that of the rows.

    Parameters
    ----------
    fit : Fit
        A fit of kind choice or contains.
    responses : Responses
        The responses that were fitted.

    Returns
    -------
    pandas.DataFrame
        Columns annotator, responses, change (of the share of right answers, from the
        first to the last), lower and upper, and flag_probability, that of a
        change. Annotators of fewer than twenty answers are left out.

    Raises
    ------
    OptionError
        If the fit is of another kind, or was fitted to other responses.

    See Also
    --------
    Fit.table : The table annotators has what else is noticed of them.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> responses = study(0, num_photos=60).responses()
    >>> fit = cs.fit(responses, model="hierarchical_dawid_skene")
    >>> cs.analysis.drift(fit, responses)[["annotator", "responses"]].head(2)
      annotator  responses
    0      Hugo         20
    1       Ben         25
    """
    check_responses(fit, responses)
    answers = Answers.of(fit.data) if "observed_data" in fit.data.children else None
    if fit.data.attrs["kind"] == "objects" or answers is None:
        raise OptionError(
            "drift: the fit is of kind objects, or too large; fit choice or contains"
        )
    place = _places(answers, _order(fit, answers, responses))
    right, expected = _right(answers)
    people = len(answers.annotators)

    def total(values: Float[np.ndarray, " N"]) -> Float[np.ndarray, " J"]:
        return np.bincount(answers.annotator, values, people)

    def share_right(part: Bool[np.ndarray, " N"]) -> Float[np.ndarray, " J"]:
        return total(right * part) / np.maximum(total(1.0 * part), 1)

    number = total(np.ones(len(place)))
    excess = right - expected
    excess = excess - (total(excess) / np.maximum(number, 1))[answers.annotator]
    spread = np.maximum(total(place**2), _LEAST)
    slope = total(place * excess) / spread
    # A belief varies less than right or wrong does: what is left over says how much.
    rest = total((excess - slope[answers.annotator] * place) ** 2)
    usual = total(expected * (1 - expected)) / np.maximum(number, 1)
    variance = (rest + _USUAL * usual) / np.maximum(number - 2 + _USUAL, 1)
    error = np.sqrt(np.maximum(variance, _LEAST) / spread)
    wider = np.hypot(error, _CHANGE)  # of the slope, where there is a change
    gain = np.log(error / wider) + (1 / error**2 - 1 / wider**2) * slope**2 / 2
    far = NormalDist().inv_cdf((1 + float(fit.data.attrs["prob"])) / 2) * error
    shown = np.flatnonzero(number >= _FEW)
    table = pd.DataFrame(
        {
            "annotator": category(shown, answers.annotators),
            "responses": number[shown].astype(np.int64),
            "change": 2 * slope[shown],
            "lower": 2 * (slope - far)[shown],
            "upper": 2 * (slope + far)[shown],
            "flag_probability": special.expit(gain + special.logit(_RARE))[shown],
            "first": share_right(place < -1 / 3)[shown],
            "last": share_right(place > 1 / 3)[shown],
        }
    )
    return table.sort_values(
        "flag_probability", ascending=False, kind="stable", ignore_index=True
    )


def annotators_in_time(fit: Fit, responses: Responses) -> pd.DataFrame:
    """Return the table of annotators with all flags, drift among them."""
    noticed = flags(fit.data)
    changed = drift(fit, responses)
    for row in changed[changed["flag_probability"] >= _FLAGGED].to_dict("records"):
        evidence = (
            f"right in {row['first']:.0%} of the first third of the answers and in "
            f"{row['last']:.0%} of the last"
        )
        flag = Flag(DRIFTS, float(row["flag_probability"]), evidence)
        noticed.setdefault(str(row["annotator"]), []).append(flag)
    return restored(with_flags(skills(fit.data), noticed), fit.types)


def _right(answers: Answers) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """Return how right each answer is, and how right it was to be expected."""
    rows = answers.rows[answers.annotator]
    likelihood = answers.rows[answers.annotator, :, answers.answer]
    belief = answers.without(answers.unit, likelihood)
    right = (belief * answers.votes[:, answers.answer].T).sum(1)
    return right, np.einsum("nk,nkl,kl->n", belief, rows, answers.votes)


def parsed_times(times: pd.Series) -> pd.Series:
    """Return times as such; what is none is missing."""
    parsed = pd.to_datetime(times, errors="coerce", utc=True, format="ISO8601")
    return parsed.astype("datetime64[us, UTC]")  # of categories some versions make such


def _order(fit: Fit, answers: Answers, responses: Responses) -> Float[np.ndarray, " N"]:
    """Return what orders the answers in time: their times, or their rows."""
    table, constant = responses.table, fit.data["constant_data"]
    answer = "label" if fit.data.attrs["kind"] == "choice" else "answer"
    keys = ["item", "annotator", answer] + ["label"] * (answer == "answer")
    order = pd.Series(np.arange(len(table), dtype=float))
    if TIME in table:
        when = parsed_times(table[TIME])
        if when.notna().all():
            order = pd.Series(when.astype("int64").to_numpy(float))
    given = table[keys].astype(str).assign(order=order.to_numpy())
    samples = json.loads(fit.data.attrs.get("repeat_of", "{}"))
    given["annotator"] = given["annotator"].replace(samples)
    columns = {"item": constant["unit_item"].to_numpy()[answers.unit]}
    if answer == "answer":
        columns["label"] = constant["unit_label"].to_numpy()[answers.unit]
    columns["annotator"] = answers.annotators[answers.annotator]
    columns[answer] = answers.given[answers.answer]
    fitted = pd.DataFrame(columns).astype(str)
    joined = fitted.merge(given.drop_duplicates(keys), "left", on=keys)["order"]
    lacking = int(joined.isna().sum())
    if lacking:
        raise OptionError(
            f"drift: {lacking:,} of the {len(joined):,} answers of the fit are not "
            "among the responses; give those that were fitted, read as they were then"
        )
    return joined.to_numpy()


def _places(
    answers: Answers, order: Float[np.ndarray, " N"]
) -> Float[np.ndarray, " N"]:
    """Return where each answer stands among its annotator's, from -1 to 1."""
    sorted_by = np.lexsort((order, answers.annotator))
    number = np.bincount(answers.annotator, minlength=len(answers.annotators))
    start = number.cumsum() - number
    who = answers.annotator[sorted_by]
    rank = np.arange(len(order)) - start[who]
    place = np.empty(len(order))
    place[sorted_by] = 2 * rank / np.maximum(number[who] - 1, 1) - 1
    return place
