"""The confusion of pairs that occur: by hand, and how often its interval holds."""

import numpy as np
import pytest
import xarray as xr
from scipy.special import betaincinv

from consilience.errors import OptionError
from consilience.posterior.confusion import (
    confusion_at_level,
    confusion_of_label,
    sparse_confusion,
)


@pytest.fixture
def fitted():
    """Lay out what the table is made from: beliefs, lists and answers."""

    def build(belief, state, answers, superclass=None, labels=("cat", "dog", "fox")):
        item, answer, n = np.array(answers).T
        constant = {"candidate_class": (("item", "candidate"), np.array(state))}
        if superclass is not None:
            constant["superclass"] = ("true_class", np.array(superclass, object))
        belief = np.array(belief, float)
        cells = (("item", "candidate"), belief)
        truth = dict.fromkeys(("probability", "lower", "upper"), cells)
        names = {"true_class": list(labels), "annotator": ["ann"]}
        return xr.DataTree.from_dict(
            {
                "/": xr.Dataset(attrs={"prob": 0.9, "kind": "choice"}),
                "truth": xr.Dataset(truth),
                "constant_data": xr.Dataset(constant, names),
                "observed_data": xr.Dataset(
                    {
                        "item": ("response", item),
                        "answer": ("response", answer),
                        "n": ("response", n),
                    }
                ),
            }
        )

    return build


# Item 0 is surely a cat: cat twice, dog once. Item 1 is a cat or a dog, as likely: one
# answer of each. Item 2 is a fox and was called so four times, all in one row.
BY_HAND = (
    ((1.0, 0.0), (0.5, 0.5), (1.0, np.nan)),
    ((0, 1), (0, 1), (2, -1)),
    ((0, 0, 2), (0, 1, 1), (1, 0, 1), (1, 1, 1), (2, 2, 4)),
)


def test_a_cell_is_the_share_of_answers_about_items_of_the_label(fitted):
    table = sparse_confusion(fitted(*BY_HAND), min_expected=0.0)
    cells = table.set_index(["true_label", "given_label"])["probability"]
    # Cats: 3 answers of item 0 and half of the 2 of item 1; 2 and a half say cat.
    assert np.isclose(cells["cat", "cat"], 2.5 / 4)
    assert np.isclose(cells["cat", "dog"], 1.5 / 4)
    assert np.isclose(cells["dog", "cat"], 0.5)
    assert cells["fox", "fox"] == 1
    assert len(cells) == 5
    assert table["annotator"].isna().all()


def test_the_interval_is_that_of_as_many_answers_as_leave_the_variance(fitted):
    table = sparse_confusion(fitted(*BY_HAND), min_expected=0.0)
    row = table.set_index(["true_label", "given_label"]).loc[("cat", "cat")]
    share = 2.5 / 4
    variance = ((2 - 3 * share) ** 2 + 0.5 * (1 - 2 * share) ** 2) / 4**2
    worth = min(share * (1 - share) / variance, 4)
    shape = share * worth + 0.5, (1 - share) * worth + 0.5
    assert np.isclose(row["lower"], betaincinv(*shape, 0.05))
    assert np.isclose(row["upper"], betaincinv(*shape, 0.95))


def test_cells_with_hardly_an_answer_have_no_row(fitted):
    assert len(sparse_confusion(fitted(*BY_HAND), min_expected=0.6)) == 3


def test_one_label_has_the_rows_that_it_has_among_all(fitted):
    data = fitted(*BY_HAND)
    whole = sparse_confusion(data, min_expected=0.0)
    own = whole[whole["true_label"] == "cat"].reset_index(drop=True)
    assert confusion_of_label(data, "cat").equals(own)


def test_superclasses_are_the_labels_taken_together(fitted):
    data = fitted(*BY_HAND, superclass=["pet", "pet", "wild"])
    table = confusion_at_level(data, 1)
    cells = table.set_index(["true_label", "given_label"])["probability"]
    assert cells.to_dict() == {("pet", "pet"): 1.0, ("wild", "wild"): 1.0}


def test_labels_without_a_superclass_stay_as_they_are(fitted):
    table = confusion_at_level(fitted(*BY_HAND, superclass=["pet", "", "wild"]), 1)
    assert set(table["true_label"]) == {"dog", "pet", "wild"}
    row = table.set_index(["true_label", "given_label"]).loc[("pet", "pet")]
    assert np.isclose(row["probability"], 2.5 / 4)


def test_two_levels_up_are_the_superclasses_of_superclasses(fitted):
    labels = ("cat", "pet", "all")
    data = fitted(*BY_HAND, superclass=["pet", "all", ""], labels=labels)
    assert set(confusion_at_level(data, 1)["true_label"]) <= {"pet", "all"}
    assert set(confusion_at_level(data, 2)["true_label"]) == {"all"}
    with pytest.raises(OptionError, match="level -1"):
        confusion_at_level(data, -1)


ITEMS, EACH, STUDIES = 40, 5, 400


def intervals(fitted, *, of_items):
    """Return how often the interval holds the share that answers come from.

    Items differ: each has a chance of its own, Beta(2, 2), that an answer is cat.
    """
    generator = np.random.default_rng(0)
    held = []
    for _ in range(STUDIES):
        cats = generator.binomial(EACH, generator.beta(2, 2, ITEMS))
        if of_items:
            answers = [(i, 0, c) for i, c in enumerate(cats) if c]
            answers += [(i, 1, EACH - c) for i, c in enumerate(cats) if c < EACH]
            data = fitted(np.ones((ITEMS, 1)), np.zeros((ITEMS, 1), int), answers)
            row = sparse_confusion(data).iloc[0]
            lower, upper = row["lower"], row["upper"]
        else:
            shape = cats.sum() + 0.5, ITEMS * EACH - cats.sum() + 0.5
            lower, upper = betaincinv(*shape, 0.05), betaincinv(*shape, 0.95)
        held.append(lower < 0.5 < upper)
    return np.mean(held)


@pytest.mark.study
def test_nine_tenths_intervals_hold_nine_times_in_ten_though_items_differ(fitted):
    tolerance = 4 * np.sqrt(0.9 * 0.1 / STUDIES)
    assert abs(intervals(fitted, of_items=True) - 0.9) < tolerance


@pytest.mark.study
def test_intervals_that_take_answers_for_independent_do_not(fitted):
    tolerance = 4 * np.sqrt(0.9 * 0.1 / STUDIES)
    assert abs(intervals(fitted, of_items=False) - 0.9) > tolerance
