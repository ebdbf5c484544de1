import json

import pytest
from tests.responses.reading_back import in_line

from consilience.errors import DataError, KindError
from consilience.responses import read

LABELS = ["cat", "dog", "fox"]


def record(item, person, answer="accept", **more):
    return {
        "text": f"text {item}",
        "_input_hash": item,
        "_task_hash": item + 7,
        "_session_id": f"set-{person}",
        "_annotator_id": person,
        "answer": answer,
        **more,
    }


def choice(item, person, *accept, answer="accept"):
    options = [{"id": label, "text": label.upper()} for label in LABELS]
    return record(item, person, answer, accept=list(accept), options=options)


@pytest.fixture
def export(written):
    def write(*records):
        return written("a.jsonl", "\n".join(map(json.dumps, records)) + "\n")

    return write


def test_options_that_were_accepted_are_the_answer(export):
    path = export(
        choice(-5, "ann", "cat"),
        choice(-5, "bob", "dog"),
        choice(9, "ann", answer="ignore"),
        choice(9, "bob", "cat", answer="reject"),
        choice(9, "cem", "fox"),
    )
    responses = read(path)
    assert (responses.kind, responses.offer) == ("choice", "all")
    assert responses.labels["label"].tolist() == LABELS
    assert in_line(responses, "item", "annotator", "label") == (
        "-5 ann cat, -5 bob dog, 9 ann -, 9 bob -, 9 cem fox"
    )
    text = str(responses.cleaning)
    assert "1 reject (skipped, for no option is an answer), 1 ignore (skipped)" in text
    assert set(responses.cleaning.unused) == {"text", "_task_hash", "_session_id"}


def test_several_accepted_options_are_a_yes_or_no_to_each_on_screen(export):
    path = export(choice(1, "ann", "cat", "dog"), choice(1, "bob", "cat"))
    with pytest.raises(KindError, match="2 labels were picked"):
        read(path, kind="choice")
    assert read(path, kind="objects").num_responses == 3
    responses = read(path)
    assert in_line(responses, "annotator", "label", "answer") == (
        "ann cat yes, ann dog yes, ann fox no, bob cat yes, bob dog no, bob fox no"
    )


def test_one_label_accepted_or_rejected_is_contains(export):
    path = export(
        record(1, "ann", label="SPAM"),
        record(1, "bob", "reject", label="SPAM"),
        record(2, "ann", "ignore", label="SPAM"),
    )
    responses = read(path)
    assert in_line(responses, "item", "label", "answer") == (
        "1 SPAM yes, 1 SPAM no, 2 SPAM -"
    )


def test_sessions_are_the_annotators_where_nobody_is_named(written):
    files = []
    for person in ("ann", "bob"):
        work = choice(1, person, "cat")
        del work["_annotator_id"]
        files.append(written(f"{person}.jsonl", json.dumps(work)))
    responses = read(files)
    assert responses.table["annotator"].tolist() == ["set-ann", "set-bob"]


def test_what_a_reviewer_decided_and_unnamed_sessions_are_remarked(export):
    reviewed = choice(1, "ann", "cat") | {"versions": [choice(1, "bob", "dog")]}
    with pytest.raises(KindError, match="decisions of a reviewer"):
        read(export(reviewed))
    unnamed = choice(1, "2024-02-06_10-17-19", "cat")
    account = str(read(export(unnamed, choice(1, "bob", "cat"))).cleaning)
    assert "called after their time: 1;" in account


def test_spans_and_strange_decisions_are_refused(export):
    spans = record(1, "ann", spans=[{"start": 0, "end": 3, "label": "X"}])
    with pytest.raises(KindError, match="marks spans"):
        read(export(spans))
    with pytest.raises(DataError, match=r"line 1: the answer is 'maybe'"):
        read(export(choice(1, "ann", "cat", answer="maybe")))
