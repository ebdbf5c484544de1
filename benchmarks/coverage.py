"""Whether 90 % intervals hold what they promise, and probabilities, on simulated data.

Studies of choice and of yes, maybe and no are drawn from none of the models (`crowds`,
`contains_crowds`), and studies of yes, maybe and no also from the model's own prior.

Feeds `docs/reference/benchmarks-contains.md`, `docs/reference/coverage.md`.
"""

from collections.abc import Iterator
from time import process_time
from typing import Any

from benchmarks import contains_crowds, crowds
from benchmarks.harness import Report

STUDIES, CONTAINS_STUDIES = 20, 2
MODELS = (
    "auto",
    "correlated_dawid_skene",
    "ordinal_dawid_skene",
    "community_bcc",
    "ebcc",
    "shared_errors",
    "hierarchical_dawid_skene",
)
CONTAINS_MODELS = ("auto", "contains_states", "hierarchical_dawid_skene")
CONTAINS_COLUMNS = (
    *("log-loss", "accuracy", "mean P", "true share", "sensitivity", "specificity"),
    *("width", "alike", "CPU s"),
)
BINS, LEAST = 10, 1e-3  # of the ECE; log-loss clips probabilities there

CHOICE_NOTES = (
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
CONTAINS_NOTES = (
    (
        f"{CONTAINS_STUDIES} studies of each kind: {contains_crowds.ITEMS} items, "
        f"{contains_crowds.ASKED} labels asked of each, {contains_crowds.PEOPLE} "
        f"annotators, {contains_crowds.PER_ITEM} an item unless the kind says so. "
        "Log-loss of P(present) is clipped at .001. smoothed votes: (votes + 2 m) / "
        "(n + 2), a maybe counting half, m the mean vote of the study."
    ),
    (
        "sensitivity, specificity: share of 90 % intervals that contain P(yes | "
        "present) and P(no | absent) of an annotator; width: mean width of the first. "
        "mean P: mean of P(present), beside the true share. ECE: ten bins, all "
        "studies together. alike: share of studies in which the check "
        "annotators_alike fails, which is now of the model contains alone."
    ),
    (
        "of twins, that do not look: log-loss of auto less that of smoothed votes, in "
        "studies whose annotators answer at random; alike: share of studies in which "
        "the check fails where a third of the annotators copy another one three times "
        "in four."
    ),
)


def coverage(*, quick: bool, repeats: int) -> Report:
    """Fit every model of choice that `auto` may choose, and `auto` itself."""
    del repeats
    kinds = ["ratings"] if quick else crowds.KINDS
    table = [
        _row(kind, model, 1 if quick else STUDIES)
        for kind in kinds
        for model in MODELS
        if model != "ordinal_dawid_skene" or kind == "ratings"
    ]
    title = "Coverage of intervals, and calibration of labels, on simulated crowds"
    return Report(title, table, CHOICE_NOTES)


def _row(kind: str, model: str, studies: int) -> dict[str, Any]:
    import numpy as np

    each = list(_studies(kind, model, studies))
    shares = np.array([study["inside"] for study in each])
    error = shares.std(0, ddof=1 if studies > 1 else 0) / np.sqrt(studies)
    mean = shares.mean(0)
    top = np.concatenate([study["top"] for study in each])
    hit = np.concatenate([study["hit"] for study in each])

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
        "ECE": _calibration_error(top, hit),
        "CPU s": average("seconds"),
    }


def _studies(kind: str, model: str, studies: int) -> Iterator[dict[str, Any]]:
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


def _inside(table: Any, true: Any, name: str = "") -> Any:
    """Return whether each interval of a table contains the true value."""
    lower, upper = (table[f"{name}{end}"].to_numpy() for end in ("lower", "upper"))
    return (lower <= true) & (true <= upper)


def _loss(belief: Any, truth: Any) -> float:
    import numpy as np

    chance = belief[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(chance, LEAST)).mean())


def _calibration_error(p: Any, y: Any) -> float:
    import numpy as np

    place = np.minimum((p * BINS).astype(int), BINS - 1)
    gaps = np.bincount(place, y) - np.bincount(place, p)
    return float(np.abs(gaps).sum() / len(p))


def contains_simulated(*, quick: bool, repeats: int) -> Report:
    """Fit yes, maybe and no by `auto` and its models, beside votes, counts and a peer.

    The twin of a kind has annotators who do not look: nothing can be learned of the
    truth, and nothing should be gained over votes; in a second twin a third of the
    annotators copy another one, which the check `annotators_alike` must find.
    """
    del repeats
    kinds = list(contains_crowds.KINDS)[: 1 if quick else None]
    studies = 1 if quick else CONTAINS_STUDIES
    table, twins = [], []
    for kind in kinds:
        table += _contains_rows(kind, studies)
        twins.append(_twins(kind, min(studies, 1)))
    more = {"Mean over the kinds": _means(table), "Twins of the kinds": twins}
    return Report("Contains on simulated studies", table, CONTAINS_NOTES, more)


def _means(table: list[dict[str, Any]]) -> list[dict[str, Any]]:
    import pandas as pd

    frame = pd.DataFrame(table).drop(columns="kind").set_index("method").astype(float)
    means = frame.groupby("method", sort=False).mean().reset_index()
    means = means.astype(object).where(means.notna(), None)
    return [dict(zip(means, row, strict=True)) for row in means.to_numpy()]


def _contains_rows(kind: str, studies: int) -> list[dict[str, Any]]:
    import numpy as np

    found: dict[str, list[dict[str, Any]]] = {}
    for seed in range(studies):
        crowd = contains_crowds.KINDS[kind](seed)
        for method, said in _methods(crowd, seed).items():
            found.setdefault(method, []).append(said)
    rows = []
    for method, each in found.items():
        p, y = (np.concatenate([one[name] for one in each]) for name in ("p", "y"))
        row = {"kind": kind, "method": method}
        for name in CONTAINS_COLUMNS:
            values = [one[name] for one in each if one.get(name) is not None]
            row[name] = float(np.mean(values)) if values else None
        rows.append({**row, "ECE": _calibration_error(p, y)})
    return rows


def _methods(crowd: Any, seed: int) -> dict[str, dict[str, Any]]:
    import consilience as cs

    responses = cs.read(crowd.frame, kind="contains")
    methods = {"smoothed votes": _scored(crowd, _votes(crowd))}
    for model in CONTAINS_MODELS:
        started = process_time()
        fit = cs.fit(responses, model=model, seed=seed)
        seconds = process_time() - started
        methods[model] = {
            **_scored(crowd, _probability(fit.labels(), crowd)),
            **_intervals(fit, crowd),
            "alike": _fails(fit, "annotators_alike"),
            "CPU s": seconds,
        }
    anonymous = cs.read(crowd.frame[["item", "label", "answer"]], kind="contains")
    counted = cs.fit(anonymous, seed=seed).labels()
    methods["counts, no ids"] = _scored(crowd, _probability(counted, crowd))
    peer = _crowd_kit(crowd)
    if peer is not None:
        methods["crowd-kit DawidSkene"] = _scored(crowd, peer)
    return methods


def _scored(crowd: Any, p: Any) -> dict[str, Any]:
    import numpy as np

    y = crowd.truth["present"].to_numpy()
    likely = np.maximum(np.where(y, p, 1 - p), LEAST)
    return {
        "p": p,
        "y": y,
        "log-loss": float(-np.log(likely).mean()),
        "accuracy": float(((p > 0.5) == y).mean()),
        "mean P": float(p.mean()),
        "true share": float(y.mean()),
    }


def _intervals(fit: Any, crowd: Any) -> dict[str, float]:
    people = fit.annotators()
    true = crowd.confusion[[int(name[1:]) for name in people["annotator"]]]
    both = {"sensitivity": true[:, 1, 2], "specificity": true[:, 0, 0]}
    width = (people["sensitivity_upper"] - people["sensitivity_lower"]).mean()
    inside = {
        name: float(_inside(people, value, f"{name}_").mean())
        for name, value in both.items()
    }
    return {**inside, "width": float(width)}


def _fails(fit: Any, check: str) -> float | None:
    checks = fit.diagnostics().set_index("name")["outcome"]
    return float(checks[check] == "failed") if check in checks else None


def _probability(labels: Any, crowd: Any) -> Any:
    table = labels.astype({"item": str, "label": str})
    columns = ["item", "label", "probability"]
    return crowd.truth.merge(table[columns], how="left")["probability"].to_numpy()


def _votes(crowd: Any) -> Any:
    worth = crowd.frame["answer"].map({"no": 0.0, "maybe": 0.5, "yes": 1.0})
    pair = [crowd.frame["item"], crowd.frame["label"]]
    votes = worth.groupby(pair).agg(["sum", "count"]).reset_index()
    table = crowd.truth.merge(votes, how="left")
    smoothed = (table["sum"] + 2 * worth.mean()) / (table["count"] + 2)
    return smoothed.to_numpy()


def _crowd_kit(crowd: Any) -> Any:
    """Return P(yes) and half of P(maybe) by crowd-kit; None where it is missing."""
    import warnings

    try:
        from crowdkit.aggregation import DawidSkene
    except ImportError:
        return None
    frame = crowd.frame
    task = frame["item"] + "|" + frame["label"]
    answers = frame.assign(task=task, worker=frame["annotator"], label=frame["answer"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses what pandas warns of
        found = DawidSkene(n_iter=100).fit_predict_proba(
            answers[["task", "worker", "label"]]
        )
    half = found["maybe"] / 2 if "maybe" in found else 0.0
    there = (found["yes"] + half).reindex(
        crowd.truth["item"] + "|" + crowd.truth["label"]
    )
    return there.to_numpy()


def _twins(kind: str, studies: int) -> dict[str, Any]:
    import numpy as np

    import consilience as cs

    gained, found = [], []
    for seed in range(studies):
        blind = contains_crowds.twin(kind, seed)
        fit = cs.fit(cs.read(blind.frame, kind="contains"), seed=seed)
        of_fit = _scored(blind, _probability(fit.labels(), blind))["log-loss"]
        gained.append(of_fit - _scored(blind, _votes(blind))["log-loss"])
        copied = contains_crowds.copied(kind, seed)
        fit = cs.fit(cs.read(copied.frame, kind="contains"), seed=seed, copies="keep")
        found.append(_fails(fit, "annotators_alike"))
    return {
        "kind": kind,
        "do not look: log-loss less votes'": float(np.mean(gained)),
        "copied: alike": None if None in found else float(np.mean(found)),
    }


# Of studies drawn from the prior of contains: the answers of an annotator.
ANSWERS = {"em": (33, 100, 300), "nuts": (33, 100)}
PEOPLE, PER_PAIR, DRAWN, DRAWS, MASS = 24, 4, 24, 40, 0.9
STARTS = 4  # of a climb: one start of a study of 300 answers ended on a lower hill
CHAINS = 2  # of as many draws each
NAMES = (
    "mean",
    "scale",
    "share",
    "weight",
    "group_shift",
    "width",
    "item_scale",
    "item_ratio",
    "context_effect",
    "context_effect_not_shown",
    "threshold",
    "annotator_threshold",
    "annotator_discrimination",
    "annotator_width",
    "lapse",
)
SPREADS = tuple(
    f"{name}_spread"
    for name in (
        "threshold",
        "annotator_threshold",
        "annotator_discrimination",
        "annotator_width",
    )
)
PRIOR_NOTES = (
    (
        f"Share of {MASS:.0%} intervals that contain the parameter, in {DRAWN} "
        f"studies simulated from the prior, with {DRAWS} draws by `em` and {CHAINS} "
        f"chains of {DRAWS} by `nuts`. ± are standard errors between studies. each: "
        "number of such parameters in a study."
    ),
    (
        "off: distance between the mean of the draws and the true value, in standard "
        "deviations of the draws, averaged over studies; for exact posteriors it is "
        f"within {2 / DRAWN**0.5:.2f} with 95% probability."
    ),
)


def contains_coverage(*, quick: bool, repeats: int) -> Report:
    """Draw from the prior of contains, fit, and look up every parameter.

    Items of four labels in two groups, those of a group similar, half of the items
    shown whole to four of 24 annotators, half to two teams of four, who do not see all
    that is similar; one column known beforehand. Fitted by `em` with draws of the
    posterior bootstrap, and by `nuts` from the mode.
    """
    del repeats
    import numpy as np

    found, cost = {}, []
    for engine, sizes in ANSWERS.items():
        for answers in sizes[:1] if quick else sizes:
            started = process_time()
            seeds = answers * DRAWN + np.arange(2 if quick else DRAWN)
            studies = [_looked_up(engine, answers, int(seed)) for seed in seeds]
            seconds = (process_time() - started) / len(studies)
            cost.append(f"{engine} {answers}: {seconds:.1f} s")
            found[f"{engine} {answers}"] = studies
    rows = []
    for name in (*NAMES, *SPREADS):
        row = {"parameter": name, "each": next(iter(found.values()))[0][name][0].size}
        for which, studies in found.items():
            shares = np.array([study[name][0].mean() for study in studies])
            error = shares.std(ddof=1) / np.sqrt(len(shares))
            row[which] = round(float(shares.mean()), 3)
            row[f"± {which}"] = round(float(error), 3)
        for which, studies in found.items():
            off = np.mean([study[name][1].mean() for study in studies])
            row[f"off, {which}"] = round(float(off), 2)
        rows.append(row)
    spent = "A study, seconds of the processor: " + "; ".join(cost)
    return Report("Coverage of the intervals of contains", rows, (*PRIOR_NOTES, spent))


def _design(answers: int):
    import numpy as np
    import pandas as pd

    import consilience as cs
    from consilience.spaces import space_of

    generator = np.random.default_rng(0)
    items = answers * PEOPLE // (4 * PER_PAIR)
    teams = generator.random((items, PEOPLE)).argsort(1)[:, : 2 * PER_PAIR]
    team = np.arange(4) // 2 * (np.arange(items)[:, None] % 2)
    who = np.take_along_axis(
        teams.reshape(items, 2, PER_PAIR), team[:, :, None], axis=1
    )
    labels = pd.DataFrame(
        {
            "label": ["husky", "cup", "wolf", "mug"],
            "parent": ["dogs", "things", "dogs", "things"],
        }
    )
    item = [f"i{number:04d}" for number in range(items)]
    rows = pd.DataFrame(
        {
            "item": np.repeat(item, 4 * PER_PAIR),
            "annotator": [f"a{j:02d}" for j in who.ravel()],
            "label": np.tile(np.repeat(labels["label"], PER_PAIR), items),
            "answer": np.resize(["no", "maybe", "yes"], who.size),
        }
    )
    known = rows[["item", "label"]].drop_duplicates()
    known["listed"] = generator.normal(size=len(known)).round(3)
    return space_of(cs.read(rows, kind="contains", labels=labels), lists=known)


def _looked_up(engine: str, answers: int, seed: int) -> dict:
    """Return of each parameter of a study whether it is held, and how far it is off."""
    import jax
    import numpy as np

    from benchmarks.simulation_based_calibration import replace_answers
    from consilience.annotators import load
    from consilience.inference import EngineOptions
    from consilience.inference.engines import em, nuts
    from consilience.intervals import bounds
    from consilience.model import simulate

    model, key = load("contains"), jax.random.key(seed)
    with jax.enable_x64(True):  # noqa: FBT003 (the way JAX spells it)
        space = _design(answers)
        made = simulate(model, space, key)
        told = replace_answers(space, np.asarray(made.answer))
        if engine == "nuts":
            effort = EngineOptions(draws=DRAWS, chains=CHAINS, prob=MASS)
            drawn = nuts.fit(model, told, seed, effort).parameters
        else:
            effort = EngineOptions(restarts=STARTS, draws=DRAWS, prob=MASS)
            drawn = em.fit(model, told, seed, effort).parameters
    held = {}
    for name in (*NAMES, *SPREADS):
        true = np.asarray(made.parameters[name])
        draws = np.asarray(drawn[name], float).reshape(-1, *true.shape)
        lower, upper = bounds(draws, MASS)
        inside = (lower <= true) & (true <= upper)
        if name.endswith(("scale", "spread")):
            draws, true = np.log(draws), np.log(true)
        off = (draws.mean(0) - true) / draws.std(0, ddof=1)
        held[name] = inside, off
    return held
