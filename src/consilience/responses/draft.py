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
    """Answers as read, one row each."""

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
