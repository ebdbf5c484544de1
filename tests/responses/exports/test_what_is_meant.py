"""Which question, table, list and field of an export holds the answers."""

import json

import pandas as pd
import pytest

import consilience as cs
from consilience.errors import ColumnError

LABELS = ("cat", "dog")


def appen(*, gold="animal"):
    rows = []
    for k in range(12):
        row = {
            "_unit_id": k // 3,
            "_golden": "false",
            "_id": 100 + k,
            "_worker_id": f"w{k % 3}",
            "animal": LABELS[k % 2],
            "komento": ["ok", "hmm"][(k // 2) % 2],
            "picture": f"{k // 3}.jpg",
        }
        rows.append(row | ({f"{gold}_gold": "cat"} if gold else {}))
    return pd.DataFrame(rows)


def test_the_question_with_gold_is_the_one_that_is_meant(tmp_path):
    appen().to_csv(tmp_path / "f1.csv", index=False)
    responses = cs.read(tmp_path / "f1.csv")
    assert set(responses.table["label"]) == set(LABELS)
    assert any("komento" in note for note in responses.cleaning.notes)
    appen(gold="").to_csv(tmp_path / "f2.csv", index=False)
    with pytest.raises(ColumnError, match=r"'animal'.*'komento'"):
        cs.read(tmp_path / "f2.csv")


def test_what_an_annotation_was_before_is_no_annotation(tmp_path):
    before = [{"code": "old", "at": 1}]
    records = [
        {
            "doc": {"uid": f"d{k}", "lang": "en"},
            "codings": [
                {"by": {"name": who}, "pick": {"code": code}, "history": before[:k]}
                for who, code in (("ann", "A"), ("bob", "B"), ("cid", "A"))
            ],
        }
        for k in range(4)
    ]
    lines = "\n".join(map(json.dumps, records))
    (tmp_path / "threads.jsonl").write_text(lines)
    responses = cs.read(tmp_path / "threads.jsonl")
    assert responses.num_responses == 12
    assert set(responses.table["label"]) == {"A", "B"}


def prodigy(number):
    return [
        {
            "text": f"text {k // 3}",
            "label": "SPAM",
            "answer": ["accept", "reject"][k % 2],
            "_input_hash": k if number == "works" else k // 3,
            "_task_hash": 100 + k,
            "_annotator_id": f"a{k % 3}",
        }
        for k in range(12)
    ]


@pytest.mark.parametrize(("number", "first"), [("works", "text 0"), ("texts", "0")])
def test_a_hash_that_never_comes_back_names_no_item(number, first, tmp_path):
    lines = "\n".join(map(json.dumps, prodigy(number)))
    (tmp_path / "spam.jsonl").write_text(lines)
    responses = cs.read(tmp_path / "spam.jsonl")
    assert responses.num_items == 4
    assert responses.table["item"].iloc[0] == first
