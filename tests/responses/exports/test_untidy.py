"""What the tools' documents say beside the plain case: each read right or refused."""

import json
import zipfile

import pandas as pd
import pytest
from tests.responses.exports.writers import (
    Study,
    appen,
    as_csv,
    as_json,
    as_lines,
    doccano,
    labelbox,
    toloka,
    toloka_json,
    url,
)
from tests.responses.reading_back import in_line, rows

from consilience.errors import ColumnError, OptionError, SourceError
from consilience.responses import ReadOptions, read, recognition
from consilience.responses.recognition import formats_of, probe

FIXED = {
    (1, "ann"): ("cat",),
    (1, "bob"): ("dog",),
    (2, "ann"): ("cat",),
    (2, "bob"): ("cat",),
}


def edited(path, edit):
    """Change each record of an export of JSON lines or of a list."""
    text = path.read_text("utf-8")
    if path.suffix == ".json":
        return as_json(path, [edit(each) or each for each in json.loads(text)])
    records = [json.loads(line) for line in text.splitlines()]
    return as_lines(path, [edit(each) or each for each in records])


# Toloka


def tsv(tmp_path, *given):
    return as_csv(tmp_path / "a.tsv", given, "\t")


def assignment(image, person, status="APPROVED", **more):
    return {
        "INPUT:image": image,
        **more,
        "ASSIGNMENT:assignment_id": f"{image}{person}",
        "ASSIGNMENT:worker_id": person,
        "ASSIGNMENT:status": status,
    }


def test_outputs_of_toloka_are_questions_and_comments_are_none(tmp_path):
    outputs = {"OUTPUT:animal": "cat", "OUTPUT:quality": "good"}
    path = tsv(tmp_path, assignment("a", "w1", **outputs), dict.fromkeys(outputs, ""))
    with pytest.raises(
        ColumnError, match=r"'animal' \(choice, 1 answer\), 'quality' \(choice"
    ):
        read(path)
    assert rows(read(path, question="quality"), "item", "label") == [["a", "good"]]
    given = [
        assignment(
            f"{i // 2}",
            f"w{i % 2}",
            **{"OUTPUT:animal": "cat", "OUTPUT:comment": f"I see {i} legs"},
        )
        for i in range(12)
    ]
    responses = read(tsv(tmp_path, *given))
    assert set(responses.table["label"]) == {"cat"}
    assert "another question: no labels" in responses.cleaning.unused["comment"]


def test_rejected_and_expired_assignments_do_not_count_unless_they_are_named(tmp_path):
    path = tsv(
        tmp_path,
        assignment("a", "w1", **{"OUTPUT:result": "cat"}),
        assignment("a", "w2", "REJECTED", **{"OUTPUT:result": "dog"}),
        assignment("a", "w3", "EXPIRED", **{"OUTPUT:result": ""}),
        assignment("a", "w4", "SKIPPED", **{"OUTPUT:result": ""}),
    )
    responses = read(path)
    assert rows(responses, "annotator", "label") == [["w1", "cat"], ["w4", None]]
    reasons = [part.reason for part in responses.cleaning.dropped]
    assert reasons == ["the assignment is REJECTED", "the assignment is EXPIRED"]
    both = read(path, statuses=["APPROVED", "REJECTED"])
    assert rows(both, "label") == [["cat"], ["dog"]]


def test_yes_and_no_of_toloka_are_about_the_label_that_was_shown(tmp_path):
    path = tsv(
        tmp_path,
        assignment("a", "w1", **{"INPUT:query": "tabby", "OUTPUT:result": "yes"}),
        assignment("a", "w2", **{"INPUT:query": "tabby", "OUTPUT:result": "no"}),
        assignment("a", "w1", **{"INPUT:query": "lynx", "OUTPUT:result": "no"}),
    )
    responses = read(path)
    assert in_line(responses, "item", "annotator", "label", "answer") == (
        "a w1 tabby yes, a w2 tabby no, a w1 lynx no"
    )
    assert read(path, kind="choice").table["label"].tolist() == ["yes", "no", "no"]


def test_tasks_of_toloka_are_told_apart_by_an_input_or_by_their_ids(tmp_path):
    given = [
        assignment(image, "w1", **{"INPUT:other": other, "OUTPUT:result": "same"})
        | {"ASSIGNMENT:task_id": f"t{i}"}
        for i, (image, other) in enumerate([("a", "x"), ("a", "y"), ("b", "x")])
    ]
    assert rows(read(tsv(tmp_path, *given)), "item") == [["t0"], ["t1"], ["t2"]]
    assert rows(read(tsv(tmp_path, *given[:2])), "item") == [["x"], ["y"]]
    assert in_line(read(tsv(tmp_path, *given), item="image"), "item") == "a, a, b"
    without = [{k: v for k, v in g.items() if "task_id" not in k} for g in given]
    with pytest.raises(ColumnError, match="which field names the item"):
        read(tsv(tmp_path, *without))


# Labelbox


def test_classifications_of_labelbox_are_questions_also_inside_answers(tmp_path):
    def add(row):
        for label in row["projects"]["p1"]["labels"]:
            parts = label["annotations"]["classifications"]
            parts[0]["radio_answer"]["classifications"] = [
                {"name": "age", "radio_answer": {"name": "young", "value": "young"}}
            ]
            parts += [{"name": "why", "text_answer": {"content": "because"}}]

    path = edited(labelbox(tmp_path, Study(FIXED)), add)
    with pytest.raises(ColumnError, match=r"found 'animal' .*, 'age' \(choice"):
        read(path)
    assert set(read(path, question="age").table["label"]) == {"young"}


def test_boxes_of_labelbox_and_benchmarks(tmp_path):
    def add(row):
        for label in row["projects"]["p1"]["labels"]:
            label["annotations"] = {
                "classifications": [],
                "objects": [{"name": "cat", "bounding_box": {}}] * 2,
            }
            if label["label_details"]["created_by"] == "bob":
                label["performance_details"]["is_benchmark_reference"] = True

    responses = read(edited(labelbox(tmp_path, Study(FIXED)), add))
    assert responses.kind == "objects"
    assert set(responses.table["annotator"]) == {"ann"}
    assert set(responses.gold["label"]) == {"cat"}


@pytest.mark.parametrize("label", ['{"animal": "cat"}', '{"animal": ["cat"]}', "Skip"])
def test_the_oldest_labels_of_labelbox(tmp_path, label):
    first = {"ID": "1", "DataRow ID": "d", "Labeled Data": "u", "Created By": "ann"}
    done = first | {"Label": '{"animal": "dog"}', "Created By": "bob"}
    responses = read(as_csv(tmp_path / "a.csv", [first | {"Label": label}, done]))
    labels = {
        person: sorted(part["label"].dropna())
        for person, part in responses.table.query("answer != 'no'").groupby("annotator")
    }
    assert labels["bob"] == ["dog"]
    assert labels["ann"] == ([] if label == "Skip" else ["cat"])


# doccano


def test_a_shared_project_of_doccano_has_no_annotators(tmp_path):
    record = {"id": 1, "text": "t", "label": ["a"], "Comments": []}
    path = as_lines(tmp_path / "all.jsonl", [record])
    with pytest.raises(ColumnError, match="a shared project"):
        read(path)
    as_lines(tmp_path / "ann.jsonl", [record])
    responses = read(tmp_path)
    assert rows(responses, "annotator", "label") == [["ann", "a"]]
    assert "left out all.jsonl" in str(responses.cleaning)


def test_files_of_an_archive_are_named_by_it_and_by_themselves(tmp_path):
    path = doccano(tmp_path, Study(FIXED))
    responses = read(path)
    assert [*responses.sources] == [f"{path}/{name}.jsonl" for name in ("ann", "bob")]
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr("../../x.jsonl", '{"id": null, "text": "t", "label": ["a"]}')
        packed.writestr("notes.json", "{}")
        packed.writestr("images/1.png", b"x")
    with pytest.raises(Exception, match=r"doccano\.zip/x\.jsonl") as error:
        read(path, item="id")
    assert str(error.value).startswith(f"{path}/x.jsonl, ")


def test_an_archive_that_is_no_export_is_refused(tmp_path):
    (tmp_path / "not.zip").write_bytes(b"PK")
    with pytest.raises(SourceError, match=r"not\.zip"):
        read(tmp_path / "not.zip")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    with pytest.raises(SourceError, match="no file that can be read"):
        read(tmp_path / "empty.zip")


# Argilla


def record(name, *responses):
    return {"id": name, "fields": {"text": name}, "responses": {"label": [*responses]}}


def said(value, user, status="submitted"):
    return {"value": value, "user_id": user, "status": status}


def test_drafts_of_argilla_do_not_count_and_discarded_responses_are_skipped(tmp_path):
    path = as_json(
        tmp_path / "a.json",
        [
            record("1", said("a", "ann"), said("b", "bob", "draft")),
            record("2", said(None, "ann", "discarded"), said(3, "bob")),
            record("3"),
        ],
    )
    responses = read(path)
    assert in_line(responses, "item", "annotator", "label") == (
        "1 ann a, 2 ann -, 2 bob 3"
    )
    assert "a draft and not submitted" in str(responses.cleaning)
    assert "items without an answer: 1" in str(responses.cleaning)


def test_argilla_as_a_dataset_of_either_version(tmp_path):
    table = pd.DataFrame(
        {
            "id": ["1", "2"],
            "text": ["s", "t"],
            "label.responses": [["a", "b"], None],
            "label.responses.users": [["ann", "bob"], None],
            "label.responses.status": [["submitted", "submitted"], None],
        }
    )
    (tmp_path / "data").mkdir()
    table.to_parquet(tmp_path / "data" / "train-00000-of-00001.parquet")
    expected = [["1", "ann", "a"], ["1", "bob", "b"]]
    for source in (tmp_path, tmp_path / "data" / "train-00000-of-00001.parquet", table):
        assert rows(read(source), "item", "annotator", "label") == expected
    first = [
        {"external_id": "1", "text": "s", "label": [said("a", "ann"), said("b", "bob")]}
        | {"label-suggestion": "a", "metadata": "{}"}
    ]
    path = as_lines(tmp_path / "data.jsonl", first)
    assert rows(read(path), "item", "annotator", "label") == expected


# SageMaker Ground Truth


def test_a_manifest_of_ground_truth_has_no_workers_unless_it_passes_them_on(tmp_path):
    one = {
        "source-ref": "s3://b/1.png",
        "sport": 0,
        "sport-metadata": {"job-name": "x"},
    }
    path = as_lines(tmp_path / "output.manifest", [one, one])
    with pytest.raises(ColumnError, match="one consolidated label for each"):
        read(path)
    content = {"content": json.dumps({"response": {"label": "a"}})}
    answers = [{"workerId": w, "annotationData": content} for w in ("ann", "bob")]
    passed = {**one, "sport": {"annotationsFromAllWorkers": answers}}
    responses = read(as_lines(path, [passed]))
    assert rows(responses, "item", "annotator", "label") == [
        ["s3://b/1.png", "ann", "a"],
        ["s3://b/1.png", "bob", "a"],
    ]


def test_forms_of_ground_truth_have_questions_with_what_was_on_screen(tmp_path):
    form = {
        "animal": {"cat": True, "dog": False},
        "sound": {"label": "loud"},
        "boxes": {"boundingBoxes": [{"label": "cat", "top": 1}]},
    }
    answers = [{"workerId": w, "answerContent": form} for w in ("ann", "bob")]
    file = tmp_path / "iteration-1" / "7" / "x.json"
    file.parent.mkdir(parents=True)
    as_json(file, {"answers": answers})
    found = r"'animal' \(choice, 2 .*'sound' \(choice, 2 .*'boxes' \(objects, 2"
    with pytest.raises(ColumnError, match=found):
        read(tmp_path)
    responses = read(tmp_path, question="animal")
    assert rows(responses, "item", "label") == [["7", "cat"], ["7", "cat"]]
    assert responses.labels["label"].tolist() == ["cat", "dog"]
    assert read(tmp_path, question="boxes").kind == "objects"


def test_requests_of_ground_truth_name_the_objects_of_responses(tmp_path):
    answer = {"workerId": "ann", "answerContent": {"q": {"label": "a"}}}
    base = tmp_path / "annotations"
    file = base / "worker-response" / "iteration-1" / "0" / "x.json"
    request = base / "consolidated-annotation" / "consolidation-request" / "x.json"
    for path in (file, request):
        path.parent.mkdir(parents=True)
    as_json(file, {"answers": [answer, answer | {"workerId": "bob"}]})
    as_json(
        request,
        [
            {
                "datasetObjectId": "0",
                "dataObject": {"s3Uri": "s3://b/1.png"},
                "annotations": [
                    {"workerId": "ann", "annotationData": {"content": "{}"}}
                ],
            }
        ],
    )
    (tmp_path / "manifests").mkdir()
    as_lines(
        tmp_path / "manifests" / "output.manifest", [{"source-ref": "s3://b/1.png"}]
    )
    responses = read(tmp_path)
    assert rows(responses, "item", "annotator", "label") == [
        ["s3://b/1.png", "ann", "a"],
        ["s3://b/1.png", "bob", "a"],
    ]


# Appen


def test_tainted_judgments_of_appen_do_not_count_unless_they_are_named(tmp_path):
    path = appen(tmp_path, Study(FIXED))
    text = path.read_text()
    lines = [
        line.replace("false,feca", "true,feca") if ",bob," in line else line
        for line in text.splitlines()
    ]
    path.write_text("\n".join(lines))
    responses = read(path, question="animal")
    assert set(responses.table["annotator"]) == {"ann"}
    assert "failed the test questions (tainted)" in str(responses.cleaning)
    both = read(path, statuses=["trusted", "tainted"])
    assert set(both.table["annotator"]) == {"ann", "bob"}


# Scale


def task(number, attachment, response, **more):
    return {
        "task_id": f"t{number}",
        "type": "categorization",
        "status": "completed",
        "params": {"attachment": attachment, "categories": ["big", "small"]},
        "response": response,
        **more,
    }


def test_final_responses_of_scale_are_no_answers_of_annotators(tmp_path):
    given = [task(1, "car", {"category": "big"}), task(2, "cat", {"category": "small"})]
    with pytest.raises(ColumnError, match="each task has one final response"):
        read(as_json(tmp_path / "a.json", given))
    given += [task(3, "car", {"category": "small"}), task(4, "x", {}, status="pending")]
    responses = read(as_json(tmp_path / "a.json", given))
    assert in_line(responses, "item", "annotator", "label") == (
        "car - big, cat - small, car - small"
    )
    assert responses.labels["label"].tolist() == ["big", "small"]


def test_categories_of_scale_that_are_named_otherwise_are_not_those_on_screen(tmp_path):
    given = [task(1, "car", {"category": "Big one"}), task(2, "car", {"category": "x"})]
    responses = read(as_json(tmp_path / "a.json", given))
    assert responses.labels["label"].tolist() == ["Big one", "x"]
    assert responses.assumptions


def test_metadata_of_scale_may_say_whose_a_response_is(tmp_path):
    given = [
        task(
            number,
            "car",
            {"taxonomies": {"size": ["big"]}},
            metadata={"annotator": person, "item": "i"},
            unique_id=f"u{number}",
        )
        for number, person in enumerate(["ann", "bob"])
    ]
    path = as_json(tmp_path / "a.json", given)
    expected = [["car", "ann", "big"], ["car", "bob", "big"]]
    assert rows(read(path), "item", "annotator", "label") == expected
    assert rows(read(path, item="metadata.item"), "item") == [["i"], ["i"]]


def test_attempts_and_fields_of_scale(tmp_path):
    def attempt(person, *labels):
        field = {"type": "category", "field_id": "size", "response": [list(labels)]}
        return {
            "annotator": {"id": person},
            "response": {"annotations": {"size": field}},
        }

    attempts = [attempt("ann", "big"), attempt("bob", "small")]
    path = as_json(tmp_path / "a.json", [task(1, "car", {}, attempts=attempts)])
    assert rows(read(path), "item", "annotator", "label") == [
        ["t1", "ann", "big"],
        ["t1", "bob", "small"],
    ]


# CVAT


def job(tags, assignee="", meta=""):
    return (
        "<annotations><version>1.1</version><meta><job><id>1</id>"
        f"<assignee>{assignee}</assignee>{meta}</job></meta>"
        f'<image id="0" name="a.jpg" width="1" height="1">{tags}</image></annotations>'
    )


def test_annotators_of_cvat_are_assignees_files_or_folders(tmp_path):
    tag = '<tag label="cat" source="manual"></tag>'
    for person in ("ann", "bob"):
        (tmp_path / f"job_{person}.xml").write_text(
            job(tag, f"<username>{person}</username>")
        )
    assert rows(read(tmp_path), "annotator") == [["ann"], ["bob"]]
    (tmp_path / "job_ann.xml").write_text(job(tag))
    assert rows(read(tmp_path), "annotator") == [["job_ann"], ["job_bob"]]
    archives = []
    for person in ("ann", "bob"):
        archives += [tmp_path / f"{person}.zip"]
        with zipfile.ZipFile(archives[-1], "w") as packed:
            packed.writestr("annotations.xml", job(tag))
            packed.writestr("images/a.jpg", b"")
    assert rows(read(archives), "annotator") == [["ann.zip"], ["bob.zip"]]


def test_attributes_of_cvat_are_questions_and_shapes_are_objects(tmp_path):
    meta = (
        "<labels><label><name>scene</name><type>tag</type><attributes><attribute>"
        "<name>weather</name><input_type>select</input_type><values>sun\nrain</values>"
        "</attribute></attributes></label></labels>"
    )
    tag = '<tag label="scene"><attribute name="weather">sun</attribute></tag>'
    path = tmp_path / "ann.xml"
    path.write_text(job(tag, meta=meta))
    responses = read(path)
    assert rows(responses, "item", "label") == [["a.jpg", "sun"]]
    assert responses.labels["label"].tolist() == ["sun", "rain"]
    path.write_text(job(tag + '<box label="car" xtl="1"></box>' * 2, meta=meta))
    with pytest.raises(ColumnError, match=r"'weather' .*'objects' \(objects"):
        read(path)
    assert rows(read(path, question="objects"), "label", "object") == [
        ["car", 0],
        ["car", 1],
    ]


def test_xml_that_is_no_job_is_refused(tmp_path):
    path = tmp_path / "a.xml"
    bomb = '<!DOCTYPE a [<!ENTITY b "c">]>'
    for text, error, found in (
        (bomb + job("<tag/>"), SourceError, "not the XML of annotations"),
        (job("")[:-9], SourceError, "not the XML of annotations"),
        (job("").replace("<image", "<track/><image"), SourceError, "of a video"),
    ):
        path.write_text(text)
        with pytest.raises(error, match=found):
            read(path, format="cvat")
    with pytest.raises(OptionError, match="XML files, not data frames"):
        read(pd.DataFrame({"a": [1]}), format="cvat")


# Of all


def test_a_folder_of_another_tool_beside_is_left_out_and_named(tmp_path):
    toloka(tmp_path, Study(FIXED))
    (tmp_path / "notes.json").write_text('{"a": 1}')
    responses = read(tmp_path)
    assert responses.num_responses == 4
    assert "files beside, not read: " in str(responses.cleaning)
    assert set(responses.table["item"]) == {url(1), url(2)}


def test_records_of_other_programs_are_none_of_doccano(tmp_path):
    record = {"id": 1, "text": "t", "labels": [{"annotator": "a", "label": "x"}]}
    for name in ("a", "b"):
        as_lines(tmp_path / f"{name}.jsonl", [record])
    assert set(read(tmp_path).table["annotator"]) == {"a"}
    old = {"id": 1, "text": "t", "annotations": [], "meta": {}}
    said = [{"label": 2, "user": 7}, {"label": 2, "user": 7}]
    path = as_lines(tmp_path / "old.jsonl", [old, old | {"id": 2, "annotations": said}])
    assert rows(read(path), "item", "annotator", "label") == [["2", "7", "2"]]


def test_tables_of_a_folder_are_read_as_one_only_if_they_have_the_same_columns(
    tmp_path,
):
    table = pd.DataFrame({"item": ["a"], "annotator": ["ann"], "label": ["x"]})
    table.to_csv(tmp_path / "1.csv", index=False)
    table.assign(item="b").to_csv(tmp_path / "2.csv", index=False)
    assert read(tmp_path).num_items == 2
    table[["item", "label"]].to_csv(tmp_path / "true.csv", index=False)
    with pytest.raises(SourceError, match="not one table; pass the files"):
        read(tmp_path)


def test_a_long_list_that_an_api_wraps_is_recognized(tmp_path, monkeypatch):
    monkeypatch.setattr(recognition, "_LOOK", 1 << 12)
    path = toloka_json(tmp_path, Study(FIXED))
    document = json.loads(path.read_text("utf-8"))
    document["items"] *= 20
    as_json(path, document)
    assert path.stat().st_size > 1 << 12
    for key in ("items", "anything"):
        as_json(path, {"has_more": False, key: document["items"]})
        assert formats_of(probe(path, ReadOptions())) == ["toloka"]
        assert read(path).num_items == 2
    as_json(path, {"items": [{"a": 1}] * 1_000})
    assert formats_of(probe(path, ReadOptions())) == []


def test_a_data_frame_of_an_export_is_read_as_the_export(tmp_path):
    table = pd.read_csv(toloka(tmp_path, Study(FIXED)), sep="\t")
    assert rows(read(table), "item", "annotator", "label")[0] == [url(1), "ann", "cat"]
