"""Coordinate ascent for models with Dirichlet priors: the loop that EM and VB share.

One sweep takes the log probabilities of the parameters to the score of every unit, sums
the truth out, and reads the expected counts off as the gradient. EM and VB differ in
how counts become log probabilities and in what the priors add to the objective; that is
the `Rule`. Concentrations that are learned take a step of their own (`learned_prior`),
and so do prevalence and weights where candidates have columns (`logit_step`); each such
step is itself an ascent, so the objective never falls.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import softmax
from jaxtyping import Array, Bool, Float, Int, Key

from consilience.errors import DivergedError
from consilience.inference.compiled import compiled
from consilience.inference.learned_prior import hyperprior, learn
from consilience.inference.logit_step import first_logit, logit_step
from consilience.inference.logit_step import log_density as log_density_of_logit
from consilience.inference.newton import log_density, newton_step, normal_priors
from consilience.inference.result import Optimization
from consilience.model import (
    PREVALENCE,
    AnnotatorModel,
    Parameters,
    belief,
    closed_priors,
    derived,
    expected_counts,
    marginal,
    posterior_of_truth,
    score,
    splits,
    takes_columns,
)
from consilience.progress import Progress, Reporter
from consilience.truth import Observations

BLOCK = 20  # sweeps between looks at the clock and the keyboard
FIRST_LEARNED = 3  # by then the counts no longer echo the first guess


@dataclass(frozen=True, slots=True)
class Rule:
    """What sets EM and VB apart.

    Attributes
    ----------
    what
        Name of the objective.
    logs
        Log probabilities from concentration + counts.
    price
        What the objective loses for the parameters: from prior concentration,
        concentration + counts, and log probabilities.
    """

    what: str
    logs: Callable[[Float[Array, "*batch L"]], Float[Array, "*batch L"]]
    price: Callable[
        [Float[Array, "*batch L"], Float[Array, "*batch L"], Float[Array, "*batch L"]],
        Float[Array, ""],
    ]


class Climb(NamedTuple):
    """Where a climb stands.

    Expected counts and concentrations of the parameters with Dirichlet priors, by name,
    values of those that are free numbers, and where candidates have columns the
    logarithms of prevalence and the weights.
    """

    counts: Mapping[str, Float[Array, "..."]]
    concentration: Mapping[str, Float[Array, "..."]]
    free: Parameters = {}  # noqa: RUF012 (a tuple's default; never changed)
    logit: Parameters = {}  # noqa: RUF012


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """When to stop.

    Attributes
    ----------
    tolerance
        Smallest gain of the objective per answer that is worth another sweep, in nats.
    sweeps
        Most sweeps.
    restarts
        Starts in all; the first from the vote shares, the others from noise around
        them, or dealt anew to the finer states where the model has such. The one with
        the best objective is kept.
    """

    tolerance: float = 1e-7
    sweeps: int = 2000
    restarts: int = 1


def climb(
    model: AnnotatorModel[Any],
    observations: Observations,
    rule: Rule,
    steps: Steps,
    key: Key[Array, ""],
    report: Reporter,
) -> tuple[Climb, Optimization]:
    """Climb from every start; return the best and how all went.

    Raises
    ------
    DivergedError
        The objective is not finite.
    """
    best, histories, converged, finals = None, [], [], []
    answers = float(observations.total)
    for restart in range(steps.restarts):
        of_truth, of_finer = jax.random.split(jax.random.fold_in(key, restart))
        guess = observations.guess
        if restart and splits(model) == 1:
            guess = _shaken(guess, of_truth)
        start = _start(model, replace(observations, guess=guess), of_finer)
        phase = f"start {restart + 1} of {steps.restarts}"
        end, history, done = _run(
            model, observations, rule, steps, answers, start, report, phase
        )
        histories.append(history)
        converged.append(done)
        finals.append(history[-1])
        if best is None or history[-1] > max(finals[:-1]):
            best = end
    assert best is not None  # noqa: S101 (for the type checker: there is a start)
    if not np.isfinite(finals).all():
        msg = (
            f"the {rule.what} of {finals.count(max(finals))} start(s) is not finite; "
            "check priors and candidate weights for infinite or huge numbers"
        )
        raise DivergedError(msg)
    width = max(map(len, histories))
    objective = np.full((len(histories), width), np.nan)
    for row, history in zip(objective, histories, strict=True):
        row[: len(history)] = history
    chosen = int(np.argmax(finals))
    how = Optimization(rule.what, objective, np.asarray(converged), chosen)
    return best, how


@partial(compiled, static_argnames=("model", "rule"))
def logs_and_belief(
    model: AnnotatorModel[Any], observations: Observations, rule: Rule, where: Climb
) -> tuple[Parameters, Float[Array, "U S"], Float[Array, " U"]]:
    """Return log probabilities, posterior of the truth and marginal log-likelihood."""
    logs = _logs(rule, where)
    scores = score(model, observations, logs)
    return logs, posterior_of_truth(model, belief(scores)), marginal(scores)


@partial(jax.jit, static_argnames="model")
def point(
    model: AnnotatorModel[Any], observations: Observations, where: Climb
) -> Parameters:
    """Return the means of the parameters, and what is derived from them."""
    means = {
        name: _mean(where.concentration[name] + counts)
        for name, counts in where.counts.items()
    }
    logs = {name: jnp.log(mean) for name, mean in means.items()}
    told = derived(model, observations, {**logs, **where.free, **where.logit})
    return {**means, **where.free, **as_told(where.logit), **told}


def _run(
    model: AnnotatorModel[Any],
    observations: Observations,
    rule: Rule,
    steps: Steps,
    answers: float,
    where: Climb,
    report: Reporter,
    phase: str,
) -> tuple[Climb, list[float], bool]:
    history: list[float] = []
    threshold = steps.tolerance * answers
    converged = False
    last = -np.inf
    while not converged and len(history) < steps.sweeps:
        where, values, done, converged = _block(
            model, rule, observations, where, last, len(history), threshold
        )
        values = np.asarray(values)[: int(done)]
        history.extend(values.tolist())
        last = history[-1]
        note = f"{rule.what} {last:,.2f}"
        report(Progress(phase, len(history), steps.sweeps, note))
        if not np.isfinite(last):
            break
    ended = f"{rule.what} {last:,.2f} after {len(history)} sweeps"
    report(Progress(phase, steps.sweeps, steps.sweeps, ended))
    return where, history, bool(converged)


@partial(compiled, static_argnames=("model", "rule"))
def _block(
    model: AnnotatorModel[Any],
    rule: Rule,
    observations: Observations,
    where: Climb,
    last: Float[Array, ""] | float,
    before: Int[Array, ""] | int,
    threshold: Float[Array, ""] | float,
) -> tuple[Climb, Float[Array, " block"], Int[Array, ""], Bool[Array, ""]]:
    priors = closed_priors(model, observations)
    free_priors = normal_priors(model, observations)
    imagined = imagined_units(model, observations)

    def unfinished(carry: Any) -> Bool[Array, ""]:
        _, _, _, number, finished = carry
        go_on: Bool[Array, ""] = (number < BLOCK) & ~finished
        return go_on

    def sweep(carry: Any) -> Any:
        where, values, last, number, _ = carry
        logs = _logs(rule, where)

        def likelihood(logs: Parameters) -> tuple[Float[Array, ""], Any]:
            scores = score(model, observations, logs)
            return (observations.scale * marginal(scores)).sum(), scores

        (value, scores), slope = jax.value_and_grad(likelihood, has_aux=True)(logs)
        counts = {name: slope[name] for name in priors}
        free = where.free
        value += log_density(free_priors, free)
        if free:
            free = newton_step(model, observations, logs, free, belief(scores))
        logit = where.logit
        if logit:
            value += log_density_of_logit(imagined, logit)
            truth = posterior_of_truth(model, belief(scores))
            logit = logit_step(observations, imagined, logit, truth)
        for name, prior in priors.items():
            concentration = where.concentration[name]
            value -= rule.price(
                jnp.broadcast_to(concentration, prior.shape),
                concentration + where.counts[name],
                logs[name],
            )
            value += hyperprior(prior, concentration)
        late = before + number >= FIRST_LEARNED
        concentration = {
            name: learn(prior, where.concentration[name], counts[name], late)
            for name, prior in priors.items()
        }
        finished = (value - last < threshold) & (before + number > FIRST_LEARNED)
        values = values.at[number].set(value)
        where = Climb(counts, concentration, free, logit)
        return where, values, value, number + 1, finished

    values = jnp.full(BLOCK, jnp.nan)
    last = jnp.asarray(last, values.dtype)
    start = (where, values, last, jnp.asarray(0), jnp.asarray(False))  # noqa: FBT003
    where, values, _, done, finished = jax.lax.while_loop(unfinished, sweep, start)
    return where, values, done, finished


@partial(compiled, static_argnames="model")
def _start(
    model: AnnotatorModel[Any], observations: Observations, key: Key[Array, ""]
) -> Climb:
    priors = closed_priors(model, observations)
    concentration = {name: prior.concentration for name, prior in priors.items()}
    logs = {
        name: jnp.broadcast_to(jnp.log(_mean(prior.concentration)), prior.shape)
        for name, prior in priors.items()
    }
    free = {
        name: jnp.zeros(prior.shape)
        for name, prior in normal_priors(model, observations).items()
    }
    split = splits(model)
    # Finer states are alike by the prior: each unit is dealt to them at random.
    deal = jax.random.exponential(key, (*observations.guess.shape, split))
    deal = observations.guess[..., None] * deal / deal.sum(-1, keepdims=True)
    states = deal.reshape(len(deal), -1)
    logit: Parameters = {}
    if observations.beforehand is not None and takes_columns(model):
        logit = first_logit(observations, imagined_units(model, observations))
    counts = expected_counts(model, observations, {**logs, **free, **logit}, states)
    counts = {name: counts[name] for name in priors}
    # A number that JAX holds to be of no certain type would have the first sweeps and
    # the later ones compiled apart.
    start = Climb(counts, concentration, free, logit)
    typed: Climb = jax.tree.map(lambda leaf: leaf.astype(float), start)
    return typed


@compiled
def _shaken(guess: Float[Array, "U S"], key: Key[Array, ""]) -> Float[Array, "U S"]:
    # Half the vote shares, half a point drawn evenly from the simplex of possible
    # states: far enough to reach other optima, near enough to keep the labels' names.
    noise = jax.random.exponential(key, guess.shape, guess.dtype) * (guess > 0)
    return 0.5 * guess + 0.5 * noise / noise.sum(1, keepdims=True)


def imagined_units(
    model: AnnotatorModel[Any], observations: Observations
) -> Float[Array, " K"]:
    """Return how many units of each state the prior of the prevalence imagines."""
    assert model.dirichlet is not None  # noqa: S101 (asked by the caller)
    priors = model.dirichlet(observations, model.prior)
    if PREVALENCE not in priors:
        return jnp.ones(observations.num_states)
    prior = priors[PREVALENCE]
    return jnp.broadcast_to(prior.concentration, prior.shape)


def as_told(logit: Parameters) -> Parameters:
    """Return prevalence as shares, and weights as they are."""
    return {
        name: softmax(value) if name == PREVALENCE else value
        for name, value in logit.items()
    }


def _logs(rule: Rule, where: Climb) -> Parameters:
    logs = {
        name: rule.logs(where.concentration[name] + counts)
        for name, counts in where.counts.items()
    }
    return {**logs, **where.free, **where.logit}


def _mean(concentration: Float[Array, "*batch L"]) -> Float[Array, "*batch L"]:
    return concentration / concentration.sum(-1, keepdims=True)
