"""Predictions of models and labels of the data set for the items of a fit, as codes."""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.errors import DataError, OptionError
from consilience.posterior import Fit
from consilience.posterior.labels import items as items_of
from consilience.posterior.labels import labels as posterior_labels
from consilience.responses.tables.id_types import as_texts

UNKNOWN = -1  # code of a label that was not proposed, or that no item of the fit has


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """What each model proposes, and what the data set says, as codes of labels."""

    models: list[str]
    items: pd.Index
    label: Int[np.ndarray, "A I R"]
    stated: Float[np.ndarray, "A I"]  # probability of the first label, if it has one
    dataset: Int[np.ndarray, " I"] | None
    names: pd.Index
    num_fit_labels: int

    @property
    def fitted_label(self) -> Int[np.ndarray, "A I R"]:
        """Codes that the fit knows; others are unknown to it."""
        return np.where(self.label < self.num_fit_labels, self.label, UNKNOWN)

    @property
    def fitted_dataset(self) -> Int[np.ndarray, " I"]:
        """Codes of the data set's labels that the fit knows."""
        dataset = self.need_dataset("the data set's own label")
        return np.where(dataset < self.num_fit_labels, dataset, UNKNOWN)

    def need_dataset(self, what: str) -> Int[np.ndarray, " I"]:
        """Return the codes of the data set's labels; refuse where there are none."""
        if self.dataset is None:
            msg = f"{what} needs the labels of the data set; give `dataset_labels`"
            raise OptionError(msg)
        return self.dataset


def propose(
    fit: Fit,
    predictions: pd.DataFrame,
    dataset_labels: pd.DataFrame | None,
    top: int,
    *,
    allow_circular: bool,
) -> Proposals:
    """Code what models propose for the items that the fit knows."""
    if top < 1:
        msg = f"top {top}: give 1 or more"
        raise OptionError(msg)
    table = items_of(fit.data)
    if fit.data.attrs["kind"] == "objects":
        table = table[table["responses"] > 0]  # nothing is known of the others
    names = pd.Index(table["item"].astype("str"))
    frame = _check(_about(predictions, names))
    frame = frame[frame["rank"] <= top]
    items = names[names.isin(frame["item"])]
    old = None
    if dataset_labels is not None:
        old = as_texts(dataset_labels[["item", "label"]].dropna())
        if old["item"].duplicated().any():
            twice = old["item"][old["item"].duplicated()].iloc[0]
            msg = f"labels of the data set: item {twice!r} has two; give one each"
            raise DataError(msg)
        items = items[items.isin(old["item"])]
    if not len(items):
        msg = (
            f"predictions: none of their items (such as {frame['item'].iloc[0]!r}) is "
            f"among the {len(names)} of the fit (such as {names[0]!r}) with a label of "
            "the data set, if such are given; give predictions for the same items"
        )
        raise DataError(msg)
    fit_labels = labels_of(fit)
    named = [frame["label"]] + ([] if old is None else [old["label"]])
    beyond = pd.Index(pd.concat(named).unique()).difference(fit_labels)
    labels = fit_labels.append(beyond)
    models = list(dict.fromkeys(frame["model"]))
    codes = np.full((len(models), len(items), top), UNKNOWN)
    place = items.get_indexer(pd.Index(frame["item"]))
    at = pd.Index(models).get_indexer(pd.Index(frame["model"]))
    rank = frame["rank"].to_numpy() - 1
    kept = place >= 0
    code = labels.get_indexer(pd.Index(frame["label"]))
    codes[at[kept], place[kept], rank[kept]] = code[kept]
    stated, first = np.full(codes.shape[:2], np.nan), kept & (rank == 0)
    stated[at[first], place[first]] = frame["probability"][first]
    dataset = None
    if old is not None:
        dataset = labels.get_indexer(pd.Index(old.set_index("item")["label"][items]))
    lacking = (codes[:, :, 0] == UNKNOWN).sum(1)
    if lacking.any():
        model = int(lacking.argmax())
        msg = (
            f"predictions of {models[model]!r}: {lacking[model]} of {len(items)} "
            "items have no label of rank 1; models are compared on the same items, "
            "so give every model's label of each, or leave the item out for all"
        )
        raise DataError(msg)
    if not allow_circular:
        _check_not_used_in_fit(fit, models)
    return Proposals(models, items, codes, stated, dataset, labels, len(fit_labels))


def _check_not_used_in_fit(fit: Fit, models: list[str]) -> None:
    """Reject models whose predictions a fit has used."""
    names = set(json.loads(fit.data.attrs.get("classifiers", "[]")))
    for group, axis in (
        ("constant_data", "covariate"),
        ("posterior", "label_covariate"),
    ):
        if group in fit.data.children and axis in fit.data[group].coords:
            names |= set(map(str, fit.data[group][axis].to_numpy()))
    used = [model for model in models if model in names]
    if used:
        msg = (
            f"the fit was given what {', '.join(used)} predicted, so the evaluation "
            "would be circular; fit without, or ask for it (allow_circular)"
        )
        raise OptionError(msg)


def labels_of(fit: Fit) -> pd.Index:
    """Return the names of the labels that a fit knows, by code."""
    labels: pd.Index = pd.Index(
        posterior_labels(fit.data)["label"].cat.categories.astype("str")
    )
    return labels


def _about(predictions: pd.DataFrame, names: pd.Index) -> pd.DataFrame:
    """Return the rows about the items, before few of millions are made texts."""
    item = predictions.get("item")
    if item is None or not isinstance(item.dtype, pd.CategoricalDtype):
        return predictions
    hits = item.cat.categories.astype("str").isin(names)
    kept = hits[item.cat.codes.to_numpy()] | item.isna().to_numpy()
    return predictions[kept] if hits.any() else predictions


def _check(predictions: pd.DataFrame) -> pd.DataFrame:
    lacking = [name for name in ("item", "label", "rank") if name not in predictions]
    if lacking:
        columns = ", ".join(map(repr, predictions.columns))
        msg = (
            f"predictions: there is no column {lacking[0]!r}; found {columns}; they "
            "have item, label, rank (1 for the best), and model where there are several"
        )
        raise DataError(msg)
    stated = predictions.get("probability", np.nan)
    frame = predictions.assign(
        model=predictions.get("model", "model"), probability=stated
    )[["model", "item", "label", "rank", "probability"]]
    if not len(frame) or frame.drop(columns="probability").isna().any(axis=None):
        msg = "predictions: there are none, or a cell is empty; every row needs all"
        raise DataError(msg)
    frame = as_texts(frame).astype({"model": "str"})
    if (frame["rank"] < 1).any() or (frame["rank"] % 1 != 0).any():
        msg = (
            "predictions: ranks are 1, 2, 3, … with 1 for the best; fix the column rank"
        )
        raise DataError(msg)
    twice = frame.duplicated(["model", "item", "rank"])
    if twice.any():
        row = frame[twice].iloc[0]
        msg = (
            f"predictions: model {row['model']!r} has two labels of rank {row['rank']} "
            f"for item {row['item']!r}; keep one"
        )
        raise DataError(msg)
    return frame.astype({"rank": int, "probability": float})
