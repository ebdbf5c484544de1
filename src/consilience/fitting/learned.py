"""What a model has learned from all shards, and what that says of the items of one."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from jaxtyping import Float, Int

from consilience.checks.independence import Residual, residual_correlation
from consilience.fitting.sharded_study import ShardedStudy
from consilience.fitting.single import Single, temper_result
from consilience.inference.ascent import Steps, logs_of, point
from consilience.inference.engines import em, vb
from consilience.inference.options import generator_of
from consilience.inference.result import Optimization, Result, at_a_point
from consilience.inference.sharded import (
    ShardedModel,
    draw_from_shards,
    optimize_shards,
    result_of_draws,
)
from consilience.model import HostModel, Model
from consilience.progress import Reporter
from consilience.truth import ChoiceSpace

RULES = {"em": em.RULE, "vb": vb.RULE}
REMARK = "no draws were requested, so there are no intervals"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Learned:
    """What was learned from all shards."""

    name: str
    model: Model[Any]
    engine: str
    logs: Mapping[str, Float[np.ndarray, "..."]]
    parameters: Mapping[str, Float[np.ndarray, "..."]]
    draws: Mapping[str, Float[np.ndarray, "D ..."]]
    prob: float
    how: Optimization
    residual: Residual | None
    answers: Int[np.ndarray, " J"]
    seconds: float

    def single(self, space: ChoiceSpace) -> Single:
        """Return the fit of the items of a shard."""
        fitted = HostModel(self.model, space)
        if self.draws:
            result = result_of_draws(fitted, self.draws, self.how, self.prob)
        else:
            result = self._at_a_point(fitted)
        tempering = None
        if self.residual is not None:
            tempering = temper_result(self.residual, "tempered", space, result)
        return Single(
            name=self.name,
            model=self.model,
            engine=self.engine,
            reason="it fits shards",
            result=result,
            tempering=tempering,
            seconds=self.seconds,
        )

    def _at_a_point(self, fitted: HostModel) -> Result:
        likelihood, belief = fitted.posterior(self.logs)
        truth = fitted.truth(belief)
        return at_a_point(self.parameters, truth, likelihood, self.how, (REMARK,))


def learn(  # noqa: PLR0913 (what is fitted, how, and where)
    name: str,
    model: Model[Any],
    study: ShardedStudy,
    *,
    engine: str,
    steps: Steps,
    draws: int,
    prob: float,
    seed: Any,
    client: Any,
    report: Reporter,
) -> Learned:
    """Fit a model to all shards."""
    started = time.monotonic()
    sweeps = ShardedModel(model, study.space, len(study.shards), client)
    of_climb, of_draws = generator_of(seed).spawn(2)
    drawn = {}
    try:
        where, how = optimize_shards(sweeps, RULES[engine], steps, of_climb, report)
        if draws:
            drawn = draw_from_shards(sweeps, where, of_draws, draws, report)
        answers = sum(sweeps.executor.each(_of_annotators))
        parameters = point(cast("HostModel", sweeps), where)
    finally:
        sweeps.executor.close()
    point_draws = {name: np.asarray(v)[None, None] for name, v in parameters.items()}
    return Learned(
        name=name,
        model=model,
        engine=engine,
        logs=logs_of(RULES[engine], where),
        parameters=parameters,
        draws=drawn,
        prob=prob,
        how=how,
        residual=residual_correlation(model, study.space(0), point_draws),
        answers=np.asarray(answers),
        seconds=time.monotonic() - started,
    )


def _of_annotators(part: HostModel, _: int) -> Int[np.ndarray, " J"]:
    """Count the answers of each annotator."""
    matrix = part.matrix
    each = np.asarray(matrix.by_pair.sum(0)).reshape(matrix.num_annotators, -1)
    return each.sum(1).astype(np.int64)
