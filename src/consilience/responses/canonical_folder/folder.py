"""The canonical folder: responses as Parquet files that are whole or absent.

`responses.parquet` holds the answers and, in its schema's metadata under the key
``consilience``, how they were read; `offered`, `items`, `labels` and `gold` stand
beside it where they are known.
"""

from dataclasses import asdict
from pathlib import Path

import msgspec
import pyarrow as pa
from pyarrow import parquet

from consilience.errors import FolderExistsError, UnreadableFileError
from consilience.responses.canonical_folder.columns import canonical_responses
from consilience.responses.options import Offer
from consilience.responses.quality.cleaning import Cleaning
from consilience.responses.sources.arrow_columns import NOT_WHOLE
from consilience.responses.sources.library_errors import readable
from consilience.responses.table import Responses
from consilience.responses.tables.text_table import check_names
from consilience.whole_folder import whole_folder

KEY = b"consilience"
SIDES = ("offered", "items", "labels", "gold")


class _Account(msgspec.Struct, frozen=True):
    """What the metadata holds."""

    offer: Offer
    assumptions: tuple[str, ...]
    cleaning: Cleaning
    sources: dict[str, str]
    types: dict[str, str] | None = None
    in_order: bool = False


def write(responses: Responses, folder: str | Path, *, overwrite: bool = False) -> Path:
    """Write responses as a canonical folder; if that fails, nothing is left behind.

    Parameters
    ----------
    responses : Responses
        The responses to write.
    folder : str or Path
        The folder to create.
    overwrite : bool, default False
        Replace a canonical folder that already exists.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    FolderExistsError
        If the folder exists and `overwrite` is false, or if it is not a canonical
        folder.
    CannotWriteError
        If the folder cannot be written.

    See Also
    --------
    read : Read a canonical folder, or any other source.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     folder = cs.write(responses, Path(parent) / "study")
    ...     again = cs.read(folder)
    >>> again.num_responses == responses.num_responses
    True
    """
    folder = Path(folder)

    def replaceable(place: Path) -> bool:
        _check_replaceable(place, folder, overwrite=overwrite)
        return True

    with whole_folder(folder, replaceable=replaceable) as partial:
        _write_files(responses, partial)
    return folder


def read_folder(folder: str | Path) -> Responses:
    """Read a canonical folder."""
    folder = Path(folder)
    main = folder / "responses.parquet"
    if not main.exists():
        msg = f"{folder}: holds no responses.parquet; name a folder written by read"
        raise UnreadableFileError(msg)
    tables = {
        name: _read_file(folder / f"{name}.parquet")
        for name in ("responses", *SIDES)
        if (folder / f"{name}.parquet").exists()
    }
    metadata = (tables["responses"].schema.metadata or {}).get(KEY)
    account = None
    if metadata is not None:
        with readable(str(main), "its metadata is broken", "write the folder again"):
            account = msgspec.json.decode(metadata, type=_Account)
    return canonical_responses(
        tables,
        folder,
        offer=account.offer if account else None,
        assumptions=account.assumptions if account else (),
        cleaning=account.cleaning if account else None,
        sources=account.sources if account else {},
        types=account.types if account else None,
        in_order=account.in_order if account else False,
    )


def _check_replaceable(place: Path, folder: Path, *, overwrite: bool) -> None:
    empty = place.is_dir() and not any(place.iterdir())
    ours = (place / "responses.parquet").exists()
    if empty or (overwrite and ours):
        return
    what = "already exists" if ours else "exists and is not a responses folder"
    how = "pass `overwrite=True` to replace it, or " if ours else ""
    msg = f"{folder} {what}; {how}choose another name"
    raise FolderExistsError(msg)


def _write_files(responses: Responses, part: Path) -> None:
    account = {
        "offer": responses.offer,
        "assumptions": responses.assumptions,
        "cleaning": asdict(responses.cleaning),
        "sources": dict(responses.sources),
        "types": dict(responses.types),
        "in_order": responses.in_order,
    }
    table = pa.Table.from_pandas(responses.typed(), preserve_index=False)
    metadata = {**(table.schema.metadata or {}), KEY: msgspec.json.encode(account)}
    table = table.replace_schema_metadata(metadata)
    parquet.write_table(table, part / "responses.parquet", compression="zstd")
    for name in SIDES:
        side = responses.typed(name)
        if side is not None:
            side.to_parquet(part / f"{name}.parquet", index=False, compression="zstd")


def _read_file(path: Path) -> pa.Table:
    with readable(str(path), NOT_WHOLE):
        table = parquet.ParquetFile(path).read()
    names = check_names(table.column_names, str(path))
    return table.rename_columns(names).replace_schema_metadata(table.schema.metadata)
