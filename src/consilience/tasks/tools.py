"""Tasks in the form of Label Studio, Mechanical Turk and Zooniverse.

**Label Studio** takes `tasks.json` and the labelling configuration `config.xml`. Each
task's data hold the choices (`options`), which the configuration refers to. The export
names a choice by its alias, the label; people see its value, the name.

**Mechanical Turk** takes `input.csv` for a batch and the question `question.html`. The
site puts the cells of a row into the page as they are. So a cell holds no markup: what
is in it is escaped for HTML. The page makes its buttons from the record of the task and
returns the places of those that were chosen.

**Zooniverse** takes `manifest.csv` with a list for each image, and the questions. The
answers of a question task are the same for all subjects. So a subject has two files,
the image and a text with its numbered labels, and people answer by number. The record
of the task is hidden metadata, which the export returns.
"""

import csv
import html
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec

from consilience.responses.tools.on_screen import NONE, OnScreen
from consilience.visible import visible

MAIN_QUESTION = "Which of them is the main object?"
TASKS, CONFIG = "tasks.json", "config.xml"
INPUT, QUESTION = "input.csv", "question.html"
MANIFEST, WORKFLOW, LISTS = "manifest.csv", "workflow.json", "lists"
LABEL_STUDIO = f"""Label Studio
1. Create a project. In Settings > Labeling Interface > Code paste {CONFIG}.
2. Import {TASKS}.
3. Images without an address of the web are served from a folder: start Label Studio
   with LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and
   LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT set to the folder of the images, and add this
   folder as local storage of the project.
4. Export as JSON. The file is read as it is (format label_studio).
"""
MTURK = f"""Mechanical Turk
1. Create a project from any template. In Design Layout > Source replace all by
   {QUESTION}.
2. Publish a batch with {INPUT}.
3. Download the results. The file is read as it is (format mturk).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One item: its image, and the labels on the screen in their order."""

    image: str
    shown: OnScreen

    @property
    def record(self) -> str:
        """What is on the screen, as JSON."""
        return msgspec.json.encode(self.shown).decode()

    @property
    def named(self) -> list[tuple[str, str]]:
        """Each label with the name that people read."""
        return list(zip(self.shown.labels, self.shown.names, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """All tasks and their question."""

    tasks: Sequence[Task]
    kind: str
    question: str
    remote: bool

    @property
    def several(self) -> bool:
        """Whether several labels of an item may be chosen."""
        return self.kind != "choice"


def write_label_studio(survey: Survey, folder: Path) -> str:
    """Write the tasks and the configuration; return how they are imported."""
    tasks = [
        {
            "data": {
                "image": task.image,
                "item": task.shown.item,
                "kind": survey.kind,
                "options": [
                    {"value": name, "alias": label} for label, name in task.named
                ],
            }
        }
        for task in survey.tasks
    ]
    (folder / TASKS).write_text(json.dumps(tasks, indent=1) + "\n", "utf-8")
    view = ET.Element("View")
    ET.SubElement(view, "Image", name="image", value="$image")
    _add_question(view, "labels", survey.question, several=survey.several)
    if survey.kind == "objects":
        _add_question(view, "main", MAIN_QUESTION, several=False)
    ET.indent(view)
    (folder / CONFIG).write_text(ET.tostring(view, encoding="unicode") + "\n", "utf-8")
    return LABEL_STUDIO


def _add_question(view: ET.Element, name: str, question: str, *, several: bool) -> None:
    ET.SubElement(view, "Header", value=question)
    ET.SubElement(
        view,
        "Choices",
        name=name,
        toName="image",
        value="$options",
        choice="multiple" if several else "single",
        required="true",
        layout="vertical",
    )


def write_mturk(survey: Survey, folder: Path) -> str:
    """Write the input of a batch and the page; return how they are imported."""
    cells = [[_escaped(t.image), _escaped(t.record)] for t in survey.tasks]
    _write_rows(folder / INPUT, [["image_url", "task"], *cells])
    several = "checkbox" if survey.several else "radio"
    questions = [{"field": "chosen", "text": survey.question, "type": several}]
    if survey.kind == "objects":
        questions.append({"field": "main", "text": MAIN_QUESTION, "type": "radio"})
    page = Path(__file__).with_name("mturk.html").read_text("utf-8")
    text = msgspec.json.encode(questions).decode()
    for character in "<>&$":  # can end no script and be no variable of the site
        text = text.replace(character, f"\\u{ord(character):04x}")
    page = page.replace("QUESTIONS", text)
    (folder / QUESTION).write_text(page, "utf-8")
    return MTURK


def _write_rows(path: Path, rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)


def _escaped(text: str) -> str:
    """Return text without markup, variables of the site, or characters it refuses."""
    plain = html.escape(text).replace("$", "&#36;")
    return plain.encode("ascii", "xmlcharrefreplace").decode()


def write_zooniverse(survey: Survey, folder: Path) -> str:
    """Write the manifest, the lists and the questions; return how they are uploaded."""
    (folder / LISTS).mkdir()
    rows, most = [["image", "list", "#task"]], 0
    for number, task in enumerate(survey.tasks, start=1):
        names = [" ".join(visible(n).split()) for x, n in task.named if x != NONE]
        lines = [f"{place}. {name}\n" for place, name in enumerate(names, start=1)]
        listed = f"{LISTS}/{number:06d}.txt"
        (folder / listed).write_text("".join(lines), "utf-8")
        rows.append([task.image, listed, task.record])
        most = max(most, len(names))
    _write_rows(folder / MANIFEST, rows)
    none = any(NONE in task.shown.labels for task in survey.tasks)
    answers = [str(number) for number in range(1, most + 1)] + [NONE] * none
    tasks = {"T0": _question(survey.question, answers, several=survey.several)}
    if survey.kind == "objects":
        tasks["T0"]["next"] = "T1"
        tasks["T1"] = _question(MAIN_QUESTION, answers, several=False)
    (folder / WORKFLOW).write_text(
        json.dumps({"first_task": "T0", "tasks": tasks}, indent=1) + "\n", "utf-8"
    )
    columns = "-r 1 -m image/jpeg -f 2" if survey.remote else "-f 1 -f 2"
    media = " (or -m image/png)" if survey.remote else ""
    return f"""Zooniverse
1. Make a subject set and upload the manifest with the command line of Panoptes{media}:
   panoptes subject-set upload-subjects {columns} SUBJECT_SET_ID {MANIFEST}
2. Make a workflow with the question tasks in {WORKFLOW}: question, answers, and whether
   several may be chosen (multiple). The answers are the numbers of the list beside the
   image.
3. Request the classification export of the workflow. The file is read as it is
   (format zooniverse).
"""


def _question(question: str, answers: list[str], *, several: bool) -> dict[str, object]:
    return {
        "type": "multiple" if several else "single",
        "question": question,
        "answers": [{"label": answer} for answer in answers],
        "required": True,
    }
