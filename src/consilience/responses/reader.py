"""What a reader of a format is: a name, a glance and a reading."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consilience.responses.options import ReadOptions
from consilience.responses.sources.load import Source
from consilience.responses.sources.probe import Probe
from consilience.responses.table import Responses


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A format that can be read.

    Parameters
    ----------
    name
        What a caller passes as format.
    what
        One line for lists of formats.
    sniff
        Confidence of the reader that it can read a source: 0 no, 1 may be, 2 likely,
        3 certain.
    read
        Reads sources of this format.
    questions
        Whether a source may hold several questions, of which one is chosen.
    """

    name: str
    what: str
    sniff: Callable[[Probe], int]
    read: Callable[[Sequence[Source], ReadOptions], Responses]
    questions: bool = False
