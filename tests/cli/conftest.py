"""A small export and a run made of it, through the command line itself."""

from collections.abc import Callable
from pathlib import Path

import pytest

from consilience.cli import main

EXPORT = "\n".join(
    [
        "photo,who,said",
        *(
            f"{item:03d},{who},{label}"
            for item in range(1, 13)
            for who, label in (
                ("ann", "cat" if item % 2 else "dog"),
                ("bob", "cat" if item % 2 else "dog"),
                ("cid", "cat" if item % 3 else "dog"),
            )
        ),
    ]
)
TRUTH = "\n".join(
    ["photo,said", *(f"{i:03d},{'cat' if i % 2 else 'dog'}" for i in range(1, 13))]
)
FITTED_BY = ("--model", "bayesian_dawid_skene", "--engine", "em")


@pytest.fixture
def run(monkeypatch, tmp_path) -> Callable[..., int]:
    """Run the command line in an empty folder and return its exit code."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> int:
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as left:
            return int(left.code or 0)
        return 0

    return call


@pytest.fixture
def export(tmp_path) -> Path:
    path = tmp_path / "export.csv"
    path.write_text(EXPORT, encoding="utf-8")
    return path


@pytest.fixture
def truth(tmp_path) -> Path:
    path = tmp_path / "gold.csv"
    path.write_text(TRUTH, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def columns() -> tuple[str, ...]:
    return ("--item", "photo", "--annotator", "who", "--label", "said")


@pytest.fixture(scope="session")
def fitted(tmp_path_factory, columns) -> Path:
    """Return a run of the export."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "export.csv").write_text(EXPORT, encoding="utf-8")
    out = ("--out", str(folder / "run"))
    main(["fit", str(folder / "export.csv"), *columns, *FITTED_BY, *out])
    return folder / "run"
