"""What a reader of a format is: a name, a glance and a reading."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consilience.responses.options import ReadOptions
from consilience.responses.sources.load import Source
from consilience.responses.sources.probe import Probe
from consilience.responses.table import Responses


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A format that can be read."""

    name: str
    what: str
    sniff: Callable[[Probe], int]
    read: Callable[[Sequence[Source], ReadOptions], Responses]
    questions: bool = False
