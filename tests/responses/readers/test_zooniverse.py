import json

import pytest
from tests.responses.exports.writers import classification as row
from tests.responses.exports.writers import classified
from tests.responses.reading_back import in_line, rows

from consilience.errors import ColumnError, KindError
from consilience.responses import read


def question(value, task="T0"):
    return {"task": task, "task_label": "Which animal?", "value": value}


def survey(*choices, task="T0"):
    records = [{"choice": each, "answers": {}, "filters": {}} for each in choices]
    return {"task": task, "value": records}


@pytest.fixture
def export(tmp_path):
    return lambda *rows: classified(tmp_path / "classifications.csv", rows)


def test_a_question_is_a_choice_and_people_without_login_are_annotators(export):
    path = export(
        row(1, "ann", question("cat")),
        row(1, "not-logged-in-4e1f", question("dog")),
        row(2, "ann", question(None)),
        row(2, "not-logged-in-4e1f", question("cat"), retired={"id": 3}),
    )
    responses = read(path)
    assert (responses.kind, responses.offer) == ("choice", "all")
    assert in_line(responses, "item", "annotator", "label", "seconds") == (
        "1 ann cat 4.5, 1 not-logged-in-4e1f dog 4.5, 2 ann - 4.5, "
        "2 not-logged-in-4e1f cat 4.5"
    )
    account = str(responses.cleaning)
    assert "not logged in: 2; people behind one address are one annotator" in account
    assert "subjects that are retired: 1; their answers count" in account


def test_a_survey_names_one_object_for_each_choice(export):
    path = export(
        row(1, "ann", survey("FOX", "HARE", "FOX")), row(1, "bob", survey("FOX"))
    )
    responses = read(path)
    assert responses.kind == "objects"
    assert in_line(responses, "annotator", "label", "object") == (
        "ann FOX 0, ann HARE 1, bob FOX 0"
    )
    # Where nobody names several, it is a choice.
    assert read(export(row(1, "ann", survey("FOX")))).kind == "choice"


def test_a_question_with_several_answers_is_a_yes_or_no_to_each(export):
    path = export(row(1, "ann", question(["cat", "dog"])), row(1, "bob", question([])))
    responses = read(path)
    assert in_line(responses, "annotator", "label", "answer") == (
        "ann cat yes, ann dog yes, bob cat no, bob dog no"
    )
    assert "every label that anybody picked is taken as shown" in str(
        responses.assumptions
    )
    assert read(path, kind="objects").table["label"].notna().sum() == 2
    with pytest.raises(KindError, match="2 labels were picked"):
        read(path, kind="choice")
    responses = read(path, offered=["cat", "dog", "fox"])
    assert in_line(responses, "annotator", "label", "answer") == (
        "ann cat yes, ann dog yes, ann fox no, bob cat no, bob dog no, bob fox no"
    )


def test_a_question_is_chosen_where_there_are_several_also_on_one_page(export):
    both = question([question("cat"), question("near", "T1")], "T9")
    path = export(row(1, "ann", both), row(1, "bob", question("dog")))
    found = r"found 'T0' \(Which animal\?: choice, 2 answers\), 'T1' \(.*1 answer\)"
    with pytest.raises(ColumnError, match=f"several questions; {found}"):
        read(path)
    assert rows(read(path, question="T0"), "label") == [["cat"], ["dog"]]
    assert rows(read(path, label="T0"), "label") == [["cat"], ["dog"]]
    # Bob was not asked.
    assert rows(read(path, question="T1"), "annotator", "label") == [["ann", "near"]]
    drawn = question([{"x": 1, "y": 2, "tool": 0}], "T2")
    path = export(row(1, "ann", question("cat"), drawn))
    assert rows(read(path), "label") == [["cat"]]


def test_the_item_is_a_field_of_the_metadata_if_it_is_named(export):
    path = export(row(1, "ann", question("cat"), filename="a.jpg", number=5))
    assert rows(read(path), "item") == [["1"]]
    assert rows(read(path, item="filename"), "item") == [["a.jpg"]]
    assert rows(read(path, item="number"), "item") == [["5"]]
    with pytest.raises(ColumnError, match="no field 'image'"):
        read(path, item="image")


def test_gold_standard_classifications_are_gold_and_no_answers(export):
    path = export(
        row(1, "ann", question("cat")), row(1, "expert", question("dog"), gold="true")
    )
    responses = read(path)
    assert rows(responses, "annotator", "label") == [["ann", "cat"]]
    assert responses.gold.astype("str").to_numpy().tolist() == [["1", "dog"]]
    assert "marked as the truth" in str(responses.cleaning)


TASK = json.dumps(
    {"item": "a", "kind": "contains", "labels": ["x", "y"], "names": ["X", "Y"]}
)


def test_numbers_that_are_not_on_the_list_are_skipped_and_counted(export):
    path = export(
        row(1, "ann", question(["1"]), **{"#task": TASK}),
        row(1, "bob", question(["3"]), **{"#task": TASK}),
        row(1, "cem", question([]), **{"#task": TASK}),
    )
    responses = read(path)
    assert in_line(responses, "item", "annotator", "label", "answer") == (
        "a ann x yes, a ann y no, a bob x -, a bob y -, a cem x no, a cem y no"
    )
    assert "not on the subject's list, read as skipped: 1" in str(responses.cleaning)
    # A subject without a list: numbers are labels, and nothing is known of offers.
    path = export(
        row(1, "ann", question(["1"]), **{"#task": TASK}),
        row(2, "ann", question(["2"])),
    )
    responses = read(path)
    assert responses.table["label"][responses.table["answer"] == "yes"].tolist() == [
        "1",
        "2",
    ]
