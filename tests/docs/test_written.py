"""Columns, commands and functions of the reference are text, and as they are."""

import importlib.util

import cyclopts
import pytest
from tests.docs.test_named_files import ROOT

spec = importlib.util.spec_from_file_location("written", ROOT / "docs" / "written.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
PAGES = [
    path
    for path in sorted(module.PAGES.glob("*.md"))
    if module.PART.search(path.read_text("utf-8"))
]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_has_what_the_program_says_of_itself(path):
    if path.stem == "command-line" and int(cyclopts.__version__.split(".")[0]) < 5:
        pytest.skip("help is drawn otherwise by older versions of cyclopts")
    page = path.read_text("utf-8")
    assert module.written(page) == page, "run: python docs/written.py"


def test_a_page_that_is_out_of_date_would_be_noticed():
    page = "<!-- columns of labels -->\n| `item` | a thing |\n<!-- end -->\n"
    assert module.written(page) != page
    assert "| `item` | the item |\n" in module.written(page)


def test_every_command_and_table_has_its_part():
    page = (module.PAGES / "command-line.md").read_text("utf-8")
    for command in module.help_pages():
        assert f"<!-- consilience {command} -->" in page
