"""Damaged sources give a result, a stated rule or an error of ours, in every reader.

The net that `read` spans under all readers is left out here, so that it hides no defect
of theirs.
"""

import contextlib
import csv
import gzip
import io
import json
import shutil
import sqlite3
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from tests.responses.exports.writers import choices, short, task, work
from tests.responses.reading_back import some

from consilience.errors import ConsilienceError, SourceError
from consilience.responses import read, reading, write
from consilience.responses.options import Columns, ReadOptions


def unguarded(source, name=None, **options):
    """Read without the net: what a library raises must have become our error before."""
    columns = options.pop("columns", Columns())
    given_ = ReadOptions(columns=columns, **options)
    return reading._read(reading._given(source), given_, name)


def outcome(source, name=None, **options):
    """Responses that add up, or None for an error of ours."""
    try:
        responses = unguarded(source, name, **options)
    except ConsilienceError as error:
        assert str(error).strip()  # noqa: PT017
        return None
    account = responses.cleaning
    differs = "the folder holds" in str(account)  # an account of another table
    assert differs != (account.answers == responses.summary.answers)
    if account.unit in {"rows", "records", "assignments", "annotations", "answers"}:
        lost = sum(part.count for part in account.dropped)
        assert account.kept + lost == account.read, str(account)
    table = responses.table
    assert table["item"].notna().all()
    assert (table["n"] >= 1).all()
    for column in ("item", "annotator", "label", "response_id"):
        assert not any("\0" in text for text in table[column].cat.categories)
    return responses


LONG = b'item,annotator,label\n1,a,"x,y"\n2,b,z\n1,b,"q ""r"""\n\n3,c,\n'
PERSON = {"id": 7, "email": "a@b"}
FLAGS = {"was_cancelled": False, "ground_truth": False, "created_at": "2024"}
TASK = task(
    1,
    work(3, PERSON, choices("q", "a", "b"), lead_time=1.5, **FLAGS),
    work(4, 8, was_cancelled=True),
    image="a.jpg",
    n=3,
)
SHORT = short("a.jpg", 3, {"choices": ["a"]})
PAGE = [{"q": {"yes": True, "no": False}, "r": {"labels": ["a"]}, "s": {"label": "b"}}]
BATCH = "HITId,AssignmentId,WorkerId,AssignmentStatus,WorkTimeInSeconds,Input.image,"


def batch(header, *cells):
    """Return a batch of one assignment, as it is downloaded."""
    text = io.StringIO()
    csv.writer(text).writerow(["h", "a1", "w", "Approved", "5", "1.jpg", *cells])
    return f"{BATCH}{header}\n{text.getvalue()}".encode()


def in_parquet(frame):
    file = io.BytesIO()
    frame.to_parquet(file)
    return file.getvalue()


FRAME = pd.DataFrame(
    {"item": ["1", "2", "1"], "annotator": ["a", "b", "b"], "label": ["x", "y", "y"]}
)


def in_file(name, write):
    """Return the bytes of a file that a function writes."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / name)
        return (Path(folder) / name).read_bytes()


def in_sqlite(path):
    with contextlib.closing(sqlite3.connect(path)) as base:
        FRAME.to_sql("answers", base, index=False)


def in_zstd(data):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as file:
        file.write(data)
    return sink.getvalue().to_pybytes()


NESTED = pd.DataFrame(
    {"id": ["1", "2"], "votes": [[{"worker": "a", "label": "x"}], []], "n": [{}, {}]}
)
SOUND = {
    ("long", "a.csv"): LONG,
    ("long", "b.tsv"): LONG.replace(b",", b"\t"),
    ("long", "c.jsonl"): b'{"item":1,"worker":"a","label":"x"}\n{"item":2,"label":1}\n',
    ("long", "d.json"): b'[{"item":1,"worker":"a","label":["x", null]},{"item":2}]',
    ("long", "e.parquet"): in_parquet(FRAME),
    ("long", "f.parquet"): in_parquet(FRAME.astype("category").assign(n=[1, 2, 3])),
    ("long", "g.csv"): "item,label,answer,n\né,x,yes,2\n2,y,no,1\n".encode("utf-16"),
    ("long", "h.xlsx"): in_file("a.xlsx", lambda p: FRAME.to_excel(p, index=False)),
    ("long", "i.feather"): in_file("a.feather", FRAME.to_feather),
    ("long", "j.csv.gz"): gzip.compress(LONG, mtime=0),
    ("long", "k.csv.zst"): in_zstd(LONG),
    ("long", "l.sqlite"): in_file("a.sqlite", in_sqlite),
    ("long", "m.jsonl"): NESTED.to_json(orient="records", lines=True).encode(),
    ("long", "n.csv"): "item,worker,label\n1,a,Bär\n2,b,Füchsin\n".encode("cp1252"),
    ("long", "o.parquet"): in_file("a.parquet", NESTED[["id", "votes"]].to_parquet),
    ("wide", "a.csv"): b"item,w1,w2,w3\n1,x,y,\n2,,y,-1\n",
    ("counts", "a.csv"): b"item,label,n_yes,n_shown,n_maybe\n1,x,2,5,1\n2,y,0,3,0\n",
    ("counts", "b.csv"): b"item,cat,dog\n1,2,0\n2,0,7\n",
    ("counts", "c.csv"): b"r1,r2,n\nx,y,12\nx,x,3\n",
    ("counts", "d.csv"): b"item,label,n\n1,x,12\n1,y,3\n",
    ("mturk", "a.csv"): batch("Answer.q", "cat|dog"),
    ("mturk", "b.csv"): batch("Answer.taskAnswers,Approve", json.dumps(PAGE)),
    ("mturk", "c.csv"): batch("Answer.q.yes,Answer.q.no,Approve,Reject", "true", "no"),
    ("label_studio", "a.json"): json.dumps([TASK]).encode(),
    ("label_studio_min", "a.json"): json.dumps([SHORT]).encode(),
    ("label_studio_min", "b.csv"): b"id,image,annotator,annotation_id,lead_time,q\n"
    b'1,a.jpg,3,100,1.5,"{""choices"":[""a"",""b""]}"\n',
    ("prodigy", "a.jsonl"): b'{"image":"a","_input_hash":1,"_task_hash":2,"options":'
    b'[{"id":"cat"},{"id":"dog"}],"accept":["cat"],"answer":"accept",'
    b'"_annotator_id":"u"}\n'
    b'{"text":"b","label":"POS","answer":"reject","_session_id":"s","_task_hash":3}\n',
    ("zooniverse", "a.csv"): b"user_name,workflow_id,annotations,subject_data,"
    b'metadata\nu,1,"[{""task"":""T0"",""value"":[""1"",""2""]},{""task"":""T1"",""value"":'
    b'[{""choice"":""fox""}]}]","{""5"":{""retired"":null,""#task"":""{\\""item\\"":'
    b'\\""a\\"",\\""labels\\"":[\\""x\\""],\\""names\\"":[\\""y\\""]}""}}",{}\n',
    ("zooniverse", "b.csv"): b"user_name,workflow_id,annotations,subject_data\n"
    b'u,1,"[{""task"":""T0"",""value"":""cat""}]","{""5"":{""retired"":{}}}"\n',
    ("peerannot", "a.json"): b'{"0":{"1":0,"2":1},"1":{"1":1}}',
}
ANY_KIND = st.sampled_from([None, "choice", "contains", "objects"])
PIECES = st.binary(max_size=4) | st.sampled_from(
    [
        *b'" , { [ "":" -1 1e9 NA {i} NaN null true "a":1,"a":2'.split(),
        *(b"\\ud800", b"\\u0000", b"\n", b"\r", b"\x00", b"\xff", b"\xef\xbb\xbf"),
        *(b"9" * 25, b"9" * 5000, b"\xed\xa0\x80", b"\xe2\x80\xa8"),
    ]
)
DAMAGE = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 20), PIECES), min_size=1, max_size=3
)


def damaged(sound, damage):
    for place, cut, put in damage:
        at = int(place * len(sound))
        sound = sound[:at] + put + sound[at + cut :]
    return sound


@given(which=st.sampled_from(sorted(SOUND)), damage=DAMAGE, kind=ANY_KIND)
@some(60)
def test_damaged_bytes(which, damage, kind):
    format_, name = which
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(damaged(SOUND[which], damage))
        outcome(path, format_, kind=kind)
        result = outcome(path)
        if result is not None and name == "a.csv" and result.cleaning.unit == "rows":
            text = path.read_bytes().decode("utf-8-sig")
            lines = csv.reader(io.StringIO(text, newline=""), strict=True)
            if "," in text.partition("\n")[0]:
                assert result.cleaning.read == len([row for row in lines if row]) - 1


@pytest.mark.parametrize(
    "given_",
    [
        {"gold": pd.DataFrame({"item": ["1"], "label": ["x\0"]})},
        {"gold": pd.DataFrame({"item": ["1\0"], "label": ["x"]})},
        {"labels": ["x", "y", "z\0"]},
        {"offered": ["x", "y", "z\0"]},
        {"offered": pd.DataFrame({"item": ["1", "2"], "label": ["x", "z\0"]})},
    ],
    ids=["gold", "item of the gold", "labels", "offered", "offered of items"],
)
def test_no_side_table_brings_in_what_is_no_text(given_):
    with pytest.raises(ConsilienceError, match="holds a NUL character"):
        read(FRAME, **given_)


@pytest.mark.parametrize("content", [b"-" * 9_000, b"(" * 9_000, b"{'descr': 1}"])
def test_a_header_of_an_array_that_asks_for_all_memory_is_refused(written, content):
    header = b"\x93NUMPY\x01\x00" + len(content).to_bytes(2, "little") + content
    names = ("imagenet_label_map.npy", "imagenet_label_to_wnid.npy", "superclasses.npy")
    for name in names:
        written(f"study/{name}", header)
    written("study/image_info.pkl", b"N.")
    path = written("study/annotations_classify_task.pkl", b"N.")
    assert outcome(path.parent) is None
    from consilience.imagenet.pickles import load_object_array

    with pytest.raises(SourceError, match="not a NumPy file"):
        load_object_array(path.parent / names[0])


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=4),
    st.sampled_from(["NA", "yes", "a|b", "\0", "1\n2", "\ud800", "[", '{"a":1}']),
)
JSON = st.recursive(
    VALUES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner)
    ),
    max_leaves=6,
)


def replaced(document, steps, value):
    """Put a value somewhere into a JSON document; steps say where."""
    if not steps or not isinstance(document, (dict, list)) or not document:
        return value
    keys = list(document) if isinstance(document, dict) else range(len(document))
    key = keys[steps[0] % len(keys)]
    copy = document.copy()
    copy[key] = replaced(document[key], steps[1:], value)
    return copy


OPTIONS = [{"value": "A", "alias": "a"}, {"value": "B", "alias": "b"}]
OWN = task(
    1,
    work(2, 3, choices("labels", "a"), choices("main", "a")),
    image="i.jpg",
    item="i",
    kind="objects",
    options=OPTIONS,
)
RECORD = {"item": "i", "kind": "objects", "labels": ["a", "b"], "names": ["A", "B"]}
SAID = [
    {"task": "T0", "value": ["1", "2"]},
    {"task": "T1", "value": "1"},
    {"task": "T2", "value": [{"choice": "fox", "answers": {}}]},
    {"task": "T3", "value": [{"task": "T4", "value": "cat"}]},
]


@given(
    which=st.sampled_from(["record", "answers", "subject", "metadata"]),
    steps=st.lists(st.integers(0, 9), max_size=5),
    value=JSON,
    kind=ANY_KIND,
)
@some(25)
def test_own_tasks_with_a_part_of_any_other_type(which, steps, value, kind):
    times = {"started_at": "2026-11-01T10:00:00.000Z", "finished_at": "2026-11-01"}

    def part(name, sound):
        return json.dumps(replaced(sound, steps, value) if which == name else sound)

    subject = {"5": {"retired": None, "#task": part("record", RECORD)}}
    cells = [
        *("u", "7", part("answers", SAID)),
        *(part("subject", subject), part("metadata", times)),
    ]
    names = ["user_name", "workflow_id", "annotations", "subject_data", "metadata"]
    page = part("answers", [{"chosen": "0,1", "main": "0"}])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        pd.DataFrame([cells], columns=names).to_csv(path, index=False, errors="replace")
        outcome(path, "zooniverse", kind=kind)
        outcome(path, "zooniverse", kind=kind, columns=Columns(label="T2"))
        head = ["HITId", "AssignmentId", "WorkerId", "Input.task", "Answer.taskAnswers"]
        row = ["H", "A", "W", part("record", RECORD), page]
        pd.DataFrame([row], columns=head).to_csv(path, index=False, errors="replace")
        outcome(path, "mturk", kind=kind)


class Odd:
    """An object without text."""


CELLS = st.one_of(
    VALUES,
    st.binary(max_size=3),
    st.dates(),
    st.datetimes(),
    st.timedeltas(),
    st.decimals(),
    st.complex_numbers(),
    st.uuids(),
    st.lists(VALUES, max_size=2),
    st.tuples(VALUES, VALUES),
    st.dictionaries(st.text(max_size=2), VALUES, max_size=2),
    st.sampled_from(
        [
            *(Odd(), Odd, len, 10**5000, -(10**30), {1, 2}, Path("a"), pd.NaT, pd.NA),
            *(np.arange(2), np.float32(1.5), np.int8(3), np.datetime64("2024")),
            *(pd.Timestamp("2024", tz="UTC"), pd.Interval(0, 1), pd.Period("2024-01")),
            pd.Series([1]),
        ]
    ),
)
NAMES = (
    *("item", "annotator", "label", "answer", "n", "object", "main", "gold", "kind"),
    *("image", "name", "Label", 3, ("a", "b"), None, "response_id", "seconds", " item"),
)
COLUMNS = st.tuples(CELLS, CELLS) | st.sampled_from([("yes", "no"), (1, 2), ("x", "y")])


@given(
    columns=st.dictionaries(st.sampled_from(NAMES), COLUMNS, max_size=4),
    sound=st.booleans(),
    inferred=st.booleans(),
    format_=st.sampled_from([None, "long", "wide", "counts"]),
    kind=ANY_KIND,
)
@some(40)
def test_data_frames_of_any_cells(columns, sound, inferred, format_, kind):
    columns |= {"item": (1, 2), "label": ("x", "y")} if sound else {}
    frame = pd.DataFrame(
        {name: pd.Series(cells, dtype=object) for name, cells in columns.items()}
    )
    if inferred:
        with contextlib.suppress(UnicodeEncodeError):  # pandas: half a surrogate pair
            frame = frame.infer_objects()
    outcome(frame, format_, kind=kind)


TYPES = st.recursive(
    st.sampled_from(
        [
            *(pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())),
            *(pa.binary(), pa.large_binary(), pa.binary(3), pa.null(), pa.bool_()),
            *(pa.int64(), pa.uint64(), pa.float64(), pa.float16(), pa.decimal128(5, 2)),
            *(pa.date32(), pa.timestamp("us", "UTC"), pa.time64("us")),
            pa.duration("s"),
        ]
    ),
    lambda inner: st.one_of(
        inner.map(pa.list_),
        inner.map(lambda kind: pa.list_(kind, 2)),
        inner.map(lambda kind: pa.struct({"a": kind, "b": pa.int8()})),
        inner.map(lambda kind: pa.map_(pa.string(), kind)),
    ),
    max_leaves=3,
)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[{"a": 1}], None]),
        pa.array([[[1]], [[2]]]),
        pa.array([[b"\xff"], None]),
        pa.array([{"bytes": b"\xff", "path": "a"}, None]),
        pa.array([b"\xff", b"\x89PNG"]),
        pa.array([[0.1, 0.2], [0.3, 0.4]]),
        pa.Array.from_buffers(
            pa.string(), 2, [None, *pa.array([b"\xff", b"\xfe"]).buffers()[1:]]
        ),
    ],
    ids=lambda column: str(column.type),
)
def test_an_unused_column_is_named_and_a_used_one_is_an_error(tmp_path, column):
    table = pa.table({"image_id": ["1", "2"], "image": column, "label": ["x", "y"]})
    parquet.write_table(table, tmp_path / "a.parquet")
    responses = read(tmp_path / "a.parquet")
    assert responses.table["item"].tolist() == ["1", "2"]
    assert "column 'image' (" in str(responses.cleaning)
    with pytest.raises(ConsilienceError, match=r"column 'image' .* cannot be"):
        read(tmp_path / "a.parquet", item="image")


FOLDER = read(
    pd.DataFrame(
        {"item": [1, 1, 2], "worker": ["a", "b", "a"], "label": ["x", "y", "x"]}
    ).assign(gold=["x", "x", "y"], seconds=[1.5, 2, 3], status="ok"),
    offered=pd.DataFrame({"item": [1, 1, 2, 2], "label": ["x", "y", "x", "y"]}),
    extras=["status", "seconds"],
)


def canonical(folder):
    """Write a canonical folder with all its tables."""
    path = write(FOLDER, Path(folder) / "out")
    items = pa.table({"item": ["1", "2", "3"], "dataset_label": ["x", None, "y"]})
    parquet.write_table(items, path / "items.parquet")
    return path


@given(
    name=st.sampled_from(["responses", "labels", "gold", "offered", "items"]),
    change=st.sampled_from(
        ["drop", "type", "null", "twice", "rename", "cell", "metadata", "bytes", "gone"]
    ),
    place=st.integers(0, 20),
    kind=TYPES,
    value=VALUES,
    damage=DAMAGE,
)
@some(15)
def test_damaged_canonical_folders(name, change, place, kind, value, damage):
    with tempfile.TemporaryDirectory() as folder:
        path = canonical(folder)
        file = path / f"{name}.parquet"
        if change == "bytes":
            file.write_bytes(damaged(file.read_bytes(), damage))
        elif change == "gone":
            file.unlink()
        else:
            table = changed(
                parquet.read_table(file), change, place, kind, value, damage
            )
            try:
                parquet.write_table(table, file)
            except (pa.ArrowException, UnicodeError):
                return
        responses = outcome(path)
        if responses is not None:
            again = read(write(responses, Path(folder) / "again"))
            pd.testing.assert_frame_equal(again.table, responses.table)
            responses.typed()
            if responses.gold is not None:
                assert responses.gold["label"].notna().all()


def changed(table, change, place, kind, value, damage):
    """Return a canonical table that is damaged in one way."""
    at = place % table.num_columns
    column = table.column_names[at]
    if change == "drop":
        return table.drop_columns([column])
    if change == "rename":
        return table.rename_columns([*table.column_names[:-1], column])
    if change == "twice":
        return pa.concat_tables([table, table])
    if change == "metadata":
        metadata = dict(table.schema.metadata or {b"pandas": b"{}"})
        key = list(metadata)[place % len(metadata)]
        return table.replace_schema_metadata(
            metadata | {key: damaged(metadata[key], damage)}
        )
    if change == "cell":
        cells = [str(value).encode("utf-8", "replace").decode()] * table.num_rows
        return table.set_column(at, column, pa.array(cells))
    if change == "null":
        kind = table.schema.field(at).type
    return table.set_column(at, column, pa.nulls(table.num_rows, kind))


def test_the_gold_of_another_program_is_held_to_the_rules(tmp_path):
    for name, table, what in (
        ("gold", {"item": ["1"], "label": ["z"]}, "row 1: the label is not in labels"),
        ("gold", {"label": ["x"]}, "there is no column 'item'"),
        ("gold", {"item": ["1", None], "label": ["x", "y"]}, "row 2: the item is empt"),
        ("offered", {"label": ["x"], "who": ["a"]}, "whom it was offered to"),
        ("offered", {"item": ["1"], "label": ["z"]}, "row 1: the label is not in lab"),
        ("labels", {"label": ["x", "x"]}, "row 2: the label stands twice"),
        ("labels", {"label": ["x", None]}, "row 2: the label is empty"),
    ):
        path = canonical(tmp_path)
        parquet.write_table(pa.table(table), path / f"{name}.parquet")
        with pytest.raises(ConsilienceError, match=f"{name}.parquet.*{what}"):
            read(path)
        shutil.rmtree(path)
