"""What a model has learned from all shards, and what that says of the items of one."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, cast

import numpy as np
from jaxtyping import Float, Int

from consilience.executors import Threads
from consilience.fitting.sharded_study import ShardedStudy
from consilience.fitting.single import Single, temper_result
from consilience.inference.ascent import Steps, logs_of, optimize, point
from consilience.inference.engines import em, vb
from consilience.inference.given_population import CHAINS, GIVEN, draw_given_population
from consilience.inference.options import generator_of
from consilience.inference.result import Optimization, Result, at_a_point
from consilience.inference.sharded import (
    ShardedModel,
    draw_from_shards,
    result_of_draws,
)
from consilience.model import HostModel, Model
from consilience.posterior.correlation import Residual, residual_correlation
from consilience.progress import Reporter
from consilience.truth import Space

RULES = {"em": em.RULE, "vb": vb.RULE}
REMARK = "no draws were requested, so there are no intervals"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Learned:
    """What was learned from all shards, and what that says of items (`of_items`)."""

    name: str
    model: Model[Any]
    engine: str
    how: Optimization | None
    of_items: Callable[[Space], Result]
    residual: Residual | None
    answers: Int[np.ndarray, " J"]
    seconds: float

    def single(self, space: Space) -> Single:
        """Return the fit of the items of a shard."""
        result, tempering = self.of_items(space), None
        if self.residual is not None:
            tempering = temper_result(
                self.model, self.residual, "tempered", space, result
            )
        return Single(
            name=self.name,
            model=self.model,
            engine=self.engine,
            reason="it fits shards",
            result=result,
            tempering=tempering,
            seconds=self.seconds,
        )


class _Fitted(NamedTuple):
    """Parameters, how they were fitted, what they say of items, and who answered."""

    parameters: Mapping[str, Float[np.ndarray, "..."]]
    how: Optimization | None
    of_items: Callable[[Space], Result]
    answers: Int[np.ndarray, " J"]


class Way(NamedTuple):
    """How a model is fitted to all shards."""

    engine: str
    steps: Steps
    draws: int
    prob: float
    seed: Any


def learn(
    name: str,
    model: Model[Any],
    study: ShardedStudy,
    way: Way,
    report: Reporter,
    sample: Single | None = None,
) -> Learned:
    """Fit a model to all shards; one with normal effects from a fit of a sample."""
    started, first = time.monotonic(), study.space(0)
    if model.has_rows:
        assert sample is not None  # noqa: S101 (for the type checker)
        fitted = _from_sample(sample, study, way, report)
    else:
        fitted = _by_closed_forms(model, study, way, report)
    point = {key: np.asarray(v)[None, None] for key, v in fitted.parameters.items()}
    return Learned(
        name=name,
        model=model,
        engine="gibbs" if model.has_rows else way.engine,
        how=fitted.how,
        of_items=fitted.of_items,
        residual=residual_correlation(model, first, point),
        answers=fitted.answers,
        seconds=time.monotonic() - started,
    )


def _from_sample(
    sample: Single, study: ShardedStudy, way: Way, report: Reporter
) -> _Fitted:
    """Draw annotators and labels given the population that a sample shows."""
    model, learned, number = sample.model, sample.result.parameters, len(study.shards)
    drawn = draw_given_population(model, study.space, number, learned, way.seed, report)
    of_items = partial(_of_draws, model, drawn, None, way.prob, (GIVEN,), CHAINS)
    parameters = {name: each.mean(0) for name, each in drawn.items()}
    spaces = Threads(study.space, number)
    return _Fitted(parameters, None, of_items, np.asarray(sum(spaces.each(_in_space))))


def _in_space(space: Space, _: int) -> Int[np.ndarray, " J"]:
    """Count the answers of each annotator."""
    counts = np.bincount(space.annotator, space.n, space.num_annotators)
    return counts.astype(np.int64)


def _by_closed_forms(
    model: Model[Any], study: ShardedStudy, way: Way, report: Reporter
) -> _Fitted:
    """Sum expected counts over shards, and draw on request."""
    sweeps = ShardedModel(model, study.space, len(study.shards))
    rule = RULES[way.engine]
    of_climb, of_draws = generator_of(way.seed).spawn(2)
    host = cast("HostModel", sweeps)
    try:
        where, how = optimize(host, rule, way.steps, of_climb, report)
        parameters = point(host, where)
        logs = logs_of(rule, where)
        of_items = partial(_at_a_point, model, logs, parameters, how)
        if way.draws:
            drawn = draw_from_shards(sweeps, where, of_draws, way.draws, report)
            of_items = partial(_of_draws, model, drawn, how, way.prob, (), None)
        answers = np.asarray(sum(sweeps.executor.each(_of_annotators)))
    finally:
        sweeps.executor.close()
    return _Fitted(parameters, how, of_items, answers)


def _at_a_point(
    model: Model[Any],
    logs: Mapping[str, Float[np.ndarray, "..."]],
    parameters: Mapping[str, Float[np.ndarray, "..."]],
    how: Optimization,
    space: Space,
) -> Result:
    fitted = HostModel(model, space)
    likelihood, belief = fitted.posterior(logs)
    return at_a_point(parameters, fitted.truth(belief), likelihood, how, (REMARK,))


def _of_draws(
    model: Model[Any],
    draws: Mapping[str, Float[np.ndarray, "D ..."]],
    how: Optimization | None,
    prob: float,
    remarks: tuple[str, ...],
    last: int | None,
    space: Space,
) -> Result:
    laid_out = HostModel(model, space)
    return result_of_draws(laid_out, draws, how, prob, remarks, last)


def _of_annotators(part: HostModel, _: int) -> Int[np.ndarray, " J"]:
    """Count the answers of each annotator."""
    matrix = part.matrix
    each = np.asarray(matrix.by_pair.sum(0)).reshape(matrix.num_annotators, -1)
    return each.sum(1).astype(np.int64)
