"""A thousand labels on short lists: how a fit grows with responses, and its peers."""

import tempfile
from pathlib import Path

from benchmarks.measure import Clock, Figures, alone, in_turn
from benchmarks.report import Report
from benchmarks.speed import NO_CACHE, has_peer

SIZES = ((100_000, 1000), (300_000, 1000), (1_000_000, 1000))  # responses, annotators
QUICK = ((600, 20),)
LARGEST_OF_PEER = 300_000  # beyond, its table of items by labels takes gigabytes
PEER = "crowd-kit MajorityVote"

NOTES = (
    (
        "Five answers per item, five of a thousand labels as candidates, all of one "
        "family of ten; accuracies are Beta(8, 4), and errors fall on the "
        "candidates, with a popularity of each label (standard deviation 1 of the "
        "logarithm)."
    ),
    (
        "A complete fit: from pandas frames in memory, including the candidates, to "
        "a label for each item, with compilation and without imports and file "
        "access."
    ),
    (
        "crowd-kit does not use candidates and treats every label as possible. "
        "Log-loss is of the true label, clipped at 1e-12; votes are not smoothed. "
        "Its OneCoinDawidSkene is omitted: on 600 responses of 50 labels it took 22 "
        "seconds of CPU time, growing with annotators x iterations."
    ),
    (
        "popularity: `structured` with popularity=1; pairs: also with pairs=0.5. vb "
        "uses its default number of draws for the size."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Measure."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for responses, annotators in QUICK if quick else SIZES:
            size = {"items": responses // 5, "annotators": annotators}
            size |= {"labels": 50 if quick else 1000}
            alone(("benchmarks.many_labels", "make", {"folder": folder, **size}))
            taken = in_turn(_calls(folder, responses, quick=quick), repeats)
            rows += [_row(responses, name, figures) for name, figures in taken.items()]
    return Report("A fit of a thousand labels", rows, NOTES)


def make(*, folder: str, items: int, annotators: int, labels: int) -> Figures:
    """Write responses with their truth, and lists, by NumPy alone."""
    import numpy as np
    import pandas as pd

    generator = np.random.default_rng(0)
    family = generator.integers(0, labels // 10, (items, 1)) * 10
    lists = family + generator.random((items, 10)).argsort(1)[:, :5]
    skill = generator.beta(8, 4, annotators)
    weight = np.exp(generator.normal(size=labels))[lists]
    truth = generator.integers(0, 5, items)
    weight[np.arange(items), truth] = 0
    bound = weight.cumsum(1) / weight.sum(1, keepdims=True)
    error = (generator.random((items, 5, 1)) > bound[:, None]).sum(2)
    first = generator.integers(0, annotators, (items, 1))
    steps = generator.integers(1, annotators // 5 + 1, (items, 4))
    who = np.concatenate([first, first + steps.cumsum(1)], 1) % annotators
    right = generator.random((items, 5)) < skill[who]
    slot = np.where(right, truth[:, None], error)
    names = np.array([f"label{code:03d}" for code in range(labels)])
    item = np.array([f"item{code}" for code in range(items)])
    people = np.array([f"annotator{code}" for code in range(annotators)])
    true = names[lists[np.arange(items), truth]]
    answers = {
        "task": np.repeat(item, 5),
        "worker": people[who.ravel()],
        "label": names[np.take_along_axis(lists, slot, 1).ravel()],
        "truth": np.repeat(true, 5),
    }
    pd.DataFrame(answers).to_parquet(Path(folder, "answers.parquet"))
    listed = pd.DataFrame({"item": np.repeat(item, 5), "label": names[lists.ravel()]})
    listed.to_parquet(Path(folder, "lists.parquet"))
    return {"responses": items * 5}


def ours(folder: str, model: str, engine: str, prior: dict[str, float]) -> Figures:
    """Fit by consilience."""
    import pandas as pd

    import consilience as cs
    from consilience.fitting import fit

    frame, truth = _read(folder)
    lists = pd.read_parquet(Path(folder, "lists.parquet"))
    clock = Clock()
    with clock.timed():
        responses = cs.read(frame, labels=sorted(set(lists["label"])))
        fitted = fit(
            responses, model=model, engine=engine, candidates=lists, prior=prior
        )
        items = fitted.items()
    chosen = items.set_index("item")["label"].astype("str")
    labels = fitted.labels()
    of_truth = truth.reindex(labels["item"].astype("str")).to_numpy(str)
    given = labels["probability"][of_truth == labels["label"].to_numpy(str)]
    return {
        **clock.figures,
        **_scores(chosen, given, truth),
        "sweeps": int(fitted.data["optimization"]["objective"].count()),
        "draws": fitted.data["posterior"].sizes["draw"],
    }


def theirs(folder: str, method: str) -> Figures:
    """Fit by crowd-kit."""
    import warnings

    warnings.simplefilter("ignore")  # it uses what pandas 3 warns of
    import numpy as np
    from crowdkit import aggregation

    frame, truth = _read(folder)
    clock = Clock()
    with clock.timed():
        fitted = getattr(aggregation, method)().fit(frame)
    table = fitted.probas_.reindex(truth.index)
    place = table.columns.get_indexer(truth)
    given = np.where(place < 0, 0, table.to_numpy()[np.arange(len(truth)), place])
    return {**clock.figures, **_scores(fitted.labels_, given, truth)}


def _read(folder):
    import pandas as pd

    table = pd.read_parquet(Path(folder, "answers.parquet"))
    truth = table.drop_duplicates("task").set_index("task")["truth"]
    return table[["task", "worker", "label"]], truth


def _scores(chosen, given, truth):
    import numpy as np

    lost = -np.log(np.maximum(np.asarray(given, float), 1e-12)).sum()
    aligned = truth.reindex(chosen.index)
    return {
        "accuracy": float((chosen.to_numpy(str) == aligned.to_numpy(str)).mean()),
        "log_loss": float(lost / len(truth)),
    }


def _calls(folder, responses, *, quick):
    popular, pairs = {"popularity": 1.0}, {"popularity": 1.0, "pairs": 0.5}
    fits = {
        "em majority": ("majority", "em", {}),
        "em structured": ("structured", "em", {}),
        "vb structured": ("structured", "vb", {}),
        "em structured, popularity": ("structured", "em", popular),
        "em structured, popularity and pairs": ("structured", "em", pairs),
    }
    calls = {
        name: _alone("ours", folder=folder, model=model, engine=engine, prior=prior)
        for name, (model, engine, prior) in list(fits.items())[: 2 if quick else None]
    }
    if has_peer() and responses <= LARGEST_OF_PEER:
        calls[PEER] = _alone("theirs", folder=folder, method="MajorityVote")
    return calls


def _alone(function, **arguments):
    return lambda: alone(("benchmarks.many_labels", function, arguments), NO_CACHE)


def _row(responses, name, figures):
    return {
        "responses": responses,
        "program": name,
        "seconds": figures["seconds"],
        "CPU seconds": figures["cpu_seconds"],
        "process MiB": figures["peak_mib"],
        "of the fit, MiB": figures["peak_mib"] - figures["before_mib"],
        "sweeps": figures.get("sweeps"),
        "draws": figures.get("draws"),
        "accuracy": figures["accuracy"],
        "log-loss": figures["log_loss"],
    }
