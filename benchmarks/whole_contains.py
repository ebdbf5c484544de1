"""All 924,810 answers of the reassessed ImageNet labels: seconds and memory of a fit.

Golden pairs and the main part together. Every model of contains, and crowd-kit's
Dawid-Skene, each in a process of its own; pairs in golden and main count once.
"""

from benchmarks.measure import Clock, Figures, alone
from benchmarks.public_data import not_run, public_data
from benchmarks.report import Report
from benchmarks.speed import NO_CACHE

MODELS = {
    "contains": "em",
    "contains_states": "vb",
    "contains_counts": "em",
    "hierarchical_dawid_skene": "vb",
}
LIMIT = 1200.0
COLUMNS = ["item", "annotator", "label", "answer"]

NOTES = (
    (
        "A complete fit with the default settings, from answers in memory to a "
        "probability for each pair, without imports and reading, including "
        "compilation. Peak memory is that of the process, including files."
    ),
    (
        "contains_counts does not use annotator ids. crowd-kit's Dawid-Skene runs at "
        "most 100 iterations on pairs as tasks, with its three answers as classes."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Fit each, one behind the other."""
    del repeats  # a run of all is long enough
    title = "Contains: every answer in one fit"
    folder = public_data("reassessed-imagenet", quick=quick)
    if folder is None:
        return not_run(title)
    rows = []
    for model, engine in MODELS.items():
        arguments = {"data": str(folder), "model": model, "engine": engine}
        ours = ("benchmarks.whole_contains", "consilience", arguments)
        found = alone(ours, NO_CACHE, limit=LIMIT)
        rows.append(_row(f"{model}, {engine}", found))
    theirs = ("benchmarks.whole_contains", "crowd_kit", {"data": str(folder)})
    rows.append(_row("crowd-kit's DawidSkene", alone(theirs, limit=LIMIT)))
    return Report(title, rows, NOTES)


def _row(method: str, found: Figures) -> dict:
    names = ("seconds", "cpu_seconds", "peak_mib", "pairs")
    return {
        "method": method,
        **{name.replace("_", " "): found.get(name) for name in names},
        "failed": found.get("failed", "too long" if "limit" in found else None),
    }


def _answers(data: str):
    import pandas as pd

    import consilience as cs

    parts = [
        cs.read(f"{data}/reassessed-imagenet", format=round_of).table
        for round_of in ("reassessed_imagenet_golden", "reassessed_imagenet")
    ]
    rows = pd.concat([part[COLUMNS].astype("str") for part in parts])
    return rows.drop_duplicates(COLUMNS[:3], ignore_index=True)


def consilience(data: str, model: str, engine: str) -> Figures:
    """Fit by consilience."""
    import consilience as cs

    responses = cs.read(_answers(data), kind="contains")
    clock = Clock()
    with clock.timed():
        labels = cs.fit(responses, model=model, engine=engine, seed=0).labels()
    return {**clock.figures, "pairs": len(labels)}


def crowd_kit(data: str) -> Figures:
    """Fit by crowd-kit."""
    import warnings

    from crowdkit.aggregation import DawidSkene

    rows = _answers(data)
    frame = rows.assign(
        task=rows["item"] + "|" + rows["label"], worker=rows["annotator"]
    )
    frame = frame[["task", "worker"]].assign(label=rows["answer"])
    warnings.simplefilter("ignore")  # it uses what pandas 3 warns of
    clock = Clock()
    with clock.timed():
        found = DawidSkene(n_iter=100).fit_predict_proba(frame)
    return {**clock.figures, "pairs": len(found)}
