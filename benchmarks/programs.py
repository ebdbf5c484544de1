"""What is timed in a process of its own, and the data: ours and its peers.

A fit is everything that a caller waits for, from a data frame in memory to a label for
each item: coding the frame's text, laying it out, compiling, climbing, checks and the
table of labels. Not timed are imports and reading the frame from disk.

Crowds are made by NumPy alone, so that no program under test had a hand in them:
columns `task`, `worker` and `label`, all text, and the `truth`.
"""

import sys
import time
import warnings
from pathlib import Path
from typing import Any

from benchmarks.harness import Clock, Figures, compiling, peak_mib

OWN, OTHER = 10.0, 0.5  # of the Dirichlets of confusions: ten classes, right 7 in 10
ANSWER = ["task", "worker", "label"]
CONTAINS = ["item", "annotator", "label", "answer"]


def make(
    *,
    path: str,
    items: int,
    annotators: int,
    classes: int,
    per_item: int,
    seed: int = 0,
    right: float | None = None,
) -> Figures:
    """Write a crowd as Parquet, or as CSV without the truth.

    The annotators of an item differ from each other. Each has a confusion matrix; if
    `right` is given, all name the truth so often, and otherwise any label.
    """
    import numpy as np
    import pandas as pd

    generator = np.random.default_rng(seed)
    truth = np.repeat(generator.integers(0, classes, items), per_item)
    annotator = _annotators(generator, items, annotators, per_item)
    if right is None:
        shape = np.where(np.eye(classes, dtype=bool), OWN, OTHER)
        confusion = generator.standard_gamma(shape, (annotators, classes, classes))
        cumulated = confusion.cumsum(2)
        point = generator.random(len(truth)) * cumulated[annotator, truth, -1]
        label = (cumulated[annotator, truth] <= point[:, None]).sum(1)
    else:
        guess = generator.integers(0, classes, len(truth))
        label = np.where(generator.random(len(truth)) < right, truth, guess)
    columns = {
        "task": _named("item", np.repeat(np.arange(items), per_item)),
        "worker": _named("annotator", annotator),
        "label": _named("class", label),
        "truth": _named("class", truth),
    }
    table = pd.DataFrame(columns)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    if path.endswith(".csv"):
        table[ANSWER].to_csv(path, index=False)
    else:
        table.to_parquet(path)
    return {"responses": len(truth)}


def make_listed(
    *, path: str, lists: str, items: int, annotators: int, labels: int
) -> Figures:
    """Write a crowd of many labels, and the five candidates of each item."""
    import numpy as np
    import pandas as pd

    generator = np.random.default_rng(0)
    family = generator.integers(0, labels // 10, (items, 1)) * 10
    listed = family + generator.random((items, 10)).argsort(1)[:, :5]
    skill = generator.beta(8, 4, annotators)
    weight = np.exp(generator.normal(size=labels))[listed]
    truth = generator.integers(0, 5, items)
    weight[np.arange(items), truth] = 0
    bound = weight.cumsum(1) / weight.sum(1, keepdims=True)
    error = (generator.random((items, 5, 1)) > bound[:, None]).sum(2)
    who = _annotators(generator, items, annotators, 5).reshape(items, 5)
    right = generator.random((items, 5)) < skill[who]
    slot = np.where(right, truth[:, None], error)
    item = _named("item", np.repeat(np.arange(items), 5))
    columns = {
        "task": item,
        "worker": _named("annotator", who.ravel()),
        "label": _named("label", np.take_along_axis(listed, slot, 1).ravel()),
        "truth": _named("label", np.repeat(listed[np.arange(items), truth], 5)),
    }
    pd.DataFrame(columns).to_parquet(path)
    candidates = {"item": item, "label": _named("label", listed.ravel())}
    pd.DataFrame(candidates).to_parquet(lists)
    return {"responses": items * 5}


def _annotators(generator, items, annotators, per_item):
    """Draw different annotators for each item, item by item."""
    import numpy as np

    first = generator.integers(0, annotators, (items, 1))
    steps = generator.integers(1, annotators // per_item + 1, (items, per_item - 1))
    who = np.concatenate([first, first + steps.cumsum(1)], 1) % annotators
    return who.ravel()


def _named(name, codes):
    import numpy as np
    import pandas as pd

    names = pd.Series([f"{name}{code}" for code in range(int(codes.max()) + 1)])
    return names.astype("str").take(np.asarray(codes)).reset_index(drop=True)


def _crowd(path):
    """Return the answers of a crowd, and the truth of each item."""
    import pandas as pd

    table = pd.read_parquet(path)
    return table[ANSWER], table.drop_duplicates("task").set_index("task")["truth"]


def consilience(
    path: str,
    model: str,
    engine: str,
    tolerance: float | None = None,
    draws: int | None = None,
    lists: str | None = None,
    prior: dict[str, float] | None = None,
) -> Figures:
    """Fit by consilience; `lists` are candidates."""
    import pandas as pd

    import consilience as cs
    from consilience.fitting import fit
    from consilience.inference import EngineOptions

    frame, truth = _crowd(path)
    candidates = None if lists is None else pd.read_parquet(lists)
    labels = None if candidates is None else sorted(set(candidates["label"]))
    seconds, clock = compiling(), Clock()
    with clock.timed():
        with clock.part("reading"):
            responses = cs.read(frame, labels=labels)
        fitted = fit(
            responses,
            model=model,
            engine=engine,
            candidates=candidates,
            prior=prior or {},
            effort=EngineOptions(tolerance=tolerance, draws=draws),
        )
        items = fitted.items()
    chosen = items.set_index("item")["label"].astype("str")
    table = fitted.labels().astype({"item": "str", "label": "str"})
    right = truth.reindex(table["item"]).to_numpy(str) == table["label"].to_numpy(str)
    figures = {**clock.figures, "compile_seconds": sum(seconds)}
    if "optimization" in fitted.data.children:  # a rule has none
        figures["sweeps"] = int(fitted.data["optimization"]["objective"].count())
        figures["draws"] = fitted.data["posterior"].sizes["draw"]
    return {
        **figures,
        "accuracy": _share_right(chosen, truth),
        "log-loss": _loss(table["probability"][right], truth),
    }


def crowd_kit(
    path: str, method: str, options: dict[str, float] | None = None
) -> Figures:
    """Fit by a method of crowd-kit."""
    import numpy as np

    warnings.simplefilter("ignore")  # it uses what pandas 3 warns of
    from crowdkit import aggregation

    frame, truth = _crowd(path)
    clock = Clock()
    with clock.timed():
        fitted = getattr(aggregation, method)(**(options or {})).fit(frame)
        labels = fitted.labels_
    figures = {**clock.figures, "accuracy": _share_right(labels, truth)}
    known = vars(fitted)
    if known.get("loss_history_") is not None:
        figures["sweeps"] = len(known["loss_history_"])
    if known.get("probas_") is not None:
        table = known["probas_"].reindex(truth.index)
        place = table.columns.get_indexer(truth)
        given = table.to_numpy()[np.arange(len(truth)), place]
        figures["log-loss"] = _loss(np.where(place < 0, 0, given), truth)
    return figures


def _share_right(chosen, truth) -> float:
    aligned = truth.reindex(chosen.index)
    return float((chosen.to_numpy(str) == aligned.to_numpy(str)).mean())


def _loss(given, truth) -> float:
    import numpy as np

    loss = -np.log(np.maximum(np.asarray(given, float), 1e-12)).sum()
    return float(loss / len(truth))


def two_fits(
    *, paths: list[str], model: str, engine: str, tolerance: float | None = None
) -> Figures:
    """Fit two data sets in this process; seconds of the first are those since exec.

    The model "crowd-kit" is its DawidSkene.
    """
    import os

    import pandas as pd

    frame = pd.read_parquet(paths[0])[ANSWER]
    _fit(frame, model, engine, tolerance)
    ticks = os.sysconf("SC_CLK_TCK")
    began = int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
    up = float(Path("/proc/uptime").read_text().split()[0])
    first, cpu = up - began / ticks, time.process_time()
    other = pd.read_parquet(paths[1])[ANSWER]
    started = time.perf_counter()
    _fit(other, model, engine, tolerance)
    second = time.perf_counter() - started
    return {
        "seconds": first,
        "cpu_seconds": cpu,
        "second fit, s": second,
        "peak_mib": peak_mib(),
    }


def _fit(frame: Any, model: str, engine: str, tolerance: float | None) -> None:
    if model == "crowd-kit":
        from crowdkit.aggregation import DawidSkene

        DawidSkene().fit_predict(frame)
        return
    import consilience as cs

    effort = cs.EngineOptions(tolerance=tolerance)
    cs.fit(frame, model=model, engine=engine, effort=effort).labels()


# Models of choice by closed form, in turn; after every round one of the slow ones,
# which take longer to compile.
FAST = (
    *(("dawid_skene", "em"), ("majority", "rule"), ("mace", "em"), ("mace", "vb")),
    *(("one_coin_dawid_skene", "vb"), ("one_coin_dawid_skene", "em")),
    *(("bayesian_dawid_skene", "vb"), ("bayesian_dawid_skene", "em")),
    *(("hierarchical_dawid_skene", "vb"), ("shared_errors", "vb")),
    *(("multinomial", "vb"), ("multinomial", "em"), ("community_bcc", "em")),
    *(("class_conditional", "vb"), ("class_conditional", "em"), ("structured", "vb")),
)
SLOW = (
    ("choice", "ebcc", "em"),
    ("choice", "bwa", "rule"),
    ("choice", "glad", "em"),
    ("contains", "contains_counts", "em"),
    ("choice", "community_bcc", "vb"),
    ("contains", "contains_states", "vb"),
    ("choice", "ebcc", "vb"),
    ("choice", "item_difficulty", "em"),
    ("contains", "contains", "em"),
    ("choice", "logistic_random_effects", "gibbs"),
    ("objects", "objects", "em"),
    ("choice", "auto", "auto"),
    ("objects", "tsipras2020", "auto"),
    ("choice", "auto", "vb"),
)


def many_fits(number: int, every: int) -> Figures:
    """Fit studies of different sizes; return the state of the process as fits go on."""
    import consilience as cs

    rows, most, models = [], 0, set()
    started = time.process_time()
    for fit in range(1, number + 1):
        turn, place = divmod(fit - 1, len(FAST) + 1)
        slow = place == len(FAST)
        kind, model, engine = (
            SLOW[turn % len(SLOW)] if slow else ("choice", *FAST[place])
        )
        cs.fit(_study(kind, fit), model=model, engine=engine, seed=fit)
        models.add(model)
        places = Path("/proc/self/maps").read_bytes().count(b"\n")
        most = max(most, places)
        if not fit % every or fit == number:
            status = Path("/proc/self/status").read_text().split("\n")
            resident = next(line for line in status if "VmRSS" in line)
            rows.append(
                {
                    "fits": fit,
                    "models": len(models),
                    "places": places,
                    "most": most,
                    "resident MiB": int(resident.split()[1]) / 2**10,
                    "peak MiB": peak_mib(),
                    "CPU seconds": time.process_time() - started,
                }
            )
    return {"rows": rows}


def _study(kind, fit):
    import consilience as cs

    size = {"items": 7 + fit * 37 % 61, "annotators": 5 + fit * 11 % 7, "seed": fit}
    size |= {"per_item": 2 + fit % 4}
    if kind == "objects":
        size |= {"items": 10 + fit % 9, "per_item": 4, "classes": 8}
    elif kind == "contains":
        size |= {"model": "contains"}
    else:
        size |= {"classes": 2 + fit % 4}
    return cs.simulate(kind=kind, **size).responses


def imported_by_help() -> Figures:
    """Return which heavy packages `--help` imports."""
    from contextlib import redirect_stdout, suppress
    from io import StringIO

    from consilience.cli import main

    with redirect_stdout(StringIO()), suppress(SystemExit):
        main(["--help"])
    heavy = ("jax", "numpyro", "numpy", "pandas", "xarray", "scipy", "sklearn")
    return {"heavy": [name for name in heavy if name in sys.modules]}


def agreement(path: str, resamples: int) -> Figures:
    """Measure all coefficients of agreement."""
    import consilience as cs
    from consilience.analysis import agreement as coefficients

    responses = cs.read(_crowd(path)[0])
    clock = Clock()
    with clock.timed():
        result = coefficients(responses, resamples=resamples)
    alpha, kappa = result["krippendorff"], result["fleiss"]
    return {**clock.figures, "alpha": alpha, "Fleiss's kappa": kappa}


def alpha_by_krippendorff(path: str) -> Figures:
    """Measure the library's alpha from counts."""
    import krippendorff

    item, label = _codes(path)
    clock = Clock()
    with clock.timed():
        counts = _counts(item, label)
        value = krippendorff.alpha(value_counts=counts, level_of_measurement="nominal")
    return {**clock.figures, "alpha": float(value)}


def kappa_by_statsmodels(path: str) -> Figures:
    """Measure the library's Fleiss's kappa from counts."""
    from statsmodels.stats.inter_rater import fleiss_kappa

    item, label = _codes(path)
    clock = Clock()
    with clock.timed():
        value = fleiss_kappa(_counts(item, label))
    return {**clock.figures, "Fleiss's kappa": float(value)}


def _codes(path):
    import pandas as pd

    frame, _ = _crowd(path)
    return pd.factorize(frame["task"])[0], pd.factorize(frame["label"])[0]


def _counts(item, label):
    import numpy as np

    shape = int(item.max()) + 1, int(label.max()) + 1
    flat = np.bincount(item * shape[1] + label, minlength=shape[0] * shape[1])
    return flat.reshape(shape)


def _rated(data: str):
    """Return all answers of the reassessed labels; pairs in both parts count once."""
    import pandas as pd

    import consilience as cs

    parts = [
        cs.read(f"{data}/reassessed-imagenet", format=name).table
        for name in ("reassessed_imagenet_golden", "reassessed_imagenet")
    ]
    rows = pd.concat([part[CONTAINS].astype("str") for part in parts])
    return rows.drop_duplicates(CONTAINS[:3], ignore_index=True)


def contains(data: str, model: str, engine: str) -> Figures:
    """Fit all answers of the reassessed labels by consilience, to files."""
    import tempfile

    import consilience as cs

    rows = _rated(data)
    if model == "contains_counts":
        rows = rows.drop(columns="annotator")
    responses = cs.read(rows, kind="contains")
    seconds, clock = compiling(), Clock()
    with clock.timed():
        fitted = cs.fit(responses, model=model, engine=engine, seed=0)
        with clock.part("labels"):
            labels = fitted.labels()
    with tempfile.TemporaryDirectory() as folder, clock.part("writing"):
        fitted.save(Path(folder, "run"))
    figures = {**clock.figures, "compile_seconds": sum(seconds)}
    return {**figures, "pairs": len(labels)}


def contains_by_crowd_kit(data: str) -> Figures:
    """Fit all answers of the reassessed labels by crowd-kit."""
    from crowdkit.aggregation import DawidSkene

    rows = _rated(data)
    frame = rows.assign(task=rows["item"] + "|" + rows["label"])
    frame = frame[["task", "annotator", "answer"]].set_axis(ANSWER, axis="columns")
    warnings.simplefilter("ignore")  # it uses what pandas 3 warns of
    clock = Clock()
    with clock.timed():
        fitted = DawidSkene(n_iter=100).fit_predict_proba(frame)
    return {**clock.figures, "pairs": len(fitted)}
