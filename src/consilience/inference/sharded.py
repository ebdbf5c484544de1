"""EM, variational Bayes and draws over shards of a study: all that is shared is sums.

A sweep of a shard takes the parameters and gives its log-likelihood and expected
counts; only these are added, in an order that is always the same, so that the result
does not depend on how many threads there are (`executors`). Shards are laid out once if
they fit in memory, and otherwise each time.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from jaxtyping import Float

from consilience.continuing import Loop
from consilience.errors import FitError
from consilience.executors import Room, Sum, Threads
from consilience.inference.ascent import Optimum
from consilience.inference.augmentation import (
    BURN_IN,
    FEWEST,
    add_draws,
    believed,
    draw_parameters,
    one_of,
    reported,
)
from consilience.inference.result import MAX_KEPT, Moments, Optimization, Result
from consilience.model import DIFFICULTY, TYPICAL, HostModel, Model, Swept, logarithms
from consilience.model.host import Logs
from consilience.progress import Progress, Reporter
from consilience.truth import Space

# Answers whose matrices are kept: 4 bytes each, and as many for the transpose.
KEPT = 200_000_000
TINY = 1e-38  # of single precision
type Spaces = Callable[[int], Space]


def no_closed_forms(name: str) -> FitError:
    """Return what is said of a model that is not fitted in shards."""
    return FitError(
        f"{name} is not fitted in shards, since it has no closed forms; fit one of "
        "hierarchical_dawid_skene, dawid_skene, shared_errors or contains_states, or "
        "fit the study in memory"
    )


class ShardedModel(HostModel):
    """A model on the host, laid out for the shards of a study, whose sums it gives."""

    def __init__(self, model: Model[Any], spaces: Spaces, number: int) -> None:
        self.model, self.spaces = model, spaces
        self.first_part = first = self._lay_out(0)
        if first.normal or first.candidates is not None:
            raise no_closed_forms(model.name)
        self.priors, self.coding = first.priors, first.matrix
        self.normal, self.candidates = first.normal, None
        room = Room(KEPT, lambda part: int(part.matrix.by_pair.nnz))
        self.executor = Threads(self._lay_out, number, keep=room)

    def _lay_out(self, place: int) -> HostModel:
        part = HostModel(self.model, self.spaces(place))
        # The answers are in the matrix: without them a part is half as large.
        space = part.matrix.space
        answers = ("unit", "annotator", "answer", "n")
        lean = {name: getattr(space, name)[:0] for name in answers}
        names = {"unit_item", "unit_label"} & {each.name for each in fields(space)}
        nameless = np.broadcast_to(np.array("", object), space.num_units)
        lean |= dict.fromkeys(names, nameless)
        part.matrix = replace(part.matrix, space=replace(space, **lean))
        return part

    @cached_property
    def total(self) -> float:
        """Number of answers of all shards."""
        return float(sum(self.executor.each(lambda part, _: part.total)))

    def sweep(self, logs: Logs, **_: Any) -> Swept:
        """Sum the truth out and count the events, of all shards."""
        return self._summed(lambda part, _: part.sweep(logs))

    def first(
        self, logs: Logs, generator: np.random.Generator, *, shaken: bool
    ) -> Swept:
        """Count the events by a first guess of the truth, of all shards."""
        seed = int(generator.integers(2**63))

        def guessed(_: HostModel, place: int) -> Swept:
            whole = HostModel(self.model, self.spaces(place))  # with its answers
            random = np.random.default_rng([seed, place])
            return whole.first(logs, random, shaken=shaken)

        return self._summed(guessed)

    def drawn(self, logs: Logs, seed: int, at: int) -> Swept:
        """Count the events by a draw of the truth, of all shards."""

        def drawn(part: HostModel, place: int) -> Swept:
            random = np.random.default_rng([seed, at, place])
            return part.sweep(logs, assign=partial(one_of, random), deal=random)

        return self._summed(drawn)

    def derived(self, logs: Logs) -> dict[str, Float[np.ndarray, "..."]]:
        """Return what follows from the parameters and is reported with them."""
        return self.first_part.derived(logs)

    def _summed(self, sweep: Callable[[HostModel, int], Swept]) -> Swept:
        """Add up what sweeps of the parts count."""

        def added(part: HostModel, place: int) -> Sum:
            swept = sweep(part, place)
            return Sum(float(swept.log_likelihood.sum()), swept.counts)

        total = self.executor.added(added)
        return Swept(np.array([total.value]), np.zeros((0, 0)), total.arrays)


def draw_from_shards(
    model: ShardedModel,
    where: Optimum,
    generator: np.random.Generator,
    number: int,
    report: Reporter,
) -> dict[str, Float[np.ndarray, "D ..."]]:
    """Draw the parameters from the exact posterior, as `augmentation` does."""
    seed, sweeps = int(generator.integers(2**63)), model
    state: dict[str, Any] = {
        "random": generator,
        "concentration": dict(where.concentration),
        "counts": dict(where.counts),
        "kept": {},
    }
    each = BURN_IN + number
    loop = Loop("drawing", state, each, fewest=BURN_IN + min(FEWEST, number))
    for at in loop:
        state["concentration"], logs = draw_parameters(
            state["random"], model.priors, state["concentration"], state["counts"]
        )
        state["counts"] = model.drawn(logs, seed, at).counts
        report(Progress("drawing", at + 1, each))
        if at >= BURN_IN:
            for name, value in reported(sweeps, where, logs).items():
                kept = state["kept"].setdefault(name, [])
                kept.append(np.asarray(value, np.float32))
    return {name: np.stack(draws) for name, draws in state["kept"].items()}


def result_of_draws(
    part: HostModel,
    draws: Mapping[str, Float[np.ndarray, "D ..."]],
    how: Optimization | None,
    prob: float,
    remarks: tuple[str, ...] = (),
    last: int | None = None,
) -> Result:
    """Return what draws of the parameters, or the last of them, say of some items."""
    whole = len(next(iter(draws.values())))
    number = whole if last is None else min(last, whole)
    moments, likelihood, closed = None, [], part.closed
    rows = {TYPICAL, DIFFICULTY} & {*draws} if part.model.has_rows else ()
    read = [*part.priors, *rows]
    for at in range(whole - number, whole):
        # Single precision can round a probability to zero.
        draw = {name: np.maximum(draws[name][at].astype(float), TINY) for name in read}
        logs = logarithms(draw, closed)
        each, belief = part.posterior(logs)
        truth = part.truth(belief)
        if moments is None:
            moments = Moments(*np.zeros((3, *truth.shape)))
        add_draws(moments, truth[None])
        likelihood.append(each.astype(np.float32))
    assert moments is not None  # noqa: S101 (there are draws)
    kept = number == whole and number * len(truth) <= MAX_KEPT
    return Result(
        parameters={name: value[None] for name, value in draws.items()},
        **believed(moments, number, prob),
        log_likelihood=np.stack(likelihood)[None] if kept else None,
        optimization=how,
        remarks=remarks,
    )
