"""Records that hold records: one row for each annotation, with what its record says.

What is taken apart is seen from the structure: a list of records, a record of lists of
one length, or lists beside one another of which one names annotators and another holds
their labels.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from consilience.responses.columns.names import (
    is_likely,
    is_likely_whole,
    listing,
    plain,
    usual,
)
from consilience.responses.options import Columns
from consilience.responses.sources.arrow_columns import is_nested

type Record = dict[str, Any]

_LEVELS = 4  # of records inside records
_ROLES = ("item", "annotator", "label")
_EARLIER = ("edits", "history", "log", "previous", "revisions", "versions")
_SAMPLE = 50  # records that are looked at
ROW = "row id"


def unnest(
    records: Sequence[Record],
) -> tuple[list[Record], list[int], tuple[str, ...]]:
    """Return flat records of one annotation, the row of each, and what was done."""
    rows = [_flat(record) for record in records]
    row = list(range(len(rows)))
    notes: list[str] = []
    for level in range(_LEVELS):
        name = _to_unnest(rows, deeper=level > 0)
        if name is None:
            break
        if not level:
            rows = _identified(rows)
        kept = [(k, each) for k, each in enumerate(rows) if each.get(name)]
        notes.append(f"one row for each record of {name!r}")
        if len(kept) < len(rows):
            notes.append(f"{len(rows) - len(kept):,} records have none of {name!r}")
        row = [row[k] for k, each in kept for _ in each[name]]
        rows = [_joined(each, name, part) for _, each in kept for part in each[name]]
    names = _parallel(rows)
    if names:
        rows = rows if notes else _identified(rows)
        notes.append(f"one row for each cell of the lists {listing(names)}")
        lengths = [len(each[names[0]] or ()) for each in rows]
        row = [k for k, length in zip(row, lengths, strict=True) for _ in range(length)]
        rows = [
            {**each, **{name: each[name][place] for name in names}}
            for each, length in zip(rows, lengths, strict=True)
            for place in range(length)
        ]
        rows = _renamed(rows, {name: singular(name) for name in names})
    rows = _renamed(rows, _short_names(rows))
    if notes:
        keys = {key for each in rows for key in each}
        ones = {key: singular(key) for key in keys}
        rows = _renamed(rows, {k: one for k, one in ones.items() if one not in keys})
    return rows, row, tuple(notes)


def nested_records(
    data: pd.DataFrame | pa.Table, columns: Columns
) -> list[Record] | None:
    """Return the rows of a table as records where taking them apart is worth it."""
    if not _has_records(data):
        return None
    try:
        if not is_worth_it(_as_records(data[:_SAMPLE]), columns):
            return None
    except UnicodeDecodeError:  # damaged text, which others say more of
        return None
    return _as_records(data)


def _has_records(data: pd.DataFrame | pa.Table) -> bool:
    """Whether columns hold records, or several of them lists."""
    if isinstance(data, pa.Table):
        kinds = data.schema.types
        return any(map(is_nested, kinds)) or sum(map(pa.types.is_list, kinds)) > 1
    lists = 0
    for name in range(data.shape[1]):
        column = data.iloc[:, name]
        if column.dtype == object:
            cell = next((c for c in column if isinstance(c, (list, dict))), None)
            if isinstance(cell, dict) or (cell and isinstance(cell[0], dict)):
                return True
            lists += cell is not None
    return lists > 1


def _as_records(data: pd.DataFrame | pa.Table) -> list[Record]:
    if isinstance(data, pa.Table):
        return data.to_pylist()
    names = [str(name) for name in data.columns]
    gone = data.isna().to_numpy().T
    rows = zip(*(data.iloc[:, k] for k in range(len(names))), strict=True)
    return [
        {n: None if gone[k][row] else cells[k] for k, n in enumerate(names)}
        for row, cells in enumerate(rows)
    ]


def is_worth_it(records: Sequence[Record], columns: Columns) -> bool:
    """Say whether taking records apart gives columns for more of the roles."""
    sample = records[:_SAMPLE]
    cells = [pair for record in sample for pair in record.items()]
    if not any(isinstance(cell, (dict, list)) for _, cell in cells):
        return False
    single = {key for key, cell in cells if not isinstance(cell, (dict, list))}
    lists = {key for key, cell in cells if isinstance(cell, list)}
    for key, cell in cells:
        if isinstance(cell, list) and any(isinstance(part, dict) for part in cell):
            lists.discard(key)
    if {columns.label, columns.answer} & (single | lists):
        return False
    flat, _, notes = unnest(sample)
    names = {key for record in flat for key in record}
    if notes and not any(is_likely(name, "label") for name in single):
        return True
    return _num_roles(names, names, columns) > _num_roles(single, lists, columns)


def _num_roles(single: set[str], lists: set[str], columns: Columns) -> int:
    """Count the roles that columns may have; lists hold labels alone."""
    may_be = {"item": single, "annotator": single, "label": single | lists}
    return sum(
        getattr(columns, role) in names or any(is_likely(n, role) for n in names)
        for role, names in may_be.items()
    )


def _flat(record: Record, prefix: str = "") -> Record:
    """Lift the fields of records inside; lists of one length are records of parts."""
    flat: Record = {}
    for key, cell in record.items():
        name = f"{prefix}{key}"
        if isinstance(cell, dict) and _is_of_lists(cell):
            parts = zip(*cell.values(), strict=True)
            flat[name] = [dict(zip(cell, part, strict=True)) for part in parts]
        elif isinstance(cell, dict):
            flat |= _flat(cell, f"{name}.")
        else:
            flat[name] = cell
    return flat


def _renamed(rows: list[Record], new: dict[str, str]) -> list[Record]:
    if not new:
        return rows
    return [{new.get(key, key): cell for key, cell in row.items()} for row in rows]


def _short_names(rows: Sequence[Record]) -> dict[str, str]:
    """Return the last part of names, where it tells as much and is the only one."""
    names = list(dict.fromkeys(key for row in rows for key in row))
    last = Counter(name.rpartition(".")[2] for name in names)
    return {
        name: short
        for name in names
        if (short := name.rpartition(".")[2]) != name
        and last[short] == 1
        and not any(is_likely_whole(name, role) for role in _ROLES)
    }


def _is_of_lists(record: Record) -> bool:
    cells = record.values()
    of_lists = len(cells) > 1 and all(isinstance(cell, list) for cell in cells)
    return of_lists and len({len(cell) for cell in cells}) == 1


def _to_unnest(rows: Sequence[Record], *, deeper: bool) -> str | None:
    """Name the one list of records that holds annotations; None: there is none."""
    names: dict[str, set[str]] = {}
    other: set[str] = set()
    for row in rows:
        for name, cell in row.items():
            earlier = plain(name.rpartition(".")[2]) in _EARLIER
            if cell is None or cell == [] or earlier:
                continue
            if isinstance(cell, list) and all(isinstance(part, dict) for part in cell):
                keys = {key for part in cell for key in _flat(part)}
                names.setdefault(name, set()).update(keys)
            else:
                other.add(name)
    grades = {name: _grade(keys) for name, keys in names.items() if name not in other}
    best = [name for name, grade in grades.items() if grade == max(grades.values())]
    if len(best) != 1 or (deeper and not grades[best[0]]):
        return None
    return best[0]


def _grade(keys: set[str]) -> int:
    last = {key.rpartition(".")[2] for key in keys}
    return sum(
        any(is_likely(singular(key), role) for key in keys | last)
        for role in ("annotator", "label")
    )


def _joined(record: Record, name: str, part: Record) -> Record:
    """Put a part beside the fields of its record, which give way to it."""
    inner = _flat(part)
    outer = {
        f"record.{key}" if key in inner else key: cell
        for key, cell in record.items()
        if key != name
    }
    return outer | inner


def _identified(rows: list[Record]) -> list[Record]:
    """Give records a number where no field tells one from the other."""
    names = rows[0] if rows else {}
    if any(usual([name], "item") for name in names):
        return rows
    for name in names:
        cells = [each.get(name) for each in rows]
        texts = {str(cell) for cell in cells if cell is not None}
        if len(texts) == len(rows) and not isinstance(cells[0], (list, dict)):
            return rows
    return [{ROW: k, **each} for k, each in enumerate(rows)]


def _parallel(rows: Sequence[Record]) -> list[str]:
    """Name lists of one length in each row, of annotators and of their labels."""
    names = [name for name in (rows[0] if rows else ()) if _is_list(rows, name)]
    lengths = {name: [len(row.get(name) or ()) for row in rows] for name in names}
    for lead in names:
        beside = [name for name in names if lengths[name] == lengths[lead]]
        ones = [singular(name) for name in beside]
        roles = [usual(ones, role) for role in ("annotator", "label", "answer")]
        both = roles[0] and (roles[1] or roles[2])
        if both and len(beside) > 1 and max(lengths[lead]) > 1:
            return beside
    return []


def _is_list(rows: Sequence[Record], name: str) -> bool:
    cells = [row[name] for row in rows if row.get(name) is not None]
    plain_lists = (
        isinstance(cell, list) and not any(isinstance(p, (dict, list)) for p in cell)
        for cell in cells
    )
    return bool(cells) and all(plain_lists)


def singular(name: str) -> str:
    """Return a name of many as the usual name of one, where it is one."""
    for ending, instead in (("ies", "y"), ("es", ""), ("s", "")):
        one = name.removesuffix(ending) + instead
        is_usual = any(
            usual([one], role) for role in (*_ROLES, "answer", "response_id")
        )
        if name.endswith(ending) and plain(one) and is_usual:
            return one
    return name
