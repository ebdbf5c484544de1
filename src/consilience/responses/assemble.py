"""From a reader's draft to the frozen responses: ordered, checked, accounted for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from consilience.errors import (
    BadCellError,
    LabelNotOfferedError,
    MissingColumnError,
    NoResponsesError,
    OptionError,
)
from consilience.responses.columns.looks import is_structure
from consilience.responses.draft import Draft, skipped_labels
from consilience.responses.offers import check_offered, settle_offer
from consilience.responses.options import ReadOptions
from consilience.responses.quality.cleaning import Cleaning
from consilience.responses.quality.repeats import keep_rows, settle_repeats
from consilience.responses.quality.spelling import merge_spellings, suspicions
from consilience.responses.side_tables import (
    asked_items,
    check_gold,
    gold_table,
    item_table,
)
from consilience.responses.table import ANSWERS, KINDS, Responses, is_given
from consilience.responses.tables.coding import (
    Coded,
    index,
    num_distinct,
    recode_to,
    sort_values,
    text_array,
)
from consilience.responses.tables.id_types import settled
from consilience.responses.tables.scales import has_order, is_scale
from consilience.responses.tables.text_table import (
    check_texts,
    line_break_warnings,
    refuse_nul,
    tidy,
)

ORDER_HINT = "; if it means more and less, fit with `ordered=True`"
_ROLES = ("item", "annotator", "label", "response_id")


def assemble(draft: Draft, options: ReadOptions) -> Responses:
    """Turn a reader's draft into responses."""
    missing = options.missing_words
    if draft.kind != "contains":
        missing += (*skipped_labels(draft, options.answers),)
    elif options.answers and not draft.worded:
        msg = (
            "`answers=`: the answers of this source are selections, decisions or "
            "counts, not words, so there is none to give a meaning to; leave it out"
        )
        raise OptionError(msg)
    draft = tidy_draft(draft, missing)
    _check_rows(draft)
    _check_plain(draft)
    more = [*draft.more_items, *asked_items(draft.items)]
    breaks = _check_texts(draft, more)
    gold = draft.gold
    if options.gold is not None:
        gold = gold_table(options.gold, options)
        check_gold(gold, index(draft.item.values))
    draft, gold = merge_spellings(draft, options, gold)
    offer = settle_offer(draft, options, gold)
    refuse_nul("label", offer.labels["label"])
    refuse_nul("item of the gold", () if gold is None else gold["item"])
    check_offered(draft, offer)
    repeated = settle_repeats(draft, options.repeats)
    every = sort_values(draft.item, text_array(more))
    draft = keep_rows(replace(draft, item=every), repeated.kept)
    item = draft.item
    table = _table(draft, item, offer.labels)
    observed = _Observed(draft, table)
    items = draft.items
    if items is None and observed.unanswered:
        items = pd.DataFrame({"item": index(item.values)})
    if options.items is not None:
        items = item_table(options, items, index(item.values))
    types, lost = settled(
        {role: draft.types.get(role) for role in ("item", "annotator", "label")},
        {
            "item": item.values,
            "annotator": draft.annotator.values,
            "label": text_array(offer.labels["label"]),
        },
    )
    cleaning = Cleaning(
        unit=draft.unit,
        read=draft.num_read,
        kept=num_distinct(draft.row),
        answers=int(table["n"][is_given(table)].sum()),
        dropped=(*draft.dropped, *repeated.dropped),
        notes=(
            *draft.notes,
            *observed.notes(),
            *_gold_notes(gold, item),
            *_order_notes(draft, offer.labels),
            *_class_notes(items, offer.labels),
            *lost,
        ),
        columns=draft.columns,
        unused=draft.unused,
        warnings=(*draft.warnings, *breaks, *suspicions(draft)),
    )
    return Responses(
        table=table,
        offer=offer.offer,
        offered=offer.offered,
        items=items,
        labels=offer.labels,
        gold=_gold(gold, offer.labels),
        assumptions=(*draft.assumptions, *offer.assumptions, *repeated.assumptions),
        cleaning=cleaning,
        sources=dict(draft.sources),
        types=types,
        in_order=draft.ordered
        or options.labels is not None
        or has_order(offer.labels["label"].tolist()),
    )


def _check_rows(draft: Draft) -> None:
    if len(draft.item) == 0:
        why = "; ".join(f"{part.count:,}: {part.reason}" for part in draft.dropped)
        msg = (
            f"no answer is left of {draft.num_read:,} {draft.unit} ({why or 'none'}); "
            "check the file and the options"
        )
        raise NoResponsesError(msg)
    empty = draft.item.codes < 0
    if empty.any():
        place = draft.where(int(draft.row[empty.argmax()]))
        msg = (
            f"{place}: the item is empty ({int(empty.sum()):,} such rows); fix or "
            "drop these rows"
        )
        raise BadCellError(msg)
    if draft.kind == "contains" and (draft.label.codes < 0).any():
        place = draft.where(int(draft.row[(draft.label.codes < 0).argmax()]))
        msg = f"{place}: the label that was asked about is empty; fix or drop the row"
        raise BadCellError(msg)
    nameless = draft.kind == "objects" and draft.response_id is None
    if nameless and (draft.annotator.codes < 0).any():
        msg = (
            "answers of kind 'objects' without annotator need a column that says which "
            "belong to one response; name it (`response_id=NAME`)"
        )
        raise MissingColumnError(msg)


def _check_plain(draft: Draft) -> None:
    """Refuse labels that are lists or objects."""
    for code, label in enumerate(draft.label.values.to_pylist()):
        if label is None or not is_structure(label):
            continue
        rows = (draft.label.codes == code).nonzero()[0]
        if not len(rows):
            continue
        shown = label if len(label) <= 60 else label[:57] + "..."
        msg = (
            f"{draft.where(int(draft.row[rows[0]]))}: the label is a list or an object "
            f"({shown!r}), not a plain text; write one label per row (or a JSON list "
            "of labels, read as kind objects), or name the format or the column that "
            "holds plain labels"
        )
        raise BadCellError(msg)


def _check_texts(draft: Draft, more_items: list[str]) -> tuple[str, ...]:
    """Hold ids and labels to the rules of texts, and say what is suspicious."""

    def where(row: int) -> str:
        return draft.where(int(draft.row[row]))

    refuse_nul("item", more_items)
    notes: list[str] = []
    for what in ("item", "annotator", "label", "response_id"):
        column: Coded | None = getattr(draft, what)
        if column is not None:
            check_texts(column, what, where)
            notes += line_break_warnings(column, what, where)
    return tuple(notes)


def _table(draft: Draft, item: Coded, labels: pd.DataFrame) -> pd.DataFrame:
    num_rows = len(item)
    label = recode_to(draft.label, pa.array(labels["label"], pa.string()))
    kinds = pd.CategoricalDtype(pd.Index(KINDS, dtype="str"))
    answers = pd.CategoricalDtype(pd.Index(ANSWERS, dtype="str"), ordered=True)
    kind = np.full(num_rows, KINDS.index(draft.kind), np.int8)
    answer = np.full(num_rows, -1, np.int8) if draft.answer is None else draft.answer
    response_id = draft.response_id
    columns = {
        "item": item.series(),
        "annotator": sort_values(draft.annotator).series(),
        "kind": pd.Categorical.from_codes(kind, dtype=kinds),
        "label": label.series(),
        "answer": pd.Categorical.from_codes(answer, dtype=answers),
        "object": _optional(draft.object, num_rows, "Int32"),
        "main": _optional(draft.main, num_rows, "boolean"),
        "n": np.ones(num_rows, np.int64) if draft.n is None else draft.n,
        "response_id": sort_values(response_id).series()
        if response_id is not None
        else Coded(np.full(num_rows, -1, np.int32), text_array([])).series(),
    }
    return pd.DataFrame({**columns, **draft.extras})


def _optional(values: np.ndarray | None, num_rows: int, dtype: str) -> pd.Series:
    if values is None:
        return pd.Series(pd.NA, index=range(num_rows), dtype=dtype)
    series = pd.Series(values).astype("Int32")
    column: pd.Series = series.mask(series < 0).astype(pd.api.types.pandas_dtype(dtype))
    return column


@dataclass(frozen=True, slots=True)
class _Observed:
    """Facts of the finished table that a reader of results should know."""

    draft: Draft
    table: pd.DataFrame

    @property
    def unanswered(self) -> int:
        answered = self.table["item"].cat.codes.to_numpy()
        return len(self.table["item"].cat.categories) - num_distinct(answered)

    def notes(self) -> tuple[str, ...]:
        table = self.table
        answered = is_given(table)
        skipped = int((~answered).sum())
        given = table["label"][answered].nunique()
        annotators = len(table["annotator"].cat.categories)
        anonymous = int(table["annotator"].isna().sum())
        facts = [
            (self.unanswered, f"items without an answer: {self.unanswered:,}"),
            (skipped, f"skipped questions (no label or answer): {skipped:,}"),
            (anonymous, f"answers without annotator (anonymous): {anonymous:,}"),
            (
                annotators == 1 and not anonymous,
                "all answers are by one annotator: agreement cannot be estimated",
            ),
            (
                given == 1 and self.draft.kind == "choice",
                "all answers give one label: errors cannot be estimated",
            ),
            (skipped == len(table), "every question was skipped: nothing was answered"),
        ]
        return tuple(text for true, text in facts if true)


def _order_notes(draft: Draft, labels: pd.DataFrame) -> tuple[str, ...]:
    """Say that labels are steps of a scale, which a fit does not know by itself."""
    texts = labels["label"].tolist()
    ordered = bool(draft.order) or is_scale(texts)
    if draft.kind != "choice" or len(texts) < 3 or not ordered:
        return ()
    note = (
        f"labels are kept in the order {' < '.join(texts[:12])}"
        f"{' < ...' * (len(texts) > 12)}{ORDER_HINT}"
    )
    return (note,)


def _gold_notes(gold: pd.DataFrame | None, item: Coded) -> tuple[str, ...]:
    if gold is None:
        return ()
    strange = int((~gold["item"].isin(index(item.values))).sum())
    return (f"gold rows of items that nobody was asked: {strange:,}",) * bool(strange)


def _class_notes(items: pd.DataFrame | None, labels: pd.DataFrame) -> tuple[str, ...]:
    if items is None or "dataset_label" not in items:
        return ()
    strange = items["dataset_label"].notna() & ~items["dataset_label"].isin(
        labels["label"]
    )
    count = int(strange.sum())
    what = f"items whose label in the data set is not among the labels: {count:,}"
    return (what,) * bool(count)


def _gold(gold: pd.DataFrame | None, labels: pd.DataFrame) -> pd.DataFrame | None:
    if gold is None:
        return None
    dtype = pd.CategoricalDtype(pd.Index(labels["label"], dtype="str"))
    strange = ~gold["label"].isin(dtype.categories)
    if strange.any():
        row = gold[strange].iloc[0]
        msg = (
            f"gold of item {row['item']!r}: label {row['label']!r} is not among the "
            f"{len(labels)} labels; fix the gold or the list of labels"
        )
        raise LabelNotOfferedError(msg)
    out = gold.copy()
    out["label"] = out["label"].astype(dtype)
    return out


def tidy_draft(draft: Draft, missing: tuple[str, ...]) -> Draft:
    """Trim blanks around texts and make missing words missing, as in tables."""
    columns = {role: getattr(draft, role) for role in _ROLES}
    untidy: dict[str, Coded] = {
        role: column
        for role, column in columns.items()
        if column is not None and not _is_tidy(column.values, missing)
    }
    tidy_columns, notes = tidy(untidy, missing)
    changed: dict[str, Any] = dict(tidy_columns)
    labels = _drop_unlabelled(_frame(draft.labels, missing))
    return replace(
        draft,
        **changed,
        offered=_drop_unlabelled(_frame(draft.offered, missing)),
        items=_frame(draft.items, missing),
        labels=None
        if labels is None
        else labels.drop_duplicates("label", ignore_index=True),
        gold=_drop_unlabelled(_frame(draft.gold, missing)),
        more_items=_texts(draft.more_items, missing),
        order=_texts(draft.order, missing),
        notes=(*draft.notes, *(note for note in notes if note not in draft.notes)),
    )


def _is_tidy(values: pa.StringArray, missing: Sequence[str]) -> bool:
    there = values.drop_null()
    trimmed: bool = pc.utf8_trim_whitespace(there).equals(there)
    words = pa.array(missing, pa.string())
    return trimmed and not pc.any(pc.is_in(there, value_set=words)).as_py()


def _texts(texts: Sequence[str], missing: Sequence[str]) -> Sequence[str]:
    if _is_tidy(pa.array(texts, pa.string()), missing):
        return texts
    return [text.strip() for text in texts if text.strip() not in missing]


def _drop_unlabelled(frame: pd.DataFrame | None) -> pd.DataFrame | None:
    """Leave out rows whose label means that there is none."""
    if frame is None or "label" not in frame or frame["label"].notna().all():
        return frame
    return frame.dropna(subset="label", ignore_index=True)


def _frame(frame: pd.DataFrame | None, missing: Sequence[str]) -> pd.DataFrame | None:
    if frame is None:
        return None
    for name in {*_ROLES} & set(frame.columns):
        column = frame[name]
        if not _is_tidy(pa.array(column, pa.string(), from_pandas=True), missing):
            text = column.astype("str").str.strip()
            frame = frame.assign(**{name: text.mask(text.isin(missing))})
    return frame
