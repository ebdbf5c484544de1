"""No damage of an export is a traceback, or read without a sentence."""

import json
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from tests.responses.exports import judged_logs
from tests.responses.exports.test_formats import FIXED
from tests.responses.exports.writers import READER as TOOL_OF
from tests.responses.exports.writers import WRITERS, Study, as_json
from tests.responses.reading_back import some
from tests.responses.test_damage import (
    ANY_KIND,
    JSON,
    OWN,
    SHORT,
    TASK,
    outcome,
    replaced,
)

NESTED = [name for name in WRITERS if name not in {"cvat", "doccano", "zooniverse"}]
NESTED = [name for name in NESTED if name not in {"toloka", "appen", "labelbox_csv"}]
NESTED.remove("ground_truth")
READER = TOOL_OF | judged_logs.READER | {"own tasks": "label_studio"}


def document(path):
    """Return what a tool writes, as one JSON document."""
    text = path.read_text("utf-8")
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines()]


with tempfile.TemporaryDirectory() as _folder:
    DOCUMENTS = {
        name: document(WRITERS[name](Path(_folder), Study(FIXED))) for name in NESTED
    }
    for _name in ("inspect", "promptfoo", "promptfoo_lines", "deepeval", "lm_eval"):
        DOCUMENTS[_name] = document(judged_logs.LOGS[_name](Path(_folder)))
DOCUMENTS |= {
    "label_studio": [TASK, TASK],
    "own tasks": [OWN, OWN],
    "label_studio_min": [SHORT, SHORT | {"annotator": 4}],
    "peerannot": {"0": {"1": 0, "2": 1}, "1": {"1": 1}},
    "long": [{"item": 1, "annotator": "a", "label": "x"}] * 2,
}
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
    kind=ANY_KIND,
)
@some(45)
def test_a_part_of_any_other_type(which, steps, value, kind):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.json"
        path.write_text(
            json.dumps(replaced(DOCUMENTS[which], steps, value)), encoding="utf-8"
        )
        outcome(path, READER.get(which, which), kind=kind)
        outcome(path)


def without(document, steps):
    """Take a key or a part out of a JSON document; steps say which."""
    if not isinstance(document, (dict, list)) or not document:
        return document
    keys = list(document) if isinstance(document, dict) else range(len(document))
    key = keys[steps[0] % len(keys)]
    copy = document.copy()
    if len(steps) == 1:
        del copy[key]
    else:
        copy[key] = without(document[key], steps[1:])
    return copy


@given(
    which=st.sampled_from(list(DOCUMENTS)),
    steps=st.lists(st.integers(0, 9), min_size=1, max_size=9),
)
@some(20)
def test_a_part_that_is_missing(which, steps):
    with tempfile.TemporaryDirectory() as folder:
        path = as_json(Path(folder) / "a.json", without(DOCUMENTS[which], steps))
        responses = outcome(path, READER.get(which, which))
        outcome(path)
        # What is left is read as it was, or by no other answers than there were.
        whole = outcome(as_json(path, DOCUMENTS[which]), READER.get(which, which))
        if responses is not None and responses.kind == whole.kind == "choice":
            assert responses.num_responses <= whole.num_responses
            assert {*responses.table["label"].dropna()} <= {*whole.table["label"]}
