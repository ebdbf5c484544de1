"""Tasks of a Label Studio export: whose annotation says what to which question."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from consilience.errors import BadCellError
from consilience.responses.arrow_columns import cell_text
from consilience.responses.names import find

type Task = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One annotator's work on one task.

    Parameters
    ----------
    task, number
        Ids, for messages and as response id.
    annotator
        Id of the person; None if the export has none.
    data
        The task's own fields.
    picked
        Labels by question (`from_name`); regions count once each.
    cancelled, truth
        Whether it was skipped, whether it is marked as ground truth.
    seconds, created
        Effort and time.
    """

    task: str
    number: str
    annotator: str | None
    data: Mapping[str, Any]
    picked: Mapping[str, tuple[str, ...]]
    cancelled: bool
    truth: bool
    seconds: float | None
    created: str | None


def annotations(task: Task, source: str) -> Iterator[Annotation]:
    """Annotations of one task; drafts and predictions are not answers.

    Raises
    ------
    BadCellError
        If the task is not built as the export builds it.
    """
    number = str(task.get("id", ""))
    data = task.get("data")
    if not isinstance(data, dict):
        msg = (
            f"{source}, task {number or '?'}: there is no 'data'; export the project "
            "as JSON (not JSON-MIN), or name format='label_studio_min'"
        )
        raise BadCellError(msg)
    for work in task.get("annotations", task.get("completions")) or []:
        place = f"{source}, task {number}, annotation {work.get('id')}"
        yield Annotation(
            task=number,
            number=str(work.get("id", "")),
            annotator=person(work.get("completed_by")),
            data=data,
            picked=_picked(work.get("result") or [], place),
            cancelled=bool(work.get("was_cancelled")),
            truth=bool(work.get("ground_truth")),
            seconds=_number(work.get("lead_time")),
            created=cell_text(work.get("created_at")),
        )


def person(given: object) -> str | None:
    """Id of a person who is a number or a record with number and e-mail.

    The number comes first: an export may name one person both ways.
    """
    if isinstance(given, dict):
        return cell_text(given.get("id", given.get("email")))
    return cell_text(given)


def item_field(data: Mapping[str, Any], given: str | None, source: str) -> str | None:
    """Field of a task's data that names the item; None: the task's own id.

    Raises
    ------
    MissingColumnError
        If the field that was named is not there.
    """
    if given == "id":
        return None
    fields = [name for name in data if isinstance(data[name], (str, int))]
    found = find(fields, "item", given, source)
    return found or (fields[0] if len(fields) == 1 else None)


def _picked(result: list[Task], place: str) -> dict[str, tuple[str, ...]]:
    picked: dict[str, tuple[str, ...]] = {}
    for part in result:
        name = str(part.get("from_name", ""))
        value = part.get("value")
        if not isinstance(value, dict):
            msg = f"{place}: the result of {name!r} has no value; export it again"
            raise BadCellError(msg)
        labels = labels_of(value, str(part.get("type", "")))
        if labels is not None:
            picked[name] = (*picked.get(name, ()), *labels)
    return picked


def labels_of(value: Mapping[str, Any], kind: str) -> tuple[str, ...] | None:
    """Labels in the value of a result; None for what is no label (texts, boxes)."""
    found = value.get(kind, value.get("choices"))
    if kind == "taxonomy" and isinstance(found, list):
        return tuple(str(path[-1]) for path in found if path)
    if kind == "rating":
        return (str(found),)
    if kind == "choices" or kind.endswith("labels"):
        texts = found if isinstance(found, list) else [found]
        return tuple(str(text) for text in texts if text is not None)
    return None


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None
