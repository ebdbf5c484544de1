"""Folders with `labels.csv` (task, worker, label) and, if known, `truth.csv`."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from consilience.errors import OptionError
from consilience.responses.assemble import assemble
from consilience.responses.columns.long_table import long_draft
from consilience.responses.draft import Reader
from consilience.responses.options import ReadOptions
from consilience.responses.sources.load import Probe, Source, fingerprints, load_tables
from consilience.responses.table import Responses


def read_crowd(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read a folder of labels and truth."""
    if len(sources) != 1 or not isinstance(sources[0], Path):
        msg = f"format 'crowd' reads one folder; {len(sources)} sources were given"
        raise OptionError(msg)
    folder = sources[0]
    truth = folder / "truth.csv"
    if options.gold is None and _has_rows(truth):
        options = replace(options, gold=truth)
    if options.repeats == "keep":
        options = replace(options, repeats="all")
    files = [folder / "labels.csv", *([truth] if truth.exists() else [])]
    table = load_tables(files[:1], options)
    return assemble(long_draft(table, options, fingerprints(files)), options)


def _has_rows(truth: Path) -> bool:
    """Whether there is a truth and not only its header."""
    if not truth.exists():
        return False
    with truth.open("rb") as file:
        return sum(bool(line.strip()) for line in islice(file, 20)) > 1


READER = Reader(
    name="crowd",
    what="a folder with labels.csv (task, worker, label) and truth.csv",
    sniff=lambda probe: 3 * _is_crowd(probe),
    read=read_crowd,
)


def _is_crowd(probe: Probe) -> bool:
    return "labels.csv" in probe.files
