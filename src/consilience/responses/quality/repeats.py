"""The rules for rows that are equal, and for further answers to one question."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import prod

import numpy as np
import pandas as pd
from jaxtyping import Bool
from pandas.api.types import union_categoricals

from consilience.errors import OptionError, RepeatedAnswerError
from consilience.responses.draft import Draft
from consilience.responses.options import Repeats
from consilience.responses.quality.cleaning import Cleaning, Dropped
from consilience.responses.table import Responses
from consilience.responses.tables.coding import Coded, encode_texts
from consilience.responses.tables.id_types import MIXED, common_type
from consilience.responses.tables.text_table import TextTable

WHAT = "the same annotator had answered the same question before"
EQUAL = 'the row equals an earlier one in every column (`repeats="all"` counts it)'


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """Outcome of the rule."""

    kept: Bool[np.ndarray, " N"]
    dropped: tuple[Dropped, ...] = ()
    assumptions: tuple[str, ...] = ()


def equal_rows(
    table: TextTable, key: Sequence[Coded], rule: Repeats
) -> tuple[Bool[np.ndarray, " N"], tuple[Dropped, ...]]:
    """Return which rows equal an earlier one in every column, and their account."""
    again = np.zeros(table.num_rows, bool)
    codes = pd.DataFrame({n: column.codes for n, column in enumerate(key)})
    if rule == "all" or table.unusable or not any_twice(codes):
        return again, ()
    texts = {name: column.codes for name, column in table.columns.items()}
    lists = {
        name: encode_texts(list(map(str, cells.to_pylist()))).codes
        for name, cells in table.lists.items()
    }
    whole = (codes >= 0).all(axis=1)
    again = (pd.DataFrame(texts | lists).duplicated() & whole).to_numpy()
    if not again.any():
        return again, ()
    place = table.where(int(again.argmax()))
    return again, (Dropped(EQUAL, int(again.sum()), place),)


def settle_repeats(draft: Draft, rule: Repeats) -> Repeated:
    """Find repeated answers and apply a rule to them."""
    keys = _question(draft)
    real = keys["annotator"].to_numpy() >= 0
    real &= (draft.label.codes >= 0) if draft.answer is None else (draft.answer >= 0)
    answers = keys if real.all() else keys[real]
    if draft.kind == "objects":
        # The objects of one response belong together.
        answers = answers.drop_duplicates()
    question = [name for name in answers.columns if name != "response"]
    if rule == "distinct" and draft.kind != "objects":
        value = draft.label.codes if draft.answer is None else draft.answer
        answers = answers.assign(value=value[real])
        question.append("value")
    if not any_twice(answers[question]):
        return Repeated(kept=np.ones(len(real), bool))
    later = answers.duplicated(question, keep="first")
    row = int(later.index[int(later.to_numpy().argmax())])
    place = draft.where(int(draft.row[row]))
    who = f"annotator {draft.annotator.text(row)!r} on item {draft.item.text(row)!r}"
    count = int(later.sum())
    if rule == "error":
        msg = (
            f"{place}: {who} had answered this before ({count:,} such answers); fix "
            "the file or pass `repeats=\"keep\"`, 'distinct', 'first', 'last' or 'drop'"
        )
        raise RepeatedAnswerError(msg)
    if rule in {"keep", "all"} or (rule == "distinct" and draft.kind == "objects"):
        note = (
            f"{count:,} answers repeat an earlier one by the same annotator on the "
            f"same question (first: {place}, {who}); each counts as an answer of its "
            f'own (`repeats="{rule}"`)'
        )
        return Repeated(kept=np.ones(len(real), bool), assumptions=(note,))
    keep = {"distinct": "first", "first": "first", "last": "last", "drop": False}[rule]
    gone = answers.duplicated(question, keep=keep)  # type: ignore[arg-type]
    lost = _rows_of(keys, answers[gone]) if "response" in keys else answers.index[gone]
    kept = np.ones(len(real), bool)
    kept[lost] = False
    reason = f"{WHAT} (`repeats={rule!r}`)"
    return Repeated(kept=kept, dropped=(Dropped(reason, len(lost), place),))


def _question(draft: Draft) -> pd.DataFrame:
    """Codes that say which question each answer belongs to."""
    keys = {"item": draft.item.codes, "annotator": draft.annotator.codes}
    if draft.kind == "contains":
        keys["label"] = draft.label.codes
    if draft.kind == "objects":
        response = draft.response_id
        keys["response"] = (
            np.zeros_like(draft.item.codes) if response is None else response.codes
        )
    return pd.DataFrame(keys)


def any_twice(keys: pd.DataFrame) -> bool:
    """Say whether two rows of codes are the same; numbers are sorted, not hashed."""
    codes = [keys[name].to_numpy() + 1 for name in keys.columns]
    sizes = [int(code.max(initial=0)) + 1 for code in codes]
    if prod(sizes) > np.iinfo(np.int64).max:
        return bool(keys.duplicated().any())
    number = np.sort(np.ravel_multi_index(codes, sizes))
    return bool((number[1:] == number[:-1]).any())


def _rows_of(keys: pd.DataFrame, lost: pd.DataFrame) -> np.ndarray:
    marked = pd.MultiIndex.from_frame(keys).isin(pd.MultiIndex.from_frame(lost))
    return np.flatnonzero(marked)


def keep_rows(draft: Draft, kept: Bool[np.ndarray, " N"]) -> Draft:
    """Only some of the answers."""
    if kept.all():
        return draft
    columns = ("item", "annotator", "label", "response_id")
    arrays = ("row", "answer", "object", "main", "n")
    some = {
        name: getattr(draft, name).take(kept)
        for name in columns
        if getattr(draft, name) is not None
    }
    some |= {
        name: getattr(draft, name)[kept]
        for name in arrays
        if getattr(draft, name) is not None
    }
    extras = {
        name: column[kept].reset_index(drop=True)
        for name, column in draft.extras.items()
    }
    return replace(draft, extras=extras, **some)


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
