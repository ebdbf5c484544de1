"""Shell lines of the documentation are commands that exist, with options they have."""

import shlex
from pathlib import Path

import pytest
from cyclopts import CycloptsError

from consilience.cli import APP

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
SHELLS = {"", "bash", "sh", "shell", "console", "text"}
ENDS = {"|", ">", "&&", "2>"}


def commands(text):
    """Return the words of each command of the library, long lines put together."""
    found, fence = [], None
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("```"):
            fence = line.strip("`").strip() if fence is None else None
            continue
        start = "consilience " if fence in SHELLS else "!consilience "
        if fence is not None and line.strip().startswith(start):
            words = shlex.split(line, comments=True)[1:]
            cut = [at for at, word in enumerate(words) if word in ENDS]
            found.append(words[: cut[0]] if cut else words)
    return found


LINES = [
    pytest.param(words, id=f"{page.relative_to(ROOT)}: {' '.join(words)}")
    for page in PAGES
    if "_build" not in page.parts
    for words in {
        tuple(words): words for words in commands(page.read_text("utf-8"))
    }.values()
]


def parsed(words):
    APP.parse_args(words, exit_on_error=False, print_error=False)


@pytest.mark.parametrize("words", LINES)
def test_a_shell_line_names_a_command_and_options_that_exist(words):
    if "--help" in words or "--version" in words:
        words = [word for word in words if not word.startswith("-")]
    words = [word for word in words if word not in {"--quiet", "--verbose", "-v"}]
    if words and not any("..." in word or "{" in word for word in words):
        parsed(words)


@pytest.mark.parametrize(
    "words", [["fit", "answers.csv", "--no-such-option", "1"], ["no-such-command"]]
)
def test_the_same_test_catches_a_line_that_nobody_can_type(words):
    with pytest.raises(CycloptsError):
        parsed(words)
