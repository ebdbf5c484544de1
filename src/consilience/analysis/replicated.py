"""Answers drawn again from the posterior, by the same annotators about as many items.

Each replicate takes one draw of the parameters and draws every answer from its table,
in two ways (Gelman, Meng and Stern 1996):

- about the **same items**: the truth of an item, and what else the model knows of it
  (its subtype, its ease), is drawn from its posterior given its answers;
- about **new items**: it is drawn from its prior, as if another item had been shown.

A statistic of annotators, who are the same in both, is compared with answers about the
same items, so that chance in the items is no part of the comparison. A statistic of
items is compared with those about new items: the posterior of an item has seen its
answers and would reproduce them, whatever the population of items is like.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from consilience.errors import OptionError
from consilience.model import HostModel, Model, logarithms, thin
from consilience.posterior import Fit
from consilience.posterior.spaces import restored_space
from consilience.posterior.stored import restored_draws, restored_model
from consilience.posterior.tree import with_groups
from consilience.truth import Space, merge_identical

MAX_DRAWN = 2**26  # answers over all replicates: 256 MiB


class Replicate(NamedTuple):
    """Answers drawn again, in the order of those observed."""

    truth: Int[np.ndarray, " U"]
    same: Int[np.ndarray, " N"]
    new: Int[np.ndarray, " N"]


@dataclass(frozen=True, slots=True, eq=False)
class Replication:
    """Where replicates are drawn from."""

    model: Model[Any]
    space: Space
    values: dict[str, np.ndarray]

    def draw(self, number: int, generator: np.random.Generator) -> Iterator[Replicate]:
        """Give replicates, by draws of the parameters that are evenly spaced."""
        space = self.space
        none = np.zeros(0, np.int64)
        unanswered = replace(space, unit=none, annotator=none, answer=none, n=none)
        same, new = (_Units(self.model, each) for each in (space, unanswered))
        draws = list(thin(self.values, number))
        times = np.diff(np.linspace(0, number, len(draws) + 1).round().astype(int))
        for values, repeats in zip(draws, times, strict=True):
            logs = logarithms(values, same.tables.closed)
            given, before = same.cumulated(logs), new.cumulated(logs)
            table = np.exp(same.tables.answers(logs).log_table)
            cumulated = _cumulated(table.reshape(-1, table.shape[-1]))
            answers = partial(self._answers, cumulated.reshape(table.shape))
            for _ in range(repeats):
                truth, subtype = same.draw(given, generator)
                yield Replicate(
                    truth,
                    answers(truth, subtype, generator),
                    answers(*new.draw(before, generator), generator),
                )

    def _answers(
        self,
        cumulated: Float[np.ndarray, "J K S L"],
        truth: Int[np.ndarray, " U"],
        subtype: Int[np.ndarray, " U"],
        generator: np.random.Generator,
    ) -> Int[np.ndarray, " N"]:
        """Draw every answer, given the state and the subtype of the units."""
        space, (*rows, answers) = self.space, cumulated.shape
        who = space.annotator * (rows[0] > 1)
        cell = who, truth[space.unit], subtype[space.unit]
        row = np.ravel_multi_index(cell, rows)
        return _draw(cumulated.reshape(-1, answers), row, generator)


def replication(data: xr.DataTree) -> Replication:
    """Return where replicates of the answers of a fit are drawn from."""
    attributes = data.attrs
    if attributes["kind"] == "objects":
        raise OptionError(
            "the fit is of kind objects; predictive checks are of choice and contains"
        )
    name = attributes["model"]
    model = restored_model(data)
    values, space = restored_draws(data), restored_space(data)
    # The similarity of labels is not kept, so their tables cannot be restored.
    if not model.by_tables or "similarity" in values:
        raise OptionError(
            f"the model {name} has no tables to draw answers from; fit one that has, "
            "such as hierarchical_dawid_skene"
        )
    if not {*HostModel(model, space).closed} <= values.keys():
        raise OptionError(
            f"the fit of {name} does not hold the draws of all its tables"
        )
    return Replication(model, _one_by_one(space), values)


class _Units:
    """The units of a space, those that look alike at once."""

    def __init__(self, model: Model[Any], space: Space) -> None:
        merged = merge_identical(space)
        self.tables = HostModel(model, merged.space)
        self._place = merged.place
        self._listed = np.broadcast_to(
            space.state, (space.num_units, space.state.shape[1])
        )

    def cumulated(self, logs: dict[str, np.ndarray]) -> Float[np.ndarray, "P M"]:
        """Return P(state and subtype of a unit or one before), by pattern."""
        return _cumulated(self.tables.posterior(logs)[1])

    def draw(
        self, cumulated: Float[np.ndarray, "P M"], generator: np.random.Generator
    ) -> tuple[Int[np.ndarray, " U"], Int[np.ndarray, " U"]]:
        """Return the state and the subtype of each unit, drawn."""
        column = _draw(cumulated, self._place, generator)
        slots = self._listed.shape[1]
        slot, subtype = np.divmod(column, cumulated.shape[1] // slots)
        return self._listed[np.arange(len(slot)), slot], subtype


def _one_by_one(space: Space) -> Space:
    """Return a space with a row for each answer."""
    rows = np.repeat(np.arange(len(space.n)), space.n)
    columns = (space.unit, space.annotator, space.answer, np.ones_like(space.n))
    unit, annotator, answer, n = (column[rows] for column in columns)
    return replace(space, unit=unit, annotator=annotator, answer=answer, n=n)


def _cumulated(table: Float[np.ndarray, "R L"]) -> Float[np.ndarray, "R L"]:
    """Return each row's sums up to each column, plus its number: all ascend."""
    sums = table.cumsum(1)
    sums /= sums[:, -1:]
    sums += np.arange(len(sums))[:, None]
    return sums


def _draw(
    cumulated: Float[np.ndarray, "R L"],
    row: Int[np.ndarray, " N"],
    generator: np.random.Generator,
) -> Int[np.ndarray, " N"]:
    """Draw a column for each of some rows."""
    columns = cumulated.shape[1]
    at = np.searchsorted(
        cumulated.ravel(), row + generator.random(len(row)), side="right"
    )
    return np.clip(at - row * columns, 0, columns - 1)


def replicate_answers(fit: Fit, *, replicates: int = 200, seed: int = 0) -> xr.DataTree:
    """Return the data of a fit with answers drawn again from the posterior.

    Every annotator answers again about the same items, whose truth is drawn from its
    posterior. ArviZ's plots of posterior predictive checks read the result.

    Parameters
    ----------
    fit, replicates, seed
        See `predictive_checks`.

    Returns
    -------
    xarray.DataTree
        The data with the group posterior_predictive: `answer`, along chain (one), draw
        and response, as codes of the attribute labels, with the names of annotator and
        item. The group observed_data has the observed `answer` alone, in a row for
        each.

    Raises
    ------
    OptionError
        If the model has no tables, or there are no replicates.

    See Also
    --------
    predictive_checks : Checks by pair of annotators, votes and label.
    consilience.plot.ppc : These as a plot.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> responses = study(0, num_photos=30).responses()
    >>> fit = cs.fit(responses, model="hierarchical_dawid_skene")
    >>> data = cs.analysis.replicate_answers(fit, replicates=50)
    >>> dict(data["posterior_predictive"]["answer"].sizes)
    {'chain': 1, 'draw': 50, 'response': 180}
    """
    if replicates < 1:
        raise OptionError(f"replicates is {replicates}; give 1 or more")
    drawn_from = replication(fit.data)
    space = drawn_from.space
    number = max(min(replicates, MAX_DRAWN // max(len(space.answer), 1)), 1)
    drawn = drawn_from.draw(number, np.random.default_rng(seed))
    answers = np.stack([each.same for each in drawn]).astype(np.int32)
    constant = fit.data["constant_data"]
    # Coordinates, so that ArviZ takes the answer alone for an observed variable.
    place = {
        "response": np.arange(len(space.answer)),
        "annotator": ("response", space.annotators[space.annotator]),
        "item": ("response", constant["unit_item"].to_numpy()[space.unit]),
    }
    given = {"labels": list(map(str, space.answers))}
    sampled = {"chain": [0], "draw": np.arange(number)}
    axes = ("chain", "draw", "response")
    return with_groups(
        fit.data,
        posterior_predictive=xr.Dataset(
            {"answer": (axes, answers[None], given)}, sampled | place
        ),
        observed_data=xr.Dataset(
            {"answer": ("response", space.answer.astype(np.int32), given)}, place
        ),
    )
