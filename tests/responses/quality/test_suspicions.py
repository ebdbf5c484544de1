import warnings

import pandas as pd
import pytest

import consilience as cs
from consilience.errors import ConsilienceWarning
from consilience.responses import read


def answers(labels, people="xyz", item=None):
    number = len(labels)
    return pd.DataFrame(
        {
            "item": item or [f"i{k // 3}" for k in range(number)],
            "annotator": [people[k % len(people)] for k in range(number)],
            "label": labels,
        }
    )


def said(*arguments, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        responses = read(*arguments, **options)
    assert all(issubclass(each.category, ConsilienceWarning) for each in caught)
    assert [str(each.message) for each in caught] == list(responses.cleaning.warnings)
    return responses, " ".join(responses.cleaning.warnings)


def test_nothing_is_said_of_plain_answers():
    assert said(answers(["cat", "dog", "cat", "dog", "dog", "dog"]))[1] == ""


@pytest.mark.parametrize("word", ["Unsure", "n/a", "don\u2019t know", "none", "idk"])
def test_labels_that_look_unanswered_are_named_with_their_number(word):
    sentence = said(answers(["cat", "dog", word, "cat", "dog", word]))[1]
    assert f"{word!r} (answers: 2)" in sentence
    assert "`missing=`" in sentence


@pytest.mark.parametrize(
    "labels",
    [
        ["none of these", "cat", "dog"],
        ["none", "mild", "severe"],
        ["disagree", "undecided", "agree"],
    ],
)
def test_real_answers_and_steps_of_a_scale_do_not_look_unanswered(labels):
    assert said(answers([*labels, *labels]))[1] == ""


@pytest.mark.parametrize(
    "other",
    ["CAT", "Cat", "ca\u200bt", "\ufeffcat", "\uff43at", "cat.", "\u2018cat\u2019"],
)
def test_spellings_of_one_label_are_listed(other):
    text = said(answers(["cat", other, "dog", "cat", "cat", "dog"]))[1]
    assert "labels that differ only in" in text
    assert "'cat'" in text


@pytest.mark.parametrize(
    ("labels", "options", "left"),
    [
        (["cat", "Cat", "cat", "CAT", "dog"], {"fold_case": True}, ["cat", "dog"]),
        (["cat", "ca\u200bt", "\uff43at"], {"normalize": True}, ["cat"]),
        (["cat", "\uff23at"], {"normalize": True}, ["Cat", "cat"]),
        (["cafe\u0301", "caf\u00e9"], {"normalize": True}, ["caf\u00e9"]),
        (["Cat", "cat", "Cat"], {"fold_case": True}, ["Cat"]),
        (["Cat", "cat", "Cat"], {"fold_case": True, "labels": ["cat"]}, ["cat"]),
        (["stra\u00dfe", "STRASSE"], {"fold_case": True}, ["stra\u00dfe"]),
    ],
)
def test_spellings_are_merged_where_it_is_asked_and_counted(labels, options, left):
    responses = read(answers(labels), **options)
    assert responses.labels["label"].tolist()[-len(left) :] == left
    assert len(responses.table) == len(labels)
    assert "labels were respelled" in str(responses.cleaning) or len(left) > 1
    assert responses.table["label"].notna().all()


def test_gold_follows_the_spelling():
    gold = pd.DataFrame({"item": ["i0"], "label": ["DOG"]})
    responses = read(answers(["cat", "dog", "Dog", "dog"]), gold=gold, fold_case=True)
    assert responses.gold["label"].tolist() == ["dog"]
    assert responses.labels["label"].tolist() == ["cat", "dog"]


def test_one_annotator_per_answer_is_told():
    text = said(answers(list("ababab"), people="123456"))[1]
    assert "each of the 6 rows has an annotator of its own" in text


def test_labels_like_free_text_are_told():
    assert "names a label of its own" in said(answers(list("abcdefg")))[1]
    long = ["this is a rather long remark of somebody number " + c for c in "abcdefg"]
    assert "look like free text" in said(answers(long + long[:2]))[1]


def test_the_summary_says_what_was_understood():
    frame = answers(["cat", "dog", "cat", "dog"]).assign(
        gold=["cat", "cat", "cat", "dog"],
        Notes=["u", "v", "u", "w"],
        seconds=[1, 2, 3, 1],
    )
    summary = cs.read(frame).summary
    assert (summary.items, summary.annotators, summary.labels) == (2, 3, 2)
    assert summary.first_labels == ("cat", "dog")
    assert summary.answers_per_item == (1, 2.0, 3)
    assert summary.gold == 2
    assert summary.columns == {
        "item": "item",
        "annotator": "annotator",
        "label": "label",
        "gold": "gold",
        "seconds": "kept with its answers",
    }
    assert summary.unused == {"Notes": ""}
    text = str(cs.read(frame))
    assert "labels            2: cat, dog" in text
    assert "answers per item  1 to 3, median 2" in text
    assert "columns not used  Notes" in text
