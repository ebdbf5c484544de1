"""Messages name arguments; the command line shows its options in their place."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from inspect import signature
from pathlib import Path

import pytest

import consilience as cs
from consilience.classifiers import candidates, classify, list_images
from consilience.cli.options import Reading, Work
from consilience.errors import OptionError, as_options

SOURCE = Path(cs.__file__).parent
ARGUMENTS = {field.name for each in (Reading, Work) for field in fields(each)}
for _function in (cs.read, cs.fit, cs.agreement, candidates, classify, list_images):
    ARGUMENTS |= set(signature(_function).parameters)
# A message that a command alone can give, and a program's own options.
COMMANDS = {
    SOURCE / "errors.py",
    SOURCE / "classifiers" / "export.py",
    *(SOURCE / "cli").rglob("*.py"),
}
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
ARGUMENT = re.compile(rf"(?<![`\w.(-])({'|'.join(sorted(ARGUMENTS))})=(?![=\d])")


def texts(tree: ast.AST) -> Iterator[str]:
    """Strings of a program, without docstrings; what is filled in stands as {}."""
    inner = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            inner.add(id(node.value))
    for node in ast.walk(tree):
        if id(node) in inner:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            parts = (
                part.value if isinstance(part, ast.Constant) else "{}"
                for part in node.values
            )
            yield "".join(map(str, parts))


def options_in(source: str) -> list[str]:
    return [text for text in texts(ast.parse(source)) if OPTION.search(text)]


def arguments_in(source: str) -> list[str]:
    return [text for text in texts(ast.parse(source)) if ARGUMENT.search(text)]


@pytest.mark.parametrize("folder", sorted(p.name for p in SOURCE.iterdir()))
def test_no_message_of_the_library_names_an_option(folder):
    place = SOURCE / folder
    files = place.rglob("*.py") if place.is_dir() else [place] * (place.suffix == ".py")
    found = [
        (file.name, text)
        for file in files
        if file not in COMMANDS
        for text in options_in(file.read_text("utf-8"))
    ]
    assert not found


@pytest.mark.parametrize("folder", sorted(p.name for p in SOURCE.iterdir()))
def test_every_argument_in_a_message_can_be_shown_as_an_option(folder):
    place = SOURCE / folder
    files = place.rglob("*.py") if place.is_dir() else [place] * (place.suffix == ".py")
    found = [
        (file.name, text)
        for file in files
        for text in arguments_in(file.read_text("utf-8"))
    ]
    assert not found


def test_a_mix_would_be_found():
    assert options_in('msg = f"{name}: ask for --kind objects"')
    assert arguments_in("msg = f\"{name}: ask for kind='objects'\"")
    assert not arguments_in("msg = 'ask for `kind=\"objects\"`'")


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ('ask for `kind="objects"`', "ask for --kind objects"),
        ("name it (`gold_column=NAME`)", "name it (--gold-column NAME)"),
        ('`item="the photo"`', "--item 'the photo'"),
        ("list them in `labels=`", "list them in --labels"),
        ("run four (`chains=4`)", "run four (--chains 4)"),
        ("or `overwrite=True`", "or --overwrite"),
        ("`header=False`", "--no-header"),
        ("a = b and `code`", "a = b and `code`"),
    ],
)
def test_an_argument_is_shown_as_an_option(message, shown):
    assert as_options(message) == shown


def test_python_shows_the_argument():
    assert str(OptionError('ask for `kind="objects"`')) == 'ask for `kind="objects"`'
