"""The console: prints text in which nothing from the data is interpreted."""

import os
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any, Literal

from rich.console import Console as RichConsole
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.status import Status
from rich.text import Text

from consilience.errors import as_options
from consilience.visible import visible

_FILE_WIDTH = 10_000
# How much a command tells: with --quiet, by default, with --verbose.
type Verbosity = Literal["nothing", "what matters", "all"]
VERBOSITY: ContextVar[Verbosity] = ContextVar("VERBOSITY", default="what matters")


class PipeConsole(RichConsole):
    """A console that lets the command line end where nobody reads any more."""

    def on_broken_pipe(self) -> None:
        """Leave it to the command line: whoever reads has had enough."""
        raise BrokenPipeError


class Console(PipeConsole):
    """Print labels and ids as they are, save characters that steer a terminal.

    Brackets and colons mean nothing in them.
    """

    def __init__(self, *, stderr: bool) -> None:
        quiet = VERBOSITY.get() == "nothing"
        super().__init__(
            stderr=stderr, markup=False, emoji=False, highlight=False, quiet=quiet
        )
        if not self.is_terminal and "COLUMNS" not in os.environ:
            self.width = _FILE_WIDTH  # tables in a file or a pipe are whole

    def say(self, message: str, *, style: str = "") -> None:
        """Print a message of this program, with options in place of arguments."""
        self.print(as_options(message), style=style)

    def status(self, status: RenderableType, **more: Any) -> Status:
        """Show what is being done; rich takes brackets in text for styles here."""
        text = Text(status) if isinstance(status, str) else status
        return super().status(text, **more)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Return the segments; all that is printed passes here."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else visible(text), style, control)
