"""The run folder: the only file that reads or writes a fit.

A run needs nothing else to be read again:

- `run.toml`: options as resolved, versions, seed, assumptions, SHA-256 of every input;
- `fit.nc`: the DataTree, as netCDF 4;
- `tables/*.parquet`: the tables, for those who want no more.

None of these formats can hold code, so loading a stranger's run executes nothing.
"""

from __future__ import annotations

import importlib.metadata
import io
import json
import platform
import tomllib
from pathlib import Path
from typing import Any

import tomli_w

from consilience.errors import SourceError
from consilience.posterior.stored import JOINT_DRAWS
from consilience.posterior.tables import TABLES, about, names_of, write_parquet
from consilience.responses.id_types import Types, restored
from consilience.when_used import xr
from consilience.whole_folder import whole_folder

# Counts up when an older program could misread the folder.
LAYOUT = 2

_TEXTS = ("version", "model", "engine", "engine_reason", "kind")
# Joint draws are alike in most items.
_SMALL = {"zlib": True, "complevel": 4}

# The packages whose arithmetic stands behind the numbers.
_STACK = ("jax", "jaxlib", "numpyro", "numpy", "scipy", "arviz-stats", "xarray")


def write(
    fitted: xr.DataTree, types: Types, folder: str | Path, *, overwrite: bool = False
) -> None:
    """Write the run folder, whole or not at all."""
    place = Path(folder)
    with whole_folder(place, replaceable=is_run if overwrite else None) as partial:
        data, seconds = _without_seconds(fitted)
        size = _write_netcdf(data, partial / "fit.nc")
        tables = partial / "tables"
        tables.mkdir()
        for name in names_of(data):
            frame = restored(TABLES[name](data), types)
            write_parquet(frame, tables / f"{name}.parquet", about(data))
        for name, record in (("run", _record(data, size)), ("seconds", seconds)):
            text = tomli_w.dumps(record)
            (partial / f"{name}.toml").write_text(text, encoding="utf-8")


def read(folder: str | Path) -> xr.DataTree:
    """Read a run folder."""
    place = Path(folder)
    if not is_run(place):
        raise SourceError(_what_is_missing(place))
    record = _read_record(place / "run.toml")
    layout, size = record.get("layout"), record.get("fit_bytes")
    if layout not in range(1, LAYOUT + 1):
        raise SourceError(
            f"{place / 'run.toml'}: layout is {layout!r}, this version reads {LAYOUT}; "
            f"read it with consilience {record.get('version', 'that wrote it')}"
        )
    path = place / "fit.nc"
    actual = path.stat().st_size
    if actual != size:
        raise SourceError(
            f"{path}: {actual} bytes where {size} were written; use an intact copy, or "
            "fit again"
        )
    try:
        with xr.open_datatree(path, engine="h5netcdf") as tree:
            return _with_seconds(tree.load(), place / "seconds.toml")
    # A damaged HDF5 file surfaces as whatever the byte that was hit happened to mean.
    except (OSError, ValueError, KeyError, RuntimeError, UnicodeError) as error:
        raise SourceError(
            f"{path}: damaged ({error}); use an intact copy, or fit again"
        ) from error


def _without_seconds(data: xr.DataTree) -> tuple[xr.DataTree, dict[str, Any]]:
    """Return a fit without what differs between equal runs, and the seconds."""
    changed, seconds = data.copy(), {"fit": float(data.attrs["seconds"])}
    # The name of a model of one's own has the model with it, which is no text.
    plain = {k: str(v) if isinstance(v, str) else v for k, v in data.attrs.items()}
    changed.attrs = {**plain, "seconds": 0.0}
    if "comparison" in data.children:
        compared = data["comparison"].to_dataset()
        models = compared["model"].to_numpy().astype(str)
        took = compared["seconds"].to_numpy().astype(float)
        seconds |= dict(zip(models.tolist(), took.tolist(), strict=True))
        timeless = compared.assign(seconds=0 * compared["seconds"])
        changed["comparison"] = xr.DataTree(timeless)
    return changed, {"seconds": seconds}


def _with_seconds(data: xr.DataTree, file: Path) -> xr.DataTree:
    """Return a fit with the seconds that a file has, if it is there."""
    if not file.is_file():
        return data
    seconds = _read_record(file)["seconds"]
    data.attrs["seconds"] = seconds["fit"]
    if "comparison" in data.children:
        compared = data["comparison"].to_dataset()
        took = [seconds[str(model)] for model in compared["model"].to_numpy()]
        timed = compared.assign(seconds=("candidate_model", took))
        data["comparison"] = xr.DataTree(timed)
    return data


def is_run(folder: Path) -> bool:
    """Say whether a folder looks like a run."""
    return all((folder / name).is_file() for name in ("run.toml", "fit.nc"))


def _write_netcdf(data: xr.DataTree, file: Path) -> int:
    """Write the fit by way of memory, since HDF5 does not survive a full disk."""
    small = {f"/{JOINT_DRAWS}": dict.fromkeys(("hundredths", "facts"), _SMALL)}
    encoding = small if JOINT_DRAWS in data.children else None
    memory = io.BytesIO()
    data.to_netcdf(memory, engine="h5netcdf", encoding=encoding)
    return file.write_bytes(memory.getvalue())


def _record(data: xr.DataTree, fit_bytes: int) -> dict[str, Any]:
    attributes = data.attrs
    versions = {"python": platform.python_version()}
    for package in _STACK:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "layout": LAYOUT,
        **{name: str(attributes[name]) for name in _TEXTS},
        "seed": int(attributes["seed"]),
        "prob": float(attributes["prob"]),
        "fit_bytes": fit_bytes,
        "assumptions": json.loads(attributes["assumptions"]),
        "settings": _without_null(json.loads(attributes["settings"])),
        "sources": json.loads(attributes["sources"]),
        "versions": versions,
    }


def _without_null(settings: Any) -> Any:
    """TOML has no null: a setting that was left open is left out."""
    if isinstance(settings, dict):
        return {
            key: _without_null(value)
            for key, value in settings.items()
            if value is not None
        }
    if isinstance(settings, list):
        return [_without_null(value) for value in settings if value is not None]
    return settings


def _read_record(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SourceError(
            f"{path}: damaged ({error}); use an intact copy, or fit again"
        ) from error


def _what_is_missing(folder: Path) -> str:
    if not folder.exists():
        return f"{folder}: not found; give the folder that a fit was saved to"
    if not folder.is_dir():
        return f"{folder}: a file, not the folder of a run; give the folder around it"
    absent = [n for n in ("run.toml", "fit.nc") if not (folder / n).is_file()]
    return (
        f"{folder}: no run, it has no {' and no '.join(absent)}; give the folder that "
        "a fit was saved to"
    )
