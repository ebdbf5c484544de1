"""Whether 90 % intervals hold, and probabilities, on crowds that no model draws.

Every model that `auto` may choose, and `auto` itself, is fitted with its default
settings to studies of `benchmarks.crowds`.
"""

from collections.abc import Iterator
from typing import Any

from benchmarks import crowds
from benchmarks.harness import Report

TITLE = "Coverage of intervals, and calibration of labels, on simulated crowds"
STUDIES, QUICK = 20, 1
MODELS = (
    "auto",
    "correlated_dawid_skene",
    "ordinal_dawid_skene",
    "community_bcc",
    "ebcc",
    "shared_errors",
    "hierarchical_dawid_skene",
)
BINS = 10

NOTES = (
    (
        "Share of 90 % intervals that contain the true value: of each annotator's "
        "accuracy, of the diagonal and of all cells of confusions, as the tables give "
        "them (wider where errors are correlated), and of prevalence. "
        "± is the standard error between studies. Of `auto`, they are those of the "
        "model whose annotators it reports."
    ),
    (
        f"{STUDIES} studies of each crowd: {crowds.ITEMS} items, {crowds.PEOPLE} "
        f"annotators, {crowds.PER_ITEM} answers an item, five labels. No crowd is "
        "drawn from a model; the priors were chosen with other crowds of the kinds "
        "`skill`, `hard items, spammers` and `independent rows` in view."
    ),
    (
        "accuracy, log-loss and ECE (of the most probable label, ten bins, all studies "
        "together) are of the labels as reported; raw: before tempering; oracle: "
        "log-loss of who knows annotators, prevalence and kinds of items exactly. "
        "ratings are fitted with `ordered=True`."
    ),
)


def coverage(*, quick: bool, repeats: int) -> Report:
    """Simulate, fit and look up."""
    del repeats
    kinds = ["ratings"] if quick else crowds.KINDS
    table = [
        _row(kind, model, QUICK if quick else STUDIES)
        for kind in kinds
        for model in MODELS
        if model != "ordinal_dawid_skene" or kind == "ratings"
    ]
    return Report(TITLE, table, NOTES)


def _row(kind: str, model: str, studies: int) -> dict[str, Any]:
    import numpy as np

    each = list(_studies(kind, model, studies))
    shares = np.array([study["inside"] for study in each])
    error = shares.std(0, ddof=1 if studies > 1 else 0) / np.sqrt(studies)
    mean = shares.mean(0)
    top = np.concatenate([study["top"] for study in each])
    hit = np.concatenate([study["hit"] for study in each])
    place = np.minimum((top * BINS).astype(int), BINS - 1)
    gap = [
        abs(hit[place == number].mean() - top[place == number].mean())
        * (place == number).mean()
        for number in np.unique(place)
    ]

    def average(name: str) -> float:
        return float(np.mean([study[name] for study in each]))

    return {
        "crowd": kind,
        "model": model,
        "annotators": float(mean[0]),
        "±": float(error[0]),
        "diagonal": float(mean[1]),
        "cells": float(mean[2]),
        "prevalence": float(mean[3]),
        "accuracy": float(hit.mean()),
        "log-loss": average("loss"),
        "raw": average("raw"),
        "oracle": None if kind == "copied answers" else average("oracle"),
        "ECE": float(np.sum(gap)),
        "CPU s": average("seconds"),
    }


def _studies(kind: str, model: str, studies: int) -> Iterator[dict[str, Any]]:
    from time import process_time

    import numpy as np

    import consilience as cs

    for seed in range(studies):
        crowd = crowds.KINDS[kind](seed)
        labels = [f"c{place}" for place in range(len(crowds.PREVALENCE))]
        responses = cs.read(crowd.frame, labels=labels)
        started = process_time()
        fit = cs.fit(responses, model=model, ordered=kind == "ratings", seed=seed)
        seconds = process_time() - started
        people, confusion = fit.annotators(), fit.confusion()
        true = crowd.confusion[[int(name[1:]) for name in people["annotator"]]]
        cells = _inside(confusion[confusion["annotator"].notna()], true.ravel())
        prevalence = fit.data["posterior"]["prevalence"].to_numpy()
        low, high = np.quantile(
            prevalence.reshape(-1, len(labels)), [0.05, 0.95], axis=0, method="weibull"
        )
        inside = (
            _inside(people, np.einsum("k,jkk->j", crowd.prevalence, true)).mean(),
            np.einsum("jkk->jk", cells.reshape(true.shape)).mean(),
            cells.mean(),
            ((low <= crowd.prevalence) & (crowd.prevalence <= high)).mean(),
        )
        reported, raw = (
            each.data["truth"]["probability"].to_numpy()
            for each in (fit, fit.with_(truth="raw"))
        )
        oracle = np.nan if crowd.oracle is None else _loss(crowd.oracle, crowd.truth)
        yield {
            "inside": inside,
            "top": reported.max(1),
            "hit": reported.argmax(1) == crowd.truth,
            "loss": _loss(reported, crowd.truth),
            "raw": _loss(raw, crowd.truth),
            "oracle": oracle,
            "seconds": seconds,
        }


def _inside(table: Any, true: Any) -> Any:
    low, high = table["lower"].to_numpy(), table["upper"].to_numpy()
    return (low <= true) & (true <= high)


def _loss(belief: Any, truth: Any) -> float:
    import numpy as np

    chance = belief[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(chance, 1e-3)).mean())
