"""Docstrings of the public interface: each has examples that run, and See Also."""

import doctest
import importlib
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import consilience as cs
from consilience.errors import ConsilienceError

ROOT = Path(__file__).parents[2]
# What the page of the Python interface documents, beyond what `consilience` exports.
NAMED = re.compile(r"autofunction:: ([\w.]+)|autoclass:: ([\w.]+)")
# Every method that a user calls on these has an example of its own.
WITH_METHODS = (
    "consilience.images.Candidates",
    "consilience.Fit",
    "consilience.Sequential",
)
# Programs are compiled for these, which takes several seconds.
COSTLY = {
    "consilience.analysis.ComparedConfusion",
    "consilience.Fit.table",
    "consilience.analysis.HumanConfusion",
    "consilience.analysis.human_confusion",
    "consilience.contains.leading_question",
}


def documented() -> Iterator[str]:
    """Names of all public objects, with their modules."""
    every = (name for name in cs.__all__ if not inspect.ismodule(getattr(cs, name)))
    names = {f"consilience.{name}" for name in every}
    page = (ROOT / "docs" / "reference" / "python.md").read_text("utf-8")
    names |= {function or record for function, record in NAMED.findall(page)}
    yield from sorted(names)
    for name in WITH_METHODS:
        members = vars(resolved(name)).items()
        yield from (
            f"{name}.{member}"
            for member, value in members
            if not member.startswith("_")
            and (inspect.isfunction(value) or isinstance(value, property))
        )


def resolved(name: str) -> object:
    """Return the object of a dotted name."""
    first, *parts = name.split(".")
    result, path = importlib.import_module(first), first
    for part in parts:
        path = f"{path}.{part}"
        try:
            result = getattr(result, part)
        except AttributeError:
            result = importlib.import_module(path)
    return result


def lacking(thing: object) -> list[str]:
    """Sections that the docstring of an object should have and does not."""
    text = inspect.getdoc(thing) or ""
    sections = ("See Also", "Examples")
    underlined = [f"{section}\n{'-' * len(section)}\n" for section in sections]
    missing = [
        section
        for section, heading in zip(sections, underlined, strict=True)
        if heading not in text
    ]
    if "Examples" not in missing and ">>> " not in text:
        missing.append("Examples")
    return missing


def wrong() -> None:
    """Add.

    >>> 1 + 1
    3
    """


def failures(thing: object, name: str) -> str:
    """Run the examples of a docstring; return what is wrong."""
    text = inspect.getdoc(thing) or ""
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    written: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=written.append)
    return "".join(written)


def share_fits() -> None:
    """Fit equal responses in the same way once: most examples look at one fit."""
    cs.fit = _once(cs.fit)
    cs.analysis.human_confusion = _once(cs.analysis.human_confusion)


def _once(real):
    kept = {}

    def call(responses, **settings):
        how = [(key, _text(value)) for key, value in sorted(settings.items())]
        key = (_text(responses), tuple(how))
        if key not in kept:
            kept[key] = real(responses, **settings)
        return kept[key]

    return call


def _text(value: object) -> str:
    if hasattr(value, "to_csv"):
        return value.to_csv()
    tables = [getattr(value, name, None) for name in ("table", "labels")]
    return repr(value) if tables[0] is None else "".join(map(_text, tables))


def run(names: list[str], folder: Path) -> dict[str, str]:
    """Run the examples of objects in a program of its own; return what is wrong.

    Types are not checked there at every call, which would take longer.
    """
    command = [sys.executable, "-W", "ignore", __file__, *names]
    done = subprocess.run(
        command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def is_costly(name: str) -> bool:
    """Whether programs are compiled for the examples of an object, or of its class."""
    return name in COSTLY or name.rpartition(".")[0] in COSTLY


NAMES = list(documented())


@pytest.mark.parametrize("name", NAMES)
def test_every_public_object_has_examples_and_see_also(name):
    try:
        thing = resolved(name)
    except ConsilienceError as error:
        pytest.skip(str(error))
    assert lacking(thing) == []


def test_examples_give_what_they_show(tmp_path):
    wrong = run([name for name in NAMES if not is_costly(name)], tmp_path)
    assert wrong == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.study
def test_costly_examples_give_what_they_show(tmp_path):
    assert run([name for name in NAMES if is_costly(name)], tmp_path) == {}


def test_a_wrong_output_is_reported_by_the_program(tmp_path):
    name = "test_docstrings.wrong"
    assert "Expected:\n    3\nGot:\n    2" in run([name], tmp_path)[name]


def test_an_object_without_examples_is_noticed():
    def bare():
        """Return nothing."""

    def empty():
        """Return nothing.

        See Also
        --------
        bare : The same.

        Examples
        --------
        None yet.
        """

    assert lacking(bare) == ["See Also", "Examples"]
    assert lacking(empty) == ["Examples"]


def test_a_wrong_output_is_noticed():
    assert "Expected:\n    3\nGot:\n    2" in failures(wrong, "wrong")


def test_every_name_that_is_costly_is_public():
    assert set(NAMES) >= COSTLY


if __name__ == "__main__":
    share_fits()
    failed = {name: failures(resolved(name), name) for name in sys.argv[1:]}
    sys.stdout.write(json.dumps({name: text for name, text in failed.items() if text}))
