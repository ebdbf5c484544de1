"""Any engine by its name: which one, how hard, and the call."""

from dataclasses import asdict, dataclass, replace
from importlib import import_module
from math import isfinite
from numbers import Real
from typing import Any

from consilience.errors import KindError, OptionError, UnknownEngineError, not_among
from consilience.inference import auto
from consilience.inference.closed_form.ascent import Steps
from consilience.inference.result import Result
from consilience.inference.seeds import Seed
from consilience.model import AnnotatorModel, has_tables
from consilience.progress import Reporter
from consilience.truth import Space

ENGINES = ("nuts", "vb", "em", "svi")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """Settings of an engine; None keeps the engine's own default.

    Attributes
    ----------
    draws : int, optional
        Draws of each chain (nuts), or in all (vb, svi, and em of models without closed
        forms, which takes none by default); 0 for none (vb, em).
    tune, chains : int, optional
        Warm-up steps, and chains (nuts).
    restarts : int, optional
        Number of starts, of which the best is kept (em, vb).
    tolerance : float, optional
        Gain per answer, in nats, below which the optimizer stops (em, vb).
    sweeps : int, optional
        Largest number of sweeps (em, vb).
    steps, batch : int, optional
        Gradient steps, and units in a minibatch (svi).
    mass : float, default 0.9
        Probability of the intervals.

    See Also
    --------
    consilience.fit : Takes the settings as its argument `effort`.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
    >>> effort = cs.EngineOptions(restarts=2, sweeps=50)
    >>> fit = cs.fit(responses, model="multinomial", engine="em", effort=effort)
    >>> fit.data["optimization"].sizes["restart"]
    2
    """

    draws: int | None = None
    tune: int | None = None
    chains: int | None = None
    restarts: int | None = None
    tolerance: float | None = None
    sweeps: int | None = None
    steps: int | None = None
    batch: int | None = None
    mass: float = 0.9

    def __post_init__(self) -> None:
        """Refuse what no engine can do.

        Raises
        ------
        OptionError
            A setting is out of its range.
        """
        if not _is_number(self.mass) or not 0 < self.mass < 1:
            msg = f"mass is {self.mass!r}; an interval holds a part between 0 and 1"
            raise OptionError(msg)
        for name, value in asdict(self).items():
            if name == "mass" or value is None:
                continue
            least = 0 if name in ("draws", "tune", "tolerance") else 1
            whole = name != "tolerance"
            if not (_is_number(value) and value >= least and (value % 1 == 0) >= whole):
                what = f"a whole number of {least}" if whole else least
                msg = f"{name} is {value!r}; give {what} or more, or leave it out"
                raise OptionError(msg)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    return isfinite(value)


def check_engine(engine: str) -> None:
    """Refuse an engine that is none.

    Raises
    ------
    UnknownEngineError
        It is neither "auto" nor the name of an engine.
    """
    if engine not in ("auto", *ENGINES):
        raise UnknownEngineError(not_among("engine", engine, ("auto", *ENGINES)))


def choose(
    model: AnnotatorModel[Any], name: str, engine: str, space: Space
) -> tuple[str, str]:
    """Return the engine's name, and why it is that one.

    Parameters
    ----------
    model, name
        The model, and what it is called.
    engine
        What was asked for: the name of an engine, or "auto".
    space
        What can be true, and the answers.

    Raises
    ------
    UnknownEngineError
        There is no such engine, or the model does not have it.
    KindError
        The model does not take responses of this kind.
    """
    check_engine(engine)
    if space.kind not in model.kinds:
        msg = (
            f"the model {name} takes responses of kind {', '.join(model.kinds)}; these "
            f"are of kind {space.kind}: choose another model (`consilience models`)"
        )
        raise KindError(msg)
    if engine == "auto":
        return auto.choose(model)
    if engine not in model.engines:
        msg = f"{name} cannot be fitted by {engine}; it has: {', '.join(model.engines)}"
        raise UnknownEngineError(msg)
    return engine, "it was asked for"


def with_default_draws(
    model: AnnotatorModel[Any], space: Space, engine: str, effort: EngineOptions
) -> EngineOptions:
    """Return how hard an engine works that `auto` chose, where draws are left open."""
    if effort.draws is not None:
        return effort
    return replace(effort, draws=auto.draws(model, space, engine))


def run(
    model: AnnotatorModel[Any],
    space: Space,
    engine: str,
    seed: Seed,
    effort: EngineOptions,
    report: Reporter,
) -> Result:
    """Fit by the engine of that name.

    Raises
    ------
    OptionError
        A sampler was asked for no draws.
    """
    if engine in ("nuts", "svi") and effort.draws == 0:
        msg = f"{engine} was asked for no draws; ask for one or more, or use vb or em"
        raise OptionError(msg)
    if has_tables(model) and engine in ("em", "vb"):
        return _fitted(model, space, engine, seed, effort, report)
    import jax

    from consilience.programs import drop_programs

    drop_programs()
    with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        return _fitted(model, space, engine, seed, effort, report)


def _fitted(
    model: AnnotatorModel[Any],
    space: Space,
    name: str,
    seed: Seed,
    effort: EngineOptions,
    report: Reporter,
) -> Result:
    # Engines are loaded when they are used: those of gradients load JAX and NumPyro.
    engine = import_module(f"consilience.inference.{name}")
    own = engine.Options(mass=effort.mass)
    if name == "em":
        own = replace(own, steps=_given(Steps(), effort), draws=effort.draws or 0)
    elif name == "vb":
        steps = _given(engine.default_steps(model, space), effort)
        if effort.restarts is not None:
            steps = replace(steps, agreeing=None)
        own = replace(own, steps=steps, draws=effort.draws)
    else:
        own = _given(own, effort)
    result: Result = engine.fit(model, space, seed, own, report)
    return result


def _given[Record](default: Record, effort: EngineOptions) -> Record:
    """Return the engine's record with what was asked for in place of defaults."""
    fields = default.__dataclass_fields__  # type: ignore[attr-defined]
    asked = {
        name: value
        for name, value in asdict(effort).items()
        if name in fields and value is not None
    }
    return replace(default, **asked)  # type: ignore[type-var]
