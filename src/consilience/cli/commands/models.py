"""The command `models`: a list of the models.

They are read from their files, without running them: the first line of the docstring
says what a model assumes, its record `MODEL` the engines and references. Reading the
text answers at once; importing the files would start JAX.
"""

import ast
from dataclasses import dataclass
from pathlib import Path

from rich.padding import Padding
from rich.table import Table

import consilience
from consilience.cli.options import Json
from consilience.cli.terminal import finish, screen
from consilience.console import Console

_NARROW = 100  # columns of the terminal below which there is no room for a table


@dataclass(frozen=True, slots=True)
class Entry:
    """What one model's file says of itself."""

    name: str
    assumes: str
    engines: tuple[str, ...]
    references: tuple[str, ...]


def models(*, json: Json = False) -> None:
    """List the models: what each assumes, its engines, its reference.

    Examples
    --------
    consilience models
    consilience models --json
    """
    listed, show = entries(), screen(as_json=json)
    if not json:
        _print(show, listed)
    following = ("fit", "RESPONSES", "--model", "NAME", "--out", "run")
    finish(show, {"models": listed}, *following)


def _print(show: Console, listed: list[Entry]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("model", no_wrap=True)
    for name in ("what it assumes", "engines", "reference"):
        table.add_column(name)
    for entry in listed:
        rest = (entry.assumes, " ".join(entry.engines), entry.references[0])
        table.add_row(entry.name, *rest)
        if show.width < _NARROW:
            show.print(f"{entry.name} ({rest[1]})", style="bold")
            show.print(Padding(f"{rest[0]}; {rest[2]}", (0, 0, 0, 2)))
    if show.width >= _NARROW:
        show.print(table)


def entries() -> list[Entry]:
    """Return what each model's file says, in alphabetical order."""
    listed = []
    for file in sorted(Path(consilience.__file__).parent.glob("annotators/[!_]*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        first = (ast.get_docstring(tree) or "").splitlines()[0]
        fields = {
            keyword.arg: ast.literal_eval(keyword.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "MODEL"
            for keyword in node.value.keywords  # type: ignore[attr-defined]
            if keyword.arg in ("engines", "references")
        }
        listed.append(Entry(file.stem, first.partition(": ")[2].rstrip("."), **fields))
    return listed
