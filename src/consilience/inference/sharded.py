"""EM and variational Bayes over shards of a study: all that is shared is sums.

A sweep of a shard takes the parameters and gives its log-likelihood and expected
counts; only these are added, in the order of the shards, so that the result does not
depend on who swept which. Shards are laid out once if they fit in memory, and otherwise
each time.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, cast

import numpy as np
from jaxtyping import Float

from consilience.errors import FitError
from consilience.inference.ascent import Optimum, Steps, UpdateRule, optimize
from consilience.inference.result import Optimization
from consilience.model import HostModel, Model, Swept
from consilience.model.host import Logs
from consilience.progress import Reporter
from consilience.truth import Space

# Answers whose matrices are kept: 12 bytes each, and as many for the transpose.
KEPT = 200_000_000


class ShardedModel:
    """A model on the host, laid out for the shards of a study.

    It does what `HostModel` does for an ascent, of models whose parameters all have
    Dirichlet priors.
    """

    def __init__(
        self, model: Model[Any], space: Callable[[int], Space], number: int
    ) -> None:
        self.model, self._space, self._number = model, space, number
        self._parts: dict[int, HostModel] = {}
        self._left = KEPT
        first = self.part(0)
        if first.normal or first.candidates is not None:
            msg = (
                "shards are fitted by models all of whose parameters have closed forms,"
                " such as dawid_skene and hierarchical_dawid_skene; choose one of these"
            )
            raise FitError(msg)
        self.priors, self.coding = first.priors, first.coding
        self.normal, self.candidates = first.normal, None
        self.total = float(sum(self._of_all(lambda _, part: part.total)))

    def part(self, place: int) -> HostModel:
        """Return the model laid out for a shard."""
        if place in self._parts:
            return self._parts[place]
        part = self._laid_out(place)
        size = int(part.matrix.by_pair.nnz)
        if size <= self._left:
            self._left -= size
            # The answers are in the matrix: without them a part is half as large.
            part.matrix = replace(part.matrix, space=_emptied(part.matrix.space))
            self._parts[place] = part
        return part

    def _laid_out(self, place: int) -> HostModel:
        return HostModel(self.model, self._space(place))

    def sweep(self, logs: Logs) -> Swept:
        """Sum the truth out and count the events, of all shards."""
        return self._added(lambda _, part: part.sweep(logs))

    def first(
        self, logs: Logs, generator: np.random.Generator, *, shaken: bool
    ) -> Swept:
        """Count the events by a first guess of the truth, of all shards."""
        each = generator.spawn(self._number)

        def one(place: int, _: HostModel) -> Swept:
            return self._laid_out(place).first(logs, each[place], shaken=shaken)

        return self._added(one)

    def derived(self, logs: Logs) -> dict[str, Float[np.ndarray, "..."]]:
        """Return what follows from the parameters and is reported with them."""
        return self.part(0).derived(logs)

    def _of_all(self, one: Callable[[int, HostModel], Any]) -> Iterator[Any]:
        """Give what is computed of each shard, in their order."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            yield from pool.map(
                lambda place: one(place, self.part(place)), range(self._number)
            )

    def _added(self, one: Callable[[int, HostModel], Swept]) -> Swept:
        def summed(place: int, part: HostModel) -> tuple[float, Any]:
            swept = one(place, part)
            return float(swept.log_likelihood.sum()), swept.counts

        likelihood, total = [], None
        for value, counts in self._of_all(summed):
            likelihood.append(value)
            if total is None:
                total = {name: np.array(each) for name, each in counts.items()}
            else:
                for name, each in counts.items():
                    total[name] += each
        return Swept(np.array(likelihood), np.zeros((0, 0)), total or {})


def optimize_shards(
    model: ShardedModel,
    rule: UpdateRule,
    steps: Steps,
    generator: np.random.Generator,
    report: Reporter,
) -> tuple[Optimum, Optimization]:
    """Optimize over all shards, as over a study in memory."""
    return optimize(cast("HostModel", model), rule, steps, generator, report)


def _emptied(space: Space) -> Space:
    """Return a space without its answers and names of items."""
    columns = ("unit", "annotator", "answer", "n", "unit_item")
    return replace(space, **{name: getattr(space, name)[:0] for name in columns})
