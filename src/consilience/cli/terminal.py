"""The frame of a command: help, where it prints, JSON, its place on disk, signals.

**Help pages** show every option, or those of reading alone, and examples that run. The
options that say how files are read are many, and seldom needed: the page of a command
names their number, and `--help-reading` shows them.

**Signals that end the program, handled also where Python drops what they raise.**
Ctrl-C, the TERM that `kill` and schedulers send, and the HUP of a terminal that closes
all clear up in the same way. Python drops an exception that is raised in a finaliser or
in a callback of C; such a signal is raised again.
"""

import json
import logging
import re
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, fields, is_dataclass
from inspect import getdoc
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App
from rich.console import Console as RichConsole
from rich.console import ConsoleOptions
from rich.default_styles import DEFAULT_STYLES
from rich.style import Style
from rich.theme import Theme

from consilience.cli.options import READING, command_of
from consilience.console import VERBOSITY, Console, PipeConsole, Verbosity
from consilience.errors import FolderExistsError
from consilience.visible import escape_json, visible
from consilience.whole_folder import check_writable, clean_path

if TYPE_CHECKING:
    import pandas as pd
    from cyclopts.help import HelpPanel
    from cyclopts.help.formatters import DefaultFormatter

    from consilience.comparisons import Ranking
    from consilience.posterior import Fit

AGAIN = 1.0  # seconds after which an unhandled interrupt is raised again
SOON = 0.01  # the same, where Python has just said that it drops one
_ENDING = ("SIGINT", "SIGTERM", "SIGHUP")  # as far as the system has them
_ALL, _NOTHING, _STRICT = ("--verbose", "-v"), ("--quiet", "-q"), "--strict"
STRICT = 3  # the exit code where a check failed and --strict was given
# The checks of the fits whose numbers a command gives, each by its name where what
# they say is yet to be said; and whether a failed one is an error.
_JUDGED: ContextVar[list[tuple[str | None, "pd.DataFrame"]]] = ContextVar("judged")
_IS_STRICT: ContextVar[bool] = ContextVar("strict", default=False)


def screen(*, as_json: bool) -> Console:
    """Return where people read: standard output, or standard error beside JSON."""
    return Console(stderr=as_json)


def finish(
    show: Console,
    result: Mapping[str, Any],
    *following: str | Path,
    written: Path | None = None,
    also: Sequence[Sequence[str | Path]] = (),
) -> None:
    """Say what was written and which commands usually follow, or print the result."""
    lines = _judgements(show)
    if written is not None:
        show.print(f"written to {written}", soft_wrap=True)
    if show.stderr:  # a program reads, which knows what follows
        print_json({**result, **({"trust": lines} if lines else {})})
        _leave_if_failed()
        return
    beside = screen(as_json=True)
    commands = [words for words in (following, *also) if words]
    for head, words in zip(("next:", *["     "] * len(also)), commands, strict=False):
        command = shlex.join(["consilience", *map(str, words)])
        beside.print(f"{head} {command}", style="dim", soft_wrap=True)
    _leave_if_failed()


def judge(fitted: "Fit | Ranking", name: str | Path | None) -> None:
    """Keep the checks of a fit, whose numbers a command gives; None: they are said."""
    judged = _JUDGED.get(None)
    if judged is not None:
        judged.append((None if name is None else str(name), fitted.diagnostics()))


def _judgements(show: Console) -> dict[str, str]:
    """Say of each fit whether to trust it, where that is not said yet."""
    judged = {name: checks for name, checks in _JUDGED.get([]) if name}
    if not judged:
        return {}
    from consilience.cli.pages import trust_line

    lines = {name: trust_line(checks) for name, checks in judged.items()}
    for name, line in lines.items():
        show.print(name if len(lines) > 1 else "", line, sep=": " * (len(lines) > 1))
    return {name: line.plain for name, line in lines.items()}


def _leave_if_failed() -> None:
    """End with an exit code of its own where a check failed and that is asked for."""
    judged = _JUDGED.get([])
    if not (_IS_STRICT.get() and judged):
        return
    from consilience.posterior.trust import is_sound

    if not all(is_sound(checks) for _, checks in judged):
        sys.exit(STRICT)


def print_json(result: Mapping[str, Any]) -> None:
    """Print one JSON object on standard output; what is not finite becomes null."""
    text = json.dumps(
        plain(result), default=rows, ensure_ascii=False, allow_nan=False, indent=2
    )
    sys.stdout.write(escape_json(text) + "\n")


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: records by field, paths as text, no NaN."""
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not isfinite(value):
        return None
    return value


def rows(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return a table as one object per row."""
    return json.loads(table.to_json(orient="records", double_precision=15))


def check_free(folder: Path | None, *, marker: str | None, overwrite: bool) -> None:
    """Refuse a place that is taken, or cannot be written, before any work is done.

    A folder that does not hold the marker is never replaced; None: a file is written.
    """
    if folder is None:
        return
    clean_path(folder)
    if folder.exists() or folder.is_symlink():
        if marker is None and folder.is_dir():
            raise FolderExistsError(
                f"{folder}: is a folder; choose another name for --out"
            )
        if marker is not None and not (folder / marker).is_file():
            raise FolderExistsError(
                f"{folder}: already exists and holds no {marker}, so it is not "
                "replaced; choose another name for --out"
            )
        if not overwrite:
            raise FolderExistsError(
                f"{folder}: already exists; choose another name for --out, or pass "
                "--overwrite to replace it"
            )
    check_writable(folder)


class Interrupted(KeyboardInterrupt):
    """A signal ends the program."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = number


@contextmanager
def handle_interrupts() -> Iterator[None]:
    """Raise an interrupt until it is on its way out, however often it is dropped.

    A signal that another handler is in place for, or that is ignored, is left alone.
    """
    usual = (signal.SIG_DFL, signal.default_int_handler)
    signals = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    ours = [number for number in signals if signal.getsignal(number) in usual]
    if threading.current_thread() is not threading.main_thread() or not ours:
        yield
        return
    timed = hasattr(signal, "setitimer")
    received: list[int] = []

    def interrupt(number: int, _: object) -> None:
        if number in ours:
            received.append(number)
        if timed:
            signal.setitimer(signal.ITIMER_REAL, AGAIN)
        # While one is on its way, what it leaves is being cleared up: let it.
        if received and not isinstance(sys.exc_info()[1], KeyboardInterrupt):
            raise Interrupted(received[0])

    report = sys.unraisablehook

    def report_dropped(what: "sys.UnraisableHookArgs") -> None:
        if timed and issubclass(what.exc_type, KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, SOON)
        else:
            report(what)

    alarm = (signal.SIGALRM,) if timed else ()
    before = {number: signal.signal(number, interrupt) for number in (*alarm, *ours)}
    sys.unraisablehook = report_dropped
    try:
        yield
    finally:
        if timed:
            signal.setitimer(signal.ITIMER_REAL, 0)
        sys.unraisablehook = report
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def tell(words: Sequence[str]) -> Iterator[list[str]]:
    """Take the flags of all commands that stand before `--`; give the other words."""
    end = words.index("--") if "--" in words else len(words)
    every = (*_ALL, *_NOTHING, _STRICT)
    flags = {word for word in words[:end] if word in every}
    rest = [word for word in words[:end] if word not in flags] + [*words[end:]]
    strict, judged = _IS_STRICT.set(_STRICT in flags), _JUDGED.set([])
    flags -= {_STRICT}
    spoken: Verbosity = (
        "nothing" if flags & {*_NOTHING} else "all" if flags else "what matters"
    )
    before = VERBOSITY.set(spoken)
    try:
        with logged() if spoken == "all" else nullcontext():
            yield rest
    finally:
        VERBOSITY.reset(before)
        _IS_STRICT.reset(strict)
        _JUDGED.reset(judged)


@contextmanager
def logged() -> Iterator[None]:
    """Log to standard error while the context lasts."""
    log, handler = logging.getLogger("consilience"), logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Visible("%(asctime)s %(name)s: %(message)s", "%H:%M:%S"))
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


class _Visible(logging.Formatter):
    """Show characters that steer a terminal instead of sending them."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


HELP, HELP_READING = ("--help", "-h"), "--help-reading"


@dataclass(frozen=True, slots=True)
class Panels:
    """Draw a help page: the library's own, save the options of reading."""

    usual: "DefaultFormatter"
    reading: bool

    def __call__(
        self, console: RichConsole, options: ConsoleOptions, panel: "HelpPanel"
    ) -> None:
        """Draw one panel, or the line that stands for it."""
        if (panel.title == READING) == self.reading:
            self.usual(console, options, panel)
        elif panel.title == READING:
            number = len(panel.entries)
            console.print(f"{number} options say how files are read: {HELP_READING}.")

    def render_usage(
        self, console: RichConsole, options: ConsoleOptions, usage: Any
    ) -> None:
        """Draw the line of usage."""
        self.usual.render_usage(console, options, usage)


def shows_help(app: App, words: Sequence[str], notes: str) -> bool:
    """Print the help page that words ask for, and say whether they ask for one."""
    before = list(words[: words.index("--")] if "--" in words else words)
    at, number = command_of(before, app)
    command, name = at.default_command, " ".join(before[:number])
    whole = command is None and number == len(before)  # a group of commands
    asked = whole or bool({*HELP, HELP_READING} & {*before})
    if not asked or (not number and before and before[0] not in {*app, HELP_READING}):
        return False
    from cyclopts.help.formatters import DefaultFormatter

    show = Console(stderr=False)
    reading = command is not None and HELP_READING in before
    app.help_formatter = Panels(DefaultFormatter(), reading)
    if command is None:
        at.resolved_commands()  # loads them: their first lines are shown
    app.help_print(before[:number], console=_console())
    if command is None:
        show.print(f"\n{notes}")
        return True
    if HELP_READING not in before:
        show.print("\nExamples", style="bold")
        for line in examples(command):
            show.print(f"  {line}", soft_wrap=True)
    elif "reading" not in command.__annotations__:
        show.print(f"{name} reads no responses.")
    return True


def _console() -> RichConsole:
    """Return a console whose colours suit dark and light backgrounds."""
    # Code is blue on black by default, in every theme that is made of the default.
    DEFAULT_STYLES["markdown.code"] = Style(bold=True)
    dim = dict.fromkeys(("cyclopts.choices", "cyclopts.default"), "dim")
    theme = Theme({"cyclopts.name": "color(31)", **dim})
    return PipeConsole(theme=theme, highlight=False)


def examples(command: Callable[..., Any]) -> list[str]:
    """Return the examples of a command; indented lines continue the one before."""
    text = (getdoc(command) or "").partition("Examples\n--------\n")[2]
    return [" ".join(one.split()) for one in re.split(r"\n(?! )", text) if one]
