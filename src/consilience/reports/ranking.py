"""The page of a ranking: which system is better, by how much, and by which judges."""

from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from consilience.comparisons import Ranking
from consilience.posterior.trust import is_sound, trust
from consilience.reports.content import (
    Chart,
    Listing,
    Note,
    Page,
    Part,
    Section,
    check_installed,
)
from consilience.reports.written import write
from consilience.tables import CATALOGUE
from consilience.tables.catalogue import schema_of
from consilience.tables.html import html
from consilience.tables.vega import Axis, Estimates, heat, in_widths

_MAX_CHART, _MAX_MATRIX, _MAX_ROWS = 40, 15, 300
_SURE = 0.95


def write_ranking(
    ranking: Ranking, out: Path, *, title: str | None = None, overwrite: bool = False
) -> int:
    """Write the page of a ranking; return the number of its bytes."""
    check_installed()
    checks, pairs = ranking.diagnostics(), ranking.differences()
    made = (
        _summary(ranking, checks, pairs),
        _scores(ranking),
        _differences(ranking, pairs),
        _judges(ranking),
        _checks(checks),
    )
    number = len(ranking.comparisons.systems)
    about = f"comparisons · {number:,} systems · made by consilience "
    page = Page(
        title=title or "Ranking of systems",
        about=about + version("consilience"),
        sections=made,
    )
    return write(page, out, overwrite=overwrite)


def _summary(ranking: Ranking, checks: pd.DataFrame, pairs: pd.DataFrame) -> Section:
    given = ranking.comparisons
    asked = (
        f"{len(given.judges):,} {'judge' if len(given.judges) == 1 else 'judges'} made "
        f"{len(given):,} comparisons of two systems each, of {len(given.systems):,} "
        f"systems in all, on {len(given.items):,} items."
    )
    first = ranking.ranks().iloc[0]
    sure = int((pairs["p_greater"] >= _SURE).sum())
    best = (
        f"The best is most probably {first['system']} ({first['p_best']:.2f}); of "
        f"{len(pairs) // 2:,} pairs of systems, {sure:,} are in order with probability "
        f"{_SURE} or more."
    )
    sound = f"{trust(checks)}."
    if is_sound(checks):
        sound = f"No check failed: {sound.removeprefix('checks: ')}"
    sentences = (asked, best, _bias(ranking), sound, _next(ranking, checks, pairs))
    return Section("summary", "In short", (Listing("", sentences),))


def _bias(ranking: Ranking) -> str:
    """Say which judge favours a place most, of those whose interval excludes none."""
    judges = ranking.judges()
    lower, upper = judges["first_place_lower"], judges["first_place_upper"]
    apart = np.maximum(lower - 0.5, 0.5 - upper)
    if not (apart > 0).any():
        return "No judge certainly favours what is shown first, or second."
    at = int(apart.argmax())
    cell = CATALOGUE["judge_traits"].of(judges).cells("first_place")[at]
    number = int((apart > 0).sum())
    more = f" {number:,} judges favour a place." if number > 1 else ""
    return (
        f"Between equal systems, {judges['judge'][at]} prefers what is shown first "
        f"with probability {cell}.{more}"
    )


def _next(ranking: Ranking, checks: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """Say what to do: how to fix what failed, or whom to compare again."""
    failed = checks.loc[~checks["ok"]]
    if len(failed):
        row = failed.iloc[0]
        return f"To do next: {row['remedy']} (check {row['name']})."
    neighbours = [*pairwise(ranking.ranks()["system"].astype(str))]
    beside = _p_better(pairs).loc[neighbours]
    if beside.min() >= _SURE:
        return "Nothing more needs to be done: the order of all systems is sure."
    least = " and ".join(neighbours[int(beside.to_numpy().argmin())])
    return (
        f"To do next: compare {least} again, whose order is least sure "
        f"({beside.min():.2f})."
    )


def _scores(ranking: Ranking) -> Section:
    scores, ranks = ranking.scores(), ranking.ranks()
    rows = scores.head(_MAX_CHART)
    cells = CATALOGUE["scores"].of(rows).cells("score")
    words = [f"{name} {each}" for name, each in zip(rows["system"], cells, strict=True)]
    x = Axis(column="score", title="score, log-odds of an average judge")
    y = Axis(column="system", names=True)
    drawn = in_widths(Estimates(x=x, y=y).draw(rows.assign(text=words)))
    caption = f"Scores with their {ranking.prob:.0%} intervals, the best on top"
    parts: list[Part] = [Chart(drawn, f"Points with intervals. {caption}", caption)]
    for name, frame in (("scores", scores), ("ranks", ranks)):
        table = CATALOGUE[name].of(frame, ranking.prob)
        parts.append(html(table.first(_MAX_ROWS)))
    coefficients = ranking.coefficients()
    if len(coefficients):
        schema = schema_of("effects_of_covariates", coefficients)
        parts.append(html(schema.of(coefficients, ranking.prob)))
    return Section("scores", "Scores and ranks", tuple(parts))


def _p_better(pairs: pd.DataFrame) -> pd.Series:
    """Return the probability that one system is better, by both names."""
    ends = ["system", "other_system"]
    return pairs.astype(dict.fromkeys(ends, str)).set_index(ends)["p_greater"]


def _differences(ranking: Ranking, pairs: pd.DataFrame) -> Section:
    once = pairs[pairs["difference"] >= 0]
    table = CATALOGUE["score_differences"].of(once, ranking.prob).first(_MAX_ROWS)
    best = pd.Index(ranking.scores()["system"].astype(str).head(_MAX_MATRIX))
    better = _p_better(pairs)
    every = pd.MultiIndex.from_product([best, best], names=better.index.names)
    shown = better.reindex(every).rename("probability").reset_index()
    shown["text"] = [
        f"{row.system} is better than {row.other_system}: {row.probability:.2f}"
        for row in shown.itertuples()
    ]
    shown = shown.fillna({"probability": 0.0})  # of a system and itself: nothing
    drawn = heat(
        shown,
        rows="system",
        columns="other_system",
        titles=("is better", "than"),
        power=1.0,
    )
    caption = f"P(row is better than column), {len(best)} systems, the best first"
    chart = Chart(in_widths(drawn), f"Matrix. {caption}", caption)
    return Section("differences", "Who is better", (chart, html(table)))


def _judges(ranking: Ranking) -> Section:
    judges = ranking.judges()
    table = CATALOGUE["judge_traits"].of(judges, ranking.prob).first(_MAX_ROWS)
    return Section("judges", "Judges", (html(table),))


def _checks(checks: pd.DataFrame) -> Section:
    table = CATALOGUE["diagnostics"].of(checks)
    usual = (
        "Judges of all groups share the scores; what they all prefer for the same "
        "reason, such as length, is part of the score, unless it is a covariate."
    )
    return Section("checks", "Checks", (html(table), Note(usual, "mind")))
