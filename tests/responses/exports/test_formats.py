"""Every tool's export is read without a flag, and by its reader alone."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.responses.exports.writers import (
    ITEM,
    LABELS,
    NUMBERED,
    ONLY_ANSWERS,
    READER,
    WRITERS,
    Study,
)

from consilience.responses import read
from consilience.responses.options import ReadOptions
from consilience.responses.recognition import formats_of, probe

PEOPLE = ("ann", "bob", "Zoë")

pairs = st.tuples(st.integers(1, 6), st.sampled_from(PEOPLE))
single = st.one_of(st.none(), st.sampled_from(LABELS).map(lambda label: (label,)))
several = st.one_of(
    st.none(),
    st.lists(st.sampled_from(LABELS), min_size=1, max_size=3, unique=True).map(tuple),
)
FIXED = {
    (1, "ann"): ("cat",),
    (1, "bob"): ("dog",),
    (2, "ann"): ("größer",),
    (2, "Zoë"): ("cat",),
}


def studies(answers):
    """Studies in which something is answered, whatever else is."""
    return st.dictionaries(pairs, answers, max_size=10).map(
        lambda extra: Study({**FIXED, **extra})
    )


def expected(name, study):
    item = ITEM.get(name, str)
    number = {label: str(i) for i, label in enumerate(LABELS, start=1)}
    label = number.get if name in NUMBERED else str
    return {
        (item(i), person): {label(each) for each in picked}
        for (i, person), picked in study.answers.items()
        if picked is not None
    }


def picked_by(responses):
    """Labels that each annotator picked of each item."""
    table = responses.table
    yes = table["label"].notna() & (table["answer"].isna() | (table["answer"] == "yes"))
    answered = table["label"].notna()
    if (table["kind"] == "contains").all():
        answered &= table["answer"].notna()
    picked = {}
    for row in table[answered].astype(object).itertuples():
        picked.setdefault((row.item, row.annotator), set())
    for row in table[answered & yes].astype(object).itertuples():
        if row.kind != "contains" or row.answer == "yes":
            picked[row.item, row.annotator].add(row.label)
    return picked


def written_and_read(name, study, **form):
    with tempfile.TemporaryDirectory() as folder:
        return read(WRITERS[name](Path(folder), study, **form))


@pytest.mark.parametrize("name", WRITERS)
@given(study=studies(single))
@settings(max_examples=7, deadline=None)
def test_choices_come_back_as_they_were_written(name, study):
    responses = written_and_read(name, study)
    assert responses.kinds == ("choice",)
    assert picked_by(responses) == expected(name, study)


@pytest.mark.parametrize("name", WRITERS)
@given(study=studies(several))
@settings(max_examples=5, deadline=None)
def test_several_labels_come_back_as_yes_and_the_rest_as_no(name, study):
    study = Study({**study.answers, (7, "ann"): ("cat", "dog")})
    responses = written_and_read(name, study, several=True)
    assert responses.kinds == ("contains",)
    assert picked_by(responses) == expected(name, study)
    # Nobody leaves a label on screen without an answer to it.
    counts = responses.table.groupby(["item", "annotator"], observed=True).size()
    assert set(counts) <= {len(responses.labels)}


@pytest.mark.parametrize("name", WRITERS)
def test_a_label_that_is_changed_is_noticed(name):
    changed = Study({**FIXED, (2, "Zoë"): ("dog",)})
    responses = written_and_read(name, changed)
    assert picked_by(responses) == expected(name, changed)
    assert picked_by(responses) != expected(name, Study(FIXED))


@pytest.mark.parametrize("name", [n for n in WRITERS if n not in ONLY_ANSWERS])
def test_a_skipped_question_is_no_answer_but_is_counted(name):
    study = Study({**FIXED, (3, "ann"): None})
    responses = written_and_read(name, study)
    assert responses.table["label"].isna().sum() == 1
    assert responses.num_items == 3


@pytest.mark.parametrize("name", WRITERS)
def test_an_export_is_recognized_by_its_reader_alone(name, tmp_path):
    path = WRITERS[name](tmp_path, Study(FIXED))
    if path.suffix == ".zip":
        import zipfile

        with zipfile.ZipFile(path) as packed:
            packed.extractall(tmp_path / "unpacked")
        path = tmp_path / "unpacked"
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*.*"))
    for file in files:
        probed = probe(file, ReadOptions(), several=len(files) > 1)
        assert formats_of(probed) == [READER[name]]
    # A folder of one tool's files is no format of another.
    if path.is_dir():
        probed = probe(path, ReadOptions())
        assert not formats_of(probed)


@pytest.mark.parametrize("name", ["toloka", "toloka_json", "appen", "appen_json"])
def test_what_a_tool_knows_to_be_right_is_gold_and_its_answers_count(name, tmp_path):
    study = Study(FIXED, gold={1: "dog"})
    responses = read(WRITERS[name](tmp_path, study))
    item = ITEM.get(name, str)(1)
    assert responses.gold.astype(str).to_numpy().tolist() == [[item, "dog"]]
    assert picked_by(responses) == expected(name, study)


@pytest.mark.parametrize("name", ["prodigy", "scale", "cvat"])
def test_labels_on_screen_are_those_that_the_tool_lists(name, tmp_path):
    responses = read(WRITERS[name](tmp_path, Study(FIXED)))
    assert responses.labels["label"].tolist() == list(LABELS)
    assert (responses.offer, responses.assumptions) == ("all", ())
