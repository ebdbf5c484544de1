"""Truth spaces, on tables small enough to write the codes out."""

import numpy as np
import pandas as pd
import pytest

from consilience.errors import DataError, FitError, OptionError
from consilience.responses import read
from consilience.spaces import space_of
from consilience.truth import ANONYMOUS, tally
from consilience.truth.space import check_size


def responses(rows, columns="item annotator label", **options):
    return read(pd.DataFrame(rows, columns=columns.split()), **options)


@pytest.fixture
def three_items():
    return responses(
        [("i1", "ann", "cat"), ("i0", "bob", "dog"), ("i1", "bob", "dog")],
        labels=["cat", "dog", "fox"],
    )


def test_every_label_is_a_state_of_every_item(three_items):
    space = space_of(three_items)
    assert space.states == space.answers == ("cat", "dog", "fox")
    assert list(space.unit_item) == ["i0", "i1"]
    assert not space.ragged
    assert np.array_equal(space.state, [[0, 1, 2]])
    # Answers are coded in the order of their units.
    assert np.array_equal(space.unit, [0, 1, 1])
    assert list(space.annotators[space.annotator]) == ["bob", "ann", "bob"]
    assert [space.answers[code] for code in space.answer] == ["dog", "cat", "dog"]


def test_gold_labels_leave_only_themselves_possible(three_items):
    gold = pd.DataFrame({"item": ["i1", "i1"], "label": ["cat", "fox"]})
    space = space_of(three_items, gold=gold)
    assert np.array_equal(np.isfinite(space.log_prior), [[1, 1, 1], [1, 0, 1]])


def test_gold_of_other_items_is_said_to_be_unused_and_other_labels_are_refused(
    three_items,
):
    gold = pd.DataFrame({"item": ["i1", "nowhere"], "label": ["cat", "cat"]})
    assert "1 gold rows name items" in space_of(three_items, gold=gold).assumptions[-1]
    gold = pd.DataFrame({"item": ["i1"], "label": ["cow"]})
    with pytest.raises(DataError, match="'cow' of item 'i1'"):
        space_of(three_items, gold=gold)


def test_candidates_are_the_states_of_their_item_and_answers_join_them(three_items):
    lists = pd.DataFrame(
        {"item": ["i0", "i0", "i1"], "label": ["dog", "fox", "cat"], "log_odds": 0.5}
    )
    space = space_of(three_items, lists=lists)
    assert space.ragged
    assert np.array_equal(space.state, [[1, 2], [0, 1]])
    assert np.array_equal(space.log_prior, [[0.0, 0.0], [0.0, -0.5]])


def test_labels_of_candidates_join_those_of_the_answers(three_items):
    before = space_of(three_items).states
    lists = pd.DataFrame({"item": ["i0", "i0"], "label": ["cow", before[0]]})
    space = space_of(three_items, lists=lists)
    assert space.states == (*before, "cow")
    assert len(before) in space.state[0][np.isfinite(space.log_prior[0])]
    assert any(each.startswith("1 labels of candidates") for each in space.assumptions)
    others = pd.DataFrame({"item": ["elsewhere"], "label": ["cow"]})
    assert "cow" not in space_of(three_items, lists=others).states


def test_candidates_that_are_called_otherwise_than_the_answers_are_refused(three_items):
    lists = pd.DataFrame({"item": ["i0", "i1"], "label": ["281", "282"]})
    with pytest.raises(DataError, match=r"'281', '282'.*`label_column=NAME`"):
        space_of(three_items, lists=lists)


def test_anonymous_answers_share_the_last_annotator():
    space = space_of(responses([("i", "ann", "a"), ("i", None, "b"), ("j", None, "a")]))
    assert list(space.annotators) == ["ann", ANONYMOUS]
    assert list(space.identified) == [True, False]
    assert np.array_equal(space.annotator, [0, 1, 1])


def test_one_label_alone_is_refused():
    with pytest.raises(DataError, match="all answers are 'a'"):
        space_of(responses([("i", "ann", "a"), ("j", "bob", "a")]))


def test_skipped_questions_are_no_answers_but_their_item_stays():
    answers = responses([("i", "ann", "a"), ("j", "ann", None), ("k", "bob", "b")])
    space = space_of(answers)
    assert list(space.unit_item) == ["i", "j", "k"]
    assert np.array_equal(space.unit, [0, 2])


def test_confusions_that_would_not_fit_in_memory_are_refused():
    with pytest.raises(FitError, match="1,000,000,000,000 confusion"):
        check_size(100, 100_000, 100_000)


CONTAINS = [
    ("i", "ann", "cat", "yes"),
    ("i", "bob", "cat", "maybe"),
    ("i", "bob", "dog", "no"),
    ("j", "ann", "cat", "no"),
]


@pytest.fixture
def asked():
    return responses(CONTAINS, "item annotator label answer", kind="contains")


def test_contains_asks_about_pairs_of_item_and_label(asked):
    space = space_of(asked)
    pairs = list(zip(space.unit_item, space.unit_label, strict=True))
    assert pairs == [("i", "cat"), ("i", "dog"), ("j", "cat")]
    assert space.states == ("absent", "present")
    assert np.array_equal(tally(space), [[0.5, 1.5], [1, 0], [1, 0]])


def test_three_states_of_presence_take_a_maybe_at_its_word(asked):
    space = space_of(asked, num_states=3)
    assert np.array_equal(tally(space)[0], [0, 1, 1])
    assert np.array_equal(space.present, [0, 0.5, 1])
    with pytest.raises(OptionError, match="2 or 3 states, not 4"):
        space_of(asked, num_states=4)


def test_gold_of_contains_needs_an_answer_for_the_pair(asked):
    gold = pd.DataFrame({"item": ["i"], "label": ["dog"], "answer": ["yes"]})
    space = space_of(asked, gold=gold)
    assert np.array_equal(np.isfinite(space.log_prior), [[1, 1], [0, 1], [1, 1]])
    with pytest.raises(DataError, match="'answer' of yes and no"):
        space_of(asked, gold=gold.drop(columns="answer"))
