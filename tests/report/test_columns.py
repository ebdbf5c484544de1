import base64
import importlib
import json
import zlib
from dataclasses import replace

import numpy as np
import pytest

from consilience.report.columns import columns
from consilience.report.columns.coded import ONE, Names, scale
from consilience.report.written import pack


@pytest.fixture(scope="module")
def found(report):
    """Return the columns as the page's program reads them."""
    text = pack(columns(report))
    return json.loads(zlib.decompress(base64.b64decode(text)))


def rows(listed, owner):
    return range(listed["start"][owner], listed["start"][owner + 1])


def test_every_probability_comes_back_to_half_of_a_ten_thousandth(found, report):
    run, table = found["runs"][0], report.runs[0].table("labels")
    listed = run["labels"]
    read = {
        (found["items"][item], found["labels"][listed["label"][row]]): listed["p"][row]
        for item in range(len(found["items"]))
        for row in rows(listed, item)
    }
    for row in table.to_dict("records"):
        p = read.pop((row["item"], row["label"]), None)
        if p is None:
            assert row["probability"] < 0.0005
        else:
            assert p / ONE == pytest.approx(row["probability"], abs=0.5 / ONE + 1e-9)
    assert not read


def test_labels_that_are_left_out_are_counted_and_improbable(found, report):
    kept = [len(rows(found["runs"][0]["labels"], item)) for item in range(40)]
    more = found["runs"][0]["labels"]["more"]
    assert [a + b for a, b in zip(kept, more, strict=True)] == [4] * 40
    least = report.runs[0].table("labels")["probability"] < 0.0005
    assert sum(more) == least.sum()


def test_every_answer_comes_back(found, report):
    answers = found["answers"]
    read = sorted(
        (
            found["items"][item],
            found["people"][answers["who"][row]],
            found["labels"][answers["label"][row]],
        )
        for item in range(len(found["items"]))
        for row in rows(answers, item)
    )
    given = report.runs[0].answers[["item", "annotator", "label"]].astype(str)
    assert read == sorted(map(tuple, given.values))


def test_every_confusion_comes_back(found, report):
    told = found["runs"][0]["confusion"]
    read = {}
    for at, who in enumerate(told["who"]):
        for row in rows(told, at):
            name = None if who < 0 else found["people"][who]
            cell = (name, told["true"][told["t"][row]], told["given"][told["g"][row]])
            read[cell] = told["p"][row] / ONE
    table = report.runs[0].table("confusion")
    assert len(read) == len(table)
    for row in table.to_dict("records"):
        name = row["annotator"] if isinstance(row["annotator"], str) else None
        cell = (name, row["true_label"], row["given_label"])
        assert read[cell] == pytest.approx(row["probability"], abs=0.5 / ONE + 1e-9)


def test_confusions_that_are_too_many_leave_out_those_who_answered_least(
    report, monkeypatch
):
    room = importlib.import_module("consilience.report.columns.confusions")
    monkeypatch.setattr(room, "MAX_CELLS", 3 * 16)
    told = room.confusions(report.runs[0], Names())
    assert told["who"][0] == -1
    assert len(told["who"]) == 3  # everybody, and the two there is room for
    assert told["left"] == 3


def test_two_runs_share_the_order_of_items(beside):
    found = columns(beside)
    assert len(found["items"]) == 40
    for run, told in zip(beside.runs, found["runs"], strict=True):
        best = dict(
            zip(run.table("items")["item"], run.table("items")["label"], strict=True)
        )
        names = [found["labels"][code] for code in told["best"]]
        assert names == [best[item] for item in found["items"]]


def test_objects_come_back_with_their_names_and_what_is_ambiguous(objects):
    found = columns(objects)
    told = found["runs"][0]["objects"]
    second = rows(told, 1)
    assert [found["labels"][told["label"][row]] for row in second] == [
        "husky",
        "malamute",
    ]
    assert [told["share"][row] for row in second] == [7000, 3000]
    assert told["ambiguity"]["naming"] == [0, 6100]
    assert [told["same"]["p"][row] for row in rows(told["same"], 1)] == [9100]


def test_the_data_sets_own_labels_stand_beside_the_items(report, hostile):
    first = report.runs[0].table("items")["item"].iloc[0]
    known = {first: hostile[2], "not among the items": hostile[0]}
    found = columns(replace(report, dataset_labels=known))
    assert [found["labels"][code] for code in found["own"] if code >= 0] == [hostile[2]]
    assert found["own"][0] >= 0
    assert columns(report)["own"] == []


def test_what_is_not_known_is_minus_one():
    assert list(scale([0.25, np.nan, np.inf, 0.99996], ONE)) == [2500, -1, -1, 10000]
