"""Shards with what else is known of their items and annotators."""

from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from consilience.errors import OptionError
from consilience.fitting.annotator_table import AnnotatorTable
from consilience.fitting.inputs import Table, as_table
from consilience.fitting.request import Study
from consilience.responses import Responses
from consilience.responses.side_columns import Named
from consilience.responses.side_tables import nothing_shared
from consilience.sharding import Shards

GOLD = -1  # where answers about items with gold are, among the shards


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ShardedStudy:
    """Shards, with gold labels, candidates and groups of annotators.

    Side tables are in memory; each shard is given the rows about its items. A label's
    presence has `num_states` states (contains). The answers about items with gold, of
    all shards, are a part as the shards are, whose place is `GOLD`.
    """

    shards: Shards
    gold: pd.DataFrame | None = None
    candidates: pd.DataFrame | None = None
    annotators: AnnotatorTable = field(default_factory=AnnotatorTable)
    num_states: int = 2
    remarks: tuple[str, ...] = ()
    with_gold: Responses | None = field(default=None, repr=False)

    @classmethod
    def read(
        cls,
        shards: Shards,
        *,
        gold: Table | None = None,
        candidates: Table | None = None,
        annotators: Table | None = None,
    ) -> "ShardedStudy":
        """Read the side tables, and keep what is about items of the shards."""
        shards = replace(shards, folder=shards.folder.resolve())
        people = AnnotatorTable.read(annotators)
        if people.repeat_of:
            raise OptionError(
                "annotators: samples of an annotator (repeat_of) are not merged in "
                "shards; write shards in which they have one name"
            )
        named: Named = {"item": shards.items(0), "label": shards.labels}
        lists = as_table(candidates, "candidates", named)
        wanted = truth = as_table(gold, "gold", named)
        if lists is not None:
            if shards.kind == "contains":
                raise OptionError(
                    "candidates of contains are columns of numbers whose weights are "
                    "learned, which they are not over shards; leave them out"
                )
            lists = _columns_of(lists)
        truth, lists = (_about(table, shards) for table in (truth, lists))
        remarks, with_gold = [], None
        if wanted is not None and truth is not None:
            if truth.empty:
                items = pd.Index(wanted["item"].unique())
                raise nothing_shared(items, shards.items(0))
            names = pd.Index(truth["item"].unique())
            number = len(names)
            remarks.append(f"gold labels of {number:,} items enter the fit of all")
            if number < shards.num_items:
                with_gold = shards.some(names)
        return cls(
            shards=shards,
            gold=truth,
            candidates=lists,
            annotators=people,
            remarks=tuple(remarks),
            with_gold=with_gold,
        )

    def without_gold(self) -> "ShardedStudy":
        """Return the study that is fitted before gold corrects the fit."""
        return self if self.with_gold is None else replace(self, gold=None)

    def part(self, place: int) -> tuple[Study, Any]:
        """Return the study of a shard, and its space with all annotators and labels."""
        responses = self.with_gold if place == GOLD else self.shards.responses(place)
        assert responses is not None  # noqa: S101 (for the type checker)
        if self.candidates is not None:
            responses = responses.with_labels(self.candidates["label"])
        items = responses.table["item"].cat.categories
        study = Study(
            responses=responses,
            gold=_rows(self.gold, items),
            candidates=_rows(self.candidates, items),
            annotators=self.annotators,
        )
        space = self.shards.with_all_annotators(
            replace(study, annotators=AnnotatorTable()).space(self.num_states)
        )
        return study, self.annotators.of_space(space)

    def space(self, place: int) -> Any:
        """Return what can be true of the items of a shard, and the answers."""
        return self.part(place)[1]


def _columns_of(lists: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of candidates that shards take."""
    taken = ["item", "label", "log_odds"]
    other = [name for name in lists.columns if name not in taken]
    if other and "log_odds" not in lists:
        raise OptionError(
            f"candidates have columns {', '.join(map(str, other))}, whose weights are "
            "not learned over shards; give them as one column log_odds, or leave them "
            "out"
        )
    return lists[[name for name in taken if name in lists]]


def _rows(table: pd.DataFrame | None, items: pd.Index) -> pd.DataFrame | None:
    """Return the rows about items, or None if there are none."""
    if table is None:
        return None
    rows = table[table["item"].isin(items)]
    return None if rows.empty else rows.reset_index(drop=True)


def _about(table: pd.DataFrame | None, shards: Shards) -> pd.DataFrame | None:
    """Return the rows about items of any shard."""
    if table is None:
        return None
    there = pd.Series(data=False, index=table.index)
    for place in range(len(shards)):
        there |= table["item"].isin(shards.items(place))
    return table[there].reset_index(drop=True)
