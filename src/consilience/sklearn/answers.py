"""A data frame of answers: coded, fitted, and answered under the caller's names.

The readers know texts only. Ids and labels that can be written as text and restored
exactly (numbers, booleans, plain text) go through a fit as such; any others are
numbered in sorted order. Either come back as the objects that went in.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.errors import ColumnError, DataError, OptionError, SourceError, not_a
from consilience.fitting import fit
from consilience.posterior import Fit
from consilience.posterior.confusion import individual
from consilience.posterior.labels import items, labels
from consilience.responses import ReadOptions, read_with
from consilience.responses.id_types import MIXED, settled, text_of, type_of
from consilience.responses.text import text_array

ITEM, ANNOTATOR, LABEL = ("task", "item"), ("worker", "annotator"), ("label",)


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
            return pd.RangeIndex(len(self.values)).astype("str")
        return pd.Index(text_of(pd.Series(self.values)))

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
            raise DataError(
                f"true_labels names the {self.item.name} {given.index[0]!r}, and there "
                "is no answer about it or any other that it names; index true_labels "
                f"by the data's {self.item.name}"
            )
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
    item, annotator, label = (
        filled_column(data, names) for names in (ITEM, ANNOTATOR, LABEL)
    )
    labels = [pd.Series(each).dropna() for each in further if each is not None]
    return Answers(coded(item), coded(annotator), coded(label, labels))


def filled_column(data: pd.DataFrame, names: tuple[str, ...]) -> pd.Series:
    """Return the first column that is there of these names, which has no empty cell."""
    for name in names:
        if name in data.columns:
            break
    else:
        raise ColumnError(
            f"the data frame has no column {' or '.join(names)}; its columns are "
            f"{', '.join(map(str, data.columns))}; rename one"
        )
    empty = data[name].isna().to_numpy()
    if empty.any():
        raise DataError(
            f"the data frame, row {empty.argmax() + 1}: {name} is missing; fill or "
            "drop the row"
        )
    return data[name]


def coded(column: pd.Series, further: list[pd.Series] | None = None) -> Column:
    """Code a column, of whose values those of further series are as well."""
    name = str(column.name)
    if isinstance(column.dtype, pd.CategoricalDtype):
        if further is None:
            column = column.cat.remove_unused_categories()
        # Labels that nobody gave were on offer all the same.
        values = column.cat.categories
        return Column(name, values, codes_of(column, values))
    entries = pd.concat([column, *further]) if further else column
    values = pd.Index(entries.unique(), tupleize_cols=False)
    # Values that cannot be compared, such as 1 and "a", stay as they come.
    with suppress(TypeError):
        values = values.sort_values()
    return Column(name, values, codes_of(column, values))


def codes_of(column: pd.Series, values: pd.Index) -> Int[np.ndarray, " N"]:
    """Return where each entry of a column is among values; -1 if it is not."""
    return values.get_indexer(pd.Index(column, tupleize_cols=False))


@dataclass(frozen=True, eq=False)
class Aggregated:
    """A fit, and what it inferred under the caller's names."""

    fit: Fit
    answers: Answers

    @cached_property
    def labels(self) -> pd.Series:
        """Best label of each item."""
        best = self.answers.label.named(items(self.fit.data)["label"])
        return pd.Series(best, index=self._items, name="agg_label")

    @cached_property
    def probas(self) -> pd.DataFrame:
        """Probability of each label, one row for each item."""
        label, table = self.answers.label.values, labels(self.fit.data)
        wide = np.zeros((table["item"].cat.categories.size, len(label)))
        wide[table["item"].cat.codes, table["label"].cat.codes] = table["probability"]
        named = label.rename(self.answers.label.name)
        return pd.DataFrame(wide, index=self._items, columns=named)

    @property
    def priors(self) -> pd.Series:
        """Prevalence of each label; the mean probability if the model has none."""
        if "prevalence" not in self.fit.data["posterior"]:
            return self.probas.mean().rename("prior")
        prevalence = self.mean("prevalence")
        return pd.Series(prevalence, index=self.probas.columns, name="prior")

    @property
    def errors(self) -> pd.DataFrame | None:
        """Confusions of annotators, if the model has any."""
        if "confusion" not in self.fit.data["posterior"]:
            return None
        by_annotator = individual(self.fit.data)
        pooled = self.mean("confusion")[None]
        confusion = pooled if by_annotator is None else by_annotator.mean
        square = np.broadcast_to(confusion, (len(self.people), *confusion.shape[1:]))
        annotator = replace(self.answers.annotator, values=self.people)
        # Rows are answers and columns truths: each annotator's square is transposed.
        return replace(self.answers, annotator=annotator).errors(
            square.swapaxes(1, 2).astype(float)
        )

    @cached_property
    def people(self) -> pd.Index:
        """The annotators in the order of the fit."""
        people = self.fit.data["constant_data"]["annotator"].to_numpy()
        annotator = self.answers.annotator
        return annotator.named(people).rename(annotator.name)

    @property
    def _items(self) -> pd.Index:
        item = self.answers.item
        return item.named(items(self.fit.data)["item"]).rename(item.name)

    def mean(self, parameter: str) -> np.ndarray:
        """Return the posterior mean of a parameter, the axes as in the fit."""
        draws = self.fit.data["posterior"][parameter]
        return np.asarray(draws.mean(("chain", "draw")).to_numpy(), float)

    def course(self) -> list[float]:
        """Return the objective per answer after each sweep, if the engine has one."""
        if "optimization" not in self.fit.data.children:
            return []
        how = self.fit.data["optimization"].to_dataset()
        of_chosen = how["objective"].isel(restart=int(how["chosen"])).dropna("sweep")
        answers = int(self.fit.data["observed_data"]["n"].sum())
        return [float(value) / answers for value in of_chosen.to_numpy()]


def aggregate(
    data: pd.DataFrame,
    true_labels: pd.Series | None = None,
    initial_error: pd.DataFrame | None = None,
    pred_probs: pd.DataFrame | None = None,
    *,
    model: str,
    **how: Any,
) -> Aggregated:
    """Fit a model to a data frame and answer under the caller's names."""
    further = None if pred_probs is None else pred_probs.columns
    answers = answers_of(data, [true_labels, further])
    item, label = answers.item, answers.label
    gold = answers.gold(true_labels)
    if data.empty:
        raise SourceError("the data frame holds no row; give at least one answer")
    if len(label.values) < 2:
        raise DataError(
            f"the data frame: every {label.name} is {label.values[0]!r}, so there is "
            "nothing to infer; make the column a pandas categorical with all labels "
            "that were on offer"
        )
    columns = {"item": item, "annotator": answers.annotator, "label": label}
    responses = read_with(
        pd.DataFrame({role: column.text() for role, column in columns.items()}),
        ReadOptions(kind="choice", labels=list(label.texts), missing=()),
    )
    types = {role: each.type for role, each in columns.items() if each.type is not None}
    responses = replace(responses, types=types)
    given = {"item": item.texts.take(gold[:, 0]), "label": label.texts.take(gold[:, 1])}
    fitted = fit(
        responses,
        model=model,
        gold=pd.DataFrame(given) if len(gold) else None,
        annotator_prior=_annotator_prior(answers, initial_error),
        candidates=None if pred_probs is None else _candidates(pred_probs, answers),
        # Published rules are as published, and have no place to say who copies.
        copies="merge" if model == "auto" else "keep",
        **how,
    )
    return Aggregated(fitted, answers)


def _candidates(pred_probs: pd.DataFrame, answers: Answers) -> pd.DataFrame:
    item = answers.item.values.get_indexer(pred_probs.index)
    label = answers.label.values.get_indexer(pred_probs.columns)
    return pd.DataFrame(
        {
            "item": answers.item.texts.take(np.repeat(item, len(label))),
            "label": answers.label.texts.take(np.tile(label, len(item))),
            "log_probability": np.log(pred_probs.to_numpy(float)).ravel(),
        }
    )


def earlier_counts(answers: Answers, table: pd.DataFrame) -> Float[np.ndarray, "J L K"]:
    """Lay earlier confusions out for the annotators and labels of answers."""
    if not isinstance(table, pd.DataFrame):
        raise OptionError(not_a("initial_error", table, "a data frame, as `errors_`"))
    names = [answers.annotator.name, answers.label.name]
    if list(table.index.names) != names:
        raise OptionError(
            f"initial_error is indexed by {list(table.index.names)}; index it by "
            f"{names}, with a column for each true label"
        )
    people, labels = answers.annotator.values, answers.label.values
    used = table[[name for name in table if name in labels]].reindex(
        index=pd.MultiIndex.from_product([people, labels]), columns=labels
    )
    counts = used.fillna(0.0).to_numpy(float)
    if (counts < 0).any():
        raise OptionError(
            "initial_error has negative numbers; give counts, or probabilities"
        )
    return counts.reshape(len(people), len(labels), len(labels))


def _annotator_prior(
    answers: Answers, table: pd.DataFrame | None
) -> pd.DataFrame | None:
    """Return earlier counts as `consilience.fit` takes them, in the readers' texts."""
    if table is None:
        return None
    counts = earlier_counts(answers, table)
    annotator, answer, truth = counts.nonzero()
    if not len(annotator):
        return None
    return pd.DataFrame(
        {
            "annotator": answers.annotator.texts.take(annotator),
            "true_label": answers.label.texts.take(truth),
            "given_label": answers.label.texts.take(answer),
            "n": counts[annotator, answer, truth],
        }
    )
