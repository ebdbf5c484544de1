"""A fit's tables as files for other programs.

Beside the tables in a folder lies `about.json`: the probability of the intervals, the
model, the engine, what each column means and, for CSV, the rule for text (see `files`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from consilience.errors import OptionError, not_among
from consilience.posterior.files import (
    CSV_RULE,
    SEVERAL,
    WRITERS,
    write_dataset,
    write_predictions,
)
from consilience.posterior.fit import Fit
from consilience.posterior.labels import labels, soft_labels
from consilience.posterior.tables import ASKED, TABLES, about
from consilience.responses.id_types import restored
from consilience.tables.catalogue import meanings
from consilience.when_used import xr
from consilience.whole_folder import whole_file, whole_folder

EXPORTS: Mapping[str, Callable[[xr.DataTree], pd.DataFrame]] = MappingProxyType(
    {**TABLES, **ASKED, "soft_labels": soft_labels}
)

FORMATS = (*WRITERS, "huggingface", "label_studio")
ABOUT = "about.json"


def export(  # noqa: PLR0913 (each option stands alone)
    fit: Fit,
    what: Sequence[str],
    format: str,
    out: str | Path,
    *,
    tables: Mapping[str, pd.DataFrame] = MappingProxyType({}),
    prob: float | None = None,
    tasks: str | Path | None = None,
    item: str | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Write tables of a fit to a folder or a file, for other programs.

    If writing fails, nothing is left behind.

    Parameters
    ----------
    fit : Fit
        The fit.
    what : sequence of str
        Names of tables, from `EXPORTS` or `tables`.
    format : {"csv", "parquet", "json", "xlsx", "huggingface", "label_studio"}
        Format of the files. json is an array with one object per row, or for several
        tables in one file an object of such arrays; huggingface is a folder that
        ``datasets.load_dataset`` loads; label_studio is the file of `tasks` with the
        labels of the fit as predictions.
    out : str or Path
        The folder to create; or, with the suffix of the format, one file: of one table,
        or of all of them (json, xlsx).
    tables : mapping of str to pandas.DataFrame, optional
        Further tables by name, such as the result of `label_sets`.
    prob : float, optional
        Probability of the intervals; by default that of the fit (`Fit.with_`).
    tasks : str or Path, optional
        Export of the Label Studio project as JSON, or its tasks.
    item : str, optional
        Field of the tasks' data that names the item; recognized by default.
    overwrite : bool, default False
        Replace an earlier export. A folder that is not an export is never replaced.

    Returns
    -------
    list of Path
        The files of the tables.

    Raises
    ------
    OptionError
        If a table or the format does not exist, a file would have to hold several
        tables or another format than its suffix, or the tasks are not those of the fit.
    FolderExistsError
        If the destination exists and may not be replaced.
    CannotWriteError
        If the destination cannot be written.

    See Also
    --------
    consilience.Fit.save : Keep the whole fit.
    consilience.report : Show the fit on one HTML page.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> fit = cs.fit(study(0, num_photos=30).responses(), model="dawid_skene")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = cs.export(fit, ["items", "labels"], "csv", Path(folder) / "tables")
    >>> sorted(path.name for path in files)
    ['items.csv', 'labels.csv']
    """
    what = [what] if isinstance(what, str) else list(what)
    there = [*EXPORTS, *tables]
    unknown = sorted(set(what) - set(there))
    if unknown:
        raise OptionError(not_among("table", unknown[0], there))
    if format not in FORMATS:
        raise OptionError(not_among("format", format, FORMATS))
    if not what and format != "label_studio":
        raise OptionError(f"export: no table is named; name some of {', '.join(there)}")
    if (tasks is not None) != (format == "label_studio"):
        raise OptionError(
            "export: the format label_studio adds predictions to the tasks of a "
            'project; give `format="label_studio"` and `tasks=` together'
        )
    fit = fit.with_(prob=prob)
    names = list(dict.fromkeys(what))
    place, note = Path(out), {**about(fit.data), **meanings(*names)}
    several = fit.data.attrs["kind"] != "choice"
    if tasks is not None:
        table = labels(fit.data)
        with whole_file(place, overwrite=overwrite) as partial:
            write_predictions(
                table, partial, Path(tasks), note, several=several, item=item
            )
        return [place]
    # Labels of a data set to train on stay text: they become codes.
    types = {} if format == "huggingface" else fit.types
    frames = {
        name: tables[name]
        if name in tables
        else restored(EXPORTS[name](fit.data), types)
        for name in names
    }
    if ending(place) is not None:
        _check_one_file(names, format, place)
        with whole_file(place, overwrite=overwrite) as partial:
            if len(names) > 1 or format == "xlsx":
                SEVERAL[format](frames, partial, note)
            else:
                WRITERS[format](frames[names[0]], partial, note)
        return [place]
    with whole_folder(place, replaceable=ABOUT if overwrite else None) as partial:
        if format == "huggingface":
            vocabulary = list(labels(fit.data)["label"].cat.categories)
            write_dataset(frames, partial, note, vocabulary, several=several)
        else:
            for name, frame in frames.items():
                WRITERS[format](frame, partial / f"{name}.{format}", note)
        text = {**note, **({"text": CSV_RULE} if format == "csv" else {})}
        about_it = json.dumps(text, indent=2)
        (partial / ABOUT).write_text(f"{about_it}\n", encoding="utf-8")
    suffix = "parquet" if format == "huggingface" else format
    return [place / f"{name}.{suffix}" for name in names]


def _check_one_file(names: Sequence[str], format: str, place: Path) -> None:
    if ending(place) == format and (len(names) == 1 or format in SEVERAL):
        return
    raise OptionError(
        f"export: {place} is the name of a {ending(place)} file, but asked for are "
        f"{', '.join(names)} as {format}; name a folder, one table of that format, or "
        f"a file of {' or '.join(SEVERAL)}, which holds several"
    )


def ending(path: Path) -> str | None:
    """Return the format that the ending of a file's name says; None: it says none."""
    return next((name for name in WRITERS if path.suffix.lower() == f".{name}"), None)


def export_table(
    frame: pd.DataFrame, path: str | Path, *, overwrite: bool = True
) -> None:
    """Write one table as a file, whole or not at all."""
    place = Path(path)
    format = ending(place)
    if format is None:
        endings = ", ".join(f".{name}" for name in WRITERS)
        raise OptionError(f"{path}: tables are written as {endings}; fix the ending")
    with whole_file(place, overwrite=overwrite) as partial:
        WRITERS[format](frame, partial, {})
