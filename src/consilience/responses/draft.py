"""What a reader hands over: answers coded, but not yet ordered, checked or counted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from jaxtyping import Int, Int8

from consilience.responses.options import Kind, Offer
from consilience.responses.quality.cleaning import Dropped
from consilience.responses.tables.coding import Coded


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Draft:
    """Answers as read, one row each.

    Parameters
    ----------
    kind, item, annotator, label, object, main, n, response_id
        As in `consilience.responses.Responses`; None: the source has no such column.
    answer
        Index into no, maybe, yes; -1: skipped.
    worded
        Whether answers are words, to which the caller may give another meaning.
    extras
        Columns carried along.
    row
        Record of the source that each answer came from.
    where
        Place of a record as a person finds it.
    unit, num_read, dropped, notes, columns, unused, warnings
        For the account of the reading; `num_read` counts records of the source.
    assumptions
        Sentences that results repeat.
    offer, offered, items, labels, gold
        What the source itself says of these; texts, not codes.
    more_items
        Items of the source that may have no answer.
    sources
        SHA-256 of each file.
    types
        Type of items, annotators and labels in the source, by role.
    order, ordered
        Labels that the source puts in order, of which there may be others; whether its
        type says that this order means more and less.
    """

    kind: Kind
    item: Coded
    annotator: Coded
    label: Coded
    row: Int[np.ndarray, " N"]
    where: Callable[[int], str]
    num_read: int
    answer: Int8[np.ndarray, " N"] | None = None
    worded: bool = True
    object: Int[np.ndarray, " N"] | None = None
    main: Int8[np.ndarray, " N"] | None = None
    n: Int[np.ndarray, " N"] | None = None
    response_id: Coded | None = None
    extras: Mapping[str, pd.Series] = field(default_factory=dict)
    unit: str = "rows"
    dropped: tuple[Dropped, ...] = ()
    notes: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    unused: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    offer: Offer | None = None
    offered: pd.DataFrame | None = None
    items: pd.DataFrame | None = None
    labels: pd.DataFrame | None = None
    gold: pd.DataFrame | None = None
    more_items: Sequence[str] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str | None] = field(default_factory=dict)
    order: Sequence[str] = ()
    ordered: bool = False
