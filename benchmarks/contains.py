"""What images contain: from 1 to 78 raters, beside Dawid-Skene, votes and crowd-kit.

The golden pairs of the reassessed ImageNet labels: 553 pairs of image and label in 78
images, 78 raters on each, and five experts whose majority is the truth. Of the raters r
are drawn for each image, ten times. What is learned of raters is learned from the main
part, 922,045 answers without the golden pairs, and kept.

The size of the panel of `contains` was chosen on half of the images, those whose names
have an even first byte of SHA-256; so the other half is measured on its own.
"""

import warnings
from collections.abc import Iterator
from typing import Any

from benchmarks.contains_scores import Told, against_best, rows
from benchmarks.harness import Report, not_run, public_data
from benchmarks.rated import RATERS, Study, draws

# model, engine, states, told; each fitted to the main part.
LEARNED = {
    "contains": ("contains", "em", 2, "raw"),
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
            shares = cs.selection_frequencies(fit).round(4)
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
