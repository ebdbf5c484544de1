"""Data augmentation: draws from the exact posterior, started at an optimum.

In turn, learned concentrations are drawn given the truth, the parameters given both,
and the truth given the parameters (Tanner and Wong 1987). The last two are exact;
concentrations take random-walk steps (Metropolis) in their logarithms, the parameters
integrated out: given these, they would hardly move where answers are few. The start
lies inside the posterior, so little is thrown away; successive draws are alike, and the
chain stays with the optimum that it started from. Parameters that are free numbers stay
where the optimizer left them. Prevalence and the weights of candidates' columns are
drawn given the truth, too.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from consilience.continuing import Loop
from consilience.inference.ascent import Optimum, as_reported
from consilience.inference.dirichlet import Evidence, log_dirichlet, total
from consilience.inference.prevalence import column_prior
from consilience.inference.result import Moments
from consilience.model import Dirichlet, HostModel, Parameters, Swept
from consilience.progress import Progress, Reporter

BLOCK = 10  # draws between reports
BURN_IN = 20  # sweeps thrown away
FEWEST = 20  # draws of each chain; fewer give no interval worth printing
GIVEN_BURN_IN = 5  # of tables given the truth, which is drawn afresh each time
LEAST = 1e-12  # log-odds are those of a probability at least so far from 0 and 1
# Steps of the concentrations in a sweep, each of a size drawn afresh between an eighth
# and four times the spread that J known vectors leave, so that some fit however they
# are known.
STEPS = 10
SIZES = (-3.0, 2.0)


class Draws(NamedTuple):
    """Draws of the parameters, and log-likelihood (draw, U) of each."""

    parameters: dict[str, Float[np.ndarray, "D ..."]]
    likelihood: Float[np.ndarray, "D U"]


def augment(
    host: HostModel,
    where: Optimum,
    truth: Float[np.ndarray, "U S"],
    generator: np.random.Generator,
    number: int,
    report: Reporter,
    *,
    chains: int = 1,
) -> tuple[Draws, Moments, int]:
    """Draw from the exact posterior, starting from the optimum; say how often."""
    moments = Moments(*np.zeros((3, *truth.shape)))
    kept: dict[str, list[Float[np.ndarray, ...]]] = {}
    likelihood: list[Float[np.ndarray, ...]] = []
    each, drawn = BURN_IN + number, 0
    for chain, source in enumerate(generator.spawn(chains)):
        at_work = _Chain(host, where, truth, source)
        state: dict[str, Any] = {"chain": at_work, "sums": moments}
        state |= {"kept": kept, "likelihood": likelihood}
        fewest = BURN_IN + min(FEWEST, number)
        loop = Loop("drawing", state, each, fewest=fewest, records=(Moments,))
        moments, kept = state["sums"], state["kept"]
        likelihood = state["likelihood"]
        for at in loop:
            parameters, swept = at_work.sweep()
            done = chain * each + at + 1
            if done % BLOCK == 0 or done == chains * each:
                report(Progress("drawing", done, chains * each))
            if at < BURN_IN:
                continue
            add_draws(moments, host.truth(swept.belief)[None])
            if (at - BURN_IN) % chains:
                continue
            for name, value in reported(host, where, parameters).items():
                kept.setdefault(name, []).append(np.asarray(value, np.float32))
            likelihood.append(swept.log_likelihood.astype(np.float32))
        drawn += loop.done - BURN_IN
    stacked = {name: np.stack(draws) for name, draws in kept.items()}
    return Draws(stacked, np.stack(likelihood)), moments, drawn


class _Chain:
    """Where a chain stands, and how it goes on."""

    CHANGES = ("counts", "concentration", "logit", "truth", "random")

    def __init__(
        self,
        host: HostModel,
        where: Optimum,
        truth: Float[np.ndarray, "U S"],
        generator: np.random.Generator,
    ) -> None:
        self.host, self.free, self.random = host, where.free, generator
        self.counts, self.concentration = where.counts, where.concentration
        self.logit, self.truth = where.logit, truth
        columns = column_prior(host)
        self.draw_logit: Callable[..., Parameters] = lambda logit, *_: logit
        if columns is not None:
            self.draw_logit = partial(columns.draw, columns.walk(where.logit))

    def sweep(self) -> tuple[Parameters, Swept]:
        """Draw everything once; return parameters and what they say of the truth."""
        generator, host = self.random, self.host
        self.concentration, logs = draw_parameters(
            generator, host.priors, self.concentration, self.counts
        )
        self.logit = self.draw_logit(self.logit, self.truth, generator)
        parameters = {**logs, **self.free, **self.logit}
        states = []

        def assigned(belief: Any) -> Any:
            states.append(one_of(generator, belief))
            return states[-1]

        swept = host.sweep(parameters, assign=assigned, deal=generator)
        self.counts, self.truth = swept.counts, host.truth(states[-1])
        return parameters, swept


def tables_given_truth(
    model: HostModel,
    counts: Iterable[Callable[[Parameters], Parameters]],
    generator: np.random.Generator,
) -> dict[str, Float[np.ndarray, "D ..."]]:
    """Draw parameters given draws of the truth, but for the first; and what follows."""
    priors = model.priors
    concentration = {
        name: np.asarray(prior.concentration) for name, prior in priors.items()
    }
    logs = {
        name: np.broadcast_to(np.log(concentration[name]), prior.shape)
        for name, prior in priors.items()
    }
    kept: dict[str, list[Float[np.ndarray, ...]]] = {}
    for number, counted in enumerate(counts):
        concentration, logs = draw_parameters(
            generator, priors, concentration, counted(logs)
        )
        if number >= GIVEN_BURN_IN:
            each = {name: np.exp(values) for name, values in logs.items()}
            for name, values in {**each, **model.derived(logs)}.items():
                kept.setdefault(name, []).append(np.asarray(values, np.float32))
    return {name: np.stack(values) for name, values in kept.items()}


def counted_in(
    model: HostModel,
    truths: Iterable[Float[np.ndarray, "U S"]],
    generator: np.random.Generator,
) -> Iterator[Callable[[Parameters], Parameters]]:
    """Give what draws of the truth count, each of its units in one state."""
    for truth in truths:
        yield partial(model.counts, weight=one_of(generator, truth))


def draw_parameters(
    generator: np.random.Generator,
    priors: Mapping[str, Dirichlet],
    concentration: Mapping[str, Float[np.ndarray, "..."]],
    counts: Mapping[str, Float[np.ndarray, "..."]],
) -> tuple[dict[str, Float[np.ndarray, "..."]], dict[str, Float[np.ndarray, "..."]]]:
    """Draw concentrations and the logarithms of parameters, given counts."""
    drawn = {
        name: _draw_concentration(generator, prior, concentration[name], counts[name])
        for name, prior in priors.items()
    }
    logs = {
        name: log_dirichlet(generator, drawn[name] + count)
        for name, count in counts.items()
    }
    return drawn, logs


def reported(host: HostModel, where: Optimum, parameters: Parameters) -> Parameters:
    """Return a draw as it is reported: probabilities as such, and what follows."""
    closed = {name: np.exp(parameters[name]) for name in where.counts}
    logit = {name: parameters[name] for name in where.logit}
    return {**closed, **where.free, **as_reported(logit), **host.derived(parameters)}


def add_draws(moments: Moments, belief: Float[np.ndarray, "C U S"]) -> None:
    """Add draws to the sums."""
    # Summed over finer states, a probability can round to more than one.
    sure = np.minimum(belief, 1.0)
    odds = np.clip(sure, LEAST, 1 - LEAST)
    odds /= 1 - odds
    np.log(odds, out=odds)
    moments.belief[...] += sure.sum(0)
    moments.first[...] += odds.sum(0)
    moments.second[...] += np.square(odds, out=odds).sum(0)


def _draw_concentration(
    generator: np.random.Generator,
    prior: Dirichlet,
    concentration: Float[np.ndarray, "*shared L"],
    counts: Float[np.ndarray, "*batch L"],
) -> Float[np.ndarray, "*shared L"]:
    if prior.hyperprior_weight is None:
        return concentration
    walker = np.log(concentration)
    rows = walker.shape[:-1]
    number = counts.size // concentration.size
    size = 2.0 ** generator.uniform(*SIZES, (STEPS, *rows, 1)) / np.sqrt(number)
    move = size * generator.standard_normal((STEPS, *walker.shape))
    luck = -generator.standard_exponential((STEPS, *rows, 1))
    evidence = Evidence(prior, counts)
    height = evidence(concentration) + total(walker)[..., None]
    for step in range(STEPS):
        there = walker + move[step]
        reached = evidence(np.exp(there)) + total(there)[..., None]
        taken = luck[step] < reached - height
        walker = np.where(taken, there, walker)
        height = np.where(taken, reached, height)
    return np.exp(walker)


def one_of(
    generator: np.random.Generator, belief: Float[np.ndarray, "U M"]
) -> Float[np.ndarray, "U M"]:
    """Draw one state of each unit."""
    columns = belief.T
    below = np.zeros(len(belief))
    point = generator.random(len(belief)) * np.einsum("um->u", belief)
    slot = np.zeros(len(belief), np.int64)
    for column in columns[:-1]:
        below += column
        slot += below <= point
    drawn = np.zeros(belief.shape)
    drawn[np.arange(len(drawn)), slot] = 1.0
    return drawn


def believed(moments: Moments, number: int, prob: float) -> dict[str, Any]:
    """Return what so many draws say of the truth, as fields of a result.

    Bounds are those of the log-odds over the draws, taken as normal.
    """
    whole = moments.belief.sum(1, keepdims=True)
    belief = moments.belief / np.where(whole > 0, whole, number)
    middle = moments.first / number
    variance = moments.second / number - middle**2
    reach = NormalDist().inv_cdf((1 + prob) / 2) * np.sqrt(np.maximum(variance, 0))
    lower, upper = (1 / (1 + np.exp(-middle - sign * reach)) for sign in (-1, 1))
    return {
        "belief": belief,
        "lower": np.minimum(lower, belief),
        "upper": np.maximum(upper, belief),
    }
