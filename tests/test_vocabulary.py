"""Names in the code carry meaning: words that fit anything are not bound."""

import ast
from pathlib import Path

import pytest

import consilience

ROOT = Path(consilience.__file__).parent
BANNED = {"told", "said", "found", "known", "own", "held"}
# Settings of priors are public names, which the command line and saved runs use.
SETTINGS = "Prior"


def bound(source):
    """Return the names that a module binds, with their lines; settings left out."""
    tree = ast.parse(source)
    public = {
        node.lineno
        for each in ast.walk(tree)
        if isinstance(each, ast.ClassDef) and each.name == SETTINGS
        for node in ast.walk(each)
        if isinstance(node, ast.Name)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) if node.lineno not in public:
                yield name, node.lineno
            case ast.arg(arg=name) | ast.FunctionDef(name=name):
                yield name, node.lineno
            case ast.ClassDef(name=name):
                yield name, node.lineno


def without_meaning(source):
    return [
        (name, line)
        for name, line in bound(source)
        if name.strip("_").lower() in BANNED
    ]


@pytest.mark.parametrize(
    "path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_names_carry_meaning(path):
    assert without_meaning(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "told = 1",
        "def found(): pass",
        "def f(*, known): pass",
        "class A:\n    held: int",
        "[own for own in range(3)]",
    ],
)
def test_a_name_without_meaning_is_found(source):
    assert without_meaning(source)


def test_settings_of_a_prior_keep_their_names():
    assert without_meaning("class Prior:\n    own: float = 4.0") == []
