"""A table about items, read beside the answers."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import consilience as cs
from consilience.errors import OptionError
from consilience.responses import read

ANSWERS = pd.DataFrame(
    {"image": ["a", "a", "b"], "worker": ["x", "y", "x"], "label": ["u", "v", "u"]}
)


def test_the_table_is_kept_and_items_that_nobody_was_asked_about_do_not_count(tmp_path):
    table = pd.DataFrame(
        {"image": ["c", "a", "b"], "label": ["u", "v", None], "group": ["g", "h", "g"]}
    )
    table.to_csv(tmp_path / "items.csv", index=False)
    for given in (table, tmp_path / "items.csv"):
        responses = read(ANSWERS, items=given)
        expected = pd.DataFrame(
            {
                "item": ["a", "b", "c"],
                "dataset_label": ["v", None, "u"],
                "group": ["h", "g", "g"],
                "asked": [True, True, False],
            }
        ).astype({"item": "str", "dataset_label": "str", "group": "str"})
        pd.testing.assert_frame_equal(responses.items, expected)
        assert "not among the labels" not in str(responses.cleaning)
        assert responses.num_items == cs.describe(responses).items == 2
        assert len(cs.fit(responses, model="majority").items()) == 2
    other = read(ANSWERS, items=table.assign(label=["u", "w", "w"]))
    assert "in the data set is not among the labels: 2" in str(other.cleaning)
    cs.write(responses, tmp_path / "study")
    again = read(tmp_path / "study")
    pd.testing.assert_frame_equal(again.items, responses.items)
    assert again.num_items == 2
    with pytest.raises(OptionError, match="were settled when it was written"):
        read(tmp_path / "study", items=table)


def test_the_table_goes_before_what_the_source_says(data_folder, multilabel):
    study, plain = data_folder / "imagenet-multilabel", multilabel
    first, second = plain.items["item"][:2]
    table = pd.DataFrame({"item": [first], "dataset_label": ["7"], "place": ["x"]})
    changed = read(study, items=table).items.set_index("item")
    assert changed.loc[first, "dataset_label"] == "7"
    assert changed.loc[second, "dataset_label"] == "47"
    assert changed["place"].notna().sum() == 1
    assert changed["asked"].sum() == 6_761
    assert (changed["group"] == plain.items.set_index("item")["group"]).all()


def test_no_fit_and_no_sum_uses_items_that_nobody_was_asked_about():
    study = cs.simulate(
        kind="objects", items=40, annotators=8, classes=8, per_item=5, seed=0
    )
    plain = study.responses
    classes = plain.items["dataset_label"].iloc[0]
    more = pd.DataFrame(
        {"item": [f"further {n}" for n in range(40)], "dataset_label": classes}
    )
    items = pd.concat([plain.items.assign(asked=True), more.assign(asked=False)])
    wider = replace(plain, items=items.reset_index(drop=True))
    one, other = (
        cs.fit(each, model="tsipras2020", engine="auto") for each in (plain, wider)
    )
    for name in ("items", "labels"):
        first, second = (getattr(fit, name)() for fit in (one, other))
        pd.testing.assert_frame_equal(first, second)
    sums = [cs.analysis.study_summary(*pair) for pair in ((one, plain), (other, wider))]
    pd.testing.assert_frame_equal(*sums)
    assert cs.describe(plain).to_dict() == cs.describe(wider).to_dict()
    # Those that somebody was asked about do count.
    with tempfile.TemporaryDirectory() as folder:
        asked = replace(wider, items=wider.items.assign(asked=True))
        again = read(cs.write(asked, Path(folder) / "study"))
    assert cs.describe(again).items == 80
    assert cs.describe(again).items_without_answers == 40


@pytest.mark.parametrize("name", ["text", "body"])
def test_the_text_of_an_item_is_recognised_whatever_it_is_called(name, tmp_path):
    texts = [f"A sentence that is long enough to be read, number {k}" for k in "12"]
    table = pd.DataFrame({"image": ["b", "a"], name: texts, "source": ["s", "t"]})
    table.to_csv(tmp_path / "items.csv", index=False)
    for given in (table, tmp_path / "items.csv"):
        items = read(ANSWERS, items=given).items.set_index("item")
        assert items["text"].to_dict() == dict(zip("ba", texts, strict=True))
        assert items["source"].to_dict() == {"a": "t", "b": "s"}
