"""Labels of one item go together: intervals resample items, not pairs."""

from dataclasses import replace

import numpy as np
import pandas as pd

from consilience import read
from consilience.analysis import agreement

TEMPLATE = read(
    pd.DataFrame(
        {
            "item": ["0"] * 8,
            "label": list("abcdefgh"),
            "annotator": ["a"] * 8,
            "answer": ["yes"] * 8,
        }
    ),
    kind="contains",
)
STUDIES = 100
ITEMS, LABELS = 30, 8
TOLERANCE = 4 * np.sqrt(0.9 * 0.1 / STUDIES)


def study(generator):
    """Two annotators who agree on all labels of an easy item, on half of a hard one."""
    easy = generator.random((ITEMS, 1)) < 0.5
    one = generator.random((ITEMS, LABELS)) < 0.5
    flip = generator.random((ITEMS, LABELS)) < np.where(easy, 0.05, 0.5)
    return one, one ^ flip


def long(one, other, item):
    """Make responses without the reader, which would take most of the time."""
    codes = {
        "item": np.tile(item, 2),
        "annotator": np.repeat([0, 1], ITEMS * LABELS),
        "label": np.tile(np.arange(LABELS), 2 * ITEMS),
        "answer": 2 * np.concatenate([one.ravel(), other.ravel()]),
    }
    names = {
        "item": [f"{i:04d}" for i in range(item.max() + 1)],
        "annotator": ["a", "b"],
        "label": list(TEMPLATE.labels["label"]),
        "answer": ["no", "maybe", "yes"],
    }
    table = pd.DataFrame(
        {name: pd.Categorical.from_codes(codes[name], names[name]) for name in codes}
    )
    kind = pd.Categorical(["contains"] * len(table))
    return replace(TEMPLATE, table=table.assign(kind=kind, n=1))


def coverage(item):
    """How often the interval from resamples, and that from the variance, hold."""
    truth = 1 - (0.05 + 0.5) / 2
    held = np.zeros(2)
    for seed in range(STUDIES):
        one, other = study(np.random.default_rng(seed))
        result = agreement(long(one, other, item), bootstrap=200, seed=seed)
        row = result.coefficients.set_index("coefficient").loc["percent"]
        held += [
            row["lower"] <= truth <= row["upper"],
            row["se_lower"] <= truth <= row["se_upper"],
        ]
    return held / STUDIES


def test_intervals_hold_where_the_labels_of_an_item_go_together():
    held = coverage(np.repeat(np.arange(ITEMS), LABELS))
    assert (abs(held - 0.9) < TOLERANCE).all()


def test_the_same_check_catches_labels_taken_for_items_of_their_own():
    held = coverage(np.arange(ITEMS * LABELS))
    assert (held < 0.9 - TOLERANCE).all()
