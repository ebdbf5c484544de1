"""Bayesian Dawid-Skene by vb, beside accuracies that an independent program computed.

The other program is the authors' own of Li, Rubinstein and Cohn (2019): IBCC with four
imagined answers on the diagonal and one off it. It keeps answers as a sparse matrix of
yes and no, so that a row that occurs twice counts once.
"""

import os
from pathlib import Path

from benchmarks.measure import Figures, alone
from benchmarks.report import Report

INDEPENDENT = {
    "cf": 0.8833,
    "cf_amt": 0.8567,
    "ms": 0.790,
    "zc_all": 0.7951,
    "zc_in": 0.7696,
    "zc_us": 0.8270,
    "senti_1k": 0.960,
    "bird": 0.8889,
    "dog": 0.8389,
    "rte": 0.9275,
    "trec": 0.705,
}
MARGIN = 0.003

NOTES = (
    (
        "Labels of the variational posterior itself (`draws=0`), as in the independent "
        "program. By default they are averaged over draws of the parameters."
    ),
    (
        "Accuracy on the items with gold labels; an item with tied best labels "
        "counts as the probability of a right choice."
    ),
    (
        "`once`: identical rows (item, annotator, label) are counted once, as in the "
        "independent program; `each`: every row is an answer, the default of "
        "consilience."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Fit all; repeats change nothing, one seed gives one result."""
    del repeats
    names = ["bird"] if quick else list(INDEPENDENT)
    figures = alone(("benchmarks.reproduce", "accuracies", {"names": names}))
    rows = [
        {
            "data": name,
            "independent": INDEPENDENT[name],
            "once": figures[name]["once"],
            "difference": figures[name]["once"] - INDEPENDENT[name],
            f"within {MARGIN}": "yes"
            if abs(figures[name]["once"] - INDEPENDENT[name]) <= MARGIN
            else "NO",
            "each": figures[name]["each"],
            "repeated rows": figures[name]["repeated"],
        }
        for name in names
        if name in figures
    ]
    title = "Bayesian Dawid-Skene by vb reproduces an independent program"
    return Report(title, rows or [{"data": "absent: set CONSILIENCE_DATA"}], NOTES)


def accuracies(names: list[str]) -> Figures:
    """Fit each data set both ways."""
    import consilience as cs

    found: Figures = {}
    for name in names:
        path = Path(os.environ.get("CONSILIENCE_DATA", "data"), "crowd", name)
        if not path.exists():
            continue
        each, once = cs.read(path), cs.read(path, repeats="distinct")
        found[name] = {
            "each": _accuracy(each),
            "once": _accuracy(once),
            "repeated": len(each.table) - len(once.table),
        }
    return found


def _accuracy(responses) -> float:
    import consilience as cs
    from consilience.scoring.metrics import ScoreOptions, score

    effort = cs.EngineOptions(draws=0)
    fitted = cs.fit(responses, model="bayesian_dawid_skene", engine="vb", effort=effort)
    options = ScoreOptions(resamples=1)
    gold = responses.gold.astype({"label": "str"})
    found = score(fitted.labels(), gold, kind="choice", seed=0, options=options)
    return float(found.metrics["accuracy"].value)
