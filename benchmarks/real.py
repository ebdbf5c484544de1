"""All answers of the reassessed ImageNet labels, in one command.

924,810 answers of 85 raters about 184,962 pairs of image and label, each no, maybe or
yes: the closed form, counts, and crowd-kit's Dawid and Skene in the same run.
"""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.measure import Figures, alone, command, peak_mib
from benchmarks.public_data import not_run, public_data
from benchmarks.report import Report

# model, engine, states, whether the whole command is run besides
FITS = (
    ("contains_states", "vb", 3, True),
    ("contains_counts", "em", 2, False),
)
PEER = "crowd-kit DawidSkene"

NOTES = (
    (
        "`whole`: `consilience fit reassessed-imagenet --model ...`, one process "
        "from the original files to the run folder with its tables, including "
        "compilation (empty cache). The stages of each were measured in a separate "
        "process, without imports; peak MiB is the peak memory of the process until "
        "the end of the stage."
    ),
    (
        "Two shared cores: compare CPU seconds rather than seconds. vb with its "
        "default starts and draws for this size; contains_counts without annotators; "
        "crowd-kit with three answers and at most 100 iterations, with a table "
        "converted from ours. The cost of the model contains is in the benchmark "
        "contains."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Measure once: the whole takes its time."""
    del repeats
    title = "All answers of the reassessed ImageNet labels"
    folder = public_data("reassessed-imagenet", quick=quick)
    if folder is None:
        return not_run(title)
    source = folder / "reassessed-imagenet"
    rows = []
    for model, engine, states, entire in FITS:
        what = f"{model} by {engine}"
        if entire:
            whole = _whole(source, model, engine, states)
            rows.append({"fit": what, "stage": "whole", **_shown(whole)})
        arguments = {"source": str(source), "model": model}
        arguments |= {"engine": engine, "states": states}
        rows += _stages("stages", what, arguments)
    rows += _stages("crowd_kit", PEER, {"source": str(source)})
    return Report(title, rows, NOTES)


def _whole(source: Path, model: str, engine: str, states: int) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        options = ["--model", model, "--engine", engine, "--states", str(states)]
        program = [sys.executable, "-m", "consilience", "fit", str(source)]
        return command(
            [*program, *options, "--out", str(Path(folder, "run"))],
            {"JAX_COMPILATION_CACHE_DIR": str(Path(folder, "cache"))},
        )


def _stages(function: str, what: str, arguments: Mapping[str, Any]) -> list[dict]:
    found = alone(
        ("benchmarks.real", function, arguments),
        {"JAX_ENABLE_COMPILATION_CACHE": "false"},
    )
    return [
        {"fit": what, "stage": name, **_shown(figures)}
        for name, figures in found.items()
        if isinstance(figures, dict)
    ]


def stages(source: str, model: str, engine: str, states: int) -> Figures:
    """Read, fit, make the tables, write."""
    import consilience as cs
    from benchmarks.fits import compiling
    from consilience.fitting import fit

    spent, found = compiling(), {}
    with _stage(found, "reading"):
        responses = cs.read(source)
    given = responses
    if model == "contains_counts":
        columns = ["item", "label", "answer"]
        given = cs.read(responses.table[columns].astype(str), kind="contains")
    with _stage(found, "fitting"):
        fitted = fit(given, model=model, engine=engine, states=states)
    found["of it compiling"] = {**found["fitting"], "seconds": sum(spent)}
    found["of it compiling"]["cpu_seconds"] = None
    with _stage(found, "tables"):
        fitted.items(), fitted.labels(), fitted.annotators(), fitted.confusion()
    with tempfile.TemporaryDirectory() as folder, _stage(found, "writing"):
        fitted.save(Path(folder, "run"))
    return found


def crowd_kit(source: str) -> Figures:
    """Read, and fit by crowd-kit."""
    from crowdkit.aggregation import DawidSkene

    import consilience as cs

    found: Figures = {}
    with _stage(found, "reading"):
        told = cs.read(source).table[["item", "label", "annotator", "answer"]]
        told = told.astype(str)
        frame = told.assign(task=told["item"] + "|" + told["label"])
        frame = frame[["task", "annotator", "answer"]]
        frame.columns = ["task", "worker", "label"]
    with _stage(found, "fitting"):
        DawidSkene(n_iter=100).fit_predict_proba(frame)
    return found


@contextmanager
def _stage(found: Figures, name: str) -> Iterator[None]:
    from time import process_time

    started, processor = perf_counter(), process_time()
    yield
    found[name] = {
        "seconds": perf_counter() - started,
        "cpu_seconds": process_time() - processor,
        "peak_mib": peak_mib(),
    }


def _shown(figures):
    return {
        "seconds": figures["seconds"],
        "CPU seconds": figures["cpu_seconds"],
        "peak MiB": figures["peak_mib"],
    }
