"""No damage of an export is a traceback, or read without a sentence."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.responses.exports.test_formats import FIXED
from tests.responses.exports.writers import READER, WRITERS, Study, as_json
from tests.responses.test_damage import JSON, outcome, replaced, some

NESTED = [name for name in WRITERS if name not in {"cvat", "doccano", "zooniverse"}]
NESTED = [name for name in NESTED if name not in {"toloka", "appen", "labelbox_csv"}]
NESTED.remove("ground_truth")


def document(name, folder):
    """Return what a tool writes, as one JSON document."""
    text = WRITERS[name](Path(folder), Study(FIXED)).read_text("utf-8")
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines()]


with tempfile.TemporaryDirectory() as _folder:
    DOCUMENTS = {name: document(name, _folder) for name in NESTED}
DOCUMENTS["ground_truth"] = {
    "answers": [
        {"workerId": "ann", "answerContent": {"q": {"label": "cat"}}},
        {"workerId": "bob", "answerContent": {"q": {"on": True, "off": False}}},
    ]
}


@given(
    which=st.sampled_from(list(DOCUMENTS)),
    steps=st.lists(st.integers(0, 9), max_size=9),
    value=JSON,
)
@some(150)
def test_a_part_of_any_other_type(which, steps, value):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.json"
        path.write_text(
            json.dumps(replaced(DOCUMENTS[which], steps, value)), encoding="utf-8"
        )
        outcome(path, READER[which])
        outcome(path)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_whole_document_is_read(name, tmp_path):
    assert outcome(as_json(tmp_path / "a.json", DOCUMENTS[name]), READER[name])
