"""Twelve models judged by a fit of objects with a thousand draws, on 6,761 images."""

from pathlib import Path

from benchmarks.measure import Clock, Figures, alone
from benchmarks.public_data import not_run, public_data
from benchmarks.report import Report

TITLE = "Twelve models on the 6,761 images of the study"
NOTES = (
    (
        "In a separate process, after the fit (which is not timed): 1,000 joint "
        "posterior draws of the model `objects`, 1,000 bootstrap weightings of the "
        "images, the best five labels of twelve models. evaluate: all metrics and "
        "subsets, 66 paired comparisons of each, and the labels for which models "
        "reproduce the data set. confusion: how people and models call images, for "
        "1,000 classes, and within superclasses. Cores are shared, so compare CPU "
        "seconds rather than seconds."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Time both once."""
    del repeats
    data = public_data("imagenet-multilabel", "imagenetv2", quick=quick)
    if data is None:
        return not_run(TITLE)
    figures = alone(("benchmarks.evaluate", "times", {"data": str(data)}))
    rows = [
        {
            "step": step,
            "seconds": round(figures[step]["seconds"], 2),
            "CPU seconds": round(figures[step]["cpu_seconds"], 2),
            "peak MiB": round(figures[step]["peak_mib"]),
            "rows": figures[step]["rows"],
        }
        for step in ("evaluate", "confusion")
    ]
    return Report(TITLE, rows, NOTES)


def times(data: str) -> Figures:
    """Fit, then time what is done with the fit."""
    import pandas as pd

    import consilience as cs
    from benchmarks.study_figures import Images

    folder = Path(data)
    responses = cs.read(folder / "imagenet-multilabel")
    fit = cs.fit(responses, model="objects", seed=0)
    images = Images(folder, pd.Index(fit.items()["item"].astype(str)))
    rows, own = images.predictions(), images.dataset_labels()
    found: Figures = {}
    clock = Clock()
    with clock.timed():
        judged = cs.evaluate(fit, rows, dataset_labels=own, resamples=1000)
    number = len(judged.models) + len(judged.differences) + len(judged.labels)
    found["evaluate"] = clock.figures | {"rows": number}
    clock = Clock()
    with clock.timed():
        beside = cs.compare_confusion(
            fit, rows, dataset_labels=own, labels=responses.labels, resamples=1000
        )
        tables = [beside.table(), beside.table(1), beside.within(), beside.pairs()]
    found["confusion"] = clock.figures | {"rows": sum(map(len, tables))}
    return found
