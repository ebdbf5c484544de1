"""Where shards are read from, and how reading goes on after it was stopped."""

import filecmp
import shutil

import duckdb
import fsspec
import pandas as pd
import pytest

import consilience as cs
from consilience.sharding import writing


@pytest.fixture(scope="module")
def answers():
    made = cs.simulate(items=200, annotators=20, classes=3, per_item=5, seed=5)
    table = made.responses.table[["item", "annotator", "label"]]
    return table.astype("str")


@pytest.fixture(scope="module")
def parquet(answers, tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "a.parquet"
    answers.to_parquet(path)
    return path


@pytest.fixture(scope="module")
def shards(parquet, tmp_path_factory):
    return cs.shards.write(parquet, tmp_path_factory.mktemp("s") / "s", rows=200)


def same(one, other):
    names = [file.name for file in one.folder.glob("*.arrow")]
    assert len(names) > 3
    return filecmp.cmpfiles(one.folder, other.folder, names, shallow=False)[0] == names


@pytest.mark.parametrize("form", ["parquet", "csv", "folder"])
def test_an_address_is_read_as_a_disk_is(form, answers, shards, tmp_path):
    memory = fsspec.filesystem("memory")
    memory.makedirs("/bucket", exist_ok=True)
    match form:
        case "parquet":
            memory.pipe("/bucket/a.parquet", answers.to_parquet())
            address = "memory://bucket/a.parquet"
        case "csv":
            memory.pipe("/bucket/a.csv", answers.to_csv(index=False).encode())
            address = "memory://bucket/a.csv"
        case "folder":
            memory.pipe("/bucket/parts/1.parquet", answers[:300].to_parquet())
            memory.pipe("/bucket/parts/2.parquet", answers[300:].to_parquet())
            address = "memory://bucket/parts"
    assert same(shards, cs.shards.write(address, tmp_path / "s", rows=200))


@pytest.mark.parametrize("query", [None, "select * from crowd where label <> 'x'"])
def test_a_table_of_duckdb_is_read(answers, shards, tmp_path, query):
    with duckdb.connect(str(tmp_path / "a.duckdb")) as base:
        base.register("given", answers)
        base.execute("create table crowd as select * from given")
        base.execute("create table other as select 1 as one")
    options = {} if query is None else {"query": query}
    source = tmp_path / "a.duckdb"
    made = cs.shards.write(source, tmp_path / "s", rows=200, **options)
    assert same(shards, made)
    named = "The answers of" in " ".join(made.assumptions)
    assert named == (query is None)


def stopping(phase, at, error):
    """Raise an error where reading has come so far."""

    def report(progress):
        if progress.phase == phase and progress.done >= at:
            raise error

    return report


@pytest.mark.parametrize(("phase", "at"), [("reading", 2), ("coding", 3)])
def test_reading_goes_on_where_it_was_stopped(
    parquet, shards, tmp_path, monkeypatch, phase, at
):
    report = stopping(phase, at, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        cs.shards.write(parquet, tmp_path / "s", rows=200, progress=report)
    assert not (tmp_path / "s").exists()
    assert (tmp_path / "s.unfinished").is_dir()
    read, number = writing.read_with, []

    def counted(table, options):
        number.append(len(table))
        return read(table, options)

    monkeypatch.setattr(writing, "read_with", counted)
    made = cs.shards.write(parquet, tmp_path / "s", rows=200)
    # The first rows are always read, to understand the columns.
    left = len(shards) - at if phase == "reading" else 0
    assert len(number) <= 1 + left
    assert same(shards, made)
    assert made.cleaning == shards.cleaning
    assert not (tmp_path / "s.unfinished").exists()


def test_what_was_read_of_another_source_is_not_used(
    answers, parquet, shards, tmp_path
):
    # The twin of the test above.
    shutil.copy(parquet, tmp_path / "a.parquet")
    report = stopping("reading", 2, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        cs.shards.write(
            tmp_path / "a.parquet", tmp_path / "s", rows=200, progress=report
        )
    more = pd.concat([answers, answers[:1].assign(item="new")])
    more.to_parquet(tmp_path / "a.parquet")
    made = cs.shards.write(tmp_path / "a.parquet", tmp_path / "s", rows=200)
    assert made.num_items == shards.num_items + 1


def test_a_full_disk_leaves_what_is_read(parquet, shards, tmp_path):
    full = OSError(28, "No space left on device")
    report = stopping("reading", 3, full)
    with pytest.raises(cs.errors.CannotWriteError, match="free some space"):
        cs.shards.write(parquet, tmp_path / "s", rows=200, progress=report)
    assert [file.name for file in tmp_path.iterdir()] == ["s.unfinished"]
    assert same(shards, cs.shards.write(parquet, tmp_path / "s", rows=200))


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_a_text_file_is_laid_out_as_read_finds_it(encoding, answers, shards, tmp_path):
    words = {"class0": "größe", "class1": "café", "class2": "früher"}
    named = answers.assign(label=answers["label"].map(words))
    assert named["label"].notna().all()
    text = "Export of a panel\n\n" + named.to_csv(index=False, sep=";")
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    made = cs.shards.write(path, tmp_path / "s", rows=200)
    assert set(made.labels) == set(words.values())
    assert made.cleaning.answers == shards.cleaning.answers
    named_so = any("encoding" in each for each in made.assumptions)
    assert named_so == (encoding == "cp1252")


def test_a_cell_of_a_text_file_may_have_several_lines(answers, tmp_path):
    answers.assign(label=answers["label"] + "\nsure").to_csv(tmp_path / "a.csv")
    made = cs.shards.write(tmp_path / "a.csv", tmp_path / "s", rows=200)
    assert set(made.labels) == {f"{label}\nsure" for label in set(answers["label"])}


def test_columns_of_files_are_matched_by_their_names(answers, shards, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    answers[:300].to_csv(folder / "1.csv", index=False)
    turned = answers[300:][["label", "annotator", "item"]]
    turned.to_csv(folder / "2.csv", index=False, sep="\t")
    assert same(shards, cs.shards.write(folder, tmp_path / "s", rows=200))
