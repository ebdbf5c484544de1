"""Progress of long computations: what is reported, and a bar that shows it.

An engine calls its reporter after every compiled block. On a terminal the bar is drawn
in place; elsewhere a plain line is printed each tenth of the way.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a phase has come.

    Attributes
    ----------
    phase
        What is being done: "sampling", say.
    done, total
        Steps done and steps in all.
    note
        Further information: speed, divergences, worst R-hat.
    """

    phase: str
    done: int
    total: int
    note: str = ""

    def sentence(self) -> str:
        """Return it in words."""
        return f"{self.phase}: {self.done:,} of {self.total:,} {self.note}".rstrip()


type Reporter = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """Report nothing."""
    del progress


@contextmanager
def bar() -> Iterator[Reporter]:
    """Show progress on standard error while the context lasts."""
    from consilience.console import Console  # noqa: PLC0415 (only where a bar is shown)

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _line_printer(console.print)
        return
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.progress import Progress as Bar  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Bar(*columns, console=console, transient=True) as drawn:
        tasks = {}

        def report(progress: Progress) -> None:
            if progress.phase not in tasks:
                tasks[progress.phase] = drawn.add_task(progress.phase, note="")
            drawn.update(
                tasks[progress.phase],
                completed=progress.done,
                total=progress.total,
                note=progress.note,
            )

        yield report


def _line_printer(write: Callable[[str], None]) -> Reporter:
    last: dict[str, int] = {}

    def report(progress: Progress) -> None:
        tenth = 10 * progress.done // max(progress.total, 1)
        if tenth > last.get(progress.phase, 0):
            last[progress.phase] = tenth
            write(
                f"{progress.phase}: {progress.done} of {progress.total} {progress.note}"
            )

    return report
