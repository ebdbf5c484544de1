"""The help pages: every option, or those of reading alone, and examples that run.

The options that say how files are read are many, and seldom needed: the page of a
command names their number, and `--help-reading` shows them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import getdoc
from typing import TYPE_CHECKING, Any

from consilience.cli.options import READING

if TYPE_CHECKING:
    from cyclopts import App
    from cyclopts.help import HelpPanel
    from cyclopts.help.formatters import DefaultFormatter
    from rich.console import Console, ConsoleOptions

HELP, HELP_READING = ("--help", "-h"), "--help-reading"


@dataclass(frozen=True, slots=True)
class Panels:
    """Draw a help page: the library's own, save the options of reading."""

    usual: "DefaultFormatter"
    reading: bool

    def __call__(
        self, console: "Console", options: "ConsoleOptions", panel: "HelpPanel"
    ) -> None:
        """Draw one panel, or the line that stands for it."""
        if (panel.title == READING) == self.reading:
            self.usual(console, options, panel)
        elif panel.title == READING:
            number = len(panel.entries)
            console.print(f"{number} options say how files are read: {HELP_READING}.")

    def render_usage(
        self, console: "Console", options: "ConsoleOptions", usage: Any
    ) -> None:
        """Draw the line of usage."""
        self.usual.render_usage(console, options, usage)


def shows_help(app: "App", words: Sequence[str], notes: str) -> bool:
    """Print the help page that words ask for, and say whether they ask for one."""
    before = list(words[: words.index("--")] if "--" in words else words)
    asked = not before or bool({*HELP, HELP_READING} & {*before})
    name = before[0] if before else HELP[0]
    if not asked or name not in {*app, HELP_READING}:
        return False
    from cyclopts.help.formatters import DefaultFormatter

    from consilience.console import Console

    show = Console(stderr=False)
    command = None if name.startswith("-") else app[name].default_command
    reading = command is not None and HELP_READING in before
    app.help_formatter = Panels(DefaultFormatter(), reading)
    if command is None:
        app.resolved_commands()  # loads them: their first lines are shown
        app.help_print([], console=_console())
        show.print(f"\n{notes}")
        return True
    app.help_print([name], console=_console())
    if HELP_READING not in before:
        show.print("\nExamples", style="bold")
        for line in examples(command):
            show.print(f"  {line}", soft_wrap=True)
    elif "reading" not in command.__annotations__:
        show.print(f"{name} reads no responses.")
    return True


def _console() -> "Console":
    """Return a console whose colours suit dark and light backgrounds."""
    from rich.console import Console
    from rich.default_styles import DEFAULT_STYLES
    from rich.style import Style
    from rich.theme import Theme

    # Code is blue on black by default, in every theme that is made of the default.
    DEFAULT_STYLES["markdown.code"] = Style(bold=True)
    dim = dict.fromkeys(("cyclopts.choices", "cyclopts.default"), "dim")
    theme = Theme({"cyclopts.name": "color(31)", **dim})
    return Console(theme=theme, highlight=False)


def examples(command: Callable[..., Any]) -> list[str]:
    """Return the examples of a command; indented lines continue the one before."""
    text = (getdoc(command) or "").partition("Examples\n--------\n")[2]
    return [" ".join(one.split()) for one in re.split(r"\n(?! )", text) if one]
