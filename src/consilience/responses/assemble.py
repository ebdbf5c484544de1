"""From a reader's draft to the frozen responses: ordered, checked, accounted for.

**Repeats** are rows that are equal, and further answers to one question.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Bool

from consilience.errors import ColumnError, DataError, OptionError, SourceError
from consilience.responses.columns.looks import is_structure
from consilience.responses.draft import Account, Cleaning, Draft, Dropped
from consilience.responses.id_types import settled
from consilience.responses.options import ANSWERS, KINDS, ReadOptions, Repeats
from consilience.responses.side_tables import (
    asked_items,
    check_gold,
    gold_table,
    item_table,
    settle_offer,
)
from consilience.responses.spelling import listed_labels, merge_spellings, suspicions
from consilience.responses.table import Responses
from consilience.responses.text import (
    Coded,
    TextTable,
    check_texts,
    encode,
    first_row,
    has_order,
    index,
    is_scale,
    num_distinct,
    refuse_nul,
    refuse_rows,
    text_array,
    tidy,
    with_line_breaks,
)

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
    place = draft.place(row)
    who = f"annotator {draft.annotator.text(row)!r} on item {draft.item.text(row)!r}"
    count = int(later.sum())
    if rule == "error":
        raise DataError(
            f"{place}: {who} had answered this before ({count:,} such answers); fix "
            "the file or pass `repeats=\"keep\"`, 'distinct', 'first', 'last' or 'drop'"
        )
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


ORDER_HINT = "; if it means more and less, fit with `ordered=True`"
_ROLES = ("item", "annotator", "label", "response_id")
_DASHES = "[-\u2013\u2014]+"


def assemble(draft: Draft, options: ReadOptions) -> Responses:
    """Turn a reader's draft into responses."""
    if options.given is not None:  # tables beside have columns of their own
        options = replace(options, columns=options.given)
    account = draft.account
    draft = _tidied(draft, _missing_words(draft, options))
    _check_rows(draft)
    _check_plain(draft)
    more = [*draft.more_items, *asked_items(draft.items)]
    _check_texts(draft, more)
    gold = draft.gold
    if options.gold is not None:
        named = {"item": index(draft.item.values), "label": index(draft.label.values)}
        gold = gold_table(options.gold, options, named)
        check_gold(gold, named["item"])
    draft, gold = merge_spellings(draft, options, gold)
    gold = _with_a_majority(draft, options, gold)
    offer, offered, frame = settle_offer(draft, options, gold)
    labels = frame["label"]
    refuse_nul("label", labels)
    refuse_nul("item of the gold", () if gold is None else gold["item"])
    draft = replace(draft, item=draft.item.sorted(text_array(more)))
    draft = without_repeats(draft, options.repeats)
    items, unanswered = draft.items, _note_facts(draft)
    if items is None and unanswered:
        items = pd.DataFrame({"item": index(draft.item.values)})
    if options.items is not None:
        items = item_table(options, items, index(draft.item.values))
    _note_strange(draft, gold, items, labels)
    types = {role: kind for role in _ROLES[:3] if (kind := draft.types.get(role))}
    if types:
        values = {"item": draft.item.values, "annotator": draft.annotator.values}
        types, lost = settled(types, values | {"label": text_array(labels)})
        account.notes.extend(lost)
    account.warnings.extend(suspicions(draft))
    cleaning = Cleaning(
        unit=account.unit,
        read=account.read,
        kept=num_distinct(draft.row),
        answers=int(_times(draft)[_given(draft)].sum()),
        dropped=tuple(account.dropped),
        notes=tuple(account.notes),
        columns=account.columns,
        unused=account.unused,
        warnings=tuple(account.warnings),
    )
    return Responses(
        table=_table(draft, labels),
        offer=offer,
        offered=offered,
        items=items,
        labels=frame,
        gold=_gold(gold, labels),
        assumptions=tuple(account.assumptions),
        cleaning=cleaning,
        sources={},
        types=types,
        in_order=draft.ordered
        or options.labels is not None
        or has_order(labels.tolist()),
    )


def _missing_words(draft: Draft, options: ReadOptions) -> tuple[str, ...]:
    """Words of empty cells, and labels that the caller takes for skipped questions."""
    if draft.kind == "contains":
        if options.answers and not draft.worded:
            raise OptionError(
                "`answers=`: the answers of this source are selections, decisions or "
                "counts, not words, so there is none to give a meaning to; leave it out"
            )
        return options.missing_words
    for word, meaning in options.answers.items():
        if meaning != "skipped":
            raise OptionError(
                f"`answers=`: {word!r} was to mean {meaning!r}, but answers of kind "
                f"{draft.kind!r} are labels, which may mean 'skipped' alone; leave it "
                'out, or ask for `kind="contains"`'
            )
    skipped = {word.casefold() for word in options.answers}
    labels = draft.label.values.drop_null().to_pylist() if skipped else []
    words = [label for label in labels if label.strip().casefold() in skipped]
    return (*options.missing_words, *words)


# Texts


def _tidied(draft: Draft, missing: tuple[str, ...]) -> Draft:
    """Trim blanks around texts and make missing words missing, as in tables."""
    there = {r: column for r in _ROLES if (column := getattr(draft, r)) is not None}
    tidied, notes = tidy(there, missing)
    changed: dict[str, Any] = {**tidied}
    before = draft.account.notes
    before.extend([note for note in notes if note not in before])
    labels = _tidy_frame(draft.labels, missing)
    if labels is not None:
        labels = labels.drop_duplicates("label", ignore_index=True)
    items = _tidy_frame(draft.items, missing)
    if items is not None:  # names may be one when they are tidy
        items = items.dropna(subset="item")
        items = items.drop_duplicates("item", ignore_index=True)
    return replace(
        draft,
        **changed,
        offered=_tidy_frame(draft.offered, missing),
        items=items,
        labels=labels,
        gold=_tidy_frame(draft.gold, missing),
        more_items=_tidy_list(draft.more_items, missing),
        order=_tidy_list(draft.order, missing),
    )


def _tidy_texts(texts: Sequence[str] | pd.Series, missing: tuple[str, ...]) -> Coded:
    coded = encode(pa.array(texts, pa.string(), from_pandas=True))
    return tidy({"": coded}, missing)[0][""]


def _tidy_list(texts: Sequence[str], missing: tuple[str, ...]) -> list[str]:
    return _tidy_texts(texts, missing).series().dropna().tolist()


def _tidy_frame(
    frame: pd.DataFrame | None, missing: tuple[str, ...]
) -> pd.DataFrame | None:
    """Tidy a table, without rows whose label means that there is none."""
    if frame is None:
        return None
    names = {*_ROLES} & set(frame.columns)
    tidied = {name: _tidy_texts(frame[name], missing).series() for name in names}
    frame = frame.assign(**{n: c.astype("str").array for n, c in tidied.items()})
    if "label" in frame and frame["label"].isna().any():
        return frame.dropna(subset="label", ignore_index=True)
    return frame


def _check_texts(draft: Draft, more_items: list[str]) -> None:
    """Hold ids and labels to the rules of texts, and say what is suspicious."""
    refuse_nul("item", more_items)
    for what in _ROLES:
        column: Coded | None = getattr(draft, what)
        if column is None:
            continue
        check_texts(column, what, draft.place)
        broken = with_line_breaks(column.values)
        if first := first_row(column, broken):
            row, text = first
            draft.account.warnings.append(
                f"line breaks in {len(broken):,} texts of {what} (first: "
                f"{draft.place(row)}, {text[:40]!r}); if that is not meant, a quote "
                "was opened and not closed, and rows may be missing"
            )


# Rows


def _check_rows(draft: Draft) -> None:
    if len(draft.item) == 0:
        account = draft.account
        why = "; ".join(f"{part.count:,}: {part.reason}" for part in account.dropped)
        raise SourceError(
            f"no answer is left of {account.read:,} {account.unit} ({why or 'none'}); "
            "check the file and the options"
        )
    empty = draft.item.codes < 0
    why = f"the item is empty ({empty.sum():,} such rows); fix or drop these rows"
    refuse_rows(empty, draft.place, why)
    if draft.kind == "contains":
        why = "the label that was asked about is empty; fix or drop the row"
        refuse_rows(draft.label.codes < 0, draft.place, why)
    nameless = draft.kind == "objects" and draft.response_id is None
    if nameless and (draft.annotator.codes < 0).any():
        raise ColumnError(
            "answers of kind 'objects' without annotator need a column that says which "
            "belong to one response; name it (`response_id=NAME`)"
        )


def _check_plain(draft: Draft) -> None:
    """Refuse labels that are lists or objects."""
    for code, label in enumerate(draft.label.values.to_pylist()):
        if label is None or label[:1] not in "[{" or not is_structure(label):
            continue
        rows = (draft.label.codes == code).nonzero()[0]
        if not len(rows):
            continue
        shown = label if len(label) <= 60 else label[:57] + "..."
        raise DataError(
            f"{draft.place(int(rows[0]))}: the label is a list or an object "
            f"({shown!r}), not a plain text; write one label per row (or a JSON list "
            "of labels, read as kind objects), or name the format or the column that "
            "holds plain labels"
        )


def _given(draft: Draft) -> np.ndarray:
    """Return which questions were answered, and not skipped."""
    answered = draft.label.codes if draft.answer is None else draft.answer
    return answered >= 0


def _times(draft: Draft) -> np.ndarray:
    return np.ones(len(draft.item), np.int64) if draft.n is None else draft.n


def _table(draft: Draft, labels: pd.Series) -> pd.DataFrame:
    num_rows = len(draft.item)
    none = Coded.nothing(num_rows)
    kind = np.full(num_rows, KINDS.index(draft.kind), np.int8)
    answer = none.codes if draft.answer is None else draft.answer
    response_id = none if draft.response_id is None else draft.response_id
    columns = {
        "item": draft.item.series(),
        "annotator": draft.annotator.sorted().series(),
        "kind": Coded(kind, text_array(KINDS)).series(),
        "label": draft.label.coded_by(text_array(labels)).series(),
        "answer": Coded(answer, text_array(ANSWERS)).series(ordered=True),
        "object": _optional(draft.object, num_rows, "Int32"),
        "main": _optional(draft.main, num_rows, "boolean"),
        "n": _times(draft),
        "response_id": response_id.sorted().series(),
    }
    return pd.DataFrame({**columns, **draft.extras})


def _optional(values: np.ndarray | None, num_rows: int, dtype: str) -> pd.Series:
    if values is None:
        return pd.Series(pd.NA, index=range(num_rows), dtype=dtype)
    series = pd.Series(values).astype("Int32")
    return series.mask(series < 0).astype(pd.api.types.pandas_dtype(dtype))


# The account


def _note_facts(draft: Draft) -> int:
    """Note what a reader of results should know; returns the items without answer."""
    given = _given(draft)
    skipped = int((~given).sum())
    people = draft.annotator.codes
    anonymous = int(_times(draft)[given & (people < 0)].sum())
    unanswered = len(draft.item.values) - num_distinct(draft.item.codes)
    facts = {
        f"items without an answer: {unanswered:,}": unanswered,
        f"skipped questions (no label or answer): {skipped:,}": skipped,
        f"answers without annotator (anonymous): {anonymous:,}": anonymous,
        "all answers are by one annotator: agreement cannot be estimated": (
            not anonymous and num_distinct(people) == 1
        ),
        "all answers give one label: errors cannot be estimated": (
            draft.kind == "choice" and num_distinct(draft.label.codes[given]) == 1
        ),
        "every question was skipped: nothing was answered": skipped == len(given),
    }
    draft.account.notes.extend(sentence for sentence, true in facts.items() if true)
    return unanswered


def _with_a_majority(
    draft: Draft, options: ReadOptions, gold: pd.DataFrame | None
) -> pd.DataFrame | None:
    """Leave out gold that is a dash, which says that there is none."""
    if gold is None:
        return None
    labels = [*draft.label.values.to_pylist(), *listed_labels(options)]
    none = gold["label"].str.fullmatch(_DASHES) & ~gold["label"].isin(labels)
    if none.any():
        dash = gold["label"][none].iloc[0]
        note = f"gold {dash!r}, which no answer is, was read as missing: {none.sum():,}"
        draft.account.notes.append(note)
    return gold[~none].reset_index(drop=True)


def _note_strange(
    draft: Draft,
    gold: pd.DataFrame | None,
    items: pd.DataFrame | None,
    labels: pd.Series,
) -> None:
    """Note gold and classes that are about nothing else, and the order of labels."""
    notes = draft.account.notes
    if gold is not None:
        strange = int((~gold["item"].isin(index(draft.item.values))).sum())
        if strange:
            notes.append(f"gold rows of items that nobody was asked: {strange:,}")
    texts = labels.tolist()
    ordered = bool(draft.order) or is_scale(texts)
    if draft.kind == "choice" and len(texts) > 2 and ordered:
        # A fit does not know by itself that labels are steps of a scale.
        shown = " < ".join(texts[:12]) + " < ..." * (len(texts) > 12)
        notes.append(f"labels are kept in the order {shown}{ORDER_HINT}")
    if items is not None and "dataset_label" in items:
        named = items["dataset_label"].dropna()
        strange = int((~named.isin(labels)).sum())
        if strange:
            what = "items whose label in the data set is not among the labels"
            notes.append(f"{what}: {strange:,}")


def _gold(gold: pd.DataFrame | None, labels: pd.Series) -> pd.DataFrame | None:
    if gold is None:
        return None
    dtype = pd.CategoricalDtype(pd.Index(labels, dtype="str"))
    strange = ~gold["label"].isin(dtype.categories)
    if strange.any():
        row = gold[strange].iloc[0]
        raise DataError(
            f"gold of item {row['item']!r}: label {row['label']!r} is not among the "
            f"{len(labels)} labels; fix the gold or the list of labels"
        )
    return gold.assign(label=gold["label"].astype(dtype))
