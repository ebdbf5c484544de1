"""Options that several commands share: reading, and settings of engines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from consilience.cli.lists import is_table
from consilience.errors import KindError, OptionError, as_options
from consilience.responses.options import MISSING, Columns, ReadOptions

ENGINES = tuple(
    sorted(
        file.stem
        for file in (Path(__file__).parents[1] / "inference" / "engines").glob("*.py")
        if file.stem != "__init__"
    )
)
# The choices are read from the folder of engines, so that `--help` loads none of them.
if TYPE_CHECKING:
    type Engine = str
else:
    Engine = Literal["auto", *ENGINES]

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from consilience.console import Console
    from consilience.fitting import EngineOptions
    from consilience.responses import Responses

# Their defaults, no and none, go without saying.
Flag = Annotated[bool, Parameter(show_default=False)]
# Deprecated names are accepted until 0.3.
Prob = Annotated[float, Parameter(name=("--prob", "--mass"))]
Several = Annotated[tuple[str, ...], Parameter(show_default=False)]
READING = "Reading"  # the group of options that `--help-reading` shows


@Parameter(name="*", group=READING)
@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How an export is to be read."""

    format: str | None = None
    kind: Literal["choice", "contains", "objects"] | None = None
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
    repeats: Literal["keep", "all", "distinct", "first", "last", "drop", "error"] = (
        "keep"
    )
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


@Parameter(name="*", group="Effort")
@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Settings of the engine; what is left out has the engine's own default."""

    draws: int | None = None
    tune: int | None = None
    chains: int | None = None
    restarts: int | None = None
    tolerance: float | None = None
    sweeps: int | None = None
    steps: int | None = None
    batch: int | None = None
    prob: Prob = 0.9


READ_AS_IT_IS = Reading()
WORK_AS_USUAL = Work()
BOTH = {"contains", "objects"}  # two tasks that may be fitted together


def read_responses(
    sources: Sequence[Path],
    reading: Reading,
    gold: Path | None = None,
    *,
    both: bool = False,
) -> "Responses":
    """Read responses of one kind; or, if they may be `both`, of objects and contains.

    Raises
    ------
    KindError
        If there are several kinds.
    ConsilienceError
        If something cannot be read.
    """
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


def read_gold(gold: Path, reading: Reading) -> "pd.DataFrame":
    """Return a file of gold labels, whose columns may be named as the answers' are."""
    from consilience.responses.side_tables import gold_table

    return gold_table(gold, read_options(reading))


def print_account(show: "Console", responses: "Responses") -> None:
    """Print what was kept, dropped and assumed, then what was understood."""
    shown = with_options(responses)
    for line in shown.cleaning.account():
        show.print(line)
    for sentence in shown.assumptions:
        show.print(f"assumed: {sentence}")
    show.print(facts_table(shown.summary.facts()))
    print_warnings(show, responses)


def facts_table(facts: Mapping[str, str]) -> "Table":
    """Return facts side by side with their names; long ones are wrapped."""
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True)
    for name, value in facts.items():
        table.add_row(name, Text(value))
    return table


def print_warnings(show: "Console", responses: "Responses") -> None:
    """Print what looks wrong in the data."""
    for sentence in responses.cleaning.warnings:
        show.say(f"warning: {sentence}", style="color(130)")


def with_options(responses: "Responses") -> "Responses":
    """Return responses whose account names options in place of arguments."""
    account = responses.cleaning
    dropped = [
        replace(group, reason=as_options(group.reason)) for group in account.dropped
    ]
    cleaning = replace(
        account,
        dropped=tuple(dropped),
        notes=tuple(map(as_options, account.notes)),
        warnings=tuple(map(as_options, account.warnings)),
    )
    assumptions = tuple(map(as_options, responses.assumptions))
    return replace(responses, cleaning=cleaning, assumptions=assumptions)


def read_options(reading: Reading, gold: Path | None = None) -> ReadOptions:
    """Return the reader's record for what was asked."""
    columns = Columns(
        item=reading.item,
        annotator=reading.annotator,
        label=reading.label,
        answer=reading.answer,
        n=reading.n,
        object=reading.object,
        main=reading.main,
        response_id=reading.response_id,
        selected=reading.selected,
        gold=reading.gold_column,
    )
    return ReadOptions(
        kind=reading.kind,
        columns=columns,
        question=reading.question,
        offered=_list_or_file(reading.offered),
        labels=_list_or_file(reading.labels),
        label_column=reading.label_column,
        gold=gold,
        items=reading.items,
        repeats=reading.repeats,
        answers=dict(pairs(reading.answers, "answers")),
        missing=(*MISSING, *reading.missing),
        separator=reading.separator,
        encoding=reading.encoding,
        header=reading.header,
        sheet=reading.sheet,
        query=reading.query,
        statuses=reading.statuses or None,
        extras=reading.extras,
        annotators=reading.annotators,
        exclude=reading.exclude,
        split=reading.split,
        one_hot=reading.one_hot,
        fold_case=reading.fold_case,
        normalize=reading.normalize,
    )


def engine_options(work: Work) -> "EngineOptions":
    """Return the fit's record for what was asked."""
    from consilience.fitting import EngineOptions

    return EngineOptions(
        draws=work.draws,
        tune=work.tune,
        chains=work.chains,
        restarts=work.restarts,
        tolerance=work.tolerance,
        sweeps=work.sweeps,
        steps=work.steps,
        batch=work.batch,
        prob=work.prob,
    )


def numbers(settings: Sequence[str], option: str) -> dict[str, float]:
    """Return settings NAME=NUMBER by name.

    Raises
    ------
    OptionError
        If one is not of that form.
    """
    values = {}
    for name, value in pairs(settings, option):
        try:
            values[name] = float(value)
        except ValueError:
            msg = f"--{option} {name}={value}: {value!r} is no number; give NAME=NUMBER"
            raise OptionError(msg) from None
    return values


def pairs(settings: Sequence[str], option: str) -> list[tuple[str, str]]:
    """Return settings NAME=VALUE as pairs.

    Raises
    ------
    OptionError
        If one is not of that form.
    """
    parsed = []
    for setting in settings:
        name, equals, value = setting.rpartition("=")
        if not (name and equals and value):
            msg = f"--{option} {setting}: expected NAME=VALUE"
            raise OptionError(msg)
        parsed.append((name, value))
    return parsed


def _list_or_file(given: tuple[str, ...]) -> list[str] | str | None:
    """One value that is, or looks like, a file names a file; others are labels."""
    if not given:
        return None
    return given[0] if len(given) == 1 and is_table(given[0]) else list(given)
