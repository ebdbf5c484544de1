"""What each response of kind objects names: its labels in order, and the main one."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Int

from consilience.errors import KindError
from consilience.responses.table import Responses


@dataclass(frozen=True, slots=True, eq=False)
class NamedSets:
    """Responses of kind objects, coded; R responses name N labels.

    Skipped ones are left out. Responses stand in the order of their first rows.
    """

    item: Int[np.ndarray, " R"]
    annotator: Int[np.ndarray, " R"]  # -1: anonymous
    main: Int[np.ndarray, " R"]  # label named as the main one; -1: none is
    n: Int[np.ndarray, " R"]  # how often the response was given
    label: Int[np.ndarray, " N"]  # response by response, in the order of the rows
    start: Int[np.ndarray, " R+1"]  # where each response begins in `label`

    @property
    def size(self) -> Int[np.ndarray, " R"]:
        """How many labels each response names."""
        return np.diff(self.start)

    @property
    def response(self) -> Int[np.ndarray, " N"]:
        """The response that each label belongs to."""
        return np.repeat(np.arange(len(self.item)), self.size)

    def labels_of(self, response: int) -> tuple[int, ...]:
        """Return the labels that a response names, in their order."""
        return tuple(
            self.label[self.start[response] : self.start[response + 1]].tolist()
        )

    def by_item(self, num_items: int) -> list[Int[np.ndarray, " *"]]:
        """Return the responses about each item, in the order in which they came."""
        order = np.argsort(self.item, kind="stable")
        ends = np.cumsum(np.bincount(self.item, minlength=num_items))
        return np.split(order, ends[:-1])


def named_sets(responses: Responses) -> NamedSets:
    """Code the responses by what they name.

    A response is the rows of one `response_id`, or else those of one item and
    annotator. A label that a response names twice counts once.
    """
    if responses.kinds != ("objects",):
        kinds = ", ".join(responses.kinds) or "none"
        msg = f"named sets are of kind objects; these responses are of kind {kinds}"
        raise KindError(msg)
    table = responses.table[responses.table["label"].notna()]
    item, annotator, label = (
        table[name].cat.codes.to_numpy().astype(np.int64)
        for name in ("item", "annotator", "label")
    )
    given = table["response_id"].cat.codes.to_numpy().astype(np.int64)
    alone = given.max(initial=-1) + 1 + item * (annotator.max(initial=-1) + 2)
    key = np.where(given >= 0, given, alone + annotator + 1)
    response = pd.factorize(key)[0]
    order = np.argsort(response, kind="stable")
    twice = pd.DataFrame({"r": response[order], "l": label[order]}).duplicated()
    rows = order[~twice.to_numpy()]
    first = np.unique(response[rows], return_index=True)[1]
    main = np.full(len(first), -1)
    marked = table["main"].fillna(value=False).to_numpy(dtype=bool)
    main[response[marked]] = label[marked]
    return NamedSets(
        item=item[rows][first],
        annotator=annotator[rows][first],
        main=main,
        n=table["n"].to_numpy()[rows][first],
        label=label[rows],
        start=np.append(first, len(rows)),
    )
