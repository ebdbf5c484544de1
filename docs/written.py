"""The parts of the reference that the program writes, as text in its pages.

A part stands between two comments: ``<!-- columns of items -->`` (a table's columns),
``<!-- consilience fit --help -->`` (what the command prints) or ``<!-- functions -->``
(all of the page, a sentence each), and ``<!-- end -->``. Run ``python docs/written.py``
after a change; a test compares the pages with what would be written.
"""

import inspect
import os
import re
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path

from consilience.tables import CATALOGUE

PAGES = Path(__file__).parent / "reference"
PART = re.compile(r"(<!-- (?!end )(?P<what>[^>]+) -->\n).*?(?=<!-- end -->)", re.DOTALL)
LISTED = re.compile(r"auto(?:function|class):: (consilience[\w.]+)")
HELP = r"""
from consilience.cli import APP, main
from consilience.cli.options import commands_in

for words in ["", *(name for name, _ in commands_in(APP))]:
    print(end="\f" + f"{words} --help".strip() + "\v")
    main([*words.split(), "--help"])
print(end="\fread --help-reading\v")
main(["read", "--help-reading"])
"""


@cache
def help_pages() -> dict[str, str]:
    """Return what each command prints of itself, in 80 columns."""
    terminal = os.environ | {"TTY_COMPATIBLE": "0", "COLUMNS": "80", "NO_COLOR": "1"}
    called = [sys.executable, "-c", HELP]
    how = {"env": terminal, "capture_output": True, "text": True}
    done = subprocess.run(called, check=True, **how)  # noqa: S603
    return dict(page.split("\v") for page in done.stdout.split("\f")[1:])


def functions(page: str) -> str:
    """Return the functions and classes of a page, with their first sentence."""
    rows = ["| name | |", "|---|---|"]
    for name in dict.fromkeys(LISTED.findall(page)):
        module, _, last = name.rpartition(".")
        text = inspect.getdoc(getattr(import_module(module), last)) or ""
        rows.append(f"| `{name}` | {' '.join(text.partition('\n\n')[0].split())} |")
    return "\n".join(rows)


def written(page: str) -> str:
    """Return a page with its parts as the program writes them."""

    def part(match: re.Match[str]) -> str:
        what = match["what"]
        if what.startswith("columns of "):
            text = CATALOGUE[what.removeprefix("columns of ")].markdown()
        elif what == "functions":
            text = functions(page)
        else:
            shown = help_pages()[what.removeprefix("consilience ")]
            lines = (line.rstrip() for line in shown.strip().splitlines())
            text = "```text\n" + "\n".join(lines) + "\n```"
        return f"{match[1]}\n{text}\n\n"

    return PART.sub(part, page)


if __name__ == "__main__":
    for path in PAGES.glob("*.md"):
        before = path.read_text("utf-8")
        if (after := written(before)) != before:
            path.write_text(after, "utf-8")
            print(path)  # noqa: T201
