import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from consilience.errors import (
    ColumnError,
    ConsilienceError,
    DataError,
    FolderExistsError,
    KindError,
    OptionError,
    SourceError,
)
from consilience.responses import read, read_folder, write

FRAME = pd.DataFrame(
    {
        "item": ["10", "9", "9"],
        "label": ["x", "y", "x"],
        "annotator": ["a", None, "b"],
        "answer": ["yes", "maybe", None],
        "seconds": ["1", "2", "3"],
    }
)


@pytest.fixture
def responses():
    offered = pd.DataFrame({"item": ["10", "9", "9"], "label": ["x", "y", "x"]})
    gold = pd.DataFrame({"item": ["9"], "label": ["y"], "answer": ["no"]})
    return read(FRAME, offered=offered, gold=gold)


def test_everything_comes_back(responses, tmp_path):
    again = read(write(responses, tmp_path / "out"))
    for name in ("table", "offered", "labels", "gold"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(responses, name))
    assert again.items is None
    assert (again.offer, again.assumptions) == (responses.offer, responses.assumptions)
    assert (again.cleaning, again.sources) == (responses.cleaning, responses.sources)
    assert again.table["answer"].cat.ordered


def test_items_without_an_answer_come_back(tmp_path):
    wide = read(pd.DataFrame({"a": ["x", None]}, index=["p", "q"]), format="wide")
    again = read(write(wide, tmp_path / "out"))
    assert again.table["item"].cat.categories.tolist() == ["p", "q"]


def test_a_folder_is_not_overwritten_unasked(responses, tmp_path):
    out = write(responses, tmp_path / "out")
    with pytest.raises(FolderExistsError, match="already exists; pass `overwrite"):
        write(responses, out)
    write(responses, out, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    other = tmp_path / "other"
    other.mkdir()
    write(responses, other)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(FolderExistsError, match="is not a responses folder"):
        write(responses, tmp_path / "mine", overwrite=True)


def test_a_cut_off_folder_is_refused(responses, tmp_path):
    out = write(responses, tmp_path / "out")
    path = out / "responses.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SourceError, match=r"responses\.parquet: not a whole"):
        read(out)
    path.unlink()
    with pytest.raises(SourceError, match=r"holds no responses\.parquet"):
        read_folder(out)


def test_a_folder_by_another_program_is_held_to_the_rules(tmp_path):
    def make(**columns):
        whole = {"item": ["2", "1"], "kind": ["choice"] * 2, "label": ["a", None]}
        table = pa.table(
            {k: v for k, v in {**whole, **columns}.items() if v is not None}
        )
        parquet.write_table(table, tmp_path / "responses.parquet")
        return tmp_path

    good = read(make(n=np.array([2, 1]), annotator=["p", None]))
    assert good.num_responses == 3
    assert good.offer == "unknown"
    assert good.table["item"].cat.categories.tolist() == ["1", "2"]
    with pytest.raises(ColumnError, match="no column 'kind'"):
        read(make(kind=None))
    for bad in (
        {"item": ["1", None]},
        {"kind": ["choice", "other"]},
        {"answer": ["perhaps", None]},
        {"n": [1, 0]},
        {"n": [1, None]},
        {"n": ["x", "1"]},
        {"object": [-2, 1]},
    ):
        with pytest.raises(DataError, match=r"responses\.parquet"):
            read(make(**bad))
    mixed = read(make(kind=["choice", "objects"]))
    with pytest.raises(KindError, match="of 2 kinds"):
        _ = mixed.kind
    assert mixed.of_kind("choice").num_responses == 1
    with pytest.raises(KindError, match="no answer is of kind 'contains'"):
        mixed.of_kind("contains")


def test_options_of_the_export_cannot_be_changed_afterwards(responses, tmp_path):
    out = write(responses, tmp_path / "out")
    with pytest.raises(OptionError, match="read the export again"):
        read(out, repeats="first")
    assert read(out, kind="contains").kind == "contains"
    with pytest.raises(ConsilienceError):
        read(out, kind="choice")


def with_column(out, name, column, table="responses"):
    """Add a column to a table of a folder, as another program would."""
    path = out / f"{table}.parquet"
    parquet.write_table(parquet.read_table(path).append_column(name, column), path)
    return out


@pytest.mark.parametrize(
    ("kind", "cell", "empty"),
    [
        (pa.list_(pa.string()), ["a"], False),
        (pa.struct({"a": pa.int64()}), {"a": 1}, True),
        (pa.map_(pa.string(), pa.int8()), [("a", 1)], False),
    ],
    ids=str,
)
@pytest.mark.parametrize("table", ["responses", "labels", "gold", "offered"])
def test_a_nested_column_is_put_aside_and_named(
    responses, tmp_path, table, kind, cell, empty
):
    out = write(responses, tmp_path / "out")
    rows = parquet.read_metadata(out / f"{table}.parquet").num_rows
    cells = [None if empty or row == 1 else cell for row in range(rows)]
    result = read(with_column(out, "more", pa.array(cells, kind), table))
    frame = getattr(result, "table" if table == "responses" else table)
    assert "more" not in frame
    assert sum("column 'more' (" in note for note in result.cleaning.notes) == 1
    again = read(write(result, tmp_path / "again"))
    pd.testing.assert_frame_equal(again.table, result.table)
    assert again.cleaning == result.cleaning


def test_a_column_that_another_program_added_keeps_its_values(responses, tmp_path):
    whole = pa.array([2**53 + 1, None, 3])
    texts = pa.array([None, None, None], pa.dictionary(pa.int32(), pa.string()))
    out = with_column(write(responses, tmp_path / "out"), "whole", whole)
    result = read(with_column(out, "texts", texts))
    assert result.table["whole"].iloc[0] == 2**53 + 1
    again = read(write(result, tmp_path / "again"))
    pd.testing.assert_frame_equal(again.table, result.table)


def test_a_column_carried_along_without_a_cell_comes_back(tmp_path):
    responses = read(FRAME.assign(seconds=None), extras=["seconds"])
    again = read(write(responses, tmp_path / "out"))
    pd.testing.assert_frame_equal(again.table, responses.table)
