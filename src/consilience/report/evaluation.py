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

SUFFIXES = (".parquet", ".csv")


def evaluation_tables(path: Path) -> dict[str, pd.DataFrame]:
    """Read the tables of an evaluation.

    Parameters
    ----------
    path
        A file, or a folder of files.

    Returns
    -------
    The tables by the names of their files.

    Raises
    ------
    SourceNotFoundError
        It is not there, or the folder holds no table.
    UnknownFormatError
        The file is neither CSV nor Parquet.
    UnreadableFileError
        A file is broken.
    """
    if not path.exists():
        msg = f"{path}: there is no such file or folder; mend the path"
        raise SourceNotFoundError(msg)
    if path.is_dir():
        found = sorted(each for each in path.iterdir() if each.suffix in SUFFIXES)
        if not found:
            msg = f"{path}: holds no *.parquet or *.csv; name the folder that does"
            raise SourceNotFoundError(msg)
    elif path.suffix in SUFFIXES:
        found = [path]
    else:
        msg = f"{path}: expected a table, *.parquet or *.csv, or a folder of them"
        raise UnknownFormatError(msg)
    return {each.stem: _read(each) for each in found}


def _read(path: Path) -> pd.DataFrame:
    try:
        whole = (
            csv.read_csv(path) if path.suffix == ".csv" else parquet.read_table(path)
        )
    except (pa.ArrowInvalid, OSError) as error:
        msg = f"{path}: cannot be read ({error}); write it again"
        raise UnreadableFileError(msg) from None
    table: pd.DataFrame = whole.to_pandas()
    return table
