"""The public data that some benchmarks read: where it is, what to say without it."""

import os
from pathlib import Path

from benchmarks.report import Report


def public_data(*names: str, quick: bool) -> Path | None:
    """Return the folder of public data, or None where it is not to be read.

    Parameters
    ----------
    names
        Parts of it that are needed.
    quick
        Whether the run is one without figures, which reads none.
    """
    folder = Path(os.environ.get("CONSILIENCE_DATA", "data"))
    there = all((folder / name).exists() for name in names)
    return folder if there and not quick else None


def not_run(title: str) -> Report:
    """Return the report of a benchmark that had no data to read."""
    return Report(title, [{"what": "not run (quick, or no CONSILIENCE_DATA)"}], ())
