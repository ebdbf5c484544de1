"""What can be true of each unit, and the answers given about it, as plain arrays.

A unit is what has one truth: an item (choice, objects), or an item and a label asked
about (contains). Its truth is one of a short list of states; the list is shared by all
units or differs between them. Answers have an alphabet of their own, which need not be
that of the states. Letters: N answers, U units, J annotators, K states, L answer words,
S states listed for a unit.

**Prior covariates: columns of the table of candidates, checked and standardized.** They
are standardized, so that one prior suits the weights of all; where nothing is known
they are zero, as of an average candidate.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int, Shaped

from consilience.errors import DataError, FitError
from consilience.truth.named import LabelPairs, Named

ANONYMOUS = "(anonymous)"
# 5e7 numbers are 400 MB in double precision; a fit holds a few such tables at once.
MAX_NUMBERS = 50_000_000
MAX_LISTED = 100_000_000  # places on all lists: 800 MB for each array of beliefs
UNLISTED = "unlisted"  # the column that says a label is not in the table
FAR = 5.0  # its value there: far lower log-odds than others' are to be expected


@dataclass(frozen=True, slots=True, eq=False)
class SimilarSets:
    """Similar labels of one item in sets, and those of a set shown together."""

    of_unit: Int[np.ndarray, " U"]
    shown: Int[np.ndarray, " U"]

    @property
    def linked(self) -> bool:
        """Whether any two units are in one set."""
        return len(np.unique(self.of_unit)) < len(self.of_unit)

    def of_units(self, units: Int[np.ndarray, " B"]) -> "SimilarSets":
        """Return the sets of some units."""
        return SimilarSets(self.of_unit[units], self.shown[units])


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Groups that annotators, or the labels of units, belong to."""

    code: Int[np.ndarray, " X"]
    names: Shaped[np.ndarray, " G"]

    def of_units(self, units: Int[np.ndarray, " B"]) -> "Groups":
        """Return the groups of some units."""
        return Groups(self.code[units], self.names)

    @property
    def number(self) -> int:
        """G; one where there are no groups."""
        return max(len(self.names), 1)


def no_groups(size: int) -> Groups:
    """Return the one group, without a name, of so many annotators or units."""
    return Groups(np.zeros(size, np.int32), np.zeros(0, object))


class PriorCovariates(NamedTuple):
    """What is known of candidates before anyone is asked, in NumPy or JAX.

    `real` says which places of a list hold a candidate, `unlisted` are the covariates
    of labels that are on no list, and `open` says for which units they count.
    """

    value: Float[Any, "U S P"]
    real: Bool[Any, "U S"]
    unlisted: Float[Any, " P"]
    open: Bool[Any, " U"]


@dataclass(frozen=True, slots=True, eq=False)
class Asides:
    """Labels that responses name besides the one that is their answer."""

    unit: Int[np.ndarray, " A"]
    label: Int[np.ndarray, " A"]
    n: Int[np.ndarray, " A"]

    def of_units(self, units: Int[np.ndarray, " B"], num_units: int) -> "Asides":
        """Return those of some units, which are numbered anew."""
        place = np.full(num_units, -1, np.int64)
        place[units] = np.arange(len(units))
        kept = place[self.unit] >= 0
        return Asides(place[self.unit[kept]], self.label[kept], self.n[kept])


def no_asides() -> Asides:
    """Return that no response names more than one label."""
    nothing = np.zeros(0, np.int64)
    return Asides(nothing, nothing, nothing)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Space:
    """Truths and answers, coded: what responses of every kind have."""

    kind: ClassVar[str]
    unit_item: Shaped[np.ndarray, " U"]
    annotators: Shaped[np.ndarray, " J"]
    identified: Bool[np.ndarray, " J"]
    annotator_groups: Groups
    states: tuple[str, ...]
    answers: tuple[str, ...]
    unit: Int[np.ndarray, " N"]
    annotator: Int[np.ndarray, " N"]
    answer: Int[np.ndarray, " N"]
    n: Int[np.ndarray, " N"]
    state: Int[np.ndarray, "#U S"]
    log_prior: Float[np.ndarray, "#U S"]
    votes: Float[np.ndarray, "L K"]
    assumptions: tuple[str, ...]

    @property
    def num_units(self) -> int:
        """U, the number of units."""
        return len(self.unit_item)

    @property
    def num_annotators(self) -> int:
        """J, the number of annotators; the anonymous ones count as one."""
        return len(self.annotators)

    @property
    def num_states(self) -> int:
        """K, the number of states."""
        return len(self.states)

    @property
    def num_answers(self) -> int:
        """L, the number of answer words."""
        return len(self.answers)

    @property
    def group(self) -> Int[np.ndarray, " J"]:
        """The group of each annotator."""
        return self.annotator_groups.code

    @property
    def num_groups(self) -> int:
        """G, the number of groups of annotators."""
        return self.annotator_groups.number

    @property
    def ragged(self) -> bool:
        """Whether units have lists of their own."""
        return len(self.state) > 1 or self.state.shape[1] != len(self.states)

    @property
    def prevalent(self) -> Float[np.ndarray, "#U 1"]:
        """One for units whose truth is drawn with the prevalence, zero for others."""
        everyone = self.in_population if isinstance(self, ChoiceSpace) else np.ones(1)
        return everyone[:, None].astype(float)

    @property
    def real(self) -> Bool[np.ndarray, "#U S"]:
        """Which places of the lists hold a state; the others are padding."""
        return real_places(self.state)


def rows_of_units(
    rows: Shaped[np.ndarray, "#U *rest"], units: Int[np.ndarray, " B"] | slice
) -> Shaped[np.ndarray, "#B *rest"]:
    """Return the rows of some units; one row is that of all of them."""
    return rows[units] if len(rows) > 1 else rows


def real_places(state: Int[np.ndarray, "#U S"]) -> Bool[np.ndarray, "#U S"]:
    """Return which places of lists hold a state, and are no padding."""
    # Lists are in ascending order, so state 0 behind the first place is padding.
    return np.asarray((state != 0) | (np.arange(state.shape[1]) == 0))


@dataclass(frozen=True, slots=True, eq=False)
class Covariates:
    """Numbers known before anyone was asked: of units, or of their listed states."""

    value: Float[np.ndarray, "U *listed P"]
    names: tuple[str, ...]
    centre: Float[np.ndarray, " P"]
    spread: Float[np.ndarray, " P"]
    observed: Bool[np.ndarray, "U *listed"]

    def with_unlisted(self, place: Bool[np.ndarray, "U S"]) -> "Covariates":
        """Return the same, and a column for what is in no table, which is far off."""
        column = np.where(place, FAR, 0.0)[..., None]
        return Covariates(
            value=np.concatenate([self.value, column], axis=-1),
            names=(*self.names, UNLISTED),
            centre=np.append(self.centre, 0.0),
            spread=np.append(self.spread, 1 / FAR),
            observed=self.observed | place,
        )

    def of_units(self, units: Int[np.ndarray, " B"]) -> "Covariates":
        """Return the covariates of some units."""
        return replace(self, value=self.value[units], observed=self.observed[units])

    def measured_by(
        self, centre: Float[np.ndarray, " P"], spread: Float[np.ndarray, " P"]
    ) -> "Covariates":
        """Return the same numbers by the centre and the spread of another study."""
        moved = (self.value * self.spread + self.centre - centre) / spread
        value = np.where(self.observed[..., None], moved, 0.0)
        return Covariates(value, self.names, centre, spread, self.observed)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ChoiceSpace(Space):
    """Choice: the truth of an item is one of the labels listed for it."""

    kind: ClassVar[str] = "choice"
    parent: Shaped[np.ndarray, " K"]
    similar: LabelPairs
    covariates: Covariates
    asides: Asides = field(default_factory=no_asides)
    in_population: Bool[np.ndarray, "#U"] = field(
        default_factory=lambda: np.ones(1, bool)
    )


def prior_covariates(
    space: Space, units: Int[np.ndarray, " B"] | slice = slice(None)
) -> PriorCovariates:
    """Return what is known of the candidates of some units."""
    if not isinstance(space, ChoiceSpace) or not space.covariates.names:
        none = np.zeros((0, 0), bool)
        return PriorCovariates(
            np.zeros((0, 0, 0)), none, np.zeros(0), none[:, :0].all(1)
        )
    covariates, real = space.covariates, space.real[units]
    unlisted = np.array([FAR if name == UNLISTED else 0.0 for name in covariates.names])
    some = (real.sum(1) < len(space.states)) & (unlisted > 0).any()
    return PriorCovariates(covariates.value[units], real, unlisted, some)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ContainsSpace(Space):
    """Contains: a label asked about is present in its item, absent, or unclear."""

    kind: ClassVar[str] = "contains"
    unit_label: Shaped[np.ndarray, " U"]
    present: Float[np.ndarray, " K"]
    groups: Groups
    similar_sets: SimilarSets
    covariates: Covariates


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ObjectsSpace(Space):
    """Objects: the truth of an item is a partition of its candidates into objects."""

    kind: ClassVar[str] = "objects"
    named: Named


def check_size(num_annotators: int, num_states: int, num_answers: int) -> None:
    """Refuse confusion tables that would not fit in memory."""
    numbers = num_annotators * num_states * num_answers
    if numbers > MAX_NUMBERS:
        raise FitError(
            f"{num_annotators:,} annotators x {num_states:,} labels x {num_answers:,} "
            f"answers make {numbers:,} confusion probabilities, over the "
            f"{MAX_NUMBERS:,} that fit in memory; take the model `structured` with "
            "candidates for each item, merge rare labels, or drop the annotator column "
            "to pool annotators"
        )


def check_lists(num_units: int, num_listed: int) -> None:
    """Refuse lists of states that would not fit in memory."""
    if num_units * num_listed > MAX_LISTED:
        raise FitError(
            f"{num_units:,} items with up to {num_listed:,} labels each make "
            f"{num_units * num_listed:,} probabilities, over the {MAX_LISTED:,} that "
            "fit in memory; list few candidates for every item (`candidates=`; an item "
            "without any may be every label) and take the model `structured`"
        )


def no_covariates(*shape: int) -> Covariates:
    """Return covariates without any column."""
    nothing = np.zeros(0)
    return Covariates(
        np.zeros((*shape, 0)), (), nothing, nothing, np.zeros(shape, bool)
    )


def numbers(table: pd.DataFrame, names: Sequence[str]) -> Float[np.ndarray, "rows P"]:
    """Return columns of a table as numbers."""
    pairs = table[["item", "label"]].astype(str)
    twice = pairs.duplicated()
    if twice.any():
        item, label = pairs[twice].iloc[0]
        raise DataError(
            f"candidates name item {item!r} and label {label!r} twice; name it once"
        )
    values: Float[np.ndarray, "rows P"] = (
        table[list(names)].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    )
    wrong = ~np.isfinite(values)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise DataError(
            f"candidates, column {names[column]!r}, row {row + 1}: found "
            f"{table[names[column]].iloc[row]!r}, expected a finite number; fix it or "
            "leave the column out"
        )
    return values


def check_any(here: Bool[np.ndarray, " _"]) -> None:
    """Refuse numbers none of which is about what was asked."""
    if not here.any():
        raise DataError(
            "candidates name none of the items and labels that were asked about; "
            "check that both name them alike"
        )


def standardise(
    names: Sequence[str],
    values: Float[np.ndarray, "N P"],
    observed: Bool[np.ndarray, "U *listed"],
) -> Covariates:
    """Return the numbers by their deviation from the mean."""
    centre, deviation = values.mean(0), values.std(0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    value = np.zeros((*observed.shape, len(names)))
    value[observed] = (values - centre) / deviation
    return Covariates(value, tuple(map(str, names)), centre, deviation, observed)
