"""Studies written as each labelling tool exports them."""

import csv
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

LABELS = ("cat", "dog", "größer", "a fox, red")


@dataclass(frozen=True)
class Study:
    """Answers by item and annotator: labels picked, or None for a skipped question."""

    answers: Mapping[tuple[int, str], tuple[str, ...] | None]
    gold: Mapping[int, str] = field(default_factory=dict)

    @property
    def items(self):
        return list(dict.fromkeys(item for item, _ in self.answers))

    @property
    def people(self):
        return list(dict.fromkeys(person for _, person in self.answers))

    def of(self, item):
        return {p: picked for (i, p), picked in self.answers.items() if i == item}


def url(item):
    return f"https://example.org/img/{item:04d}.jpg"


def value(picked, several):
    """Return what was picked: a list where a question allows several labels."""
    return None if picked is None else list(picked) if several else picked[0]


def state(picked):
    return "discarded" if picked is None else "submitted"


def as_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def as_lines(path, values):
    lines = [json.dumps(value, ensure_ascii=False) for value in values]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def as_csv(path, rows, separator=","):
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, names, delimiter=separator)
        table.writeheader()
        table.writerows(rows)
    return path


def part(name, form, value):
    """Return a part of the result of an annotation of Label Studio."""
    return {"from_name": name, "type": form, "value": {form: value}}


def choices(name, *labels):
    return part(name, "choices", list(labels))


def work(number, person, *result, **more):
    return {"id": number, "completed_by": person, "result": list(result), **more}


def task(number, *annotations, **data):
    data = data or {"image": f"{number}.jpg"}
    return {"id": number, "data": data, "annotations": list(annotations)}


def short(item, person, answer, *, number=1):
    """Return a record of Label Studio's JSON-MIN."""
    record = {"id": number, "image": item, "annotator": person, "q": answer}
    return record | {"annotation_id": 100 + number, "lead_time": 1.5}


def classification(subject, who, *parts, gold="", workflow=7, retired=None, **about):
    """Return a classification of Zooniverse; each part answers one task."""
    times = {
        "started_at": "2026-11-01T10:00:00.000Z",
        "finished_at": "2026-11-01T10:00:04.500Z",
    }
    return {
        "user_name": who,
        "user_id": "" if who.startswith("not-logged-in") else 12,
        "user_ip": "5a1f",
        "workflow_id": workflow,
        "workflow_name": "Which?",
        "workflow_version": "12.34",
        "created_at": "2026-11-01 10:00:00 UTC",
        "gold_standard": gold,
        "expert": "",
        "metadata": json.dumps(times),
        "annotations": json.dumps(parts),
        "subject_data": json.dumps({str(subject): {"retired": retired, **about}}),
        "subject_ids": subject,
    }


def classified(path, given):
    """Write the classifications of a project, numbered."""
    rows = [{"classification_id": 100 + k, **each} for k, each in enumerate(given)]
    return as_csv(path, rows)


def zooniverse(folder, study, *, several=False):
    asked = {"task": "T0", "task_label": "Which?"}
    rows = [
        classification(item, person, asked | {"value": value(picked, several)}, url="a")
        for (item, person), picked in study.answers.items()
    ]
    return classified(folder / "which-classifications.csv", rows)


def toloka(folder, study, *, several=False):
    def cell(picked):
        given = value(picked, several) or ""
        return json.dumps(given) if several and picked else given

    rows = [
        {
            "INPUT:image": url(item),
            "OUTPUT:result": cell(picked),
            "GOLDEN:result": study.gold.get(item, ""),
            "HINT:text": "",
            "ASSIGNMENT:assignment_id": f"0001--{number}",
            "ASSIGNMENT:worker_id": person,
            "ASSIGNMENT:status": "SKIPPED" if picked is None else "APPROVED",
            "ASSIGNMENT:started": "2026-10-01T10:00:00.123",
        }
        for number, ((item, person), picked) in enumerate(study.answers.items())
    ]
    return as_csv(folder / "assignments_pool.tsv", rows, "\t")


def toloka_json(folder, study, *, several=False):
    pages = [
        {
            "id": f"0001--{number}",
            "task_suite_id": "s",
            "pool_id": "12",
            "user_id": person,
            "status": "SKIPPED" if picked is None else "ACCEPTED",
            "created": "2026-10-01T10:00:00",
            "submitted": "2026-10-01T10:00:09",
            "tasks": [
                {
                    "id": f"t{item}",
                    "input_values": {"image": url(item)},
                    "known_solutions": [
                        {"output_values": {"result": label}, "correctness_weight": 1}
                        for label in [study.gold.get(item)]
                        if label
                    ],
                }
            ],
            "solutions": []
            if picked is None
            else [{"output_values": {"result": value(picked, several)}}],
        }
        for number, ((item, person), picked) in enumerate(study.answers.items())
    ]
    return as_json(folder / "assignments.json", {"items": pages, "has_more": False})


def prodigy(folder, study, *, several=False):
    records = [
        {
            "image": url(item),
            "_input_hash": item,
            "_task_hash": -item,
            "options": [{"id": label, "text": label.upper()} for label in LABELS],
            "config": {"choice_style": "multiple" if several else "single"},
            "_view_id": "choice",
            "accept": list(picked or ()),
            "answer": "ignore" if picked is None else "accept",
            "_timestamp": 1707211060,
            "_annotator_id": person,
            "_session_id": person,
        }
        for (item, person), picked in study.answers.items()
    ]
    return as_lines(folder / "db.jsonl", records)


def labelbox(folder, study, *, several=False):
    def classification(picked):
        named = [{"name": label, "value": label.lower()} for label in picked]
        answer = {"checklist_answers": named} if several else {"radio_answer": named[0]}
        return {"feature_id": "f", "name": "animal", "value": "animal", **answer}

    rows = [
        {
            "data_row": {"id": f"cl{item}", "global_key": str(item), "details": {}},
            "media_attributes": {"height": 3},
            "projects": {
                "p1": {
                    "name": "Animals",
                    "labels": [
                        {
                            "label_kind": "Default",
                            "version": "1.0.0",
                            "id": f"{item}-{person}",
                            "label_details": {"created_by": person, "reviews": []},
                            "performance_details": {
                                "seconds_to_create": 4,
                                "skipped": picked is None,
                            },
                            "annotations": {
                                "objects": [],
                                "classifications": [classification(picked)]
                                if picked is not None
                                else [],
                                "relationships": [],
                            },
                        }
                        for person, picked in study.of(item).items()
                    ],
                    "project_details": {"ontology_id": "o"},
                }
            },
        }
        for item in study.items
    ]
    return as_lines(folder / "export.ndjson", rows)


def labelbox_old(folder, study, *, several=False, tabular=False):
    def label(picked):
        if picked is None:
            return {}
        named = [{"title": label, "value": label.lower()} for label in picked]
        answer = {"answers": named} if several else {"answer": named[0]}
        found = {"title": "Animal", "value": "animal", "featureId": "x", **answer}
        return {"objects": [], "classifications": [found]}

    rows = [
        {
            "ID": f"ck{number}",
            "DataRow ID": f"row{item}",
            "Labeled Data": url(item),
            "Label": json.dumps(label(picked)) if tabular else label(picked),
            "Created By": person,
            "Project Name": "Animals",
            "Created At": "2020-10-07T16:00:00.000Z",
            "Seconds to Label": 3.2,
            "External ID": str(item),
            "Skipped": picked is None,
            "View Label": "https://editor",
        }
        for number, ((item, person), picked) in enumerate(study.answers.items())
    ]
    if tabular:
        return as_csv(folder / "export.csv", rows)
    return as_json(folder / "export.json", rows)


def labelbox_csv(folder, study, *, several=False):
    return labelbox_old(folder, study, several=several, tabular=True)


def doccano_old(folder, study, *, several=False):  # noqa: ARG001 - one form for both
    numbers = {label: i for i, label in enumerate(LABELS, start=1)}
    rows = [
        {
            "id": item,
            "text": f"Text {item}",
            "annotations": [
                {"label": numbers[label], "user": person}
                for person, picked in study.of(item).items()
                for label in picked or ()
            ],
            "meta": {},
            "annotation_approver": None,
        }
        for item in study.items
    ]
    return as_lines(folder / "project.jsonl", rows)


def doccano(folder, study, *, several=False):  # noqa: ARG001 - one form for both
    with zipfile.ZipFile(folder / "doccano.zip", "w") as packed:
        for person in study.people:
            rows = [
                {
                    "id": item,
                    "text": f"Text {item}",
                    "label": list(study.answers.get((item, person)) or ()),
                    "Comments": [],
                }
                for item in study.items
            ]
            lines = "\n".join(json.dumps(row) for row in rows)
            packed.writestr(f"{person}.jsonl", lines + "\n")
    return folder / "doccano.zip"


def argilla(folder, study, *, several=False):
    rows = [
        {
            "id": str(item),
            "fields": {"text": f"Text {item}"},
            "metadata": {},
            "suggestions": {"label": {"value": LABELS[0], "score": 0.5}},
            "responses": {
                "label": [
                    {
                        "value": value(picked, several),
                        "user_id": person,
                        "status": state(picked),
                    }
                    for person, picked in study.of(item).items()
                ]
            },
            "vectors": {},
            "status": "completed",
            "_server_id": f"s{item}",
        }
        for item in study.items
    ]
    return as_json(folder / "records.json", rows)


def argilla_flat(folder, study, *, several=False):
    rows = [
        {
            "id": str(item),
            "text": f"Text {item}",
            "label.responses": [
                value(picked, several) for picked in study.of(item).values()
            ],
            "label.responses.users": list(study.of(item)),
            "label.responses.status": [
                state(picked) for picked in study.of(item).values()
            ],
            "label.suggestion": LABELS[0],
            "label.suggestion.agent": "m1",
        }
        for item in study.items
    ]
    return as_lines(folder / "records.jsonl", rows)


def argilla_feedback(folder, study, *, several=False):
    rows = [
        {
            "external_id": str(item),
            "fields": {"text": f"Text {item}"},
            "responses": [
                {
                    "user_id": person,
                    "status": state(picked),
                    "values": {"label": {"value": value(picked, several)}},
                }
                for person, picked in study.of(item).items()
            ],
            "suggestions": [],
        }
        for item in study.items
    ]
    return as_json(folder / "feedback.json", rows)


def argilla_first(folder, study, *, several=False):
    rows = [
        {
            "text": f"Text {item}",
            "inputs": {"text": f"Text {item}"},
            "prediction": [[LABELS[0], 0.9]],
            "prediction_agent": "m1",
            "annotation": value(picked, several),
            "annotation_agent": person,
            "multi_label": several,
            "explanation": None,
            "id": f"{item}-{person}",
            "metadata": {"split": "a"},
            "status": "Discarded" if picked is None else "Validated",
            "event_timestamp": None,
        }
        for (item, person), picked in study.answers.items()
    ]
    return as_json(folder / "records.json", rows)


def form(picked, *, several):
    if picked is None:
        return {}
    name = "labels" if several else "label"
    return {"crowd-image-classifier": {name: value(picked, several)}}


def ground_truth(folder, study, *, several=False):
    base = folder / "job" / "annotations" / "worker-response" / "iteration-1"
    for item in study.items:
        (base / str(item)).mkdir(parents=True)
        answers = [
            {
                "acceptanceTime": "2022-01-01T00:00:00.1Z",
                "answerContent": form(picked, several=several),
                "submissionTime": "2022-01-01T00:00:05.1Z",
                "timeSpentInSeconds": 5.0,
                "workerId": person,
                "workerMetadata": {"identityData": {"sub": "x"}},
            }
            for person, picked in study.of(item).items()
        ]
        as_json(base / str(item) / "2022-01-01_00-00-06.json", {"answers": answers})
    return folder / "job"


def ground_truth_requests(folder, study, *, several=False):
    rows = [
        {
            "datasetObjectId": str(item),
            "dataObject": {"content": f"Text {item}"},
            "annotations": [
                {
                    "workerId": person,
                    "annotationData": {
                        "content": json.dumps(form(picked, several=several)),
                        "s3Uri": "",
                    },
                }
                for person, picked in study.of(item).items()
            ],
        }
        for item in study.items
    ]
    return as_json(folder / "2022-01-01_00-00-06.json", rows)


def appen(folder, study, *, several=False):  # noqa: ARG001 - one form for both
    rows = [
        {
            "_unit_id": item,
            "_created_at": "7/19/2021 13:20:28",
            "_golden": str(item in study.gold).lower(),
            "_id": 9000 + number,
            "_missed": "",
            "_started_at": "7/19/2021 13:18:16",
            "_tainted": "false",
            "_channel": "feca",
            "_trust": 0.9,
            "_worker_id": person,
            "_country": "IND",
            "_region": "",
            "_city": "",
            "_ip": "1.2.3.4",
            "animal": "" if picked is None else "\n".join(picked),
            "orig__golden": "",
            "animal_gold": study.gold.get(item, ""),
            "animal_gold_reason": "",
            "url": url(item),
        }
        for number, ((item, person), picked) in enumerate(study.answers.items())
    ]
    return as_csv(folder / "f1234.csv", rows)


def appen_json(folder, study, *, several=False):
    def data(picked):
        if picked is None:
            return {}
        return {"animal": value(picked, several), "_clicks": []}

    rows = [
        {
            "id": item,
            "data": {"url": url(item)}
            | ({"animal_gold": [study.gold[item]]} if item in study.gold else {}),
            "judgments_count": 3,
            "state": "finalized",
            "agreement": 1.0,
            "job_id": 1,
            "results": {
                "judgments": [
                    {
                        "id": 100 * item + number,
                        "created_at": "2021-07-19T13:20:28+00:00",
                        "started_at": "2021-07-19T13:18:16+00:00",
                        "golden": False,
                        "missed": None,
                        "tainted": False,
                        "unit_id": item,
                        "worker_id": person,
                        "trust": 1,
                        "data": data(picked),
                    }
                    for number, (person, picked) in enumerate(study.of(item).items())
                ],
                "animal": {"agg": LABELS[0], "confidence": 1.0},
            },
        }
        for item in study.items
    ]
    return as_lines(folder / "job_1234.json", rows)


def scale(folder, study, *, several=False):
    rows = [
        {
            "task_id": f"5f{item}",
            "unique_id": str(item),
            "created_at": "2020-06-23T09:09:34.752Z",
            "completed_at": "2020-06-23T09:10:02.798Z",
            "type": "categorization",
            "status": "completed",
            "instruction": "Which animal?",
            "params": {
                "attachment_type": "image",
                "attachment": url(item),
                "categories": list(LABELS),
                "allow_multiple": several,
            },
            "metadata": {},
            "response": {
                "responses": [
                    {"worker_id": person, "category": value(picked, several)}
                    for person, picked in study.of(item).items()
                ]
            },
            "audits": [],
        }
        for item in study.items
    ]
    return as_json(folder / "tasks.json", {"docs": rows, "total": len(rows)})


def cvat(folder, study, *, several=False):  # noqa: ARG001 - one form for both
    labels = "".join(
        f"<label><name>{name}</name><type>tag</type><attributes></attributes></label>"
        for name in LABELS
    )
    jobs = folder / "jobs"
    jobs.mkdir()
    for number, person in enumerate(study.people):
        images = "".join(
            f'<image id="{item}" name="{item}" width="3" height="3">'
            + "".join(
                f'<tag label="{label}" source="manual"></tag>'
                for label in study.answers.get((item, person)) or ()
            )
            + "</image>"
            for item in study.items
        )
        meta = (
            f"<meta><job><id>{number}</id><owner><username>boss</username></owner>"
            f"<labels>{labels}</labels></job><dumped>2024</dumped></meta>"
        )
        (jobs / f"{person}.xml").write_text(
            '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n'
            f"<version>1.1</version>\n{meta}\n{images}</annotations>\n",
            encoding="utf-8",
        )
    return jobs


type Writer = Callable[..., Path]

WRITERS: dict[str, Writer] = {
    each.__name__: each
    for each in (
        zooniverse,
        toloka,
        toloka_json,
        prodigy,
        labelbox,
        labelbox_old,
        labelbox_csv,
        doccano,
        doccano_old,
        argilla,
        argilla_flat,
        argilla_feedback,
        argilla_first,
        ground_truth,
        ground_truth_requests,
        appen,
        appen_json,
        scale,
        cvat,
    )
}
# Formats whose items are named otherwise, or whose labels are numbers.
ITEM = {"toloka": url, "toloka_json": url, "argilla_first": lambda item: f"Text {item}"}
NUMBERED = {"doccano_old"}
ONLY_ANSWERS = {"doccano", "doccano_old", "cvat"}  # a skipped item has no sign
READER = {
    **{name: name.partition("_")[0] for name in WRITERS},
    "ground_truth": "ground_truth",
    "ground_truth_requests": "ground_truth",
}
