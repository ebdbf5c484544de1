"""Classifying images beside the bare network: images a second, and where time goes.

Photographs of the usual size (JPEG, some 500 x 375 pixels) are made from those that
scikit-image and scikit-learn ship, each cut out at another place.

Feeds `docs/reference/benchmarks.md`.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter, process_time, thread_time
from typing import Any

from msgspec.structs import replace

from benchmarks.harness import ROOT, Figures, Report, alone

MODEL = ROOT / "models" / "efficientnet_lite0"
IMAGES, MANY, ROUNDS = 160, 1920, 12
BATCH = 16
SETTINGS: Any = {"device": "cpu", "batch": BATCH, "readers": 1, "threads": 1}
SHIPPED = ("astronaut", "chelsea", "coffee", "motorcycle_left", "rocket", "retina")

NOTES = (
    (
        "`bare session` runs the network alone on images that are ready in memory, "
        "with one thread and batches of sixteen. `classify` does the complete work "
        "on the same images, from JPEG files to Parquet: one thread computes, "
        "another reads, decodes and resamples. Both run alternately in one process; "
        "medians of the seconds after the network has been loaded."
    ),
    (
        "`computing thread` is the CPU time of the computing thread, which limits "
        "the speed if a second core is free to decode. `share of bare` is based on "
        "it; `by the clock` is based on wall-clock seconds, which other load on the "
        "machine increases, more so for two threads."
    ),
    (
        "Two networks: this one twice, under two names, with the same preprocessing or "
        "with another (`squash`). `one run` decodes each image once for both, and "
        "resamples it once if the preprocessing is the same; `two runs` is the sum. "
        "CPU time of the process, alternately, loading included; medians."
    ),
    (
        "Stages: CPU milliseconds, one thread, sequentially. Memory: peak memory of "
        "the process, for these images and for twelve times as many."
    ),
)


def classify(*, quick: bool, repeats: int) -> Report:
    """Measure each in a process of its own."""
    number, many = (32, 64) if quick else (IMAGES, MANY)
    rounds = 2 if quick else max(ROUNDS, repeats)
    with tempfile.TemporaryDirectory() as folder:
        make_images(Path(folder, "images"), number)
        make_images(Path(folder, "many"), many)
        few, more = ({"folder": f"{folder}/{name}"} for name in ("images", "many"))
        taken = alone(("benchmarks.classify", "beside", {**few, "rounds": rounds}))
        peaks = [alone(("benchmarks.classify", "memory", each)) for each in (few, more)]
        spent = alone(("benchmarks.classify", "stages", few))
        both = alone(("benchmarks.classify", "two_networks", {**few, "rounds": rounds}))
    rows = [
        _row("bare session", taken["bare"], taken["bare"], number),
        _row("classify", taken["classify"], taken["bare"], number),
    ]
    rows += [
        {"what": f"two networks, {name}", "CPU ms/image": 1e3 * seconds / number}
        for name, seconds in both.items()
        if name.endswith(("run", "runs"))
    ]
    for images, figures in zip((number, many), peaks, strict=True):
        rows.append(
            {"what": f"memory, {images:,} images", "peak MiB": figures["peak_mib"]}
        )
    rows += [
        {"what": f"stage: {name}", "CPU ms/image": 1e3 * seconds / number}
        for name, seconds in spent.items()
        if name != "process_seconds"
    ]
    return Report("Classifying images", rows, NOTES)


def _row(what, figures, peer, number):
    return {
        "what": what,
        "images/s": number / figures["wall"],
        "share of bare": peer["thread"] / figures["thread"],
        "by the clock": peer["wall"] / figures["wall"],
        "computing thread, ms/image": 1e3 * figures["thread"] / number,
        "CPU ms/image": 1e3 * figures["process"] / number,
    }


def make_images(folder: Path, number: int) -> None:
    """Write JPEG files, each another part of a photograph."""
    import numpy as np
    from models.exporting.photographs import photograph
    from PIL import Image

    from consilience.classifiers.images import decode

    folder.mkdir()
    generator = np.random.default_rng(0)
    pictures = [decode(photograph(name)).rgb for name in SHIPPED]
    for k in range(number):
        picture = pictures[k % len(pictures)]
        width, height = picture.size
        left, top = generator.integers(0, [width // 5, height // 5])
        part = picture.crop((left, top, left + 4 * width // 5, top + 4 * height // 5))
        side = (500, 375) if k % 2 else (375, 500)
        resized = part.resize(side, Image.Resampling.LANCZOS)
        resized.save(folder / f"{k:05d}.jpg", quality=92)


def beside(folder: str, rounds: int) -> Figures:
    """Run the network alone, and the whole of the work, in turn in one process."""
    import numpy as np

    classifier, how = _loaded()
    squares = [_square(file, how) for file in sorted(Path(folder).iterdir())]
    batches = [np.stack(squares[k : k + BATCH]) for k in range(0, len(squares), BATCH)]
    classifier.logits(batches[0])

    def bare() -> dict[str, float]:
        clock = _Clock()
        for batch in batches:
            classifier.session.run(None, {"image": batch})
        return clock.spent()

    taken: dict[str, list] = {"bare": [], "classify": []}
    for _ in range(rounds):
        taken["bare"].append(bare())
        taken["classify"].append(_whole(folder))
    return {
        name: {part: median(each[part] for each in several) for part in several[0]}
        for name, several in taken.items()
    }


def two_networks(folder: str, rounds: int) -> Figures:
    """Classify by two networks in one run, and in two, in turn in one process."""
    from consilience.classifiers import classify, read_manifest
    from consilience.classifiers.manifest import write_manifest

    def spent(*folders: Path) -> float:
        started = process_time()
        with tempfile.TemporaryDirectory() as out:
            classify([folder], folders, Path(out, "p"), **SETTINGS)
        return process_time() - started

    taken: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as place:
        for name, mode, resize in (("same", "crop", 256), ("squash", "squash", None)):
            copy = Path(place, name)
            shutil.copytree(MODEL, copy)
            manifest = read_manifest(MODEL)
            how = replace(manifest.preprocessing, mode=mode, resize=resize)
            write_manifest(replace(manifest, name=name, preprocessing=how), copy)
            for _ in range(rounds):
                one, two = spent(MODEL, copy), spent(MODEL) + spent(copy)
                taken.setdefault(f"{name}, one run", []).append(one)
                taken.setdefault(f"{name}, two runs", []).append(two)
    return {name: median(seconds) for name, seconds in taken.items()}


def memory(folder: str) -> Figures:
    """Classify the files of a folder; return the most memory that was held."""
    from benchmarks.harness import peak_mib

    _whole(folder)
    return {"peak_mib": peak_mib()}


class _Clock:
    """Seconds on the wall, of this thread, and of the process."""

    def __init__(self) -> None:
        self.start = (perf_counter(), thread_time(), process_time())

    def spent(self) -> dict[str, float]:
        now = (perf_counter(), thread_time(), process_time())
        spent = (end - start for end, start in zip(now, self.start, strict=True))
        return dict(zip(("wall", "thread", "process"), spent, strict=True))


def _whole(folder: str) -> dict[str, float]:
    """Classify the files of a folder; time begins when the network is loaded."""
    from consilience.classifiers import classify, classifying

    pipeline: Any = classifying
    load, begun = pipeline.load_classifier, []

    def loaded(*arguments, **settings):
        found = load(*arguments, **settings)
        begun.append(_Clock())
        return found

    pipeline.load_classifier = loaded
    try:
        with tempfile.TemporaryDirectory() as out:
            classify([folder], [MODEL], Path(out, "p"), **SETTINGS)
            return begun[0].spent()
    finally:
        pipeline.load_classifier = load


def stages(folder: str) -> Figures:
    """Take the stages one after the other, in one thread."""
    import numpy as np

    from consilience.classifiers.classifying import best_labels
    from consilience.classifiers.images import decode, prepare
    from consilience.classifiers.pieces import Pieces
    from consilience.classifiers.predictions import Account, provenance

    classifier, how = _loaded()
    files = sorted(Path(folder).iterdir())
    classifier.logits(_square(files[0], how)[None])  # what is done once is done
    spent: Figures = {}
    for name, step in _steps(files, how, decode, prepare):
        started = thread_time()
        held = step()
        spent[name] = thread_time() - started
    squares = np.stack(held)
    started = process_time()
    logits = [
        classifier.logits(squares[k : k + BATCH]) for k in range(0, len(files), BATCH)
    ]
    spent["network"] = process_time() - started
    started = thread_time()
    names = [file.name for file in files]
    tables = [
        best_labels(names[k * BATCH : k * BATCH + len(each)], classifier, each, 20)
        for k, each in enumerate(logits)
    ]
    spent["best labels"] = thread_time() - started
    with tempfile.TemporaryDirectory() as out:
        started = thread_time()
        account = Account(keep=20, classifiers=(provenance(classifier.manifest),))
        pieces = Pieces(Path(out), account, [classifier.labels])
        import pyarrow as pa

        pieces.add(pa.concat_tables(tables), [{"item": name} for name in names])
        spent["writing"] = thread_time() - started
    return spent


def _steps(files, how, decode, prepare) -> Iterator[tuple]:
    data, pictures = [], []
    yield "reading", lambda: data.extend(file.read_bytes() for file in files)
    yield "decoding", lambda: pictures.extend(decode(each).rgb for each in data)
    yield "resampling", lambda: [prepare(each, how) for each in pictures]


def _loaded():
    from consilience.classifiers.classifier import load_classifier
    from consilience.classifiers.runtime import choose

    classifier = load_classifier(MODEL, choose("cpu"), threads=1)
    return classifier, classifier.manifest.preprocessing


def _square(file: Path, how):
    from consilience.classifiers.images import decode, prepare

    return prepare(decode(file.read_bytes()).rgb, how)
