"""The canonical folder of responses itself."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from consilience.errors import OptionError
from consilience.responses.canonical_folder import read_folder
from consilience.responses.draft import Reader
from consilience.responses.options import ReadOptions
from consilience.responses.sources.load import Source
from consilience.responses.table import Responses


def read_canonical(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read one canonical folder; all but the kind was settled when it was written."""
    if len(sources) != 1 or not isinstance(sources[0], Path):
        msg = f"format 'responses' reads one folder; {len(sources)} sources were given"
        raise OptionError(msg)
    # Frames are not compared.
    beside = (options.gold, options.offered, options.labels, options.items)
    rest = replace(options, gold=None, offered=None, labels=None, items=None)
    if any(value is not None for value in beside) or rest != ReadOptions(
        kind=rest.kind
    ):
        msg = (
            f"{sources[0]} is a folder of responses: its columns, offer and repeats "
            "were settled when it was written; read the export again to change them"
        )
        raise OptionError(msg)
    responses = read_folder(sources[0])
    return responses if options.kind is None else responses.of_kind(options.kind)


READER = Reader(
    name="responses",
    what="a folder written by this program (responses.parquet and more)",
    sniff=lambda probe: 3 * ("responses.parquet" in probe.files),
    read=read_canonical,
)
