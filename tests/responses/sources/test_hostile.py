"""Files that are meant to harm, and queries that would change something."""

import gzip
import sqlite3
import zipfile
from contextlib import closing

import duckdb
import pandas as pd
import pytest

from consilience.errors import ColumnError, OptionError, SourceError
from consilience.responses import read
from consilience.responses.sources import frames

TABLE = pd.DataFrame(
    [("1", "a", "x"), ("1", "b", "y")], columns=["item", "annotator", "label"]
)


def test_a_file_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "_FREE", 1 << 20)
    path = tmp_path / "a.csv.gz"
    with gzip.open(path, "wb") as file:
        for _ in range(64):
            file.write(b"0" * (1 << 20))
    with pytest.raises(SourceError, match="unpacked it holds more than"):
        read(path)
    rows = "".join(f"{k},a,{'xy'[k % 2]}\n" for k in range(200_000))
    with gzip.open(path, "wb") as file:
        file.write(b"item,annotator,label\n" + rows.encode())
    assert read(path).num_items == 200_000


def rewritten(path, change):
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, change(data) if "sheet1" in name else data)


def test_entities_in_a_workbook_are_refused(tmp_path):
    path = tmp_path / "a.xlsx"
    TABLE.to_excel(path, index=False)
    rewritten(path, lambda data: data)
    assert read(path).num_items == 1
    entity = b'<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;&a;&a;&a;&a;">]><'
    rewritten(path, lambda data: data.replace(b"<worksheet", entity + b"worksheet", 1))
    with pytest.raises(SourceError, match="not a whole workbook"):
        read(path)


@pytest.fixture(params=["a.sqlite", "a.duckdb"])
def base(request, tmp_path):
    path = tmp_path / request.param
    connect = sqlite3.connect if path.suffix == ".sqlite" else duckdb.connect
    with closing(connect(path)) as each:
        each.execute("create table answers (item text, annotator text, label text)")
        each.execute("insert into answers values ('1', 'a', 'x'), ('1', 'b', 'y')")
        each.execute("create table people (id integer, name text)")
        each.commit()
    return path


@pytest.mark.parametrize(
    "query",
    [
        "drop table answers",
        "delete from answers",
        "attach 'other.db' as other",
        "select 1; drop table answers",
        "copy answers to 'out.csv'",
        "install httpfs",
        "pragma writable_schema = 1",
        "select * from read_text('/etc/hostname')",
        "select load_extension('x')",
        "nonsense",
    ],
)
def test_a_query_can_only_select(base, query, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(OptionError, match=r"the query .* cannot be run"):
        read(base, query=query)
    assert read(base, query="select * from answers").num_responses == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_the_table_that_holds_answers_is_taken_and_said(base):
    responses = read(base)
    assert (
        "those of the table 'answers'; not read: 'people'" in responses.assumptions[0]
    )
    assert read(base, query="answers").assumptions == responses.assumptions[1:]


def test_several_tables_that_may_be_meant_are_listed(tmp_path):
    path = tmp_path / "a.xlsx"
    with pd.ExcelWriter(path) as book:
        for sheet in ("first", "second"):
            TABLE.to_excel(book, sheet_name=sheet, index=False)
    with pytest.raises(ColumnError, match=r"'first' .*'second' .*`sheet=.first.`"):
        read(path)
    assert read(path, sheet="second").num_responses == 2
    with pytest.raises(ColumnError, match=r"no sheet 'secnd' .*mean 'second'"):
        read(path, sheet="secnd")
