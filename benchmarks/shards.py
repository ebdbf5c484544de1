"""What is timed of shards in a process of its own, and the data.

Five answers an item to ten labels, a thousand answers an annotator, with text ids;
annotators are right with chances of their own, drawn from Beta(6, 3), and otherwise
name any label. Or five answers about each of two labels of an item, by annotators of
other thresholds, five hundred each.
"""

import os
import time
from statistics import median
from typing import Any

from benchmarks.harness import Clock, Figures

MODEL = "dawid_skene"


def make_large(*, path: str, answers: int) -> Figures:
    """Write five answers an item to ten labels as Parquet, a part after the other."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    generator = np.random.default_rng(0)
    people = max(answers // 1000, 20)
    accuracy = generator.beta(6, 3, people)
    names = pa.array([f"annotator-{number:06d}" for number in range(people)])
    labels = pa.array([f"class {number}" for number in range(10)])
    columns = ("item", "annotator", "label")
    schema = pa.schema([(name, pa.string()) for name in columns])
    with pq.ParquetWriter(path, schema) as writer:
        for first in range(0, answers // 5, 500_000):
            items = np.arange(first, min(first + 500_000, answers // 5))
            truth = generator.integers(0, 10, len(items)).repeat(5)
            who = generator.integers(0, people, len(truth))
            right = generator.random(len(truth)) < accuracy[who]
            label = np.where(right, truth, generator.integers(0, 10, len(truth)))
            item = pa.array(np.char.mod("item-%09d", items))
            parts = (
                item.take(pa.array(np.arange(len(items)).repeat(5))),
                names.take(pa.array(who)),
                labels.take(pa.array(label)),
            )
            writer.write_table(pa.table(parts, schema=schema))
    return {"responses": answers}


def make_contains(*, path: str, answers: int) -> Figures:
    """Write five answers about each of two labels of an item as Parquet."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    generator = np.random.default_rng(1)
    people, pairs = max(answers // 500, 20), answers // 5
    threshold = generator.normal(0, 0.8, people)
    first = generator.integers(0, 10, pairs // 2)
    other = (first + generator.integers(1, 10, pairs // 2)) % 10
    pair = np.arange(pairs).repeat(5)
    who = generator.integers(0, people, len(pair))
    middle = np.where(generator.random(pairs) < 0.4, 2.0, -2.0)
    shown = middle + generator.normal(0, 1.2, pairs)
    seen = 1.3 * (shown[pair] - threshold[who]) + generator.logistic(size=len(pair))
    codes = {
        "item": (pair // 2, np.char.mod("item-%09d", np.arange(pairs // 2))),
        "annotator": (who, np.char.mod("annotator-%06d", np.arange(people))),
        "label": (
            np.stack([first, other], 1).ravel()[pair],
            np.char.mod("class %d", np.arange(10)),
        ),
        "answer": (np.digitize(seen, [-0.4, 0.4]), np.array(["no", "maybe", "yes"])),
    }
    columns = {
        name: pa.DictionaryArray.from_arrays(code, pa.array(words)).cast(pa.string())
        for name, (code, words) in codes.items()
    }
    pq.write_table(pa.table(columns), path)
    return {"responses": answers}


def in_shards(path: str, folder: str, model: str, engine: str) -> Figures:
    """From a Parquet file to tables of all items, in shards."""
    import consilience as cs

    clock = Clock()
    with clock.timed():
        with clock.part("reading"):
            made = cs.shards.write(path, f"{folder}/shards", overwrite=True)
        with clock.part("fitting"):
            fitted = cs.shards.fit(made, model=model, engine=engine)
        with clock.part("writing"):
            fitted.save(f"{folder}/run", overwrite=True)
    return {**clock.figures, "sweeps": fitted.sweeps}


def in_memory(path: str, model: str, engine: str) -> Figures:
    """From a Parquet file to tables of all items, in memory."""
    import consilience as cs

    clock = Clock()
    with clock.timed():
        with clock.part("reading"):
            responses = cs.read(path)
        with clock.part("fitting"):
            fitted = cs.fit(responses, model=model, engine=engine)
        with clock.part("writing"):
            fitted.items().to_parquet(f"{path}.items")
            fitted.labels().to_parquet(f"{path}.labels")
    how = fitted.data.children.get("optimization")  # there is none where all is drawn
    return {**clock.figures, "sweeps": 0 if how is None else how.sizes["sweep"]}


def crowd_kit(path: str) -> Figures:
    """From a Parquet file to labels, by crowd-kit, whose reader is pandas."""
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    clock = Clock()
    with clock.timed():
        with clock.part("reading"):
            frame = pd.read_parquet(path)
            frame.columns = ["task", "worker", "label"]
        with clock.part("fitting"):
            fitted = DawidSkene(n_iter=1000, tol=1e-7).fit(frame)
        with clock.part("writing"):
            fitted.labels_.to_frame().to_parquet(f"{path}.items")
            fitted.probas_.to_parquet(f"{path}.labels")
    return {**clock.figures, "sweeps": len(fitted.loss_history_)}


def swept(path: str, folder: str, sweeps: int) -> Figures:
    """Bytes and seconds of a sweep, beside copying as many bytes, on all cores."""
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np

    import consilience as cs
    from consilience.annotators import fittable
    from consilience.fitting.sharded_study import ShardedStudy
    from consilience.inference.sharded import ShardedModel

    shards = cs.shards.write(path, f"{folder}/shards", overwrite=True)
    study = ShardedStudy.read(shards)
    model = ShardedModel(fittable(MODEL), study.space, len(shards))
    parts = list(model.executor.each(_sizes))
    answers = sum(each["answers"] for each in parts)
    stored = sum(each["stored"] for each in parts)
    gathered = sum(each["gathered"] for each in parts)
    tables = sum(each["tables"] for each in parts)
    shape = model.priors["confusion"].shape
    logs = {
        "prevalence": np.full(10, np.log(0.1)),
        "confusion": np.log(
            np.random.default_rng(0).dirichlet(np.ones(10), shape[:-1])
        ),
    }
    model.sweep(logs)
    seconds, copying = [], []
    cores = os.cpu_count() or 1
    block = (stored + gathered + tables) // 8 // cores // 2
    source = [np.ones(block) for _ in range(cores)]
    target = [np.zeros(block) for _ in range(cores)]
    with ThreadPoolExecutor(cores) as pool:
        for _ in range(sweeps):
            started = time.perf_counter()
            model.sweep(logs)
            seconds.append(time.perf_counter() - started)
            started = time.perf_counter()
            list(pool.map(np.copyto, target, source))
            copying.append(time.perf_counter() - started)
    return {
        "stored bytes an answer": stored / answers,
        "bytes gathered an answer": gathered / answers,
        "bytes of items and tables an answer": tables / answers,
        "a sweep, s": median(seconds),
        "answers a second, millions": answers / median(seconds) / 1e6,
        "copying as many bytes, s": median(copying),
        "of that speed": median(copying) / median(seconds),
    }


def _sizes(part: Any, _: int) -> dict[str, int]:
    """Return the bytes that a sweep of a part reads and writes.

    Stored answers are read by items and by annotators. Each answer reads a row of its
    annotator's table and, the other way round, a row of its item's posterior. Scores
    and posteriors of the items are written and read, and so are the tables.
    """
    matrix = part.matrix
    stored = matrix.by_pair.indices.nbytes + matrix.transposed.indices.nbytes
    starts = matrix.by_pair.indptr.nbytes + matrix.transposed.indptr.nbytes
    row, answers = 8 * matrix.num_states, int(matrix.by_pair.nnz)
    tables = matrix.num_annotators * matrix.num_answers
    return {
        "answers": answers,
        "stored": stored + starts,
        "gathered": 2 * row * answers,
        "tables": 2 * 2 * row * matrix.num_units + 2 * row * tables,
    }
