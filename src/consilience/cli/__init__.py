"""The command line: parse, call, print.

A person's mistake is answered with one sentence on standard error and exit code 2, a
defect of the program with its traceback and exit code 1, Ctrl-C with exit code 130.
What is heavy is imported by the command that needs it, so that `--help` answers at
once.
"""

import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Parameter
from cyclopts.config import Env, Toml

from consilience.cli import (
    agreement,
    benchmark,
    candidates,
    classify,
    contains,
    demo,
    evaluate,
    fit,
    models,
    predict,
    report,
    responses,
    runs,
    sbc,
    simulate,
)
from consilience.cli.interrupt import heeded
from consilience.errors import ConsilienceError

__all__ = ["main"]

_EPILOGUE = (
    "Every option can also be set in the file consilience.toml of the working folder "
    '(engine = "em" under [fit]) and in the environment (CONSILIENCE_FIT_ENGINE); the '
    "command line wins, then the environment. Every command explains itself: "
    "consilience COMMAND --help."
)


def _version() -> str:
    from importlib.metadata import version

    return version("consilience")


APP = App(
    name="consilience",
    help="Weigh what annotators say into what is true, with uncertainty.",
    help_epilogue=_EPILOGUE,
    version=_version,
    config=[Env("CONSILIENCE_", show=False), Toml("consilience.toml")],
    default_parameter=Parameter(negative=()),
    suppress_keyboard_interrupt=False,
    print_error=False,
    exit_on_error=False,
    result_action="return_value",
)
for _command in (
    demo.demo,
    responses.read,
    responses.describe,
    agreement.agreement,
    fit.fit,
    predict.predict,
    models.models,
    runs.export,
    runs.score,
    evaluate.evaluate,
    contains.filtering,
    contains.decide,
    contains.leading_question,
    report.report,
    benchmark.benchmark,
    classify.classify,
    candidates.candidates,
    simulate.simulate,
    sbc.sbc,
):
    APP.command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Parameters
    ----------
    arguments
        What stands after the program's name; None: what it was started with.
    """
    try:
        with heeded():
            APP(arguments)
        sys.stdout.flush()
    except (ConsilienceError, CycloptsError) as error:
        _fail(" ".join(str(error).split()), 2)
    except KeyboardInterrupt:
        _fail("interrupted; nothing was left half-written", 130)
    except PermissionError as error:
        _fail(f"{error.filename}: permission denied; choose another place", 2)
    except BrokenPipeError:
        # Whoever read our output (`| head`) has had enough: no defect, nothing to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _fail(sentence: str, code: int) -> None:
    sys.stderr.write(f"consilience: {sentence}\n")
    sys.exit(code)
