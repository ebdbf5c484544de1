"""Responses about objects, foreseen from the others: which labels, and which is main.

Each of the 59,580 responses of the ImageNet multi-label study is held out in its turn;
what can be learned of other items is learned on four folds of items, and the fifth is
foreseen.
"""

import os
from pathlib import Path

from benchmarks.report import Report

OBSERVED = (None, 3, 1)

NOTES = (
    (
        "Mean log probability of a held-out response, in nats; ± by item. The outcomes "
        "are blind to it: labels that those observed name, the data set's own label, "
        "and one outcome for all else. Means differ between numbers of observed "
        "responses because the outcomes do."
    ),
    (
        "accuracy: the chance that the likeliest outcome is right, ties split. gain: "
        "over the first row of the same question, paired by item."
    ),
    (
        "Folds by item: (row x 7,919) mod 5. Every weight is tuned on the other folds. "
        "Three and one observed responses are drawn anew for each held out, with one "
        "seed."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Foresee every response by every method."""
    del repeats
    title = "Held-out responses about objects"
    data = Path(os.environ.get("CONSILIENCE_DATA", "data"), "imagenet-multilabel")
    if quick or not data.exists():
        return Report(
            title, [{"question": "not run (quick, or no CONSILIENCE_DATA)"}], ()
        )
    import consilience as cs
    from benchmarks.held_out import held_out, study

    responses = cs.read(data)
    given = study(responses)
    rows = []
    for observed in OBSERVED:
        out = held_out(given, observed)
        if observed is None:
            rows += _sets(given, out)
        rows += _mains(given, out, observed)
    return Report(title, rows, NOTES)


def _sets(given, out) -> list[dict]:
    from benchmarks.selected_set import two_styles

    told = two_styles(given, out)
    return [_row("labels named", "8", "one or several, tuned", told, None, None, out)]


def _mains(given, out, observed) -> list[dict]:
    from benchmarks import main_label
    from benchmarks.held_out import hits

    rows, first = [], None
    for name, method in (
        ("tuned votes", main_label.tuned_votes),
        ("and names of the class", main_label.with_class),
        ("and attraction of labels", main_label.attractive),
    ):
        outcomes = method(given, out)
        told, right = outcomes[out.is_main], hits(outcomes, out)
        first = told if first is None else first
        many = str(observed or 8)
        rows.append(_row("main label", many, name, told, right, first, out))
    return rows


def _row(question, observed, method, told, right, first, out) -> dict:
    from benchmarks.held_out import clustered

    gain = None if first is None else told - first
    return {
        "question": question,
        "observed": observed,
        "method": method,
        "nats": round(float(told.mean()), 4),
        "±": round(clustered(told, out.item), 4),
        "accuracy": None if right is None else round(float(right.mean()), 4),
        "gain": None if gain is None else round(float(gain.mean()), 4),
        "± gain": None if gain is None else round(clustered(gain, out.item), 4),
    }
