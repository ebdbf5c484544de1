"""The folder of `sbc`, from which an interrupted check continues.

- `sbc.toml`: the settings; a folder holds the results of one.
- `fits/MODEL-ENGINE/`: positions and tallies of all studies, whole or not at all.
- `parameters.parquet`, `truth.parquet`: the verdicts on all of them.
"""

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w

from consilience.checks.simulated_fits import SimulatedFits
from consilience.cli.terminal import check_free
from consilience.errors import FolderExistsError
from consilience.whole_folder import clean_path, whole_files, whole_folder

MARKER = "sbc.toml"


@contextmanager
def open_folder(
    out: Path | None, settings: Mapping[str, Any], *, overwrite: bool
) -> Iterator[Path | None]:
    """Make the folder, or see that it holds results of the same settings.

    Results of other settings are replaced, if they may be, once these are complete.
    """
    if out is None:
        yield None
        return
    text = tomli_w.dumps(settings)
    clean_path(out)
    if _is_ours(out):
        stored = tomllib.loads((out / MARKER).read_text(encoding="utf-8"))
        if stored == tomllib.loads(text):
            yield out
            return
        if not overwrite:
            apart = [name for name in settings if stored.get(name) != settings[name]]
            msg = (
                f"{out}: holds results with other settings ({', '.join(apart)}); "
                "choose another name for --out, or pass --overwrite to replace it"
            )
            raise FolderExistsError(msg)
        with whole_folder(out, replaceable=_is_ours) as partial:
            (partial / MARKER).write_text(text, encoding="utf-8")
            yield partial
        return
    check_free(out, marker=MARKER, overwrite=False)
    with whole_folder(out) as partial:
        (partial / MARKER).write_text(text, encoding="utf-8")
    yield out


def load_study(folder: Path | None) -> SimulatedFits | None:
    """Return what an earlier run gave for a model and an engine, or None."""
    if folder is None or not folder.is_dir():
        return None
    stored = tomllib.loads((folder / "study.toml").read_text(encoding="utf-8"))
    return SimulatedFits(
        ranks=pd.read_parquet(folder / "ranks.parquet"),
        items=pd.read_parquet(folder / "items.parquet"),
        failed=tuple(stored["failed"]),
        one_state=stored["one_state"],
        seconds=stored["seconds"],
    )


def save_study(folder: Path | None, study: SimulatedFits) -> None:
    """Write what the fits of a model by an engine gave."""
    if folder is None:
        return
    summary = {
        "failed": list(study.failed),
        "one_state": study.one_state,
        "seconds": study.seconds,
    }
    with whole_folder(folder) as partial:
        study.ranks.to_parquet(partial / "ranks.parquet", index=False)
        study.items.to_parquet(partial / "items.parquet", index=False)
        (partial / "study.toml").write_text(tomli_w.dumps(summary), encoding="utf-8")


def write_tables(out: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write the tables of all models and engines."""
    with whole_files(out) as partial:
        for name, table in tables.items():
            table.to_parquet(partial / f"{name}.parquet", index=False)


def _is_ours(folder: Path) -> bool:
    return (folder / MARKER).is_file()
