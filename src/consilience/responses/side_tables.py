"""The small tables beside the answers: what was on screen, labels, items and gold.

"Not selected" means *no* only for a label that was shown. A source that does not say
what was shown gives an offer that is unknown, or, for a choice of one label, the
assumption that every label was shown; either is written into the assumptions.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from defusedxml.ElementTree import parse

from consilience.errors import DataError, OptionError, SourceError
from consilience.responses.columns.looks import LINKS, TEXTS, look
from consilience.responses.columns.names import find, require
from consilience.responses.draft import Draft
from consilience.responses.options import Columns, Offer, ReadOptions
from consilience.responses.side_columns import Named, roles_in, spelled
from consilience.responses.sources.arrow_columns import cell_text
from consilience.responses.sources.frames import as_frame, readable
from consilience.responses.sources.opening import load_table
from consilience.responses.text import (
    Coded,
    TextTable,
    check_texts,
    index,
    natural_texts,
    refuse_rows,
    text_array,
)

ALL_SHOWN = (
    "The source does not say what was on screen: every label that occurs in it is "
    "taken as shown for every item."
)
UNKNOWN = (
    "The source does not say what was on screen: a label that was not named may have "
    "been absent from the screen."
)
_TAGS = ("Choice", "Label")


# Tables as options give them


def side_table(given: object, options: ReadOptions, what: str) -> TextTable:
    """Load a table that an option gives as a file, or as `as_frame` takes it."""
    plain = replace(
        options, separator=None, encoding=None, header=True, sheet=None, query=None
    )
    if isinstance(given, (str, Path)):
        with readable(str(given)):
            return load_table(Path(given), plain)
    frame = replace(as_frame(given, what, "a file or a data frame"), name=what)
    with readable(f"the data frame of {what}"):
        return load_table(frame, plain)


def text_frame(table: TextTable, names: dict[str, str]) -> pd.DataFrame:
    """Columns of a table as a frame of texts; `names` maps new name to old."""
    _check_texts(table, names)
    columns = {new: table.columns[old].series() for new, old in names.items()}
    return pd.DataFrame(columns).astype("str")


def check_filled(table: TextTable, names: Mapping[str, str]) -> None:
    """Refuse columns with a cell that is empty or holds a list."""
    _check_texts(table, names)
    for role, name in names.items():
        empty = table.columns[name].codes < 0
        refuse_rows(empty, table.where, f"the {role} is empty; fix or drop the row")


def _check_texts(table: TextTable, names: Mapping[str, str]) -> None:
    if lists := [name for name in names.values() if name in table.lists]:
        raise DataError(
            f"{table.source}: column {lists[0]!r} holds lists; one text per row was "
            "expected; write one row per label"
        )
    for role, name in names.items():
        check_texts(table.columns[name], role, table.where)


def _listed(given: object) -> list[object] | None:
    """Entries of a list; None if it is none."""
    if isinstance(given, (list, tuple, pd.Index, pd.Series)):
        return list(given)
    return None


# Labels


def label_table(
    given: object, options: ReadOptions, draft: Draft | None = None
) -> pd.DataFrame:
    """Labels in their order, from a list or from a table."""
    listed = _listed(given)
    if listed is not None:
        return checked_labels(label_frame([cell_text(label) for label in listed]))
    table = side_table(given, options, "labels")
    columns = Columns(label=options.label_column)
    label = require(table.names, "label", columns, table.source)
    if draft is not None and options.label_column is None:
        names = [*table.columns, label]  # a label of lists is refused
        frame = text_frame(table, {name: name for name in names})
        used = draft.label.used().values.to_pylist()
        column = naming_column(frame.rename(columns={label: "label"}), used)
        if column != "label":
            label = column
            draft.account.assumptions.append(
                f"Labels are those in the column {column!r} of the table of labels."
            )
    roles = {"label": label}
    rest = [name for name in table.names if name != label]
    for role in ("name", "parent"):
        named = find(rest, role, None, table.source)
        roles |= {role: named} if named else {}
    return checked_labels(text_frame(table, roles))


def label_frame(labels: Sequence[str | None]) -> pd.DataFrame:
    """Return labels without names or parents."""
    label = pd.Series([*labels], dtype="str")
    none = pd.Series([None] * len(label), dtype="str")
    return pd.DataFrame({"label": label, "name": none, "parent": none})


def naming_column(labels: pd.DataFrame, used: Iterable[str]) -> str:
    """Return the column of a table of labels that holds most of the labels in use."""
    given = set(used)
    others = [
        str(name)
        for name in labels
        if name != "label" and labels[name].notna().all() and labels[name].is_unique
    ]
    return max(
        ["label", *others],
        key=lambda name: len(given & set(labels[name].astype("str"))),
    )


def checked_labels(frame: pd.DataFrame) -> pd.DataFrame:
    """Give a table of labels its columns, each label once."""
    label = frame["label"]
    blank = label.isna() | (label.str.strip() == "")
    if frame.empty or blank.any() or label.duplicated().any():
        twice = label[label.duplicated()].head(3).tolist()
        raise OptionError(
            f"the list of labels is empty, has gaps or names a label twice {twice}"
        )
    out = frame.copy()
    for column in ("name", "parent"):
        if column not in out:
            out[column] = pd.Series([None] * len(out), dtype="str")
    first = ["label", "name", "parent"]
    return out[[*first, *out.columns.difference(first, sort=False)]]


# Items and gold


def asked_items(items: pd.DataFrame | None) -> list[str]:
    """Return the items of a table of items that somebody was asked about."""
    if items is None:
        return []
    if "asked" in items and items["asked"].dtype == bool:
        items = items[items["asked"]]
    return list(items["item"])


def item_table(
    options: ReadOptions, beside: pd.DataFrame | None, asked: pd.Index
) -> pd.DataFrame:
    """Return the table about items that an option gives, and what the source says."""
    table = side_table(options.items, options, "items")
    named = {"item": asked.astype("str")}
    item = roles_in(table, named, options.columns, roles=("item",))["item"]
    check_filled(table, {"item": item})
    names = {name: name for name in table.columns if name not in (item, "asked")}
    if "dataset_label" not in names:
        label = find(list(names), "label", None, table.source)
        names = {"dataset_label" if n == label else n: n for n in names}
    text = None if "text" in names else _text_column(table, list(names.values()))
    names = {"text" if old == text else new: old for new, old in names.items()}
    frame = text_frame(table, {"item": item, **names}).set_index("item")
    if not frame.index.is_unique:
        twice = frame.index[frame.index.duplicated()][0]
        raise OptionError(
            f"{table.source}: item {twice!r} stands twice; give one row for each item"
        )
    every = asked.astype("str")
    if beside is not None:
        before = beside.set_index("item")
        every = before.index
        frame = frame.combine_first(before)[
            [*before.columns, *frame.columns.difference(before.columns, sort=False)]
        ]
    order = every.append(frame.index.difference(every, sort=False))
    whole = frame.reindex(order).rename_axis("item").reset_index()
    if not whole["item"].isin(asked).all():
        whole["asked"] = whole["item"].isin(asked).to_numpy()
    return whole


def _text_column(table: TextTable, names: Sequence[str]) -> str | None:
    """Return the column whose texts, or else links, show the items."""
    looks = {name: look(table.columns[name]) for name in names}
    shown = [name for kind in (TEXTS, LINKS) for name in names if looks[name] == kind]
    return next(iter(shown), None)


def gold_table(
    given: object, options: ReadOptions, named: Named, *, strict: bool = False
) -> pd.DataFrame:
    """Gold labels as texts: `item`, `label`, and what else gold says."""
    table = side_table(given, options, "gold")
    names = roles_in(table, named, options.columns, strict=strict)
    rest = [name for name in table.names if name not in names.values()]
    answer = find(rest, "answer", None, table.source)
    names |= {"answer": answer} if answer else {}
    if answer and "annotator" in rest:
        names["annotator"] = "annotator"  # one of several experts
    # Of objects, and with what probability a row was drawn.
    names |= {each: each for each in ("main", "inclusion") if each in rest}
    filled = {role: name for role, name in names.items() if role != "main"}
    check_filled(table, filled)  # an empty main says: not the main one
    gold = text_frame(table, names)
    return gold.assign(label=spelled(gold["label"], named))


def check_gold(gold: pd.DataFrame | None, items: pd.Index) -> None:
    """Refuse gold labels of which none is about one of the items."""
    if gold is not None and not gold["item"].isin(items).any():
        raise nothing_shared(pd.Index(gold["item"].unique()), items)


def nothing_shared(wanted: pd.Index, names: pd.Index) -> DataError:
    """Return the error that no item of gold is among those that were answered."""
    if not len(wanted):
        msg = "gold: no row with an item and a label; give a file that has some"
        return DataError(msg)
    return DataError(
        f"gold: none of its {len(wanted):,} items (such as {str(wanted[0])!r}) is "
        f"among the {len(names):,} that were answered"
        + (f" (such as {str(names[0])!r})" if len(names) else "")
        + "; give the gold of the same study"
    )


# What was on screen


def settle_offer(
    draft: Draft, options: ReadOptions, gold: pd.DataFrame | None
) -> tuple[Offer, pd.DataFrame | None, pd.DataFrame]:
    """Settle the offer, its table and all labels, and hold the answers against them."""
    labels, offer, offered = draft.labels, draft.offer, draft.offered
    if options.offered is not None:
        labels, offered = offered_table(options.offered, options)
        offer = "all" if offered is None else "listed"
    if options.labels is not None:
        labels = _given_labels(draft, options, labels)
    if labels is None:
        labels = _occurring(draft, gold)
    _check_labels(draft, labels)
    if offered is not None and offer == "listed":
        _check_listed(draft, offered)
    elif offer is None and draft.kind == "contains":
        # The rows say themselves which pairs were asked about.
        pairs = {"item": draft.item, "label": draft.label}
        codes = pd.DataFrame({name: column.codes for name, column in pairs.items()})
        codes = codes.drop_duplicates(ignore_index=True)
        offer = "listed"
        offered = pd.DataFrame(
            {n: index(c.values).take(codes[n].to_numpy()) for n, c in pairs.items()}
        )
    elif offer is None and draft.kind == "choice":
        offer = "all"
        if options.labels is None:
            draft.account.assumptions.append(ALL_SHOWN)
    elif offer is None:
        offer = "unknown"
        draft.account.assumptions.append(UNKNOWN)
    return offer, offered if offer == "listed" else None, labels


def _given_labels(
    draft: Draft, options: ReadOptions, shown: pd.DataFrame | None
) -> pd.DataFrame:
    """Return the labels that the caller lists, among which are those on screen."""
    labels = label_table(options.labels, options, draft)
    strange = () if shown is None else set(shown["label"]) - set(labels["label"])
    if shown is not None and strange:
        first = next(label for label in shown["label"] if label in strange)
        raise OptionError(
            f"label {first!r} was offered but is not in the list of labels; "
            "correct `offered=` or `labels=`"
        )
    return labels


def _check_labels(draft: Draft, labels: pd.DataFrame) -> None:
    values = text_array(labels["label"])
    bad = (draft.label.codes >= 0) & (draft.label.coded_by(values).codes < 0)
    if bad.any():
        row = int(bad.argmax())
        raise DataError(
            f"{draft.place(row)}: label {draft.label.text(row)!r} is "
            f"not among the {len(labels):,} that were offered ({int(bad.sum()):,} such "
            "answers); fix the row or correct the list (`offered=` or `labels=`)"
        )


def _check_listed(draft: Draft, offered: pd.DataFrame) -> None:
    """Each answer's label is in the row set of its item, annotator or response."""
    columns = {"label": draft.label}
    for key in ("response_id", "item", "annotator"):
        column: Coded | None = getattr(draft, key)
        if key in offered and column is None:
            raise OptionError(
                f"offered has a column {key!r}, but the answers have none"
            )
        if key in offered and column is not None:
            columns[key] = column
    every = np.arange(len(offered), dtype=np.int32)
    listed = [
        Coded(every, pa.array(offered[key].astype("str"))).coded_by(c.values).codes
        for key, c in columns.items()
    ]
    shown = (np.stack(listed) >= 0).all(axis=0)
    answers = pd.MultiIndex.from_arrays([c.codes for c in columns.values()])
    allowed = pd.MultiIndex.from_arrays([codes[shown] for codes in listed])
    bad = ~answers.isin(allowed) & (draft.label.codes >= 0)
    if bad.any():
        row = int(bad.argmax())
        raise DataError(
            f"{draft.place(row)}: label {draft.label.text(row)!r} was "
            f"not offered for item {draft.item.text(row)!r} ({int(bad.sum()):,} such "
            "answers); fix the row or the table of what was offered"
        )


def _occurring(draft: Draft, gold: pd.DataFrame | None) -> pd.DataFrame:
    """Labels of the source's order, and those of answers and gold."""
    values = draft.label.used().values.to_pylist()
    values += [] if gold is None else gold["label"].tolist()
    first = set(draft.order)
    rest = list(dict.fromkeys(value for value in values if value not in first))
    labels = [*draft.order, *natural_texts(rest)]
    return checked_labels(label_frame(labels)) if labels else label_frame(labels)


def offered_table(
    given: object, options: ReadOptions
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Read what was offered: labels for every item, or a table of who saw what."""
    if _is_config(given):
        return checked_labels(label_frame(read_label_config(Path(str(given))))), None
    if _listed(given) is not None:
        return label_table(given, options), None
    table = side_table(given, options, "offered")
    label = require(table.names, "label", Columns(), table.source)
    names = {"label": label}
    rest = [name for name in table.names if name != label]
    for role in ("response_id", "item", "annotator"):
        preferred = getattr(options.columns, role)
        preferred = preferred if preferred in rest else None
        column = find(rest, role, preferred, table.source)
        if column:
            names[role] = column
            rest.remove(column)
    check_filled(table, names)
    frame = text_frame(table, names).drop_duplicates(ignore_index=True)
    if len(names) == 1:
        return checked_labels(frame), None
    labels = frame[["label"]].drop_duplicates(ignore_index=True)
    return checked_labels(labels), frame


def for_question(options: ReadOptions, question: str) -> ReadOptions:
    """Narrow a labelling configuration to the labels of one question."""
    given = options.offered
    if not _is_config(given):
        return options
    return replace(options, offered=read_label_config(Path(str(given)), question))


def _is_config(given: object) -> bool:
    """Say whether a labelling configuration is given."""
    return isinstance(given, (str, Path)) and Path(given).suffix.lower() == ".xml"


def label_list(options: ReadOptions) -> tuple[str, ...] | None:
    """Labels that were on screen for everybody; None if that is not known."""
    if options.offered is None:
        return None
    labels, offered = offered_table(options.offered, options)
    if offered is not None:
        raise OptionError(
            "offered lists labels per item; to read what was not picked as a no, pass "
            "the labels that were on screen for every item"
        )
    return tuple(labels["label"])


def read_label_config(path: Path, question: str | None = None) -> list[str]:
    """Labels of the choices in a labelling configuration, in their order."""
    if not path.exists():
        raise SourceError(f"{path}: there is no such file; check the path")
    with readable(
        str(path),
        "not a plain labelling configuration",
        "save the configuration from the project's settings again, without a DTD",
    ):
        tree = parse(path, forbid_dtd=True)
    tags = [*tree.iter()]
    if question is not None:
        inside = (each.iter() for each in tags if each.get("name") == question)
        tags = [*dict.fromkeys(tag for each in inside for tag in each)]
    choices = [tag for tag in tags if tag.tag in _TAGS]
    texts = [each.get("alias") or each.get("value") or "" for each in choices]
    labels = [label for label in dict.fromkeys(texts) if label]
    if not labels:
        raise SourceError(
            f"{path}: names no <Choice value=...>; expected a labelling configuration"
        )
    return labels
