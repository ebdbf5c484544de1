"""Tasks of a Label Studio export: whose annotation says what to which question."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from consilience.errors import BadCellError
from consilience.responses.columns.names import find
from consilience.responses.sources.arrow_columns import cell_text

OF_REGIONS = (
    "the labels of {!r} are of regions (boxes, polygons, spans): the labels were read, "
    "where the regions are was not"
)


@dataclass(frozen=True, slots=True)
class _Result:
    """One answer of an annotation, as it is exported."""

    type: str = ""
    from_name: str = ""
    value: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Work:
    """One annotation, as it is exported."""

    id: int | str | None = None
    completed_by: dict[str, Any] | int | str | None = None
    result: list[_Result] | None = None
    was_cancelled: bool | None = False
    ground_truth: bool | None = False
    lead_time: Any = None
    created_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One annotator's work on one task."""

    task: str
    number: str
    annotator: str | None
    data: Mapping[str, Any]
    picked: Mapping[str, tuple[str, ...]]
    regions: frozenset[str]
    cancelled: bool
    truth: bool
    seconds: float | None
    created: str | None


def annotations(task: object, source: str) -> list[Annotation]:
    """Annotations of one task; drafts and predictions are not answers."""
    number = task.get("id", "?") if isinstance(task, dict) else "?"
    try:
        whole = msgspec.convert(task, _Task)
    except msgspec.ValidationError as error:
        msg = (
            f"{source}, task {number}: not a task with 'data' and 'annotations' "
            f'({error}); export the project as JSON (`format="label_studio_min"` '
            "reads JSON-MIN)"
        )
        raise BadCellError(msg) from None
    works = whole.annotations if whole.annotations is not None else whole.completions
    return [
        Annotation(
            task=cell_text(whole.id) or "",
            number=str(work.id),
            annotator=person(work.completed_by, f"{source}, task {number}"),
            data=whole.data,
            picked=_picked(
                work.result or [],
                f"{source}, task {whole.id}, annotation {work.id}",
            ),
            regions=frozenset(
                part.from_name
                for part in work.result or []
                if part.type.endswith("labels")
            ),
            cancelled=bool(work.was_cancelled),
            truth=bool(work.ground_truth),
            seconds=_number(work.lead_time),
            created=work.created_at,
        )
        for work in works or []
    ]


@dataclass(frozen=True, slots=True)
class _Task:
    """One task, as it is exported."""

    data: dict[str, Any]
    id: int | str | None = None
    annotations: list[_Work] | None = None
    completions: list[_Work] | None = None  # the name before 2021


def person(given: object, place: str) -> str | None:
    """Id of a person who is a number or a record with number and e-mail.

    The number comes first: an export may name one person both ways.
    """
    if isinstance(given, dict):
        given = given.get("id", given.get("email"))
    if isinstance(given, (dict, list)):
        msg = (
            f"{place}: completed_by names a person by {given!r}; expected a number or "
            "a text; export it again"
        )
        raise BadCellError(msg)
    return cell_text(given)


def item_field(data: Mapping[str, Any], given: str | None, source: str) -> str | None:
    """Field of a task's data that names the item; None: the task's own id."""
    if given == "id":
        return None
    fields = [name for name in data if isinstance(data[name], (str, int))]
    field = find(fields, "item", given, source)
    return field or (fields[0] if len(fields) == 1 else None)


def _picked(result: list[_Result], place: str) -> dict[str, tuple[str, ...]]:
    picked: dict[str, tuple[str, ...]] = {}
    for part in result:
        values = _labels(part)
        if values is None:
            continue
        if not isinstance(values, list) or not all(map(_is_label, values)):
            msg = (
                f"{place}: the result of {part.from_name!r} holds {values!r} where "
                "labels were expected; export it again"
            )
            raise BadCellError(msg)
        labels = tuple(map(str, values))
        picked[part.from_name] = (*picked.get(part.from_name, ()), *labels)
    return picked


def _labels(part: _Result) -> object:
    """Labels in the value of a result; None for what is not a label (texts, boxes)."""
    if part.type == "rating":
        return [part.value.get("rating")]
    if part.type == "taxonomy":
        paths = part.value.get("taxonomy")
        if isinstance(paths, list):
            return [p[-1] if isinstance(p, list) and p else p for p in paths]
        return paths or []
    if part.type == "choices" or part.type.endswith("labels"):
        values = part.value.get(part.type, part.value.get("choices", []))
        return values if isinstance(values, list) else [values]
    return None


def _is_label(value: object) -> bool:
    return isinstance(value, (str, int)) and value != ""


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None
