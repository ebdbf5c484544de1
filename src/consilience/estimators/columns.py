"""The columns of a data frame of answers: their values, and the code of each row.

The readers know texts only. Ids and labels that can be written as text and restored
exactly (numbers, booleans, plain text) go through a fit as such; any others are
numbered in sorted order. Either come back as the objects that went in.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.errors import (
    BadCellError,
    GoldError,
    MissingColumnError,
    OptionError,
    not_a,
)
from consilience.responses.tables.coding import text_array
from consilience.responses.tables.id_types import settled, text_of
from consilience.responses.tables.type_names import MIXED, type_of

_NAMES = {
    "item": ("task", "item"),
    "annotator": ("worker", "annotator"),
    "label": ("label",),
}


@dataclass(frozen=True, eq=False)
class Column:
    """A column's name, its distinct values in order, and each row's code (-1: none)."""

    name: str
    values: pd.Index
    codes: np.ndarray

    @cached_property
    def type(self) -> str | None:
        """Name of the type by which text is made the values again; None: numbered."""
        kind = type_of(self.values)
        if kind in (None, MIXED):
            return None
        texts = text_of(pd.Series(self.values))
        plain = texts.map(lambda text: text.isprintable() and text == text.strip())
        kept = settled({"item": kind}, {"item": text_array(texts)})[0]
        return kind if plain.all() and texts.is_unique and kept else None

    @cached_property
    def texts(self) -> pd.Index:
        """Text of each value, which the readers leave as it is."""
        if self.type is None:
            return pd.Index(
                [str(code) for code in range(len(self.values))], dtype="str"
            )
        texts: pd.Index = pd.Index(text_of(pd.Series(self.values)))
        return texts

    def text(self) -> "pd.Categorical[Any]":
        """Return the column as text."""
        return pd.Categorical.from_codes(self.codes, categories=self.texts)

    def named(self, texts: pd.Series | np.ndarray) -> pd.Index:
        """Return the values of texts."""
        codes = self.texts.get_indexer(pd.Index(texts).astype("str"))
        return self.values.take(codes)

    def series(self, values: Any, name: str) -> pd.Series:
        """Return a series with one entry for each value of the column."""
        return pd.Series(values, index=self.values.rename(self.name), name=name)


@dataclass(frozen=True, eq=False)
class Answers:
    """Who gave which label to which item, coded."""

    item: Column
    annotator: Column
    label: Column

    @property
    def number(self) -> int:
        """How many answers there are."""
        return len(self.label.codes)

    def gold(self, true_labels: pd.Series | None) -> Int[np.ndarray, "G 2"]:
        """Return the codes of items and of their known labels, where they have any."""
        if true_labels is None:
            return np.zeros((0, 2), int)
        if not isinstance(true_labels, pd.Series):
            raise OptionError(not_a("true_labels", true_labels, "a series by task"))
        given = true_labels.dropna()
        item = self.item.values.get_indexer(given.index)
        if self.number and len(given) and (item < 0).all():
            msg = (
                f"true_labels names the {self.item.name} {given.index[0]!r}, and there "
                "is no answer about it or any other that it names; index true_labels "
                f"by the data's {self.item.name}"
            )
            raise GoldError(msg)
        label = self.label.values.get_indexer(pd.Index(given))
        return np.stack([item, label], 1)[item >= 0]

    def by_label(self, table: Float[np.ndarray, "I K"]) -> pd.DataFrame:
        """Return a table with a row for each item and a column for each label."""
        return pd.DataFrame(
            table,
            index=self.item.values.rename(self.item.name),
            columns=self.label.values.rename(self.label.name),
        )

    def best(self, scores: Float[np.ndarray, "I K"]) -> pd.Series:
        """Return the label of each item that scores most, of several the first."""
        return self.item.series(self.label.values.take(scores.argmax(1)), "agg_label")

    def errors(self, confusion: Float[np.ndarray, "J L K"]) -> pd.DataFrame:
        """Return confusions as a table of annotator and answer by true label."""
        labels = self.label.values
        index = pd.MultiIndex.from_product(
            [self.annotator.values, labels],
            names=[self.annotator.name, self.label.name],
        )
        return pd.DataFrame(
            confusion.reshape(-1, len(labels)), index=index, columns=labels.rename(None)
        )


def answers_of(
    data: pd.DataFrame, further: Iterable[pd.Series | pd.Index | None] = ()
) -> Answers:
    """Code a data frame of answers."""
    if not isinstance(data, pd.DataFrame):
        expected = "a data frame with the columns task, worker and label"
        raise OptionError(not_a("the data", data, expected))
    item, annotator, label = (data[_named(data, role)] for role in _NAMES)
    labels = [pd.Series(each).dropna() for each in further if each is not None]
    return Answers(_column(item), _column(annotator), _column(label, labels))


def _named(data: pd.DataFrame, role: str) -> str:
    for name in _NAMES[role]:
        if name in data.columns:
            return name
    msg = (
        f"the data frame has no column {' or '.join(_NAMES[role])}; its columns are "
        f"{', '.join(map(str, data.columns))}; rename one"
    )
    raise MissingColumnError(msg)


def _column(column: pd.Series, further: list[pd.Series] | None = None) -> Column:
    name = str(column.name)
    if column.isna().any():
        row = int(column.isna().to_numpy().argmax())
        msg = f"the data frame, row {row + 1}: {name} is missing; fill or drop the row"
        raise BadCellError(msg)
    if isinstance(column.dtype, pd.CategoricalDtype):
        if further is None:
            column = column.cat.remove_unused_categories()
        # Labels that nobody gave were on offer all the same.
        values = column.cat.categories
        return Column(name, values, values.get_indexer(pd.Index(column)))
    entries = pd.concat([column, *further]) if further else column
    values = pd.Index(entries.unique())
    # Values that cannot be compared, such as 1 and "a", stay as they come.
    with suppress(TypeError):
        values = values.sort_values()
    return Column(name, values, values.get_indexer(pd.Index(column)))
