"""What becomes of a fit on the command line: shown, summed up, written, judged."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any

from consilience.cli.options import Truth
from consilience.cli.terminal import judge, rows
from consilience.console import VERBOSITY, Console
from consilience.errors import CannotWriteError, FolderExistsError, as_options

if TYPE_CHECKING:
    from consilience.posterior import Fit


@contextmanager
def resumed(out: Path, show: Console | None = None) -> Iterator[Path]:
    """Give the folder of what is unfinished; say that, or how, it is gone on from."""
    unfinished = out.with_name(f"{out.name}.unfinished")
    if show is not None and unfinished.exists():
        show.print(f"goes on from what {unfinished} has of this fit", soft_wrap=True)
    try:
        yield unfinished
    except KeyboardInterrupt:
        if unfinished.exists():
            again = f"the same command goes on from what {unfinished} has of the fit"
            sys.stderr.write(f"consilience: {again}\n")
        raise


def print_fitted(show: Console, fitted: "Fit") -> None:
    """Print a fit, and whether to trust it: all with --verbose, else on one screen."""
    from consilience.cli.pages import fit_page, fit_summary

    judge(fitted, None)
    show.print((fit_page if VERBOSITY.get() == "all" else fit_summary)(fitted))


def load_run(run: Path, truth: Truth = None) -> "Fit":
    """Return a run with the posterior of the truth that was asked for."""
    from consilience.posterior import load

    fitted = load(run).with_(truth=truth)
    judge(fitted, run)
    return fitted


def is_run(folder: Path) -> bool:
    """Say whether a fit was written here."""
    return (folder / "run.toml").is_file()


def save(fitted: "Fit", out: Path, *, overwrite: bool) -> None:
    """Write a run; where its place refuses, beside other temporary files."""
    try:
        fitted.save(out, overwrite=overwrite)
    except (CannotWriteError, FolderExistsError) as error:
        spare = Path(gettempdir(), f"consilience-run-{token_hex(4)}")
        try:
            fitted.save(spare)
        except CannotWriteError:
            raise CannotWriteError(
                f"{error}; the fit is not kept: the same command with the same seed "
                "gives it again"
            ) from None
        raise type(error)(
            f"{error}; the fit is kept as {spare}: move it to its final place"
        ) from None


def summary(fitted: "Fit") -> dict[str, Any]:
    """Return what was fitted and how well it went, as JSON has it."""
    from consilience.posterior.annotators import skills
    from consilience.posterior.trust import counts, is_sound

    attributes, truth = fitted.data.attrs, fitted.data.children.get("truth")
    verdicts = fitted.diagnostics()
    return {
        "model": attributes["model"],
        "engine": attributes["engine"],
        "kind": attributes["kind"],
        "seed": attributes["seed"],
        "seconds": attributes["seconds"],
        "engine_reason": as_options(attributes["engine_reason"]),
        "items": len(fitted.items()),
        "annotators": len(skills(fitted.data)),
        "ok": is_sound(verdicts),
        "checks": counts(verdicts),
        "truth": "raw" if truth is None else truth.attrs.get("reported", "raw"),
        "comparison": rows(fitted.comparison()),
        "covariate_effects": rows(fitted.table("covariate_effects")),
        "relative_information": rows(fitted.table("relative_information")),
        "assumptions": [*map(as_options, json.loads(attributes["assumptions"]))],
        "diagnostics": rows(verdicts.assign(remedy=verdicts["remedy"].map(as_options))),
    }
