"""Blanks, missing words and structures are treated alike in every format."""

import json

import pytest
from tests.responses.exports.writers import choices, work

from consilience.errors import DataError
from consilience.responses import read

HEADER = "HITId,AssignmentId,WorkerId,AssignmentStatus,Input.image,Answer.label\n"
ANSWERS = [("x", " cat "), ("y", "NA"), ("z", "cat")]


def peerannot(answers):
    return "a.json", json.dumps({"i": dict(answers)})


def json_lines(answers):
    rows = [{"item": "i", "annotator": a, "label": label} for a, label in answers]
    return "a.jsonl", "\n".join(map(json.dumps, rows))


def label_studio(answers):
    works = [work(k, who, choices("q", x)) for k, (who, x) in enumerate(answers)]
    return "a.json", json.dumps([{"id": "i", "data": {}, "annotations": works}])


def mturk(answers):
    rows = [f"1,a{who},{who},Approved,i,{label}\n" for who, label in answers]
    return "a.csv", HEADER + "".join(rows)


def table(answers):
    rows = [f"i,{who},{label}\n" for who, label in answers]
    return "a.csv", "item,annotator,label\n" + "".join(rows)


FORMATS = [peerannot, json_lines, label_studio, mturk, table]


@pytest.mark.parametrize("write", FORMATS, ids=lambda f: f.__name__)
def test_blanks_are_trimmed_and_missing_words_are_missing(written, write):
    name = "peerannot" if write is peerannot else None
    responses = read(written(*write(ANSWERS)), format=name)
    assert responses.labels["label"].tolist() == ["cat"]
    assert responses.table["label"].isna().tolist() == [False, True, False]
    text = str(responses.cleaning)
    assert "were trimmed" in text
    assert "cells 'NA'" in text


@pytest.mark.parametrize("write", FORMATS[:3], ids=lambda f: f.__name__)
def test_a_list_or_an_object_is_never_a_label(written, write):
    name = "peerannot" if write is peerannot else None
    answers = [("x", '{"label": "cat"}'), ("y", "cat")]
    with pytest.raises(DataError, match="is a list or an object"):
        read(written(*write(answers)), format=name)
    with pytest.raises(DataError):
        read(written(*write([("x", {"label": 1}), ("y", "cat")])), format=name)
