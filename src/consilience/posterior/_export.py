"""A fit's tables as files for other programs: CSV, Parquet or JSON.

Beside the tables lies `about.json`: the probability of the intervals, the model, the
engine and the rule for text in CSV.

**Text in CSV.** A spreadsheet takes a cell for a formula when it starts with `=`, `+`,
`-`, `@` or a tab, and runs it, wherever the text came from. In CSV, text (and a
column's name) that starts with one of these, or with an apostrophe, gets one
apostrophe before it; a plain number such as `-1` is left as it is. Whoever reads the
file takes one leading apostrophe off and has the text back. Parquet and JSON hold the
text as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.csv

from consilience.deprecation import warn_renamed
from consilience.errors import OptionError, not_among
from consilience.posterior.fit import RENAMED, Fit
from consilience.posterior.results.soft_labels import soft_labels
from consilience.posterior.results.tables import TABLES, about, write_parquet
from consilience.responses.tables.id_types import restored
from consilience.when_used import xr
from consilience.whole_folder import whole_file, whole_folder

EXPORTS: Mapping[str, Callable[[xr.DataTree], pd.DataFrame]] = MappingProxyType(
    {**TABLES, "soft_labels": soft_labels}
)

type Format = Literal["csv", "parquet", "json"]

ABOUT = "about.json"

# The full-width forms are read as the plain ones by spreadsheets set to Japanese.
_FORMULA = re.compile("[=+\\-@\t\r\n'\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_RULE = (
    "text that starts with = + - @, a tab, a line break or an apostrophe has one more "
    "apostrophe before it, numbers excepted; take one leading apostrophe off"
)


def export(
    fit: Fit,
    what: Sequence[str],
    format: Format,
    folder: str | Path,
    *,
    tables: Mapping[str, pd.DataFrame] = MappingProxyType({}),
    prob: float | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Write tables of a fit to a folder, or one table to a file.

    If writing fails, nothing is left behind.

    Parameters
    ----------
    fit : Fit
        The fit.
    what : sequence of str
        Names of tables, from `EXPORTS` or `tables`.
    format : {"csv", "parquet", "json"}
        Format of the files; json is an array with one object per row.
    folder : str or Path
        The folder to create; or, with the suffix of the format, the file of one table.
    tables : mapping of str to pandas.DataFrame, optional
        Further tables by name, such as the result of `label_sets`.
    prob : float, optional
        Probability of the intervals; by default that of the fit (`Fit.with_prob`).
    overwrite : bool, default False
        Replace an earlier export. A folder that is not an export is never replaced.

    Returns
    -------
    list of Path
        The files of the tables.

    Raises
    ------
    OptionError
        If a table or the format does not exist, or a file would have to hold several
        tables or another format than its suffix.
    FolderExistsError
        If the destination exists and may not be replaced.
    CannotWriteError
        If the destination cannot be written.

    See Also
    --------
    consilience.Fit.save : Keep the whole fit.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> from consilience.posterior import export
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
    >>> fit = cs.fit(responses, model="dawid_skene")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = export(fit, ["items", "labels"], "csv", Path(folder) / "tables")
    >>> sorted(path.name for path in files)
    ['items.csv', 'labels.csv']
    """
    what = [_current(name) for name in ([what] if isinstance(what, str) else what)]
    there = [*EXPORTS, *tables]
    unknown = sorted(set(what) - set(there))
    if unknown:
        raise OptionError(not_among("table", unknown[0], there))
    if not what:
        msg = f"export: no table is named; name some of {_ALL}"
        raise OptionError(msg)
    if format not in _WRITERS:
        raise OptionError(not_among("format", format, _WRITERS))
    fit = fit if prob is None else fit.with_prob(prob)
    note, names, place = about(fit.data), list(dict.fromkeys(what)), Path(folder)
    if ending(place) is not None:
        if len(names) > 1 or ending(place) != format:
            msg = (
                f"export: {place} is the name of a {ending(place)} file, for one table,"
                f" but asked for are {', '.join(names)} as {format}; name a folder, or "
                "one table of that format"
            )
            raise OptionError(msg)
        with whole_file(place, overwrite=overwrite) as partial:
            _WRITERS[format](_table(fit, names[0], tables), partial, note)
        return [place]
    with whole_folder(place, replaceable=_is_export if overwrite else None) as partial:
        for name in names:
            frame = _table(fit, name, tables)
            _WRITERS[format](frame, partial / f"{name}.{format}", note)
        text = {**note, **({"text": _RULE} if format == "csv" else {})}
        (partial / ABOUT).write_text(
            json.dumps(text, indent=2) + "\n", encoding="utf-8"
        )
    return [place / f"{name}.{format}" for name in names]


def _current(name: str) -> str:
    if name in RENAMED:
        warn_renamed(name, RENAMED[name])
    return RENAMED.get(name, name)


def _table(fit: Fit, name: str, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    if name in tables:
        return tables[name]
    return restored(EXPORTS[name](fit.data), fit.types)


def ending(path: Path) -> Format | None:
    """Return the format that the ending of a file's name says; None: it says none."""
    return next((name for name in _WRITERS if path.suffix.lower() == f".{name}"), None)


def _is_export(folder: Path) -> bool:
    return (folder / ABOUT).is_file()


def export_table(
    frame: pd.DataFrame, path: str | Path, *, overwrite: bool = True
) -> None:
    """Write one table as a file, whole or not at all.

    Parameters
    ----------
    frame
        The table.
    path
        The file; its ending says the format: .csv, .parquet or .json.
    overwrite
        Replace a file that is there already.

    Raises
    ------
    OptionError
        The ending is another.
    FolderExistsError
        A file is there already, and `overwrite` is false.
    CannotWriteError
        If the destination cannot be written.
    """
    place = Path(path)
    format = ending(place)
    if format is None:
        msg = f"{path}: tables are written as .csv, .parquet or .json; fix the ending"
        raise OptionError(msg)
    with whole_file(place, overwrite=overwrite) as partial:
        _WRITERS[format](frame, partial, {})


def safe_text(text: str) -> str:
    """Mark text that a spreadsheet would take for a formula.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    The text, with an apostrophe before it where it needs one.
    """
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def _write_csv(frame: pd.DataFrame, path: Path, _: Mapping[str, str | float]) -> None:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    columns = [_safe_column(column) for column in table.columns]
    safe = pa.table(columns, names=[safe_text(name) for name in table.column_names])
    # Arrow's writer quotes all text, so that a null (an empty cell) and an empty text
    # (an empty cell in quotes) stay apart, and writes the shortest digits that give
    # the same number back.
    pyarrow.csv.write_csv(safe, path)


def _safe_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Mark a column's text; coded text once per name, however many rows bear it."""
    if pa.types.is_dictionary(column.type) and not _is_text(column.type.value_type):
        return column.cast(column.type.value_type)
    if pa.types.is_dictionary(column.type):
        return pa.chunked_array(
            [
                pa.DictionaryArray.from_arrays(
                    chunk.indices, _safe_array(chunk.dictionary)
                )
                for chunk in column.chunks
            ]
        )
    if _is_text(column.type):
        return pa.chunked_array(
            [_safe_array(chunk) for chunk in column.chunks], type=column.type
        )
    return column


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _safe_array(texts: pa.Array) -> pa.Array:
    return pa.array(
        [None if text is None else safe_text(text) for text in texts.to_pylist()],
        type=texts.type,
    )


def _write_json(frame: pd.DataFrame, path: Path, _: Mapping[str, str | float]) -> None:
    frame.to_json(
        path, orient="records", force_ascii=False, double_precision=15, indent=None
    )


_WRITERS: Mapping[
    Format, Callable[[pd.DataFrame, Path, Mapping[str, str | float]], None]
] = MappingProxyType({"csv": _write_csv, "parquet": write_parquet, "json": _write_json})
_ALL = ", ".join(EXPORTS)
