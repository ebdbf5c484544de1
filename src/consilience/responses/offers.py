"""What was on screen: settled from the source and the caller, held against the answers.

"Not selected" means *no* only for a label that was shown. A source that does not say
what was shown gives an offer that is unknown, or, for a choice of one label, the
assumption that every label was shown; either is written into the assumptions.

**Names of labels instead of their codes: 'tabby cat' for n02123045.** Tables hold
labels as they were read, so that programs find them again. To look at, a table has
names: those of the column `name` of the responses' labels, or of a file. Two labels of
one name stay apart, and what has no name keeps its code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

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
from consilience.responses.sources.json_file import read_json
from consilience.responses.tables.coding import (
    Coded,
    drop_unused,
    index,
    recode_to,
    text_array,
)
from consilience.responses.tables.id_types import text_of
from consilience.responses.tables.scales import natural_texts

ALL_SHOWN = (
    "The source does not say what was on screen: every label that occurs in it is "
    "taken as shown for every item."
)
UNKNOWN = (
    "The source does not say what was on screen: a label that was not named may have "
    "been absent from the screen."
)
COLUMNS = (
    "label",
    "dataset_label",
    "main_label",
    "class_label",
    "true_label",
    "given_label",
    "label_a",
    "label_b",
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


"""Columns that hold labels, in every table of a run or of an analysis."""


def label_names(labels: pd.DataFrame) -> dict[str, str]:
    """Return what each label is called, all of them differently."""
    code = labels["label"].astype("str")
    named = labels["name"] if "name" in labels else pd.Series(None, labels.index)
    names = named.astype("str").str.strip()
    shown = names.where(named.notna() & (names != ""), code)
    while (twice := shown.duplicated(keep=False) & (shown != code)).any():
        shown = shown.where(~twice, shown + " (" + code + ")")
    return dict(zip(code, shown, strict=True))


def short_names(names: Mapping[str, str]) -> dict[str, str]:
    """Return names without their synonyms: what stands before the first comma."""
    short = pd.Series(
        {code: name.split(",")[0].strip() for code, name in names.items()}
    )
    whole = pd.Series(dict(names))
    alike = short.duplicated(keep=False) | short.isin(whole[whole != short])
    return dict(zip(names, short.where(~alike, whole), strict=True)) if names else {}


def with_names(table: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Return a table with names of labels instead of their codes.

    Parameters
    ----------
    table : pandas.DataFrame
        Any table of a fit or of an analysis; `COLUMNS` lists the columns that hold
        labels.
    labels : pandas.DataFrame
        Columns label and name, as `Responses.labels`.

    Returns
    -------
    pandas.DataFrame
        The table with names.

    See Also
    --------
    Responses : Has the names of labels in its table `labels`.

    Examples
    --------
    >>> import consilience as cs
    >>> import pandas as pd
    >>> labels = pd.DataFrame({"label": ["n01"], "name": ["tench"]})
    >>> table = pd.DataFrame({"item": ["a"], "label": ["n01"]})
    >>> cs.with_names(table, labels)
      item  label
    0    a  tench
    """
    return rename_labels(table, label_names(labels))


def rename_labels(table: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Return a table with labels called by other names; others keep theirs."""
    columns = {
        name: _rename_column(table[name], names) for name in COLUMNS if name in table
    }
    return table.assign(**columns)


def read_names(path: Path) -> pd.DataFrame:
    """Read what labels are called."""
    if path.suffix.casefold() == ".json" and path.exists():
        names = _object(path)
        if names is not None:
            return pd.DataFrame({"label": list(names), "name": list(names.values())})
    table = label_table(path, ReadOptions())
    if table["name"].isna().all():
        msg = f"{path}: no label has a name; give the columns label and name"
        raise OptionError(msg)
    return table


def _object(path: Path) -> dict[str, str] | None:
    """Return names by label from a JSON object of texts; None where it is none."""
    content = read_json(path)
    if not isinstance(content, dict) or not content:
        return None
    names = {label: name for label, name in content.items() if isinstance(name, str)}
    return names if len(names) == len(content) else None


def _rename_column(column: pd.Series, names: dict[str, str]) -> pd.Series:
    if isinstance(column.dtype, pd.CategoricalDtype):
        old = text_of(pd.Series(column.cat.categories))
        return column.cat.rename_categories([names.get(label, label) for label in old])
    text = text_of(column).astype(object)
    return text.map(lambda label: names.get(label, label), na_action="ignore")
