"""A study in shards: what is known of items and annotators, and what a model learns."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.errors import OptionError
from consilience.executors import Threads
from consilience.fitting.annotator_table import AnnotatorTable
from consilience.fitting.inputs import Table, as_table
from consilience.fitting.request import Request, Study
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
from consilience.responses import Responses
from consilience.responses.side_columns import Named
from consilience.responses.side_tables import nothing_shared
from consilience.sharding import Shards
from consilience.truth import Space

GOLD = -1  # where answers about items with gold are, among the shards
RULES = {"em": em.RULE, "vb": vb.RULE}
REMARK = "no draws were requested, so there are no intervals"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ShardedStudy:
    """Shards, with gold labels, candidates and groups of annotators.

    Side tables are in memory; each shard is given the rows about its items. A label's
    presence has `num_states` states (contains). The answers about items with gold, of
    all shards, are a part as the shards are, whose place is `GOLD`.
    """

    shards: Shards
    gold: pd.DataFrame | None = None
    candidates: pd.DataFrame | None = None
    annotators: AnnotatorTable = field(default_factory=AnnotatorTable)
    num_states: int = 2
    remarks: tuple[str, ...] = ()
    with_gold: Responses | None = field(default=None, repr=False)

    @classmethod
    def read(
        cls,
        shards: Shards,
        *,
        gold: Table | None = None,
        candidates: Table | None = None,
        annotators: Table | None = None,
    ) -> "ShardedStudy":
        """Read the side tables, and keep what is about items of the shards."""
        shards = replace(shards, folder=shards.folder.resolve())
        people = AnnotatorTable.read(annotators)
        if people.repeat_of:
            raise OptionError(
                "annotators: samples of an annotator (repeat_of) are not merged in "
                "shards; write shards in which they have one name"
            )
        named: Named = {"item": shards.items(0), "label": shards.labels}
        lists = as_table(candidates, "candidates", named)
        wanted = truth = as_table(gold, "gold", named)
        if lists is not None:
            if shards.kind == "contains":
                raise OptionError(
                    "candidates of contains are columns of numbers whose weights are "
                    "learned, which they are not over shards; leave them out"
                )
            lists = _columns_of(lists)
        truth, lists = (_about(table, shards) for table in (truth, lists))
        remarks, with_gold = [], None
        if wanted is not None and truth is not None:
            if truth.empty:
                items = pd.Index(wanted["item"].unique())
                raise nothing_shared(items, shards.items(0))
            names = pd.Index(truth["item"].unique())
            number = len(names)
            remarks.append(f"gold labels of {number:,} items enter the fit of all")
            if number < shards.num_items:
                with_gold = shards.some(names)
        return cls(
            shards=shards,
            gold=truth,
            candidates=lists,
            annotators=people,
            remarks=tuple(remarks),
            with_gold=with_gold,
        )

    def without_gold(self) -> "ShardedStudy":
        """Return the study that is fitted before gold corrects the fit."""
        return self if self.with_gold is None else replace(self, gold=None)

    def part(self, place: int) -> tuple[Study, Any]:
        """Return the study of a shard, and its space with all annotators and labels."""
        responses = self.with_gold if place == GOLD else self.shards.responses(place)
        assert responses is not None  # noqa: S101 (for the type checker)
        if self.candidates is not None:
            responses = responses.with_labels(self.candidates["label"])
        items = responses.table["item"].cat.categories
        study = Study(
            responses=responses,
            gold=_rows(self.gold, items),
            candidates=_rows(self.candidates, items),
            annotators=self.annotators,
        )
        space = self.shards.with_all_annotators(
            replace(study, annotators=AnnotatorTable()).space(self.num_states)
        )
        return study, self.annotators.of_space(space)

    def space(self, place: int) -> Any:
        """Return what can be true of the items of a shard, and the answers."""
        return self.part(place)[1]


def _columns_of(lists: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of candidates that shards take."""
    taken = ["item", "label", "log_odds"]
    other = [name for name in lists.columns if name not in taken]
    if other and "log_odds" not in lists:
        raise OptionError(
            f"candidates have columns {', '.join(map(str, other))}, whose weights are "
            "not learned over shards; give them as one column log_odds, or leave them "
            "out"
        )
    return lists[[name for name in taken if name in lists]]


def _rows(table: pd.DataFrame | None, items: pd.Index) -> pd.DataFrame | None:
    """Return the rows about items, or None if there are none."""
    if table is None:
        return None
    rows = table[table["item"].isin(items)]
    return None if rows.empty else rows.reset_index(drop=True)


def _about(table: pd.DataFrame | None, shards: Shards) -> pd.DataFrame | None:
    """Return the rows about items of any shard."""
    if table is None:
        return None
    there = pd.Series(data=False, index=table.index)
    for place in range(len(shards)):
        there |= table["item"].isin(shards.items(place))
    return table[there].reset_index(drop=True)


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


def learn(
    name: str,
    model: Model[Any],
    study: ShardedStudy,
    request: Request,
    steps: Steps,
    report: Reporter,
    sample: Single | None = None,
) -> Learned:
    """Fit a model to all shards; one with normal effects from a fit of a sample."""
    started = time.monotonic()
    if model.has_rows:
        assert sample is not None  # noqa: S101 (for the type checker)
        fitted = _from_sample(sample, study, request, report)
    else:
        fitted = _by_closed_forms(model, study, request, steps, report)
    point = {key: np.asarray(v)[None, None] for key, v in fitted.parameters.items()}
    return Learned(
        name=name,
        model=model,
        engine="gibbs" if model.has_rows else request.engine,
        how=fitted.how,
        of_items=fitted.of_items,
        residual=residual_correlation(model, study.space(0), point),
        answers=fitted.answers,
        seconds=time.monotonic() - started,
    )


def _from_sample(
    sample: Single, study: ShardedStudy, request: Request, report: Reporter
) -> _Fitted:
    """Draw annotators and labels given the population that a sample shows."""
    model, learned, number = sample.model, sample.result.parameters, len(study.shards)
    drawn = draw_given_population(
        model, study.space, number, learned, request.seed, report
    )

    def of_items(space: Space) -> Result:
        laid_out, prob = HostModel(model, space), request.effort.prob
        return result_of_draws(laid_out, drawn, None, prob, (GIVEN,), CHAINS)

    def answers_in(space: Space, _: int) -> Int[np.ndarray, " J"]:
        counts = np.bincount(space.annotator, space.n, space.num_annotators)
        return counts.astype(np.int64)

    parameters = {name: each.mean(0) for name, each in drawn.items()}
    answers = sum(Threads(study.space, number).each(answers_in))
    return _Fitted(parameters, None, of_items, np.asarray(answers))


def _by_closed_forms(
    model: Model[Any],
    study: ShardedStudy,
    request: Request,
    steps: Steps,
    report: Reporter,
) -> _Fitted:
    """Sum expected counts over shards, and draw on request."""
    sweeps = ShardedModel(model, study.space, len(study.shards))
    rule, effort = RULES[request.engine], request.effort
    of_climb, of_draws = generator_of(request.seed).spawn(2)

    def answers_in(part: HostModel, _: int) -> Int[np.ndarray, " J"]:
        by_pair = np.asarray(part.matrix.by_pair.sum(0))
        return by_pair.reshape(part.matrix.num_annotators, -1).sum(1).astype(np.int64)

    try:
        where, how = optimize(sweeps, rule, steps, of_climb, report)
        parameters, logs, drawn = point(sweeps, where), logs_of(rule, where), None
        if effort.draws:
            drawn = draw_from_shards(sweeps, where, of_draws, effort.draws, report)
        answers = np.asarray(sum(sweeps.executor.each(answers_in)))
    finally:
        sweeps.executor.close()

    def of_items(space: Space) -> Result:
        laid_out = HostModel(model, space)
        if drawn is not None:
            return result_of_draws(laid_out, drawn, how, effort.prob)
        likelihood, belief = laid_out.posterior(logs)
        truth = laid_out.truth(belief)
        return at_a_point(parameters, truth, likelihood, how, (REMARK,))

    return _Fitted(parameters, how, of_items, answers)
