"""Folders with `labels.csv` (task, worker, label) and, if known, `truth.csv`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from consilience.errors import NoResponsesError, OptionError
from consilience.responses.load import Source, fingerprints
from consilience.responses.options import ReadOptions
from consilience.responses.probe import Probe
from consilience.responses.reader import Reader
from consilience.responses.readers.long import read_long
from consilience.responses.table import Responses


def read_crowd(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read a folder of labels and truth.

    Parameters
    ----------
    sources
        One folder.
    options
        As for a long table; `gold` defaults to the folder's truth.

    Raises
    ------
    OptionError
        If there is more than one folder.
    """
    if len(sources) != 1 or not isinstance(sources[0], Path):
        msg = f"format 'crowd' reads one folder; {len(sources)} sources were given"
        raise OptionError(msg)
    folder = sources[0]
    truth = folder / "truth.csv"
    if options.gold is None and truth.exists():
        options = replace(options, gold=truth)
    try:
        responses = read_long([folder / "labels.csv"], options)
    except NoResponsesError:
        if options.gold is not truth or not _is_empty(truth):
            raise
        responses = read_long([folder / "labels.csv"], replace(options, gold=None))
    more = fingerprints([truth]) if truth.exists() else {}
    return replace(responses, sources={**responses.sources, **more})


def _is_empty(truth: Path) -> bool:
    """Whether there is a header and nothing below: no truth is known."""
    with truth.open(encoding="utf-8-sig") as file:
        return len([line for _, line in zip(range(3), file) if line.strip()]) < 2


READER = Reader(
    name="crowd",
    what="a folder with labels.csv (task, worker, label) and truth.csv",
    sniff=lambda probe: 3 * _is_crowd(probe),
    read=read_crowd,
)


def _is_crowd(probe: Probe) -> bool:
    return "labels.csv" in probe.files
