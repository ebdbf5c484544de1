"""Prodigy's JSON lines: one record per annotator and task, accepted or not.

With `options` the annotator picked some of them (`accept`): a choice, or, where several
may be picked, a yes or no to each that was on screen (contains). Without, the task
proposes one `label`, and accept and reject are yes and no to it (contains). An ignored
task is a skipped question.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from consilience.errors import DataError, KindError
from consilience.responses.tools.records import Record, dig, first, lookup, text
from consilience.responses.tools.tool import Answers, At, Layout, Tool
from consilience.responses.tools.work import Answer, Form, Work

_OPTION = lookup("id", "text")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[_ T]\d{2}-\d{2}-\d{2}$")
_MEANING = {
    "accept": (("yes",), "the options picked are the answer", "yes"),
    "reject": (("no",), "skipped, for no option is an answer", "no"),
    "ignore": (None, "skipped", "skipped"),
}


def _answers(at: At, place: str) -> Answers:
    decision = at.get("answer")
    if decision not in _MEANING:
        raise DataError(
            f"{place}: the answer is {decision!r}; expected {', '.join(_MEANING)}; "
            "export it again or drop the record"
        )
    if "versions" in at:
        raise KindError(
            f"{place}: these are the decisions of a reviewer about answers of others, "
            "who are listed in 'versions'; export the data sets that were reviewed"
        )
    if "accept" in at:
        shown = [text(_OPTION(each)) for each in dig(at, "options.*")]
        accepted = tuple(str(each) for each in at["accept"] or ())
        picked = accepted if decision == "accept" else None
        several = first(at, "config.choice_style") == "multiple"
        form: Form = "boxes" if several else "label"
        yield "accept", Answer(picked, form, tuple(filter(None, shown)) or None)
    elif text(at.get("label")) is not None:
        yield "answer", Answer(_MEANING[decision][0])
    else:
        marks = [name for name in ("spans", "relations") if name in at]
        why = (
            f"marks {marks[0]}, which are not labels of whole items"
            if marks
            else "holds neither options that were accepted nor a label to each task"
        )
        raise KindError(
            f"{place}: this export of Prodigy {why}; read another view of the tasks"
        )


def _notes(records: Sequence[Record], works: Sequence[Work]) -> Iterator[str]:
    column = 1 if any("accept" in work.answers for work in works) else 2
    number = Counter(str(record.value["answer"]) for record in records)
    parts = [
        f"{number[w]:,} {w} ({_MEANING[w][column]})" for w in _MEANING if number[w]
    ]
    yield f"records by decision: {', '.join(parts)}"
    unnamed = len({w.annotator for w in works if _TIME.search(w.annotator or "")})
    if unnamed:
        yield (
            f"sessions without a name, which are called after their time: {unnamed:,}; "
            "a person with several counts as several"
        )


TOOL = Tool(
    name="prodigy",
    what="Prodigy's JSON lines (accept, reject, ignore; options or one label)",
    unit="records",
    worded=False,
    notes=_notes,
    layouts=[
        Layout(
            answers=_answers,
            annotator=("_annotator_id", "_session_id"),
            ids=("_input_hash", "id"),
            contents=("image", "text", "html", "audio", "video", "label"),
            last_ids=("_task_hash", "_session_id"),
        )
    ],
)
