"""Several readings of one study as one: answers that came one after the other."""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from consilience.errors import OptionError, RepeatedAnswerError
from consilience.responses.quality.cleaning import Cleaning
from consilience.responses.table import Responses
from consilience.responses.tables.type_names import MIXED, common_type


def concatenate(parts: Sequence[Responses]) -> Responses:
    """Return all answers of several readings.

    Labels keep the order of the first reading; those of later ones follow. What is said
    of an item (its own label in the data set) is what was said last.
    """
    first = parts[0]
    if len(parts) == 1:
        return first
    for what, values in (
        ("kind", {part.kind for part in parts}),
        ("offer", {part.offer for part in parts}),
    ):
        if len(values) > 1:
            msg = (
                f"answers of {what} {' and '.join(sorted(values))} cannot be joined; "
                f"read all of them with the same {what}"
            )
            raise OptionError(msg)
    labels = pd.concat([part.labels for part in parts], ignore_index=True)
    labels = labels.drop_duplicates("label", ignore_index=True)
    names = pd.Index(labels["label"], dtype="str")
    tables = [
        part.table.assign(label=part.table["label"].cat.set_categories(names))
        for part in parts
    ]
    table = reduce(_below, tables)
    _check_repeats(table, np.repeat(np.arange(len(parts)), [len(t) for t in tables]))
    sources = {name: sha for part in parts for name, sha in part.sources.items()}
    return replace(
        first,
        table=table,
        labels=labels,
        items=_below_all([part.items for part in parts], ["item"]),
        offered=_below_all([part.offered for part in parts]),
        gold=_below_all([part.gold for part in parts]),
        assumptions=tuple(dict.fromkeys(s for part in parts for s in part.assumptions)),
        cleaning=_cleaning([part.cleaning for part in parts]),
        sources=sources,
        types={
            role: kind
            for role in first.types
            if (kind := common_type([part.types.get(role) for part in parts]))
            not in (None, MIXED)
        },
        in_order=all(part.in_order and part.labels.equals(labels) for part in parts),
    )


def _below(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    columns = {}
    both = [name for name in first.columns if name in second.columns]
    for name in both:
        one, other = first[name], second[name]
        if isinstance(one.dtype, pd.CategoricalDtype):
            columns[name] = pd.Series(union_categoricals([one, other]))
        else:
            columns[name] = pd.concat([one, other], ignore_index=True)
    return pd.DataFrame(columns)


def _below_all(
    tables: Sequence[pd.DataFrame | None], keys: list[str] | None = None
) -> pd.DataFrame | None:
    there = [table for table in tables if table is not None]
    if not there:
        return None
    whole = pd.concat(there, ignore_index=True)
    return whole.drop_duplicates(keys, keep="last", ignore_index=True)


def _check_repeats(table: pd.DataFrame, part: np.ndarray) -> None:
    """Refuse an annotator or a response that comes back about the same question."""
    question = ["item", "label"] if "contains" in set(table["kind"]) else ["item"]
    for column in ("annotator", "response_id"):
        identified = table[column].notna().to_numpy()
        keys = table.loc[identified, [*question, column]].assign(part=part[identified])
        again = keys.drop_duplicates().duplicated([*question, column])
        if again.any():
            row = keys.loc[again.index[again.to_numpy()][0]]
            msg = (
                f"{column} {row[column]!r} had answered about item {row['item']!r} "
                "before; give each answer once"
            )
            raise RepeatedAnswerError(msg)


def _cleaning(parts: Sequence[Cleaning]) -> Cleaning:
    return Cleaning(
        unit=parts[0].unit,
        read=sum(part.read for part in parts),
        kept=sum(part.kept for part in parts),
        answers=sum(part.answers for part in parts),
        dropped=tuple(dropped for part in parts for dropped in part.dropped),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        columns={name: role for part in parts for name, role in part.columns.items()},
        unused={name: looks for part in parts for name, looks in part.unused.items()},
        warnings=tuple(
            dict.fromkeys(warning for part in parts for warning in part.warnings)
        ),
    )
