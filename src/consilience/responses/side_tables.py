"""The small tables beside the answers: labels, gold and what was offered."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element

import pandas as pd
from defusedxml.ElementTree import parse

from consilience.errors import (
    BadCellError,
    GoldError,
    OptionError,
    SourceNotFoundError,
    UnreadableFileError,
)
from consilience.responses.columns.names import find, require
from consilience.responses.options import Columns, ReadOptions
from consilience.responses.sources.arrow_columns import cell_text
from consilience.responses.sources.frames import as_frame
from consilience.responses.sources.library_errors import readable
from consilience.responses.sources.load import load_table
from consilience.responses.tables.coding import index
from consilience.responses.tables.text_table import TextTable, check_texts

_TAGS = ("Choice", "Label")


def side_table(given: object, options: ReadOptions, what: str) -> TextTable:
    """Load a table that an option gives as a file, or as `as_frame` takes it."""
    plain = replace(
        options, separator=None, encoding=None, header=True, sheet=None, query=None
    )
    if isinstance(given, (str, Path)):
        with readable(str(given)):
            return load_table(Path(given), plain)
    frame = as_frame(given, what, "a file or a data frame")
    with readable(f"the data frame of {what}"):
        return load_table(frame, plain)


def text_frame(table: TextTable, names: dict[str, str]) -> pd.DataFrame:
    """Columns of a table as a frame of texts; `names` maps new name to old."""
    _check_texts(table, names)
    return pd.DataFrame(
        {
            new: pd.Series(
                index(table.columns[old].values).take(table.columns[old].codes)
                if len(table.columns[old].values)
                else [None] * table.num_rows,
                dtype="str",
            ).mask(table.columns[old].codes < 0)
            for new, old in names.items()
        }
    )


def label_table(given: object, options: ReadOptions) -> pd.DataFrame:
    """Labels in their order, from a list or from a table."""
    listed = _listed(given)
    if listed is not None:
        texts = [cell_text(label) for label in listed]
        frame = pd.DataFrame({"label": pd.Series(texts, dtype="str")})
    else:
        table = side_table(given, options, "labels")
        columns = Columns(label=options.label_column)
        label = require(table.names, "label", columns, table.source)
        names = {"label": label}
        rest = [name for name in table.names if name != label]
        for role in ("name", "parent"):
            column = find(rest, role, None, table.source)
            names |= {role: column} if column else {}
        frame = text_frame(table, names)
    return checked_labels(frame)


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


def label_column(options: ReadOptions, used: Iterable[str]) -> str | None:
    """Return the column of the label table that answers go by; None: the usual one."""
    if options.label_column is not None or _listed(options.labels) is not None:
        return options.label_column
    table = side_table(options.labels, options, "labels")
    label = require(table.names, "label", Columns(), table.source)
    names = [*table.columns, label]  # a label of lists is refused
    frame = text_frame(table, {name: name for name in names})
    column = naming_column(frame.rename(columns={label: "label"}), used)
    return None if column == "label" else column


def checked_labels(frame: pd.DataFrame) -> pd.DataFrame:
    """Give a table of labels its columns, each label once."""
    label = frame["label"]
    blank = label.isna() | (label.str.strip() == "")
    if frame.empty or blank.any() or label.duplicated().any():
        twice = label[label.duplicated()].head(3).tolist()
        msg = f"the list of labels is empty, has gaps or names a label twice {twice}"
        raise OptionError(msg)
    out = frame.copy()
    for column in ("name", "parent"):
        if column not in out:
            out[column] = pd.Series([None] * len(out), dtype="str")
    first = ["label", "name", "parent"]
    return out[[*first, *(c for c in out.columns if c not in first)]]


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
    named = options.columns if options.columns.item in table.names else Columns()
    item = require(table.names, "item", named, table.source)
    check_filled(table, {"item": item})
    names = {name: name for name in table.columns if name not in (item, "asked")}
    if "dataset_label" not in names:
        label = find(list(names), "label", None, table.source)
        names = {"dataset_label" if n == label else n: n for n in names}
    frame = text_frame(table, {"item": item, **names}).set_index("item")
    if not frame.index.is_unique:
        twice = frame.index[frame.index.duplicated()][0]
        msg = f"{table.source}: item {twice!r} stands twice; give one row for each item"
        raise OptionError(msg)
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


def gold_table(given: object, options: ReadOptions) -> pd.DataFrame:
    """Gold labels as texts: `item`, `label` and what there is of what else gold says.

    That is `answer`, `annotator` beside an answer, and `main`.
    """
    table = side_table(given, options, "gold")
    named = options.columns
    item = find(table.names, "item", None, table.source)
    if named.item in table.names or item is None:
        item = require(table.names, "item", named, table.source)
    rest = [name for name in table.names if name != item]
    label = named.label if named.label in rest else None
    label = label or find(rest, "label", None, table.source)
    label = label or find(rest, "gold", None, table.source)
    label = label or require(rest, "label", Columns(), table.source)
    names = {"item": item, "label": label}
    answer = find([n for n in rest if n != label], "answer", None, table.source)
    names |= {"answer": answer} if answer else {}
    if answer and "annotator" in rest:
        names["annotator"] = "annotator"  # one of several experts
    if "main" in rest:
        names["main"] = "main"  # of objects
    filled = {role: name for role, name in names.items() if role != "main"}
    check_filled(table, filled)  # an empty main says: not the main one
    return text_frame(table, names)


def check_gold(gold: pd.DataFrame | None, items: pd.Index) -> None:
    """Refuse gold labels of which none is about one of the items."""
    if gold is not None and not gold["item"].isin(items).any():
        raise nothing_shared(pd.Index(gold["item"].unique()), items)


def nothing_shared(wanted: pd.Index, names: pd.Index) -> GoldError:
    """Return the error that no item of gold is among those that were answered."""
    if not len(wanted):
        msg = "gold: no row with an item and a label; give a file that has some"
        return GoldError(msg)
    msg = (
        f"gold: none of its {len(wanted):,} items (such as {str(wanted[0])!r}) is "
        f"among the {len(names):,} that were answered"
        + (f" (such as {str(names[0])!r})" if len(names) else "")
        + "; give the gold of the same study"
    )
    return GoldError(msg)


def offered_table(
    given: object, options: ReadOptions
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Read what was offered: labels for every item, or a table of who saw what."""
    if isinstance(given, (str, Path)) and Path(given).suffix.lower() == ".xml":
        choices = read_label_config(Path(given))
        return checked_labels(
            pd.DataFrame({"label": pd.Series(choices, dtype="str")})
        ), None
    if _listed(given) is not None:
        return label_table(given, options), None
    table = side_table(given, options, "offered")
    label = require(table.names, "label", Columns(), table.source)
    names = {"label": label}
    rest = [name for name in table.names if name != label]
    for role in ("response_id", "item", "annotator"):
        preferred = getattr(options.columns, role)
        column = find(
            rest, role, preferred if preferred in rest else None, table.source
        )
        if column:
            names[role] = column
            rest.remove(column)
    check_filled(table, names)
    frame = text_frame(table, names).drop_duplicates(ignore_index=True)
    if len(names) == 1:
        return checked_labels(frame), None
    labels = frame[["label"]].drop_duplicates(ignore_index=True)
    return checked_labels(labels), frame


def check_filled(table: TextTable, names: Mapping[str, str]) -> None:
    """Refuse columns with a cell that is empty or holds a list."""
    _check_texts(table, names)
    for role, name in names.items():
        empty = table.columns[name].codes < 0
        if empty.any():
            place = table.where(int(empty.argmax()))
            msg = f"{place}: the {role} is empty; fix or drop the row"
            raise BadCellError(msg)


def _check_texts(table: TextTable, names: Mapping[str, str]) -> None:
    lists = [name for name in names.values() if name in table.lists]
    if lists:
        msg = (
            f"{table.source}: column {lists[0]!r} holds lists; one text per row was "
            "expected; write one row per label"
        )
        raise BadCellError(msg)
    for role, name in names.items():
        check_texts(table.columns[name], role, table.where)


def _listed(given: object) -> list[object] | None:
    """Entries of a list; None if it is none."""
    if isinstance(given, (list, tuple, pd.Index, pd.Series)):
        return list(given)
    return None


def for_question(options: ReadOptions, question: str) -> ReadOptions:
    """Narrow a labelling configuration to the labels of one question."""
    given = options.offered
    if isinstance(given, (str, Path)) and Path(given).suffix.lower() == ".xml":
        return replace(options, offered=read_label_config(Path(given), question))
    return options


def label_list(options: ReadOptions) -> tuple[str, ...] | None:
    """Labels that were on screen for everybody; None if that is not known."""
    if options.offered is None:
        return None
    labels, offered = offered_table(options.offered, options)
    if offered is not None:
        msg = (
            "offered lists labels per item; to read what was not picked as a no, pass "
            "the labels that were on screen for every item"
        )
        raise OptionError(msg)
    return tuple(labels["label"])


def read_label_config(path: Path, question: str | None = None) -> list[str]:
    """Labels of the choices in a labelling configuration, in their order."""
    if not path.exists():
        msg = f"{path}: there is no such file; check the path"
        raise SourceNotFoundError(msg)
    with readable(
        str(path),
        "not a plain labelling configuration",
        "save the configuration from the project's settings again, without a DTD",
    ):
        root = parse(path, forbid_dtd=True).getroot()
    texts = [
        choice.get("alias") or choice.get("value") or ""  # exports write the alias
        for choice in _choices(root, question)
    ]
    labels = [label for label in dict.fromkeys(texts) if label]
    if not labels:
        msg = f"{path}: names no <Choice value=...>; expected a labelling configuration"
        raise UnreadableFileError(msg)
    return labels


def _choices(root: Element | None, question: str | None) -> Iterator[Element]:
    """Tags of choices in the tags of one question, each looked at once."""
    left = [] if root is None else [(root, question is None)]
    while left:
        tag, inside = left.pop()
        inside = inside or tag.get("name") == question
        if inside and tag.tag in _TAGS:
            yield tag
        left += [(inner, inside) for inner in reversed(tag)]
