"""Small formats: counts of each answer, without saying who; and answers by task.

Four shapes are known: `item`, `label`, `n`; `item`, `label`, `n_yes`, `n_shown` and, if
asked, `n_maybe` (contains); a matrix of items by labels; and patterns of a wide table
with a last column `n` (how many items had that pattern).

**Crowds: answers by task and worker.** A crowd folder has `labels.csv` (task, worker,
label) and, if known, `truth.csv`; peerannot's file is ``{task: {worker: label}}``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from consilience.errors import DataError, SourceError
from consilience.ragged import places_within
from consilience.responses.assemble import assemble
from consilience.responses.columns import cells
from consilience.responses.columns.beside import column_looks
from consilience.responses.columns.cells import counts, long_cells
from consilience.responses.columns.long import ANONYMOUS, long_draft
from consilience.responses.columns.names import find
from consilience.responses.columns.wide import (
    item_and_label_types,
    lead_column,
    name_index,
)
from consilience.responses.draft import Account, Draft
from consilience.responses.format_table import Reader
from consilience.responses.options import ReadOptions
from consilience.responses.side_tables import label_frame
from consilience.responses.sources.arrow_columns import cell_text
from consilience.responses.sources.frames import Source, only_path
from consilience.responses.sources.json_file import read_json
from consilience.responses.sources.opening import fingerprints, load_tables
from consilience.responses.table import Responses
from consilience.responses.text import Coded, TextTable, recode, text_array

_MAX_CELLS = 10_000_000


def read_counts(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read counts of answers in any of the four shapes."""
    table = load_tables([name_index(source, options) for source in sources], options)
    names = table.names
    item = find(names, "item", options.columns.item, table.source)
    rest = [name for name in names if name != item]
    label = find(rest, "label", options.columns.label, table.source)
    n = find(rest, "n", options.columns.n, table.source)
    counted = cells.columns_of_counts(table)
    if item and label and "yes" in counted and {"no", "shown"} & set(counted):
        draft = _yes_of_shown(table, item, label, counted)
    elif item and label and n:
        draft = long_draft(table, options)
    elif n and not item and n == names[-1]:
        draft = _patterns(table, n)
    else:
        draft = _matrix(table, options)
    return assemble(draft, options)


def _yes_of_shown(
    table: TextTable, item: str, label: str, columns: Mapping[str, str]
) -> Draft:
    """Yes, maybe and no of those who were shown the label."""
    every = np.arange(table.num_rows)
    number = {
        what: cells.counts(table.single(name), table, every, zero=True)
        for what, name in columns.items()
    }
    yes, maybe = number["yes"], number.get("maybe", 0 * every)
    shown = number.get("shown", yes + maybe + number.get("no", 0))
    no = shown - yes - maybe
    wrong = (no < 0) | (no != number.get("no", no))
    if wrong.any():
        row = int(wrong.argmax())
        shares = ", ".join(f"{number[what][row]} {what}" for what in number)
        raise DataError(
            f"{table.where(row)}: {shares}; expected as many answers as were shown, "
            "and no more; fix the row"
        )
    n = np.stack([no, maybe, yes], axis=1)  # the order of the answers' codes
    rows, answer = np.nonzero(n)
    roles = {item: "item", label: "label"}
    roles |= dict.fromkeys(columns.values(), "n")
    unused = [name for name in table.names if name not in roles]
    unasked = int((n.sum(axis=1) == 0).sum())
    account = Account(
        read=table.num_rows,
        notes=[f"{unasked:,} rows were shown to nobody"] * bool(unasked),
        columns=roles,
        unused=column_looks(table, unused),
        assumptions=[ANONYMOUS],
    )
    account.notes.extend(table.notes)
    return Draft(
        account=account,
        kind="contains",
        item=table.single(item).take(rows),
        annotator=Coded.nothing(len(rows)),
        label=table.single(label).take(rows),
        answer=answer.astype(np.int8),
        worded=False,
        n=n[rows, answer],
        row=rows,
        where=table.where,
        more_items=[v for v in table.single(item).values.to_pylist() if v],
        types={"item": table.types.get(item), "label": table.types.get(label)},
    )


def _matrix(table: TextTable, options: ReadOptions) -> Draft:
    """Read counts in a matrix of items by labels."""
    account = Account(unit="items", read=table.num_rows, assumptions=[ANONYMOUS])
    item, labels = lead_column(
        table, options.columns.item, account, header=options.header
    )
    listed = f"each column is a label: {', '.join(labels[:12])}"
    account.notes.extend([listed, *table.notes])
    account.columns.update({n: "item" for n in table.names if n not in labels})
    account.columns.update(dict.fromkeys(labels, "n"))
    rows, columns, cell = long_cells(table, labels)
    full = cell.codes >= 0
    n = np.zeros(len(rows), np.int64)
    n[full] = counts(cell.take(full), table, rows[full], zero=True)
    given = n > 0
    return Draft(
        account=account,
        kind="choice",
        item=item.take(rows[given]),
        annotator=Coded.nothing(int(given.sum())),
        label=Coded(columns[given].astype(np.int32), text_array(labels)),
        n=n[given],
        row=rows[given],
        where=table.where,
        labels=label_frame(labels),
        more_items=item.values.to_pylist(),
        types={"item": item_and_label_types(table, labels)["item"]},
    )


def _patterns(table: TextTable, n: str) -> Draft:
    """Patterns of ratings and how many items had each."""
    raters = [name for name in table.names if name != n]
    every = np.arange(table.num_rows)
    copies = counts(table.single(n), table, every, zero=True)
    rows, columns, label = long_cells(table, raters)
    total = float(copies.sum(dtype=float))
    if total * len(raters) > _MAX_CELLS:  # items must fit in memory
        row = int(copies.argmax())
        raise DataError(
            f"{table.where(row)}: {copies[row]:,} items of one pattern, {total:,.0f} "
            f"in all; at most {_MAX_CELLS:,} answers can be unrolled; read a sample, "
            "or give counts as item, label and n"
        )
    times = copies[rows] * (label.codes >= 0)
    which = np.repeat(np.arange(len(rows)), times)
    copy = places_within(times)
    width = len(str(int(copies.max(initial=1))))
    names = [
        f"{row + 1}-{k + 1:0{width}d}"
        for row, number in enumerate(copies)
        for k in range(number)
    ]
    start = np.cumsum(copies) - copies
    item = recode((start[rows[which]] + copy).astype(np.int32), text_array(names))
    listed = f"each row is a pattern; the {len(names):,} items are named pattern-copy"
    account = Account(
        unit="patterns",
        read=table.num_rows,
        notes=[listed, *table.notes],
        columns={**dict.fromkeys(raters, "annotator"), n: "n"},
    )
    return Draft(
        account=account,
        kind="choice",
        item=item,
        annotator=recode(columns[which].astype(np.int32), text_array(raters)),
        label=label.take(which),
        row=rows[which],
        where=table.where,
        types={"label": item_and_label_types(table, raters)["label"]},
    )


READER = Reader(
    name="counts",
    what="how many gave each answer: item, label, n; or n_yes, n_shown; or a matrix",
    read=read_counts,
)


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
        raise SourceError(
            f"{path}: expected {{task: {{worker: label}}}}; name another format"
        )
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


CROWD = Reader(
    name="crowd",
    what="a folder with labels.csv (task, worker, label) and truth.csv",
    read=read_crowd,
)
PEERANNOT = Reader(
    name="peerannot",
    what="peerannot's answers.json ({task: {worker: label}})",
    read=read_peerannot,
)
