"""Answers by task and worker: `labels.csv` of crowd studies, `answers.json`.

A crowd folder has `labels.csv` (task, worker, label) and, if known, `truth.csv`;
peerannot's file is ``{task: {worker: label}}``.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from consilience.errors import SourceError
from consilience.responses.assemble import assemble
from consilience.responses.columns.long import long_draft
from consilience.responses.draft import Account, Draft
from consilience.responses.format_table import Reader
from consilience.responses.options import ReadOptions
from consilience.responses.sources.arrow_columns import cell_text
from consilience.responses.sources.frames import Source, only_path
from consilience.responses.sources.json_file import read_json
from consilience.responses.sources.opening import fingerprints, load_tables
from consilience.responses.table import Responses
from consilience.responses.text import Coded


def read_crowd(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read a folder of labels and truth."""
    folder = only_path(sources, "crowd", "folder")
    truth = folder / "truth.csv"
    if options.gold is None and truth.exists():
        with truth.open("rb") as file:
            lines = sum(bool(line.strip()) for line in islice(file, 20))
        # There may be a header and no truth.
        options = replace(options, gold=truth if lines > 1 else None)
    if options.repeats == "keep":
        options = replace(options, repeats="all")
    files = [folder / "labels.csv", *([truth] if truth.exists() else [])]
    table = load_tables(files[:1], options)
    responses = assemble(long_draft(table, options), options)
    return replace(responses, sources=fingerprints(files))


def read_peerannot(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read one file of answers."""
    path = only_path(sources, "peerannot", "file")
    tasks = read_json(path)
    if not isinstance(tasks, dict) or not all(
        isinstance(answers, dict) for answers in tasks.values()
    ):
        msg = f"{path}: expected {{task: {{worker: label}}}}; name another format"
        raise SourceError(msg)
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
        account=Account(unit="answers", read=len(rows)),
        kind="choice",
        item=Coded.of(items),
        annotator=Coded.of(workers),
        label=Coded.of(labels),
        row=np.arange(len(rows)),
        where=lambda row: f"{path}, task {items[row]}, worker {workers[row]}",
        more_items=list(map(str, tasks)),
    )
    return assemble(draft, options)


READER = Reader(
    name="crowd",
    what="a folder with labels.csv (task, worker, label) and truth.csv",
    read=read_crowd,
)
PEERANNOT = Reader(
    name="peerannot",
    what="peerannot's answers.json ({task: {worker: label}})",
    read=read_peerannot,
)
