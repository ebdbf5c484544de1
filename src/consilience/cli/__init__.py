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

from consilience.cli.agreement import agreement
from consilience.cli.benchmark import benchmark
from consilience.cli.candidates import candidates
from consilience.cli.classify import classify
from consilience.cli.contains import decide, filtering, leading_question
from consilience.cli.demo import demo
from consilience.cli.evaluate import evaluate
from consilience.cli.fit import fit
from consilience.cli.interrupt import heeded
from consilience.cli.models import models
from consilience.cli.predict import predict
from consilience.cli.report import report
from consilience.cli.responses import describe, read
from consilience.cli.runs import export, score
from consilience.cli.sbc import sbc
from consilience.cli.simulate import simulate
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
    demo,
    read,
    describe,
    agreement,
    fit,
    predict,
    models,
    export,
    score,
    evaluate,
    filtering,
    decide,
    leading_question,
    report,
    benchmark,
    classify,
    candidates,
    simulate,
    sbc,
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
