"""Gibbs sampling of models whose confusion rows have normal effects of annotators.

Draws come from the exact posterior, started where labels are what was voted for.
Nothing is compiled. Whether chains agree on the names of labels is a check of the fit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from consilience.inference.closed_form.augmentation import (
    Moments,
    add_draws,
    interval,
    mean_belief,
)
from consilience.inference.gibbs.chains import Chains
from consilience.inference.gibbs.truth_draws import TruthDraws
from consilience.inference.options import override
from consilience.inference.result import MAX_KEPT, Result
from consilience.inference.seeds import Seed, generator_of
from consilience.model import NODES, RowEffectsModel
from consilience.progress import Progress, Reporter, silent
from consilience.truth import Space

NEEDS_DRAWS, HAS_CLOSED_FORM = True, True
BLOCK = 10  # sweeps between reports
# Chains run side by side, so that six take a third longer than two where answers are
# few. On simulated and public studies of 1,000 to 10,000 answers, the means of sweeps
# 50 to 80 were within .2 posterior standard deviations of those of 1,000 sweeps for
# annotators and labels, and every third to fifth sweep is as good as independent.
CHAINS = 6
TUNE, MIN_TUNE = 60, 50  # sweeps thrown away
SWEEPS, MIN_SWEEPS = 120, 60  # of each chain, kept
THIN = 3  # sweeps of each draw that is kept
# Answers x states x nodes that all chains may visit by default: a second or two.
MAX_VISITS = 90_000_000
# When chains in a worse explanation go on from a better one, as shares of the sweeps
# that are thrown away; by how many nats it must be worse, beyond Monte Carlo error. On
# the public study of ducks the explanations with wrong labels lack 20 and 300 nats.
SETTLED, RESTART, BATCHES, MARGIN = 0.4, 0.8, 4, 5.0
MAX_PARAMETERS = 20_000_000  # numbers in all draws together (float32: 80 MB)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How long to sample.

    Attributes
    ----------
    draws
        Draws kept, of all chains together; each is one in three sweeps. None: 240,
        fewer where answers are many.
    tune
        Sweeps of each chain that are thrown away. None: 60, fewer where answers are
        many.
    chains
        Chains, run side by side.
    prob
        Probability that an interval holds.
    """

    draws: int | None = None
    tune: int | None = None
    chains: int | None = None
    prob: float = 0.9


def options(
    model: RowEffectsModel[Any], space: Space, given: Mapping[str, Any]
) -> Options:
    """Return the settings for a fit.

    Parameters
    ----------
    model, space
        The model to fit, and the answers.
    given
        Settings that the caller asked for, by name.
    """
    del model
    asked = override(Options(), given)
    cells = space.num_annotators * len(space.states) * len(space.answers)
    visits = (len(space.unit) * space.state.shape[1] + cells) * NODES
    chains = asked.chains or int(
        np.clip(MAX_VISITS // ((TUNE + SWEEPS) * visits), 1, CHAINS)
    )
    most = MAX_VISITS // (visits * chains)
    sweeps = int(np.clip(most * 2 // 3, MIN_SWEEPS, SWEEPS))
    tune = int(np.clip(most // 3, MIN_TUNE, TUNE))
    draws = max(chains * sweeps // THIN, 1)
    draws = min(draws, max(MAX_PARAMETERS // (4 * cells), 2))
    return Options(
        draws=draws if asked.draws is None else asked.draws,
        tune=tune if asked.tune is None else asked.tune,
        chains=chains,
        prob=asked.prob,
    )


def better_chains(
    heights: Float[np.ndarray, "T C"], generator: np.random.Generator
) -> Int[np.ndarray, " C"]:
    """Return where chains go on from: those far below the best, from another one.

    Chains that start from votes can settle in different explanations of the answers, of
    which one is far more probable than another. Left alone they would be averaged as if
    all were equally so.

    Parameters
    ----------
    heights
        Log probability of the explanations in some sweeps.
    generator
        Source of random numbers.
    """
    number = heights.shape[1]
    batches = np.array([part.mean(0) for part in np.array_split(heights, BATCHES)])
    mean, error = batches.mean(0), batches.std(0, ddof=1) / np.sqrt(BATCHES)
    best = int(mean.argmax())
    lacking = mean[best] - mean
    bad = lacking > MARGIN + 3 * np.hypot(error, error[best])
    source = np.arange(number)
    source[bad] = generator.choice(source[~bad], bad.sum())
    return source


def fit(
    model: RowEffectsModel[Any],
    space: Space,
    seed: Seed,
    effort: Options,
    report: Reporter = silent,
) -> Result:
    """Fit by Gibbs sampling.

    Parameters
    ----------
    model
        A model of confusion rows with normal effects.
    space
        What can be true, and the answers.
    seed
        Seed of all draws.
    effort
        How long to sample.
    report
        Called with the progress made.
    """
    effort = effort if effort.chains else options(model, space, {})
    generator = generator_of(seed)
    number, tune = effort.chains or 1, effort.tune or 0
    truth = TruthDraws(model, space, number, generator)
    design = model.effects(truth.matrix, model.prior)
    chains = Chains(design, truth, space.num_annotators, generator)
    kept: dict[str, list[Any]] = {}
    likelihood = []
    moments = Moments(*np.zeros((3, *truth.state.shape)))
    draws = max(-(-(effort.draws or 1) // number), 1)
    whole = tune + draws * THIN
    heights: list[Float[np.ndarray, " C"]] = []
    for sweep in range(whole):
        swept = chains.sweep(tune=sweep < tune)
        if SETTLED * tune <= sweep < RESTART * tune:
            heights.append(chains.height(swept))
        elif len(heights) >= 2 * BATCHES:
            chains.restart(better_chains(np.array(heights), generator))
            heights = []
        if (sweep + 1) % BLOCK == 0 or sweep + 1 == whole:
            phase = "warming up" if sweep < tune else "drawing"
            report(Progress("gibbs", sweep + 1, whole, phase))
        if sweep < tune:
            continue
        add_draws(moments, swept.belief)
        if (sweep - tune) % THIN != THIN - 1:
            continue
        for name, value in chains.parameters().items():
            kept.setdefault(name, []).append(value.astype(np.float32))
        likelihood.append(swept.log_likelihood)
    seen = draws * THIN * number
    lower, upper = interval(moments, seen, effort.prob)
    belief = mean_belief(moments, seen)
    parameters = {name: np.stack(values, 1) for name, values in kept.items()}
    log_likelihood = np.stack(likelihood, 1)
    return Result(
        parameters={**parameters, **truth.derived(parameters)},
        belief=belief,
        lower=np.minimum(lower, belief),
        upper=np.maximum(upper, belief),
        log_likelihood=log_likelihood if log_likelihood.size <= MAX_KEPT else None,
        sample_stats={},
        optimization=None,
    )
