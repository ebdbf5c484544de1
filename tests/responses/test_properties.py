"""Random tables written in each format come back as they were."""

import contextlib
import json
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.responses.exports.writers import choices, short, task, work
from tests.responses.reading_back import NAMES, back, some

from consilience.errors import ColumnError
from consilience.responses import read
from consilience.responses.columns.looks import is_structure

# Any text, but for the rules that are stated: blanks around a text are trimmed, some
# words mean missing, and a control character, half a surrogate pair, a list or an
# object is no text.
TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\x00"),
    min_size=1,
    max_size=6,
).filter(
    lambda t: (
        t == t.strip()
        and t not in {"", "NA", "NaN", "nan", "<NA>", "null", "NULL"}
        and not is_structure(t)
    )
)
IDS = st.one_of(
    TEXT, st.sampled_from(["007", "7", "1e5", "1.0", "1", "true", "-1", "=1"])
)
LABELS = IDS.filter(lambda t: not t.endswith(".0"))  # 1.0 and 1 are one label
ROWS = st.lists(st.tuples(IDS, IDS, LABELS), min_size=1, max_size=12, unique=True)


def frame_of(rows):
    return pd.DataFrame(rows, columns=NAMES, dtype="str")


@given(
    rows=ROWS, separator=st.sampled_from(",;\t|"), bom=st.booleans(), end=st.booleans()
)
@some(20)
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


@given(
    cells=st.dictionaries(
        st.tuples(st.integers(0, 4), st.integers(0, 3)),
        LABELS.filter(lambda t: t != "-1"),
        min_size=1,
    )
)
@some(12)
def test_wide_tables_come_back(cells):
    frame = pd.DataFrame(
        [[cells.get((i, j), "-1") for j in range(4)] for i in range(5)],
        columns=[f"a{j}" for j in range(4)],
        index=[f"i{i}" for i in range(5)],
    )
    if any(text.startswith("-") for text in cells.values()):
        frame = frame.replace("-1", "")
    wanted = {(f"i{i}", f"a{j}", text) for (i, j), text in cells.items()}
    named = read(frame, format="wide", annotator_columns=list(frame.columns))
    assert set(back(named)) == wanted
    assert named.num_items == 5
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        frame.to_csv(path)
        for source in (frame, path):
            # Columns that look like no annotator's are left out, and named.
            with contextlib.suppress(ColumnError):
                responses = read(source, format="wide")
                out = {column for _, column, _ in wanted} & set(
                    responses.cleaning.unused
                )
                assert set(back(responses)) == {
                    row for row in wanted if row[1] not in out
                }
                said = " ".join(responses.cleaning.warnings)
                assert all(f"{column!r}" in said for column in out)
                assert responses.num_items == 5


@pytest.mark.parametrize("inside", [False, True])
@given(rows=ROWS)
@some(12)
def test_batch_results_come_back_also_inside_json(inside, rows):
    def escaped(text):
        return text.replace("&", "&amp;").replace("<", "&lt;")

    answers = [escaped(label) for *_, label in rows]
    if inside:  # in which the site escapes nothing
        pages = [json.dumps([{"q": {"labels": [label]}}]) for *_, label in rows]
        answers = [page.replace("&", "\\u0026") for page in pages]
    cells = [
        ("h", str(k), escaped(who), "Approved", escaped(item), answer)
        for k, ((item, who, _), answer) in enumerate(zip(rows, answers, strict=True))
    ]
    answer = "Answer.taskAnswers" if inside else "Answer.q"
    names = ["HITId", "AssignmentId", "WorkerId", "AssignmentStatus", "Input.image"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        pd.DataFrame(cells, columns=[*names, answer]).to_csv(path, index=False)
        result = back(read(path, kind="choice"))
    # Only texts that stand for a character of HTML are others inside of JSON.
    kept = [k for k, (*_, label) in enumerate(rows) if not inside or "&" not in label]
    assert [result[k] for k in kept] == [rows[k] for k in kept]


@given(rows=ROWS)
@some(12)
def test_label_studio_exports_come_back(rows):
    tasks = [
        task(i, work(100 + i, person, choices("q", label)), image=item)
        for i, (item, person, label) in enumerate(rows)
    ]
    brief = [short(*row, number=i) for i, row in enumerate(rows)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.json"
        path.write_text(json.dumps(tasks), encoding="utf-8")
        assert back(read(path)) == rows
        path.write_text(json.dumps(brief), encoding="utf-8")
        assert back(read(path)) == rows
        path = Path(folder) / "a.csv"
        pd.DataFrame(brief).to_csv(path, index=False)
        assert back(read(path)) == rows


@given(
    answers=st.dictionaries(
        IDS, st.dictionaries(IDS, st.integers(0, 9), min_size=1), min_size=1
    )
)
@example(answers={"0": {'"': 0}})
@some(12)
def test_peerannot_answers_come_back(answers):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.json"
        path.write_text(json.dumps(answers), encoding="utf-8")
        responses = read(path)
    wanted = [(t, w, str(k)) for t, ws in answers.items() for w, k in ws.items()]
    assert back(responses) == wanted


COUNTS = st.dictionaries(
    st.tuples(st.sampled_from("pqr"), st.sampled_from("xyz")),
    st.integers(1, 2**40),
    min_size=1,
)


@given(cells=COUNTS)
@some(12)
def test_counts_of_labels_come_back_from_rows_and_from_a_matrix(cells):
    rows = pd.DataFrame(
        [(i, k, n) for (i, k), n in cells.items()], columns=["item", "label", "n"]
    )
    matrix = rows.pivot_table("n", "item", "label", aggfunc="sum", fill_value=0)
    for frame in (rows, matrix.reset_index().rename_axis(columns=None)):
        table = read(frame, format="counts").table
        result = zip(table["item"], table["label"], table["n"], strict=True)
        assert {(i, k): n for i, k, n in result} == cells


@given(
    patterns=st.lists(
        st.tuples(st.sampled_from("xyz"), st.sampled_from("xyz"), st.integers(1, 30)),
        min_size=1,
        max_size=4,
    )
)
@some(12)
def test_patterns_come_back_as_often_as_they_are_counted(patterns):
    frame = pd.DataFrame(patterns, columns=["w1", "w2", "n"])
    responses = read(frame, format="counts")
    wanted = sorted(
        (who, label)
        for *labels, n in patterns
        for who, label in zip(["w1", "w2"], labels, strict=True)
        for _ in range(n)
    )
    result = responses.table[["annotator", "label"]].astype("str")
    assert sorted(map(tuple, result.to_numpy())) == wanted
    assert responses.num_items == sum(n for *_, n in patterns)
