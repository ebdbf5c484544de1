"""An engine chosen and run, and its result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Shaped

from consilience.errors import FitError, KindError, OptionError, not_among
from consilience.inference import engines
from consilience.inference.mixing import Mixing
from consilience.inference.options import EngineOptions, Seed, check_fits
from consilience.intervals import bounds
from consilience.model import Model, Rule, num_substates
from consilience.progress import Reporter
from consilience.truth import ContainsSpace, ObjectsSpace, Space

# More beliefs than this are not kept draw by draw (float32: 400 MB).
MAX_KEPT = 100_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Optimization:
    """The course of the optimization, start by start."""

    what: str
    objective: Float[np.ndarray, "restart sweep"]
    converged: Bool[np.ndarray, " restart"]
    chosen: int

    @classmethod
    def of(
        cls, what: str, histories: Sequence[list[float]], converged: Sequence[bool]
    ) -> "Optimization":
        """Return the course of several starts, of which the highest is chosen."""
        # The last of a course may be a step that gained nothing.
        ends = [np.max(history[-2:]) for history in histories]
        endless = np.count_nonzero(~np.isfinite(ends))
        if endless:
            raise FitError(
                f"the {what} of {endless} start(s) is not finite; check priors and "
                "candidate weights for infinite or huge numbers"
            )
        objective = np.full((len(histories), max(map(len, histories))), np.nan)
        for row, history in zip(objective, histories, strict=True):
            row[: len(history)] = history
        return cls(what, objective, np.asarray(converged), int(np.argmax(ends)))


class Moments(NamedTuple):
    """Sums over draws: of P(state), of its log-odds, and of their squares."""

    belief: Float[np.ndarray, "U S"]
    first: Float[np.ndarray, "U S"]
    second: Float[np.ndarray, "U S"]


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A fitted posterior."""

    parameters: Mapping[str, Shaped[np.ndarray, "chain draw ..."]]
    belief: Float[np.ndarray, "U S"]
    lower: Float[np.ndarray, "U S"]
    upper: Float[np.ndarray, "U S"]
    log_likelihood: Float[np.ndarray, "chain draw U"] | None = None
    sample_stats: Mapping[str, Shaped[np.ndarray, "chain draw"]] = field(
        default_factory=dict
    )
    optimization: Optimization | None = None
    remarks: tuple[str, ...] = ()
    mixing: Mixing | None = None
    moments: tuple[Moments, ...] = ()
    sweeps: int = 0

    def as_kept(self) -> "Result":
        """Return it in single precision where it has draws, as a fit keeps them."""
        draws = {
            name: np.asarray(value, np.float32)
            for name, value in self.parameters.items()
        }
        units = self.log_likelihood
        units = None if units is None else np.asarray(units, np.float32)
        return replace(self, parameters=draws, log_likelihood=units, moments=())


def of_draws(
    parameters: Mapping[str, Shaped[np.ndarray, "chain draw ..."]],
    truth: Float[np.ndarray, "chain kept U S"],
    log_likelihood: Float[np.ndarray, "chain kept U"] | None,
    prob: float,
    optimization: Optimization | None = None,
    remarks: tuple[str, ...] = (),
) -> Result:
    """Return the result of an engine that draws parameters: means, and quantiles."""
    drawn = truth.reshape(-1, *truth.shape[2:])
    belief = drawn.mean(0, dtype=float)
    lower = upper = np.full(belief.shape, np.nan)
    if len(drawn) > 1:
        lower, upper = bounds(drawn, prob)
    return Result(
        parameters=parameters,
        belief=belief,
        lower=np.minimum(lower, belief),
        upper=np.maximum(upper, belief),
        log_likelihood=log_likelihood,
        optimization=optimization,
        remarks=remarks,
    )


def at_a_point(
    parameters: Mapping[str, Float[np.ndarray, "..."]],
    belief: Float[np.ndarray, "U S"],
    log_likelihood: Float[np.ndarray, " U"] | None,
    optimization: Optimization | None,
    remarks: tuple[str, ...],
) -> Result:
    """Return the result of an engine that draws nothing: no bounds, one draw."""
    unknown = np.broadcast_to(np.nan, belief.shape)
    return Result(
        parameters={
            name: np.asarray(value)[None, None] for name, value in parameters.items()
        },
        belief=belief,
        lower=unknown,
        upper=unknown,
        log_likelihood=None if log_likelihood is None else log_likelihood[None, None],
        optimization=optimization,
        remarks=remarks,
    )


ENGINES = engines.names()
# Of the posterior bootstrap, enough for bounds of nine tenths; each costs an
# optimization. (Those about the mode, of models of classes, cost next to nothing.)
DRAWS = 50
DRAWS_OF_OBJECTS = 20  # of the parameters; for each, items are drawn
# Answers x states up to which a model without a closed form takes draws by default:
# with as many, all draws take about as long as compiling the first optimization.
MAX_DRAWN = 40_000
# The same of pairs of item and label, whose draws are short optimizations from the top
# (200,000 answers on 61 nodes).
MAX_DRAWN_PAIRS = 25_000_000


def check_engine(engine: str) -> None:
    """Refuse an engine that is none."""
    if engine not in ("auto", *ENGINES):
        raise OptionError(not_among("engine", engine, ("auto", *ENGINES)))


def check_kind(model: Model[Any], name: str, kind: str) -> None:
    """Refuse a model of responses of another kind."""
    if kind not in model.kinds:
        raise KindError(
            f"the model {name} takes responses of kind {', '.join(model.kinds)}; these "
            f"are of kind {kind}: choose another model (`consilience models`)"
        )


def choose(model: Model[Any], name: str, engine: str, space: Space) -> tuple[str, str]:
    """Return the engine's name, and why it is that one."""
    for each in (engine, *model.engines):
        check_engine(each)
    check_kind(model, name, space.kind)
    if engine == "auto":
        return default_engine(model)
    check_fits(name, engine, model.engines)
    return engine, "it was requested"


def default_engine(model: Model[Any]) -> tuple[str, str]:
    """Return the engine's name, and why it was chosen."""
    first = model.engines[0]
    if "nuts" not in model.engines:
        return first, "it is the one that suits the model"
    return first, (
        "it is the fastest; the engine nuts, which samples the exact posterior and "
        "takes longer, is used on request"
    )


def with_default_draws(
    model: Model[Any], space: Space, engine: str, effort: EngineOptions
) -> EngineOptions:
    """Return how hard an engine works that `auto` chose, where draws are left open."""
    if effort.draws is not None or engine != "em" or not model.by_gradient(space):
        return effort
    if model.of_classes:
        return replace(effort, draws=DRAWS)
    if isinstance(space, ObjectsSpace):
        return replace(effort, draws=DRAWS_OF_OBJECTS)
    visits = len(space.unit) * space.state.shape[1] * num_substates(model)
    most = MAX_DRAWN_PAIRS if isinstance(space, ContainsSpace) else MAX_DRAWN
    return replace(effort, draws=DRAWS) if visits <= most else effort


def run(
    model: Model[Any],
    space: Space,
    engine: str,
    seed: Seed,
    effort: EngineOptions,
    report: Reporter,
) -> Result:
    """Fit by the engine of that name."""
    loaded = engines.load(engine)
    if effort.draws == 0 and loaded.NEEDS_DRAWS:
        raise OptionError(f"{engine} needs draws; give one or more, or use vb or em")
    by_numpy = model.on_host and not model.by_gradient(space)
    if isinstance(model, Rule) or (by_numpy and loaded.HAS_CLOSED_FORM):
        return loaded.fit(model, space, seed, effort, report)
    from consilience.programs import double_precision, drop_programs

    drop_programs()
    with double_precision():
        return loaded.fit(model, space, seed, effort, report)
