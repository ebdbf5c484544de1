"""Where text is printed for people: a console that nothing in the data can steer."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console as RichConsole
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from consilience.errors import as_options
from consilience.visible import visible


class Console(RichConsole):
    """Print labels and ids as they are, save characters that steer a terminal.

    Brackets and colons mean nothing in them.
    """

    def __init__(self, *, stderr: bool) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **more: Any) -> Text:
        """Return a message with options in place of arguments."""
        return super().render_str(as_options(text), **more)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Return the segments; all that is printed passes here."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else visible(text), style, control)
