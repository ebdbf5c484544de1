"""Labels that models and the data set propose for items, and how probable they are.

**Posterior probability of proposed labels.** Two ways of being true: one label is the
truth (choice), or each may be present or not, independently of the others given the fit
(contains). Letters: D draws of the parameters, I items, A models, R ranks, P pairs of
an item and a label. For the evaluation of models there are, of each metric and subset,
the two sums of a ratio: the probability that the label is true and the item in the
subset, and that the item is in it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.analysis.shares import Cell, Sums
from consilience.errors import DataError, KindError, OptionError
from consilience.posterior import Fit
from consilience.posterior.labels import by_label
from consilience.posterior.labels import items as items_of
from consilience.posterior.labels import labels as posterior_labels
from consilience.posterior.stored import stored
from consilience.posterior.truth import drawn_truth
from consilience.responses.id_types import as_texts
from consilience.responses.side_columns import paired, ranked

type Unasked = Literal["wrong", "left_out"]
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
            raise OptionError(
                f"{what} needs the labels of the data set; give `dataset_labels`"
            )
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
        raise OptionError(f"top {top}: give 1 or more")
    table = items_of(fit.data)
    if fit.data.attrs["kind"] == "objects":
        table = table[table["responses"] > 0]  # nothing is known of the others
    names = pd.Index(table["item"].astype("str"))
    fit_labels = labels_of(fit)
    named = {"item": names, "label": fit_labels}
    frame = _check(ranked(_about(predictions, names), named))
    frame = frame[frame["rank"] <= top]
    items = names[names.isin(frame["item"])]
    old = None
    if dataset_labels is not None:
        table = paired(dataset_labels, "labels of the data set", named)
        old = as_texts(table[["item", "label"]].dropna())
        if old["item"].duplicated().any():
            twice = old["item"][old["item"].duplicated()].iloc[0]
            raise DataError(
                f"labels of the data set: item {twice!r} has two; give one each"
            )
        items = items[items.isin(old["item"])]
    if not len(items):
        raise DataError(
            f"predictions: none of their items (such as {frame['item'].iloc[0]!r}) is "
            f"among the {len(names)} of the fit (such as {names[0]!r}) with a label of "
            "the data set, if such are given; give predictions for the same items"
        )
    every = [frame["label"]] + ([] if old is None else [old["label"]])
    beyond = pd.Index(pd.concat(every).unique()).difference(fit_labels)
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
        raise DataError(
            f"predictions of {models[model]!r}: {lacking[model]} of {len(items)} "
            "items have no label of rank 1; models are compared on the same items, "
            "so give every model's label of each, or leave the item out for all"
        )
    if not allow_circular:
        _check_not_used_in_fit(fit, models)
    return Proposals(models, items, codes, stated, dataset, labels, len(fit_labels))


def _check_not_used_in_fit(fit: Fit, models: list[str]) -> None:
    """Reject models whose predictions, or answers, a fit has used."""
    names = set(json.loads(fit.data.attrs.get("classifiers", "[]")))
    coords = fit.data["constant_data"].coords
    judges = set(
        map(str, coords["annotator"].to_numpy() if "annotator" in coords else ())
    )
    as_annotators = [model for model in models if model in judges]
    if as_annotators:
        raise OptionError(
            f"{', '.join(as_annotators)} answered as annotators of the fit, so the "
            "evaluation would be circular; fit without their answers, or ask for it "
            "(`allow_circular=True`)"
        )
    for group, axis in (
        ("constant_data", "covariate"),
        ("posterior", "label_covariate"),
    ):
        if group in fit.data.children and axis in fit.data[group].coords:
            names |= set(map(str, fit.data[group][axis].to_numpy()))
    used = [model for model in models if model in names]
    if used:
        raise OptionError(
            f"the fit was given what {', '.join(used)} predicted, so the evaluation "
            "would be circular; fit without, or ask for it (`allow_circular=True`)"
        )


def labels_of(fit: Fit) -> pd.Index:
    """Return the names of the labels that a fit knows, by code."""
    return pd.Index(posterior_labels(fit.data)["label"].cat.categories.astype("str"))


def _about(predictions: pd.DataFrame, names: pd.Index) -> pd.DataFrame:
    """Return the rows about the items, before few of millions are made texts."""
    item = predictions.get("item")
    if item is None or not isinstance(item.dtype, pd.CategoricalDtype):
        return predictions
    hits = item.cat.categories.astype("str").isin(names)
    kept = hits[item.cat.codes.to_numpy()] | item.isna().to_numpy()
    return predictions[kept] if hits.any() else predictions


def _check(predictions: pd.DataFrame) -> pd.DataFrame:
    stated = predictions.get("probability", np.nan)
    frame = predictions.assign(
        model=predictions.get("model", "model"), probability=stated
    )[["model", "item", "label", "rank", "probability"]]
    if not len(frame) or frame.drop(columns="probability").isna().any(axis=None):
        raise DataError(
            "predictions: there are none, or a cell is empty; every row needs all"
        )
    frame = as_texts(frame).astype({"model": "str"})
    if (frame["rank"] < 1).any() or (frame["rank"] % 1 != 0).any():
        raise DataError(
            "predictions: ranks are 1, 2, 3, … with 1 for the best; fix the column rank"
        )
    twice = frame.duplicated(["model", "item", "rank"])
    if twice.any():
        row = frame[twice].iloc[0]
        raise DataError(
            f"predictions: model {row['model']!r} has two labels of rank {row['rank']} "
            f"for item {row['item']!r}; keep one"
        )
    return frame.astype({"rank": int, "probability": float})


SURE = 1 - 1e-12  # what is surer is divided by as if it were this


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Truths:
    """Probabilities by draw, item and label; `key` is a code for the latter two."""

    labels: pd.Index
    key: Int[np.ndarray, " P"]
    value: Float[np.ndarray, "D P"]
    items: int
    one: bool  # one label is the truth, and one that is not listed is not
    unasked: float = np.nan  # P(a predicted label is true) that nobody was asked about

    def validity(self, label: Int[np.ndarray, "A I"]) -> Float[np.ndarray, "_ A I"]:
        """P(a predicted label of each item is true)."""
        chance = self.asked(label)
        return np.where(np.isnan(chance), self.unasked, chance)

    def asked(self, label: Int[np.ndarray, "A I"]) -> Float[np.ndarray, "_ A I"]:
        """P(a label of each item is true); NaN where nobody was asked about it."""
        wanted = np.arange(self.items) * len(self.labels) + label
        place = np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)
        listed = (self.key[place] == wanted) & (label != UNKNOWN)
        return np.where(listed, self.value[:, place], 0.0 if self.one else np.nan)

    def any_of(self, label: Int[np.ndarray, "A I R"]) -> Float[np.ndarray, "_ A I"]:
        """P(one of the labels is true); one that nobody was asked about is not."""
        ranks = np.moveaxis(label, 2, 0)
        if self.one:
            again = [(ranks[:rank] == each).any(0) for rank, each in enumerate(ranks)]
            return sum(
                (
                    np.where(twice, 0.0, self.validity(each))
                    for twice, each in zip(again, ranks, strict=True)
                ),
                start=np.zeros((len(self.value), *ranks.shape[1:])),
            )
        none = np.ones(1)
        for each in ranks:
            none = none * (1 - np.nan_to_num(self.asked(each)))
        return 1 - none

    def both(
        self, label: Int[np.ndarray, "A I"], other: Int[np.ndarray, " I"]
    ) -> Float[np.ndarray, "_ A I"]:
        """P(both labels are true)."""
        again = 0.0 if self.one else self.asked(other[None])
        return self.validity(label) * np.where(label == other, 1.0, again)

    def jointly(
        self, label: Int[np.ndarray, "A I"], other: Int[np.ndarray, "A I"]
    ) -> Float[np.ndarray, "_ A I"]:
        """P(two labels that are not the same are true)."""
        return self.validity(label) * self.validity(other)

    @property
    def can_be_several(self) -> bool:
        """Whether two labels of an item may be true: both were asked about."""
        return not self.one and len(np.unique(self._item)) < len(self.key)

    def others(self, label: Int[np.ndarray, "A I"]) -> Float[np.ndarray, "_ A I"]:
        """P(the label is present and so is another)."""
        chance = self.validity(label)
        none_but_it = self._none()[:, None] / (1 - np.minimum(chance, SURE))
        return chance * (1 - none_but_it)

    def several(self) -> Float[np.ndarray, "_ I"]:
        """P(two labels or more are present)."""
        value = np.minimum(self.value, SURE)
        less = self._none() * (1 + self._by_item(value / (1 - value)))
        return np.maximum(1 - less, 0.0)

    def some(self) -> Float[np.ndarray, "_ I"]:
        """P(a label is present)."""
        return 1 - self._none()

    def number(self) -> Float[np.ndarray, "_ I"]:
        """Return the expected number of labels that are present."""
        return self._by_item(self.value)

    def _none(self) -> Float[np.ndarray, "_ I"]:
        return np.exp(self._by_item(np.log1p(-np.minimum(self.value, SURE))))

    @property
    def _item(self) -> Int[np.ndarray, " P"]:
        return self.key // len(self.labels)

    def _by_item(self, values: Float[np.ndarray, "D P"]) -> Float[np.ndarray, "D I"]:
        return np.stack([np.bincount(self._item, row, self.items) for row in values])


def truths(fit: Fit, items: pd.Index, most: int, unasked: Unasked) -> Truths:
    """Lay out what a fit says of some items, by draw of its parameters."""
    kind = fit.data.attrs["kind"]
    if kind not in ("choice", "contains"):
        raise KindError(
            f"the fit is of kind {kind}; its labels are not true each by itself"
        )
    stated = posterior_labels(fit.data)
    place = items.get_indexer(stated["item"].cat.categories.astype("str"))
    item = place[stated["item"].cat.codes.to_numpy()]
    labels = pd.Index(stated["label"].cat.categories.astype("str"))
    key = item.astype(np.int64) * len(labels) + stated["label"].cat.codes.to_numpy()
    kept = np.flatnonzero(item >= 0)
    kept = kept[np.argsort(key[kept])]
    values = stated["probability"].to_numpy(dtype=float)[None]
    if stored(fit.data, "labels") is None and most > 1:
        values = by_label(fit.data, drawn_truth(fit.data, most))
    return Truths(
        labels=labels,
        key=key[kept],
        value=values[:, kept],
        items=len(items),
        one=kind == "choice",
        unasked=0.0 if unasked == "wrong" else np.nan,
    )


@runtime_checkable
class Sets(Protocol):
    """What items hold where several labels of one can be true."""

    def validity(self, label: Int[np.ndarray, "A I"]) -> Float[np.ndarray, "_ A I"]:
        """P(a label of each item is true)."""

    def jointly(
        self, label: Int[np.ndarray, "A I"], other: Int[np.ndarray, "A I"]
    ) -> Float[np.ndarray, "_ A I"]:
        """P(two labels that are not the same are true)."""

    def number(self) -> Float[np.ndarray, "_ I"]:
        """Return the expected number of labels that are true."""


def set_sums(
    proposals: Proposals, truth: Sets, judged: Float[np.ndarray, "D A I"]
) -> Iterator[tuple[Cell, Sums]]:
    r"""Give the sums of metrics of all labels that models list.

    Precision is :math:`\sum p / \sum R`, of R labels that are listed, F1 is :math:`2
    \sum p / (\sum R + \sum n)`, of n that are present. The average precision is the
    mean over labels that are present of the share of these among those ranked no lower.
    """
    ranks = np.moveaxis(proposals.fitted_label, 2, 0)
    chance = [np.nan_to_num(truth.validity(each)) for each in ranks]
    hits, listed = sum(chance), (proposals.label != UNKNOWN).sum(2)[None]
    there = truth.number()[:, None] * judged
    precise = np.zeros_like(chance[0])
    for rank, each in enumerate(chance):
        earlier = (np.nan_to_num(truth.jointly(ranks[rank], r)) for r in ranks[:rank])
        precise += sum(earlier, start=each) / (rank + 1)
    for metric, part, whole in (
        ("precision", hits, listed * judged),
        ("f1", 2 * hits, listed * judged + there),
        ("average_precision", precise, there),
    ):
        # Of no sum is the size told but by a ratio: the whole is to count the items.
        unit = np.nansum(whole, axis=2, keepdims=True) / np.nansum(
            judged, axis=2, keepdims=True
        )
        yield (metric, "all"), (part * judged / unit, whole / unit)


def truth_sums(proposals: Proposals, truth: Truths) -> Iterator[tuple[Cell, Sums]]:
    """Give of each metric and subset both sums of the ratio."""
    label = proposals.fitted_label
    first, depth = label[:, :, 0], label.shape[2]
    true = truth.validity(first)
    # Models are compared on the same items.
    judged = np.where(np.isnan(true).any(1, keepdims=True), np.nan, np.ones_like(true))
    true = true * judged
    yield ("accuracy", "all"), (true, judged)
    if depth > 1:
        yield (f"top_{depth}", "all"), (truth.any_of(label) * judged, judged)
    number = {}
    if truth.can_be_several:
        several, both = truth.several()[:, None], truth.others(first)
        one = np.maximum(truth.some()[:, None] - several, 0.0)
        number = {"several_labels": several, "one_label": one}
        yield ("accuracy", "several_labels"), (both, several * judged)
        yield ("accuracy", "one_label"), (true - both, one * judged)
        yield from set_sums(proposals, truth, judged)
    if proposals.dataset is None:
        return
    same = (proposals.label[:, :, 0] == proposals.dataset).astype(float)
    ones = np.ones_like(true)
    yield ("dataset_accuracy", "all"), (same * ones, ones)
    if depth > 1:
        among = (proposals.label == proposals.dataset[:, None]).any(2)
        yield (f"dataset_top_{depth}", "all"), (among * ones, ones)
    old = proposals.fitted_dataset
    right = truth.asked(old[None])
    both = truth.both(first, old)
    judged = judged * np.where(np.isnan(right), np.nan, 1.0)
    yield ("accuracy", "label_right"), (both, right * judged)
    yield ("accuracy", "label_wrong"), (true - both, (1 - right) * judged)
    for subset, members in (
        {"label_right": right, "label_wrong": 1 - right} | number
    ).items():
        yield ("dataset_accuracy", subset), (same * members, members * ones)
