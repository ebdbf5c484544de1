"""Comparisons of systems: seconds and memory, and log-loss of what was left out.

The log-loss is that of whole items left out in ten folds, beside a logistic regression
on the two systems (Bradley-Terry without a penalty that matters) and crowd-kit's two
methods, all of which get the constant share of ties.

Feeds `docs/reference/benchmarks-other-programs.md`.
"""

from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.harness import Case, Clock, Report, measured, public_data

TITLE = "Ranking systems from comparisons"
NOTES = (
    (
        "Simulated comparisons of 100 systems by judges: seconds to read a data frame "
        "and to fit. Repeated items have their correlation taken into account."
    ),
    (
        "log-loss (nats): ten folds of whole items. Ties have a constant share in the "
        "other methods, which state none, and judges are all alike in them: the gain "
        "is from judges and ties, not from the scores of systems."
    ),
)


def fitted(number: int, judges: int, items: int):
    """Read and fit simulated comparisons."""
    from consilience.comparisons import fit, read

    random = np.random.default_rng(0)
    score = random.normal(size=100)
    first = random.integers(100, size=number)
    second = (first + random.integers(1, 100, size=number)) % 100
    judge = random.integers(judges, size=number)
    scale = np.exp(0.3 * random.normal(size=judges))[judge]
    h = scale * (score[first] - score[second]) + 0.3
    p = np.exp(np.stack([h / 2, -h / 2, np.full(number, -0.5)], axis=1))
    p = (p / p.sum(1, keepdims=True)).cumsum(1)
    outcome = (random.random(number)[:, None] > p).sum(1)
    table = pd.DataFrame(
        {
            "judge": judge,
            "first": first,
            "second": second,
            "winner": np.array(["first", "second", "tie"])[outcome],
        }
    )
    if items:
        table["item"] = random.integers(items, size=number)
    clock = Clock()
    with clock.timed():
        ranking = fit(read(table))
    place = np.array(ranking.comparisons.systems).astype(int)
    error = ranking.estimate.score - (score - score.mean())[place]
    return {**clock.figures, "error": float(np.sqrt(np.mean(error**2)))}


def left_out(data: Path) -> list[dict]:
    """Return the log-loss of each method on public data."""
    from consilience.comparisons import fit, read

    peers = import_module("tests.comparisons.test_public_data")
    methods = {"logistic regression": peers.logistic}
    methods |= {
        f"crowd-kit {name}": peers.of_crowdkit(name)
        for name in ("BradleyTerry", "NoisyBradleyTerry")
    }
    rows = []
    for name in ("mtbench", "pandalm"):
        comparisons = read(data / name / "comparisons.csv")
        ours = fit(comparisons).cross_validate()
        rows.append({"data": name, "method": "consilience", "log-loss": ours})
        for method, won in methods.items():
            theirs = peers.left_out(comparisons, won)
            rows.append({"data": name, "method": method, "log-loss": theirs})
    return rows


def comparisons(*, quick: bool, repeats: int) -> Report:
    """Measure seconds, and log-loss where there are public data."""
    number = 1000 if quick else 1_000_000
    sizes = ((1, 0), (50, 0), (50, number // 3), (2000, 0))
    cases = [
        Case(
            {"comparisons": number, "judges": judges, "repeated items": items},
            (__name__, "fitted", {"number": number, "judges": judges, "items": items}),
        )
        for judges, items in sizes
    ]
    data = public_data("judges", quick=quick)
    more = {} if data is None else {"What was left out": left_out(data / "judges")}
    return Report(TITLE, measured(cases, repeats), NOTES, more)
