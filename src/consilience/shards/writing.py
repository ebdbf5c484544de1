"""Answers in shards: files of whole items, for studies that do not fit in memory.

Rows of a source are dealt to as many parts as there are shards, by their item, while
they stream past; each part is then read as any source is, so that the rules and the
account are those of a table in memory. A shard holds codes of annotators and labels by
item; only the names of annotators and labels are known to all.

What a part says of its rows is added up. Rules that look at all rows at once, such as
spellings that are suspiciously alike, look at those of a part.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset
import tomli_w

from consilience.errors import KindError, OptionError, SourceError, not_among
from consilience.progress import Progress, Reporter, reporter
from consilience.responses import Responses, read_with
from consilience.responses.draft import Dropped
from consilience.responses.options import MISSING, Columns, ReadOptions
from consilience.responses.text import (
    has_order,
    natural_order,
    natural_texts,
    text_array,
)
from consilience.shards.stored import MARKER, Shard, Shards, digest_of, read_arrow
from consilience.whole_folder import Replaceable, whole_folder

# Rows of a shard, about: more take more memory to be read, and each sweep of a shard
# sums all cells of the annotators' confusions, however few its rows.
ROWS = 2_000_000
_FORMATS = {".parquet": "parquet", ".csv": "csv", ".arrow": "ipc", ".feather": "ipc"}
# Options of reading that need no other rows than those about an item.
OPTIONS = ("item", "annotator", "label", "repeats", "missing", "answers", "exclude")
_NUMBER = re.compile(r"^\d[\d,]*(?= )|(?<=: )\d[\d,]*$")
_FIRST = re.compile(r" \(first: .*?\)(?=[;,.]|$)")
_ORDER = "labels are kept in the order"  # of a part, which may lack some
_HEAD = 10_000  # rows by which columns are understood
_OPEN = 400  # files that are written at once


def write_shards(
    source: str | Path,
    folder: str | Path,
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
        A Parquet, CSV or Arrow file, or a folder of such files of one format, with a
        row for each answer, of kind choice.
    folder : str or Path
        Folder to write, whole or not at all.
    rows : int, default 2,000,000
        Rows of a shard, about; all answers about an item are in one.
    overwrite : bool, default False
        Replace a folder of shards.
    progress : bool or callable, default False
        True shows a progress bar. A function is called with each `Progress`.
    **options
        How rows are read, as for `read`: item, annotator, label, repeats, missing,
        answers and exclude.

    Returns
    -------
    Shards
        The folder; `cleaning` reports what was kept and dropped, and why.

    Raises
    ------
    SourceError
        If there is no such source, or it is of another format.
    KindError
        If the answers are not of kind choice.
    OptionError
        If there is no such option.

    See Also
    --------
    fit_shards : Fit a model to shards.
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
    ...     shards = cs.write_shards(source, Path(folder) / "shards", **columns)
    ...     print(shards.cleaning.account()[0])
    read 180 rows, kept 180: 180 answers
    """
    for name in options:
        if name not in OPTIONS:
            raise OptionError(not_among("option of reading shards", name, OPTIONS))
    columns = {name: options.pop(name, None) for name in ("item", "annotator", "label")}
    if "missing" in options:
        options["missing"] = (*MISSING, *options["missing"])
    if "exclude" in options:
        options["exclude"] = tuple(options["exclude"])
    given = ReadOptions(columns=Columns(**columns), **options)
    with reporter(progress) as report:
        return written_shards(
            source, folder, given, rows=rows, overwrite=overwrite, report=report
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
    if other or options.kind not in {None, "choice"}:
        names = ", ".join(other or ["kind"]).replace("_", "-")
        msg = (
            f"shards are read without {names}: their options are {', '.join(OPTIONS)}; "
            "leave it out, or read the source whole"
        )
        raise OptionError(msg)


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
        msg = f"rows is {rows}; give 1 or more rows of a shard"
        raise OptionError(msg)
    given = _dataset(str(source))
    options = _understood(given, options, str(source))
    item = options.columns.item or ""
    total = given.count_rows()
    number = min(max(-(-total // rows), 1), _OPEN)
    marker: Replaceable = MARKER if overwrite else None
    with whole_folder(Path(folder), replaceable=marker) as partial:
        dealt = _deal(given, item, number, partial, total, report)
        account = _Account()
        parts = []
        for place, path in enumerate(dealt):
            read = read_with(read_arrow(path), options)
            path.unlink()
            account.add(read)
            parts.append(_written(read, partial / f"{place:05d}.arrow"))
            report(Progress("reading", place + 1, len(dealt)))
        labels = natural_texts(sorted(account.labels))
        people = text_array(sorted(account.annotators))
        people = people.take(pa.array(natural_order(people)))
        _write(partial / "annotators.arrow", pa.table({"annotator": people}))
        shards = [_coded(part, people, text_array(labels)) for part in parts]
        stated = {
            "labels": labels,
            "in_order": has_order(labels),
            "source": str(source),
            **account.stated(),
            "shard": [asdict(shard) for shard in shards],
        }
        (partial / MARKER).write_text(tomli_w.dumps(stated), encoding="utf-8")
    return Shards.load(Path(folder))


def _dataset(source: str) -> Any:
    """Open a source without reading it; of text files, all cells are texts."""
    path = Path(source)
    files = [path, *sorted(path.glob("*"))] if path.is_dir() else [path]
    suffixes = {file.suffix.lower() for file in files} & set(_FORMATS)
    kinds = {_FORMATS[suffix] for suffix in suffixes}
    if len(kinds) != 1:
        msg = (
            f"{source}: expected files of one format, {', '.join(_FORMATS)}; found "
            f"{', '.join(sorted(suffixes)) or 'none'}; convert them, or name one file"
        )
        raise SourceError(msg)
    (kind,) = kinds
    try:
        if kind != "csv":
            return pa.dataset.dataset(source, format=kind)
        names = pa.dataset.dataset(source, format="csv").schema.names
        convert = pa.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
        form = pa.dataset.CsvFileFormat(convert_options=convert)
        return pa.dataset.dataset(source, format=form)
    except (OSError, pa.ArrowInvalid) as error:
        msg = f"{source}: cannot be read ({error}); check the path and the format"
        raise SourceError(msg) from error


def _understood(given: Any, options: ReadOptions, source: str) -> ReadOptions:
    """Return the options with the columns that the first rows show."""
    head = read_with(given.head(_HEAD), options)
    if head.kinds != ("choice",):
        msg = (
            f"{source}: the answers are of kind {', '.join(head.kinds)}; shards hold "
            "one label per item (choice): read the source whole"
        )
        raise KindError(msg)
    roles = {role: name for name, role in head.cleaning.columns.items()}
    if "item" not in roles or "label" not in roles:
        msg = (
            f"{source}: expected a row for each answer, with columns of items and of "
            "labels; read the source whole"
        )
        raise SourceError(msg)
    named = {"item": roles["item"], "label": roles["label"]}
    if "annotator" in roles:
        named["annotator"] = roles["annotator"]
    return replace(options, kind="choice", columns=replace(options.columns, **named))


def _deal(
    given: Any, item: str, number: int, folder: Path, total: int, report: Reporter
) -> list[Path]:
    """Write the rows of each part to a file of its own; return those that have any."""
    paths = [folder / f"{place:05d}.rows" for place in range(number)]
    writers: dict[int, Any] = {}
    done = 0
    try:
        for batch in given.to_batches(batch_size=1 << 18):
            keys = pc.fill_null(pc.cast(batch[item], pa.string()), "")
            trimmed = pc.utf8_trim_whitespace(keys).to_pandas()
            part = pd.util.hash_array(trimmed.to_numpy(object)) % number
            order = np.argsort(part, kind="stable")
            there, first = np.unique(part[order], return_index=True)
            ends = [*first[1:], len(order)]
            for place, start, end in zip(there, first, ends, strict=True):
                some = batch.take(pa.array(order[start:end]))
                if place not in writers:
                    file = pa.OSFile(str(paths[place]), "wb")
                    writers[place] = (pa.ipc.new_file(file, some.schema), file)
                writers[place][0].write_batch(some)
            done += len(batch)
            report(Progress("dealing rows to shards", done, total))
    finally:
        for writer, file in writers.values():
            writer.close()
            file.close()
    return [paths[place] for place in sorted(writers)]


def _add(before: dict[str, str], sentences: Iterable[str]) -> None:
    """Add sentences; of equal ones the numbers at one end are summed up."""
    for sentence in sentences:
        number = _NUMBER.search(sentence)
        key = _FIRST.sub("", sentence)
        if number is None:
            before.setdefault(key, sentence)
            continue
        key = _NUMBER.sub("", key)
        there = before.setdefault(key, sentence)
        if there is not sentence:
            summed = _as_number(there) + _as_number(sentence)
            before[key] = _NUMBER.sub(f"{summed:,}", there, count=1)


def _as_number(sentence: str) -> int:
    number = _NUMBER.search(sentence)
    return 0 if number is None else int(number[0].replace(",", ""))


class _Account:
    """What was read, kept and dropped, added up over the parts."""

    def __init__(self) -> None:
        self.read = self.kept = self.answers = 0
        self.dropped: dict[str, Dropped] = {}
        self.notes: dict[str, str] = {}
        self.warnings: dict[str, str] = {}
        self.assumptions: dict[str, str] = {}
        self.columns: Mapping[str, str] = {}
        self.unused: Mapping[str, str] = {}
        self.labels: set[str] = set()
        self.annotators: set[str] = set()
        self.anonymous = False
        self.types: Mapping[str, str] | None = None

    def add(self, read: Responses) -> None:
        """Add a part."""
        cleaning = read.cleaning
        self.read += cleaning.read
        self.kept += cleaning.kept
        self.answers += cleaning.answers
        for each in cleaning.dropped:
            before = self.dropped.setdefault(each.reason, replace(each, count=0))
            count = before.count + each.count
            self.dropped[each.reason] = replace(before, count=count)
        notes = (note for note in cleaning.notes if not note.startswith(_ORDER))
        _add(self.notes, notes)
        _add(self.warnings, cleaning.warnings)
        _add(self.assumptions, read.assumptions)
        self.columns, self.unused = cleaning.columns, cleaning.unused
        self.labels |= set(read.labels["label"])
        self.annotators |= set(read.table["annotator"].cat.categories)
        self.anonymous |= bool(read.table["annotator"].isna().any())
        types = dict(read.types)
        self.types = types if self.types in (None, types) else {}

    def stated(self) -> dict[str, Any]:
        """Return it as the folder keeps it."""
        account = {
            "unit": "rows",
            "read": self.read,
            "kept": self.kept,
            "answers": self.answers,
            "notes": list(self.notes.values()),
            "warnings": list(self.warnings.values()),
            "columns": dict(self.columns),
            "unused": dict(self.unused),
        }
        dropped = [asdict(each) for each in self.dropped.values()]
        return {
            "anonymous": self.anonymous,
            "assumptions": list(self.assumptions.values()),
            "types": dict(self.types or {}),
            "account": account,
            "dropped": dropped,
        }


def _written(read: Responses, path: Path) -> Path:
    """Write the answers of a part, by names."""
    table = read.table
    given = table["label"].notna().to_numpy()
    columns = {
        name: pa.Array.from_pandas(table.loc[given, name])
        for name in ("item", "annotator", "label")
    }
    number = pa.array(table.loc[given, "n"].to_numpy(np.int32))
    _write(path, pa.table({**columns, "n": number}))
    return path


def _coded(path: Path, people: pa.Array, labels: pa.Array) -> Shard:
    """Code annotators and labels of a part as all parts do, in the order of items."""
    table = read_arrow(path)

    def codes(name: str, names: pa.Array) -> pa.Array:
        column = table[name].combine_chunks()
        place = pc.index_in(column.dictionary, value_set=names)
        placed = place.take(column.indices)
        return pc.fill_null(placed, -1)

    item = table["item"].combine_chunks()
    order = pc.sort_indices(item.indices)
    coded = {
        "item": item,
        "annotator": codes("annotator", people),
        "label": codes("label", labels),
        "n": table["n"],
    }
    path.unlink()
    _write(path, pa.table(coded).take(order).combine_chunks())
    answers = int(pc.sum(table["n"]).as_py() or 0)
    return Shard(path.name, digest_of(path), len(item.dictionary), answers)


def _write(path: Path, table: pa.Table) -> None:
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as out:
        out.write_table(table)
