"""The columns of the logit that gold teaches: what is known of each state of a unit.

The formula, and how its weights are learned, are in `gold`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped
from scipy.sparse import csr_array

from consilience.intervals import log_odds
from consilience.posterior.stored import label_values
from consilience.posterior.truth import Truth
from consilience.ragged import places_within
from consilience.truth import ContainsSpace, Space, tally
from consilience.when_used import special

LEAST = 1e-4  # of a probability of the fit, so that gold can contradict it
MOST_ITEMS = 1500  # constants of families of items by state
BLOCK = 50_000  # units that are worked on at once
ORDER = "order"  # the slope along the mean answer
OTHERS = "others"  # the slope along what is believed of the item's other labels
MODEL = "model"  # what a model by itself believes, over what the mixture does
_ENDING, _SUFFIX = re.compile(r"[\W_]*\w*$"), re.compile(r"\.\w{1,5}$")


class Gold(NamedTuple):
    """Units with gold, and how likely gold is by each of their listed states."""

    unit: Int[np.ndarray, " G"]
    likelihood: Float[np.ndarray, "G S"]


def gold_of(space: Space, fixed: Space) -> Gold:
    """Return what gold says: how a space with its gold differs from one without."""
    shape = (space.num_units, space.state.shape[1])
    before, after = (np.broadcast_to(each.log_prior, shape) for each in (space, fixed))
    unit = np.flatnonzero((before != after).any(1))
    with np.errstate(invalid="ignore"):
        log = np.where(after[unit] > -np.inf, after[unit] - before[unit], -np.inf)
    return Gold(unit, np.exp(log - log.max(1, keepdims=True)))


class Start(NamedTuple):
    """What a fit without gold believes, and what each model does that it mixes."""

    truth: Truth
    models: Mapping[str, Float[np.ndarray, "U S"]] = {}


# Rows and columns of a matrix, and its numbers there.
type Cells = tuple[np.ndarray, np.ndarray, np.ndarray]


def blocks(number: int) -> Iterator[Int[np.ndarray, " B"]]:
    """Give the places of units, some at once."""
    for start in range(0, number, BLOCK):
        yield np.arange(start, min(start + BLOCK, number))


class Design:
    """The columns of the logit, a row for each listed state of each unit."""

    def __init__(self, space: Space, start: Start, columns: list[str]) -> None:
        self.space, self.before = space, start
        self.columns = pd.Index(columns)
        self.votes = tally(space)
        self.state = np.broadcast_to(space.state, self.votes.shape)
        self.possible = np.broadcast_to(space.log_prior > -np.inf, self.votes.shape)
        self.first = np.searchsorted(space.unit, np.arange(space.num_units + 1))
        names = names_of_annotators(space)
        levels = max(map(len, names), default=0)
        padded = [[*each, *[""] * (levels - len(each))] for each in names]
        places = self._places(name for each in padded for name in each)
        self.of_annotator = places.reshape(len(names), levels)
        self.of_family = self._families()
        self.value = label_values(np.array(space.states, object))
        self.value = (self.value - self.value.mean()) / max(self.value.std(), 1e-9)
        if isinstance(space, ContainsSpace):
            self.others = _of_others(space, start.truth)
            label, labels = pd.factorize(space.unit_label)
            self.of_label = self._places(f"label:{name}" for name in labels)[label]

    def _places(self, names: Iterable[str]) -> Int[np.ndarray, " _"]:
        """Return where columns stand, -1 for those without a weight."""
        return self.columns.get_indexer(pd.Index(list(names)))

    def _families(self) -> tuple[Int[np.ndarray, " U"], Int[np.ndarray, "F K"]] | None:
        """Return the family of each unit, and its columns by state; None for none."""
        names = [name for name in self.columns if name.startswith("items:")]
        if not names:
            return None
        stem = stems_of_items(self.space)
        kinds = pd.Index(sorted({name.split(":", 2)[2] for name in names}))
        states = np.tile(np.arange(len(self.space.states)), len(kinds))
        each = np.repeat(kinds.to_numpy(object), len(self.space.states))
        columns = self._places(_of_families(each, states)).reshape(len(kinds), -1)
        none = np.full((1, columns.shape[1]), -1, columns.dtype)
        return kinds.get_indexer(pd.Index(stem)), np.concatenate([columns, none])

    def rows(self, units: Int[np.ndarray, " B"]) -> csr_array:
        """Return the columns of some units."""
        cells = [*self._of_states(units), self._of_answers(units)]
        row, column, value = map(np.concatenate, zip(*cells, strict=True))
        kept = column >= 0
        shape = (self.state[units].size, len(self.columns))
        return csr_array((value[kept], (row[kept], column[kept])), shape=shape)

    def _of_states(self, units: Int[np.ndarray, " B"]) -> Iterator[Cells]:
        """Give what is known of each state whoever answered."""
        space, state = self.space, self.state[units]
        votes = self.votes[units] + 1 / len(space.answers)
        believed = _log(self.before.truth.probability[units])
        values = {"fit": believed, "votes": np.log(votes / votes.sum(1, keepdims=True))}
        for name, share in self.before.models.items():
            values[f"{MODEL}:{name}"] = _log(share[units]) - believed
        if ORDER in self.columns:
            mean = (votes * self.value[state]).sum(1) / votes.sum(1)
            values[ORDER] = self.value[state] * mean[:, None]
        row = np.arange(state.size)
        for name, value in values.items():
            column = self.columns.get_loc(name)
            yield row, np.full(state.size, column), value.ravel()
        of_state = self._places(f"state:{name}" for name in space.states)
        yield row, of_state[state.ravel()], np.ones(state.size)
        if self.of_family is not None:
            family, columns = self.of_family
            column = columns[family[units][:, None], state]
            yield row, column.ravel(), np.ones(state.size)
        if isinstance(space, ContainsSpace):
            column = np.repeat(self.of_label[units], state.shape[1])
            yield row, column, space.present[state.ravel()]
            if OTHERS in self.columns:
                value = self.others[units][:, None] * space.present[state]
                column = np.full(state.size, self.columns.get_loc(OTHERS))
                yield row, column, value.ravel()

    def _of_answers(self, units: Int[np.ndarray, " B"]) -> Cells:
        """Return how far each annotator, and its group and family, is for a state."""
        space = self.space
        first, length = self.first[units], self.first[units + 1] - self.first[units]
        unit = np.repeat(np.arange(len(units)), length)
        answer = first[unit] + places_within(length)
        vote = space.votes[space.answer[answer][:, None], self.state[units][unit]]
        vote = vote * space.n[answer][:, None]
        place, slot = np.nonzero(vote)
        columns = self.of_annotator[space.annotator[answer][place]]
        row = unit[place] * self.state.shape[1] + slot
        levels = columns.shape[1]
        value = np.repeat(vote[place, slot], levels)
        return np.repeat(row, levels), columns.ravel(), value

    def share(
        self,
        rows: csr_array,
        weight: Float[np.ndarray, " P"],
        units: Int[np.ndarray, " B"],
    ) -> Float[np.ndarray, "B S"]:
        """Return P(state) of units by some weights."""
        scores = (rows @ weight).reshape(self.state[units].shape)
        return special.softmax(np.where(self.possible[units], scores, -np.inf), axis=1)


def _log(share: Float[np.ndarray, "B S"]) -> Float[np.ndarray, "B S"]:
    return np.log(np.maximum(share, LEAST))


def stems(
    names: Iterable[object], suffix: re.Pattern[str] | None = None
) -> Shaped[np.ndarray, " N"]:
    """Return names without their last word or number; empty where nothing is left."""
    texts = [str(name) for name in names]
    texts = texts if suffix is None else [suffix.sub("", text) for text in texts]
    return np.array([_ENDING.sub("", text) for text in texts], object)


def families(stem: Shaped[np.ndarray, " N"]) -> set[str]:
    """Return what several names have in common, but not all."""
    kinds, number = np.unique(stem.astype(str), return_counts=True)
    return {*kinds[number > 1].tolist()} - {""} if len(kinds) > 1 else set()


def stems_of_items(space: Space) -> Shaped[np.ndarray, " U"]:
    """Return the stem of the name of the item of each unit."""
    code, items = pd.factorize(space.unit_item)
    return stems(items, _SUFFIX)[code]


def _of_families(
    stem: Shaped[np.ndarray, " N"], state: Int[np.ndarray, " N"]
) -> list[str]:
    """Return the names of the constants of families of items, by state."""
    return [f"items:{code}:{name}" for name, code in zip(stem, state, strict=True)]


def _of_others(space: ContainsSpace, truth: Truth) -> Float[np.ndarray, " U"]:
    """Return the log-odds of the most probable other label of the item; 0 for none."""
    item, _ = pd.factorize(space.unit_item)
    present = np.broadcast_to(space.present[space.state], truth.probability.shape)
    chance = np.clip((truth.probability * present).sum(1), LEAST, 1 - LEAST)
    order = np.lexsort((chance, item))
    last = np.flatnonzero(np.diff(item[order], append=-1))  # the most probable
    first = np.append(0, last[:-1] + 1)
    most, second = chance[order[last]], chance[order[np.maximum(last - 1, first)]]
    other = most[item]
    other[order[last]] = second
    alone = np.bincount(item)[item] == 1
    return np.where(alone, 0.0, log_odds(other))


def names_of_annotators(space: Space) -> list[list[str]]:
    """Return the names of the weights of each annotator; of the nameless, none."""
    names = [str(name) for name in space.annotators]
    weights = [[f"annotator:{name}"] for name in names]
    for each, stem in zip(weights, stems(names), strict=True):
        each.append(f"family:{stem}")
    groups = space.annotator_groups
    if len(groups.names):
        for each, code in zip(weights, groups.code, strict=True):
            each.append(f"group:{groups.names[code]}")
    return [
        each * int(named) for each, named in zip(weights, space.identified, strict=True)
    ]


def weights_of_annotators(space: Space, some: Iterable[int]) -> list[str]:
    """Return the names of the weights of some annotators, families with others only."""
    names = names_of_annotators(space)
    kept = {f"family:{stem}" for stem in families(stems(space.annotators))}
    every = dict.fromkeys(name for at in some for name in names[at])
    return [name for name in every if name in kept or not name.startswith("family:")]


def names_of_columns(
    space: Space, gold: Gold, models: Iterable[str] = (), *, ordered: bool = False
) -> list[str]:
    """Return what has a weight: whatever units with gold tell anything of."""
    has_gold = np.isin(space.unit, gold.unit)
    some = np.unique(space.annotator[has_gold]).tolist()
    whose = weights_of_annotators(space, some)
    labels: list[str] = []
    if isinstance(space, ContainsSpace):
        labels = [f"label:{name}" for name in np.unique(space.unit_label[gold.unit])]
        labels.append(OTHERS)
    states = [f"state:{name}" for name in space.states]
    slopes = [ORDER] * (ordered and len(states) > 2)
    stem, states_of = stems_of_items(space)[gold.unit], range(len(states))
    shared = families(stems(pd.unique(space.unit_item), _SUFFIX)) & {*stem}
    items = [f"items:{code}:{name}" for name in sorted(shared) for code in states_of]
    if len(items) > MOST_ITEMS:  # then of states alone that gold has there
        shape = (space.num_units, space.state.shape[1])
        at, slot = np.nonzero(gold.likelihood == 1)
        state = np.broadcast_to(space.state, shape)[gold.unit[at], slot]
        there = {*_of_families(stem[at], state)}
        items = [each for each in items if each in there]
    of_models = [f"{MODEL}:{name}" for name in models]
    return ["fit", "votes", *of_models, *states, *labels, *slopes, *items, *whose]
