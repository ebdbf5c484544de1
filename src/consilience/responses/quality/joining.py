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

    Parameters
    ----------
    parts
        Readings of one kind and one way to offer labels, one at least.

    Raises
    ------
    OptionError
        They are of several kinds, or labels were offered in different ways.
    RepeatedAnswerError
        An annotator, or a response, stands in two of them with the same question.
    """
    first = parts[0]
    if len(parts) == 1:
        return first
    for what, values in (
        ("kind", {each.kind for each in parts}),
        ("offer", {each.offer for each in parts}),
    ):
        if len(values) > 1:
            msg = (
                f"answers of {what} {' and '.join(sorted(values))} cannot be joined; "
                f"read all of them with the same {what}"
            )
            raise OptionError(msg)
    labels = pd.concat([each.labels for each in parts], ignore_index=True)
    labels = labels.drop_duplicates("label", ignore_index=True)
    names = pd.Index(labels["label"], dtype="str")
    tables = [
        each.table.assign(label=each.table["label"].cat.set_categories(names))
        for each in parts
    ]
    table = reduce(_below, tables)
    _check_repeats(table, np.repeat(np.arange(len(parts)), [len(t) for t in tables]))
    sources = {name: sha for each in parts for name, sha in each.sources.items()}
    return replace(
        first,
        table=table,
        labels=labels,
        items=_below_all([each.items for each in parts], ["item"]),
        offered=_below_all([each.offered for each in parts]),
        gold=_below_all([each.gold for each in parts]),
        assumptions=tuple(dict.fromkeys(s for each in parts for s in each.assumptions)),
        cleaning=_cleaning([each.cleaning for each in parts]),
        sources=sources,
        types={
            role: kind
            for role in first.types
            if (kind := common_type([each.types.get(role) for each in parts]))
            not in (None, MIXED)
        },
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
    there = [each for each in tables if each is not None]
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
        read=sum(each.read for each in parts),
        kept=sum(each.kept for each in parts),
        answers=sum(each.answers for each in parts),
        dropped=tuple(each for part in parts for each in part.dropped),
        notes=tuple(dict.fromkeys(each for part in parts for each in part.notes)),
        columns={name: role for part in parts for name, role in part.columns.items()},
        unused={name: looks for part in parts for name, looks in part.unused.items()},
        warnings=tuple(dict.fromkeys(each for part in parts for each in part.warnings)),
    )
