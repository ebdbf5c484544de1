"""Responses about objects, foreseen from the others: which labels, and which is main.

Each of the 59,580 responses of the ImageNet multi-label study is held out in its turn;
what can be learned of other items is learned on four folds of items, and the fifth is
foreseen.

Feeds `docs/reference/benchmarks-objects.md`.
"""

import numpy as np

from benchmarks.harness import Report, not_run, public_data

OBSERVED = (None, 3, 1)

NOTES = (
    (
        "Mean log predictive density of a held-out response, in nats; ± by item. The "
        "outcome space does not depend on it: labels that the observed responses "
        "name, the data set's label, and one outcome for all others. Means for "
        "different numbers of observed responses differ because the outcome spaces "
        "do. The model `objects` is fitted to the other folds by em."
    ),
    (
        "accuracy: the probability that the most probable outcome is right, ties "
        "split. gain: relative to the first row of the same question, paired by "
        "item."
    ),
    (
        "Folds by item: (row x 7,919) mod 5. Every weight is tuned on the other "
        "folds. Three and one observed responses are drawn separately for each "
        "held-out one, with one seed."
    ),
)


def objects(*, quick: bool, repeats: int) -> Report:
    """Foresee every response by every method."""
    del repeats
    title = "Held-out responses about objects"
    folder = public_data("imagenet-multilabel", quick=quick)
    if folder is None:
        return not_run(title)
    data = folder / "imagenet-multilabel"
    import consilience as cs
    from benchmarks.held_out import held_out, study

    responses = cs.read(data)
    given = study(responses)
    rows = []
    for observed in OBSERVED:
        out = held_out(given, observed)
        ours = _by_model(given, responses, observed)
        if observed is None:
            rows += _sets(given, out, ours)
        rows += _mains(given, out, observed, ours)
    return Report(title, rows, NOTES)


def _by_model(given, responses, observed):
    """Return what the model `objects` foresees, folds apart, items as in the study."""
    from benchmarks.objects_held_out import cross_validate_objects

    fold = np.empty(len(given.code), int)
    fold[given.code] = given.fold
    found = cross_validate_objects(responses, fold, others=observed, seed=1)
    names = responses.table["item"].cat.categories
    place = np.empty(len(given.code), int)
    place[given.code] = np.arange(len(given.code))
    return found.assign(place=place[names.get_indexer(found["item"].astype("str"))])


def _sets(given, out, ours) -> list[dict]:
    from benchmarks import baselines

    told = baselines.two_styles(given, out)
    about = {"question": "labels named", "observed": "8"}
    rows = [about | _row("one or several, tuned", told, out.item)]
    bar = np.bincount(out.item, told)
    return [*rows, about | _model_row("model objects", ours, "selected", bar)]


def _mains(given, out, observed, ours) -> list[dict]:
    from benchmarks import baselines
    from benchmarks.held_out import hits

    about = {"question": "main label", "observed": str(observed or 8)}
    rows, bar = [], None
    for name, method in (
        ("tuned votes", baselines.tuned_votes),
        ("and names of the class", baselines.with_class),
        ("and attraction of labels", baselines.attractive),
    ):
        outcomes = method(given, out)
        told, right = outcomes[out.is_main], hits(outcomes, out)
        rows.append(about | _row(name, told, out.item, right, bar))
        bar = np.bincount(out.item, told) if bar is None else bar
    return [*rows, about | _model_row("model objects", ours, "main", bar)]


def _model_row(name, ours, column, bar) -> dict:
    """Return the row of the model, whose responses that are alike stand once."""
    each = ours.loc[ours.index.repeat(ours["n"])]
    right = each["top"].to_numpy() if column == "main" else None
    return _row(name, each[column].to_numpy(), each["place"].to_numpy(), right, bar)


def _row(method, told, item, right=None, bar=None) -> dict:
    """Return one row; `bar` is the sum of each item's logs by the first method."""
    from benchmarks.held_out import clustered

    number, gain, error = len(told), None, None
    if bar is not None:
        apart = np.bincount(item, told) - bar
        gain = round(float(apart.sum() / number), 4)
        error = round(float(np.sqrt(apart.var(ddof=1) * len(apart)) / number), 4)
    return {
        "method": method,
        "nats": round(float(told.mean()), 4),
        "±": round(clustered(told, item), 4),
        "accuracy": None if right is None else round(float(right.mean()), 4),
        "gain": gain,
        "± gain": error,
    }
