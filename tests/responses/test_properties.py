"""Random tables written in each format come back as they were."""

import json
import tempfile
from pathlib import Path

import pandas as pd
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consilience.errors import ConsilienceError
from consilience.responses import read, write

# Any text, but for the rules that are stated: blanks around a text are trimmed, some
# words mean missing, and a control character or half a surrogate pair is no text.
TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\x00"),
    min_size=1,
    max_size=6,
).filter(
    lambda t: (
        t == t.strip() and t not in {"", "NA", "NaN", "nan", "<NA>", "null", "NULL"}
    )
)
IDS = st.one_of(
    TEXT, st.sampled_from(["007", "7", "1e5", "1.0", "1", "true", "-1", "=1"])
)
ROWS = st.lists(st.tuples(IDS, IDS, IDS), min_size=1, max_size=12)


def back(responses):
    table = responses.table[["item", "annotator", "label"]]
    return [tuple(row) for row in table.astype("str").to_numpy()]


def frame_of(rows):
    return pd.DataFrame(rows, columns=["item", "annotator", "label"], dtype="str")


@given(
    rows=ROWS, separator=st.sampled_from(",;\t|"), bom=st.booleans(), end=st.booleans()
)
@settings(max_examples=150)
def test_separated_text_comes_back(rows, separator, bom, end):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        frame_of(rows).to_csv(
            path,
            index=False,
            sep=separator,
            encoding="utf-8-sig" if bom else "utf-8",
            lineterminator="\r\n" if end else "\n",
        )
        assert back(read(path)) == rows


@given(rows=ROWS)
@settings(max_examples=60)
def test_parquet_and_data_frames_come_back(rows):
    frame = frame_of(rows)
    assert back(read(frame)) == rows
    assert back(read(frame.astype("category"))) == rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.parquet"
        frame.to_parquet(path)
        assert back(read(path)) == rows


@given(rows=ROWS, escaped=st.booleans())
@settings(max_examples=60)
def test_json_lines_and_records_come_back(rows, escaped):
    records = [
        dict(zip(["item", "annotator", "label"], row, strict=True)) for row in rows
    ]
    lines = "\n".join(json.dumps(r, ensure_ascii=escaped) for r in records)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_text(lines, encoding="utf-8")
        assert back(read(path)) == rows
        path = path.with_suffix(".json")
        path.write_text(json.dumps(records, ensure_ascii=escaped), encoding="utf-8")
        assert back(read(path)) == rows


@given(rows=ROWS)
@settings(max_examples=40)
def test_the_canonical_folder_comes_back(rows):
    responses = read(frame_of(rows))
    with tempfile.TemporaryDirectory() as folder:
        again = read(write(responses, Path(folder) / "out"))
    pd.testing.assert_frame_equal(again.table, responses.table)
    pd.testing.assert_frame_equal(again.labels, responses.labels)
    assert again.cleaning == responses.cleaning
    assert again.assumptions == responses.assumptions


@given(
    cells=st.dictionaries(
        st.tuples(st.integers(0, 4), st.integers(0, 3)),
        IDS.filter(lambda t: t != "-1"),
        min_size=1,
    )
)
@settings(max_examples=60)
def test_wide_tables_come_back(cells):
    frame = pd.DataFrame(
        [[cells.get((i, j), "-1") for j in range(4)] for i in range(5)],
        columns=[f"a{j}" for j in range(4)],
        index=[f"i{i}" for i in range(5)],
    )
    if any(text.startswith("-") for text in cells.values()):
        frame = frame.replace("-1", "")
    wanted = {(f"i{i}", f"a{j}", text) for (i, j), text in cells.items()}
    assert set(back(read(frame, format="wide"))) == wanted
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        frame.to_csv(path)
        responses = read(path, format="wide")
    assert set(back(responses)) == wanted
    assert responses.num_items == 5


@given(
    cells=st.dictionaries(
        st.tuples(st.sampled_from("pqr"), st.sampled_from("xyz")),
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)),
        min_size=1,
    ).filter(lambda cells: any(map(any, cells.values())))
)
@settings(max_examples=60)
def test_counts_of_yes_come_back(cells):
    frame = pd.DataFrame(
        [
            (item, label, yes, maybe, no + maybe + yes)
            for (item, label), (no, maybe, yes) in cells.items()
        ],
        columns=["item", "label", "n_yes", "n_maybe", "n_shown"],
    )
    table = read(frame).table
    found = {
        (row.item, row.label, row.answer): row.n
        for row in table.itertuples(index=False)
    }
    wanted = {
        (item, label, answer): n
        for (item, label), three in cells.items()
        for answer, n in zip(["no", "maybe", "yes"], three, strict=True)
        if n
    }
    assert found == wanted


@given(rows=ROWS)
@settings(max_examples=60)
def test_batch_results_come_back(rows):
    frame = pd.DataFrame(
        rows, columns=["Input.image", "WorkerId", "Answer.q"], dtype="str"
    )
    frame = frame.replace({"&": "&amp;", "<": "&lt;"}, regex=True)
    frame["HITId"] = "h"
    frame["AssignmentId"] = [str(i) for i in range(len(frame))]
    frame["AssignmentStatus"] = "Approved"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        frame.to_csv(path, index=False)
        wanted = [
            (i, w.replace("&", "&amp;").replace("<", "&lt;"), q) for i, w, q in rows
        ]
        assert back(read(path, kind="choice")) == wanted


@given(rows=ROWS)
@settings(max_examples=60)
def test_label_studio_exports_come_back(rows):
    tasks = [
        {
            "id": i,
            "data": {"image": item},
            "annotations": [
                {
                    "id": 100 + i,
                    "completed_by": person,
                    "result": [
                        {
                            "from_name": "q",
                            "type": "choices",
                            "value": {"choices": [label]},
                        }
                    ],
                }
            ],
        }
        for i, (item, person, label) in enumerate(rows)
    ]
    short = [
        {
            "id": i,
            "image": item,
            "annotator": person,
            "annotation_id": 100 + i,
            "lead_time": 1.5,
            "q": label,
        }
        for i, (item, person, label) in enumerate(rows)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.json"
        path.write_text(json.dumps(tasks), encoding="utf-8")
        assert back(read(path)) == rows
        path.write_text(json.dumps(short), encoding="utf-8")
        assert back(read(path)) == rows
        path = Path(folder) / "a.csv"
        pd.DataFrame(short).to_csv(path, index=False)
        assert back(read(path)) == rows


@given(
    answers=st.dictionaries(
        IDS, st.dictionaries(IDS, st.integers(0, 9), min_size=1), min_size=1
    )
)
@example(answers={"0": {'"': 0}})
@settings(max_examples=60)
def test_peerannot_answers_come_back(answers):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.json"
        path.write_text(json.dumps(answers), encoding="utf-8")
        responses = read(path)
    wanted = [(t, w, str(k)) for t, ws in answers.items() for w, k in ws.items()]
    assert back(responses) == wanted


@given(rows=ROWS)
@settings(max_examples=30)
def test_folders_of_labels_and_truth_come_back(rows):
    with tempfile.TemporaryDirectory() as folder:
        frame = frame_of(rows)
        frame.columns = ["task", "worker", "label"]
        frame.to_csv(Path(folder) / "labels.csv", index=False)
        truth = frame[["task", "label"]].drop_duplicates()
        truth.to_csv(Path(folder) / "truth.csv", index=False)
        responses = read(Path(folder))
    assert back(responses) == rows
    gold = responses.gold.astype("str").to_numpy().tolist()
    assert gold == truth.to_numpy().tolist()


SOUND = {
    "a.csv": b'item,annotator,label\n1,a,"x,y"\n2,b,z\n1,b,q\n',
    "a.jsonl": b'{"item":1,"worker":"a","label":"x"}\n{"item":2,"label":"y"}\n',
    "a.json": b'[{"id":1,"data":{"image":"a"},"annotations":[{"id":3,"completed_by":7,'
    b'"result":[{"from_name":"q","type":"choices","value":{"choices":["a"]}}]}]}]',
    "b.csv": b"HITId,AssignmentId,WorkerId,AssignmentStatus,Input.image,"
    b'Answer.taskAnswers\nh,a,w,Approved,1.jpg,"[{""q"":{""yes"":true}}]"\n',
    "b.json": b'{"0":{"1":0,"2":1},"1":{"1":1}}',
    "a.parquet": frame_of([("1", "a", "x")]).to_parquet(),
}


@given(
    name=st.sampled_from(sorted(SOUND)),
    place=st.floats(0, 1),
    cut=st.integers(0, 20),
    put=st.binary(max_size=4),
)
@settings(max_examples=200)
def test_a_damaged_file_is_read_or_refused_but_never_a_crash(name, place, cut, put):
    sound = SOUND[name]
    at = int(place * len(sound))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(sound[:at] + put + sound[at + cut :])
        try:
            assert read(path).num_responses > 0
        except ConsilienceError as error:
            assert name in str(error) or "answer" in str(error)  # noqa: PT017
