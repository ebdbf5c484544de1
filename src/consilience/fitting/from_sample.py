"""Fit a model to all items, going on from a fit of items drawn at random."""

import time
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from consilience.continuing import branch
from consilience.fitting.comparing import near_votes, reported_as
from consilience.fitting.request import Request
from consilience.fitting.single import Single, tempering_of
from consilience.inference.ascent import Steps
from consilience.inference.engines import vb
from consilience.inference.given_population import CHAINS, GIVEN, draw_given_population
from consilience.inference.options import seed_for
from consilience.inference.result import Result
from consilience.inference.sharded import result_of_draws
from consilience.model import HostModel
from consilience.progress import Reporter
from consilience.truth import Space

# Nats an answer that a sweep must gain. Of a million answers, 149 sweeps to 1e-7 ended
# .00005 nats an answer above 89 to 3e-7; models differed by .0025, give or take .0005.
ENOUGH = 3e-7


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


def means_of(sample: Single) -> dict[str, Float[np.ndarray, "..."]]:
    """Return the posterior means of what a fit reports."""
    parameters = sample.result.parameters
    return {
        name: np.asarray(each, float).mean((0, 1)) for name, each in parameters.items()
    }


def going_on(steps: Steps, sample: Single, request: Request) -> Steps:
    """Return steps from where a sample led, till little is gained."""
    tolerance = steps.tolerance if request.effort.tolerance else ENOUGH
    start = means_of(sample)
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
