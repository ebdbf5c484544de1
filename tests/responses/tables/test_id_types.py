"""Ids and labels of any type come back from the canonical folder as they went in."""

import tempfile
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from consilience.responses import read, write

ROLES = ("item", "annotator", "label")
WHOLE = [
    "int64",
    "int32",
    "uint8",
    "Int64",
    "float64",
    "float32",
    "Float64",
    "int64[pyarrow]",
]
TEXT = ["str", "string", "object", "string[pyarrow]"]


@st.composite
def columns(draw: st.DrawFn, size: int) -> pd.Series:
    """Draw a column of ids of any type, with at least two values."""
    dtype = draw(st.sampled_from([*WHOLE, *TEXT, "bool", "boolean", "category"]))
    cell: st.SearchStrategy[object] = st.integers(0, 200)
    if dtype in TEXT:
        cell = st.text("0123456789abcß.-", min_size=1, max_size=4)
    if dtype in {"bool", "boolean"}:
        cell = st.booleans()
    if dtype.startswith("float"):
        cell = st.sampled_from([0.0, 1.0, 2.5, -3.0, 1e17])
    cells = draw(st.lists(cell, min_size=size, max_size=size))
    return pd.Series(cells).astype(dtype)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Draw a table of answers with ids of any types."""
    size = draw(st.integers(2, 12))
    return pd.DataFrame({role: draw(columns(size)) for role in ROLES})


@given(frames())
@settings(max_examples=20)
def test_ids_come_back_from_the_canonical_folder_with_type_and_value(
    frame: pd.DataFrame,
) -> None:
    responses = read(frame, kind="choice", repeats="all")
    with tempfile.TemporaryDirectory() as folder:
        again = read(write(responses, Path(folder) / "responses"))
        on_disk = pd.read_parquet(Path(folder) / "responses" / "responses.parquet")
    assert again.types == responses.types
    pd.testing.assert_frame_equal(again.table, responses.table)
    pd.testing.assert_frame_equal(again.labels, responses.labels)
    back = again.typed()
    assert back is not None
    for role in ROLES:
        assert back[role].tolist() == frame[role].tolist()
        if frame[role].dtype != "category":
            assert back[role].dtype == frame[role].dtype
            if frame[role].dtype in WHOLE:  # of text, Parquet knows one type
                assert on_disk[role].dtype == frame[role].dtype
        else:
            assert back[role].cat.categories.dtype == frame[role].cat.categories.dtype
    assert len(back.merge(frame, on=list(ROLES))) >= len(frame)


def test_float_ids_that_stand_for_integers_with_gaps_are_one_id_with_integers() -> None:
    frame = pd.DataFrame({"item": [1, 1, 2], "label": [0, 1, 1]})
    frame["annotator"] = [1.0, 2.0, np.nan]
    responses = read(
        frame, gold=pd.DataFrame({"item": [1.0, 2.0], "label": ["0", "1"]})
    )
    assert responses.table["annotator"].cat.categories.tolist() == ["1", "2"]
    assert responses.types["annotator"] == "float64"
    typed = responses.typed("gold")
    assert typed is not None
    assert typed["item"].dtype == typed["label"].dtype == "int64"


def test_ids_of_text_files_stay_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("item,annotator,label\n01,1,0\n02,1,1\n")
    responses = read(tmp_path / "a.csv")
    assert responses.types == {}
    table = responses.typed()
    assert table is not None
    assert table["item"].tolist() == ["01", "02"]


def test_several_types_in_one_column_are_text_and_said() -> None:
    frame = pd.DataFrame({"item": [1, "x"], "annotator": [1, 2], "label": [0, 1]})
    responses = read(frame)
    assert "item" not in responses.types
    assert any("several types" in note for note in responses.cleaning.notes)


def test_sources_of_several_types_have_the_type_that_pandas_gives_them() -> None:
    frame = pd.DataFrame({"item": [1, 2], "annotator": [1, 2], "label": [0, 1]})
    other = frame.assign(annotator=[3, 4]).astype({"item": "int32", "label": "float64"})
    other = other.astype({"annotator": "str"})
    responses = read([frame, other])
    assert responses.types == {"item": "int64", "label": "float64"}
    assert any("annotator" in note for note in responses.cleaning.notes[-1:])


def test_a_label_that_is_no_number_makes_all_labels_text() -> None:
    frame = pd.DataFrame({"item": [1, 2], "annotator": [1, 2], "label": [0, 1]})
    responses = read(frame, labels=[0, 1, "none"])
    assert "label" not in responses.types
    assert any("int64" in note for note in responses.cleaning.notes)


@pytest.mark.parametrize("kind", ["float64", "int64", "bool"])
def test_a_sparse_column_comes_back_as_what_it_holds(kind):
    item = pd.arrays.SparseArray(np.array([0, 1, 1], dtype=kind))
    frame = pd.DataFrame({"item": item, "annotator": 1, "label": list("xyx")})
    assert read(frame).typed()["item"].dtype == kind
