"""The rules for rows that are equal, and for further answers to one question."""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool

from consilience.errors import DataError
from consilience.responses.draft import Account, Draft, Dropped
from consilience.responses.options import Repeats
from consilience.responses.text import Coded, TextTable

WHAT = "the same annotator had answered the same question before"
EQUAL = 'the row equals an earlier one in every column (`repeats="all"` counts it)'


def equal_rows(
    table: TextTable, key: Sequence[Coded], rule: Repeats, account: Account
) -> Bool[np.ndarray, " N"]:
    """Return which rows equal an earlier one in every column; the account has them."""
    codes = pd.DataFrame({n: column.codes for n, column in enumerate(key)})
    if rule == "all" or table.unusable or not any_twice(codes):
        return np.zeros(table.num_rows, bool)
    texts = {name: column.codes for name, column in table.columns.items()}
    lists = {
        name: Coded.of(list(map(str, cells.to_pylist()))).codes
        for name, cells in table.lists.items()
    }
    whole = (codes >= 0).all(axis=1)
    again: np.ndarray = (pd.DataFrame(texts | lists).duplicated() & whole).to_numpy()
    if again.any():
        place = table.where(int(again.argmax()))
        account.dropped.append(Dropped(EQUAL, int(again.sum()), place))
    return again


def without_repeats(draft: Draft, rule: Repeats) -> Draft:
    """Apply the rule to answers that repeat an earlier one to the same question."""
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
        return draft
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
        raise DataError(msg)
    if rule in {"keep", "all"} or (rule == "distinct" and draft.kind == "objects"):
        draft.account.assumptions.append(
            f"{count:,} answers repeat an earlier one by the same annotator on the "
            f"same question (first: {place}, {who}); each counts as an answer of its "
            f'own (`repeats="{rule}"`)'
        )
        return draft
    keep = {"distinct": "first", "first": "first", "last": "last", "drop": False}[rule]
    gone = answers.duplicated(question, keep=keep)  # type: ignore[arg-type]
    kept = np.ones(len(real), bool)
    if draft.kind == "objects":
        every = pd.MultiIndex.from_frame(keys)
        kept[every.isin(pd.MultiIndex.from_frame(answers[gone]))] = False
    else:
        kept[answers.index[gone]] = False
    reason = f"{WHAT} (`repeats={rule!r}`)"
    draft.account.dropped.append(Dropped(reason, int((~kept).sum()), place))
    names = ("item", "annotator", "label", "response_id", "row", "answer", "object")
    there = {
        n: e for n in (*names, "main", "n") if (e := getattr(draft, n)) is not None
    }
    some: dict[str, Any] = {
        n: e.take(kept) if isinstance(e, Coded) else e[kept] for n, e in there.items()
    }
    extras = {n: c[kept].reset_index(drop=True) for n, c in draft.extras.items()}
    return replace(draft, extras=extras, **some)


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
