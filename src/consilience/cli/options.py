"""Options that several commands share: stated once, with their help."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from consilience.cli.lists import is_table
from consilience.errors import KindError, OptionError
from consilience.inference import engines
from consilience.inference.options import EngineOptions
from consilience.responses.options import (
    MISSING,
    Columns,
    Kind,
    ReadOptions,
    Repeats,
)

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


@Parameter(name="*", group=READING)
@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How an export is to be read: `Columns` and `ReadOptions` in words."""

    format: str | None = None
    kind: Kind | None = None
    question: str | None = None
    item: str | None = None
    annotator: str | None = None
    label: str | None = None
    answer: str | None = None
    n: Annotated[str | None, Parameter(name="--n")] = None
    object: str | None = None
    main: str | None = None
    response_id: str | None = None
    selected: str | None = None
    gold_column: str | None = None
    labels: Several = ()
    label_column: str | None = None
    offered: Several = ()
    items: Path | None = None
    repeats: Repeats = "keep"
    answers: Several = ()
    missing: Several = ()
    separator: str | None = None
    encoding: str | None = None
    header: Annotated[bool, Parameter(negative="--no-header", show_default=False)] = (
        True
    )
    sheet: str | None = None
    query: str | None = None
    statuses: Several = ()
    extras: Several = ()
    annotators: Several = ()
    exclude: Several = ()
    split: str | None = None
    one_hot: Several = ()
    fold_case: Flag = False
    normalize: Flag = False


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
    given: dict[str, Any] = {
        field.name: getattr(reading, field.name) for field in fields(reading)
    }
    del given["format"]
    columns = {"gold": given.pop("gold_column")}
    for field in fields(Columns):
        if field.name in given:
            columns[field.name] = given.pop(field.name)
    given |= {
        "gold": gold,
        "labels": _list_or_file(reading.labels),
        "offered": _list_or_file(reading.offered),
        "answers": dict(pairs(reading.answers, "answers")),
        "missing": (*MISSING, *reading.missing),
        "statuses": reading.statuses or None,
    }
    return ReadOptions(columns=Columns(**columns), **given)


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
