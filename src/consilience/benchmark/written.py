"""The folder of a benchmark: tables, a page, a picture."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from consilience.benchmark.comparison import Comparison
from consilience.benchmark.page import page
from consilience.benchmark.picture import ADVICE, can_draw, draw
from consilience.errors import CannotWriteError

__all__ = ["ADVICE", "can_draw", "write"]


def write(found: Comparison, items: Mapping[str, int], folder: Path) -> list[Path]:
    """Write all that a person reads, each file whole or not at all.

    Parameters
    ----------
    found
        The comparison.
    items
        How many items with gold each set has.
    folder
        Where.

    Returns
    -------
    The files; without a picture where Altair is not installed.

    Raises
    ------
    CannotWriteError
        The disk refuses.
    """
    tables = {
        "results": found.results,
        "differences": found.differences,
        "runs": found.runs,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as name:
            for table, content in tables.items():
                content.to_parquet(Path(name, f"{table}.parquet"), index=False)
            text = page(found, items)
            Path(name, "benchmark.md").write_text(text, encoding="utf-8")
            if can_draw():
                draw(found, Path(name, "benchmark.svg"))
                draw(found, Path(name, "benchmark.png"))
            made = sorted(Path(name).iterdir())
            for file in made:
                file.replace(folder / file.name)
    except OSError as error:
        msg = f"{folder}: {error.strerror}; choose another place for --out"
        raise CannotWriteError(msg) from error
    return [folder / file.name for file in made]
