"""The page of the architecture shows the packages and imports that there are."""

from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "consilience"
PAGE = ROOT / "docs" / "explanation" / "architecture.md"


@pytest.fixture
def imports(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "docs")
    from packages import imports as module

    return module


@pytest.fixture
def drawing(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "docs")
    from packages import drawing as module

    return module


def not_described(page: str, names: set[str]) -> set[str]:
    """Return the packages that have no row in the page's table."""
    return {name for name in names if f"\n| `{name}` |" not in page}


def test_the_page_describes_every_package(imports):
    names = set(imports.import_graph(SOURCE)) - {imports.UTILITIES}
    assert not_described(PAGE.read_text(encoding="utf-8"), names) == set()


def test_a_package_without_a_row_is_noticed():
    page = PAGE.read_text(encoding="utf-8").replace("\n| `truth` |", "\n| `lies` |")
    assert not_described(page, {"truth", "model"}) == {"truth"}


def test_the_imports_are_those_that_the_linter_finds(imports):
    import grimp

    library = grimp.build_graph("consilience", cache_dir=None)
    graph = imports.import_graph(SOURCE)

    def node(module: str) -> str:
        top = module.split(".")[1]
        return top if top in graph else imports.UTILITIES

    edges = {
        (node(importer), node(imported))
        for importer in library.modules
        for imported in library.find_modules_directly_imported_by(importer)
        if importer.count(".") and imported.count(".")
        if importer.split(".")[1] not in imports.FACE
    }
    expected = {(one, other) for one, other in edges if one != other}
    assert {(one, other) for one in graph for other in graph[one]} == expected


def test_an_import_that_follows_from_others_is_not_drawn(imports):
    graph = {
        "top": frozenset({"middle", "bottom"}),
        "middle": frozenset({"bottom"}),
        "bottom": frozenset(),
    }
    assert imports.reduced(graph)["top"] == {"middle"}
    assert imports.reachable(graph, "top") == {"middle", "bottom"}


def test_a_cycle_of_imports_is_an_error(imports):
    graph = {"one": frozenset({"other"}), "other": frozenset({"one"})}
    with pytest.raises(ValueError, match=r"\['one', 'other'\] have a cycle"):
        imports.ranks(graph)


def test_the_drawing_has_a_box_for_each_package_and_an_arrow_for_each_import(
    imports, drawing
):
    graph = imports.reduced(imports.import_graph(SOURCE))
    made = drawing.svg(graph)
    assert made.count("<rect") == len(graph)
    assert made.count("marker-end") == sum(map(len, graph.values()))
    for name in graph:
        assert f">{name}</text>" in made
