"""Gold labels of fits of objects: which labels are right names of what is there.

To every response each candidate of the item is a question, whether its object is there
and it is a right name: yes, if the response names it, and no if not. So P(label) is
corrected as that of *contains* (`gold`). How many objects there are, and which names
are one, stay as they were found without gold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Int

from consilience.errors import DataError
from consilience.fitting.gold import GROUP, Taught, learn
from consilience.fitting.gold_columns import Start, gold_of
from consilience.fitting.request import Request, Study
from consilience.fitting.with_gold import stated, with_known
from consilience.inference.options import generator_of, seed_for
from consilience.posterior.labels import labels as labels_of
from consilience.posterior.stored import with_tables
from consilience.posterior.tree import with_groups
from consilience.posterior.truth import Truth
from consilience.presence.space import presence
from consilience.responses import Responses, read
from consilience.truth import ContainsSpace

_PAIR = ["item", "label"]


def with_gold(data: xr.DataTree, study: Study, request: Request) -> xr.DataTree:
    """Return a fit of objects as gold labels correct it."""
    assert study.gold is not None  # noqa: S101 (for the type checker)
    table = labels_of(data)
    answers = questions(study.responses, table)
    space = presence(answers)
    truth, place = _truth(space, table)
    gold = gold_of(space, presence(answers, gold=judged(study.gold, table)))
    if not len(gold.unit):
        return data
    generator = generator_of(seed_for(request.seed, GROUP))
    learned, worth = learn(space, Start(truth), gold, generator)
    prob = float(data.attrs["prob"])
    better = with_known(learned.corrected(space, Start(truth), prob), gold)
    weight, kind = np.ones(len(gold.unit)), space.kind
    sentence, worth_table, surprise = stated(worth, weight, prob, kind)
    about = {"sentence": sentence, "surprise": surprise, "items": len(gold.unit)}
    about |= {"correlation": np.nan, "correlation_error": np.nan}
    items = pd.Index(data["constant_data"]["unit_item"].to_numpy().astype(str))
    has_gold = items.get_indexer(pd.unique(space.unit_item[gold.unit].astype(str)))
    group = learned.stored().assign_attrs(about)
    group["given"] = "unit_with_gold", has_gold
    tables = {"labels": _corrected(table, better, place), "gold": worth_table}
    return with_tables(with_groups(data, **{GROUP: group}), tables)


def as_taught(data: xr.DataTree, before: xr.DataTree, given: Responses) -> xr.DataTree:
    """Return a prediction as the gold labels of the earlier fit correct it."""
    if GROUP not in before.children:
        return data
    table = labels_of(data)
    space = presence(questions(given, table))
    truth, place = _truth(space, table)
    learned = Taught.restored(before[GROUP].to_dataset())
    better = learned.corrected(space, Start(truth), float(data.attrs["prob"]))
    return with_tables(data, {"labels": _corrected(table, better, place)})


def questions(responses: Responses, table: pd.DataFrame) -> Responses:
    """Return for each response and candidate of its item whether it is named."""
    rows = responses.table[["item", "annotator", "response_id", "label", "n"]]
    rows = rows.astype({"item": str, "label": str})
    each = rows.drop_duplicates(["item", "response_id"]).drop(columns="label")
    every = each.merge(table[_PAIR].astype(str), on="item")
    named = rows.dropna(subset="label")[["item", "response_id", "label"]]
    named = named.drop_duplicates().assign(answer="yes")
    every = every.merge(named, how="left", on=["item", "response_id", "label"])
    every["answer"] = every["answer"].fillna("no")
    every = every[["item", "annotator", "label", "answer", "n"]]
    return read(every, kind="contains", n="n")


def judged(gold: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return whether gold says yes or no of each candidate that it judges."""
    rows = gold.astype(dict.fromkeys(_PAIR, str))
    if "answer" in rows:
        return rows
    about = table[table["item"].astype(str).isin(rows["item"])][_PAIR].astype(str)
    if about.empty:
        raise DataError(
            "gold: none of its items has a label that the fit considers; give the gold "
            "of the same study"
        )
    valid = pd.MultiIndex.from_frame(rows[_PAIR])
    yes = pd.MultiIndex.from_frame(about).isin(valid)
    return about.assign(answer=np.where(yes, "yes", "no"))


def _truth(
    space: ContainsSpace, table: pd.DataFrame
) -> tuple[Truth, Int[np.ndarray, " N"]]:
    """Return P(absent) and P(present) by unit, and the unit of each row."""
    units = pd.MultiIndex.from_arrays(
        [space.unit_item.astype(str), space.unit_label.astype(str)]
    )
    place = units.get_indexer(pd.MultiIndex.from_frame(table[_PAIR].astype(str)))
    row = np.empty(len(units), np.int64)
    row[place] = np.arange(len(table))

    def of(low: str, high: str) -> Any:
        no, yes = (table[name].to_numpy(float)[row] for name in (high, low))
        return np.stack([1 - no, yes], 1)

    middle = of("probability", "probability")
    lower, upper = (np.nan_to_num(of(*names), nan=-1) for names in _SIDES)
    lower, upper = (np.where(bound < 0, middle, bound) for bound in (lower, upper))
    return Truth(middle, lower, upper), place


_SIDES = (("lower", "upper"), ("upper", "lower"))


def _corrected(
    table: pd.DataFrame, truth: Truth, place: Int[np.ndarray, " N"]
) -> pd.DataFrame:
    columns: dict[str, Any] = {"probability": truth.probability[place, 1]}
    if table["lower"].notna().any():
        columns |= {"lower": truth.lower[place, 1], "upper": truth.upper[place, 1]}
    return table.assign(**columns)
