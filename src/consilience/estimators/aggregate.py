"""Fit a data frame of any ids and give the result under the caller's names.

The readers know texts only. Ids and labels that can be written as text and restored
exactly (numbers, booleans, plain text) go through the fit as such; any others are
numbered in sorted order. Either come back as the objects that went in.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from consilience.errors import (
    BadCellError,
    GoldError,
    MissingColumnError,
    NoResponsesError,
    OneLabelError,
    OptionError,
    not_a,
)
from consilience.fitting import EngineOptions, fit
from consilience.posterior import Fit
from consilience.posterior.results.confusion import individual
from consilience.posterior.results.items import items
from consilience.posterior.results.labels import labels
from consilience.responses import read
from consilience.responses.tables.coding import text_array
from consilience.responses.tables.id_types import settled, text_of
from consilience.responses.tables.type_names import MIXED, type_of

_ITEM = ("task", "item")
_ANNOTATOR = ("worker", "annotator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to fit: as the arguments of `consilience.fit`."""

    model: str
    engine: str = "auto"
    prior: Mapping[str, float] | None = None
    seed: int = 0
    effort: EngineOptions = field(default_factory=EngineOptions)


@dataclass(frozen=True, slots=True, eq=False)
class Aggregated:
    """What was found, under the caller's names.

    Attributes
    ----------
    labels, probas, priors, errors
        As the attributes of `Aggregator`; no errors where a model has no confusions.
    fit
        The fit.
    names
        The caller's names along each axis of the fit.
    """

    labels: pd.Series
    probas: pd.DataFrame
    priors: pd.Series
    errors: pd.DataFrame | None
    fit: Fit
    names: Mapping[str, pd.Index]

    def mean(self, parameter: str) -> np.ndarray:
        """Return the posterior mean of a parameter, the axes as in the fit."""
        draws = self.fit.data["posterior"][parameter]
        return np.asarray(draws.mean(("chain", "draw")).to_numpy(), float)


@dataclass(frozen=True, eq=False)
class _Column:
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


def aggregate(
    data: pd.DataFrame, true_labels: pd.Series | None, settings: Settings
) -> Aggregated:
    """Fit a model to a data frame and answer under the caller's names.

    Parameters
    ----------
    data
        Columns `task` or `item`, `worker` or `annotator`, and `label`.
    true_labels
        Known labels, indexed by task; they are given to the fit.
    settings
        How to fit.

    Raises
    ------
    MissingColumnError
        A column is not there.
    OptionError, NoResponsesError
        It is not a data frame, or holds no row.
    BadCellError
        A cell is empty.
    OneLabelError
        There is one label only.
    GoldError
        A known label is of a task about which there is no answer.
    """
    if not isinstance(data, pd.DataFrame):
        expected = "a data frame with the columns task, worker and label"
        raise OptionError(not_a("the data", data, expected))
    if true_labels is not None and not isinstance(true_labels, pd.Series):
        raise OptionError(not_a("true_labels", true_labels, "a series by task"))
    item = _column(data, _name(data, _ITEM))
    annotator = _column(data, _name(data, _ANNOTATOR))
    label = _column(data, _name(data, ("label",)), extra=true_labels)
    if data.empty:
        msg = "the data frame holds no row; give at least one answer"
        raise NoResponsesError(msg)
    if len(label.values) < 2:
        msg = (
            f"the data frame: every {label.name} is {label.values[0]!r}, so there is "
            "nothing to infer; make the column a pandas categorical with all labels "
            "that were on offer"
        )
        raise OneLabelError(msg)
    columns = {"item": item, "annotator": annotator, "label": label}
    responses = read(
        pd.DataFrame({role: column.text() for role, column in columns.items()}),
        kind="choice",
        labels=list(label.texts),
        missing=(),
    )
    types = {role: each.type for role, each in columns.items() if each.type is not None}
    responses = replace(responses, types=types)
    fitted = fit(
        responses,
        model=settings.model,
        engine=settings.engine,
        prior=settings.prior,
        seed=settings.seed,
        gold=_gold(true_labels, item, label),
        effort=settings.effort,
    )
    probas = _probas(fitted, item, label)
    return Aggregated(
        labels=_labels(fitted, item, label),
        probas=probas,
        priors=_priors(fitted, probas),
        errors=_errors(fitted, annotator, label),
        fit=fitted,
        names={
            "item": _index(fitted, item),
            "annotator": _people(fitted, annotator),
            "given_class": label.values.rename(label.name),
        },
    )


def _name(data: pd.DataFrame, usual: tuple[str, ...]) -> str:
    for name in usual:
        if name in data.columns:
            return name
    msg = (
        f"the data frame has no column {' or '.join(usual)}; its columns are "
        f"{', '.join(map(str, data.columns))}; rename one"
    )
    raise MissingColumnError(msg)


def _column(data: pd.DataFrame, name: str, extra: pd.Series | None = None) -> _Column:
    column = data[name]
    if column.isna().any():
        row = int(column.isna().to_numpy().argmax())
        msg = f"the data frame, row {row + 1}: {name} is missing; fill or drop the row"
        raise BadCellError(msg)
    entries = column if extra is None else pd.concat([column, extra.dropna()])
    if isinstance(column.dtype, pd.CategoricalDtype):
        # Categories that nobody named were on offer all the same.
        values = column.cat.categories
        return _Column(name, values, values.get_indexer(pd.Index(column)))
    values = pd.Index(entries.unique())
    # Values that cannot be compared, such as 1 and "a", stay as they come.
    with suppress(TypeError):
        values = values.sort_values()
    return _Column(name, values, values.get_indexer(pd.Index(column)))


def _gold(
    true_labels: pd.Series | None, item: _Column, label: _Column
) -> pd.DataFrame | None:
    if true_labels is None:
        return None
    gold = true_labels.dropna()
    code = item.values.get_indexer(gold.index)
    if (code < 0).any():
        first = gold.index[int(np.argmax(code < 0))]
        msg = (
            f"true_labels names the {item.name} {first!r}, about which there is no "
            f"answer; index true_labels by the data's {item.name}"
        )
        raise GoldError(msg)
    return pd.DataFrame(
        {
            "item": item.texts.take(code),
            "label": label.texts.take(label.values.get_indexer(pd.Index(gold))),
        }
    )


def _labels(fitted: Fit, item: _Column, label: _Column) -> pd.Series:
    best = label.named(items(fitted.data)["label"])
    return pd.Series(best, index=_index(fitted, item), name="agg_label")


def _probas(fitted: Fit, item: _Column, label: _Column) -> pd.DataFrame:
    table = labels(fitted.data)
    wide = np.zeros((table["item"].cat.categories.size, len(label.values)))
    wide[table["item"].cat.codes, table["label"].cat.codes] = table["probability"]
    return pd.DataFrame(
        wide,
        index=_index(fitted, item),
        columns=label.values.rename(label.name),
    )


def _index(fitted: Fit, item: _Column) -> pd.Index:
    return item.named(items(fitted.data)["item"]).rename(item.name)


def _people(fitted: Fit, annotator: _Column) -> pd.Index:
    people = fitted.data["constant_data"]["annotator"].to_numpy()
    return annotator.named(people).rename(annotator.name)


def _priors(fitted: Fit, probas: pd.DataFrame) -> pd.Series:
    posterior = fitted.data["posterior"]
    if "prevalence" not in posterior:
        return probas.mean().rename("prior")
    prevalence = posterior["prevalence"].mean(("chain", "draw")).to_numpy()
    return pd.Series(prevalence.astype(float), index=probas.columns, name="prior")


def _errors(fitted: Fit, annotator: _Column, label: _Column) -> pd.DataFrame | None:
    if "confusion" not in fitted.data["posterior"]:
        return None
    by_annotator = individual(fitted.data)
    pooled = fitted.data["posterior"]["confusion"].mean(("chain", "draw")).to_numpy()
    confusion = pooled[None] if by_annotator is None else by_annotator.mean
    people = _people(fitted, annotator)
    square = np.broadcast_to(confusion, (len(people), *confusion.shape[1:]))
    index = pd.MultiIndex.from_product(
        [people, label.values], names=[annotator.name, label.name]
    )
    # Rows are answers and columns truths: each annotator's square is transposed.
    cells = square.swapaxes(1, 2).reshape(-1, len(label.values)).astype(float)
    return pd.DataFrame(
        cells, index=index, columns=label.values.rename(f"true_{label.name}")
    )
