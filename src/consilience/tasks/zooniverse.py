"""Tasks for Zooniverse: `manifest.csv` with a list for each image, and the questions.

The answers of a question task are the same for all subjects. So a subject has two
files, the image and a text with its numbered labels, and people answer by number. The
record of the task is hidden metadata, which the export returns.
"""

import csv
import json
from pathlib import Path

import msgspec

from consilience.responses.tools.on_screen import NONE
from consilience.tasks.task import MAIN_QUESTION, Survey
from consilience.visible import visible

MANIFEST, WORKFLOW, LISTS = "manifest.csv", "workflow.json", "lists"


def how(survey: Survey) -> str:
    """Say how the tasks are uploaded."""
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


def write_zooniverse(survey: Survey, folder: Path) -> None:
    """Write the manifest, the lists and the questions."""
    (folder / LISTS).mkdir()
    with (folder / MANIFEST).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, quoting=csv.QUOTE_ALL)
        rows.writerow(["image", "list", "#task"])
        for number, task in enumerate(survey.tasks, start=1):
            listed = f"{LISTS}/{number:06d}.txt"
            lines = [
                f"{place}. {' '.join(visible(name).split())}"
                for place, (label, name) in enumerate(
                    zip(task.shown.labels, task.shown.names, strict=True), start=1
                )
                if label != NONE
            ]
            (folder / listed).write_text("\n".join(lines) + "\n", "utf-8")
            rows.writerow(
                [task.image, listed, msgspec.json.encode(task.shown).decode()]
            )
    most = max(
        sum(label != NONE for label in task.shown.labels) for task in survey.tasks
    )
    none = any(NONE in task.shown.labels for task in survey.tasks)
    answers = [str(number) for number in range(1, most + 1)] + [NONE] * none
    several = survey.kind != "choice"
    tasks = {"T0": _question(survey.question, answers, several=several)}
    if survey.kind == "objects":
        tasks["T0"]["next"] = "T1"
        tasks["T1"] = _question(MAIN_QUESTION, answers, several=False)
    (folder / WORKFLOW).write_text(
        json.dumps({"first_task": "T0", "tasks": tasks}, indent=1) + "\n", "utf-8"
    )


def _question(question: str, answers: list[str], *, several: bool) -> dict[str, object]:
    return {
        "type": "multiple" if several else "single",
        "question": question,
        "answers": [{"label": answer} for answer in answers],
        "required": True,
    }
