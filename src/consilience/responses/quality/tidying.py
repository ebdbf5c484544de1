"""The one rule for blanks and missing words, for answers of every format."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from consilience.responses.draft import Draft
from consilience.responses.tables.coding import Coded
from consilience.responses.tables.text_table import tidy

_ROLES = ("item", "annotator", "label", "response_id")


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
