"""Labels that are numbers or steps of a scale keep their order."""

import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consilience.responses import read
from consilience.responses.text import is_scale, natural_texts, scale_order

SCALES = [
    "strongly disagree|disagree|neutral|agree|strongly agree",
    "low|medium|high",
    "never|rarely|sometimes|often|always",
    "poor|fair|good|very good|excellent",
    "none|mild|moderate|severe",
    "XS|S|M|L|XL",
    "1 star|2 stars|3 stars|9 stars|10 stars",
    "1 = bad|2 = so so|10 = good",
    "level 2|level 9|level 10",
    "-2|-1|0|1|2|10",
    "1.5|2|2.5",
    "Strongly_Disagree|Neither agree nor disagree|AGREE",
    "nie|selten|manchmal|oft|immer",
    "jamais|parfois|toujours",
]


@pytest.mark.parametrize("scale", SCALES)
@given(data=st.data())
@settings(max_examples=5)
def test_steps_of_a_scale_are_put_in_order(scale, data):
    steps = scale.split("|")
    shuffled = data.draw(st.permutations(steps))
    assert natural_texts(shuffled) == steps
    frame = pd.DataFrame({"item": range(len(steps)), "annotator": "a"})
    assert read(frame.assign(label=shuffled)).labels["label"].tolist() == steps


@pytest.mark.parametrize("scale", SCALES[:8])
def test_a_word_of_no_scale_leaves_the_order_of_texts(scale):
    steps = [*scale.split("|"), "zebra"]
    assert scale_order(steps) is None
    assert natural_texts(steps) == sorted(steps)


def test_what_may_be_ratings_is_told_that_a_fit_can_use_the_order():
    def notes(labels, **more):
        items = [f"i{k}" for k in range(len(labels))]
        frame = pd.DataFrame({"item": items, "annotator": "a", "label": labels})
        return str(read(frame, **more).cleaning)

    assert "low < medium < high; if it means more" in notes(["high", "low", "medium"])
    assert "1 < 2 < 3 < 4 < 5;" in notes(list("54321"))
    for plain in (["cat", "dog", "fox"], ["high", "low"], ["3", "17", "1024"]):
        assert "fit with" not in notes(plain)
    assert is_scale(["1", "2", "3"])
    assert not is_scale([str(k) for k in range(100)])  # numbers of classes


@pytest.mark.parametrize("ordered", [True, False])
def test_categories_keep_their_order_also_where_nobody_gave_them(ordered, tmp_path):
    steps = ["so so", "bad", "good"]
    label = pd.Categorical(["good", "bad"], categories=steps, ordered=ordered)
    frame = pd.DataFrame({"item": [1, 2], "annotator": "a", "label": label})
    assert read(frame).labels["label"].tolist() == steps
    alphabet = frame.assign(label=["good", "bad"]).astype("category")
    assert read(alphabet).labels["label"].tolist() == ["bad", "good"]
    if ordered:
        for name in ("a.parquet", "a.feather"):
            getattr(frame, f"to_{name[2:]}")(tmp_path / name)
            assert read(tmp_path / name).labels["label"].tolist() == steps
        table = pl.from_pandas(frame.astype({"label": "str"}))
        table = table.with_columns(pl.col("label").cast(pl.Enum(steps)))
        assert read(table).labels["label"].tolist() == steps


def test_gold_of_a_label_beyond_the_categories_is_a_label():
    label = pd.Categorical(["a", "b"], categories=["b", "a"])
    frame = pd.DataFrame({"item": [1, 2], "annotator": "a", "label": label})
    gold = pd.DataFrame({"item": [1], "label": ["c"]})
    assert read(frame, gold=gold).labels["label"].tolist() == ["b", "a", "c"]
