"""Progress of long computations: what is reported, a bar that shows it, and the log.

An engine calls its reporter after every compiled block. On a terminal the bar is drawn
in place; elsewhere, in a notebook too, a plain line says that a phase has ended, and
every ten seconds how far it has come. Both say how much time is left if it goes on as
it did.

**The log** is silent, unless the caller lets it speak
(`logging.basicConfig(level="INFO")`). What is fitted by which engine and how long it
took is logged at the level INFO; phases and convergence at DEBUG.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from consilience.errors import OptionError, not_a

logger = logging.getLogger("consilience")
logger.addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a phase has come."""

    phase: str
    done: int
    total: int
    note: str = ""

    def sentence(self) -> str:
        """Return it in words."""
        far = f"{self.done:,} of {self.total:,}" if self.done < self.total else "done"
        return f"{self.phase}: {far} {self.note}".rstrip()


_OFTEN = 10.0  # seconds between two lines about a phase
_WIDE = 80  # columns of the terminal that have room for all that a bar tells

type Reporter = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """Report nothing."""
    del progress


@contextmanager
def reporter(progress: bool | Reporter) -> Iterator[Reporter]:  # noqa: FBT001 (as the caller of `fit` has it)
    """Return the reporter of progress: none, a bar, or the caller's own.

    Phases are logged, whether they are shown or not.
    """
    if not isinstance(progress, bool) and not callable(progress):
        raise OptionError(not_a("progress", progress, "True, False or a function"))
    if isinstance(progress, bool) and progress:
        with bar() as report:
            yield _logged(report)
    else:
        yield _logged(silent if isinstance(progress, bool) else progress)


def _logged(report: Reporter) -> Reporter:
    phases: set[str] = set()

    def tell(progress: Progress) -> None:
        if progress.phase not in phases or progress.done >= progress.total:
            phases.add(progress.phase)
            logger.debug("%s", progress.sentence())
        report(progress)

    return tell


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
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar  # noqa: PLC0415
    from rich.table import Column  # noqa: PLC0415

    wide = console.width >= _WIDE
    # What is left for the name of the phase and for notes, which alone are cut.
    room = console.width - (56 if wide else 38)
    cut = Column(no_wrap=True, overflow="ellipsis", max_width=max(room // 2, 8))
    columns = (
        TextColumn("{task.description}", markup=False, table_column=cut),
        BarColumn(bar_width=20 if wide else 10),
        MofNCompleteColumn(),
        *((TimeElapsedColumn(),) * wide),
        TimeRemainingColumn(compact=True),
        TextColumn("left", style="dim"),
        TextColumn("{task.fields[note]}", markup=False, table_column=cut.copy()),
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


def duration(seconds: float) -> str:
    """Return a duration in words, as roughly as it is known."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _line_printer(write: Callable[[str], None]) -> Reporter:
    starts: dict[str, tuple[float, int]] = {}
    latest: dict[str, int] = {}
    last: dict[str, float] = {}
    closed: set[str] = set()  # phases whose last line says that they have ended

    def report(progress: Progress) -> None:
        # What was done when a phase was first reported was done before, such as the
        # work of an earlier run or compiling: it says nothing of the pace.
        now, phase = time.monotonic(), progress.phase
        if progress.done < latest.get(phase, 0):  # the next part of one phase
            starts.pop(phase)
        latest[phase] = progress.done
        start, before = starts.setdefault(phase, (now, progress.done))
        ended = progress.done >= progress.total
        late = now - last.setdefault(phase, now) >= _OFTEN
        if phase in closed if ended else not late:
            return
        last[phase], left = now, ""
        (closed.add if ended else closed.discard)(phase)
        if before < progress.done < progress.total:
            pace = (now - start) / (progress.done - before)
            rest = duration(pace * (progress.total - progress.done))
            left = f", about {rest} left"
        write(progress.sentence() + left)

    return report
