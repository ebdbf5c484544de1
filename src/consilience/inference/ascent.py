"""Coordinate ascent for models with Dirichlet priors: the loop that EM and VB share.

One sweep takes the log probabilities of the parameters to the score of every unit, sums
the truth out, and counts what is expected (`model.host`). EM and VB differ in how
counts become log probabilities and in what the priors add to the objective; that is the
`UpdateRule`. Concentrations that VB learns take a step of their own, and so do
prevalence and weights where candidates have columns (`inference.prevalence`); each such
step is itself an ascent, so the objective never falls. Should it fall all the same, the
ascent ends at the best place, and is not taken for converged.

**A long step along two sweeps, kept if the objective increases.** EM moves by ever
shorter steps in much the same direction; two of them say where many would lead
(Varadhan and Roland 2008, scheme S3). Counts and learned concentrations are
extrapolated in their logarithms: with linear steps, `community_bcc` took half as many
again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from consilience.continuing import Loop
from consilience.inference.dirichlet import hyperprior, learn
from consilience.inference.options import EngineOptions
from consilience.inference.prevalence import column_prior
from consilience.inference.result import Optimization
from consilience.model import PREVALENCE, HostModel, Parameters, Site, num_substates
from consilience.progress import Progress, Reporter
from consilience.when_used import special

# Sweeps that a step may stand for: at first, at least, and by what that grows where
# steps as long have gained, and shrinks where they have not.
FARTHEST, NEAREST, GROWTH = 64.0, 2.0, 4.0
FLOOR = 1e-3  # answers; of smaller counts the logarithm would lead too far
TINY = 1e-300  # keeps a bend of zero from dividing


class Optimum(NamedTuple):
    """The state of the optimizer."""

    counts: Mapping[str, Float[np.ndarray, "..."]]
    concentration: Mapping[str, Float[np.ndarray, "..."]]
    free: Parameters = {}  # noqa: RUF012 (a tuple's default; never changed)
    logit: Parameters = {}  # noqa: RUF012


def extrapolated(
    path: tuple[Optimum, Optimum, Optimum], farthest: float
) -> tuple[Optimum | None, bool]:
    """Return where many sweeps would lead, and whether they were as many as may be."""
    if not path[0].counts:
        return None, False
    before, middle, after = map(_flat, path)
    first = middle - before
    bend = after - middle - first
    size = _length(first) / max(_length(bend), TINY)
    if not size > 1:
        return None, False
    capped, size = size > farthest, min(size, farthest)
    return _filled(before + 2 * size * first + size**2 * bend, path[2]), capped


def _length(step: Float[np.ndarray, " P"]) -> float:
    # Not the norm of linear algebra, whose threads wait longer than this takes.
    return float(np.sqrt(np.einsum("p,p", step, step)))


def _flat(where: Optimum) -> Float[np.ndarray, " P"]:
    parts = [np.log(np.ravel(counts) + FLOOR) for counts in where.counts.values()]
    parts += [
        np.log(np.ravel(concentration))
        for concentration in where.concentration.values()
    ]
    return np.concatenate(parts)


def _filled(flat: Float[np.ndarray, " P"], like: Optimum) -> Optimum | None:
    parts = [*like.counts.values(), *like.concentration.values()]
    ends = np.cumsum([part.size for part in parts])
    with np.errstate(over="ignore"):
        pieces = np.split(np.exp(flat), ends[:-1])
    shaped = [
        piece.reshape(part.shape) for piece, part in zip(pieces, parts, strict=True)
    ]
    number = len(like.counts)
    counts = {
        name: np.maximum(value - FLOOR, 0.0)
        for name, value in zip(like.counts, shaped, strict=False)
    }
    concentration = dict(zip(like.concentration, shaped[number:], strict=True))
    every = [*counts.values(), *concentration.values()]
    if not all(np.isfinite(values).all() for values in every):
        return None
    if not all((values > 0).all() for values in concentration.values()):
        return None
    return like._replace(counts=counts, concentration=concentration)


BLOCK = 20  # sweeps between reports
ALIKE = 1e-5  # nats per answer between starts that have ended at one place
PLAIN = 10  # sweeps before long steps are tried
FIRST_LEARNED = 3  # by then the counts no longer echo the first guess
_ASKED = ("tolerance", "iterations", "restarts")  # of the steps, as options name them


@dataclass(frozen=True, slots=True)
class UpdateRule:
    """What sets EM and VB apart."""

    what: str
    logs: Callable[[Float[np.ndarray, "*batch L"]], Float[np.ndarray, "*batch L"]]
    price: Callable[
        [
            Float[np.ndarray, "*shared L"],
            Float[np.ndarray, "*batch L"],
            Float[np.ndarray, "*batch L"],
        ],
        float,
    ]
    learns: bool  # concentrations that have a prior of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """When to stop, and of the first start the parameters that it is at, by name."""

    tolerance: float = 1e-7
    iterations: int = 2000
    restarts: int = 1
    agreeing: int | None = None
    start: Mapping[str, Any] | None = None

    def asked(self, effort: EngineOptions) -> "Steps":
        """Return the same with what was asked for."""
        given = {name: getattr(effort, name) for name in _ASKED}
        return replace(self, **{k: v for k, v in given.items() if v is not None})


def optimize(
    host: HostModel,
    rule: UpdateRule,
    steps: Steps,
    generator: np.random.Generator,
    report: Reporter,
) -> tuple[Optimum, Optimization]:
    """Optimize from every start; return the best and how all went."""
    best, histories, converged, finals = None, [], [], []
    for restart, source in enumerate(generator.spawn(steps.restarts)):
        shaken = restart > 0 and num_substates(host.model) == 1
        phase = f"start {restart + 1} of {steps.restarts}"
        at = None if restart else steps.start
        start = _start(host, source, shaken=shaken, at=at)
        end, history, done = _run(host, rule, steps, start, report, phase)
        histories.append(history)
        converged.append(done)
        finals.append(np.max(history[-2:]))
        if best is None or finals[-1] > max(finals[:-1]):
            best = end
        alike = max(finals) - np.array(finals) < ALIKE * host.total
        if steps.agreeing is not None and alike.sum() >= steps.agreeing:
            break
    assert best is not None  # noqa: S101 (for the type checker: there is a start)
    return best, Optimization.of(rule.what, histories, converged)


def logs_of(rule: UpdateRule, where: Optimum) -> dict[str, Any]:
    """Return the parameters as the emission wants them."""
    logs = {
        name: rule.logs(where.concentration[name] + counts)
        for name, counts in where.counts.items()
    }
    return {**logs, **where.free, **where.logit}


def point(host: HostModel, where: Optimum) -> dict[str, Float[np.ndarray, "..."]]:
    """Return the means of the parameters, and what is derived from them."""
    means = {
        name: _mean(where.concentration[name] + counts)
        for name, counts in where.counts.items()
    }
    logs = {name: np.log(mean) for name, mean in means.items()}
    derived = host.derived({**logs, **where.free, **where.logit})
    return {**means, **where.free, **as_reported(where.logit), **derived}


def as_reported(logit: Parameters) -> dict[str, Float[np.ndarray, "..."]]:
    """Return prevalence as shares, and weights as they are."""
    return {
        name: special.softmax(value) if name == PREVALENCE else np.asarray(value)
        for name, value in logit.items()
    }


class _Climb:
    """Where an ascent stands, and how it goes on."""

    CHANGES = (
        *("where", "history", "path", "behind"),
        *("farthest", "converged", "top", "fallen"),
    )

    def __init__(
        self, host: HostModel, rule: UpdateRule, steps: Steps, where: Optimum
    ) -> None:
        self.host, self.rule, self.where = host, rule, where
        self.most = steps.iterations
        self.threshold = steps.tolerance * host.total
        self.history: list[float] = []
        self.path: list[Optimum] = []  # where the last two sweeps began
        # Where a long step was taken that is yet to hold.
        self.behind: Optimum | None = None
        self.farthest, self.converged = FARTHEST, False
        self.top, self.fallen = where, False  # the best place; whether it was left

    @property
    def ended(self) -> bool:
        """Whether the top is reached, or nothing more can be done."""
        endless = bool(self.history) and not np.isfinite(self.history[-1])
        ended = self.converged or self.fallen or endless
        return ended or len(self.history) >= self.most

    def sweep(self) -> None:
        """Sweep once, and where that promises something, step far ahead."""
        history, late = self.history, len(self.history) >= FIRST_LEARNED
        after, value = _sweep(self.host, self.rule, self.where, late=late)
        last = history[-1] if history else -np.inf
        if self.behind is not None and value < last:
            history.pop()
            self.path, self.where, self.behind = [], self.behind, None
            self.farthest = max(self.farthest / GROWTH, NEAREST)
            return
        if len(history) > FIRST_LEARNED and value < last - self.threshold:
            history.append(value)
            self.where, self.fallen = self.top, True
            return
        self.top = self.where
        self.path, self.where = [*self.path[-1:], self.where], after
        self.behind = None
        gain = value - last
        self.converged = bool(len(history) > FIRST_LEARNED and gain < self.threshold)
        history.append(value)
        if not self.ended and len(self.path) == 2:
            self._step_ahead(value, late=late)

    def _step_ahead(self, value: float, *, late: bool) -> None:
        if len(self.history) <= PLAIN:
            return
        before, middle = self.path
        ahead, capped = extrapolated((before, middle, self.where), self.farthest)
        self.path = []
        if ahead is None:
            return
        beyond, reached = _sweep(self.host, self.rule, ahead, late=late)
        if reached > value:
            self.path, self.where, self.behind = [ahead], beyond, self.where
            self.top = ahead
            self.history.append(reached)
            self.farthest *= GROWTH if capped else 1
        else:
            self.farthest = max(self.farthest / GROWTH, NEAREST)


def _run(
    host: HostModel,
    rule: UpdateRule,
    steps: Steps,
    where: Optimum,
    report: Reporter,
    phase: str,
) -> tuple[Optimum, list[float], bool]:
    climb = _Climb(host, rule, steps, where)
    state = {"climb": climb}
    loop = Loop(phase, state, steps.iterations, fewest=1, records=(Optimum,))
    for _ in loop:
        climb.sweep()
        if climb.ended:
            loop.end()
        done = len(climb.history)
        if done % BLOCK == 0:
            note = f"{rule.what} {climb.history[-1]:,.2f}"
            report(Progress(phase, done, steps.iterations, note))
    last = climb.history[-1]
    ended = f"{rule.what} {last:,.2f} after {len(climb.history)} iterations"
    report(Progress(phase, steps.iterations, steps.iterations, ended))
    return climb.where, climb.history, climb.converged


def _sweep(
    host: HostModel, rule: UpdateRule, where: Optimum, *, late: bool
) -> tuple[Optimum, float]:
    """Return where a sweep leads, and the objective where it began."""
    logs = logs_of(rule, where)
    swept = host.sweep(logs)
    value = float(swept.log_likelihood.sum())
    value += _log_density(host.normal, where.free)
    free, logit = where.free, where.logit
    if free:
        free = host.step(logs, free, swept.belief)
    columns = column_prior(host)
    if columns is not None:
        logit, density = columns.step(logit, host.truth(swept.belief))
        value += density
    concentration = dict(where.concentration)
    for name, prior in host.priors.items():
        at = where.concentration[name]
        value -= rule.price(at, at + where.counts[name], logs[name])
        value += hyperprior(prior, at)
        if late and rule.learns:
            concentration[name] = learn(prior, at, swept.counts[name])
    return Optimum(swept.counts, concentration, free, logit), value


def _log_density(priors: Mapping[str, Site], free: Parameters) -> float:
    """Return the log density of the free numbers under their priors."""
    density = 0.0
    for name, prior in priors.items():
        scale = prior.distribution.scale
        scaled = np.asarray(free[name]) / scale
        constant = np.log(scale) + 0.5 * np.log(2 * np.pi)
        density -= float((0.5 * scaled**2 + constant).sum())
    return density


def _start(
    host: HostModel,
    generator: np.random.Generator,
    *,
    shaken: bool,
    at: Mapping[str, Any] | None,
) -> Optimum:
    concentration = {
        name: np.asarray(prior.concentration, float)
        for name, prior in host.priors.items()
    }
    logs = {
        name: np.broadcast_to(np.log(_mean(concentration[name])), prior.shape)
        for name, prior in host.priors.items()
    }
    free = {name: np.zeros(prior.shape) for name, prior in host.normal.items()}
    columns = column_prior(host)
    logit = {} if columns is None else columns.first()
    if at is not None:
        logs = {name: np.log(np.maximum(at[name], TINY)) for name in host.priors}
        swept = host.sweep({**logs, **free, **logit})
    else:
        swept = host.first({**logs, **free, **logit}, generator, shaken=shaken)
    return Optimum(swept.counts, concentration, free, logit)


def _mean(concentration: Float[np.ndarray, "*b L"]) -> Float[np.ndarray, "*b L"]:
    return concentration / concentration.sum(-1, keepdims=True)
