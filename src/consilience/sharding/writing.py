"""Answers in shards: files of whole items, for studies that do not fit in memory.

Rows of a source are dealt to as many parts as there are shards, by their item, while
they stream past; each part is then read as any source is, so that the rules and the
account are those of a table in memory. A shard holds codes of annotators and labels by
item; only the names of annotators and labels are known to all.

What a part says of its rows is added up. Rules that look at all rows at once, such as
spellings that are suspiciously alike, look at those of a part.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from shutil import rmtree
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import tomli_w

from consilience.continuing import digest
from consilience.errors import (
    CannotWriteError,
    KindError,
    OptionError,
    SourceError,
    not_among,
)
from consilience.executors import Threads
from consilience.progress import Progress, Reporter, reporter
from consilience.responses import read_with
from consilience.responses.options import MISSING, Columns, ReadOptions
from consilience.responses.sources.opening import SHARDS
from consilience.responses.text import (
    alike_numbers,
    has_order,
    natural_order,
    natural_texts,
    text_array,
)
from consilience.sharding.account import Accounts, ReadPart
from consilience.sharding.rows import Rows, opened_rows
from consilience.sharding.stored import Shard, Shards, digest_of, read_arrow
from consilience.whole_folder import clean_path, refusals, whole_file, whole_folder

# Rows of a shard, about: more take more memory to be read, and each sweep of a shard
# sums all cells of the annotators' confusions, however few its rows.
ROWS = 2_000_000
# Options of reading that need no other rows than those about an item.
OPTIONS = (
    *("item", "annotator", "label", "answer", "repeats", "missing", "answers"),
    *("exclude", "query"),
)
COLUMNS = ("item", "annotator", "label", "answer")
KINDS = ("choice", "contains")  # of answers that shards hold

_OPEN = 400  # files that are written at once


def write_shards(
    source: str | Path,
    out: str | Path,
    *,
    rows: int = ROWS,
    overwrite: bool = False,
    progress: bool | Reporter = False,
    **options: Any,
) -> Shards:
    """Read answers that may be more than memory holds, and write them as shards.

    Parameters
    ----------
    source : str or Path
        A Parquet, CSV or Arrow file, or a folder of such files of one format, on a
        disk or at an address (`s3://` and others that Arrow or fsspec knows); or a
        DuckDB file. There is a row for each answer, of kind choice or contains.
    out : str or Path
        Folder to write, whole or not at all. What is read when the call is stopped
        stays in a folder beside it, from which the same call goes on.
    rows : int, default 2,000,000
        Rows of a shard, about; all answers about an item are in one.
    overwrite : bool, default False
        Replace a folder of shards.
    progress : bool or callable, default False
        True shows a progress bar. A function is called with each `Progress`.
    **options
        How rows are read, as for `read`: item, annotator, label, answer, repeats,
        missing, answers, exclude and query.

    Returns
    -------
    Shards
        The folder; `cleaning` reports what was kept and dropped, and why.

    Raises
    ------
    SourceError
        If there is no such source, or it is of another format.
    KindError
        If the answers are of another kind.
    OptionError
        If there is no such option.
    CannotWriteError
        If the disk is full.

    See Also
    --------
    consilience.shards.fit : Fit a model to shards.
    read : Read answers into memory.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     source = Path(folder) / "answers.csv"
    ...     study(0, num_photos=30).answers.to_csv(source, index=False)
    ...     columns = {"item": "photo", "label": "animal"}
    ...     shards = cs.shards.write(source, Path(folder) / "shards", **columns)
    ...     print(shards.cleaning.account()[0])
    read 180 rows, kept 180: 180 answers
    """
    for name in options:
        if name not in OPTIONS:
            raise OptionError(not_among("option of reading shards", name, OPTIONS))
    columns = {name: options.pop(name, None) for name in COLUMNS}
    if "missing" in options:
        options["missing"] = (*MISSING, *options["missing"])
    if "exclude" in options:
        options["exclude"] = tuple(options["exclude"])
    given = ReadOptions(columns=Columns(**columns), **options)
    with reporter(progress) as report:
        return written_shards(
            source, out, given, rows=rows, overwrite=overwrite, report=report
        )


def check_options(options: ReadOptions, form: str | None = None) -> None:
    """Refuse options that need more than the rows about an item, or a format."""
    usual = ReadOptions()
    other = [
        each.name
        for each in fields(ReadOptions)
        if each.name not in {*OPTIONS, "columns", "kind"}
        and getattr(options, each.name) != getattr(usual, each.name)
    ]
    if form is not None:
        other.append("format")
    if other or options.kind not in {None, *KINDS}:
        names = ", ".join(other or ["kind"]).replace("_", "-")
        raise OptionError(
            f"shards are read without {names}: their options are {', '.join(OPTIONS)}; "
            "leave it out, or read the source whole"
        )


def written_shards(
    source: str | Path,
    folder: str | Path,
    options: ReadOptions,
    *,
    rows: int,
    overwrite: bool,
    report: Reporter,
) -> Shards:
    """Write the shards of a source that is read with a record of options."""
    if rows < 1:
        raise OptionError(f"rows is {rows}; give 1 or more rows of a shard")
    folder = Path(folder)
    place, marker = clean_path(folder), SHARDS if overwrite else None
    with whole_folder(folder, replaceable=marker) as new, refusals(folder):
        work = _Work(place.with_name(f"{place.name}.unfinished"))
        try:
            with opened_rows(str(source), options.query) as given:
                options = _understood(given.head, options, str(source))
                stamp = (version("consilience"), options, given.number, given.stamp)
                work.begin(digest((stamp, rows)))
                number = min(max(-(-given.number // rows), 1), _OPEN)
                if not work.dealt:
                    _deal(given, options.columns.item or "", number, work, report)
                assumptions = given.assumptions
            _write_all(source, options, work, new, report, assumptions)
        except (CannotWriteError, OSError, KeyboardInterrupt):
            raise  # the same call goes on from what there is
        except BaseException:
            work.remove()
            raise
    work.remove()
    return Shards.load(folder)


class _Work:
    """A folder of what is read so far, from which the same call goes on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, name: str) -> None:
        """Keep what is there of this source and these options, and no other."""
        source = self.folder / "source"
        if not source.is_file() or source.read_text(encoding="utf-8") != name:
            self.remove()
            self.folder.mkdir(parents=True)
            source.write_text(name, encoding="utf-8")

    @property
    def dealt(self) -> bool:
        """Whether all rows are dealt."""
        return (self.folder / "dealt").is_file()

    @property
    def parts(self) -> list[Path]:
        """The parts that have rows, without a suffix."""
        there = (self.folder / "dealt").read_text(encoding="utf-8")
        return [self.folder / name for name in there.split()]

    def remove(self) -> None:
        """Remove the folder, where it is one of ours."""
        if (self.folder / "source").is_file():
            rmtree(self.folder)


def _write_all(
    source: str | Path,
    options: ReadOptions,
    work: _Work,
    folder: Path,
    report: Reporter,
    assumptions: Sequence[str],
) -> None:
    """Read each part, and code all alike."""
    parts, accounts = work.parts, Accounts()
    for done, part in enumerate(parts, 1):  # one by one, as each takes much memory
        accounts.add(_read_part(part, options))
        part.with_suffix(".rows").unlink(missing_ok=True)
        report(Progress("reading", done, len(parts)))
    numbers = alike_numbers(accounts.labels)
    labels = natural_texts(sorted({numbers.get(n, n) for n in accounts.labels}))
    people = text_array(sorted(accounts.annotators))
    people = people.take(pa.array(natural_order(people)))
    _write(folder / "annotators.arrow", pa.table({"annotator": people}))
    shards, coder = [], partial(_code_part, people, text_array(labels), numbers, folder)
    calls = Threads(parts.__getitem__, len(parts))
    try:
        each = calls.each(coder)
        for done, shard in enumerate(each, 1):
            shards.append(shard)
            report(Progress("coding", done, len(parts)))
    finally:
        calls.close()
    stated = accounts.stated()
    stated["assumptions"] = [*assumptions, *stated["assumptions"]]
    stated |= {"labels": labels, "in_order": has_order(labels), "source": str(source)}
    stated["kind"] = options.kind
    stated["shard"] = [asdict(shard) for shard in shards]
    (folder / SHARDS).write_text(tomli_w.dumps(stated), encoding="utf-8")


def _understood(first: pa.Table, options: ReadOptions, source: str) -> ReadOptions:
    """Return the options with the columns that the first rows show."""
    options = replace(options, query=None)
    head = read_with(first, options)
    if head.kinds not in {(kind,) for kind in KINDS}:
        raise KindError(
            f"{source}: the answers are of kind {', '.join(head.kinds)}; shards hold "
            "one label per item (choice), or yes, maybe and no (contains): read the "
            "source whole"
        )
    roles = {role: name for name, role in head.cleaning.columns.items()}
    if "item" not in roles or "label" not in roles:
        raise SourceError(
            f"{source}: expected a row for each answer, with columns of items and of "
            "labels; read the source whole"
        )
    named = {role: roles[role] for role in COLUMNS if role in roles}
    columns = replace(options.columns, **named)
    return replace(options, kind=head.kind, columns=columns)


def _deal(given: Rows, item: str, number: int, work: _Work, report: Reporter) -> None:
    """Write the rows of each part to a file of its own, if it has any."""
    writers: dict[int, Any] = {}
    done = 0
    try:
        for batch in given.batches():
            keys = pc.fill_null(pc.cast(batch[item], pa.string()), "")
            trimmed = pc.utf8_trim_whitespace(keys).to_pandas()
            part = pd.util.hash_array(trimmed.to_numpy(object)) % number
            order = np.argsort(part, kind="stable")
            there, first = np.unique(part[order], return_index=True)
            ends = [*first[1:], len(order)]
            for place, start, end in zip(there, first, ends, strict=True):
                some = batch.take(pa.array(order[start:end]))
                if place not in writers:
                    file = pa.OSFile(str(work.folder / f"{place:05d}.rows"), "wb")
                    writers[place] = (pa.ipc.new_file(file, some.schema), file)
                writers[place][0].write_batch(some)
            done += len(batch)
            report(Progress("dealing rows to shards", done, given.number))
    finally:
        for writer, file in writers.values():
            writer.close()
            file.close()
    names = "\n".join(f"{place:05d}" for place in sorted(writers))
    with whole_file(work.folder / "dealt") as path:
        path.write_text(names, encoding="utf-8")


def _read_part(path: Path, options: ReadOptions) -> ReadPart:
    """Read the rows of a part, and write its answers, by names."""
    account = path.with_suffix(".read")
    if account.is_file():
        return msgspec.json.decode(account.read_bytes(), type=ReadPart)
    read = read_with(read_arrow(path.with_suffix(".rows")), options)
    table = read.table
    given = table["label"].notna().to_numpy()
    columns = {
        name: pa.Array.from_pandas(table.loc[given, name])
        for name in ("item", "annotator", "label")
    }
    if options.kind == "contains":
        columns["answer"] = pa.array(table.loc[given, "answer"].cat.codes.to_numpy())
    number = pa.array(table.loc[given, "n"].to_numpy(np.int32))
    _write(path.with_suffix(".named"), pa.table({**columns, "n": number}))
    part = ReadPart.of(read)
    with whole_file(account) as file:
        file.write_bytes(msgspec.json.encode(part))
    return part


def _code_part(
    people: pa.Array,
    labels: pa.Array,
    alike: Mapping[str, str],
    folder: Path,
    path: Path,
    place: int,
) -> Shard:
    """Code annotators and labels of a part as all parts do, in the order of items."""
    table = read_arrow(path.with_suffix(".named"))

    def codes(name: str, names: pa.Array, alike: Mapping[str, str]) -> pa.Array:
        column = table[name].combine_chunks()
        texts = column.dictionary.to_pylist()
        written = text_array(alike.get(text, text) for text in texts)
        place = pc.index_in(written, value_set=names)
        placed = place.take(column.indices)
        return pc.fill_null(placed, -1)

    item = table["item"].combine_chunks()
    order = pc.sort_indices(item.indices)
    coded = {
        "item": item,
        "annotator": codes("annotator", people, {}),
        "label": codes("label", labels, alike),
        **{name: table[name] for name in ("answer", "n") if name in table.schema.names},
    }
    shard = folder / f"{place:05d}.arrow"
    _write(shard, pa.table(coded).take(order).combine_chunks())
    number = table["n"]
    if "answer" in coded:
        number = number.filter(pc.greater_equal(table["answer"], 0))
    answers = int(pc.sum(number).as_py() or 0)
    return Shard(shard.name, digest_of(shard), len(item.dictionary), answers)


def _write(path: Path, table: pa.Table) -> None:
    with (
        whole_file(path) as new,
        pa.OSFile(str(new), "wb") as file,
        pa.ipc.new_file(file, table.schema) as out,
    ):
        out.write_table(table)
