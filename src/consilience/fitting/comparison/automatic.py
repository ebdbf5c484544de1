"""The model `auto`: the best of several models, and a mixture of their posteriors.

The posterior of the truth is that of a mixture of models; annotators and confusions are
those of the one model whose intervals hold on data that no model fits. Which models are
worth comparing is settled by what the responses are.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience import annotators
from consilience.checks.dependence.independence import (
    COMMON,
    Residual,
    common_correlation,
    mixed_effect,
)
from consilience.errors import OptionError
from consilience.fitting.comparison.comparing import (
    CANDIDATES,
    compare_models,
    host_engine,
    near_votes,
    sample,
    side_by_side,
    worth_comparing,
)
from consilience.fitting.single import (
    Single,
    fit_one,
    prior_at_full_strength,
    temper_result,
)
from consilience.inference import EngineOptions, check_engine
from consilience.inference.options import Seed, seed_for
from consilience.log import logger
from consilience.model import fits_in_memory
from consilience.posterior.truth import MIXTURE, Tempering, Truth, mix, temper
from consilience.progress import Reporter
from consilience.truth import Space, tally

MIN_WEIGHT = 0.05  # of a model worth fitting to all items after a sample of them
# Share of the votes in the truth, over the design effect of the item, where errors are
# as correlated as models can tell. By leaving families of public sets out it is .3, and
# .15 to .4 are as good within .002 of log-loss; one share for items with five and with
# forty answers alike is worse by .003. Where errors are independent votes have none.
VOTES = 0.3
# Cells of confusion matrices for each answer, of one matrix that all annotators share
# and of one for each, beyond both of which none is learned. In simulated studies
# of 20 annotators (errors within families of labels, items of different difficulty) the
# log-loss of `structured`, less that of the four models compared, is +.003 on average
# at .6 and 13 cells, +.01 at .9 and 17, -.03 at 2.6 and 51, and -.25 at 10 and 202.
# Public studies have up to .03 and 7.
MAX_SHARED, MAX_OWN = 1, 20


def fit_auto(
    space: Space,
    seed: int,
    *,
    engine: str,
    prior: Mapping[str, float] | None,
    effort: EngineOptions,
    report: Reporter,
    ordered: bool = False,
) -> tuple[Single, pd.DataFrame | None]:
    """Fit the models worth comparing and mix them; return also how they stand.

    Where there is nothing to compare, one model is fitted and the table is None.
    """
    only = _only_model(space)
    if only is not None:
        single = fit_one(
            only,
            space,
            seed,
            engine=engine,
            prior=prior,
            effort=effort,
            report=report,
        )
        if _is_hopeless(space):
            # Too few answers to see that errors are correlated; where a study can tell,
            # they mostly are.
            single = _with_common(single, COMMON, space)
            reason = f"labels are too many to learn who confuses which; {single.reason}"
            single = _mixture([single], np.ones(1), COMMON, space, reason)
        return single, None
    if prior:
        msg = (
            "prior settings belong to a model, and auto compares several; name the "
            f"model they are meant for: {', '.join(CANDIDATES)}"
        )
        raise OptionError(msg)
    check_engine(engine)
    part = sample(space, seed)
    names = worth_comparing(part, ordered=ordered)
    fits, table = compare_models(part, names, seed, effort, report)
    reason = _reason(table)
    logger.info("auto: %s", reason)
    if part is not space:
        reason += f", on {part.num_units:,} items drawn at random"
    if engine not in ("auto", "vb"):
        best = fits[0].name
        single = fit_one(best, space, seed, engine=engine, effort=effort, report=report)
        return replace(single, reason=f"{reason}; {single.reason}"), table
    weights = table["weight"].to_numpy()
    common = common_correlation(
        [fitted.tempering.shrunk for fitted in fits if fitted.tempering is not None]
    )
    if part is not space:
        reported = np.array([fitted is _reported(fits) for fitted in fits])
        kept = np.flatnonzero((weights >= MIN_WEIGHT) | reported)
        work = [
            partial(
                _whole,
                fits[place].name,
                space,
                seed_for(seed, fits[place].name),
                effort,
            )
            for place in kept
        ]
        fits = side_by_side(work, report)
        weights = weights[kept] / weights[kept].sum()
    fits = [_with_common(fitted, common, space) for fitted in fits]
    return _mixture(fits, weights, common, space, reason), table


def _with_common(fitted: Single, common: float, space: Space) -> Single:
    """Temper by what all models see, where the residuals of this one say less."""
    alone = fitted.tempering
    if alone is None:
        return fitted
    residual = Residual(alone.correlation, alone.z, common)
    tempering = temper_result(residual, alone.reported, space, fitted.result)
    return replace(fitted, tempering=tempering)


def _whole(
    name: str, space: Space, seed: Seed, effort: EngineOptions, report: Reporter
) -> Single:
    engine = host_engine(name)
    model = near_votes(name, space)
    return fit_one(
        name,
        space,
        seed,
        engine=engine,
        informative=model,
        effort=effort,
        report=report,
    )


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
    """Mix what the models report of the truth, and the votes with their share.

    The other posterior, raw or tempered, is the mixture at another power, so that both
    have the same order of labels; that of the raw parts may have another.
    """
    best = _reported(fits)
    parts = [fitted.tempering for fitted in fits if fitted.tempering is not None]
    of_reported = best.tempering or parts[0]
    name_of_reported = parts[0].reported
    effect = np.tensordot(weights, [part.design_effect for part in parts], 1)
    kept = prior_at_full_strength(space, best.result)
    models = mix([getattr(part, name_of_reported) for part in parts], weights)
    number = np.bincount(space.unit, space.n, space.num_units)
    of_votes = VOTES * common / COMMON / mixed_effect(number, COMMON)
    shares = np.stack([1 - of_votes, of_votes])[:, :, None]
    reported = mix([models, _votes(space, kept)], shares)
    raw = reported if name_of_reported == "raw" else temper(reported, kept, 1 / effect)
    tempering = Tempering(
        raw=raw,
        tempered=reported
        if name_of_reported == "tempered"
        else temper(reported, kept, effect),
        design_effect=effect,
        reported=name_of_reported,
        correlation=of_reported.correlation,
        z=of_reported.z,
        shrunk=of_reported.shrunk,
        common=of_reported.common,
    )
    result = replace(
        best.result, belief=raw.probability, lower=raw.lower, upper=raw.upper
    )
    shown = ", ".join(
        f"{fits[place].name} {weights[place]:.2f}"
        for place in np.argsort(-weights, kind="stable")
        if weights[place] >= 0.005
    )
    if (share := of_votes.mean()) >= 0.005:
        shown += f"; then votes {share:.2f}"
    reason = f"{reason}; {MIXTURE}: {shown}"
    return replace(best, result=result, tempering=tempering, reason=reason)


def _votes(space: Space, kept: Float[np.ndarray, "#U S"]) -> Truth:
    """Return smoothed shares of votes, times what is known of the candidates."""
    share = (tally(space) + 1 / len(space.answers)) * kept
    share /= share.sum(1, keepdims=True)
    return Truth(share, share, share)


def _reported(fits: list[Single]) -> Single:
    """Return the fit whose annotators are reported, of fits the best first.

    Intervals of models with correlated rows hold on data that no model fits.
    """
    return next((fitted for fitted in fits if fitted.engine == "gibbs"), fits[0])


def _reason(table: pd.DataFrame) -> str:
    best, second = table.iloc[0], table.iloc[1]
    return (
        f"of {len(table)} models {best['model']} predicts answers best, by "
        f"{-second['difference']:.4f} ± {second['difference_se']:.4f} nats an answer "
        f"over {second['model']} (best with probability {best['best']:.2f})"
    )
