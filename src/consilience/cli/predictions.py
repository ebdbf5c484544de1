"""Predictions of classifiers, in any form that a command takes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from consilience.cli.options import READ_AS_IT_IS, read_options
from consilience.errors import ColumnError, OptionError, SourceError

if TYPE_CHECKING:
    import pandas as pd

    from consilience.classifiers import Predictions

KINDS = (".npy", ".csv", ".tsv", ".parquet")
RowItems = Annotated[
    Path | None,
    Parameter(help="Table that names the item of each row of the NumPy files."),
]
CountedLabels = Annotated[
    Path | None,
    Parameter(help="Table that names the labels that NumPy files count from 0."),
]


def read_all(
    paths: Sequence[Path], items: Path | None, labels: Path | None = None
) -> "list[Predictions]":
    """Read predictions; tables name the rows of NumPy files and what they count."""
    return [
        _read(file, items, labels)
        for path in paths
        for file in _files(path, whole=items is None)
    ]


def labels_beside(sources: "Sequence[Predictions]") -> "pd.DataFrame | None":
    """Return the data set's labels of images, where the predictions come with them."""
    import pandas as pd

    tables = [one.dataset_labels for one in sources if one.dataset_labels is not None]
    return pd.concat(tables).drop_duplicates("item") if tables else None


def read_columns(path: Path, names: Sequence[str]) -> "pd.DataFrame":
    """Return columns of a table as text, by default all."""
    from consilience.responses.side_tables import side_table, text_frame

    table = side_table(path, read_options(READ_AS_IT_IS), "predictions")
    for name in names:
        if name not in table.columns:
            columns = ", ".join(map(repr, table.columns))
            msg = f"{path}: there is no column {name!r}; found {columns}"
            raise ColumnError(msg)
    return text_frame(table, {name: name for name in names or table.columns})


def _files(path: Path, *, whole: bool) -> list[Path]:
    from consilience.classifiers.predictions import is_folder
    from consilience.validation_images import lists_validation_images

    if not path.is_dir() or is_folder(path):
        return [path]
    if whole and lists_validation_images(path):
        return [path]
    files = [file for file in sorted(path.iterdir()) if file.suffix.lower() in KINDS]
    if not files:
        msg = (
            f"{path}: holds neither what classify writes nor a file of predictions "
            f"({', '.join(KINDS)})"
        )
        raise SourceError(msg)
    return files


def _read(path: Path, items: Path | None, labels: Path | None) -> "Predictions":
    from consilience.classifiers import read_predictions
    from consilience.classifiers.predictions import from_arrays, from_table

    if path.is_dir():
        return read_predictions(path)
    if path.suffix.lower() == ".npy":
        if items is None:
            msg = f"{path}: name the item of each of its rows with --items"
            raise OptionError(msg)
        rows = read_columns(items, ["item"])["item"].tolist()
        names = None
        if labels is not None:
            names = read_columns(labels, ["label"])["label"].tolist()
        return from_arrays([path], rows, names)
    return from_table(read_columns(path, ()), path.stem, str(path))
