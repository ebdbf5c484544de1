"""What was on screen: settled from the source and the caller, held against the answers.

"Not selected" means *no* only for a label that was shown. A source that does not say
what was shown gives an offer that is unknown, or, for a choice of one label, the
assumption that every label was shown; either is written into the assumptions.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from consilience.errors import LabelNotOfferedError, OptionError
from consilience.responses.draft import Draft
from consilience.responses.options import Offer, ReadOptions
from consilience.responses.side_tables import (
    checked_labels,
    label_column,
    label_table,
    offered_table,
)
from consilience.responses.tables.coding import (
    Coded,
    drop_unused,
    index,
    recode_to,
    text_array,
)
from consilience.responses.tables.scales import natural_texts

ALL_SHOWN = (
    "The source does not say what was on screen: every label that occurs in it is "
    "taken as shown for every item."
)
UNKNOWN = (
    "The source does not say what was on screen: a label that was not named may have "
    "been absent from the screen."
)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Offered:
    """The offer as settled."""

    offer: Offer
    offered: pd.DataFrame | None
    labels: pd.DataFrame
    derived: bool
    assumptions: tuple[str, ...]


def settle_offer(
    draft: Draft, options: ReadOptions, gold: pd.DataFrame | None
) -> Offered:
    """Settle what was offered; the caller's word goes before the source's."""
    labels = draft.labels
    offer, offered = draft.offer, draft.offered
    assumptions: tuple[str, ...] = ()
    if options.offered is not None:
        labels, offered = offered_table(options.offered, options)
        offer = "all" if offered is None else "listed"
    if options.labels is not None:
        column = label_column(options, drop_unused(draft.label).values.to_pylist())
        given = label_table(options.labels, replace(options, label_column=column))
        if column != options.label_column:
            sentence = (
                f"Labels are those in the column {column!r} of the table of labels."
            )
            assumptions = (sentence,)
        if labels is not None:
            _check_subset(labels, given)
        labels = given
    derived = False
    if labels is None:
        labels = _occurring(draft, gold)
    if offer is None and draft.kind == "contains":
        offer, offered, derived = "listed", _asked_pairs(draft), True
    elif offer is None and draft.kind == "choice":
        offer = "all"
        assumptions += () if options.labels is not None else (ALL_SHOWN,)
    elif offer is None:
        offer, assumptions = "unknown", (*assumptions, UNKNOWN)
    return Offered(
        offer=offer,
        offered=offered if offer == "listed" else None,
        labels=labels,
        derived=derived,
        assumptions=assumptions,
    )


def check_offered(draft: Draft, offer: Offered) -> None:
    """Hold every answer against what was offered."""
    labels = pa.array(offer.labels["label"], pa.string())
    codes = recode_to(draft.label, labels).codes
    bad = (draft.label.codes >= 0) & (codes < 0)
    if bad.any():
        row = int(bad.argmax())
        msg = (
            f"{draft.where(int(draft.row[row]))}: label {draft.label.text(row)!r} is "
            f"not among the {len(labels):,} that were offered ({int(bad.sum()):,} such "
            "answers); fix the row or correct the list (`offered=` or `labels=`)"
        )
        raise LabelNotOfferedError(msg)
    if offer.offered is not None and not offer.derived:
        _check_listed(draft, offer.offered)


def _check_listed(draft: Draft, offered: pd.DataFrame) -> None:
    """Each answer's label is in the row set of its item, annotator or response."""
    keys = [key for key in ("response_id", "item", "annotator") if key in offered]
    columns = {"label": draft.label}
    for key in keys:
        column: Coded | None = getattr(draft, key)
        if column is None:
            msg = f"offered has a column {key!r}, but the answers have none"
            raise OptionError(msg)
        columns[key] = column
    shown = np.ones(len(offered), bool)
    left = {}
    right = {}
    for key, column in columns.items():
        codes = recode_to(
            Coded(
                np.arange(len(offered), dtype=np.int32),
                pa.array(offered[key].astype("str"), pa.string()),
            ),
            column.values,
        ).codes
        shown &= codes >= 0
        left[key], right[key] = column.codes, codes
    answers = pd.MultiIndex.from_arrays(list(left.values()))
    allowed = pd.MultiIndex.from_arrays([codes[shown] for codes in right.values()])
    bad = ~answers.isin(allowed) & (draft.label.codes >= 0)
    if bad.any():
        row = int(bad.argmax())
        msg = (
            f"{draft.where(int(draft.row[row]))}: label {draft.label.text(row)!r} was "
            f"not offered for item {draft.item.text(row)!r} ({int(bad.sum()):,} such "
            "answers); fix the row or the table of what was offered"
        )
        raise LabelNotOfferedError(msg)


def _occurring(draft: Draft, gold: pd.DataFrame | None) -> pd.DataFrame:
    values = drop_unused(draft.label).values.to_pylist()
    values += [] if gold is None else gold["label"].tolist()
    first = list(draft.order)
    rest = dict.fromkeys(value for value in values if value not in set(first))
    return _labels(text_array([*first, *natural_texts(list(rest))]))


def _labels(values: pa.StringArray) -> pd.DataFrame:
    frame = pd.DataFrame({"label": index(values)})
    if frame.empty:
        frame["name"] = frame["parent"] = frame["label"]
        return frame
    return checked_labels(frame)


def _asked_pairs(draft: Draft) -> pd.DataFrame:
    """Pairs of item and label that were asked about: the rows say so themselves."""
    pairs = pd.DataFrame(
        {"item": draft.item.codes, "label": draft.label.codes}
    ).drop_duplicates(ignore_index=True)
    return pd.DataFrame(
        {
            "item": index(draft.item.values).take(pairs["item"].to_numpy()),
            "label": index(draft.label.values).take(pairs["label"].to_numpy()),
        }
    )


def _check_subset(offered: pd.DataFrame, labels: pd.DataFrame) -> None:
    strange = offered["label"][~offered["label"].isin(labels["label"])]
    if len(strange):
        msg = (
            f"label {strange.iloc[0]!r} was offered but is not in the list of labels; "
            "correct `offered=` or `labels=`"
        )
        raise OptionError(msg)
