"""CVAT: the XML "for images 1.1" of jobs, one for each annotator.

The XML does not say who set a tag, so each annotator's job is exported for itself; the
annotator is the job's assignee, else the name of the file or folder. Tags of images are
labels, attributes of tags further questions, and shapes name one object each.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import parse

from consilience.errors import OptionError, UnreadableFileError
from consilience.responses.draft import Reader
from consilience.responses.exports.assembling import read_export
from consilience.responses.exports.work import Answer, Export, Work, names
from consilience.responses.options import ReadOptions
from consilience.responses.sources.library_errors import readable
from consilience.responses.sources.load import Probe, Source
from consilience.responses.table import Responses

_SHAPES = {
    "box",
    "polygon",
    "polyline",
    "points",
    "cuboid",
    "ellipse",
    "mask",
    "skeleton",
}
_PEOPLE = ("assignee/username", "assignee")
_ANY = {"tag", "any", ""}
LABEL, OBJECTS = "label", "objects"


def read_cvat(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read jobs."""
    paths = [path for path in sources if isinstance(path, Path)]
    if len(paths) < len(sources):
        msg = "format 'cvat' reads XML files, not data frames"
        raise OptionError(msg)
    roots = {path: _root(path) for path in paths}
    people, how = _people(roots)
    offers = _offers(list(roots.values()))
    works = [
        _work(image, people[path], f"{path}, image {number}", offers)
        for path, root in roots.items()
        for number, image in enumerate(root.iter("image"), start=1)
    ]
    export = Export(
        tool="CVAT",
        works=works,
        source=names(sources),
        unit="images of jobs",
        ids=("name", "id"),
        offers=offers,
        main=LABEL,
        roles={how: "annotator"},
        notes=(f"annotators are {how}",),
    )
    return read_export(export, sources, options)


def _root(path: Path) -> Element:
    with readable(str(path), "not the XML of annotations", "export the job again"):
        root = parse(path, forbid_dtd=True).getroot()
    if root is None or root.tag != "annotations":
        msg = f"{path}: expected CVAT's XML for images (1.1); export the job in it"
        raise UnreadableFileError(msg)
    if root.find("track") is not None:
        msg = (
            f"{path}: holds tracks of a video; export the job as 'CVAT for images 1.1'"
        )
        raise UnreadableFileError(msg)
    return root


def _people(roots: dict[Path, Element]) -> tuple[dict[Path, str], str]:
    """Return the annotator of each job, and how they are named."""
    assigned = {path: _assignee(root) for path, root in roots.items()}
    if all(assigned.values()):
        return {path: str(name) for path, name in assigned.items()}, "the assignees"
    stems = {path: path.stem for path in roots}
    if len(set(stems.values())) == len(stems) and "annotations" not in stems.values():
        return stems, "the names of the files"
    folders = {path: path.parent.name for path in roots}
    if len(set(folders.values())) == len(folders):
        return folders, "the names of the folders"
    numbers = {path: root.findtext("meta/job/id") or "" for path, root in roots.items()}
    if all(numbers.values()):
        return {path: f"job {name}" for path, name in numbers.items()}, "the jobs"
    return {path: str(path) for path in roots}, "the files"


def _assignee(root: Element) -> str | None:
    for part in ("job", "task", "project"):
        for name in _PEOPLE:
            text = (root.findtext(f"meta/{part}/{name}") or "").strip()
            if text:
                return text
    return None


def _labels(root: Element) -> Iterator[Element]:
    meta = root.find("meta")
    return iter(()) if meta is None else meta.iter("label")


def _offers(roots: Sequence[Element]) -> dict[str, tuple[str, ...]]:
    """Labels that tags may have, and values that attributes may have."""
    tags: dict[str, None] = {}
    shapes: dict[str, None] = {}
    values: dict[str, dict[str, None]] = {}
    for root in roots:
        for label in _labels(root):
            name = (label.findtext("name") or "").strip()
            kind = (label.findtext("type") or "").strip()
            if name:
                (tags if kind in _ANY else shapes)[name] = None
            for attribute in label.iter("attribute"):
                choices = (attribute.findtext("values") or "").split("\n")
                listed = [text.strip() for text in choices if text.strip()]
                if attribute.findtext("input_type") in {"select", "radio"}:
                    question = (attribute.findtext("name") or "").strip()
                    values.setdefault(question, {}).update(dict.fromkeys(listed))
    offers = {name: tuple(given) for name, given in values.items() if given}
    return offers | ({LABEL: tuple(tags)} if tags else {})


def _work(
    image: Element, person: str, place: str, offers: dict[str, tuple[str, ...]]
) -> Work:
    """Answers about an image; one without any tag or shape is skipped."""
    tags = [tag.get("label") or "" for tag in image.findall("tag")]
    shapes = [s.get("label") or "" for s in image if s.tag in _SHAPES]
    answers: dict[str, Answer] = {}
    attributes = [
        (each.get("name") or "", (each.text or "").strip())
        for tag in image.findall("tag")
        for each in tag.findall("attribute")
    ]
    for name, value in attributes:
        before = answers[name].picked or () if name in answers else ()
        answers[name] = Answer(picked=(*before, value) if value else before)
    one = len(offers.get(LABEL, ())) == 1 and bool(attributes)
    if tags and not one:  # one label says nothing, its attributes do
        answers[LABEL] = Answer(picked=tuple(dict.fromkeys(tags)))
    if shapes:
        answers[OBJECTS] = Answer(picked=tuple(shapes), several=True, regions=True)
    return Work(
        fields={"name": image.get("name"), "id": image.get("id")},
        annotator=person,
        answers=answers,
        place=place,
    )


def _sniff(probe: Probe) -> int:
    return 3 * (b"<annotations" in probe.start and b"<meta>" in probe.start)


READER = Reader(
    name="cvat",
    what="CVAT for images 1.1 (XML), one job for each annotator",
    sniff=_sniff,
    read=read_cvat,
    questions=True,
)
