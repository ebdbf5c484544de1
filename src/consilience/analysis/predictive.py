"""Posterior predictive checks: observed answers against those that the fit would give.

Answers are drawn again from the posterior (`replicated`) and compared with those
observed by three statistics, each of which misses another feature of a model: copied
answers agree more than the model can (**agreement** of each pair of annotators);
without difficulty of items, there are too few items on which all agree (**votes** for
the most voted label of an item); where annotators have one accuracy for all labels,
some labels have more **errors**.

The truth is unknown, so errors are a discrepancy :math:`D(y, z)`: in each replicate it
is computed for the observed and for the replicated answers with the same drawn truth z.
The adjusted p-value is that of the maximum test of Westfall and Young, by replicates
instead of permutations, distances being in standard deviations of their own. What all
rows have in common is seen in the statistic of all together, adjusted for no other.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Bool, Float, Int

from consilience.analysis.replicated import replication
from consilience.errors import OptionError
from consilience.intervals import bounds
from consilience.posterior import Fit
from consilience.posterior.stored import category
from consilience.posterior.truth import candidates
from consilience.ragged import places_within
from consilience.responses.id_types import restores_types
from consilience.truth import Space

FEWEST = 50  # replicates: of fewer, no p-value is below .02
MAX_DRAWN = 2**26  # answers, and meetings of two of them, over all replicates
MAX_MEETINGS = 2**22
MAX_PAIRS = 5000
TENTHS = 10
COLUMNS = (
    *(
        "check",
        "annotator",
        "other_annotator",
        "share",
        "label",
        "n",
        "observed",
        "replicated",
    ),
    *("lower", "upper", "p", "adjusted_p"),
)
_ROUNDING = 1e-9  # a share of 3 in 5 is at most .6


@restores_types
def predictive_checks(
    fit: Fit, *, replicates: int = 200, min_items: int = 10, seed: int = 0
) -> pd.DataFrame:
    """Compare the observed answers with answers drawn again from the posterior.

    Every annotator answers again about as many items. For `agreement` and `errors` they
    are the same items, whose truth is drawn from its posterior; for `votes` they are
    new items, whose truth is drawn from its prior.

    Parameters
    ----------
    fit : Fit
        A fit of kind choice or contains, of a model that draws answers from tables of
        P(answer | truth).
    replicates : int, default 200
        How often all answers are drawn again; fewer (at least 50) where there are more
        than some hundred thousand.
    min_items : int, default 10
        Least number of common answers of a pair, and of answers about a label.
    seed : int, default 0
        Seed of the random number generator.

    Returns
    -------
    pandas.DataFrame
        One row per statistic. check is `agreement` (columns annotator and other: the
        share of their answers about common items that are equal), `votes` (column
        share: the share of items whose most voted label has this share of the answers;
        rounded up to tenths where the number of answers differs) or `errors` (column
        label: the share of answers about items of this label that differ from it). The
        first row of each check, where these columns are missing, is about all. Columns
        n (common answers, items or answers), observed, replicated (mean), lower and
        upper (of the replicated values), p (the probability that a replicated value is
        larger than the observed one, ties counted half) and adjusted_p (two-sided; but
        for the first row, the probability that any row of the check is as far from its
        mean). A check without rows is left out.

    Raises
    ------
    OptionError
        If the model has no tables, or an argument is too small.

    See Also
    --------
    compare : Compare models by how well they predict left-out answers.
    agreement : Agreement without a model.

    Notes
    -----
    A p-value near 0 or 1 says that the model does not reproduce the statistic. As the
    fit has used the same answers, p-values of a model that is right are closer to one
    half than uniform ones. There are at most 5,000 pairs, those with the most common
    answers.

    References
    ----------
    Gelman et al. (2013), Bayesian data analysis, section 6.3. Gelman, Meng and Stern
    (1996), Posterior predictive assessment of model fitness via realized discrepancies.
    Westfall and Young (1993), Resampling-based multiple testing.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> responses = study(0, num_photos=30).responses()
    >>> fit = cs.fit(responses, model="hierarchical_dawid_skene")
    >>> checks = cs.analysis.predictive_checks(fit, min_items=3)
    >>> checks["check"].unique().tolist()
    ['agreement', 'votes', 'errors']
    """
    for name, value, least in (
        ("replicates", replicates, FEWEST),
        ("min_items", min_items, 1),
    ):
        if value < least:
            raise OptionError(f"{name} is {value}; give {least} or more")
    drawn_from = replication(fit.data)
    space, generator = drawn_from.space, np.random.default_rng(seed)
    checks = {
        "agreement": _agreement(space, min_items, generator),
        # Of items with one answer there is no share of votes to look at.
        **({"votes": _votes(space)} if np.bincount(space.unit).max() > 1 else {}),
        "errors": _errors(space, min_items, _best_state(fit.data)),
    }
    cost = 2 * len(space.unit) + int(checks["agreement"].rows["n"].iloc[0])
    number = int(np.clip(MAX_DRAWN // max(cost, 1), FEWEST, replicates))
    values = {
        name: np.empty((2, number, len(check.rows))) for name, check in checks.items()
    }
    for place, drawn in enumerate(drawn_from.draw(number, generator)):
        for name, check in checks.items():
            again = drawn.new if check.new_items else drawn.same
            values[name][0, place] = check.statistic(space.answer, drawn.truth)
            values[name][1, place] = check.statistic(again, drawn.truth)
    prob = float(fit.data.attrs["prob"])
    tables = [
        _compared(check.rows, values[name], prob).assign(check=name)
        for name, check in checks.items()
        if len(check.rows) > 1
    ]
    if not tables:  # no two answers to compare, and too few to count
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.concat(tables, ignore_index=True).reindex(columns=list(COLUMNS))


type _Answers = Int[np.ndarray, " N"]
type _Truth = Int[np.ndarray, " U"]


class _Check(NamedTuple):
    """Statistics of answers: of all, and of each of several parts."""

    rows: pd.DataFrame
    statistic: Callable[[_Answers, _Truth], Float[np.ndarray, " R"]]
    new_items: bool = False


def _agreement(space: Space, min_items: int, generator: np.random.Generator) -> _Check:
    """Return the check of the share of equal answers, by pair of annotators."""
    one, other = _meetings(space, generator)
    first, second = np.sort(space.annotator[[one, other]].astype(np.int64), axis=0)
    code, pair, n = np.unique(
        first * space.num_annotators + second, return_inverse=True, return_counts=True
    )
    most = np.argsort(-n, kind="stable")[:MAX_PAIRS]
    kept = np.sort(most[n[most] >= min_items])
    row = np.full(len(code), -1)
    row[kept] = np.arange(len(kept))
    pair, at = row[pair], np.flatnonzero(row[pair] >= 0)
    pair, one, other, n = pair[at], one[at], other[at], n[kept]
    names = np.divmod(code[kept], space.num_annotators)

    def statistic(answer: _Answers, truth: _Truth) -> Float[np.ndarray, " R"]:
        del truth
        return _rates(answer[one] == answer[other], pair, len(n))

    columns = {
        column: category(np.append(-1, each), space.annotators)
        for column, each in zip(("annotator", "other_annotator"), names, strict=True)
    }
    return _Check(pd.DataFrame({**columns, "n": [n.sum(), *n]}), statistic)


def _votes(space: Space) -> _Check:
    """Return the check of the share of the most voted label."""
    size = np.bincount(space.unit, minlength=space.num_units)
    several = size > 1
    answers, sizes = several[space.unit], np.unique(size[several])
    few = len(sizes) == 1 and sizes[0] <= TENTHS
    steps = int(sizes[0]) if few else TENTHS
    level, words = np.arange(1, steps + 1) / steps, len(space.answers)
    size, unit = size[several], space.unit[answers].astype(np.int64)

    def statistic(answer: _Answers, truth: _Truth) -> Float[np.ndarray, " R"]:
        del truth
        cell, votes = np.unique(unit * words + answer[answers], return_counts=True)
        start = np.flatnonzero(np.diff(cell // words, prepend=-1))
        share = np.maximum.reduceat(votes, start) / size
        at = np.searchsorted(level, share - _ROUNDING)
        return np.append(share.sum(), np.bincount(at, minlength=steps)) / len(size)

    if not several.any():
        level = level[:0]
    rows = pd.DataFrame({"share": np.append(np.nan, level), "n": len(size)})
    return _Check(rows, statistic, new_items=True)


def _errors(space: Space, min_items: int, best: Int[np.ndarray, " U"]) -> _Check:
    """Return the check of the share of answers that differ from the truth."""
    right, states = space.votes.argmax(0), len(space.states)
    n = np.bincount(best[space.unit], minlength=states)
    kept = np.flatnonzero(n >= min_items)
    rows = np.append(0, kept + 1)

    def statistic(answer: _Answers, truth: _Truth) -> Float[np.ndarray, " R"]:
        state = truth[space.unit]
        rates = _rates(answer != right[state], state, states)
        return np.asarray(rates[rows])

    names = category(np.append(-1, kept), np.asarray(space.states, object))
    return _Check(pd.DataFrame({"label": names, "n": [n.sum(), *n[kept]]}), statistic)


def _compared(
    rows: pd.DataFrame, values: Float[np.ndarray, "2 D R"], prob: float
) -> pd.DataFrame:
    """Compare statistics of observed answers with those of replicated ones.

    Draws of the truth that give a label to no item say nothing of it. A row is left out
    of which most draws say nothing, and one of a share of votes that never occurs.
    """
    observed, replicated = values
    # The observed value is one among the replicated ones, if the model is right.
    mean = np.nansum(observed, 0) / np.maximum(np.isfinite(observed).sum(0), 1)
    every = np.append(replicated, mean[None], axis=0)
    number = np.isfinite(every).sum(0)
    some = (number > len(every) / 2) & (every > 0).any(0)
    some[0] = True
    observed, replicated, every = (x[:, some] for x in (observed, replicated, every))
    mean, number = mean[some], number[some]
    larger = (replicated > observed).sum(0) + 0.5 * (replicated == observed).sum(0)
    centre = np.nanmean(every, axis=0)
    spread = np.maximum(np.nanstd(every, axis=0), _ROUNDING)
    far, again = (abs(x - centre) / spread for x in (observed, replicated))
    first = np.arange(len(mean)) == 0
    furthest = np.nanmax(np.where(first, 0, again), axis=1, keepdims=True)
    as_far = np.where(first, again, furthest) >= far - _ROUNDING
    lower, upper = bounds(replicated, prob, skip_nan=True)
    return rows[some].assign(
        observed=mean,
        replicated=np.nanmean(replicated, axis=0),
        lower=lower,
        upper=upper,
        p=(larger + 0.5) / number,
        adjusted_p=(as_far.sum(0) + 1) / number,
    )


def _rates(
    event: Bool[np.ndarray, " E"], row: Int[np.ndarray, " E"], rows: int
) -> Float[np.ndarray, " R"]:
    """Return how often events occur, in all and in each row; NaN where none could."""
    counts = np.bincount(row, event, rows), np.bincount(row, minlength=rows)
    happened, possible = (np.append(each.sum(), each) for each in counts)
    with np.errstate(invalid="ignore"):
        return np.asarray(happened / possible)


def _meetings(space: Space, generator: np.random.Generator) -> Int[np.ndarray, "2 E"]:
    """Return the places of two answers about one item, of some items if many."""
    place = np.flatnonzero(space.identified[space.annotator])
    unit = space.unit[place]
    size = np.bincount(unit, minlength=space.num_units)
    order = generator.permutation(space.num_units)
    taken = np.zeros(space.num_units, bool)
    taken[order] = np.cumsum((size * (size - 1) // 2)[order]) <= MAX_MEETINGS
    place, size = place[taken[unit]], size[taken]
    before = places_within(size)
    one = np.repeat(np.arange(len(place)), before)
    other = one - 1 - places_within(before)
    both = place[np.stack([other, one])]
    different = space.annotator[both[0]] != space.annotator[both[1]]
    return np.asarray(both[:, different])


def _best_state(data: xr.DataTree) -> Int[np.ndarray, " U"]:
    """Return the most probable state of each unit."""
    truth = candidates(data)
    best = np.nanargmax(truth.probability, axis=1)
    return truth.state[np.arange(len(best)), best]
