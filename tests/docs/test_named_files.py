"""Files of the code that pages name are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *ROOT.glob("docs/[!_]*/**/*.md"),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
]
NAMED = re.compile(r"`((?:[\w-]+/)+[\w-]+\.(?:py|js|j2|toml))`")
PLACES = ("", "src", "src/consilience", "tests", "docs")


def missing(text):
    """Return the files that a text names by a path, and that are nowhere."""
    named = (name for name in NAMED.findall(text) if not re.search("[A-Z]{2}", name))
    return [n for n in named if not any((ROOT / p / n).exists() for p in PLACES)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_names_are_there(page):
    assert missing(page.read_text("utf-8")) == []


def test_a_file_that_is_gone_is_noticed():
    assert missing("see `responses/nowhere.py` and `responses/table.py`") == [
        "responses/nowhere.py"
    ]
