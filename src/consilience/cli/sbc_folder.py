"""What `sbc` keeps on disk, so that it goes on where it was interrupted.

- `sbc.toml`: the settings; a folder holds the results of one.
- `fits/MODEL-ENGINE/`: positions and tallies of all studies, whole or not at all.
- `parameters.parquet`, `truth.parquet`, `table.md`: the tables of all of them.
"""

import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w

from consilience.checks.simulated_fits import Study
from consilience.cli.terminal import check_free
from consilience.errors import FolderExistsError
from consilience.whole_folder import whole_folder

MARKER = "sbc.toml"


def open_folder(out: Path, settings: Mapping[str, Any], *, overwrite: bool) -> None:
    """Make the folder, or see that it is of these settings.

    Parameters
    ----------
    out
        The folder.
    settings
        What its results depend on.
    overwrite
        Whether results of other settings may be thrown away.

    Raises
    ------
    FolderExistsError
        It is there and holds something else.
    CannotWriteError
        It cannot be written.
    """
    if out.exists() and (out / MARKER).is_file():
        text = (out / MARKER).read_text(encoding="utf-8")
        found = tomllib.loads(text)
        if found == tomllib.loads(tomli_w.dumps(settings)):
            return
        if not overwrite:
            apart = [name for name in settings if found.get(name) != settings[name]]
            msg = (
                f"{out}: holds results with other settings ({', '.join(apart)}); "
                "choose another name for --out, or pass --overwrite to replace it"
            )
            raise FolderExistsError(msg)
        shutil.rmtree(out)
    check_free(out, marker=MARKER, overwrite=False)
    with whole_folder(out) as partial:
        (partial / MARKER).write_text(tomli_w.dumps(settings), encoding="utf-8")


def kept(out: Path | None, model: str, engine: str) -> Study | None:
    """Return what an earlier run found, or None."""
    folder = None if out is None else _place(out, model, engine)
    if folder is None or not folder.is_dir():
        return None
    told = tomllib.loads((folder / "study.toml").read_text(encoding="utf-8"))
    return Study(
        ranks=pd.read_parquet(folder / "ranks.parquet"),
        items=pd.read_parquet(folder / "items.parquet"),
        failed=tuple(told["failed"]),
        one_state=told["one_state"],
        seconds=told["seconds"],
    )


def keep(out: Path | None, model: str, engine: str, study: Study) -> None:
    """Write what was found for a model and an engine."""
    if out is None:
        return
    told = {
        "failed": list(study.failed),
        "one_state": study.one_state,
        "seconds": study.seconds,
    }
    with whole_folder(_place(out, model, engine)) as partial:
        study.ranks.to_parquet(partial / "ranks.parquet", index=False)
        study.items.to_parquet(partial / "items.parquet", index=False)
        (partial / "study.toml").write_text(tomli_w.dumps(told), encoding="utf-8")


def write_tables(out: Path, tables: Mapping[str, pd.DataFrame], text: str) -> None:
    """Write the tables of all models and engines."""
    for name, table in tables.items():
        table.to_parquet(out / f"{name}.parquet", index=False)
    (out / "table.md").write_text(text, encoding="utf-8")


def _place(out: Path, model: str, engine: str) -> Path:
    return out / "fits" / f"{model}-{engine}"
