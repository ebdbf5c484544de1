"""The folder of a study: every figure as a table and as a picture."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from consilience.figures.drawn import alone, png
from consilience.figures.record import StudyFigures
from consilience.posterior import export_table
from consilience.responses.label_names import COLUMNS

TABLES, PICTURES = "tables", "figures"


def write_figures(study: StudyFigures, folder: Path) -> Iterator[str]:
    """Write the tables and pictures of a study into a folder that exists."""
    for name in (TABLES, PICTURES):
        (folder / name).mkdir()
    for name, figure in study.figures.items():
        table = _with_names(figure.table, study)
        for ending in ("parquet", "csv"):
            export_table(table, folder / TABLES / f"{name}.{ending}")
        for number, (caption, drawing) in enumerate(study.drawings(name).items()):
            # Frames after the first are told apart by what they are frames of.
            stem = name if number == 0 else f"{name}_{caption}"
            whole = alone(drawing)
            (folder / PICTURES / f"{stem}.svg").write_text(whole, "utf-8")
            (folder / PICTURES / f"{stem}.png").write_bytes(png(whole))
        yield name


def _with_names(table: pd.DataFrame, study: StudyFigures) -> pd.DataFrame:
    """Return a table with a column of names behind each column of labels."""
    named = study.named(table)
    columns = {}
    for column in table:
        columns[column] = table[column]
        texts = named[column].astype("str")
        if column in COLUMNS and (texts != table[column].astype("str")).any():
            columns[f"{column}_name"] = named[column]
    return pd.DataFrame(columns)
