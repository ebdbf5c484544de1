"""The labels that were on screen, where each task of a tool says so itself.

Tasks that this program writes say in one record what they ask: of which item, in which
kind of question, and which labels with which names stand on the screen in which order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import msgspec
import pandas as pd
import pyarrow as pa

from consilience.errors import BadCellError
from consilience.responses.draft import Draft
from consilience.responses.options import Kind
from consilience.responses.tables.coding import natural_order

NONE = "none of these"


class OnScreen(msgspec.Struct, frozen=True, kw_only=True):
    """What a task shows."""

    item: str
    kind: Kind | None = None
    labels: tuple[str, ...]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Hold the record to its rule."""
        if len(self.labels) != len(self.names):
            msg = f"{len(self.labels)} labels have {len(self.names)} names"
            raise ValueError(msg)

    def choices(self, kind: Kind | None) -> tuple[str, ...]:
        """Return the labels that an answer can be about.

        Whether labels are present is not asked of *none of these*: that answer is a no
        to all of them.
        """
        return tuple(x for x in self.labels if kind != "contains" or x != NONE)

    def picked(
        self, given: Iterable[str] | None, kind: Kind | None
    ) -> tuple[str, ...] | None:
        """Return the labels picked, by themselves or by their names; None: skipped."""
        if given is None:
            return None
        label = dict(zip(self.names, self.labels, strict=True))
        label |= {each: each for each in self.labels}
        labels = [label.get(text, text) for text in given]
        return tuple(x for x in labels if kind != "contains" or x != NONE)

    def at(self, numbers: Iterable[int]) -> tuple[str, ...] | None:
        """Return the labels at places counted from 0; None: there is no such place."""
        places = list(numbers)
        if not all(0 <= place < len(self.labels) for place in places):
            return None
        return tuple(self.labels[place] for place in places)


def read_on_screen(record: str, place: str) -> OnScreen:
    """Read the record of a task."""
    try:
        return msgspec.json.decode(record, type=OnScreen)
    except msgspec.MsgspecError as error:
        msg = f"{place}: the record of the task is damaged ({error}); export it again"
        raise BadCellError(msg) from None


def with_offers(
    draft: Draft, shown: Iterable[OnScreen], kind: Kind | None = None
) -> Draft:
    """Return a draft that says which labels were on screen for each item."""
    kind = kind or draft.kind
    tasks = {(each.item, each.labels): each for each in shown}.values()
    pairs = [(each.item, label) for each in tasks for label in each.choices(kind)]
    name: Mapping[str, str] = {
        label: name
        for each in tasks
        for label, name in zip(each.labels, each.names, strict=True)
    }
    labels = list(dict.fromkeys(label for _, label in pairs))
    values = pa.array(labels, pa.string())
    order = [labels[place] for place in natural_order(values)]
    last = [label for label in order if label == NONE]
    labels = [label for label in order if label != NONE] + last
    frame = pd.DataFrame(pairs, columns=["item", "label"], dtype="str")
    return replace(
        draft,
        offer="listed",
        offered=frame.drop_duplicates(ignore_index=True),
        labels=pd.DataFrame(
            {"label": labels, "name": [name[label] for label in labels], "parent": None}
        ).astype("str"),
        more_items=[*draft.more_items, *(each.item for each in tasks)],
        notes=(*draft.notes, "the labels on screen are those that each task lists"),
    )
