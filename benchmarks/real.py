"""All answers of the reassessed ImageNet labels, in one command.

924,810 answers of 85 raters about 184,962 pairs of image and label, each no, maybe or
yes, with three states of a label's presence.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from benchmarks.measure import Figures, alone, command, peak_mib
from benchmarks.report import Report

FITS = (("dawid_skene", "em"), ("hierarchical_dawid_skene", "vb"))

NOTES = (
    (
        "`whole`: `consilience fit reassessed-imagenet --states 3`, one process from "
        "the original files to the run folder with its tables, compiling included "
        "(empty cache). Its stages were taken in a second process, without imports; "
        "peak MiB is what the process had held at most by the end of the stage."
    ),
    "vb with its default starts and draws for this size.",
)


def run(*, quick: bool, repeats: int) -> Report:
    """Measure once: the whole takes its time."""
    del repeats
    title = "All answers of the reassessed ImageNet labels"
    source = Path(os.environ.get("CONSILIENCE_DATA", "data"), "reassessed-imagenet")
    if quick or not source.exists():
        return Report(title, [{"stage": "not run (quick, or no CONSILIENCE_DATA)"}], ())
    rows = []
    for model, engine in FITS:
        with tempfile.TemporaryDirectory() as folder:
            out = str(Path(folder, "run"))
            options = ["--model", model, "--engine", engine, "--states", "3"]
            program = [sys.executable, "-m", "consilience", "fit", str(source)]
            whole = command(
                [*program, *options, "--out", out],
                {"JAX_COMPILATION_CACHE_DIR": str(Path(folder, "cache"))},
            )
        what = f"{model} by {engine}"
        rows.append({"fit": what, "stage": "whole", **_shown(whole)})
        arguments = {"source": str(source), "model": model, "engine": engine}
        stages = alone(
            ("benchmarks.real", "stages", arguments),
            {"JAX_ENABLE_COMPILATION_CACHE": "false"},
        )
        for name, figures in stages.items():
            if isinstance(figures, dict):
                rows.append({"fit": what, "stage": name, **_shown(figures)})
    return Report(title, rows, NOTES)


def stages(source: str, model: str, engine: str) -> Figures:
    """Read, fit, make the tables, write."""
    import consilience as cs
    from benchmarks.fits import compiling
    from consilience.fitting import fit

    spent, found = compiling(), {}
    with _stage(found, "reading"):
        responses = cs.read(source)
    with _stage(found, "fitting"):
        fitted = fit(responses, model=model, engine=engine, states=3)
    found["of it compiling"] = {**found["fitting"], "seconds": sum(spent)}
    found["of it compiling"]["cpu_seconds"] = None
    with _stage(found, "tables"):
        fitted.items(), fitted.labels(), fitted.annotators(), fitted.confusion()
    with tempfile.TemporaryDirectory() as folder, _stage(found, "writing"):
        fitted.save(Path(folder, "run"))
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
