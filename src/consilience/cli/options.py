"""Options that several commands share: stated once, with their help."""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import field, fields, make_dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from consilience.cli.lists import is_table
from consilience.errors import KindError, OptionError
from consilience.inference import engines
from consilience.inference.options import EngineOptions
from consilience.responses import options
from consilience.responses.options import COLUMNS, ReadOptions

if TYPE_CHECKING:
    import pandas as pd

    from consilience.posterior import Fit
    from consilience.responses import Responses

    type Engine = str
else:
    Engine = Literal["auto", *engines.names()]

# Their defaults, no and none, go without saying.
Flag = Annotated[bool, Parameter(show_default=False)]
Several = Annotated[tuple[str, ...], Parameter(show_default=False)]
Json = Annotated[bool, Parameter(show_default=False, help="Print the result as JSON.")]
Overwrite = Annotated[
    bool, Parameter(show_default=False, help="Replace an earlier result.")
]
Prob = Annotated[float, Parameter(help="Probability of the intervals.")]
Run = Annotated[Path, Parameter(help="Folder of the run.")]
Seed = Annotated[int, Parameter(help="Seed of the random number generator.")]
Sources = Annotated[
    list[Path],
    Parameter(help="A folder of responses, or files of any readable format."),
]
Truth = Annotated[
    Literal["raw", "tempered"] | None,
    Parameter(
        help="Which posterior of the truth: raw, as the model has it, or tempered, as "
        "if of fewer answers where errors of annotators are correlated; by default the "
        "one that the run reports."
    ),
]
Work = Annotated[EngineOptions, Parameter(name="*", group="Effort")]
READING = "Reading"  # the group of options that `--help-reading` shows
# Options that a command line gives otherwise than `read` does; () stands for None.
_GIVEN = {
    "n": Annotated[str | None, Parameter(name="--n")],
    "header": Annotated[bool, Parameter(negative="--no-header", show_default=False)],
    "items": Path | None,
    **dict.fromkeys(("labels", "offered", "answers", "missing", "statuses"), Several),
}
# What the columns hold that options name.
ROLES = {
    "item": "item",
    "annotator": "annotator",
    "label": "label",
    "answer": "answers yes, maybe or no",
    "n": "number of times that an answer was given",
    "object": "number of the object that a label names",
    "main": "mark of the main label",
    "response_id": "id of the response that a row belongs to",
    "selected": "mark of the labels that were selected",
    "gold_column": "true label",
}
_KINDS: dict[Any, Any] = {bool: Flag, tuple[str, ...]: Several}


def _options() -> Iterator[tuple[str, Any, Any]]:
    """Give name, type and default of each option of `Columns` and `ReadOptions`."""
    yield "format", str | None, None
    for each in fields(ReadOptions):
        if each.name == "columns":
            yield from ((name, _GIVEN.get(name, str | None), None) for name in COLUMNS)
        elif each.name != "gold":
            kind = _GIVEN.get(each.name) or _KINDS.get(each.type, each.type)
            yield each.name, kind, () if kind is Several else each.default


def _help() -> dict[str, str]:
    """Return what the docstring of `read` says of each option; nothing is imported."""
    source = Path(options.__file__).with_name("reading.py").read_text(encoding="utf-8")
    functions = (n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef))
    text = next(ast.get_docstring(n) or "" for n in functions if n.name == "read")
    listed = text.partition("Parameters\n----------\n")[2].partition("\n\n")[0]
    words: dict[str, str] = {}
    for names, lines in re.findall(r"(?m)^(\w.*?) : .*\n((?:    .*\n?)+)", listed):
        text = " ".join(lines.replace("`", "").replace("<", "\\<").split())
        words |= dict.fromkeys(names.split(", "), text.removesuffix(' Default "keep".'))
    roles = {name: f"Column of the {role}." for name, role in ROLES.items()}
    return words | roles


if TYPE_CHECKING:
    Reading = SimpleNamespace
else:
    _HELP = _help()
    _FIELDS = [
        (name, Annotated[kind, Parameter(help=_HELP[name])], field(default=first))
        for name, kind, first in _options()
    ]
    Reading = make_dataclass("Reading", _FIELDS, frozen=True, kw_only=True)
    Reading = Parameter(name="*", group=READING)(Reading)
READ_AS_IT_IS = Reading()
WORK_AS_USUAL = EngineOptions()
BOTH = {"contains", "objects"}  # two tasks that may be fitted together


def read_responses(
    sources: Sequence[Path],
    reading: Reading,
    gold: Path | None = None,
    *,
    both: bool = False,
) -> "Responses":
    """Read responses of one kind or, if they may be `both`, of objects and contains."""
    from consilience.responses import read_with

    responses = read_with(
        list(sources), read_options(reading, gold), format=reading.format
    )
    if len(responses.kinds) > 1 and not (both and set(responses.kinds) == BOTH):
        msg = (
            f"{sources[0]}: holds answers of the kinds {', '.join(responses.kinds)}; "
            "choose one with --kind"
        )
        raise KindError(msg)
    return responses


def read_options(reading: Reading, gold: Path | None = None) -> ReadOptions:
    """Return the reader's record for what was asked."""
    given = {
        "gold": gold,
        "labels": _list_or_file(reading.labels),
        "offered": _list_or_file(reading.offered),
        "answers": dict(pairs(reading.answers, "answers")),
        "statuses": reading.statuses or None,
    }
    every = {name: getattr(reading, name) for name, _, _ in _options()}
    return options.read_options(every | given)


def _list_or_file(given: tuple[str, ...]) -> list[str] | str | None:
    """One value that is, or looks like, a file names a file; others are labels."""
    if not given:
        return None
    return given[0] if len(given) == 1 and is_table(given[0]) else list(given)


def read_gold(gold: Path, reading: Reading = READ_AS_IT_IS) -> "pd.DataFrame":
    """Return a file of gold labels, whose columns may be named as the answers' are."""
    from consilience.responses.side_tables import gold_table

    return gold_table(gold, read_options(reading))


def load_run(run: Path, truth: Truth) -> "Fit":
    """Return a run with the posterior of the truth that was asked for."""
    from consilience.posterior import load

    return load(run).with_(truth=truth)


def numbers(settings: Sequence[str], option: str) -> dict[str, float]:
    """Return settings NAME=NUMBER by name."""
    values = {}
    for name, value in pairs(settings, option):
        try:
            values[name] = float(value)
        except ValueError:
            msg = f"--{option} {name}={value}: {value!r} is no number; give NAME=NUMBER"
            raise OptionError(msg) from None
    return values


def pairs(settings: Sequence[str], option: str) -> list[tuple[str, str]]:
    """Return settings NAME=VALUE as pairs."""
    parsed = []
    for setting in settings:
        name, equals, value = setting.rpartition("=")
        if not (name and equals and value):
            msg = f"--{option} {setting}: expected NAME=VALUE"
            raise OptionError(msg)
        parsed.append((name, value))
    return parsed
