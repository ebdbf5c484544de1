"""Main labels of held-out items, foreseen by what items of their class are called.

Folds are of items. The baselines count the main votes of each class and add imagined
ones, as many as tuned on a third of the items of the other folds, each without its own
votes.
"""

from time import process_time

import numpy as np
from scipy.optimize import minimize

from benchmarks.held_out import FOLDS, Study, study
from benchmarks.public_data import not_run, public_data
from benchmarks.report import Report
from consilience.analysis.class_confusion.dirichlet_prior import learn
from consilience.analysis.class_confusion.label_counts import LabelCounts

MOST = 5.0  # imagined votes for each reverse one

NOTES = (
    (
        "Mean log predictive density of a main vote about a held-out item, over "
        "1,000 labels, in nats; ± by item. gain: relative to the counts with the "
        "pseudo-counts of all baselines, paired by item. Five folds of items, (row x "
        "7,919) mod 5."
    ),
    (
        "`human_confusion` learns the weights of eight kinds of evidence, and the "
        "correlation of answers about one item, by marginal likelihood; it also uses "
        "labels that are named besides the main one, and the baselines do not."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Foresee the votes of every fold by every method."""
    del repeats
    title = "Main labels of held-out items"
    folder = public_data("imagenet-multilabel", quick=quick)
    if folder is None:
        return not_run(title)
    data = folder / "imagenet-multilabel"
    import consilience as cs

    responses = cs.read(data)
    given = study(responses)
    parent = responses.labels["parent"].astype("category").cat.codes.to_numpy(int)
    told, seconds = {}, {}
    for name, method in (
        ("counts, smoothed", counts),
        ("counts, pooled by hand", pooled_counts),
        ("human_confusion", learned),
        ("human_confusion, main labels alone", main_alone),
    ):
        started = process_time()
        told[name] = method(given, parent)
        seconds[name] = process_time() - started
    votes = given.votes.sum()

    def error(values):
        return round(float(np.sqrt(values.var(ddof=1) * len(values)) / votes), 4)

    bar = told["counts, pooled by hand"]
    rows = [
        {
            "method": name,
            "nats": round(float(found.sum() / votes), 4),
            "±": error(found),
            "gain": round(float((found - bar).sum() / votes), 4),
            "± gain": error(found - bar),
            "CPU s, five folds": round(seconds[name], 1),
        }
        for name, found in told.items()
    ]
    return Report(title, rows, NOTES)


def counts(given: Study, parent):
    """Counts of the class, and a share of one vote for every label."""
    del parent
    return _tuned(given, lambda _: [np.full((given.num_labels,) * 2, 1e-3)])


def pooled_counts(given: Study, parent):
    """Counts, and imagined votes by label, superclass, popularity, and reversed."""
    same = (parent[:, None] == parent).astype(float)

    def imagined(counted):
        popular = same * (counted.sum(0) / counted.sum() + 1e-6)
        reverse = counted.T.copy()
        np.fill_diagonal(reverse, 0)
        return [
            np.eye(given.num_labels),
            same / same.sum(1, keepdims=True),
            popular / popular.sum(1, keepdims=True),
            np.full_like(same, 1e-3),
            reverse,
        ]

    return _tuned(given, imagined)


def learned(given: Study, parent):
    """What `consilience.human_confusion` learns."""
    return _learned(given, parent, asides=1.0)


def main_alone(given: Study, parent):
    """What it learns from main labels, as of kind choice."""
    return _learned(given, parent, asides=0.0)


def _learned(given: Study, parent, *, asides: float):
    named = np.zeros_like(given.votes)
    np.add.at(named, (given.sets.item[given.sets.response], given.sets.label), 1)
    result = np.zeros(len(given.own))
    for held in range(FOLDS):
        those = np.flatnonzero(given.fold != held)
        item, label = np.nonzero(named[those])
        votes = given.votes[those][item, label]
        beside = asides * (named[those][item, label] - votes)
        found = learn(
            LabelCounts(
                dataset_label=given.own[those],
                item=item,
                label=label,
                votes=votes,
                asides=beside,
                parent=parent,
                num_labels=given.num_labels,
            )
        ).best
        test = given.fold == held
        log_probability = np.log(found.probability)[given.own[test]]
        result[test] = (given.votes[test] * log_probability).sum(1)
    return result


def _tuned(given: Study, imagined):
    result = np.zeros(len(given.own))
    for held in range(FOLDS):
        train = np.flatnonzero(given.fold != held)
        test = np.flatnonzero(given.fold == held)
        counted = np.zeros((given.num_labels,) * 2)
        np.add.at(counted, given.own[train], given.votes[train])
        parts = imagined(counted)

        def loss(logs, those=train[::3], counted=counted, parts=parts):
            found = _log_votes(given, those, counted, parts, np.exp(logs), own=True)
            return -found.sum() / given.votes[those].sum()

        options = {"maxiter": 120, "xatol": 0.02, "fatol": 1e-5}
        start = np.zeros(len(parts))
        found = minimize(loss, start, method="Nelder-Mead", options=options)
        result[test] = _log_votes(
            given, test, counted, parts, np.exp(found.x), own=False
        )
    return result


def _log_votes(given: Study, those, counted, parts, weights, *, own: bool):
    """Return the log probability of the votes about some items, own votes left out."""
    place, label = np.nonzero(given.votes[those])
    votes = given.votes[those][place, label]
    of_class = given.own[those]
    weights = np.where(np.arange(len(weights)) == 4, np.minimum(weights, MOST), weights)
    added = sum(
        weight * part[of_class[place], label]
        for weight, part in zip(weights, parts, strict=True)
    )
    total = sum(
        weight * part.sum(1) for weight, part in zip(weights, parts, strict=True)
    )
    here = counted[of_class[place], label] - own * votes
    all_here = counted.sum(1)[of_class] - own * given.votes[those].sum(1)
    share = (here + added) / (all_here + total[of_class])[place]
    return np.bincount(place, votes * np.log(share + 1e-12), len(those))
