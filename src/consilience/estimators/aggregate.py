"""Fit a data frame of any ids and give the result under the caller's names."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from consilience.errors import NoResponsesError, OneLabelError, OptionError, not_a
from consilience.estimators.columns import Answers, Column, answers_of
from consilience.fitting import EngineOptions, fit
from consilience.posterior import Fit
from consilience.posterior.results.confusion import individual
from consilience.posterior.results.items import items
from consilience.posterior.results.labels import labels
from consilience.responses import ReadOptions, read_with


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
    """What was inferred, under the caller's names."""

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


def aggregate(
    data: pd.DataFrame,
    true_labels: pd.Series | None,
    settings: Settings,
    initial_error: pd.DataFrame | None = None,
    pred_probs: pd.DataFrame | None = None,
) -> Aggregated:
    """Fit a model to a data frame and answer under the caller's names."""
    further = None if pred_probs is None else pred_probs.columns
    answers = answers_of(data, [true_labels, further])
    item, label = answers.item, answers.label
    gold = answers.gold(true_labels)
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
    columns = {"item": item, "annotator": answers.annotator, "label": label}
    responses = read_with(
        pd.DataFrame({role: column.text() for role, column in columns.items()}),
        ReadOptions(kind="choice", labels=list(label.texts), missing=()),
    )
    types = {role: each.type for role, each in columns.items() if each.type is not None}
    responses = replace(responses, types=types)
    given = {"item": item.texts.take(gold[:, 0]), "label": label.texts.take(gold[:, 1])}
    earlier = None
    if initial_error is not None:
        earlier = earlier_errors(answers, initial_error).table(answers)
    fitted = fit(
        responses,
        model=settings.model,
        engine=settings.engine,
        prior=settings.prior,
        seed=settings.seed,
        gold=pd.DataFrame(given) if len(gold) else None,
        annotator_prior=earlier,
        candidates=None if pred_probs is None else _candidates(pred_probs, answers),
        effort=settings.effort,
    )
    probas = _probas(fitted, item, label)
    return Aggregated(
        labels=_labels(fitted, item, label),
        probas=probas,
        priors=_priors(fitted, probas),
        errors=_errors(fitted, answers),
        fit=fitted,
        names={
            "item": _index(fitted, item),
            "annotator": _people(fitted, answers.annotator),
            "given_class": label.values.rename(label.name),
        },
    )


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


def _labels(fitted: Fit, item: Column, label: Column) -> pd.Series:
    best = label.named(items(fitted.data)["label"])
    return pd.Series(best, index=_index(fitted, item), name="agg_label")


def _probas(fitted: Fit, item: Column, label: Column) -> pd.DataFrame:
    table = labels(fitted.data)
    wide = np.zeros((table["item"].cat.categories.size, len(label.values)))
    wide[table["item"].cat.codes, table["label"].cat.codes] = table["probability"]
    return pd.DataFrame(
        wide,
        index=_index(fitted, item),
        columns=label.values.rename(label.name),
    )


def _index(fitted: Fit, item: Column) -> pd.Index:
    return item.named(items(fitted.data)["item"]).rename(item.name)


def _people(fitted: Fit, annotator: Column) -> pd.Index:
    people = fitted.data["constant_data"]["annotator"].to_numpy()
    return annotator.named(people).rename(annotator.name)


def _priors(fitted: Fit, probas: pd.DataFrame) -> pd.Series:
    posterior = fitted.data["posterior"]
    if "prevalence" not in posterior:
        return probas.mean().rename("prior")
    prevalence = posterior["prevalence"].mean(("chain", "draw")).to_numpy()
    return pd.Series(prevalence.astype(float), index=probas.columns, name="prior")


def _errors(fitted: Fit, answers: Answers) -> pd.DataFrame | None:
    if "confusion" not in fitted.data["posterior"]:
        return None
    by_annotator = individual(fitted.data)
    pooled = fitted.data["posterior"]["confusion"].mean(("chain", "draw")).to_numpy()
    confusion = pooled[None] if by_annotator is None else by_annotator.mean
    people = _people(fitted, answers.annotator)
    square = np.broadcast_to(confusion, (len(people), *confusion.shape[1:]))
    # Rows are answers and columns truths: each annotator's square is transposed.
    annotator = replace(answers.annotator, values=people)
    return replace(answers, annotator=annotator).errors(
        square.swapaxes(1, 2).astype(float)
    )


@dataclass(frozen=True, slots=True, eq=False)
class EarlierErrors:
    """Counts or probabilities of answers, given the truth."""

    counts: Float[np.ndarray, "J L K"]
    given: Bool[np.ndarray, "J L"]

    def table(self, answers: Answers) -> pd.DataFrame:
        """Return the counts as `consilience.fit` takes them, in the readers' texts."""
        annotator, answer, truth = self.counts.nonzero()
        return pd.DataFrame(
            {
                "annotator": answers.annotator.texts.take(annotator),
                "true_label": answers.label.texts.take(truth),
                "given_label": answers.label.texts.take(answer),
                "n": self.counts[annotator, answer, truth],
            }
        )


def earlier_errors(answers: Answers, table: pd.DataFrame) -> EarlierErrors:
    """Lay earlier confusions out for the annotators and labels of answers.

    Rows and columns of other annotators and labels are not used.
    """
    if not isinstance(table, pd.DataFrame):
        raise OptionError(not_a("initial_error", table, "a data frame, as `errors_`"))
    names = [answers.annotator.name, answers.label.name]
    if list(table.index.names) != names:
        msg = (
            f"initial_error is indexed by {list(table.index.names)}; index it by "
            f"{names}, with a column for each true label"
        )
        raise OptionError(msg)
    labels = answers.label.values
    whole = pd.MultiIndex.from_product([answers.annotator.values, labels])
    square = len(answers.annotator.values), len(labels)
    given = whole.isin(table.index).reshape(square)
    used = table[[name for name in table if name in labels]]
    used = used.reindex(index=whole, columns=labels).fillna(0.0)
    counts = used.to_numpy(float)
    if (counts < 0).any():
        msg = "initial_error has negative numbers; give counts, or probabilities"
        raise OptionError(msg)
    return EarlierErrors(counts.reshape(*square, len(labels)), given)


def check_complete(
    answers: Answers, table: pd.DataFrame, earlier: EarlierErrors
) -> None:
    """Refuse earlier confusions to start from that are not those of all annotators."""
    given = np.zeros_like(earlier.given)
    given[answers.annotator.codes, answers.label.codes] = True
    lacks = (given & ~earlier.given).any(1)
    if lacks.any():
        first = answers.annotator.values[int(lacks.argmax())]
        msg = (
            f"initial_error lacks answers of {lacks.sum():,} annotators, such as "
            f"{first!r}; to start from it, give the confusions of all, or take "
            '`initial_error_strategy="addition"`'
        )
        raise OptionError(msg)
    sums = earlier.counts.sum(1)
    if (table <= 1).all(axis=None) and not np.allclose(sums, 1.0):
        # crowd-kit's words, which programs may look for.
        msg = (
            "The sum of each worker's error matrix in initial_error should be 1.0 for "
            "each true label; give probabilities that are, or counts"
        )
        raise OptionError(msg)
