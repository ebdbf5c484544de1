"""Classifying images beside the bare network: images a second, and where time goes.

Photographs of the usual size (JPEG, some 500 x 375 pixels) are made from those that
scikit-image and scikit-learn ship, each cut out at another place.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, process_time, thread_time

from benchmarks.measure import ROOT, Figures, alone, in_turn
from benchmarks.report import Report

MODEL = ROOT / "models" / "efficientnet_lite0"
IMAGES, MANY = 640, 2560
BATCH = 16
SHIPPED = ("astronaut", "chelsea", "coffee", "motorcycle_left", "rocket", "retina")

NOTES = (
    (
        "`bare session` runs the network alone over squares that lie ready in memory, "
        "one thread, batches of sixteen. `classify` does all of the work, from JPEG "
        "files to Parquet: one thread computes, another reads, decodes and resamples. "
        "In turn, medians; of each the seconds after the network has been loaded."
    ),
    (
        "Stages: seconds of the processor an image, one thread, one after the other. "
        "Memory: the most the process held, for images and for four times as many."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Measure each in a process of its own."""
    number, many = (32, 64) if quick else (IMAGES, MANY)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        make_images(Path(folder, "images"), number)
        make_images(Path(folder, "many"), many)
        few, more = ({"folder": f"{folder}/{name}"} for name in ("images", "many"))
        taken = in_turn(
            {
                "bare session": lambda: alone(("benchmarks.classify", "bare", few)),
                "classify": lambda: alone(("benchmarks.classify", "whole", few)),
            },
            repeats,
        )
        most = alone(("benchmarks.classify", "whole", more))
        stages = alone(("benchmarks.classify", "stages", few))
    peer = taken["bare session"]
    for name, figures in taken.items():
        rows.append(_row(f"{name}, {number:,} images", figures, number, peer))
    rows.append(_row(f"classify, {many:,} images", most, many, peer))
    for name, seconds in stages.items():
        if name != "process_seconds":
            row = {"what": f"stage: {name}", "CPU ms/image": 1e3 * seconds / number}
            rows.append({column: row.get(column) for column in rows[0]})
    return Report("Classifying images", rows, NOTES)


def _row(what, figures, number, peer):
    rate = figures["images"] / figures["seconds"]
    return {
        "what": what,
        "images/s": rate,
        "share of bare": rate / (peer["images"] / peer["seconds"]),
        "CPU ms/image": 1e3 * figures["cpu_seconds"] / number,
        "peak MiB": figures["peak_mib"],
    }


def make_images(folder: Path, number: int) -> None:
    """Write JPEG files, each another part of a photograph."""
    import numpy as np
    from PIL import Image

    from consilience.classifiers.decoding import decode
    from consilience.classifiers.export import photograph

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


def bare(folder: str) -> Figures:
    """Run the network alone, over squares that lie ready."""
    import numpy as np

    from benchmarks.measure import peak_mib

    classifier, how = _loaded()
    squares = [_square(file, how) for file in sorted(Path(folder).iterdir())]
    batches = [np.stack(squares[k : k + BATCH]) for k in range(0, len(squares), BATCH)]
    classifier.logits(batches[0])
    started, processor = perf_counter(), process_time()
    for batch in batches:
        classifier.session.run(None, {"image": batch})
    return {
        "images": len(squares),
        "seconds": perf_counter() - started,
        "cpu_seconds": process_time() - processor,
        "peak_mib": peak_mib(),
    }


def whole(folder: str) -> Figures:
    """Classify the files of a folder; time begins when the network is loaded."""
    from benchmarks.measure import peak_mib
    from consilience.classifiers import Pace, classify
    from consilience.classifiers import classifying as pipeline

    load, begun = pipeline.load_classifier, {}

    def loaded(*arguments, **settings):
        found = load(*arguments, **settings)
        begun.update(wall=perf_counter(), processor=process_time())
        return found

    pipeline.load_classifier = loaded
    pace = Pace(batch=BATCH, readers=1, threads=1)
    with tempfile.TemporaryDirectory() as out:
        found = classify([folder], [MODEL], Path(out, "p"), device="cpu", pace=pace)
        return {
            "images": found.classified,
            "seconds": perf_counter() - begun["wall"],
            "cpu_seconds": process_time() - begun["processor"],
            "peak_mib": peak_mib(),
        }


def stages(folder: str) -> Figures:
    """Take the stages one after the other, in one thread."""
    import numpy as np

    from consilience.classifiers import classifying as pipeline
    from consilience.classifiers.decoding import decode
    from consilience.classifiers.predictions import Account, Pieces, told
    from consilience.classifiers.preprocessing import prepare

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
        pipeline.best_labels(
            names[k * BATCH : k * BATCH + len(each)], classifier, each, 20
        )
        for k, each in enumerate(logits)
    ]
    spent["best labels"] = thread_time() - started
    with tempfile.TemporaryDirectory() as out:
        started = thread_time()
        account = Account(keep=20, classifiers=(told(classifier.manifest),))
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
    import onnxruntime

    from consilience.classifiers.classifier import load_classifier
    from consilience.classifiers.runtime import choose

    choice = choose("cpu", onnxruntime)
    classifier = load_classifier(MODEL, choice, onnxruntime, threads=1)
    return classifier, classifier.manifest.preprocessing


def _square(file: Path, how):
    from consilience.classifiers.decoding import decode
    from consilience.classifiers.preprocessing import prepare

    return prepare(decode(file.read_bytes()).rgb, how)
