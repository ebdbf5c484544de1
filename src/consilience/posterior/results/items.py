"""The table `items`: one row per item, with its best label and its probability.

Entropy is in nats. For choice it is that of the item's truth, -sum_k p_k log p_k. For
contains it is the sum over the item's labels of the entropy of their presence: the
joint entropy when the labels of an item are independent given the responses.

Two labels tie when their probabilities differ by no more than rounding. A tie is never
broken in silence: the first label stands in the row and `tied` says that it is not
alone.

**The tables of a run by name, and their Parquet files.** Text is dictionary-encoded:
each name is held once. The file's metadata carries, under the key `consilience`, a JSON
object with the table's name, the probability between `lower` and `upper`, what kind of
interval that is, the model and the engine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Bool, Float, Shaped

from consilience.notebook import Part, as_html
from consilience.posterior.objects.stored_objects import object_table, objects, styles
from consilience.posterior.results.annotators import (
    annotator_groups,
    annotators,
    covariate_effects,
    group_differences,
    relative_information,
)
from consilience.posterior.results.confusion import confusion
from consilience.posterior.results.diagnostics import (
    FAILED,
    comparison,
    diagnostics,
    tally,
)
from consilience.posterior.results.frames import category, names
from consilience.posterior.results.labels import candidates, labels
from consilience.posterior.stored_fit.restored import stored, stored_names
from consilience.responses.tables.id_types import Types, restored
from consilience.when_used import xr

# Probabilities in double precision are equal up to about 1e-15 times the number of
# responses summed, far below the first figure; single precision has seven digits, of
# which a sum of logarithms may lose one.
_TIE = {np.dtype(np.float64): 1e-9, np.dtype(np.float32): 1e-6}
_OF_GROUPS = ("annotator_groups", "group_differences")
_OF_COLUMNS = ("covariate_effects", "relative_information")
_OF_ITEMS = ("object_counts", "same_object", "ambiguity", "panels")  # of kind objects


def items(data: xr.DataTree) -> pd.DataFrame:
    """Best label of each item, its probability, and what is left uncertain."""
    kept = stored(data, "items")
    if kept is not None:
        return kept
    width = _TIE[np.dtype(data["truth"]["probability"].dtype)]
    if data.attrs["kind"] == "contains":
        return _contains_items(data, width)
    return _choice_items(data, width)


def _choice_items(data: xr.DataTree, width: float) -> pd.DataFrame:
    """Items of choice, straight from the rectangle: the long table takes ten times."""
    constant = data["constant_data"]
    truth = candidates(data)
    listed = truth.state >= 0
    given = np.where(listed, truth.probability, -np.inf)
    highest = given.max(axis=1)
    leads = listed & (given >= highest[:, None] - width)
    label_names = names(data, "true_class")
    best = np.where(leads, truth.state, len(label_names)).min(axis=1)
    unit_item = constant["unit_item"].to_numpy()
    table = _table(
        category(np.arange(len(unit_item)), unit_item),
        category(np.where(best == len(label_names), -1, best), label_names),
        np.where(np.isneginf(highest), np.nan, highest),
        np.nansum(_entropy_terms(truth.probability), axis=1),
        constant["num_responses"].to_numpy(),
        leads.sum(axis=1) > 1,
    )
    if not data.attrs.get("ordered"):
        return table
    dense = np.zeros((len(unit_item), len(label_names)))
    rows = np.arange(len(unit_item))[:, None]
    np.add.at(dense, (rows, np.maximum(truth.state, 0)), np.where(listed, given, 0.0))
    return table.assign(**_middle(dense, label_names))


def _middle(
    probability: Float[np.ndarray, "I K"], label_names: Shaped[np.ndarray, " K"]
) -> dict[str, Any]:
    """Return the posterior median and mean of ordered labels.

    The mean is that of the labels where they are numbers, and of their places, from
    one, where they are not.
    """
    half = (probability.cumsum(1) < 0.5 * probability.sum(1, keepdims=True)).sum(1)
    half = np.minimum(half, len(label_names) - 1)
    value = pd.to_numeric(pd.Series(label_names), errors="coerce").to_numpy(float)
    if not np.isfinite(value).all():
        value = 1.0 + np.arange(len(label_names))
    mean = probability @ value / probability.sum(1)
    return {"median": category(half, label_names), "mean": mean}


def _contains_items(data: xr.DataTree, width: float) -> pd.DataFrame:
    """Items of contains, summed up over the labels asked about each."""
    table = labels(data)
    items = table["item"].cat.categories
    item = table["item"].cat.codes.to_numpy()
    best, probability, tied = _best(table, item, len(items), width)
    responses = data["constant_data"]["num_responses"].to_numpy()
    return _table(
        category(np.arange(len(items)), items),
        category(best, table["label"].cat.categories),
        probability,
        np.bincount(item, _presence_entropy(table), minlength=len(items)),
        np.bincount(item, responses, minlength=len(items)),
        tied,
    )


def _table(
    item: pd.Categorical,
    label: pd.Categorical,
    probability: Float[np.ndarray, " I"],
    entropy: Float[np.ndarray, " I"],
    responses: Shaped[np.ndarray, " I"],
    tied: Bool[np.ndarray, " I"],
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "item": item,
            "label": label,
            "probability": probability,
            "entropy": entropy,
            "responses": responses.astype(np.int64),
            "tied": tied,
        }
    )


def _best(
    table: pd.DataFrame, item: np.ndarray, num_items: int, width: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First label, its probability, and whether it ties, of each item.

    An item without a candidate has no label (code -1) and a probability of NaN.
    """
    label = table["label"].cat.codes.to_numpy().astype(np.int64)
    given = table["probability"].to_numpy()
    highest = np.full(num_items, -np.inf)
    np.maximum.at(highest, item, given)
    leads = given >= highest[item] - width
    none = len(table["label"].cat.categories)
    best = np.full(num_items, none)
    np.minimum.at(best, item[leads], label[leads])
    tied = np.bincount(item[leads], minlength=num_items) > 1
    return (
        np.where(best == none, -1, best),
        np.where(np.isneginf(highest), np.nan, highest),
        tied,
    )


def _presence_entropy(table: pd.DataFrame) -> Float[np.ndarray, " U"]:
    present = table["probability"].to_numpy()
    entropy: np.ndarray = _entropy_terms(present) + _entropy_terms(1 - present)
    return entropy


def _entropy_terms(
    probability: Float[np.ndarray, "*shape"],
) -> Float[np.ndarray, "*shape"]:
    """-p log p, which is 0 where p is 0; rounding below 0 or above 1 is cut off."""
    p = np.clip(probability, 0.0, 1.0)
    terms: np.ndarray = -p * np.log(np.where(p > 0, p, 1.0))
    return terms


def text(data: xr.DataTree) -> str:
    """Return a fit in one line."""
    attributes, checks = data.attrs, diagnostics(data)
    counted = [f"{number:,} {what}" for what, number in _counts(data).items()]
    judged = f"; checks: {tally(checks)}" if len(checks) else ""
    return (
        f"Fit({attributes['model']} by {attributes['engine']}, {attributes['kind']}: "
        f"{', '.join(counted)}{judged})"
    )


def html(data: xr.DataTree, types: Types) -> str:
    """Return a fit as HTML: what was fitted, failed checks, first rows of tables."""
    attributes, checks = data.attrs, diagnostics(data)
    facts = {
        "kind": attributes["kind"],
        **{what: f"{number:,}" for what, number in _counts(data).items()},
        "engine": f"{attributes['engine']} ({attributes['engine_reason']})",
        "intervals": f"{100 * float(attributes['prob']):g} %",
        "seconds": f"{float(attributes['seconds']):.1f}",
    }
    if "truth" in data.children and "reported" in data["truth"].attrs:
        facts["posterior of the truth"] = data["truth"].attrs["reported"]
    if len(checks):
        facts["checks"] = tally(checks)
    failed = checks[checks["outcome"] == FAILED]
    remarks = [
        f"{row['name']}: {row['value']:.3g} where the limit is {row['limit']:.3g}; "
        f"{row['remedy']}"
        for row in failed.to_dict("records")
    ]
    people = annotators(data).dropna(subset="accuracy")
    people = people.sort_values("accuracy", kind="stable")
    parts = [
        Part("items", restored(items(data), types)),
        Part("least accurate annotators", restored(people, types)),
        Part("models compared", _without_seconds(comparison(data))),
    ]
    assumed = json.loads(attributes["assumptions"])
    title = f"Fit: {attributes['model']} by {attributes['engine']}"
    return as_html(title, facts, parts, remarks, {"assumed": assumed})


def _without_seconds(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns="seconds", errors="ignore")


def _counts(data: xr.DataTree) -> dict[str, int]:
    counts = {"items": len(items(data)), "annotators": len(annotators(data))}
    if "observed_data" in data.children:
        counts["answers"] = int(data["observed_data"]["n"].sum())
    return counts


def names_of(data: xr.DataTree) -> tuple[str, ...]:
    """Return the names of the tables that a fit has, for what it was fitted to."""
    kept = stored_names(data)
    columns = () if covariate_effects(data).empty else _OF_COLUMNS
    people = () if styles(data).empty else ("styles",)
    groups = () if annotator_groups(data).empty else _OF_GROUPS
    absent = {"objects", *_OF_ITEMS, *_OF_COLUMNS, *_OF_GROUPS, "styles"}
    absent -= {*kept, *columns, *people, *groups}
    return tuple(name for name in TABLES if name not in absent)


def about(data: xr.DataTree) -> dict[str, str | float]:
    """Say what a table's numbers mean and where they come from."""
    return {
        "prob": float(data.attrs["prob"]),
        "interval": "equal-tailed",
        "model": str(data.attrs["model"]),
        "engine": str(data.attrs["engine"]),
        "version": str(data.attrs["version"]),
    }


def write_parquet(
    frame: pd.DataFrame, path: Path, about_it: Mapping[str, str | float]
) -> None:
    """Write one table as Parquet."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    note = json.dumps({"table": path.stem, **about_it}).encode()
    table = table.replace_schema_metadata(
        {**(table.schema.metadata or {}), b"consilience": note}
    )
    pq.write_table(table, path, compression="zstd")


TABLES: Mapping[str, Callable[[xr.DataTree], pd.DataFrame]] = MappingProxyType(
    {
        "labels": labels,
        "items": items,
        "annotators": annotators,
        "annotator_groups": annotator_groups,
        "group_differences": group_differences,
        "confusion": confusion,
        "diagnostics": diagnostics,
        "comparison": comparison,
        "covariate_effects": covariate_effects,
        "relative_information": relative_information,
        "objects": objects,
        **{name: partial(object_table, name=name) for name in _OF_ITEMS},
        "styles": styles,
    }
)
