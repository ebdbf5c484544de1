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
        told[name] = method(given, parent, responses)
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


def counts(given: Study, parent, responses):
    """Counts of the class, and a share of one vote for every label."""
    del parent, responses
    return _tuned(given, lambda _: [np.full((given.num_labels,) * 2, 1e-3)])


def pooled_counts(given: Study, parent, responses):
    """Counts, and imagined votes by label, superclass, popularity, and reversed."""
    del responses
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


def learned(given: Study, parent, responses):
    """What `consilience.human_confusion` learns."""
    del parent
    result = np.zeros(len(given.own))
    place = np.empty(len(given.code), int)
    place[given.code] = np.arange(len(given.code))
    item = place[responses.table["item"].cat.codes]
    for held in range(FOLDS):
        import consilience as cs

        kept = responses.where(given.fold[item] != held)
        confusion = cs.human_confusion(kept)
        log_probability = np.log(confusion.posterior.probability)
        test = given.fold == held
        votes = given.votes[test] * log_probability[given.own[test]]
        result[test] = votes.sum(1)
    return result


def main_alone(given: Study, parent, responses):
    """What it learns from main labels, as of kind choice."""
    return learned(given, parent, responses.where(responses.table["main"]))


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
