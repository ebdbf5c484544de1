"""Candidates as task files, answers in each tool's export, and both read back."""

import csv
import html
import json
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.responses.exports.writers import (
    choices,
    classification,
    classified,
    task,
    work,
)

import consilience as cs
from consilience.errors import DataError
from consilience.responses import read
from consilience.responses.columns.looks import is_structure
from consilience.responses.options import MISSING

NONE = "none of these"
TOOLS = ("label-studio", "mturk", "zooniverse")
KINDS = ("choice", "contains", "objects")
PREFIX = "https://example.org/images/"
# Texts that would be markup, a path, a formula, a variable or a list; and others.
TEXTS = st.one_of(
    st.sampled_from(
        [
            "=1+1",
            "@cmd",
            "-2",
            "'quoted'",
            "<b>bold</b>",
            "</script><script>",
            "&amp;",
            "${task}",
            "../../etc/passwd",
            "lists/000001.txt",
            "a|b",
            'say "cat", or dog',
            "0",
            "1",
            "{x}",
            "[a]",
            "tabby\tcat",
            "貓",
            "🐈",
            "%s",
        ]
    ),
    st.text(
        st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"]),
        min_size=1,
        max_size=8,
    ),
).filter(lambda text: text.strip() == text and text != NONE and _plain(text))


def _plain(text):
    """Say whether a reader takes the text for one, and not for a gap or a list."""
    return text not in MISSING and not is_structure(text)


@st.composite
def studies(draw):
    """Candidates, and for each answer the item, the person and what is picked."""
    labels = draw(st.lists(TEXTS, min_size=1, max_size=5, unique=True))
    items = draw(st.lists(TEXTS, min_size=1, max_size=3, unique=True))
    lists = {
        item: draw(st.lists(st.sampled_from(labels), min_size=1, unique=True))
        for item in items
    }
    rows = [(item, label) for item, some in lists.items() for label in some]
    frame = pd.DataFrame(rows, columns=["item", "label"], dtype="str")
    if draw(st.booleans()):
        name = {label: draw(TEXTS) for label in labels}
        frame["name"] = frame["label"].map(name)
    answers = []
    for item in items:
        for who in ("ann", "not-logged-in-1f2e"):
            picked = draw(
                st.lists(st.sampled_from(lists[item]), min_size=1, unique=True)
                | st.just([NONE])
            )
            main = draw(st.sampled_from(picked))
            answers.append((item, who, picked, main))
    return frame, answers


def simulated(tool, folder, kind, answers):
    """Write what a tool exports after these answers; return the file."""
    write = {"label-studio": label_studio, "mturk": mturk, "zooniverse": zooniverse}
    return write[tool](folder, kind, answers)


def label_studio(folder, kind, answers):
    tasks = json.loads((folder / "tasks.json").read_text("utf-8"))
    for number, one in enumerate(tasks, start=1):
        alias = {each["alias"]: each for each in one["data"]["options"]}
        one["id"] = number
        one["annotations"] = [
            work(
                100 * number + place,
                {"id": place, "email": who},
                *(
                    choices(name, *(alias[label]["alias"] for label in some))
                    for name, some in questions(kind, picked, main)
                ),
            )
            for place, (item, who, picked, main) in enumerate(answers)
            if item == one["data"]["item"]
        ]
    file = folder.parent / "export.json"
    file.write_text(json.dumps(tasks), "utf-8")
    return file


def questions(kind, picked, main):
    yield "labels", picked[:1] if kind == "choice" else picked
    if kind == "objects":
        yield "main", [main]


def places(shown, labels):
    return [shown["labels"].index(label) for label in labels]


def mturk(folder, kind, answers, *, flat=False):
    with (folder / "input.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    # The site puts the cell into an attribute, from which the page takes its JSON.
    shown = [json.loads(html.unescape(row["task"])) for row in rows]
    out = folder.parent / "Batch_1_batch_results.csv"
    ends = ["Answer.chosen", "Answer.main"] if flat else ["Answer.taskAnswers"]
    with out.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, quoting=csv.QUOTE_ALL)
        inputs = ["Input.image_url", "Input.task"]
        head = ["HITId", "AssignmentId", "WorkerId", "AssignmentStatus", *inputs]
        table.writerow([*head, *ends])
        for number, (item, who, picked, main) in enumerate(answers):
            place = next(k for k, each in enumerate(shown) if each["item"] == item)
            said = dict(questions(kind, picked, main))
            chosen = ",".join(map(str, places(shown[place], said["labels"])))
            first = ",".join(map(str, places(shown[place], said.get("main", []))))
            last = [json.dumps([{"chosen": chosen, "main": first}])]
            row = rows[place]
            table.writerow(
                [
                    *(f"H{place}", f"A{number}", who, "Approved"),
                    *(row["image_url"], row["task"]),
                    *([chosen, first] if flat else last),
                ]
            )
    return out


def zooniverse(folder, kind, answers):
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    workflow = json.loads((folder / "workflow.json").read_text("utf-8"))["tasks"]
    records = []
    for item, who, picked, main in answers:
        place, row, shown = next(
            (k, row, json.loads(row["#task"]))
            for k, row in enumerate(rows)
            if json.loads(row["#task"])["item"] == item
        )
        said = []
        asked = questions(kind, picked, main)
        for (name, each), (_, some) in zip(workflow.items(), asked, strict=True):
            # A person looks the label up on the list and clicks its number.
            listed = (folder / row["list"]).read_text("utf-8").split("\n")
            numbers = [
                NONE if label == NONE else number_of(listed, shown, label)
                for label in some
            ]
            assert set(numbers) <= {answer["label"] for answer in each["answers"]}
            value = numbers if each["type"] == "multiple" else numbers[0]
            title = each["question"]
            said.append({"task": name, "task_label": title, "value": value})
        records.append(classification(50 + place, who, *said, **row))
    return classified(folder.parent / "classifications.csv", records)


def number_of(listed, shown, label):
    """Return the number of a label on the list, as a person reads it."""
    name = shown["names"][shown["labels"].index(label)]
    texts = dict(reversed(line.split(". ", 1)) for line in listed if line)
    return texts[" ".join(name.split())]


def expected(kind, frame, answers):
    """Return the answers as the canonical tables hold them, and what was offered."""
    lists = frame.groupby("item", sort=False)["label"].agg(list)
    rows = set()
    for item, who, picked, main in answers:
        if kind == "choice":
            rows.add((item, who, picked[0], None, None))
        elif kind == "objects":
            rows |= {(item, who, label, None, label == main) for label in picked}
        else:
            rows |= {
                (item, who, label, "yes" if label in picked else "no", None)
                for label in lists[item]
            }
    offered = {
        (item, label)
        for item, some in lists.items()
        for label in [*some, *([] if kind == "contains" else [NONE])]
    }
    return rows, offered


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tool", TOOLS)
@given(study=studies(), seed=st.integers(0, 3))
@settings(max_examples=8)
def test_answers_come_back_with_items_labels_and_what_was_offered(
    tool, kind, study, seed
):
    frame, answers = study
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "tasks"
        options = {"tool": tool, "kind": kind, "image_prefix": PREFIX, "seed": seed}
        cs.images.write_tasks(frame, folder, **options)
        responses = read(simulated(tool, folder, kind, answers))
    table = responses.table.astype(object).where(responses.table.notna(), None)
    got = {
        (row.item, row.annotator, row.label, row.answer, row.main)
        for row in table.itertuples()
    }
    rows, offered = expected(kind, frame, answers)
    assert got == rows
    assert responses.kinds == (kind,)
    assert responses.offer == "listed"
    pairs = responses.offered.astype("str")[["item", "label"]]
    assert set(pairs.itertuples(index=False, name=None)) == offered
    assert set(responses.labels["label"]) == {label for _, label in offered}
    if "name" in frame and frame["name"].nunique() == frame["label"].nunique():
        name = responses.labels.set_index("label")["name"].drop(NONE, errors="ignore")
        names = frame.drop_duplicates("label").set_index("label")["name"]
        assert name.to_dict() == names.to_dict()


FRAME = pd.DataFrame({"item": "i", "label": ["u", "v", "w"]})


def labels_of(responses):
    return responses.table["label"].tolist()


def test_an_answer_at_another_place_is_another_label(tmp_path):
    options = {"kind": "choice", "image_prefix": PREFIX}
    answers = [("i", "ann", ["v"], "v")]
    for tool in ("mturk", "zooniverse"):
        folder = cs.images.write_tasks(FRAME, tmp_path / tool, tool=tool, **options)
        file = simulated(tool, folder, "choice", answers)
        assert labels_of(read(file)) == ["v"]
        (place,) = pd.read_parquet(folder / "offered.parquet").query("label == 'v'")[
            "position"
        ]
        text = file.read_text("utf-8")
        if tool == "mturk":
            old, new = f'""chosen"": ""{place - 1}""', f'""chosen"": ""{place % 3}""'
        else:
            old, new = f'""value"": ""{place}""', f'""value"": ""{place % 3 + 1}""'
        assert old in text
        file.write_text(text.replace(old, new), "utf-8")
        assert labels_of(read(file)) != ["v"]


@pytest.mark.parametrize("chosen", ["4", "-1", "u", "0,9", "0.5"])
def test_a_place_that_is_not_on_the_list_is_refused(tmp_path, chosen):
    options = {"kind": "choice", "image_prefix": PREFIX}
    folder = cs.images.write_tasks(FRAME, tmp_path / "tasks", tool="mturk", **options)
    file = mturk(folder, "choice", [("i", "ann", ["v"], "v")], flat=True)
    table = pd.read_csv(file, dtype="str", keep_default_na=False)
    table.assign(**{"Answer.chosen": chosen}).to_csv(file, index=False)
    with pytest.raises(DataError, match=r"expected places on the list, from 0 to 3"):
        read(file)
    table.assign(**{"Answer.chosen": ""}).to_csv(file, index=False)
    assert read(file).table["label"].isna().all()


def test_choices_of_anybodys_tasks_are_what_was_on_screen(tmp_path):
    """Without a kind, an alias, or an answer; a name stands for its label."""

    def asked(number, options, *picked):
        result = [choices("q", label) for label in picked]
        image = f"{number}.jpg"
        return task(number, work(number, 1, *result), image=image, options=options)

    cat, dog = {"value": "cat"}, {"value": "a dog", "alias": "dog"}
    file = tmp_path / "export.json"
    file.write_text(
        json.dumps(
            [asked(1, [cat, dog], "cat"), asked(2, [dog], "a dog"), asked(3, [cat])]
        )
    )
    responses = read(file)
    assert responses.kind == "choice"
    assert labels_of(responses)[:2] == ["cat", "dog"]
    assert pd.isna(labels_of(responses)[2])
    pairs = responses.offered.to_numpy().tolist()
    assert sorted(pairs) == [
        ["1.jpg", "cat"],
        ["1.jpg", "dog"],
        ["2.jpg", "dog"],
        ["3.jpg", "cat"],
    ]
    yes_or_no = read(file, kind="contains")
    assert yes_or_no.table["answer"].tolist()[:3] == ["yes", "no", "yes"]
    # Where a task does not say it, nothing is known of the offer.
    file.write_text(json.dumps([asked(1, [cat, dog], "cat"), asked(2, None, "dog")]))
    assert read(file).offer == "all"
    # An answer that was not on screen is refused.
    file.write_text(json.dumps([asked(1, [cat, dog], "fox")]))
    with pytest.raises(DataError, match="'fox'"):
        read(file)
