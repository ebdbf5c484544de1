"""What shows an item, a text or a link that comes with the answers, is shown."""

import json

import numpy as np
import pandas as pd
import pytest

import consilience as cs

LABELS = ("pos", "neg", "neu")
SENTENCE = "A sentence that is long enough to be read, and is number"


def answers(seed=0, items=30):
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=items)
    rows = [
        (
            f"t{item}",
            f"The text of tweet number {item}, of as many words as people write",
            f"https://example.org/{item}.png",
            f"a{who}",
            LABELS[truth[item] if rng.random() < 0.8 else rng.integers(3)],
            f"I think so since the words of {who} about {item} are what they are",
        )
        for item in range(items)
        for who in rng.choice(8, 4, replace=False)
    ]
    columns = ["tweet_id", "body", "url", "worker", "sentiment", "remark"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture(scope="module")
def fitted():
    return cs.fit(cs.read(answers()), model="dawid_skene", engine="em")


def test_the_text_of_an_item_is_what_is_the_same_in_all_its_rows():
    table = answers()
    responses = cs.read(table)
    assert responses.cleaning.columns["body"] == "text"
    expected = table.drop_duplicates("tweet_id").set_index("tweet_id")["body"]
    shown = responses.items.set_index("item")["text"]
    assert shown.to_dict() == expected.to_dict()


def test_a_link_shows_the_item_where_there_is_no_text():
    responses = cs.read(answers().drop(columns=["body", "remark"]))
    assert responses.items["text"].str.startswith("https://").all()


def test_tables_and_exports_show_the_texts(fitted, tmp_path):
    check = fitted.table("check")
    assert (check["text"].str.contains(check["item"].str[1:].iloc[0])).iloc[0]
    fitted.save(tmp_path / "run")
    again = cs.load(tmp_path / "run")
    pd.testing.assert_frame_equal(again.table("check"), check)
    (path,) = cs.export(again, "soft_labels", "csv", tmp_path / "soft.csv")
    soft = pd.read_csv(path).set_index("item")
    assert all(f"number {item[1:]}," in text for item, text in soft["text"].items())


def test_predictions_show_the_texts_of_their_items(fitted):
    new = cs.read(answers(seed=1, items=5))
    check = cs.predict(fitted, new).table("check")
    assert check["text"].str.startswith("The text of tweet number").all()


def test_names_that_are_one_when_tidy_have_one_text(tmp_path):
    result = [
        {"from_name": "mood", "type": "choices", "value": {"choices": [label]}}
        for label in LABELS[:2]
    ]
    tasks = [
        {
            "id": number,
            "data": {"name": name, "text": f"{SENTENCE} {number}\0."},
            "annotations": [
                {"id": 10 * number + who, "completed_by": who, "result": [result[who]]}
                for who in range(2)
            ],
        }
        for number, name in enumerate(["a ", " a", "b", "c"])
    ]
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(tasks))
    responses = cs.read(path, item="name")
    assert responses.items["item"].tolist() == ["a", "b", "c"]
    fitted = cs.fit(responses, model="majority")
    fitted.save(tmp_path / "run")
    assert "\0" not in "".join(cs.load(tmp_path / "run").table("check")["text"])
