"""promptfoo's results: ``eval --output`` as JSON, or as JSON lines.

A result is one provider's output to one test, graded by assertions. An assertion with a
`metric` answers the question of that name, others that of their type, numbered where a
test has several of one type about different things. Each passes or fails; the number
behind it is a question of its own. The system is the provider, with the prompt where
there are several.
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

_LONG = 60  # characters of a prompt that names itself


def _samples(given: list[Record]) -> list[tuple[Record, Sample]]:
    tests: dict[tuple[str | None, str], str] = {}
    prompts: dict[str, str] = {}
    pairs = []
    for each in given:
        prompt = _prompt(each.value)
        short = len(prompt) <= _LONG and "\n" not in prompt
        prompts.setdefault(prompt, prompt if short else f"prompt {len(prompts) + 1}")
    for each in given:
        result = each.value
        run = text(around(each, "evalId")) or str(each.source)
        asked = repr([first(result, path) for path in ("vars", "testCase.description")])
        number = text(first(result, "testIdx")) or str(len(tests))
        system = named(first(result, "provider"))
        if len(prompts) > 1:
            system = ", ".join(filter(None, (system, prompts[_prompt(result)])))
        sample = Sample(
            id=tests.setdefault((run, asked), number),  # repeats have numbers, too
            data_set=run,
            system=system,
            text=named(first(result, "prompt.raw")),
            scores=list(_scores(result)),
        )
        pairs.append((each, sample))
    return pairs


def _prompt(result: Mapping[str, Any]) -> str:
    return str(first(result, "prompt.label", "prompt.raw", "promptId"))


def _scores(result: Mapping[str, Any]) -> Iterator[Score]:
    default = first(result, "testCase.options.provider")
    about: dict[str, list[object]] = {}  # by type of assertion
    for part in _components(result):
        given = first(part, "assertion")
        kind = text(first(given, "type")) or "assertion"
        values = about.setdefault(kind, [])
        value = first(given, "value")
        values += [] if value in values else [value]
        number = values.index(value) + 1
        question = named(first(given, "metric"))
        question = question or (kind if number == 1 else f"{kind} {number}")
        failed = first(part, "metadata.graderError") is True
        is_graded = first(given, "provider") or (default if _asks(kind) else None)
        yield Score(
            question,
            judge(kind, is_graded),
            None if failed else first(part, "pass"),
            None if failed else first(part, "score"),
        )


def _components(result: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Give the results of assertions; those inside one or a set follow it."""
    inside = 0
    for part in dig(result, "gradingResult.componentResults.*"):
        inside -= 1
        if not isinstance(part, dict) or first(part, "assertion.metricOnly") is True:
            continue
        below = first(part, "componentResults")
        if isinstance(below, list) and first(part, "assertion") is None:
            continue
        if inside < 0:
            inside = len(below) if isinstance(below, list) else 0
            yield part


def _asks(kind: str) -> bool:
    """Say whether an assertion asks a model, which the options of a test may name."""
    kind = kind.removeprefix("not-")
    marks = ("rubric", "graded", "g-eval", "factuality", "context-", "relevance")
    return any(mark in kind for mark in marks)


TOOL = Tool(
    name="promptfoo",
    what="promptfoo results (JSON, or JSON lines)",
    unit="scores",
    files="JSON files",
    load=parts("results.results", "results", word="result"),
    prepare=samples(_samples, together="pass"),
    layouts=[LAYOUT],
)
