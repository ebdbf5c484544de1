"""No module of the library needs, directly or by way of others, one that needs it."""

import ast
from graphlib import CycleError, TopologicalSorter
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(find_spec("consilience").origin).parent
FILES = {
    ".".join(("consilience", *file.relative_to(ROOT).with_suffix("").parts)): file
    for file in ROOT.rglob("*.py")
}
PACKAGES = {name.removesuffix(".__init__") for name in FILES if "__init__" in name}


def tree(package):
    file = FILES[f"{package}.__init__"]
    stub = file.with_suffix(".pyi")
    return ast.parse((stub if stub.exists() else file).read_text("utf-8"))


def exported(package):
    """Return from which module a package has each name."""
    names = {}
    for node in ast.walk(tree(package)):
        if isinstance(node, ast.ImportFrom) and node.module:
            module = f"{package}.{node.module}" if node.level else node.module
            names |= {each.asname or each.name: module for each in node.names}
    return names


EXPORTED = {package: exported(package) for package in PACKAGES}


def home(module, name):
    """Return the module that an imported name is written in."""
    if f"{module}.{name}" in FILES:
        return f"{module}.{name}"
    while module in PACKAGES and name in EXPORTED[module]:
        module = EXPORTED[module][name]
    return module if module in FILES else None


def for_types_alone(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def needed(node):
    """Give the modules that a file imports anywhere, also inside functions."""
    if for_types_alone(node):
        return
    if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("consil"):
        yield from (home(node.module, each.name) for each in node.names)
    for child in ast.iter_child_nodes(node):
        yield from needed(child)


def circle(imports):
    try:
        [*TopologicalSorter(imports).static_order()]
    except CycleError as error:
        return error.args[1]
    return None


@pytest.fixture(scope="module")
def imports():
    return {
        name: {*needed(ast.parse(file.read_text("utf-8")))} - {name, None}
        for name, file in FILES.items()
        if not name.endswith("__init__")
    }


def test_no_imports_go_in_a_circle(imports):
    assert sum(map(len, imports.values())) > 1000
    assert circle(imports) is None


def test_the_same_test_catches_a_circle(imports):
    wrong = {**imports, "consilience.errors": {"consilience.model.kinds"}}
    assert circle(wrong) is not None
