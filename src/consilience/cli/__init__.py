"""The command line: parse, call, print.

A person's mistake is answered with one sentence on standard error and exit code 2, a
defect of the program with its traceback and exit code 1, a signal with 128 and its
number (Ctrl-C: 130, TERM: 143). No character in the data steers the terminal.
What is heavy is imported by the command that needs it, so that `--help` answers at
once.
"""

import os
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from shutil import get_terminal_size
from textwrap import fill
from typing import NoReturn

from cyclopts import App, CycloptsError, Group, Parameter
from cyclopts.config import Toml

from consilience.cli.terminal import handle_interrupts, print_json, shows_help, tell
from consilience.errors import ConsilienceError, as_options
from consilience.visible import visible
from consilience.whole_folder import FULL

__all__ = ["main"]

_NOTES = (
    "Help on a command, with examples: consilience COMMAND --help. Every command "
    "takes --verbose (-v), which tells all and reports steps on standard error; "
    "--quiet (-q), which tells nothing but errors; and --strict, which ends with the "
    "exit code 3 where a check of a fit failed. With --json, errors are JSON as "
    "well. Every option can also be set in the file consilience.toml of the working "
    'folder (engine = "em" under [fit]); the command line wins. Lists: '
    "--labels cat dog, --labels cat,dog and --labels cat --labels dog mean the same; "
    "give labels that contain a comma in a file."
)


_PROGRAM = Group("Options", sort_key=10_000)
APP = App(
    name="consilience",
    group_commands=_PROGRAM,
    help="Infer true labels from the answers of annotators, with uncertainty.",
    version_flags=("--version", "-V"),
    config=Toml("consilience.toml"),
    # A file or label that begins with a bracket is not JSON.
    default_parameter=Parameter(negative=(), json_list=False, json_dict=False),
    suppress_keyboard_interrupt=False,
    print_error=False,
    exit_on_error=False,
    result_action="return_value",
)
_COMMANDS = {
    "Read answers": ("responses:read", "responses:describe", "agreement:agreement"),
    "Fit a model": ("fit:fit", "fit:predict", "models:models"),
    "Look at a run": (
        *("study:report", "runs:annotators", "runs:ratings", "runs:export"),
        *("judges:rate", "judges:judges"),
        "contains",
    ),
    "Compare": (
        *("runs:score", "evaluate:evaluate", "benchmark:benchmark"),
        "rank:rank",
    ),
    "Make a study": (*("study:study", "simulate:simulate", "simulate:demo"), "images"),
}
_SEVERAL = {
    "contains": (
        "Decide which labels are present, and see what decides it.",
        ("contains:decide", "contains:filtering", "contains:leading_question"),
    ),
    "images": (
        "Classify images, pool what is predicted into candidates, and write tasks.",
        (
            *("classify:classify", "candidates:candidates"),
            *("candidates:tasks", "classify:wrap"),
        ),
    ),
}
for _title, _places in _COMMANDS.items():
    _group = Group.create_ordered(_title)
    for _place in _places:
        if _place not in _SEVERAL:
            APP.command(f"consilience.cli.commands.{_place}", group=_group)
            continue
        _help, _inside = _SEVERAL[_place]
        _several = App(name=_place, help=_help, group=_group)
        for _one in _inside:
            _several.command(f"consilience.cli.commands.{_one}")
        APP.command(_several)
APP.register_install_completion_command(
    help="Let the shell complete commands and options (bash, zsh, fish).",
    group=_PROGRAM,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Parameters
    ----------
    arguments
        What stands after the program's name; None: what it was started with.
    """
    words = [*(sys.argv[1:] if arguments is None else arguments)]
    fail = partial(_fail, as_json="--json" in words)
    try:
        with handle_interrupts(), _visible_warnings(), tell(words) as words:
            if not shows_help(APP, words, _NOTES):
                # Standard input, written as the path that it is: no option begins so.
                APP(["./-" if word == "-" else word for word in words])
        sys.stdout.flush()
    except (ConsilienceError, CycloptsError) as error:
        fail(" ".join(str(error).split()), 2, error)
    except KeyboardInterrupt as stop:
        number = getattr(stop, "signal", signal.SIGINT)
        fail("interrupted; no partial output was left", 128 + number, stop)
    except PermissionError as error:
        fail(f"{error.filename}: permission denied; choose another place", 2, error)
    except BrokenPipeError:
        # Whoever read our output (`| head`) has had enough: no defect, nothing to say.
        _drop_output()
        sys.exit(0)
    except OSError as error:
        if error.errno not in FULL:
            _defect()
        _drop_output()
        sentence = f"the output cannot be written ({os.strerror(error.errno)})"
        _fail(sentence, 2, error, as_json=False)
    except Exception:  # noqa: BLE001 (shown whole)
        _defect()


def _fail(sentence: str, code: int, error: BaseException, *, as_json: bool) -> NoReturn:
    """Say what is wrong on standard error, and as JSON on standard output if asked."""
    sentence = visible(as_options(sentence))
    message = f"consilience: {sentence}"
    if sys.stderr.isatty():
        width = get_terminal_size().columns
        message = fill(message, width, break_long_words=False, break_on_hyphens=False)
    sys.stderr.write(f"{message}\n")
    if as_json:
        kind = type(error).__name__
        print_json({"error": {"type": kind, "message": sentence, "exit_code": code}})
        sys.stdout.flush()
    sys.exit(code)


def _defect() -> NoReturn:
    sys.stderr.write(visible(traceback.format_exc()))
    sys.exit(1)


def _drop_output() -> None:
    """Let what is still to be printed go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _visible_warnings() -> Iterator[None]:
    usual = warnings.formatwarning
    warnings.formatwarning = lambda *args, **more: visible(
        as_options(usual(*args, **more))
    )
    try:
        yield
    finally:
        warnings.formatwarning = usual
