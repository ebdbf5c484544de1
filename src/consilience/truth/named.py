"""What responses of kind objects name: candidates, sets of them, and the main label."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int, Shaped

from consilience.errors import KindError, OptionError
from consilience.responses.table import Responses

MAX_LABELS = 10  # candidates of one item: 115,975 partitions into objects
NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class LabelPairs:
    """Something known of some pairs of labels, whichever of the two comes first."""

    first: Int[np.ndarray, " P"]
    second: Int[np.ndarray, " P"]
    value: Float[np.ndarray, " P"]

    def place(
        self, one: Int[np.ndarray, "*n"], other: Int[np.ndarray, "*n"]
    ) -> Int[np.ndarray, "*n"]:
        """Return which of the pairs each two labels are; their number for none."""
        low = np.minimum(one, other).astype(np.int64)
        high = np.maximum(one, other).astype(np.int64)
        width = max(int(high.max(initial=0)), int(self.second.max(initial=0))) + 1
        codes = self.first.astype(np.int64) * width + self.second
        sought = np.where(low >= 0, low * width + high, -1)
        at = np.searchsorted(codes, sought)
        listed = (np.append(codes, -1)[at] == sought) & (low >= 0) & (low != high)
        return np.where(listed, at, len(codes))

    def at(
        self, one: Int[np.ndarray, "*n"], other: Int[np.ndarray, "*n"]
    ) -> Float[np.ndarray, "*n"]:
        """Return what is known of each two labels."""
        return np.append(self.value, 0.0)[self.place(one, other)]


def no_pairs() -> LabelPairs:
    """Return that nothing is known of any pair of labels."""
    none = np.zeros(0, np.int32)
    return LabelPairs(none, none, np.zeros(0))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Named:
    """Candidates of each unit, and which of them each response names."""

    labels: Shaped[np.ndarray, " L"]
    parents: Shaped[np.ndarray, " L"]
    candidate: Int[np.ndarray, "U C"]
    dataset_label: Int[np.ndarray, " U"]
    mask: Int[np.ndarray, " N"]
    main: Int[np.ndarray, " N"]
    covariates: Float[np.ndarray, "U C X"]
    covariate_names: tuple[str, ...] = ()
    none: Int[np.ndarray, " U"]
    observed: Bool[np.ndarray, " U"]
    contains_counts: Int[np.ndarray, "U C 3"] | None = None
    similar: LabelPairs = field(default_factory=no_pairs)
    padded: bool = False

    @property
    def size(self) -> Int[np.ndarray, " U"]:
        """Number of candidates of each unit."""
        return (self.candidate >= 0).sum(1)

    @property
    def is_dataset_label(self) -> Bool[np.ndarray, "U C"]:
        """Whether each candidate is the data set's own label."""
        return (self.candidate == self.dataset_label[:, None]) & (self.candidate >= 0)

    @property
    def dataset_label_slot(self) -> Int[np.ndarray, " U"]:
        """Place of the data set's own label among the candidates; -1: it has none."""
        hit = self.is_dataset_label
        return np.where(hit.any(1), hit.argmax(1), NOBODY)

    def of_units(self, units: Int[np.ndarray, " B"]) -> "Named":
        """Return the candidates of some units; responses stay as they are."""
        counts = self.contains_counts
        return replace(
            self,
            candidate=self.candidate[units],
            dataset_label=self.dataset_label[units],
            covariates=self.covariates[units],
            none=self.none[units],
            observed=self.observed[units],
            contains_counts=None if counts is None else counts[units],
        )

    def of_answers(self, kept: Bool[np.ndarray, " N"]) -> "Named":
        """Return the same candidates with some of the responses."""
        return replace(self, mask=self.mask[kept], main=self.main[kept])


def label_groups(
    names: pd.Index, labels: pd.DataFrame | Mapping[str, str] | None, level: int
) -> tuple[Int[np.ndarray, " K"], pd.Index]:
    """Return the group of each label, some steps up a hierarchy."""
    if level < 0 or (level and labels is None):
        raise OptionError(
            f"level {level}: give 0, or labels with the column parent to go up"
        )
    parent: dict[str, str] = {}
    if isinstance(labels, pd.DataFrame):
        table = labels[["label", "parent"]].dropna().astype("str")
        parent = dict(zip(table["label"], table["parent"], strict=True))
    elif labels is not None:
        parent = {str(label): str(above) for label, above in labels.items()}
    parent = {label: above for label, above in parent.items() if above}
    if level and not parent:
        raise OptionError(
            f"level {level}: no label has a parent; give labels with the column parent"
        )
    ancestors = [str(name) for name in names]
    for _ in range(level):
        ancestors = [parent.get(name, name) for name in ancestors]
    code, groups = pd.factorize(pd.Index(ancestors))
    return code.astype(np.int64), pd.Index(groups)


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
        raise KindError(
            f"named sets are of kind objects; these responses are of kind {kinds}"
        )
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
