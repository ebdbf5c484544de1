"""The folder of a benchmark: tables, a page, a picture."""

from collections.abc import Mapping
from pathlib import Path

from consilience.benchmark.comparison import Comparison
from consilience.benchmark.page import page
from consilience.benchmark.picture import ADVICE, can_draw, draw
from consilience.whole_folder import whole_files

__all__ = ["ADVICE", "can_draw", "write"]


def write(comparison: Comparison, items: Mapping[str, int], folder: Path) -> list[Path]:
    """Write all that a person reads, each file whole or not at all.

    Parameters
    ----------
    comparison
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
        The destination cannot be written.
    """
    tables = {
        "results": comparison.results,
        "differences": comparison.differences,
        "runs": comparison.runs,
    }
    with whole_files(folder) as partial:
        for table, content in tables.items():
            content.to_parquet(partial / f"{table}.parquet", index=False)
        (partial / "benchmark.md").write_text(page(comparison, items), encoding="utf-8")
        if can_draw():
            draw(comparison, partial / "benchmark.svg")
            draw(comparison, partial / "benchmark.png")
        made = sorted(file.name for file in partial.iterdir())
    return [folder / name for name in made]
