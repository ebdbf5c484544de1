"""One table gives the same responses from every kind of file and every library."""

import bz2
import gzip
import io
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.responses.reading_back import NAMES, back

from consilience.errors import ConsilienceError
from consilience.responses import read
from consilience.responses.columns.looks import is_structure

TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn"]), min_size=1, max_size=5
).filter(
    lambda t: (
        t == t.strip()
        and t not in {"NA", "NaN", "nan", "<NA>", "null", "NULL"}
        and not is_structure(t)
        and not t.startswith("_x")  # an escape in the XML of a workbook
    )
)
IDS = st.one_of(TEXT, st.sampled_from(["007", "7", "1e5", "1.0", "true", "=1", "-1"]))
LABELS = IDS.filter(lambda t: not t.endswith(".0"))  # 1.0 and 1 are one label
ROWS = st.lists(st.tuples(IDS, IDS, LABELS), min_size=1, max_size=8)


def packed(data, path, open_):
    with open_(path, "wb") as file:
        file.write(data)
    return path


def zstd(path, _):
    return pa.CompressedOutputStream(pa.OSFile(str(path), "wb"), "zstd")


def stream(table, path):
    with pa.ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table)


def to_sqlite(frame, path):
    with closing(sqlite3.connect(path)) as base:
        frame.to_sql("answers", base, index=False)


def to_duckdb(frame, path):
    with closing(duckdb.connect(path)) as base:
        base.register("given", frame)
        base.execute("create table answers as select * from given")


def as_text(frame, **options):
    return frame.to_csv(index=False, **options).encode()


FILES = {
    "a.csv": lambda f, p: p.write_bytes(as_text(f)),
    "a.csv.gz": lambda f, p: packed(as_text(f), p, gzip.open),
    "a.tsv.bz2": lambda f, p: packed(as_text(f, sep="\t"), p, bz2.open),
    "a.csv.zst": lambda f, p: packed(as_text(f), p, zstd),
    "a.xlsx": lambda f, p: f.to_excel(p, index=False),
    "a.feather": lambda f, p: f.to_feather(p),
    "a.arrows": lambda f, p: stream(pa.Table.from_pandas(f), p),
    "a.parquet": lambda f, p: f.to_parquet(p),
    "a.sqlite": to_sqlite,
    "a.duckdb": to_duckdb,
    "a.jsonl.gz": lambda f, p: packed(
        f.to_json(orient="records", lines=True).encode(), p, gzip.open
    ),
    "a.json": lambda f, p: f.to_json(p, orient="records"),
    "no suffix": lambda f, p: f.to_parquet(p),
}
LIBRARIES = {
    "pandas": lambda f: f,
    "categories": lambda f: f.astype("category"),
    "index": lambda f: f.set_index("item"),
    "levels": lambda f: f.set_index(["item", "annotator"]),
    "polars": pl.from_pandas,
    "polars lazy": lambda f: pl.from_pandas(f).lazy(),
    "arrow": pa.Table.from_pandas,
    "duckdb": lambda f: duckdb.from_arrow(pa.Table.from_pandas(f)),
    "dict of lists": lambda f: f.to_dict(orient="list"),
    "dict of arrays": lambda f: {name: f[name].to_numpy() for name in f},
    "list of dicts": lambda f: f.to_dict(orient="records"),
    "named tuples": lambda f: list(f.itertuples(index=False)),
    "structured array": lambda f: f.astype(object).to_records(index=False),
}


@pytest.mark.parametrize("name", FILES)
@given(rows=ROWS, data=st.data())
@settings(max_examples=3)
def test_a_file_of_any_kind_holds_the_same_table(name, rows, data):
    frame = pd.DataFrame(rows, columns=NAMES, dtype="str")
    other = changed(frame, data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        FILES[name](frame, path)
        assert back(read(path)) == rows
        assert list(read(path).sources) == [str(path)]
        path.unlink()
        FILES[name](other, path)
        assert back(read(path)) != rows


@pytest.mark.parametrize("name", LIBRARIES)
@given(rows=ROWS, data=st.data())
@settings(max_examples=3)
def test_a_table_of_any_library_is_the_same_table(name, rows, data):
    frame = pd.DataFrame(rows, columns=NAMES, dtype="str")
    assert back(read(LIBRARIES[name](frame))) == rows
    assert back(read(LIBRARIES[name](changed(frame, data)))) != rows


def changed(frame, data):
    """Return a table of which one cell is another."""
    other = frame.copy()
    row = data.draw(st.integers(0, len(frame) - 1))
    name = data.draw(st.sampled_from(NAMES))
    other.loc[row, name] = frame.loc[row, name] + "q"
    return other


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.jsonl.gz"])
def test_a_hyphen_is_standard_input_of_any_kind(name, monkeypatch, capsys, tmp_path):
    from consilience.cli import main

    frame = pd.DataFrame([("1", "a", "x"), ("1", "b", "y")], columns=NAMES)
    FILES[name](frame, tmp_path / name)
    table = (tmp_path / name).read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(table)))
    main(["describe", "-", "--json"])
    assert '"answers": 2' in capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(SystemExit):
        main(["describe", "-"])
    assert "standard input is empty" in capsys.readouterr().err


def test_arrays_are_items_by_annotators():
    cells = np.array([[0, 1, -1], [2, 2, 2]])
    wanted = [("0", "0", "0"), ("0", "1", "1"), *(("1", str(k), "2") for k in range(3))]
    assert back(read(cells)) == wanted
    assert back(read(np.where(cells < 0, np.nan, cells))) == wanted
    assert back(read(np.ma.masked_less(cells, 0))) == wanted
    assert back(read(cells.T)) != wanted


def test_what_is_no_table_is_told_in_one_sentence():
    frame = pd.DataFrame([("1", "a", "x")], columns=NAMES)
    for given_, sentence in (
        (frame["label"], "a source is of type Series, the one column 'label';"),
        (pl.from_pandas(frame)["label"], "of type Series, the one column 'label'"),
        (3, "a source is of type int; give a file"),
        (np.array([list("xay"), list("xbz"), list("wac")]), "hold different values"),
        (np.arange(3), "an array of 1 dimension is"),
        (np.zeros((2, 2, 2)), "an array of 3 dimensions is"),
        ({"item": [1], "label": [1, 2]}, "1 cells of 'item' and 2 of 'label'"),
        ({"item": 1}, "a dict whose 'item' is of type int; give a list"),
        ([("a", "b"), ("a",)], "the list, row 2: 1 cells where the first row has 2"),
    ):
        with pytest.raises(ConsilienceError, match=sentence) as caught:
            read(given_)
        assert "\n" not in str(caught.value)
    with pytest.raises(ConsilienceError, match="did you mean 'annotator'"):
        read(frame, annotator="anotator")


def test_levels_of_rows_and_columns_are_columns():
    frame = pd.DataFrame(
        [("1", "a", "x"), ("1", "b", "y"), ("2", "a", "x")], columns=NAMES
    )
    wide = frame.pivot(index="item", columns="annotator")  # noqa: PD010
    assert wide.columns.nlevels == 2
    assert back(read(wide, format="wide")) == back(read(frame))
