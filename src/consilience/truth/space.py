"""What can be true of each unit, and the answers given about it, as plain arrays.

A unit is what has one truth: an item (choice, objects), or an item and a label asked
about (contains). Its truth is one of a short list of states; the list is shared by all
units or differs between them. Answers have an alphabet of their own, which need not be
that of the states. Letters: N answers, U units, J annotators, K states, L answer words,
S states listed for a unit.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from consilience.errors import TooLargeError
from consilience.truth.label_pairs import LabelPairs
from consilience.truth.named import Named

ANONYMOUS = "(anonymous)"
# 5e7 numbers are 400 MB in double precision; a fit holds a few such tables at once.
MAX_NUMBERS = 50_000_000
MAX_LISTED = 100_000_000  # places on all lists: 800 MB for each array of beliefs
UNLISTED = "unlisted"  # the column that says a label is not in the table
FAR = 5.0  # its value there: far lower log-odds than others' are to be expected


@dataclass(frozen=True, slots=True, eq=False)
class SimilarSets:
    """Similar labels of one item in sets, and those of a set shown together.

    Attributes
    ----------
    of_unit
        The set that each unit is in, perhaps alone.
    shown
        The part of the set that was shown together with it, coded over all sets.
    """

    of_unit: Int[np.ndarray, " U"]
    shown: Int[np.ndarray, " U"]


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Groups of labels that the labels asked about belong to.

    Attributes
    ----------
    code
        The group of each unit.
    names
        Of the groups.
    """

    code: Int[np.ndarray, " U"]
    names: Shaped[np.ndarray, " G"]


@dataclass(frozen=True, slots=True, eq=False)
class Covariates:
    """Numbers known before anyone was asked: of units, or of each state on their lists.

    Attributes
    ----------
    value
        As given, less the centre, over the spread; zero where nothing is known.
    names
        Of the columns.
    centre, spread
        Mean and standard deviation of what is known.
    observed
        Of which units, or states listed for them, they are known.
    """

    value: Float[np.ndarray, "U *listed P"]
    names: tuple[str, ...]
    centre: Float[np.ndarray, " P"]
    spread: Float[np.ndarray, " P"]
    observed: Bool[np.ndarray, "U *listed"]

    def with_unlisted(self, place: Bool[np.ndarray, "U S"]) -> "Covariates":
        """Return the same, and a column for what is in no table, which is far off.

        Parameters
        ----------
        place
            Where on the lists that is.
        """
        column = np.where(place, FAR, 0.0)[..., None]
        return Covariates(
            value=np.concatenate([self.value, column], axis=-1),
            names=(*self.names, UNLISTED),
            centre=np.append(self.centre, 0.0),
            spread=np.append(self.spread, 1 / FAR),
            observed=self.observed | place,
        )

    def measured_by(
        self, centre: Float[np.ndarray, " P"], spread: Float[np.ndarray, " P"]
    ) -> "Covariates":
        """Return the same numbers by the centre and the spread of another study."""
        moved = (self.value * self.spread + self.centre - centre) / spread
        value = np.where(self.observed[..., None], moved, 0.0)
        return Covariates(value, self.names, centre, spread, self.observed)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Space:
    """Truths and answers, coded.

    Attributes
    ----------
    kind
        Kind of the responses: choice, contains or objects.
    unit_item, unit_label
        Names of the item and of the label asked about (None for choice) of each unit.
    annotators, identified
        Names, and whether each is a person; all anonymous answers share one row.
    states, answers
        Names of the K states and of the L answer words.
    unit, annotator, answer, n
        The answers, in order of unit; `n` is how often each was given.
    state
        The states listed for each unit; one row where all units share a list. Lists
        shorter than the longest are padded with state 0.
    log_prior
        Log prior weight of each listed state; minus infinity for padding and for what
        gold labels exclude.
    votes
        How far each answer word is a vote for each state; rows sum to one.
    present
        Contains: weight of each state in P(label present); None for choice.
    assumptions
        Sentences that every result of this space must carry.
    parent
        Choice: name of the superclass of each label, empty where it has none; None
        where no label has one.
    similar
        Choice: how alike two labels are, as the user says; None where they do not.
    groups
        Contains: which group of labels each unit belongs to; None where labels have
        none.
    similar_sets
        Contains: similar labels of one item; None where nobody says what is similar.
    covariates
        Prior covariates of each unit (contains), or of each state listed for it
        (choice); None where nothing is.
    named
        Objects: candidates, and which of them each response names.
    """

    kind: str
    unit_item: Shaped[np.ndarray, " U"]
    unit_label: Shaped[np.ndarray, " U"] | None
    annotators: Shaped[np.ndarray, " J"]
    identified: Bool[np.ndarray, " J"]
    states: tuple[str, ...]
    answers: tuple[str, ...]
    unit: Int[np.ndarray, " N"]
    annotator: Int[np.ndarray, " N"]
    answer: Int[np.ndarray, " N"]
    n: Int[np.ndarray, " N"]
    state: Int[np.ndarray, "#U S"]
    log_prior: Float[np.ndarray, "#U S"]
    votes: Float[np.ndarray, "L K"]
    present: Float[np.ndarray, " K"] | None
    assumptions: tuple[str, ...]
    parent: Shaped[np.ndarray, " K"] | None = None
    similar: LabelPairs | None = None
    groups: Groups | None = None
    similar_sets: SimilarSets | None = None
    covariates: Covariates | None = None
    named: Named | None = None

    @property
    def num_units(self) -> int:
        """U, the number of units."""
        return len(self.unit_item)

    @property
    def num_annotators(self) -> int:
        """J, the number of annotators; the anonymous ones count as one."""
        return len(self.annotators)

    @property
    def ragged(self) -> bool:
        """Whether units have lists of their own."""
        return len(self.state) > 1 or self.state.shape[1] != len(self.states)

    @property
    def real(self) -> Bool[np.ndarray, "#U S"]:
        """Which places of the lists hold a state; the others are padding."""
        if not self.ragged:
            return np.ones(self.state.shape, bool)
        # Lists are in ascending order, so state 0 behind the first slot is padding.
        first = np.arange(self.state.shape[1]) == 0
        return np.asarray((self.state != 0) | first)


def check_size(num_annotators: int, num_states: int, num_answers: int) -> None:
    """Refuse confusion tables that would not fit in memory.

    Raises
    ------
    TooLargeError
        A table of every annotator, state and answer has over fifty million numbers.
    """
    numbers = num_annotators * num_states * num_answers
    if numbers > MAX_NUMBERS:
        msg = (
            f"{num_annotators:,} annotators x {num_states:,} labels x {num_answers:,} "
            f"answers make {numbers:,} confusion probabilities, over the "
            f"{MAX_NUMBERS:,} that fit in memory; take the model `structured` with "
            "candidates for each item, merge rare labels, or drop the annotator column "
            "to pool annotators"
        )
        raise TooLargeError(msg)


def check_lists(num_units: int, num_listed: int) -> None:
    """Refuse lists of states that would not fit in memory.

    Raises
    ------
    TooLargeError
        The lists of all units, padded to the longest, have over a hundred million
        places.
    """
    if num_units * num_listed > MAX_LISTED:
        msg = (
            f"{num_units:,} items with up to {num_listed:,} labels each make "
            f"{num_units * num_listed:,} probabilities, over the {MAX_LISTED:,} that "
            "fit in memory; list few candidates for every item (`candidates=`; an item "
            "without any may be every label) and take the model `structured`"
        )
        raise TooLargeError(msg)
