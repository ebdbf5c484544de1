import numpy as np
import pandas as pd
import pytest

from consilience import read
from consilience.analysis import agreement
from consilience.errors import FitError, OptionError


def objects(answers):
    """Read (item, annotator, labels) as objects."""
    rows = [
        {"item": item, "annotator": who, "label": label, "response_id": f"{item}{who}"}
        for item, who, labels in answers
        for label in labels.split()
    ]
    return read(pd.DataFrame(rows), kind="objects")


@pytest.fixture
def photos():
    return objects(
        [
            ("1", "a", "cat dog"),
            ("1", "b", "cat"),  # a subset: Jaccard 1/2, MASI 1/2 * 2/3
            ("2", "a", "cat dog"),
            ("2", "b", "dog fox"),  # overlap: Jaccard 1/3, MASI 1/3 * 1/3
            ("3", "a", "dog cat"),
            ("3", "b", "cat dog"),  # equal, in another order
            ("4", "a", "cat"),
            ("4", "b", "fox"),  # nothing in common
        ]
    )


@pytest.mark.parametrize(
    ("distance", "pairs"),
    [
        ("nominal", (0, 0, 1, 0)),
        ("jaccard", (1 / 2, 1 / 3, 1, 0)),
        ("masi", (1 / 3, 1 / 9, 1, 0)),
    ],
)
def test_sets_agree_as_worked_by_hand(distance, pairs, photos):
    result = agreement(photos, distance=distance, resamples=0)
    assert result["percent"] == pytest.approx(np.mean(pairs))


@pytest.mark.parametrize("distance", ["jaccard", "masi"])
def test_alpha_of_sets_is_one_less_the_ratio_of_distances(distance, photos):
    # Krippendorff (2019): observed distance over that of all pairs of the n answers.
    given = ["cat dog", "cat", "cat dog", "dog fox", "dog cat", "cat dog", "cat", "fox"]
    sets = [frozenset(labels.split()) for labels in given]

    def far(one, other):
        shared, either = len(one & other), len(one | other)
        factor = {True: 1.0}.get(
            one == other, 2 / 3 if one <= other or other <= one else 1 / 3
        )
        return 1 - shared / either * (1 if distance == "jaccard" else factor)

    observed = np.mean([far(sets[i], sets[i + 1]) for i in range(0, 8, 2)])
    expected = np.mean(
        [far(sets[i], sets[j]) for i in range(8) for j in range(8) if i != j]
    )
    result = agreement(photos, distance=distance, resamples=0)
    assert result["krippendorff"] == pytest.approx(1 - observed / expected)


def test_objects_that_nothing_ties_together_are_refused():
    table = pd.DataFrame(
        {"item": ["1", "1"], "label": ["cat", "dog"], "response_id": ["r", None]}
    )
    with pytest.raises(OptionError, match="`response_id=`"):
        agreement(read(table, kind="objects"))


def contains(rows):
    frame = pd.DataFrame(rows, columns=["item", "label", "annotator", "answer"])
    return read(frame, kind="contains")


def test_yes_maybe_and_no_are_ordered():
    rows = [("1", "cat", "a", "yes"), ("1", "cat", "b", "maybe")]
    rows += [("1", "dog", "a", "yes"), ("1", "dog", "b", "no")]
    result = agreement(contains(rows), resamples=0)
    # Gwet's ordinal similarity of neighbours among three is 1 - 1/3, of the ends 0.
    assert result.distance == "ordinal"
    assert result["percent"] == pytest.approx((2 / 3 + 0) / 2)


def test_a_label_of_contains_is_said_by_a_yes():
    rows = [
        (item, label, who, answer)
        for item, label, answers in [
            ("1", "cat", "yes yes no"),
            ("2", "cat", "no no no"),
            ("1", "dog", "yes yes yes"),
            ("2", "dog", "no yes no"),
        ]
        for who, answer in zip("abc", answers.split(), strict=True)
    ]
    result = agreement(contains(rows), by=("label",), resamples=0)
    labels = result.labels.set_index("label")
    assert labels["share"].to_dict() == pytest.approx({"cat": 1 / 3, "dog": 2 / 3})
    assert labels["specific"]["cat"] == pytest.approx(2 / 4)
    # 1 - mean over items of c (r - c) / (r (r - 1)), over p (1 - p): Fleiss (1971).
    assert labels["kappa"]["cat"] == pytest.approx(1 - (2 / 6 / 2) / (1 / 3 * 2 / 3))
    assert result.categories == 2  # nobody used maybe


@pytest.mark.parametrize(
    ("distance", "labels", "said"),
    [
        ("masi", ("cat", "dog"), "single answers"),
        ("interval", ("cat", "dog"), "is no number"),
        ("ratio", ("-1", "2"), "below zero"),
    ],
)
def test_a_distance_that_does_not_suit_is_refused(distance, labels, said, rated):
    with pytest.raises(OptionError, match=said):
        agreement(rated([labels, labels]), distance=distance)


def test_too_many_answers_for_a_table_of_distances_are_refused(rated):
    table = [[i, i + 1] for i in range(5000)]
    with pytest.raises(FitError, match="nominal"):
        agreement(rated(table), distance="interval")
    assert agreement(rated(table), resamples=0)["percent"] == 0
