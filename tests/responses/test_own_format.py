"""Formats from outside: a declared tool, a module's name, and an entry point."""

import json
import sys
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from consilience.errors import SourceError
from consilience.responses import ReadOptions, formats, plan, read, recognition
from consilience.responses.recognition import formats_of, probe
from consilience.responses.tools import Layout, Tool, answer, first

REVIEWS = [
    {
        "docId": number,
        "reviews": [
            {"who": {"mail": name}, "topic": topic}
            for name, topic in (("ann", "sport"), ("bob", other))
        ],
    }
    for number, other in ((7, "sport"), (8, "news"))
]


def answers(review, place):
    yield "topic", answer(first(review, "topic"), place)


LAYOUT = Layout(
    works=("reviews.*",), answers=answers, annotator=("who.mail",), ids=("^.docId",)
)
TOOL = Tool(
    name="reviewer", what="Reviewer's JSON", marks="docId & reviews", layouts=[LAYOUT]
)
FORMS = {
    "list.json": json.dumps(REVIEWS),
    "lines.jsonl": "\n".join(map(json.dumps, REVIEWS)),
    "wrapped.json": json.dumps({"project": {"id": 1}, "documents": REVIEWS}),
    "record.json": json.dumps(REVIEWS[0]),
}


@pytest.fixture
def installed(monkeypatch):
    """The tool as an installed package names it."""

    def install(tool, name="reviewer"):
        monkeypatch.setitem(sys.modules, "installed_tools", SimpleNamespace(TOOL=tool))
        point = EntryPoint(name, "installed_tools:TOOL", "consilience.formats")
        monkeypatch.setattr(recognition, "entry_points", lambda **_: [point])
        recognition._installed.cache_clear()
        recognition._tool.cache_clear()

    yield install
    recognition._installed.cache_clear()
    recognition._tool.cache_clear()


@pytest.fixture(params=FORMS)
def export(request, tmp_path):
    path = tmp_path / request.param
    path.write_text(FORMS[request.param])
    return path


def check(responses):
    table = responses.table[["item", "annotator", "label"]].astype(str)
    expected = [("7", "ann", "sport"), ("7", "bob", "sport")]
    expected += [("8", "ann", "sport"), ("8", "bob", "news")]
    rows = sorted(map(tuple, table.to_numpy().tolist()))
    assert rows == expected[: len(rows)]
    assert len(rows) in {2, 4}


def test_a_declared_tool_reads_its_exports(export):
    check(read(export, format=TOOL))
    assert plan(export, format=TOOL).format == "reviewer"


def test_an_installed_tool_is_recognized_by_its_marks_alone(export, installed):
    installed(TOOL)
    assert "reviewer" in formats()
    check(read(export))
    installed(Tool(name="reviewer", what="", marks="docId & notes", layouts=[LAYOUT]))
    assert formats_of(probe(export, ReadOptions())) == []


def test_the_name_of_a_module_is_a_format(export, monkeypatch):
    module = SimpleNamespace(TOOL=TOOL, OTHER=TOOL, NOTHING=3)
    monkeypatch.setitem(sys.modules, "my_tools", module)
    check(read(export, format="my_tools:TOOL"))
    check(read(export, format="my_tools:OTHER"))
    with pytest.raises(SourceError, match="my_tools:NOTHING is 3; expected a Tool"):
        read(export, format="my_tools:NOTHING")
    with pytest.raises(SourceError, match="cannot be imported"):
        read(export, format="no_such.module")
