"""What images contain: from 1 to 78 raters, beside Dawid-Skene, votes and crowd-kit.

The golden pairs of the reassessed ImageNet labels: 553 pairs of image and label in 78
images, 78 raters on each, and five experts whose majority is the truth. Of the raters r
are drawn for each image, ten times. What is learned of raters is learned from the main
part, 922,045 answers without the golden pairs, and kept.

The size of the panel of `contains` was chosen on half of the images, those whose names
have an even first byte of SHA-256; so the other half is measured on its own.

Feeds `docs/reference/benchmarks-contains.md`.
"""

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.contains_scores import Told, against_best, losses, rows
from benchmarks.harness import Report, not_run, public_data
from benchmarks.rated import RATERS, Study, draws

# model, engine, states, told; each fitted to the main part.
LEARNED = {
    "contains": ("contains", "em", 2, "raw"),
    "auto": ("auto", "auto", None, "tempered"),
    "contains, groups and predictions": ("contains", "em", 2, "raw"),
    "Dawid-Skene, 2 states": ("dawid_skene", "em", 2, "raw"),
    "Dawid-Skene, 3 states": ("dawid_skene", "em", 3, "raw"),
    "hierarchical, 2 states, tempered": (
        "hierarchical_dawid_skene",
        "vb",
        2,
        "tempered",
    ),
    "hierarchical, 3 states, tempered": (
        "hierarchical_dawid_skene",
        "vb",
        3,
        "tempered",
    ),
}
OURS, COUNTS = "contains", "contains_counts"
FOR_F1 = f"{OURS}, labels for F1"
PEER_DRAWS, MACE_DRAWS = 3, 1  # of crowd-kit, which learns anew for each draw

NOTES = (
    (
        "Means over ten draws of raters (one for 78). ± are jackknife standard "
        "errors over images of the difference from `contains`, for the mean over the "
        "draws that both have. Log-loss is clipped at .001; ECE uses as many bins as "
        "keep accuracy monotonic, for all methods. chance: the expected ECE if the "
        "probabilities of `contains` were perfectly calibrated."
    ),
    (
        "labels for F1: the same probabilities, with the labels called present that "
        "maximize the expected F1 (`decide`, loss f1), draw by draw, without gold "
        "labels; elsewhere those with a probability of one half or more."
    ),
    (
        "images: the panel of `contains` (six, present if at least half endorse) was "
        "chosen by log-loss on the half of the images with an even first byte of the "
        "SHA-256 of their names, among panels of 1 to 8, 10 and 12; `other half` was "
        "not used for this choice. That a maybe is an endorsement was chosen on all "
        "images."
    ),
    (
        "All methods except votes and crowd-kit: learned from the main part without "
        "the golden pairs, then `predict`. crowd-kit, which has no prediction, is "
        f"fitted to the main part and the drawn raters together, {PEER_DRAWS} draws "
        f"(MACE, which is slow, to the drawn raters alone, {MACE_DRAWS}); its P(maybe) "
        "counts half."
    ),
    (
        "groups and predictions: the eleven superclasses of the labels; for each "
        "pair, how many of twelve classifiers have the label among their top five, "
        "at which ranks, how many rank it first, and whether it is the label of the "
        "data set; and which labels the classifiers confuse, as similar labels. The "
        "cost of a fit of the main part is in `whole_contains`."
    ),
)
BEST = (
    "Difference from the best peer at each number of raters, by the metric; peers are "
    "all methods but those of contains. Better at most: a bound that holds against all "
    "peers at once nineteen times in twenty, as which is the best is known only "
    "afterwards; below zero, a method is worse than the best"
)


def contains(*, quick: bool, repeats: int) -> Report:
    """Measure once."""
    del repeats
    title = "Log-loss of what images contain, by raters"
    data = public_data("reassessed-imagenet", quick=quick)
    if data is None:
        return not_run(title)
    told = Study(data)
    believed = _of_learned(told)
    table, best = [], []
    for raters in RATERS:
        said = {name: each[raters] for name, each in believed.items()}
        said |= _of_peers(told, raters)
        half, every = told.other_half, told.image >= 0
        table += rows(raters, said, told, half, "other half", OURS)
        table += rows(raters, said, told, every, "all", OURS)
        best += against_best(raters, said, told, (OURS, FOR_F1))
    return Report(title, table, NOTES, more={BEST: best})


def _of_learned(told: Study) -> dict[str, dict[int, Told]]:
    """Return what the fits to the main part believe, by raters."""
    import consilience as cs
    from consilience.analysis.decisions import minimise_loss

    found: dict[str, dict[int, Told]] = {}
    every = told.all_drawn()
    for name, (model, engine, states, truth) in LEARNED.items():
        knows = "predictions" in name  # and the groups of labels
        known: dict[str, Any] = {}
        if knows:
            known["similarity"] = told.similar()
        fit = cs.fit(
            told.responses(told.main, groups=knows),
            model=model,
            engine=engine,
            states=states,
            seed=0,
            candidates=told.known(told.main) if knows else None,
            effort=cs.EngineOptions(restarts=1),
            **known,
        )
        drawn = told.responses(every, groups=knows)
        candidates = told.known(every) if knows else None
        labels = cs.predict(fit, drawn, candidates=candidates, **known)
        found[name] = _by_raters(told, labels.with_(truth=truth).labels())
        if name == OURS:
            found[FOR_F1] = {
                raters: Told(
                    each.belief, [minimise_loss(p, "f1", 1.0)[0] for p in each.belief]
                )
                for raters, each in found[name].items()
            }
    return found


def _by_raters(told: Study, labels) -> dict[int, Told]:
    return {
        raters: Told(
            [told.of_golden(labels, (raters, draw)) for draw in range(draws(raters))]
        )
        for raters in RATERS
    }


def _of_peers(told, raters: int) -> dict[str, Told]:
    """Return what votes and crowd-kit say of each draw."""
    said: dict[str, list] = {}
    for draw in range(draws(raters)):
        for name, found in _by_peers(told, told.drawn(raters, draw), draw):
            said.setdefault(name, []).append(found)
    return {name: Told(found) for name, found in said.items()}


def _by_peers(told, part, draw: int) -> Iterator[tuple]:
    import pandas as pd

    import consilience as cs

    votes = cs.fit(told.responses(part, groups=False), model="majority")
    yield "shares of votes", told.of_golden(votes.labels())
    if draw >= PEER_DRAWS:
        return
    alone = _as_crowd_kit(part)
    whole = pd.concat([_as_crowd_kit(told.main), alone])
    from crowdkit.aggregation import MACE, DawidSkene

    two = whole.assign(label=whole["label"].replace({"maybe": "no"}))
    learner = DawidSkene(n_iter=100)
    yield "crowd-kit DawidSkene, 2 answers", _there(told, learner, two)
    yield "crowd-kit DawidSkene, 3 answers", _there(told, learner, whole)
    if draw < MACE_DRAWS:
        yield "crowd-kit MACE, 3 answers", _there(told, MACE(random_state=0), alone)


def _there(told, learner, frame):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses what pandas 3 warns of
        found = learner.fit_predict_proba(frame)
    there = found.reindex(told.gold["item"] + "|" + told.gold["label"])
    half = there["maybe"] / 2 if "maybe" in there else 0
    return (there["yes"] + half).to_numpy()


def _as_crowd_kit(rows):
    import pandas as pd

    return pd.DataFrame(
        {
            "task": rows["item"] + "|" + rows["label"],
            "worker": rows["annotator"],
            "label": rows["answer"],
        }
    )


def counts(*, quick: bool, repeats: int) -> Report:
    """From 1 to 78 anonymous raters, beside shares of votes.

    What is learned, the distribution of frequencies, is learned from the main part,
    and kept.
    """
    del repeats
    title = "Log-loss of what images contain, by anonymous raters"
    data = public_data("reassessed-imagenet", quick=quick)
    if data is None:
        return not_run(title)
    import consilience as cs

    told = Study(data)
    every = told.all_drawn()
    drawn = _anonymous(told, every)
    said: dict[str, dict[int, Told]] = {}
    seconds = []
    for name in (COUNTS, f"{COUNTS}, predictions"):
        knows = "predictions" in name
        fit = cs.fit(
            _anonymous(told, told.main),
            model="contains_counts",
            engine="em",
            candidates=told.known(told.main) if knows else None,
            effort=cs.EngineOptions(restarts=1),
        )
        candidates = told.known(every) if knows else None
        labels = cs.predict(fit, drawn, candidates=candidates).labels()
        said[name] = _by_raters(told, labels)
        seconds.append(f"{name} {fit.data.attrs['seconds']:,.0f} s")
        if not knows:
            shares = cs.contains.selection_frequencies(fit).round(4)
    votes = cs.fit(drawn, model="majority").labels()
    said["shares of votes"] = _by_raters(told, votes)
    table: list[dict] = []
    for raters in RATERS:
        each = {name: by_raters[raters] for name, by_raters in said.items()}
        table += rows(raters, each, told, told.image >= 0, "all", COUNTS)
    whole = "; ".join(
        f"above {row.threshold:g}: observed {row.observed:.4f}, share {row.share:.4f} "
        f"({row.lower:.4f} to {row.upper:.4f})"
        for row in shares.itertuples()
    )
    notes = (
        (
            "Means over ten draws of raters (one for 78), with standard errors of "
            "differences from contains_counts and ECE as in `contains`. A label is "
            "present if its frequency is above one half, a threshold fixed in advance; "
            "predictions: those of twelve classifiers, and the label of the data set."
        ),
        f"Fitting the main part: {', '.join(seconds)}",
        f"Pairs of the main part {whole}",
    )
    return Report(title, table, notes)


def _anonymous(told: Study, answers):
    return told.responses(answers.drop(columns="annotator"), groups=False)


FORMS = {  # answers and truth of the medical relations, in files of these names
    "cause and treat": ("answers_cause_union", "truth_cause_union"),
    "the same, adjudicated": ("answers_cause_union", "truth_adjudicated_cause_union"),
    "12 relations": ("answers_12labels_40k", "truth"),
}
SIZES = (500, 3_000, 24_000)
IN_A_PROCESS = """
import resource, sys
import pandas as pd
import consilience as cs
responses = cs.read(sys.argv[1]) if len(sys.argv) < 3 else cs.read(
    pd.read_csv(sys.argv[1]), kind="contains")
fit = cs.fit(responses)
fit.labels(), fit.annotators()
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime)
"""


def contains_halves(*, quick: bool, repeats: int) -> Report:
    """Measure `auto` beside its halves and votes: relations, rare findings, seconds."""
    import consilience as cs
    from benchmarks.contains_crowds import findings

    del repeats
    title = "Presence by halves"
    found: list[dict] = []
    for readers, per_item in ((5, 5), (12, 3)):
        frame, truth = findings(0, readers, per_item)
        responses = cs.read(frame, kind="contains")
        name = f"simulated findings, {per_item} readers"
        found += _beside(name, frame, truth, _models(responses, quick=quick))
    data = public_data("contains", quick=quick)
    for name, (answers, truth) in FORMS.items() if data else ():
        import pandas as pd

        folder = data / "contains" / "medical-relations"
        frame, gold = (
            pd.read_csv(folder / f"{each}.csv", dtype=str) for each in (answers, truth)
        )
        responses = cs.read(frame, kind="contains")
        gold["present"] = gold["present"] == "yes"
        found += _beside(name, frame, gold, _models(responses, quick=quick))
    notes = (
        (
            "Log-loss of P(present), clipped at .001, and its mean beside the true "
            "share, of the pairs whose truth is known. smoothed votes: (votes + 2 m) / "
            "(n + 2), m the mean vote."
        ),
        (
            "Seconds: CPU seconds of a new process with `auto`, imports and reading "
            "included."
        ),
    )
    more = {"Seconds of a new process": _seconds(data, quick=quick)}
    return Report(title, found, notes, more=more)


def _models(responses, *, quick: bool) -> dict:
    import consilience as cs
    from consilience.fitting.halves import HALVES

    return {
        name: cs.fit(responses, model=name).labels()
        for name in ("auto", *HALVES)[: 1 if quick else 3]
    }


def _beside(study: str, frame, truth, labels: Mapping[str, Any]) -> Iterator[dict]:
    """Give a row for votes, and for each model."""
    worth = frame["answer"].map({"no": 0.0, "maybe": 0.5, "yes": 1.0})
    counted = worth.groupby([frame["item"], frame["label"]]).agg(["sum", "count"])
    votes = (counted["sum"] + 2 * worth.mean()) / (counted["count"] + 2)
    smoothed = votes.rename("probability").reset_index()
    for method, table in {"smoothed votes": smoothed, **labels}.items():
        told = table.astype({"item": str, "label": str})
        both = truth.merge(told[["item", "label", "probability"]])
        believed = both["probability"].to_numpy()
        there = both["present"].to_numpy(bool)
        yield {
            "study": study,
            "method": method,
            "log-loss": round(float(losses(believed, there).mean()), 4),
            "mean P": round(float(believed.mean()), 4),
            "true share": round(float(there.mean()), 4),
        }


def _seconds(data, *, quick: bool) -> list[dict]:
    """Return the seconds of processes that fit studies of several sizes."""
    import subprocess
    import sys
    import tempfile
    from pathlib import Path

    from benchmarks.contains_crowds import DESIGNS, draw

    def spent(*arguments: str) -> float:
        command = [sys.executable, "-c", IN_A_PROCESS, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return round(float(done.stdout), 1)

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES[: 1 if quick else None]:
            file = Path(folder) / f"{size}.csv"
            draw(DESIGNS["equal spreads"], 0, items=size // 20).frame.to_csv(file)
            rows.append({"answers": size, "CPU s": spent(str(file), "frame")})
    if data is not None and (data / "reassessed-imagenet").exists():
        whole = str(data.resolve() / "reassessed-imagenet")
        rows.append({"answers": 924_810, "CPU s": spent(whole)})
    return rows
