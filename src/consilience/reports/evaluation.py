"""Tables about models as an evaluation wrote them: CSV or Parquet."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import csv, parquet

from consilience.errors import (
    SourceNotFoundError,
    UnknownFormatError,
    UnreadableFileError,
)
from consilience.responses.sources.library_errors import readable
from consilience.responses.tables.text_table import check_names

SUFFIXES = (".parquet", ".csv")


def evaluation_tables(path: Path) -> dict[str, pd.DataFrame]:
    """Read the tables of an evaluation."""
    if not path.exists():
        msg = f"{path}: there is no such file or folder; check the path"
        raise SourceNotFoundError(msg)
    if path.is_dir():
        paths = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
        if not paths:
            msg = f"{path}: holds no *.parquet or *.csv; name the folder that does"
            raise SourceNotFoundError(msg)
    elif path.suffix in SUFFIXES:
        paths = [path]
    else:
        msg = f"{path}: expected a table, *.parquet or *.csv, or a folder of them"
        raise UnknownFormatError(msg)
    return {file.stem: _read(file) for file in paths}


def _read(path: Path) -> pd.DataFrame:
    read = csv.read_csv if path.suffix == ".csv" else parquet.read_table
    with readable(str(path), remedy="write it again"):
        whole = read(path)
        names = check_names(whole.column_names, str(path))
        for name, kind in zip(names, whole.schema.types, strict=True):
            if pa.types.is_binary(kind):
                msg = f"{path}: column {name!r} is not UTF-8 text; write it again so"
                raise UnreadableFileError(msg)
        table: pd.DataFrame = whole.rename_columns(names).to_pandas()
    return table
