"""Gold labels checked, and joined with what a fit states: of choice, contains, objects.

*Choice*: one truth per item, of which gold may allow several names. *Contains*: yes or
no of pairs of item and label; where several experts answered (a column annotator), the
truth is their majority, a tie counting half. *Objects*: all that is valid, or yes or no
(a column answer) of what was judged, and which label is the main one (a column main).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.errors import GoldError
from consilience.responses.side_tables import nothing_shared

_ROUNDING = 1e-9
_PAIR = ["item", "label"]
_YES, _NO = ("yes",), ("no",)
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no", "")


@dataclass(frozen=True, slots=True, eq=False)
class ItemScores:
    """How each item with gold is judged; items stand in gold's order."""

    confidence: Float[np.ndarray, " I"]
    right: Float[np.ndarray, " I"]
    truth: Float[np.ndarray, " I"]
    brier: Float[np.ndarray, " I"]
    missing: int


def judged_choice(labels: pd.DataFrame, gold: pd.DataFrame) -> ItemScores:
    """Judge each item that has gold and a most probable label."""
    gold_labels = gold[["item", "label"]].dropna().astype("str").drop_duplicates()
    stated = labels.dropna(subset=["item", "label", "probability"])
    wanted = pd.Index(gold_labels["item"].unique())
    names = pd.Index(stated["item"].astype("category").cat.categories.astype("str"))
    place = wanted.get_indexer(names)
    row_item = place[stated["item"].astype("category").cat.codes.to_numpy()]
    stated, row_item = stated[row_item >= 0], row_item[row_item >= 0]
    present = np.unique(row_item)
    if not len(present):
        raise nothing_shared(wanted, names)
    item = np.searchsorted(present, row_item)
    right = _is_right(stated, row_item, gold_labels, wanted)
    p = stated["probability"].to_numpy().astype(np.float64)
    num_items = len(present)
    together = np.bincount(item, p * right, minlength=num_items)
    wrong = np.bincount(item, p**2 * ~right, minlength=num_items)
    highest = np.full(num_items, -np.inf)
    np.maximum.at(highest, item, p)
    leads = p >= highest[item] - _ROUNDING
    hit = np.bincount(item, leads & right, minlength=num_items) / np.bincount(
        item, leads, minlength=num_items
    )
    return ItemScores(
        confidence=highest,
        right=hit,
        truth=together,
        brier=(1 - together) ** 2 + wrong,
        missing=len(wanted) - num_items,
    )


def judged_contains(
    labels: pd.DataFrame, gold: pd.DataFrame
) -> tuple[pd.DataFrame, int]:
    """Return pairs of item and label that gold answers, and how many are not stated."""
    answers = _answers(gold)
    stated = _stated(labels)
    both = answers.merge(stated, on=_PAIR, how="inner", validate="m:1")
    if both.empty:
        msg = (
            f"gold: none of its {len(answers)} pairs of item and label is among the "
            f"{len(stated)} of the fit; give the gold of the same study"
        )
        raise GoldError(msg)
    both = both.astype({"probability": float, "share": float})
    share = both["share"].to_numpy()
    both["right"] = np.where(share == 0.5, 0.5, share > 0.5)
    return both, len(answers) - len(both)


def judged_objects(
    labels: pd.DataFrame, gold: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Return gold about items of the fit, and all pairs of item and label of both."""
    rows = _valid_labels(gold)
    fitted = labels["item"].astype("category").cat.categories.astype("str")
    about = rows["item"].isin(fitted)
    missing = int((~about).sum())
    rows = rows[about]
    if rows.empty:
        msg = (
            f"gold: none of its {missing} rows is about one of the {len(fitted)} items "
            "of the fit; give the gold of the same study"
        )
        raise GoldError(msg)
    stated = _stated(labels)
    stated = stated[stated["item"].isin(rows["item"])]
    both = rows.merge(stated, on=_PAIR, how="outer", validate="1:1")
    answered = "answer" in gold.columns
    both = both.assign(
        probability=both["probability"].fillna(0.0).to_numpy(dtype=float),
        right=both["valid"].eq(other=True).to_numpy(dtype=float),
        judged=both["valid"].notna().to_numpy() if answered else True,
    )
    return rows, both, missing


def _is_right(
    stated: pd.DataFrame,
    row_item: np.ndarray,
    gold_labels: pd.DataFrame,
    wanted: pd.Index,
) -> np.ndarray:
    """Whether each row's label is one that gold allows for its item."""
    label = stated["label"].astype("category")
    row_label = label.cat.codes.to_numpy().astype(np.int64)
    names = pd.Index(label.cat.categories.astype("str"))
    gold_label = names.get_indexer(pd.Index(gold_labels["label"]))
    gold_item = wanted.get_indexer(pd.Index(gold_labels["item"]))[gold_label >= 0]
    pairs = gold_item * len(names) + gold_label[gold_label >= 0]
    return np.isin(row_item * len(names) + row_label, pairs)


def _stated(labels: pd.DataFrame) -> pd.DataFrame:
    stated = labels[[*_PAIR, "probability"]].dropna()
    return stated.astype({"item": "str", "label": "str"})


def _answers(gold: pd.DataFrame) -> pd.DataFrame:
    """Return each pair of item and label that gold answers, and the share of yes."""
    if "answer" not in gold.columns:
        msg = (
            f"gold: columns are {', '.join(map(str, gold.columns))}; contains needs "
            "item, label and answer (yes or no)"
        )
        raise GoldError(msg)
    who = [name for name in ("annotator",) if name in gold.columns]
    rows = gold[[*_PAIR, *who, "answer"]].dropna().astype("str")
    rows["answer"] = _flag(rows, "answer", _YES, _NO)
    rows = _once(
        rows,
        [*_PAIR, *who],
        "is answered both yes and no; keep one of the rows, or say in a column "
        "annotator which expert said which",
    )
    yes = rows.assign(share=rows["answer"].astype(float))
    return yes.groupby(_PAIR, sort=False)["share"].mean().reset_index()


def _valid_labels(gold: pd.DataFrame) -> pd.DataFrame:
    """Return each pair of item and label once: item, label, valid, main."""
    rows = gold[_PAIR].astype("str")
    rows["valid"] = True
    if "answer" in gold:
        rows["valid"] = _flag(gold, "answer", _YES, _NO)
    if "main" in gold:
        rows["main"] = _flag(gold, "main", _TRUE, _FALSE) & rows["valid"]
    return _once(rows, _PAIR, "stand in two rows that differ; keep one of them")


def _once(rows: pd.DataFrame, key: list[str], what: str) -> pd.DataFrame:
    """Return the rows that differ, and refuse those that contradict each other."""
    rows = rows.drop_duplicates()
    twice = rows[rows.duplicated(key)]
    if len(twice):
        row = twice.iloc[0]
        named = ", ".join(f"{name} {row[name]!r}" for name in key)
        msg = f"gold: {named} {what}"
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
            f"gold: item {row['item']!r}, label {row['label']!r} has the {column} "
            f"{row[column]!r}; it must be {yes[0]} or {no[0]}"
        )
        raise GoldError(msg)
    return word.isin(yes)
