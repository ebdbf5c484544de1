"""Gold labels checked, and joined with what a fit states: of choice, contains, objects.

*Choice*: one truth per item, of which gold may allow several names. *Contains*: yes or
no of pairs of item and label; where several experts answered (a column annotator), the
truth is their majority, a tie counting half. *Objects*: all that is valid, or yes or no
(a column answer) of what was judged, and which label is the main one (a column main).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from consilience.errors import DataError
from consilience.posterior.truth import given_truth
from consilience.responses.side_tables import nothing_shared
from consilience.truth.coding import gold_weights
from consilience.when_used import xr

_ROUNDING = 1e-9
_PAIR = ["item", "label"]
# What says yes and no in a column; an empty cell is the last.
_WORDS = {
    "answer": (("yes",), ("no",)),
    "main": (("true", "1", "yes"), ("false", "0", "no", "")),
}


class _Joined(NamedTuple):
    """Gold, and what is stated of its items, by a code of both item and label."""

    items: pd.Index  # of gold, in its order
    in_fit: Bool[np.ndarray, " I"]  # whether the fit has the item
    labels: int
    gold: Int[np.ndarray, " G"]
    stated: Int[np.ndarray, " N"]
    probability: Float[np.ndarray, " N"]


def _join(labels: pd.DataFrame, gold: pd.DataFrame) -> _Joined:
    """Join gold with what is stated; refuse where they share no item."""
    rows = labels[[*_PAIR, "probability"]].dropna()
    item, label = (rows[name].astype("category").cat for name in _PAIR)
    names, stated_names = (each.categories.astype("str") for each in (item, label))
    items = pd.Index(gold["item"].unique())
    place = items.get_indexer(names)[item.codes.to_numpy()]
    kept = place >= 0
    if not kept.any():
        raise nothing_shared(items, names)
    new = pd.Index(gold["label"].unique()).difference(stated_names)
    every = stated_names.append(new)
    code = items.get_indexer(pd.Index(gold["item"])).astype(np.int64) * len(every)
    return _Joined(
        items=items,
        in_fit=items.isin(names),
        labels=len(every),
        gold=code + every.get_indexer(pd.Index(gold["label"])),
        stated=(place.astype(np.int64) * len(every) + label.codes.to_numpy())[kept],
        probability=rows["probability"].to_numpy().astype(np.float64)[kept],
    )


def not_given(data: xr.DataTree, gold: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the gold rows whose truth the fit was not given, and how many it was."""
    constant, has_gold = data["constant_data"].to_dataset(), given_truth(data)
    names = ["unit_item", *(["unit_label"] if "unit_label" in constant else [])]
    given, rows = (
        pd.MultiIndex.from_arrays([pd.Index(each).astype("str") for each in columns])
        for columns in (
            [constant[name].to_numpy()[has_gold] for name in names],
            [gold[name] for name in _PAIR[: len(names)]],
        )
    )
    used = rows.isin(given)
    if "gold" in data.children and "given_item" in data["gold"]:  # of all shards
        columns = ["given_item", *(["given_label"] if len(names) == 2 else [])]
        taught = (data["gold"][name].to_numpy().astype(str) for name in columns)
        used |= rows.isin(pd.MultiIndex.from_arrays(list(taught)))
    if len(used) and used.all():
        raise DataError(
            f"gold: the fit was given the truth of all {len(used):,} rows, so they say "
            "nothing of how good it is; give gold of other items (the table `gold` has "
            "scores on gold left out)"
        )
    return gold[~used], int(used.sum())


@dataclass(frozen=True, slots=True, eq=False)
class ItemScores:
    """How each item with gold is judged; items stand in gold's order."""

    confidence: Float[np.ndarray, " I"]
    right: Float[np.ndarray, " I"]
    truth: Float[np.ndarray, " I"]
    brier: Float[np.ndarray, " I"]
    weight: Float[np.ndarray, " I"]
    missing: int


def judged_choice(labels: pd.DataFrame, gold: pd.DataFrame) -> ItemScores:
    """Judge each item that has gold and a most probable label."""
    joined = _join(labels, gold[_PAIR].dropna().astype("str").drop_duplicates())
    present, item = np.unique(joined.stated // joined.labels, return_inverse=True)
    right, p = np.isin(joined.stated, joined.gold), joined.probability
    together, wrong = np.bincount(item, p * right), np.bincount(item, p**2 * ~right)
    highest = np.full(len(present), -np.inf)
    np.maximum.at(highest, item, p)
    leads = p >= highest[item] - _ROUNDING
    return ItemScores(
        confidence=highest,
        right=np.bincount(item, leads & right) / np.bincount(item, leads),
        truth=together,
        brier=(1 - together) ** 2 + wrong,
        weight=gold_weights(
            gold, ["item"], pd.MultiIndex.from_arrays([joined.items[present]])
        ),
        missing=len(joined.items) - len(present),
    )


class PairScores(NamedTuple):
    """How pairs of item and label are judged; items stand in gold's order."""

    items: pd.Index
    item: Int[np.ndarray, " N"]
    probability: Float[np.ndarray, " N"]
    share: Float[np.ndarray, " N"]  # of experts who say yes
    right: Float[np.ndarray, " N"]  # their majority
    judged: Bool[np.ndarray, " N"]  # whether gold says yes or no of the pair
    weight: Float[np.ndarray, " N"]
    missing: int


def judged_contains(labels: pd.DataFrame, gold: pd.DataFrame) -> PairScores:
    """Judge the pairs of item and label that gold answers."""
    answers = _answers(gold)
    joined = _join(labels, answers)
    place = pd.Index(joined.stated).get_indexer(pd.Index(joined.gold))
    stated = place >= 0
    if not stated.any():
        raise DataError(
            f"gold: none of its {len(answers)} pairs of item and label is among the "
            f"{len(labels)} of the fit; give the gold of the same study"
        )
    item, codes = pd.factorize(joined.gold[stated] // joined.labels)
    share = answers["share"].to_numpy(float)[stated]
    return PairScores(
        items=joined.items[codes],
        item=item.astype(np.int64),
        probability=joined.probability[place[stated]],
        share=share,
        right=np.where(share == 0.5, 0.5, share > 0.5),
        judged=np.ones(len(share), bool),
        weight=gold_weights(gold, _PAIR, pd.MultiIndex.from_frame(answers[_PAIR]))[
            stated
        ],
        missing=int((~stated).sum()),
    )


def judged_objects(
    labels: pd.DataFrame, gold: pd.DataFrame
) -> tuple[PairScores, pd.DataFrame]:
    """Judge all pairs that gold or the fit lists; return gold about its items too."""
    rows = _valid_labels(gold)
    joined = _join(labels, rows)
    about = joined.in_fit[joined.gold // joined.labels]
    pair = np.union1d(joined.stated, joined.gold[about])
    probability, valid = np.zeros(len(pair)), np.full(len(pair), np.nan)
    probability[np.searchsorted(pair, joined.stated)] = joined.probability
    valid[np.searchsorted(pair, joined.gold[about])] = rows["valid"][about]
    right = np.nan_to_num(valid)
    scores = PairScores(
        items=joined.items[joined.in_fit],
        item=(np.cumsum(joined.in_fit) - 1)[pair // joined.labels],
        probability=probability,
        share=right,
        right=right,
        judged=~np.isnan(valid) if "answer" in gold else np.ones(len(pair), bool),
        weight=np.ones(len(pair)),
        missing=int((~about).sum()),
    )
    return scores, rows[about]


def _answers(gold: pd.DataFrame) -> pd.DataFrame:
    """Return each pair of item and label that gold answers, and the share of yes."""
    if "answer" not in gold.columns:
        raise DataError(
            f"gold: columns are {', '.join(map(str, gold.columns))}; contains needs "
            "item, label and answer (yes or no)"
        )
    key = [*_PAIR, *(["annotator"] if "annotator" in gold.columns else [])]
    rows = gold[[*key, "answer"]].dropna().astype("str")
    rows["answer"] = _flag(rows, "answer")
    what = (
        "is answered both yes and no; keep one of the rows, or say in a column "
        "annotator which expert said which"
    )
    rows = _once(rows, key, what)
    yes = rows.assign(share=rows["answer"].astype(float))
    return yes.groupby(_PAIR, sort=False)["share"].mean().reset_index()


def _valid_labels(gold: pd.DataFrame) -> pd.DataFrame:
    """Return each pair of item and label once: item, label, valid, main."""
    rows = gold[_PAIR].astype("str")
    rows["valid"] = True
    if "answer" in gold:
        rows["valid"] = _flag(gold, "answer")
    if "main" in gold:
        rows["main"] = _flag(gold, "main") & rows["valid"]
    return _once(rows, _PAIR, "stand in two rows that differ; keep one of them")


def _once(rows: pd.DataFrame, key: list[str], what: str) -> pd.DataFrame:
    """Return the rows that differ, and refuse those that contradict each other."""
    rows = rows.drop_duplicates()
    twice = rows[rows.duplicated(key)]
    if len(twice):
        row = twice.iloc[0]
        named = ", ".join(f"{name} {row[name]!r}" for name in key)
        raise DataError(f"gold: {named} {what}")
    return rows


def _flag(gold: pd.DataFrame, column: str) -> pd.Series:
    yes, no = _WORDS[column]
    word = gold[column].astype("str").str.lower().mask(gold[column].isna(), no[-1])
    other = ~word.isin([*yes, *no])
    if other.any():
        row = gold[other].iloc[0]
        raise DataError(
            f"gold: item {row['item']!r}, label {row['label']!r} has the {column} "
            f"{row[column]!r}; it must be {yes[0]} or {no[0]}"
        )
    return word.isin(yes)
