import pandas as pd
import pytest

from consilience.errors import ConsilienceError, SourceError
from consilience.responses import read


def asked(answer, label="query", **more):
    return pd.DataFrame(
        {
            "image_id": ["a", "a", "b", "b"],
            "worker_id": ["x", "y", "x", "y"],
            label: ["cat", "cat", "dog", "dog"],
            answer: ["Y", "N", "unsure", "Y"],
            **more,
        }
    )


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ("contains_object", "query"),
        ("contains_object", "label"),
        ("is_present", "category"),
        ("verdict", "query"),
        ("has_it", "class"),
    ],
)
def test_yes_and_no_beside_a_query_are_contains(answer, label):
    responses = read(asked(answer, label))
    assert responses.kind == "contains"
    said = responses.table["answer"].astype(object).fillna("skipped").tolist()
    assert said == ["yes", "no", "skipped", "yes"]
    rule = "'Y' as yes; 'N' as no; 'unsure' as skipped"
    assert rule in str(responses.cleaning)
    assert responses.cleaning.columns[answer] == "answer"


def test_yes_and_no_of_unclear_meaning_are_refused_with_both_ways_out():
    with pytest.raises(SourceError) as caught:
        read(asked("verdict", "label"))
    first, second = str(caught.value).partition(" or `")[::2]
    assert '`label="label"`' in first
    assert '`label="label"`' in second
    assert ("`answer=" in first) != ("`answer=" in second)
    assert read(asked("verdict", "label"), answer="verdict").kind == "contains"
    responses = read(asked("verdict", "label"), kind="choice")
    assert responses.kind == "choice"
    assert responses.cleaning.unused == {"verdict": "yes/no words"}


def test_columns_of_state_are_no_answers_and_are_told():
    frame = asked("approved", "label").assign(approved=["yes", "no", "yes", "yes"])
    responses = read(frame)
    assert responses.kind == "choice"
    assert responses.cleaning.unused == {"approved": "yes/no words"}
    assert "'approved' holds yes-or-no words" in responses.cleaning.warnings[0]


@pytest.mark.parametrize("word", ["unsure", "?", "don't know", "n/a", "Not sure"])
def test_words_of_doubt_are_skipped_by_a_rule_that_is_printed(word):
    frame = asked("contains_it").assign(contains_it=["yes", "no", word, "yes"])
    responses = read(frame)
    assert responses.table["answer"].isna().sum() == 1
    assert "as skipped" in str(responses.cleaning)
    frame = asked("contains_it").assign(contains_it=["yes", "no", word, "yes"])
    mapped = read(frame, answers={word: "maybe"})
    assert (mapped.table["answer"] == "maybe").sum() == 1


def hot(**more):
    return pd.DataFrame(
        {
            "image": ["a", "a", "b"],
            "worker": ["x", "y", "x"],
            "cat": [1, 0, 1],
            "dog": [0, 1, 1],
            "fox": [0, 0, 1],
            **more,
        }
    )


def test_a_column_per_label_is_recognised_and_the_way_is_said():
    responses = read(hot(fox=[0, 0, 0]))
    assert (responses.kind, responses.num_responses) == ("contains", 9)
    assert "'cat', 'dog', 'fox' says whether a label was given" in str(
        responses.assumptions
    )
    with pytest.raises(ConsilienceError, match="one_hot=cat,dog,fox"):
        read(hot(fox=[0, 0, 0]).drop(columns=["image", "worker"]))


def test_a_column_per_label_is_read_as_contains():
    responses = read(hot(), one_hot=["cat", "dog", "fox"])
    assert responses.kind == "contains"
    table = responses.table
    yes = table[table["answer"] == "yes"][["item", "annotator", "label"]]
    assert set(map(tuple, yes.astype("str").to_numpy())) == {
        ("a", "x", "cat"),
        ("a", "y", "dog"),
        ("b", "x", "cat"),
        ("b", "x", "dog"),
        ("b", "x", "fox"),
    }
    assert len(table) == 9
    assert responses.cleaning.columns["fox"] == "label"
    assert responses.cleaning.unused == {}


def test_a_column_per_label_is_read_as_objects_or_as_a_choice():
    responses = read(hot(), one_hot=["cat", "dog", "fox"], kind="objects")
    assert responses.table["label"].tolist() == ["cat", "dog", "cat", "dog", "fox"]
    one = hot(fox=[0, 0, 0], dog=[0, 1, 0])
    responses = read(one, one_hot=["cat", "dog", "fox"], kind="choice")
    assert responses.table["label"].tolist() == ["cat", "dog", "cat"]
