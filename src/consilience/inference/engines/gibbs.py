"""Gibbs sampling of models whose confusion rows have normal effects of annotators.

Draws come from the exact posterior, started where labels are what was voted for.
Nothing is compiled. Unless told how long, the sampler goes on until what users read has
R-hat and effective sample sizes within the limits of `inference.mixing`, or until a
limit of work. Work is counted, not timed, so that a seed gives the same draws on every
machine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from consilience.continuing import Loop
from consilience.executors import products_on_one_thread
from consilience.inference.augmentation import add_draws
from consilience.inference.gibbs_chains import EXCHANGE, Chains
from consilience.inference.mixing import Mixing, judge, undecided
from consilience.inference.modes import described, pooled
from consilience.inference.options import EngineOptions, Seed, generator_of
from consilience.inference.result import MAX_KEPT, Moments, Result
from consilience.inference.truth_draws import Scored, TruthDraws, is_dense
from consilience.model import NODES, Model, row_effects
from consilience.progress import Progress, Reporter, logger, silent
from consilience.truth import Space

NEEDS_DRAWS, HAS_CLOSED_FORM = True, True
BLOCK = 10  # sweeps between reports
WARMING_UP, DRAWING = "gibbs warming up", "gibbs drawing"
# Chains run side by side, so that twelve take twice as long as two where answers are
# few, and learn together how long steps may be. One cannot be compared.
CHAINS, MIN_CHAINS = 12, 4
# Sweeps thrown away, and at which shares of them step sizes are learned anew.
TUNE, MIN_TUNE, LEARNED = 100, 50, (0.1, 0.3, 0.5, 0.8)
# Leapfrog steps of a sweep, while it is tuned and then. In studies of 480 to 3,000
# answers, 10, 16 and 24 steps gave 106 to 384, 175 to 216 and 133 to 168 effective
# draws a second, and 10 the fewest where convergence is slowest.
SHORT, LONG = 8, 16
FIRST, GROWTH = 480, 1.5  # kept draws at the first look at the chains; from then on
MIN_SWEEPS = 60
FEWEST = 24  # sweeps, thrown away and kept, where the time is over
MAX_DRAWS = 720  # draws of all chains: of twice as many every other one is dropped
# What a step costs, in visits of an answer, a state and a node (.4 ns on one core of
# 2026): the calls of a step, which many arrays share, and each cell of a confusion;
# where a table of all answers would have few in it, twice as much.
OVERHEAD, CELL, SPARSE = 300_000, 20, 2
# Work by default: about three to five seconds of one core.
MAX_VISITS = 8_000_000_000
# Sweeps between which chains in a worse explanation go on from a better one, and before
# the first of them; by how many nats it must be worse, beyond Monte Carlo error. On the
# public study of ducks the explanations with wrong labels lack 20 and 300 nats.
SETTLED, RESTART, BATCHES, MARGIN = 20, 20, 4, 5.0
MAX_PARAMETERS = 20_000_000  # numbers in all draws together (float32: 80 MB)


def default_chains(space: Space) -> int:
    """Return as many chains as can be tuned, and looked at, with half of the work."""
    steps = TUNE * (SHORT + 1) + FIRST / CHAINS * (LONG + 1)
    most = (MAX_VISITS / 2 / steps - OVERHEAD) / (visits(space, 1) - OVERHEAD)
    return int(np.clip(most, MIN_CHAINS, CHAINS))


def visits(space: Space, chains: int) -> int:
    """Return what a leapfrog step costs."""
    answers = len(space.unit) * space.state.shape[1]
    answers *= 2 if is_dense(space) else 2 * SPARSE
    return OVERHEAD + chains * NODES * (answers + CELL * _cells(space))


def better_chains(
    heights: Float[np.ndarray, "T C"], generator: np.random.Generator
) -> Int[np.ndarray, " C"]:
    """Return where chains go on from: not from those that are far below the best."""
    batches = np.array([part.mean(0) for part in np.array_split(heights, BATCHES)])
    mean, error = batches.mean(0), batches.std(0, ddof=1) / np.sqrt(BATCHES)
    best = int(mean.argmax())
    lacking = mean[best] - mean
    bad = lacking > MARGIN + 3 * np.hypot(error, error[best])
    good = np.flatnonzero(~bad)
    return np.where(bad, generator.choice(good, len(bad)), np.arange(len(bad)))


@products_on_one_thread()
def fit(
    model: Model[Any],
    space: Space,
    seed: Seed,
    effort: EngineOptions,
    report: Reporter = silent,
) -> Result:
    """Fit by Gibbs sampling."""
    number = effort.chains or default_chains(space)
    tune = effort.tune
    if tune is None:
        affordable = MAX_VISITS / 9 / visits(space, number)
        tune = int(np.clip(affordable, MIN_TUNE, TUNE))
    generator = generator_of(seed)
    truth = TruthDraws(model, space, number)
    design = row_effects(model, truth.matrix)
    chains = Chains(design, truth, space.num_annotators, generator)
    # Fewer steps where there are so many answers that sweeps would be too few.
    most_steps = MAX_VISITS // visits(space, number)
    steps = max(most_steps // (3 * TUNE) - 1, 1)
    short, long = min(steps, SHORT), min(steps, LONG)
    tuning, work = (each + 1 + each // EXCHANGE for each in (short, long))
    limit = max((most_steps - tune * tuning) // work, MIN_SWEEPS)
    look = min(max(FIRST // number, MIN_SWEEPS // 2), limit)
    if effort.draws is not None:
        limit = look = max(-(-effort.draws // number), 1)
    guess = _warm_up(chains, tune, short, generator, report)
    most = MAX_PARAMETERS // (4 * _cells(space))
    kept = _Kept(chains, undecided(guess), effort, most)

    def judged() -> tuple[Any, Mixing]:
        parameters, labels = kept.parameters(), np.stack(kept.labels, 1)
        mixing = judge(model, space, parameters, labels, kept.units[0])
        mixing = replace(mixing, draws=number * kept.sweeps)
        logger.info("gibbs: %s", _progress(number, tune, kept.sweeps, mixing))
        return parameters, mixing

    state: dict[str, Any] = {"chains": chains, "kept": kept, "look": look}
    verdict: tuple[Any, Mixing] | None = None
    fewest = min(FEWEST, limit)
    loop = Loop(DRAWING, state, limit, fewest=fewest, records=(Moments,))
    for sweep in loop:
        kept.add(chains.sweep(long, tune=False))
        if sweep + 1 == state["look"] < limit:
            state["look"] = min(int(state["look"] * GROWTH), limit)
            verdict = judged()
            if verdict[1].enough:
                loop.end()
        _tell(report, sweep + 1, limit, DRAWING)
    report(Progress(DRAWING, limit, limit))
    if verdict is None or not verdict[1].enough:
        verdict = judged()
    parameters, mixing = verdict
    likelihood = np.stack(kept.likelihood, 1)
    belief = np.zeros(truth.state.shape)
    result = Result(
        parameters=parameters,
        belief=belief,
        lower=belief,
        upper=belief,
        log_likelihood=likelihood if likelihood.size <= MAX_KEPT else None,
        mixing=described(model, space, parameters, mixing),
        moments=tuple(kept.moments),
        sweeps=kept.sweeps,
    )
    return pooled(result, effort.prob)


def _warm_up(
    chains: Chains,
    tune: int,
    steps: int,
    generator: np.random.Generator,
    report: Reporter,
) -> Float[np.ndarray, "U S"]:
    """Sweep through what is thrown away; return what its last third believes."""
    learned = [int(share * tune) for share in LEARNED]
    guess = np.array(chains.truth.matrix.guess)
    state: dict[str, Any] = {"chains": chains, "guess": guess, "heights": []}
    for sweep in Loop(WARMING_UP, state, tune, fewest=min(tune, FEWEST)):
        heights, scored = state["heights"], chains.sweep(steps, tune=True)
        if sweep >= SETTLED:
            heights.append(chains.height(scored))
        if len(heights) == RESTART:
            chains.restart(better_chains(np.array(heights), generator))
            heights.clear()
        if sweep in learned:
            chains.trajectories.learn()
        if 3 * sweep >= 2 * tune:
            state["guess"] += chains.truth.belief(scored).mean(0)
        _tell(report, sweep + 1, tune, WARMING_UP)
    summed: Float[np.ndarray, "U S"] = state["guess"]
    return summed / summed.sum(1, keepdims=True)


class _Kept:
    """Draws and moments of sweeps that are kept, every other draw dropped at times."""

    CHANGES = ("sweeps", "thin", "moments", "drawn", "likelihood", "labels")

    def __init__(
        self,
        chains: Chains,
        units: tuple[Int[np.ndarray, " V"], Int[np.ndarray, " V"]],
        effort: EngineOptions,
        most: int,
    ) -> None:
        number = chains.truth.chains
        self.chains, self.units, self.sweeps, self.thin = chains, units, 0, 1
        self.most = max(most // number, 4)
        if effort.draws is None:
            self.most = min(self.most, MAX_DRAWS // number)
        shape = chains.truth.state.shape
        self.moments = [Moments(*np.zeros((3, *shape))) for _ in range(number)]
        self.drawn: list[dict[str, Float[np.ndarray, "C ..."]]] = []
        self.likelihood: list[Float[np.ndarray, "C U"]] = []
        self.labels: list[Float[np.ndarray, "C V"]] = []

    def add(self, scored: Scored) -> None:
        """Add a sweep."""
        self.sweeps += 1
        belief = self.chains.truth.belief(scored)
        for moments, one in zip(self.moments, belief, strict=True):
            add_draws(moments, one[None])
        if self.sweeps % self.thin:
            return
        drawn = self.chains.parameters()
        self.drawn.append(
            {name: each.astype(np.float32) for name, each in drawn.items()}
        )
        self.likelihood.append(scored.log_likelihood)
        self.labels.append(belief[:, *self.units].astype(np.float32))
        if len(self.drawn) >= 2 * self.most:
            self.thin *= 2
            for draws in (self.drawn, self.likelihood, self.labels):
                del draws[::2]

    def parameters(self) -> dict[str, Float[np.ndarray, "C D ..."]]:
        """Return the draws, and what follows from them."""
        names = list(self.chains.parameters())
        new = [draw for draw in self.drawn if len(draw) == len(names)]
        if new:
            derived = self.chains.truth.derived(_stacked(new, names))
            for place, draw in enumerate(new):
                draw.update({name: each[:, place] for name, each in derived.items()})
        return _stacked(self.drawn, list(self.drawn[0]))


def _stacked(
    draws: Sequence[Mapping[str, Float[np.ndarray, "C ..."]]], names: Sequence[str]
) -> dict[str, Float[np.ndarray, "C D ..."]]:
    return {name: np.stack([draw[name] for draw in draws], 1) for name in names}


def _cells(space: Space) -> int:
    return space.num_annotators * len(space.states) * len(space.answers)


def _tell(report: Reporter, done: int, whole: int, phase: str) -> None:
    if done % BLOCK == 0 or done == whole:
        report(Progress(phase, done, whole))


def _progress(chains: int, tune: int, sweeps: int, mixing: Mixing) -> str:
    """Say how far the chains came, for the log."""
    what = f"{chains} chains, {tune:,} sweeps thrown away and {sweeps:,} kept"
    if chains < 2 or not len(mixing.rhat):
        return what
    return (
        f"{what}: R-hat up to {mixing.rhat.max():.2f}, bulk ESS from "
        f"{mixing.ess_bulk.min():.0f}, tail ESS from {mixing.ess_tail.min():.0f}"
    )
