"""Side tables of a fit are held to the rules of tables."""

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import consilience as cs
from consilience.errors import ConsilienceError, DataError, OptionError, SourceError
from consilience.fitting.inputs import (
    as_candidates,
    as_similarity,
    as_table,
    classifiers_of,
)
from consilience.responses import read

RESPONSES = read(
    pd.DataFrame({"item": [1, 2], "worker": ["a", "b"], "label": ["x", "y"]})
)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"item": [1, 2], "label": ["x", None]}, "row 2: the label is empty"),
        ({"item": [1, 2], "label": [["x"], ["y"]]}, "column 'label' holds lists"),
    ],
)
def test_a_row_of_candidates_or_gold_without_item_or_label_is_an_error(rows, said):
    for what in ("candidates", "gold"):
        with pytest.raises(DataError, match=said):
            as_table(pd.DataFrame(rows), what)


def test_a_damaged_folder_of_candidates_is_named(tmp_path):
    frame = pd.DataFrame({"item": ["1"], "label": ["x"], "score": [0.0]})
    frame.to_parquet(tmp_path / "candidates.parquet")
    for name in ("labels.parquet", "sources.parquet"):
        (tmp_path / name).write_bytes(b"PAR1PAR1")
        with pytest.raises(SourceError, match=name):
            as_candidates(tmp_path, RESPONSES)
    with pytest.raises(SourceError, match=r"sources\.parquet"):
        classifiers_of(tmp_path)
    (tmp_path / "candidates.parquet").write_bytes(b"PAR1")
    with pytest.raises(ConsilienceError, match=r"candidates\.parquet"):
        as_similarity(tmp_path / "candidates.parquet", ["x", "y"])
    with pytest.raises(ConsilienceError, match=r"labels\.parquet|candidates\.parquet"):
        as_similarity(tmp_path, ["x", "y"])


def test_tables_of_any_library_are_fitted_alike():
    rows = [(f"i{k}", who, "xy"[(k + who) % 2]) for k in range(4) for who in (0, 1, 3)]
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    gold = pd.DataFrame({"item": ["i0"], "label": ["y"]})
    expected = cs.fit(frame, model="majority", gold=gold).items()
    for table, beside in (
        (pl.from_pandas(frame), pl.from_pandas(gold)),
        (pl.from_pandas(frame).lazy(), pa.Table.from_pandas(gold)),
        (pa.Table.from_pandas(frame), gold.to_dict(orient="list")),
        (frame.to_dict(orient="list"), gold.to_dict(orient="records")),
        (frame.to_dict(orient="records"), gold),
    ):
        items = cs.fit(table, model="majority", gold=beside).items()
        assert items["label"].tolist() == expected["label"].tolist()
        assert items["probability"].tolist() == expected["probability"].tolist()
    swapped = frame.assign(label=frame["label"].map({"x": "y", "y": "x"}))
    other = cs.fit(swapped, model="majority", gold=gold.assign(label="x")).items()
    assert other["label"].tolist() != expected["label"].tolist()
    with pytest.raises(OptionError, match="gold is of type Series"):
        cs.fit(frame, model="majority", gold=gold["label"])


@pytest.mark.parametrize(
    "use",
    [
        lambda frame, gold: cs.fit(frame, model="majority", gold=gold),
        lambda frame, gold: cs.compare(
            frame, models=["one_coin_dawid_skene"], gold=gold
        ),
        lambda frame, gold: cs.read(frame, gold=gold),
    ],
    ids=["fit", "compare", "read"],
)
def test_gold_about_no_item_that_was_answered_is_refused(use):
    frame = ratings("xyz")
    gold = pd.DataFrame({"item": ["7", "8"], "label": ["x", "y"]})
    with pytest.raises(DataError, match=r"none of its 2 items \(such as '7'\)"):
        use(frame, gold)
    use(frame, gold.assign(item=["7", "1"]))


def ratings(labels):
    return pd.DataFrame(
        [
            (item, who, labels[(item + who) % 3])
            for item in range(3)
            for who in range(3)
        ],
        columns=["item", "annotator", "label"],
    )


@pytest.mark.parametrize("how", [{"ordered": True}, {"model": "ordinal_dawid_skene"}])
def test_words_without_a_known_order_are_not_ordered(how):
    with pytest.raises(OptionError, match=r"'amber', 'green', 'red' is not known"):
        cs.fit(ratings(["green", "amber", "red"]), **how)


def test_the_order_is_known_from_the_caller_the_type_the_scale_and_the_folder(tmp_path):
    words = ["green", "amber", "red"]
    named = cs.read(ratings(words), labels=words)
    steps = pd.Categorical(ratings("ABC")["label"], ordered=True)
    for number, (responses, known) in enumerate(
        [
            (named, True),
            (cs.read(ratings("ABC").assign(label=steps)), True),
            (cs.read(ratings("ABC").astype({"label": "category"})), False),
            (cs.read(ratings(["mid", "low", "high"])), True),
            (cs.read(ratings(["1", "2", "10"])), True),
            (cs.read(ratings(words)), False),
        ]
    ):
        folder = cs.write(responses, tmp_path / str(number))
        assert responses.in_order == cs.read(folder).in_order == known
    cs.fit(named, model="majority", ordered=True)
    more = named.with_labels(["blue"])
    with pytest.raises(OptionError, match="'blue' is not known"):
        cs.fit(more, model="majority", ordered=True)
