import base64
import json
import zlib
from dataclasses import replace

import pandas as pd
import pytest

import consilience as cs
from consilience.reports import gather
from consilience.reports.columns import ONE, columns
from consilience.reports.written import pack


@pytest.fixture(scope="module")
def decoded(report):
    """Return the columns as the page's program reads them."""
    text = pack(columns(report))
    return json.loads(zlib.decompress(base64.b64decode(text)))


def rows(listed, owner):
    return range(listed["start"][owner], listed["start"][owner + 1])


def test_every_probability_comes_back_to_half_of_a_ten_thousandth(decoded, report):
    run, table = decoded["runs"][0], report.runs[0].table("labels")
    listed = run["labels"]
    read = {
        (name, decoded["labels"][listed["label"][row]]): listed["p"][row]
        for item, name in enumerate(decoded["items"])
        for row in rows(listed, item)
    }
    for row in table.to_dict("records"):
        p = read.pop((row["item"], row["label"]), None)
        if p is None:
            assert row["probability"] < 0.0005
        else:
            assert p / ONE == pytest.approx(row["probability"], abs=0.5 / ONE + 1e-9)
    assert not read


def test_every_answer_comes_back(decoded, report):
    answers = decoded["answers"]
    people, labels = decoded["people"], decoded["labels"]
    read = sorted(
        (name, people[answers["who"][row]], labels[answers["label"][row]])
        for item, name in enumerate(decoded["items"])
        for row in rows(answers, item)
    )
    given = report.runs[0].answers[["item", "annotator", "label"]].astype(str)
    assert read == sorted(map(tuple, given.values))


def test_every_confusion_comes_back(decoded, report):
    reported = decoded["runs"][0]["confusion"]
    read = {}
    for at, who in enumerate(reported["who"]):
        for row in rows(reported, at):
            name = None if who < 0 else decoded["people"][who]
            true = reported["true"][reported["t"][row]]
            given = reported["given"][reported["g"][row]]
            read[name, true, given] = reported["p"][row] / ONE
    table = report.runs[0].table("confusion")
    assert len(read) == len(table)
    for row in table.to_dict("records"):
        name = row["annotator"] if isinstance(row["annotator"], str) else None
        cell = (name, row["true_label"], row["given_label"])
        assert read[cell] == pytest.approx(row["probability"], abs=0.5 / ONE + 1e-9)


def test_two_runs_share_the_order_of_items(beside):
    result = columns(beside)
    assert len(result["items"]) == 40
    for run, reported in zip(beside.runs, result["runs"], strict=True):
        best = run.table("items").set_index("item")["label"]
        names = [result["labels"][code] for code in reported["best"]]
        assert names == [best[item] for item in result["items"]]


def test_objects_come_back_with_their_names_and_what_is_ambiguous(objects):
    result = columns(objects)
    reported = result["runs"][0]["objects"]
    second = rows(reported, 1)
    names = [result["labels"][reported["label"][row]] for row in second]
    assert names == ["husky", "malamute"]
    assert [reported["share"][row] for row in second] == [7000, 3000]
    assert reported["ambiguity"]["naming"] == [0, 6100]
    same = reported["same"]
    assert [same["probability"][row] for row in rows(same, 1)] == [9100]


def test_the_data_sets_own_labels_stand_beside_the_items(report, hostile):
    first = report.runs[0].table("items")["item"].iloc[0]
    known = {first: hostile[2], "not among the items": hostile[0]}
    result = columns(replace(report, dataset_labels=known))
    shown = [result["labels"][code] for code in result["own"] if code >= 0]
    assert shown == [hostile[2]]
    assert result["own"][0] >= 0
    assert columns(report)["own"] == []


def test_texts_of_items_stand_in_the_order_of_the_items():
    texts = {name: f"A sentence that can be read, of number {name}" for name in "abc"}
    table = pd.DataFrame(
        [(item, who, "xy"[item == "b"]) for item in texts for who in ("ann", "bob")],
        columns=["item", "annotator", "label"],
    )
    items = pd.DataFrame({"item": [*"cab"], "text": [texts[item] for item in "cab"]})
    responses = cs.read(table, items=items)
    fit = cs.fit(responses, model="majority")
    result = columns(gather({"votes": fit}, resamples=0))
    assert result["texts"] == [texts[item] for item in result["items"]]
