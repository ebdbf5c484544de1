"""What responses of kind objects name: candidates of an item, and sets of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int, Shaped

from consilience.errors import OptionError

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
        values: Float[np.ndarray, "*n"] = np.append(self.value, 0.0)[
            self.place(one, other)
        ]
        return values


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
    def dataset_label_slot(self) -> Int[np.ndarray, " U"]:
        """Place of the data set's own label among the candidates; -1: it has none."""
        hit = (self.candidate == self.dataset_label[:, None]) & (
            self.dataset_label >= 0
        )[:, None]
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
        msg = f"level {level}: give 0, or labels with the column parent to go up"
        raise OptionError(msg)
    parent: dict[str, str] = {}
    if isinstance(labels, pd.DataFrame):
        table = labels[["label", "parent"]].dropna().astype("str")
        parent = dict(zip(table["label"], table["parent"], strict=True))
    elif labels is not None:
        parent = {str(label): str(above) for label, above in labels.items()}
    parent = {label: above for label, above in parent.items() if above}
    if level and not parent:
        msg = (
            f"level {level}: no label has a parent; give labels with the column parent"
        )
        raise OptionError(msg)
    ancestors = [str(name) for name in names]
    for _ in range(level):
        ancestors = [parent.get(name, name) for name in ancestors]
    code, groups = pd.factorize(pd.Index(ancestors))
    return code.astype(np.int64), pd.Index(groups)
