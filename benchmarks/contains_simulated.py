"""Yes, maybe and no on simulated studies that no model draws: probabilities, intervals.

Every kind of `benchmarks.contains_crowds` is fitted by `auto` and by its models alone,
beside votes, counts without ids, and crowd-kit's Dawid-Skene. The twin of a kind has
annotators who do not look: nothing can be learned of the truth, and nothing should be
gained over votes; in a second twin a third of the annotators copy another one, which
the check `annotators_alike` must find.
"""

from typing import Any

from benchmarks import contains_crowds
from benchmarks.harness import Report

TITLE = "Contains on simulated studies"
STUDIES, QUICK = 4, 1
MODELS = ("auto", "contains", "contains_states", "hierarchical_dawid_skene")
BINS = 10
NOTES = (
    (
        f"{STUDIES} studies of each kind: {contains_crowds.ITEMS} items, "
        f"{contains_crowds.ASKED} labels asked of each, {contains_crowds.PEOPLE} "
        f"annotators, {contains_crowds.PER_ITEM} an item unless the kind says so. "
        "Log-loss of P(present) is clipped at .001. smoothed votes: (votes + 2 m) / "
        "(n + 2), a maybe counting half, m the mean vote of the study."
    ),
    (
        "sensitivity, specificity: share of 90 % intervals that contain P(yes | "
        "present) and P(no | absent) of an annotator; width: mean width of the first. "
        "excess: share of pairs present by the model, less the true one. ECE: ten "
        "bins, all studies together. alike: share of studies in which the check "
        "annotators_alike fails."
    ),
    (
        "of twins, that do not look: log-loss of auto less that of smoothed votes, in "
        "studies whose annotators answer at random; alike: share of studies in which "
        "the check fails where a third of the annotators copy another one three times "
        "in four."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Simulate, fit and look up."""
    del repeats
    kinds = list(contains_crowds.KINDS)[: 2 if quick else None]
    studies = QUICK if quick else STUDIES
    table, twins = [], []
    for kind in kinds:
        table += _rows(kind, studies)
        twins.append(_twins(kind, min(studies, 3)))
    return Report(TITLE, table, NOTES, more={"Twins of the kinds": twins})


def _rows(kind: str, studies: int) -> list[dict[str, Any]]:
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
        for name in ("log-loss", "accuracy", "excess", *_INTERVALS, "alike", "CPU s"):
            values = [one[name] for one in each if one.get(name) is not None]
            row[name] = float(np.mean(values)) if values else None
        rows.append({**row, "ECE": _calibration_error(p, y)})
    return rows


_INTERVALS = ("sensitivity", "specificity", "width")


def _methods(crowd: Any, seed: int) -> dict[str, dict[str, Any]]:
    from time import process_time

    import consilience as cs

    responses = cs.read(crowd.frame, kind="contains")
    methods = {"smoothed votes": _scored(crowd, _votes(crowd))}
    for model in MODELS:
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
    likely = np.maximum(np.where(y, p, 1 - p), 1e-3)
    return {
        "p": p,
        "y": y,
        "log-loss": float(-np.log(likely).mean()),
        "accuracy": float(((p > 0.5) == y).mean()),
        "excess": float(p.mean() - y.mean()),
    }


def _intervals(fit: Any, crowd: Any) -> dict[str, float]:
    people = fit.annotators()
    true = crowd.confusion[[int(name[1:]) for name in people["annotator"]]]
    both = {"sensitivity": true[:, 1, 2], "specificity": true[:, 0, 0]}
    inside = {
        name: float(
            people[f"{name}_lower"]
            .le(value)
            .mul(people[f"{name}_upper"].ge(value))
            .mean()
        )
        for name, value in both.items()
    }
    width = (people["sensitivity_upper"] - people["sensitivity_lower"]).mean()
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
        fit = cs.fit(cs.read(blind.frame, kind="contains"), model="contains", seed=seed)
        of_fit = _scored(blind, _probability(fit.labels(), blind))["log-loss"]
        gained.append(of_fit - _scored(blind, _votes(blind))["log-loss"])
        copied = contains_crowds.copied(kind, seed)
        fit = cs.fit(
            cs.read(copied.frame, kind="contains"), model="contains", seed=seed
        )
        found.append(_fails(fit, "annotators_alike"))
    return {
        "kind": kind,
        "do not look: log-loss less votes'": float(np.mean(gained)),
        "copied: alike": float(np.mean(found)),
    }


def _calibration_error(p: Any, y: Any) -> float:
    import numpy as np

    place = np.minimum((p * BINS).astype(int), BINS - 1)
    return float(
        sum(
            abs(y[place == number].mean() - p[place == number].mean())
            * (place == number).mean()
            for number in np.unique(place)
        )
    )
