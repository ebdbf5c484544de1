"""Task files of one tool, written from candidates.

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
import hashlib
import html
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import quote
from xml.etree import ElementTree as ET

import msgspec
import numpy as np
import pandas as pd

from consilience.classifiers.candidate_table import FILE, LABELS, Candidates
from consilience.classifiers.images import Naming, item_names, list_images
from consilience.errors import DataError, OptionError, SourceError, not_among
from consilience.responses.columns.looks import is_structure
from consilience.responses.options import Kind, ReadOptions
from consilience.responses.side_columns import roles_in
from consilience.responses.side_tables import check_filled, side_table, text_frame
from consilience.responses.sources.frames import readable
from consilience.responses.text import refuse_nul
from consilience.responses.tools.work import NONE, OnScreen
from consilience.visible import visible
from consilience.whole_folder import whole_folder

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
                    {"value": name, "alias": label} for label, name in task.shown.named
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
        names = [" ".join(visible(n).split()) for x, n in task.shown.named if x != NONE]
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


type Tool = Literal["label-studio", "mturk", "zooniverse"]

WRITERS: dict[Tool, Callable[[Survey, Path], str]] = {
    "label-studio": write_label_studio,
    "mturk": write_mturk,
    "zooniverse": write_zooniverse,
}
QUESTIONS = {
    "choice": "Which of these is in the image?",
    "contains": "Which of these are in the image? Select all that apply.",
    "objects": "Which objects are in the image? Select one name for each object.",
}
SCHEMES = ("https://", "http://", "s3://", "gs://", "/")
OFFERED, README = "offered.parquet", "README.txt"
_LOCAL = "/data/local-files/?d="  # where Label Studio serves files of its machine
_ORDER = """
The order of the labels was drawn at random for each item (seed {seed}){none}. So no
place on the screen is favoured over all items; everybody who sees an item sees the same
order. {offered} records it.
"""


def write_tasks(  # noqa: PLR0913 (each option stands alone)
    candidates: Candidates | pd.DataFrame | str | Path,
    out: str | Path,
    *,
    tool: Tool,
    kind: Kind = "choice",
    images: str | Path | None = None,
    image_prefix: str | None = None,
    question: str | None = None,
    top: int | None = None,
    none: bool = True,
    seed: int = 0,
    overwrite: bool = False,
) -> Path:
    """Write the tasks of a labelling tool: an image with its candidates for each item.

    `read` reads what the tool exports, with the labels that were on screen.

    Parameters
    ----------
    candidates : Candidates, data frame or path
        Columns item and label, and name where labels are codes.
    out : str or Path
        The folder to create.
    tool : {"label-studio", "mturk", "zooniverse"}
        The labelling tool.
    kind : {"choice", "contains", "objects"}, default "choice"
        Which label is it; which are present; or one for each object, and the main one.
    images : str or Path, optional
        Folder of the images; items are named after the path, the name, or the name
        without ending of their image.
    image_prefix : str, optional
        Beginning of the images' addresses, before the path in the folder or the item.
        By default Label Studio serves images from its own machine, and Zooniverse
        uploads them; Mechanical Turk needs addresses.
    question : str, optional
        By default a usual one.
    top : int, optional
        Number of candidates of each item, the first ones; all by default.
    none : bool, default True
        Whether *none of these* is offered, as the last answer.
    seed : int, default 0
        Seed of the order of the candidates of an item.
    overwrite : bool, default False
        Replace an existing folder of tasks.

    Returns
    -------
    Path
        The folder, with a `README.txt` that says how to import it.

    Raises
    ------
    DataError
        If there are no candidates, or an item lists one twice.
    OptionError
        If the tool, the kind or a number does not exist, or addresses are needed.
    SourceError
        If an item has no image.
    FolderExistsError
        If the folder exists and is not to be replaced.

    See Also
    --------
    candidates : Pool predictions into candidates.
    read : Read what people answered.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import consilience as cs
    >>> import pandas as pd
    >>> listed = pd.DataFrame({"item": ["a", "a"], "label": ["cat", "dog"]})
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     place = cs.images.write_tasks(
    ...         listed,
    ...         Path(parent) / "tasks",
    ...         tool="mturk",
    ...         image_prefix="https://example.org/",
    ...     )
    ...     sorted(file.name for file in place.iterdir())
    ['README.txt', 'input.csv', 'offered.parquet', 'question.html']
    """
    for what, value, allowed in (("tool", tool, WRITERS), ("kind", kind, QUESTIONS)):
        if value not in allowed:
            raise OptionError(not_among(what, value, allowed))
    if top is not None and top < 1:
        raise OptionError(f"top {top}: give 1 or more")
    if tool == "mturk" and image_prefix is None:
        raise OptionError(
            "Mechanical Turk shows images by their addresses: give the beginning of "
            'these (`image_prefix="https://..."`)'
        )
    if tool == "label-studio" and image_prefix is None and images is not None:
        image_prefix = _LOCAL
    place = Path(out)
    lists = _lists(candidates, top)
    where = _image_places([item for item, _ in lists], images, image_prefix, place)
    survey = Survey(
        tasks=[
            Task(image=image, shown=_shown(item, rows, kind, seed, none=none))
            for (item, rows), image in zip(lists, where, strict=True)
        ],
        kind=kind,
        question=QUESTIONS[kind] if question is None else question,
        remote=image_prefix is not None,
    )
    with whole_folder(place, replaceable=OFFERED if overwrite else None) as partial:
        how = WRITERS[tool](survey, partial)
        after = f", with {NONE!r} last" if none else ""
        text = how + _ORDER.format(seed=seed, none=after, offered=OFFERED)
        (partial / README).write_text(text, "utf-8")
        _offered(survey).to_parquet(partial / OFFERED, index=False)
    return place


def _image_places(
    items: list[str], images: str | Path | None, prefix: str | None, folder: Path
) -> list[str]:
    """Return the address of each item's image, or its path from a folder."""
    if prefix is not None and not prefix.startswith(SCHEMES):
        raise OptionError(
            f"image_prefix {prefix!r}: addresses start with {', '.join(SCHEMES)}; give "
            "one such beginning"
        )
    paths = items if images is None else _paths(items, Path(images))
    if prefix is not None:
        return [prefix + quote(path) for path in paths]
    if images is None:
        raise OptionError(
            "where the images are is not known; give their folder (`images=`), or the "
            "beginning of their addresses (`image_prefix=`)"
        )
    start = Path(os.path.relpath(images, folder)).as_posix()
    return [f"./{start}/{path}" for path in paths]


def _paths(items: list[str], images: Path) -> list[str]:
    """Return the path of each item's image below the folder."""
    if not images.is_dir():
        raise SourceError(f"{images}: is no folder of images; give one (`images=`)")
    every = list_images([images]).items
    lacking: list[str] = []
    for naming in get_args(Naming.__value__):
        names = item_names(every, naming)
        if len(set(names)) < len(names):
            continue
        path_of = dict(zip(names, every, strict=True))
        missing = [item for item in items if item not in path_of]
        if not missing:
            return [path_of[item] for item in items]
        lacking = min(lacking or missing, missing, key=len)
    raise SourceError(
        f"{images}: {len(lacking):,} of {len(items):,} items have no image there, such "
        f"as {lacking[0]!r}; items are named after the path of their image, its name, "
        "or its name without ending"
    )


def _lists(
    given: Candidates | pd.DataFrame | str | Path, top: int | None
) -> list[tuple[str, pd.DataFrame]]:
    """Return label and name of the candidates of each item."""
    names: pd.DataFrame | None = None
    if isinstance(given, Candidates):
        names = given.labels
        given = given.table
    elif not isinstance(given, pd.DataFrame) and Path(given).is_dir():
        given, file = Path(given) / FILE, Path(given) / LABELS
        if file.is_file():
            with readable(str(file)):
                names = pd.read_parquet(file)
    table = side_table(given, ReadOptions(), "candidates")
    needed = roles_in(table, {})
    check_filled(table, needed)
    columns = needed | ({"name": "name"} if "name" in table.columns else {})
    frame = text_frame(table, columns)
    for each in columns:
        refuse_nul(each, frame[each].dropna())
    twice = frame.duplicated(["item", "label"])
    if twice.any():
        row = frame[twice].iloc[0]
        raise DataError(
            f"candidates: item {row['item']!r} lists {row['label']!r} twice; list each "
            "label of an item once"
        )
    lists = [label for label in frame["label"].unique() if is_structure(label)]
    if lists:
        raise DataError(
            f"candidates: label {lists[0]!r} is a list or an object; give plain texts"
        )
    frame = frame[frame["label"] != NONE]
    frame["name"] = _names(frame, names)
    frame = frame if top is None else frame.groupby("item", sort=False).head(top)
    return [(str(item), rows) for item, rows in frame.groupby("item", sort=False)]


def _names(frame: pd.DataFrame, names: pd.DataFrame | None) -> Sequence[str]:
    """Return what people read for each label; labels of one name have theirs beside."""
    name = frame.get("name", pd.Series(index=frame.index, dtype="str"))
    if names is not None and "name" in names:
        by_label = names.dropna(subset="name").astype("str").drop_duplicates("label")
        name = name.fillna(frame["label"].map(by_label.set_index("label")["name"]))
    name = name.fillna(frame["label"])
    pairs = pd.DataFrame({"name": name, "label": frame["label"]}).drop_duplicates()
    shared = name.isin(pairs["name"][pairs["name"].duplicated()])
    return name.mask(shared, name + " (" + frame["label"] + ")").tolist()


def _shown(
    item: str, rows: pd.DataFrame, kind: Kind, seed: int, *, none: bool
) -> OnScreen:
    """Return what is on the screen; the order hangs on the seed and the item alone."""
    digest = hashlib.sha256(item.encode()).digest()[:8]
    order = np.random.default_rng([seed, int.from_bytes(digest)]).permutation(len(rows))
    last = (NONE,) * none
    return OnScreen(
        item=item,
        kind=kind,
        labels=(*rows["label"].to_numpy()[order].tolist(), *last),
        names=(*rows["name"].to_numpy()[order].tolist(), *last),
    )


def _offered(survey: Survey) -> pd.DataFrame:
    """Return a row for each label of each item, in the order of the screen."""
    rows = [
        (task.shown.item, label, name, place, task.image)
        for task in survey.tasks
        for place, (label, name) in enumerate(task.shown.named, start=1)
    ]
    return pd.DataFrame(rows, columns=["item", "label", "name", "position", "image"])
