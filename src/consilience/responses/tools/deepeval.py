"""DeepEval's test runs: test cases with the data of their metrics, as JSON.

A metric passes or fails a test case; the score behind it is a question of its own. The
system is the model among the hyperparameters of the run, else the run's identifier; of
several runs that say neither, the name of the file.
"""

from collections.abc import Iterator, Mapping
from typing import Any

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
from consilience.responses.tools.records import Record, dig, first, text
from consilience.responses.tools.tool import Tool

_RUN = ("", "testRunData.")  # a run, or in the file of the latest one
_MODEL = ("hyperparameters.model", "identifier")
_ASKED = ("input", "scenario")


def _samples(given: list[Record]) -> list[tuple[Record, Sample]]:
    files = {each.file for each in given}
    asked: dict[tuple[object, str | None], set[str]] = {}
    for each in given:
        key = (each.file, text(first(each.value, "name")))
        asked.setdefault(key, set()).add(str(first(each.value, *_ASKED)))
    pairs = []
    for each in given:
        case = each.value
        name = text(first(case, "name"))
        if len(asked[each.file, name]) > 1 or name is None:  # one name for several
            parts = (name, text(first(case, "order")))
            name = " ".join(filter(None, parts)) or None
        paths = [run + path for path in _MODEL for run in _RUN]
        system = next(filter(None, (named(around(each, p)) for p in paths)), None)
        if system is None and len(files) > 1 and each.file:
            system = each.file.stem
        sample = Sample(
            id=name,
            system=system,
            text=named(first(case, *_ASKED)),
            scores=list(_scores(case)),
        )
        pairs.append((each, sample))
    return pairs


def _scores(case: Mapping[str, Any]) -> Iterator[Score]:
    """Give the verdicts of metrics; one that failed itself has none."""
    for each in dig(case, "metricsData.*"):
        name = text(first(each, "name"))
        if name is not None:
            error = first(each, "error") is not None
            verdict, score = first(each, "success"), first(each, "score")
            yield Score(
                name,
                judge(name, first(each, "evaluationModel")),
                None if error else verdict,
                None if error else score,
            )


TOOL = Tool(
    name="deepeval",
    what="DeepEval test runs (JSON)",
    unit="scores",
    files="JSON files",
    load=parts(
        *(
            f"{run}{key}"
            for run in _RUN
            for key in ("testCases", "conversationalTestCases")
        ),
        word="test case",
    ),
    prepare=samples(_samples, together="success"),
    layouts=[LAYOUT],
)
