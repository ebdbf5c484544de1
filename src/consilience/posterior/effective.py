r"""How many independent answers the answers of an item are worth.

n answers whose errors correlate by :math:`\rho`, given the truth, say as much as
:math:`n / (1 + (n - 1) \rho)` independent ones (Kish 1965, section 5.4).

**With gold labels** the correlation is measured: of the errors r of annotators about
items of known truth, less how often each is wrong,

.. math::

   \hat\rho = \frac{\sum_i [(\sum_r e_r)^2 - \sum_r e_r^2]}
                   {\sum_i [(\sum_r s_r)^2 - \sum_r s_r^2]},

and believed as far as its standard error says, beside what is usual.

**Without gold** it is hidden in the truth that the same answers decide: on eighteen
public crowds the correlation that a fit without gold sees says next to nothing of it
(.15 goes with .08 to .64, .28 with .02). So the interval is that of other crowds, whose
correlations have the mean .27 and the standard deviation .20; where a fit sees none it
begins at zero, and ends at .29 (the one public crowd of which none sees any has .14).
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.truth import Space
from consilience.when_used import xr

USUAL, USUAL_SPREAD = 0.27, 0.20  # correlation of errors, across public crowds
UNSEEN_SPREAD = 0.15  # of a correlation that a fit does not see
SEEN = 2.33  # standard errors from which a fit without gold sees a correlation
FEWEST = 5  # items of gold from which it is measured
ROWS = 8  # numbers of answers that are shown
COLUMNS = ("responses", "items", "effective", "lower", "upper", "known_from")


def error_correlation(
    space: Space, unit: Int[np.ndarray, " G"], state: Int[np.ndarray, " G"]
) -> tuple[float, float]:
    """Return how errors about units of known truth correlate, and its standard error.

    Both are NaN where no two answers are about one unit, or too few units.
    """
    if len(unit) < FEWEST:
        return np.nan, np.nan
    place = np.full(space.num_units, -1)
    place[unit] = np.arange(len(unit))
    rows = np.flatnonzero(place[space.unit] >= 0)
    at, who = place[space.unit[rows]], space.annotator[rows]
    wrong, number = 1 - space.votes[space.answer[rows], state[at]], space.n[rows]
    people = space.num_annotators
    pooled = np.average(wrong, weights=number) if len(rows) else 0.5
    times = np.bincount(who, number, people)
    rate = (np.bincount(who, number * wrong, people) + pooled) / (times + 1)
    error, spread = wrong - rate[who], np.sqrt(rate * (1 - rate))[who]

    def pairs(each: Float[np.ndarray, " R"]) -> Float[np.ndarray, " G"]:
        total = np.bincount(at, number * each, len(unit))
        return total**2 - np.bincount(at, number * each**2, len(unit))

    above, below = pairs(error), pairs(spread)
    if below.sum() <= 0:
        return np.nan, np.nan
    correlation = float(above.sum() / below.sum())
    off = above - correlation * below
    return correlation, float(np.sqrt((off**2).sum()) / below.sum())


def effective_numbers(data: xr.DataTree) -> pd.DataFrame:
    """Return how many independent answers so many are worth; last, of all annotators.

    Empty where nothing is known of errors that are correlated: of models of objects and
    of rules.
    """
    attributes = data["truth"].attrs if "truth" in data.children else {}
    if "residual_correlation" not in attributes or "constant_data" not in data.children:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS})
    prob = float(data.attrs["prob"])
    about = data["gold" if "gold" in data.children else "/"].attrs
    tails = ((1 - prob) / 2, 0.5, (1 + prob) / 2)
    error = float(about.get("correlation_error", np.nan))
    if np.isfinite(error) and error > 0:
        weight = error**-2.0, USUAL_SPREAD**-2.0
        mean = float(np.average([about["correlation"], USUAL], weights=weight))
        normal, source = NormalDist(mean, sum(weight) ** -0.5), "gold labels"
        low, middle, high = np.clip([normal.inv_cdf(at) for at in tails], 0, 1)
    else:
        common, source = attributes["residual_common"], "other crowds"
        usual = (0.0, UNSEEN_SPREAD) if common == 0 else (USUAL, USUAL_SPREAD)
        low, middle, high = (_within(*usual, at) for at in tails)
        if not (common > 0 or attributes["residual_z"] > SEEN):
            low = 0.0
    constant = data["constant_data"]
    given = constant["num_responses"].to_numpy()
    answers, items = np.unique(given[given > 0], return_counts=True)
    if len(answers) > ROWS:
        steps = np.linspace(0, (given > 0).sum() - 1, ROWS).astype(int)
        some = np.unique(np.sort(given[given > 0])[steps])
        items = np.array([(given == each).sum() for each in some])
        answers = some
    panel = int((constant["annotator_responses"].to_numpy() > 0).sum())
    answers, items = np.append(answers, panel), np.append(items, 0)
    columns = {"responses": answers, "items": items}
    for name, correlation in (("effective", middle), ("lower", high), ("upper", low)):
        columns[name] = answers / (1 + (answers - 1) * correlation)
    return pd.DataFrame(columns).assign(known_from=source)


def _within(mean: float, spread: float, chance: float) -> float:
    """Return a quantile of a normal distribution that is cut off at 0 and 1."""
    normal = NormalDist(mean, spread)
    start, end = normal.cdf(0.0), normal.cdf(1.0)
    inside = min(max(start + chance * (end - start), 1e-12), 1 - 1e-12)
    return float(np.clip(normal.inv_cdf(inside), 0.0, 1.0))


def worth_in_words(data: xr.DataTree) -> str:
    """Say how many independent answers those of a usual item are worth."""
    table = effective_numbers(data)
    if table.empty:
        return ""
    given = data["constant_data"]["num_responses"].to_numpy()
    row = table.iloc[(table["responses"][:-1] - np.median(given)).abs().argmin()]
    by_what = (
        "as gold labels show"
        if row["known_from"] == "gold labels"
        else "as answers in other crowds do; gold labels would show it"
    )
    return (
        f": the {row['responses']:,.0f} answers of an item say as much as about "
        f"{row['effective']:.1f} independent ones ({row['lower']:.1f} to "
        f"{row['upper']:.1f}), {by_what}"
    )
