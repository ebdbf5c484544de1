"""The documentation, help texts and messages use plain, standard English.

Words that are ordinary English elsewhere, such as *told*, *held* or *found*, are
allowed. Code, in blocks or between backticks, is not prose.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "consilience"
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "docs/plates/*.toml", "news/*.md")
    for path in ROOT.glob(pattern)
    if not {"_build", "models"} & set(path.relative_to(ROOT).parts)
)

# What to write instead is on the right.
BANNED = {
    r"fore(see|sees|saw|seen|seeing|tells?|told|telling)": "predict",
    r"beforehand": "covariates, prior, in advance",
    r"in (the|its|their|his|her) stead": "instead",
    r"mend(s|ed|ing)?": "fix",
    r"humps?": "mixture components, modes",
    r"worth": "relative information, informative",
    r"how sure": "certainty, probability",
    r"what is told": "what is reported",
    r"sure of (itself|themselves)": "overconfident",
    r"to be known": "known",
    r"the python face": "the Python interface",
    r"so it is what you have": "(omit)",
    r"weigh(s|ed)? what": "estimate",
    r"anew": "again",
    r"put right": "correct, fix",
    r"(imagined) (answers|votes|items|counts|errors)": "pseudo-counts",
    r"told (so|that)": "given",
    r"in the place of": "instead of",
    r"takes? after": "resemble",
    r"as it comes": "(state the prior)",
}
_ANY = re.compile(rf"\b(?:{'|'.join(BANNED)})\b", re.IGNORECASE)
_CODE = re.compile(r"^(`{3,})[^\n]*\n.*?^\1$|`+[^`]+`+", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\([^)\s]*\)")


def banned(text: str) -> list[str]:
    """Return the banned words and phrases in a text."""
    prose = re.sub(r"\s+", " ", text)
    return [match.group().lower() for match in _ANY.finditer(prose)]


def prose(page: str) -> str:
    """Return a page without its code and the targets of its links."""
    return _LINK.sub("]", _CODE.sub("", page))


def read(page: Path) -> str:
    """Return the prose of a page, or of the declaration of a diagram."""
    text = page.read_text(encoding="utf-8")
    return diagram_words(text) if page.suffix == ".toml" else prose(text)


def diagram_words(declaration: str) -> str:
    """Return the prose in the declaration of a plate diagram."""
    result = re.findall(r'words = """(.*?)"""|words = "(.*?)"', declaration, re.DOTALL)
    reasons = re.findall(r'^\w+ = "(.*)"$', declaration, re.MULTILINE)
    return "\n".join([*("".join(pair) for pair in result), *reasons])


def messages(source: str) -> Iterator[str]:
    """Yield the texts in a module's code: strings of several words, but docstrings."""
    tree = ast.parse(source)
    skipped = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):  # an outer node comes before those inside it
        match node:
            case ast.JoinedStr(values=values):
                parts = [part for part in values if isinstance(part, ast.Constant)]
                skipped |= set(map(id, parts))
                yield "…".join(str(part.value) for part in parts)
            case ast.Constant(value=str(text)):
                if id(node) not in skipped and " " in text.strip():
                    yield text


def help_texts(source: str) -> Iterator[str]:
    """Yield the docstrings of a module's public functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield ast.get_docstring(node) or ""


def test_every_page_is_looked_at():
    names = {path.relative_to(ROOT).as_posix() for path in PAGES}
    assert {"README.md", "docs/index.md", "docs/how-to/score.md"} <= names
    assert len(PAGES) > 60


@pytest.mark.parametrize("text", ["README.md", "CHANGELOG.md", "docs", "news"])
def test_no_page_has_a_banned_word(text):
    pages = [page for page in PAGES if page.is_relative_to(ROOT / text)]
    assert pages
    results = {
        page.relative_to(ROOT).as_posix(): words
        for page in pages
        if (words := banned(read(page)))
    }
    assert results == {}


def test_no_message_has_a_banned_word():
    results = {
        file.relative_to(ROOT).as_posix(): words
        for file in sorted(SOURCE.rglob("*.py"))
        if (
            words := [
                word
                for text in messages(file.read_text(encoding="utf-8"))
                for word in banned(text)
            ]
        )
    }
    assert results == {}


def test_no_help_text_has_a_banned_word():
    results = {
        file.relative_to(ROOT).as_posix(): words
        for file in sorted((SOURCE / "cli").rglob("*.py"))
        if (
            words := [
                word
                for text in help_texts(file.read_text(encoding="utf-8"))
                for word in banned(text)
            ]
        )
    }
    assert results == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How well it foresees\nan answer.", ["foresees"]),
        ("What is known Beforehand.", ["beforehand"]),
        ("Rules in\n  the stead of a model, mended.", ["in the stead", "mended"]),
        ("A density of two humps is worth it.", ["humps", "worth"]),
        ("The emendation was recommended.", []),
        ("It was told apart, held and found.", []),
    ],
)
def test_a_banned_word_is_found_in_a_sentence(text, expected):
    assert banned(text) == expected


def test_words_of_a_diagram_are_prose_and_its_names_are_not():
    declaration = 'words = """\nTwo humps.\n"""\nhump = {words = "worth"}\nx = "mend"'
    assert banned(diagram_words(declaration)) == ["humps", "worth", "mend"]


def test_code_is_no_prose():
    page = "A table `beforehand`.\n```python\nforeseen = 1\n```\n[x](mend.md) mend"
    assert banned(prose(page)) == ["mend"]


def test_messages_are_found_and_docstrings_are_not():
    source = '"""Mend it."""\nname = "worth"\nmsg = f"mend {name} beforehand"\n'
    assert [banned(text) for text in messages(source)] == [["mend", "beforehand"]]
    assert [banned(text) for text in help_texts('def f():\n    "Mend it."\n')] == [
        ["mend"]
    ]
