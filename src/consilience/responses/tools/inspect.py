"""Inspect's logs of evaluations: ``.json``, or ``.eval``, an archive of JSON files.

A sample has scores by scorer: a value (``C``, ``I``, ``P`` and ``N`` where the scorer
is one of Inspect's), or several by name, each a question. Scorers of one kind, which
Inspect numbers (``model_graded_qa1``), answer one question. In an archive the header,
which names models and scorers, and each sample are files of their own.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from consilience.errors import SourceError
from consilience.responses.tools.judged import (
    LAYOUT,
    Sample,
    Score,
    around,
    judge,
    named,
    parts,
    samples,
)
from consilience.responses.tools.records import Record, dig, first, names, text
from consilience.responses.tools.tool import Tool

_GRADED = "model_graded"  # how scorers begin that ask a model


def _samples(given: list[Record]) -> list[tuple[Record, Sample]]:
    """Return the samples of logs; summaries of an archive repeat them."""
    headers = {
        _folder(each): each.value["eval"] for each in given if "eval" in each.value
    }
    pairs = []
    for each in given:
        inside = around(each, "eval") is not None or _folder(each).name == "samples"
        if "epoch" not in each.value or not inside:
            continue
        header = around(each, "eval") or headers.get(_folder(each).parent) or {}
        scorers = _scorers(header)
        sample = Sample(
            id=text(first(each.value, "id")),
            data_set=text(first(header, "task")),
            system=named(first(header, "model") or first(each.value, "output.model")),
            text=_asked(first(each.value, "input")),
            scores=list(_scores(each.value.get("scores"), scorers)),
        )
        pairs.append((each, sample))
    if not pairs:
        raise SourceError(
            f"{names(each.source for each in given)}: the log has no samples; run the "
            "evaluation with `log_samples`, and read the whole log"
        )
    return pairs


def _folder(record: Record) -> Path:
    return (record.file or Path()).parent


def _scorers(header: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return the kind and the annotator of each scorer, by its key in samples."""
    taken: list[tuple[str, str, str]] = []
    given = header.get("scorers") if isinstance(header, dict) else None
    number = Counter[str]()
    for each in given if isinstance(given, list) else ():
        kind = str(first(each, "name")).rpartition("/")[2]
        model = first(each, "options.model")
        if kind.startswith(_GRADED):
            model = model or first(header, "model_roles.grader", "model")
        key = f"{kind}{number[kind] or ''}"
        taken.append((key, kind, judge(kind, model)))
        number[kind] += 1
    alike = Counter(who for _, _, who in taken)
    return {
        key: (kind, who if alike[who] == 1 else who.replace(kind, key, 1))
        for key, kind, who in taken
    }


def _scores(given: object, scorers: Mapping[str, tuple[str, str]]) -> Iterator[Score]:
    for key, score in given.items() if isinstance(given, dict) else ():
        kind, who = scorers.get(key, (key, key))
        value = first(score, "value")
        if isinstance(value, dict):
            for name, part in value.items():
                yield Score(f"{kind}.{name}", who, part)
        else:
            yield Score(kind, who, value)


def _asked(given: object) -> str | None:
    """Return what a sample asks: a text, or the last message of a user."""
    if not isinstance(given, list):
        return None if isinstance(given, dict) else text(given)
    asked = [m for m in dig(given, "*") if first(m, "role") in {"user", None}]
    content = first(asked[-1], "content") if asked else None
    return content if isinstance(content, str) else None


TOOL = Tool(
    name="inspect",
    what="Inspect logs of evaluations (.eval, or JSON)",
    unit="scores",
    files="log files",
    load=parts("samples", word="sample"),
    prepare=samples(_samples, together="value"),
    is_one=lambda probe: bool(probe.record),
    layouts=[LAYOUT],
)
