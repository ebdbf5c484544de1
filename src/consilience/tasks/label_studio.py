"""Tasks for Label Studio: `tasks.json` and the labelling configuration `config.xml`.

Each task's data hold the choices (`options`), which the configuration refers to. The
export names a choice by its alias, the label; people see its value, the name.
"""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

from consilience.tasks.task import MAIN_QUESTION, Survey

TASKS, CONFIG = "tasks.json", "config.xml"
HOW = f"""Label Studio
1. Create a project. In Settings > Labeling Interface > Code paste {CONFIG}.
2. Import {TASKS}.
3. Images without an address of the web are served from a folder: start Label Studio
   with LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and
   LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT set to the folder of the images, and add this
   folder as local storage of the project.
4. Export as JSON. The file is read as it is (format label_studio).
"""


def write_label_studio(survey: Survey, folder: Path) -> None:
    """Write the tasks and the configuration."""
    tasks = [
        {
            "data": {
                "image": task.image,
                "item": task.shown.item,
                "kind": survey.kind,
                "options": [
                    {"value": name, "alias": label}
                    for label, name in zip(
                        task.shown.labels, task.shown.names, strict=True
                    )
                ],
            }
        }
        for task in survey.tasks
    ]
    (folder / TASKS).write_text(json.dumps(tasks, indent=1) + "\n", "utf-8")
    view = ET.Element("View")
    ET.SubElement(view, "Image", name="image", value="$image")
    _add_question(view, "labels", survey.question, several=survey.kind != "choice")
    if survey.kind == "objects":
        _add_question(view, "main", MAIN_QUESTION, several=False)
    ET.indent(view)
    (folder / CONFIG).write_text(ET.tostring(view, encoding="unicode") + "\n", "utf-8")


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
