"""peerannot's `answers.json`: ``{task: {worker: label}}``."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from consilience.errors import OptionError, UnreadableFileError
from consilience.responses.assemble import assemble
from consilience.responses.draft import Draft, Reader
from consilience.responses.options import ReadOptions
from consilience.responses.sources.arrow_columns import cell_text
from consilience.responses.sources.json_file import read_json
from consilience.responses.sources.load import Probe, Source, fingerprints
from consilience.responses.table import Responses
from consilience.responses.tables.coding import encode_texts


def read_peerannot(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read one file of answers."""
    if len(sources) != 1 or not isinstance(sources[0], Path):
        msg = f"format 'peerannot' reads one file; {len(sources)} sources were given"
        raise OptionError(msg)
    path = sources[0]
    tasks = read_json(path)
    if not isinstance(tasks, dict) or not all(
        isinstance(answers, dict) for answers in tasks.values()
    ):
        msg = f"{path}: expected {{task: {{worker: label}}}}; name another format"
        raise UnreadableFileError(msg)
    rows = [
        (
            str(task),
            str(worker),
            cell_text(label, f"{path}, task {task}, worker {worker}"),
        )
        for task, answers in tasks.items()
        for worker, label in answers.items()
    ]
    items, workers, labels = zip(*rows, strict=True) if rows else ((), (), ())
    draft = Draft(
        kind="choice",
        item=encode_texts(items),
        annotator=encode_texts(workers),
        label=encode_texts(labels),
        row=np.arange(len(rows)),
        where=lambda row: f"{path}, task {items[row]}, worker {workers[row]}",
        num_read=len(rows),
        unit="answers",
        more_items=list(map(str, tasks)),
        sources=fingerprints(sources),
    )
    return assemble(draft, options)


_NAME = rb'\s*"(?:[^"\\]|\\.)*"\s*'


def _sniff(probe: Probe) -> int:
    return 3 * bool(re.match(rb"\{%b:\s*\{%b:\s*\d" % (_NAME, _NAME), probe.start))


READER = Reader(
    name="peerannot",
    what="peerannot's answers.json ({task: {worker: label}})",
    sniff=_sniff,
    read=read_peerannot,
)
