"""Metrics of objects: the set of an item's valid labels, and its main one.

A label is in the set of an item when its probability of being valid is at least one
half. `precision`, `recall` and `f1` count labels over all items (micro averages);
`item_f1`, `jaccard` and `exact` are means over items, an item whose two sets are empty
being right. Log-loss, Brier (p - y)^2 and the ECE, which compares p with how often the
label is valid, are means over pairs of item and label: where gold says yes or no of
each (a column answer), over its pairs; else gold lists all that is valid, and the
pairs are those that the fit or gold lists. A pair that the fit does not list has
probability zero. `main_accuracy` is the share of the items whose main label gold knows
(a column main) in which the fit names it.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.errors import GoldError
from consilience.scoring.contains_metrics import gaps_by_item

_ROUNDING = 1e-9
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no", "")


def objects_metrics(
    labels: pd.DataFrame,
    gold: pd.DataFrame,
    clip: float,
    bins: int | None,
    items: pd.DataFrame | None = None,
) -> tuple[
    Callable[[Float[np.ndarray, "R I"]], dict[str, Float[np.ndarray, " R"]]], int, int
]:
    """Prepare the metrics of objects."""
    rows, both, missing = judged_labels(labels, gold)
    names = pd.Index(rows["item"].unique())
    item = names.get_indexer(pd.Index(both["item"]))
    p = both["probability"].to_numpy()
    y = both["right"].to_numpy()
    judged = both["judged"].to_numpy()
    sets = _set_terms(item, p >= 0.5 - _ROUNDING, y, len(names))
    pairs = _pair_terms(item[judged], p[judged], y[judged], len(names), clip)
    gaps = np.zeros((len(names), 1))
    if judged.any():
        item_gaps = gaps_by_item(p[judged], y[judged], item[judged], bins)
        gaps = np.zeros((len(names), item_gaps.shape[1]))
        gaps[: len(item_gaps)] = item_gaps
    main = _main_label_terms(rows, items, names) if "main" in rows else None

    return partial(_measure, sets, pairs, gaps, main), len(names), missing


def judged_labels(
    labels: pd.DataFrame, gold: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Return gold about items of the fit, and all pairs of item and label of both."""
    rows = _check_gold(gold)
    fitted = _names(labels["item"])
    about = rows["item"].isin(fitted)
    missing = int((~about).sum())
    rows = rows[about]
    if rows.empty:
        msg = (
            f"gold: none of its {missing} rows is about one of the {len(fitted)} items "
            "of the fit; give the gold of the same study"
        )
        raise GoldError(msg)
    stated = labels[["item", "label", "probability"]].dropna()
    stated = stated.astype({"item": "str", "label": "str"})
    stated = stated[stated["item"].isin(rows["item"])]
    both = rows.merge(stated, on=["item", "label"], how="outer", validate="1:1")
    answered = "answer" in gold.columns
    both = both.assign(
        probability=both["probability"].fillna(0.0).to_numpy(dtype=float),
        right=both["valid"].eq(other=True).to_numpy(dtype=float),
        judged=both["valid"].notna().to_numpy() if answered else True,
    )
    return rows, both, missing


def _measure(
    sets: Float[np.ndarray, "I 6"],
    pairs: Float[np.ndarray, "I 3"],
    gaps: Float[np.ndarray, "I B"],
    main: Float[np.ndarray, "I 2"] | None,
    weights: Float[np.ndarray, "R I"],
) -> dict[str, Float[np.ndarray, " R"]]:
    """Return the metrics of weighted items from what each item adds to them."""
    hit, called, there, item_f1, jaccard, exact = (weights @ sets).T
    number, loss, brier = (weights @ pairs).T
    total = weights.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        measured = {
            "precision": hit / called,
            "recall": hit / there,
            "f1": 2 * hit / (called + there),
            "item_f1": item_f1 / total,
            "jaccard": jaccard / total,
            "exact": exact / total,
            "log_loss": loss / number,
            "brier": brier / number,
            "ece": np.abs(weights @ gaps).sum(axis=1) / number,
        }
        if main is not None:
            right, of = (weights @ main).T
            measured["main_accuracy"] = right / of
    return measured


def _set_terms(
    item: Int[np.ndarray, " P"],
    called: np.ndarray,
    valid: Float[np.ndarray, " P"],
    number: int,
) -> Float[np.ndarray, "I 6"]:
    hit, sets, gold = (
        np.bincount(item, values, minlength=number)
        for values in (called * valid, called, valid)
    )
    either = sets + gold - hit
    empty = either == 0
    return np.column_stack(
        [
            *(hit, sets, gold),
            np.where(empty, 1.0, 2 * hit / np.maximum(sets + gold, 1)),
            np.where(empty, 1.0, hit / np.maximum(either, 1)),
            (either == hit).astype(float),
        ]
    )


def _pair_terms(
    item: Int[np.ndarray, " P"],
    p: Float[np.ndarray, " P"],
    y: Float[np.ndarray, " P"],
    number: int,
    clip: float,
) -> Float[np.ndarray, "I 3"]:
    inside = np.clip(p, clip, 1 - clip)
    loss = -y * np.log(inside) - (1 - y) * np.log(1 - inside)
    parts = (np.ones(len(p)), loss, (p - y) ** 2)
    return np.stack(
        [np.bincount(item, values, minlength=number) for values in parts], 1
    )


def _main_label_terms(
    rows: pd.DataFrame, items: pd.DataFrame | None, names: pd.Index
) -> Float[np.ndarray, "I 2"]:
    if items is None:
        msg = "gold has a column main, and the fit's table items is not given with it"
        raise GoldError(msg)
    main_labels = items[["item", "main_label"]].dropna().astype("str")
    main = rows[rows["main"]]
    right = main.merge(
        main_labels,
        left_on=["item", "label"],
        right_on=["item", "main_label"],
        how="inner",
    )
    hits = np.zeros((len(names), 2))
    hits[names.get_indexer(pd.Index(right["item"])), 0] = 1
    hits[names.get_indexer(pd.Index(main["item"])), 1] = 1
    return hits


def _names(items: pd.Series) -> pd.Index:
    """Return the items that the fit knows, those without labels among them."""
    if isinstance(items.dtype, pd.CategoricalDtype):
        items = pd.Series(items.cat.categories)
    names: pd.Index = pd.Index(items.astype("str").unique())
    return names


def _check_gold(gold: pd.DataFrame) -> pd.DataFrame:
    """Rows of gold, each pair of item and label once: item, label, valid, main."""
    rows = gold[["item", "label"]].astype("str")
    rows["valid"] = True
    if "answer" in gold:
        rows["valid"] = _flag(gold, "answer", ("yes",), ("no",))
    if "main" in gold:
        rows["main"] = _flag(gold, "main", _TRUE, _FALSE) & rows["valid"]
    rows = rows.drop_duplicates()
    twice = rows[rows.duplicated(["item", "label"])]
    if len(twice):
        row = twice.iloc[0]
        msg = (
            f"gold: item {row['item']!r} and label {row['label']!r} stand in two rows "
            "that differ; keep one of them"
        )
        raise GoldError(msg)
    return rows


def _flag(
    gold: pd.DataFrame, column: str, yes: tuple[str, ...], no: tuple[str, ...]
) -> pd.Series:
    word = gold[column].astype("str").str.lower().mask(gold[column].isna(), no[-1])
    other = ~word.isin([*yes, *no])
    if other.any():
        row = gold[other].iloc[0]
        msg = (
            f"gold: item {row['item']!r}, label {row['label']!r} has {column} "
            f"{row[column]!r}; it must be {yes[0]} or {no[0]}"
        )
        raise GoldError(msg)
    return word.isin(yes)
