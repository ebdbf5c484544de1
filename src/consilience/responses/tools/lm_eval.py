"""Samples of the Language Model Evaluation Harness: ``samples_TASK_TIME.jsonl``.

Each metric of a sample is a question, and the filter that its answer went through names
the judge together with the metric. The task is part of the file's name, and the model
that of its folder.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from consilience.responses.tools.judged import (
    LAYOUT,
    Sample,
    Score,
    judge,
    number_of,
    samples,
)
from consilience.responses.tools.records import Record, first, text
from consilience.responses.tools.tool import Tool

_FILE = re.compile(r"samples_(.+?)(?:_\d{4}-\d{2}-\d{2}T[\d.-]+)?")
_KEYS = {
    *("doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter"),
    *("metrics", "doc_hash", "prompt_hash", "target_hash", "task_name", "schema"),
}
_ASKED = ("question", "query", "problem", "input", "prompt", "text", "goal")


def _samples(given: list[Record]) -> list[tuple[Record, Sample]]:
    pairs = []
    for each in given:
        name = _FILE.fullmatch(each.file.stem if each.file else "")
        asked = first(each.value, *(f"doc.{key}" for key in _ASKED))
        sample = Sample(
            id=text(first(each.value, "doc_id")),
            data_set=name[1] if name else None,
            system=(each.file.parent.name or None) if each.file and name else None,
            text=asked if isinstance(asked, str) else None,
            scores=list(_scores(each.value)),
        )
        pairs.append((each, sample))
    return pairs


def _scores(sample: Mapping[str, Any]) -> Iterator[Score]:
    """Give the metrics of a sample, which older versions do not list."""
    listed = sample.get("metrics")
    if isinstance(listed, list):
        metrics = [each for each in listed if isinstance(each, str) and each in sample]
    else:
        others = sorted(sample.keys() - _KEYS)
        metrics = [each for each in others if number_of(sample[each]) is not None]
    through = text(first(sample, "filter"))
    for metric in metrics:
        who = judge(metric, None if through == "none" else through)
        yield Score(metric, who, sample[metric])


TOOL = Tool(
    name="lm_eval",
    what="samples of the Language Model Evaluation Harness (JSON lines)",
    unit="scores",
    prepare=samples(_samples, together="metrics"),
    layouts=[LAYOUT],
)
