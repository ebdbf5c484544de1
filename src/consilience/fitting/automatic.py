"""The model `auto`: the best of several models, and a mixture of their posteriors.

The posterior of the truth is that of a mixture of models; annotators and confusions are
those of the one model whose intervals hold on data that no model fits. Which models are
worth comparing is settled by what the responses are. Where answers are many, models are
compared on items drawn at random; those that matter are then fitted to all items, going
on from there.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience import annotators
from consilience.continuing import branch
from consilience.errors import OptionError
from consilience.fitting.comparing import (
    CANDIDATES,
    compare_models,
    fit_near_votes,
    lead,
    mixture_of,
    near_votes,
    reported_as,
    sample,
    side_by_side,
    worth_comparing,
)
from consilience.fitting.request import Request
from consilience.fitting.sharded_study import ShardedStudy
from consilience.fitting.single import (
    Single,
    fit_one,
    prior_at_full_strength,
    temper_result,
    tempering_of,
)
from consilience.inference.ascent import Steps
from consilience.inference.engines import vb
from consilience.inference.given_population import CHAINS, GIVEN, draw_given_population
from consilience.inference.options import seed_for
from consilience.inference.result import Result
from consilience.inference.sharded import result_of_draws
from consilience.model import HostModel, Model, fits_in_memory
from consilience.posterior.correlation import (
    COMMON,
    Residual,
    common_correlation,
    mixed_effect,
)
from consilience.posterior.truth import Truth, mix, temper
from consilience.progress import Reporter, logger
from consilience.truth import ChoiceSpace, Space, tally

MIN_WEIGHT = 0.05  # of a model worth fitting to all items after a sample of them
# Share of the votes in the truth, over the design effect of the item, where errors are
# as correlated as models can tell: as good within .002 of log-loss on public sets are
# .15 to .4. Where errors are independent votes have none.
VOTES = 0.3
# Cells of confusion matrices for each answer, of one matrix that all annotators share
# and of one for each, beyond both of which none is learned. In simulated studies of 20
# annotators the log-loss of `structured`, less that of the four models compared, is
# +.01 at .9 and 17 cells, and -.03 at 2.6 and 51. Public studies have up to .03 and 7.
MAX_SHARED, MAX_OWN = 1, 20
# Nats an answer that a sweep must gain. Of a million answers, 149 sweeps to 1e-7 ended
# .00005 nats an answer above 89 to 3e-7; models differed by .0025, give or take .0005.
ENOUGH = 3e-7


def fit_auto(
    space: Space, request: Request, report: Reporter
) -> tuple[Single, pd.DataFrame | None]:
    """Fit the models worth comparing and mix them; return also how they stand."""
    only = _only_model(space)
    if only is not None:
        single = fit_one(only, space, request, report)
        if _is_hopeless(space):
            # Too few answers to see that errors are correlated; where a study can tell,
            # they mostly are.
            single = _with_common(single, COMMON, space)
            reason = f"labels are too many to learn who confuses which; {single.reason}"
            single = _mixture([single], np.ones(1), COMMON, space, reason)
        return single, None
    if request.prior:
        raise OptionError(
            "prior settings belong to a model, and auto compares several; name the "
            f"model they are meant for: {', '.join(CANDIDATES)}"
        )
    part, fits, mixed = _compared(space, request, report)
    if request.engine not in ("auto", "vb"):
        single = fit_one(fits[0].name, space, request, report)
        reason = f"{mixed.reason}; {single.reason}"
        return replace(single, reason=reason), mixed.table
    if part is not space:
        reported = np.array([fitted is _reported(fits) for fitted in fits])
        kept = np.flatnonzero((mixed.weights >= MIN_WEIGHT) | reported)
        work = [_of_all(fits[place], space, request) for place in kept]
        fits, mixed = side_by_side(work, report), mixed.of(kept)
    return mixed.single(fits, space), mixed.table


def _of_all(sample: Single, space: Space, request: Request) -> Callable[..., Single]:
    """Return how a model fitted to a sample of items is fitted to all of them."""
    shown = f"{sample.name}, all items"
    columns = isinstance(space, ChoiceSpace) and space.covariates.names
    longer = sample.engine == "gibbs" and request.effort.draws is not None
    if columns or longer:  # columns have weights of their own to start from
        return partial(fit_near_votes, sample.name, shown, space, request)
    return partial(fit_from_sample, sample, shown, space, request)


def fit_from_sample(
    sample: Single, shown: str, space: Space, request: Request, report: Reporter
) -> Single:
    """Fit to all items: by `vb` from where a sample led, or given its population."""
    started, drawn = time.monotonic(), sample.engine == "gibbs"
    report = reported_as(shown, report)
    model = sample.model if drawn else near_votes(sample.name, space)
    fitted = replace(sample, model=model)
    with branch(shown):
        result = (_drawn if drawn else _climbed)(fitted, space, request, report)
    tempering = tempering_of(model, space, result)
    seconds = time.monotonic() - started
    return replace(fitted, result=result, tempering=tempering, seconds=seconds)


def going_on(steps: Steps, sample: Single, request: Request) -> Steps:
    """Return steps from where a sample led, till little is gained."""
    tolerance = steps.tolerance if request.effort.tolerance else ENOUGH
    start = {
        name: np.asarray(each, float).mean((0, 1))
        for name, each in sample.result.parameters.items()
    }
    return replace(steps, restarts=1, tolerance=tolerance, start=start)


def _drawn(sample: Single, space: Space, request: Request, report: Reporter) -> Result:
    """Draw annotators and labels given the population of a sample."""
    learned, seed = sample.result.parameters, seed_for(request.seed, sample.name)
    draws = draw_given_population(
        sample.model, lambda _: space, 1, learned, seed, report
    )
    laid_out, prob = HostModel(sample.model, space), request.effort.prob
    return result_of_draws(laid_out, draws, None, prob, (GIVEN,), CHAINS)


def _climbed(
    sample: Single, space: Space, request: Request, report: Reporter
) -> Result:
    """Climb from the means of a sample."""
    model, effort = sample.model, request.effort
    steps = going_on(vb.steps_of(model, space, effort), sample, request)
    seed = seed_for(request.seed, sample.name)
    return vb.fit(model, space, seed, effort, report, steps)


class Worth(NamedTuple):
    """A model to fit to all shards, and the fit of a sample that it may go on from."""

    model: Model[Any]
    sample: Single | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Mixed:
    """How the posteriors of several models are mixed, and how the models stand."""

    weights: Float[np.ndarray, " A"]
    common: float
    reason: str
    table: pd.DataFrame

    def of(self, kept: Int[np.ndarray, " A"]) -> "Mixed":
        """Return the mixture of some of the models."""
        some = self.weights[kept]
        even = np.full(len(kept), 1 / len(kept))
        return replace(self, weights=some / some.sum() if some.any() else even)

    def single(self, fits: list[Single], space: Space) -> Single:
        """Mix what the models say of some items."""
        fits = [_with_common(fitted, self.common, space) for fitted in fits]
        return _mixture(fits, self.weights, self.common, space, self.reason)


def worth_fitting(
    study: ShardedStudy, request: Request, report: Reporter
) -> tuple[dict[str, Worth], Mixed | None]:
    """Return the models to fit to all shards, and how their posteriors are mixed."""
    space = study.space(0)
    only = _only_model(space)
    if only is not None:
        return {only: Worth(annotators.fittable(only))}, None
    asked = replace(
        request, engine="auto", effort=replace(request.effort, restarts=None)
    )
    part, fits, mixed = _compared(space, asked, report)
    if part is space:
        items = f"on {part.num_units:,} items of the first shard"
        mixed = replace(mixed, reason=f"{mixed.reason}, {items}")
    reported = np.array([fitted is _reported(fits) for fitted in fits])
    kept = np.flatnonzero((mixed.weights >= MIN_WEIGHT) | reported)
    worth = {}
    for fitted in (fits[place] for place in kept):
        model = near_votes(fitted.name, part, study.shards.num_items)
        worth[fitted.name] = Worth(model, fitted)
    return worth, mixed.of(kept)


def _compared(
    space: Space, request: Request, report: Reporter
) -> tuple[Space, list[Single], Mixed]:
    """Compare models on items of a space; return these, the fits and their mixture."""
    part = sample(space, request.seed)
    names = worth_comparing(part, ordered=request.ordered)
    fits, table = compare_models(part, names, request, report)
    reason = f"{lead(table)} (best with probability {table['best'][0]:.2f})"
    logger.info("auto: %s", reason)
    if part is not space:
        reason += f", on {part.num_units:,} items drawn at random"
    common = common_correlation(
        [fitted.tempering.shrunk for fitted in fits if fitted.tempering is not None]
    )
    return part, fits, Mixed(table["weight"].to_numpy(), common, reason, table)


def _with_common(fitted: Single, common: float, space: Space) -> Single:
    """Temper by what all models see, where the residuals of this one say less."""
    alone = fitted.tempering
    if alone is None:
        return fitted
    residual = Residual(alone.correlation, alone.z, common)
    tempering = temper_result(
        fitted.model, residual, alone.reported, space, fitted.result
    )
    return replace(fitted, tempering=tempering)


def _only_model(space: Space) -> str | None:
    """Return the one model that suits, or None where several do."""
    safe = "hierarchical_dawid_skene"
    if not space.identified.any():
        safe = "multinomial"
    if _is_hopeless(space) or not fits_in_memory(annotators.fittable(safe), space):
        return "structured"
    alone = np.bincount(space.unit, space.n, space.num_units).max(initial=0) < 2
    if not space.identified.any() or alone:
        return safe
    return None


def _is_hopeless(space: Space) -> bool:
    """Return whether answers are far too few to learn confusion matrices from."""
    shared = len(space.states) * len(space.answers) / max(int(space.n.sum()), 1)
    return shared > MAX_SHARED and space.num_annotators * shared > MAX_OWN


def _mixture(
    fits: list[Single],
    weights: Float[np.ndarray, " A"],
    common: float,
    space: Space,
    reason: str,
) -> Single:
    """Mix the tempered posteriors of models, and the votes with their share."""
    best = _reported(fits)
    parts = [fitted.tempering for fitted in fits if fitted.tempering is not None]
    effect = np.tensordot(weights, [part.design_effect for part in parts], 1)
    kept = prior_at_full_strength(space, best.result)
    models = mix([part.tempered for part in parts], weights)
    number = np.bincount(space.unit, space.n, space.num_units)
    of_votes = VOTES * common / COMMON / mixed_effect(number, COMMON)
    # Smoothed shares of votes, times what is known of the candidates.
    votes = (tally(space) + 1 / len(space.answers)) * kept
    votes /= votes.sum(1, keepdims=True)
    shares = np.stack([1 - of_votes, of_votes])[:, :, None]
    tempered = mix([models, Truth(votes, votes, votes)], shares)
    raw = temper(tempered, kept, 1 / effect)
    tempering = replace(
        best.tempering or parts[0], raw=raw, tempered=tempered, design_effect=effect
    )
    order = np.argsort(-weights, kind="stable")
    reason += f"; {mixture_of((fits[place].name, weights[place]) for place in order)}"
    if (share := of_votes.mean()) >= 0.005:
        reason += f"; with a share of {share:.2f} for plain votes"
    each = zip(fits, parts, strict=True) if len(fits) > 1 else ()
    singly = {fitted.name: part.tempered.probability for fitted, part in each}
    best = replace(best, tempering=tempering, reason=reason, models=singly)
    return best.believing(raw)


def _reported(fits: list[Single]) -> Single:
    """Return the fit whose annotators are reported, of fits the best first."""
    return next((fitted for fitted in fits if fitted.engine == "gibbs"), fits[0])
