"""Variational Bayes: coordinate ascent on the evidence lower bound, then draws.

The variational posterior is too sure of the truth, since it takes the parameters for
better known than they are, and of the parameters wherever the truth is uncertain, since
it takes the truth's posterior for settled. So what is reported comes from data
augmentation, which draws from the exact posterior: the probability of a label is its
mean over the draws, its interval that of its log-odds. Without draws the variational
posterior of the truth is all there is.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from consilience.inference.ascent import Steps, UpdateRule, logs_of, optimize, point
from consilience.inference.augmentation import FEWEST, augment, believed
from consilience.inference.dirichlet import expected_log, log_normaliser
from consilience.inference.options import EngineOptions, Seed, generator_of
from consilience.inference.result import MAX_KEPT, Result, at_a_point
from consilience.model import HostModel, Model, num_substates
from consilience.progress import Reporter, silent
from consilience.truth import Space

MOST = 200  # draws
# Answers x states that all draws together may visit by default: some seconds on two
# cores.
MAX_VISITS = 100_000_000
# Up to so many, several chains are drawn. Where two labels are much alike, a chain may
# swap them for hundreds of sweeps: in a simulated study of 1,200 answers the log-loss
# was .28 to .54 over six seeds by one chain of 1,000 draws, and .29 or less in five of
# six by three of 200.
MAX_IN_CHAINS, MOST_CHAINS = 8_000_000, 3
MAX_PARAMETERS = 20_000_000  # numbers in all draws together (float32: 80 MB)
MAX_STARTED = 10_000_000  # answers x states that all starts together may visit
STARTS, FINER_STARTS = 5, 40  # at most; more where the model has finer states
# Answers x states from which there are at most two. Of 200,000 simulated answers to ten
# labels, the best of four starts was .00007 nats an answer above the others.
LARGE, STARTS_IF_LARGE = 900_000, 2
# That have ended at the best objective of all, after which no more are made. On 20
# public sets and five models, the best of all starts was missed once in 100 by three
# (by .0001 nats an answer), and four times by two (by up to .008).
AGREEING = 3

NEEDS_DRAWS, HAS_CLOSED_FORM = False, True


def fit(
    model: Model[Any],
    space: Space,
    seed: Seed,
    effort: EngineOptions,
    report: Reporter = silent,
    steps: Steps | None = None,
) -> Result:
    """Fit by variational Bayes, in the steps of the effort or in other ones."""
    of_climb, of_draws = generator_of(seed).spawn(2)
    sweeps = HostModel(model, space)
    steps = steps or steps_of(model, space, effort)
    where, how = optimize(sweeps, RULE, steps, of_climb, report)
    swept = sweeps.sweep(logs_of(RULE, where))
    truth, mean = sweeps.truth(swept.belief), point(sweeps, where)
    size = max(sum(value.size for value in mean.values()), 1)
    visits = max(len(space.unit) * space.state.shape[1], 1)
    number, chains = effort.draws, 1
    if number is None:
        number = min(MOST, MAX_VISITS // visits, MAX_PARAMETERS // size)
        number = number if number >= FEWEST else 0
        chains = int(np.clip(MAX_IN_CHAINS // (MOST * visits), 1, MOST_CHAINS))
    fixed = (
        (f"vb has point estimates of {', '.join(where.free)}",) if where.free else ()
    )
    if number == 0:
        remark = (
            "too many answers to draw intervals by default; `draws=` requests them"
            if effort.draws is None
            else "no draws were requested, so there are no intervals"
        )
        return at_a_point(mean, truth, swept.log_likelihood, how, (*fixed, remark))
    draws, moments, number = augment(
        sweeps, where, truth, of_draws, number, report, chains=chains
    )
    few = draws.likelihood.size <= MAX_KEPT
    return Result(
        parameters={name: value[None] for name, value in draws.parameters.items()},
        **believed(moments, number, effort.prob),
        log_likelihood=draws.likelihood[None] if few else None,
        optimization=how,
        remarks=fixed,
    )


def steps_of(model: Model[Any], space: Space, effort: EngineOptions) -> Steps:
    """Return when to stop; as many starts as were asked for are all made."""
    steps = default_steps(model, space).asked(effort)
    return steps if effort.restarts is None else replace(steps, agreeing=None)


def default_steps(model: Model[Any], space: Space) -> Steps:
    """Return when to stop: after as many starts as take some seconds."""
    split, visits = num_substates(model), max(len(space.unit) * space.state.shape[1], 1)
    most = STARTS if split == 1 else FINER_STARTS
    most, visits = STARTS_IF_LARGE if visits > LARGE else most, visits * split
    return Steps(
        restarts=int(np.clip(MAX_STARTED // visits, 1, most)), agreeing=AGREEING
    )


def _price(
    prior: Float[np.ndarray, "*shared L"],
    total: Float[np.ndarray, "*batch L"],
    logs: Float[np.ndarray, "*batch L"],
) -> float:
    # Kullback-Leibler divergence of Dirichlet(total) from Dirichlet(prior).
    share = total.size // prior.size
    divergence = log_normaliser(total) - share * log_normaliser(prior)
    return divergence + float(((total - prior) * logs).sum())


RULE = UpdateRule("ELBO", expected_log, _price, learns=True)
