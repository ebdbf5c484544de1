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
from consilience.cli.options import Reading
from consilience.errors import OptionError, as_options

SOURCE = Path(cs.__file__).parent
ARGUMENTS = {
    field.name for each in (Reading, cs.EngineOptions) for field in fields(each)
}
for _function in (cs.read, cs.fit, cs.agreement, candidates, classify, list_images):
    ARGUMENTS |= set(signature(_function).parameters)
# A message that a command alone can give, and a program's own options; variables of
# style sheets look like options.
COMMANDS = {
    SOURCE / "errors.py",
    SOURCE / "tables" / "vega.py",
    *(SOURCE / "cli").rglob("*.py"),
}
OPTION = re.compile(r"(?<![\w-])(?<!var\()--(?:[a-z][a-z-]+|{)")
ARGUMENT = re.compile(rf"(?<![`\w.(-])({'|'.join(sorted(ARGUMENTS))})=(?![=\d])")


def texts(node: ast.AST) -> Iterator[str]:
    """Strings of a program, without docstrings; what is filled in stands as {}."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=values):
            parts = (getattr(part, "value", "") for part in values)
            yield "".join(part if isinstance(part, str) else "{}" for part in parts)
        case _:
            for inner in ast.iter_child_nodes(node):
                yield from texts(inner)


def options_in(source: str) -> list[str]:
    return [text for text in texts(ast.parse(source)) if OPTION.search(text)]


def arguments_in(source: str) -> list[str]:
    return [text for text in texts(ast.parse(source)) if ARGUMENT.search(text)]


SOURCES = {path: path.read_text("utf-8") for path in sorted(SOURCE.rglob("*.py"))}


def test_no_message_of_the_library_names_an_option():
    files = {path: text for path, text in SOURCES.items() if path not in COMMANDS}
    likely = {path: text for path, text in files.items() if OPTION.search(text)}
    results = {str(path): options_in(text) for path, text in likely.items()}
    assert {name: each for name, each in results.items() if each} == {}


def test_every_argument_in_a_message_can_be_shown_as_an_option():
    results = {str(path): arguments_in(text) for path, text in SOURCES.items()}
    assert {name: each for name, each in results.items() if each} == {}


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
        (
            "label '`kind=\"objects\"`': mend `labels=`",
            "label '`kind=\"objects\"`': mend --labels",
        ),
    ],
)
def test_an_argument_is_shown_as_an_option(message, shown):
    assert as_options(message) == shown


def test_python_shows_the_argument():
    assert str(OptionError('ask for `kind="objects"`')) == 'ask for `kind="objects"`'
