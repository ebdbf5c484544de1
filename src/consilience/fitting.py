"""From responses to a fit, and from a model to simulated responses."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd

from consilience import annotators
from consilience.checks import all_checks, as_dataset
from consilience.errors import OptionError, UnknownEngineError
from consilience.inference import ENGINES, Result, auto, em, nuts, svi, vb
from consilience.inference.ascent import Steps
from consilience.inference.progress import Reporter, bar, silent
from consilience.model import AnnotatorModel
from consilience.model import simulate as draw
from consilience.posterior import Fit
from consilience.responses import ReadOptions, Responses, read
from consilience.responses.side_tables import side_table, text_frame
from consilience.posterior.tree import tree, with_diagnostics
from consilience.truth import Space, space_of

type Table = pd.DataFrame | str | Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard an engine works; None leaves the engine's own default.

    Attributes
    ----------
    draws
        Draws of each chain (nuts) or in all (vb, svi); 0 for none (vb).
    tune, chains
        Steps of warm-up, and chains (nuts).
    restarts
        Starts, the best of which is kept (em, vb).
    tolerance
        Gain per answer, in nats, below which the climb stops (em, vb).
    sweeps
        Most sweeps (em, vb).
    steps, batch
        Gradient steps, and units in a minibatch (svi).
    mass
        Probability that an interval holds.
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


def fit(  # noqa: PLR0913 (the public face; each argument stands alone)
    responses: Responses | Table,
    *,
    model: str = "auto",
    engine: str = "auto",
    seed: int = 0,
    candidates: Table | None = None,
    gold: Table | None = None,
    states: int = 2,
    prior: Mapping[str, float] | None = None,
    effort: Effort = Effort(),
    progress: bool | Reporter = False,
) -> Fit:
    """Fit an annotator model: who is reliable in what, and what is true.

    Parameters
    ----------
    responses
        Responses, or anything that `read` takes.
    model
        Name of a model; "auto" is hierarchical Dawid-Skene where annotators have ids,
        and the pooled multinomial where none has.
    engine
        nuts, vb, em or svi; "auto" goes by size. `fit.data.attrs` says what and why.
    seed
        One seed gives one result.
    candidates
        Columns item, label and optionally log_odds: which labels can be true of which
        item (choice).
    gold
        Columns item, label (contains: and answer): the truth of some items.
    states
        States of a label's presence (contains): 2, or 3 with *unclear* between.
    prior
        Settings of the model's prior to change, by name.
    effort
        How hard the engine works.
    progress
        True shows a bar; a function is called with each `Progress`.

    Raises
    ------
    UnknownModelError, UnknownEngineError, OptionError
        A name or a setting is not among those there are.
    ConsilienceError
        The responses cannot be read or fitted; the message says how to mend them.
    """
    started = time.monotonic()
    responses = responses if isinstance(responses, Responses) else read(responses)
    _check(effort, seed)
    candidates, gold = _table(candidates, "candidates"), _table(gold, "gold")
    with jax.enable_x64(True):  # noqa: FBT003 (the way JAX spells it)
        space = space_of(responses, lists=candidates, gold=gold, num_states=states)
        name = _default_model(space) if model == "auto" else model
        chosen = _with_prior(annotators.load(name), name, prior)
        engine, reason = _engine(chosen, name, engine, space)
        key = jax.random.key(seed)
        result = _run(chosen, space, engine, key, effort, progress)
    settings = {
        "effort": asdict(effort),
        "prior": asdict(chosen.prior),
        "states": states,
        "precision": "float64",
    }
    attributes = {
        "model": name,
        "engine": engine,
        "engine_reason": reason,
        "kind": space.kind,
        "seed": seed,
        "mass": effort.mass,
        "seconds": round(time.monotonic() - started, 3),
        "version": version("consilience"),
        "assumptions": [*space.assumptions, *result.remarks],
        "sources": dict(responses.sources),
        "settings": settings,
    }
    data = tree(space, result, chosen.dims, attributes)
    return Fit(with_diagnostics(data, as_dataset(all_checks(data))))


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """Simulated responses and the truth behind them.

    Attributes
    ----------
    responses
        As if read from a file; `responses.gold` holds the true labels.
    parameters
        The parameters drawn, by name; confusions are [annotator, true, given].
    """

    responses: Responses
    parameters: Mapping[str, np.ndarray]


def simulate(  # noqa: PLR0913 (the public face; each argument stands alone)
    *,
    kind: str = "choice",
    model: str = "bayesian_dawid_skene",
    items: int = 200,
    annotators_: int = 20,
    classes: int = 4,
    per_item: int = 5,
    prior: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Simulated:
    """Draw responses with known truth from a model.

    Every item is answered by `per_item` annotators picked at random.

    Parameters
    ----------
    kind
        choice, or contains (one label asked about each item: yes, maybe or no).
    model
        The model to draw from.
    items, annotators_, classes, per_item
        The design.
    prior
        Settings of the model's prior to change, by name.
    seed
        One seed gives one study.

    Raises
    ------
    OptionError
        The design is impossible, or the kind has no model yet.
    """
    design = _design(kind, items, annotators_, classes, per_item, seed)
    with jax.enable_x64(True):  # noqa: FBT003 (the way JAX spells it)
        space = space_of(design)
        chosen = _with_prior(annotators.load(model), model, prior)
        drawn = draw(chosen, space, jax.random.key(seed))
        answer, state = np.asarray(drawn.answer), np.asarray(drawn.state)
        parameters = {name: np.asarray(value) for name, value in drawn.parameters.items()}
    said = {
        "item": space.unit_item[space.unit],
        "annotator": space.annotators[space.annotator],
    }
    truth = {"item": space.unit_item}
    if space.unit_label is None:
        said["label"] = np.asarray(space.answers, object)[answer]
        truth["label"] = np.asarray(space.states, object)[state]
    else:
        said["label"] = space.unit_label[space.unit]
        said["answer"] = np.asarray(space.answers, object)[answer]
        truth["label"] = space.unit_label
        truth["answer"] = np.where(state > 0, "yes", "no")
    labels = list(design.labels["label"])
    told = read(
        pd.DataFrame(said), kind=kind, labels=labels, gold=pd.DataFrame(truth)
    )
    sentence = f"simulated from {model} with seed {seed}"
    return Simulated(
        replace(told, assumptions=(*told.assumptions, sentence)), parameters
    )


def _design(
    kind: str, items: int, num_annotators: int, classes: int, per_item: int, seed: int
) -> Responses:
    if kind not in ("choice", "contains"):
        msg = f"no model simulates kind {kind!r} yet; choose choice or contains"
        raise OptionError(msg)
    if not (items > 0 and classes > 1 and 0 < per_item <= num_annotators):
        msg = (
            f"cannot ask {per_item} of {num_annotators} annotators about {items} items "
            f"of {classes} classes; classes must be 2 or more, per_item at most annotators"
        )
        raise OptionError(msg)
    generator = np.random.default_rng(seed)
    order = generator.random((items, num_annotators)).argsort(1)[:, :per_item]
    labels = [f"class{number}" for number in range(classes)]
    table = {
        "item": np.repeat([f"item{number}" for number in range(items)], per_item),
        "annotator": np.asarray([f"annotator{j}" for j in range(num_annotators)])[
            order.ravel()
        ],
        "label": np.repeat(generator.choice(labels, items), per_item),
    }
    if kind == "contains":
        table["answer"] = np.full(len(table["item"]), "no")
    return read(pd.DataFrame(table), kind=kind, labels=labels)


def _check(effort: Effort, seed: int) -> None:
    if not 0 < effort.mass < 1:
        msg = f"mass is {effort.mass}; an interval holds a probability between 0 and 1"
        raise OptionError(msg)
    if not 0 <= seed < 2**32:
        msg = f"seed is {seed}; a seed is a whole number from 0 to {2**32 - 1}"
        raise OptionError(msg)
    for name, value in asdict(effort).items():
        least = 0 if name in ("draws", "tune", "tolerance") else 1
        if name != "mass" and value is not None and value < least:
            msg = f"{name} is {value}; give {least} or more, or leave it out"
            raise OptionError(msg)


def _table(given: Table | None, what: str) -> pd.DataFrame | None:
    if given is None:
        return None
    table = side_table(given, ReadOptions(), what)
    return text_frame(table, {name: name for name in table.columns})


def _default_model(space: Space) -> str:
    return "hierarchical_dawid_skene" if space.known.any() else "multinomial"


def _with_prior(
    model: AnnotatorModel[Any], name: str, prior: Mapping[str, float] | None
) -> AnnotatorModel[Any]:
    if not prior:
        return model
    settings = asdict(model.prior)
    unknown = sorted(set(prior) - set(settings))
    if unknown:
        known = ", ".join(settings) or "none"
        msg = f"{name} has no prior setting {unknown[0]!r}; it has: {known}"
        raise OptionError(msg)
    if any(not np.isfinite(value) or value <= 0 for value in prior.values()):
        msg = f"prior settings must be positive numbers, not {dict(prior)}"
        raise OptionError(msg)
    return replace(model, prior=replace(model.prior, **prior))


def _engine(
    model: AnnotatorModel[Any], name: str, engine: str, space: Space
) -> tuple[str, str]:
    if engine == "auto":
        return auto.choose(model, space)
    if engine not in ENGINES:
        msg = f"there is no engine {engine!r}; choose auto, {', '.join(ENGINES)}"
        raise UnknownEngineError(msg)
    if engine not in model.engines:
        msg = f"{name} cannot be fitted by {engine}; it has: {', '.join(model.engines)}"
        raise UnknownEngineError(msg)
    return engine, "it was asked for"


def _run(
    model: AnnotatorModel[Any],
    space: Space,
    engine: str,
    key: Any,
    effort: Effort,
    progress: bool | Reporter,
) -> Result:
    run = _engine_call(model, space, engine, key, effort)
    if progress is True:
        with bar() as report:
            return run(report)
    return run(progress or silent)


def _engine_call(
    model: AnnotatorModel[Any], space: Space, engine: str, key: Any, effort: Effort
) -> Callable[[Reporter], Result]:
    if engine == "nuts":
        sampling = _given(nuts.Effort(mass=effort.mass), effort)
        return lambda report: nuts.fit(model, space, key, sampling, report)
    if engine == "svi":
        descent = _given(svi.Effort(mass=effort.mass), effort)
        return lambda report: svi.fit(model, space, key, descent, report)
    if engine == "em":
        climb = em.Effort(steps=_given(Steps(), effort))
        return lambda report: em.fit(model, space, key, climb, report)
    start = vb.default_steps(space)
    ascent = vb.Effort(
        steps=_given(start, effort), draws=effort.draws, mass=effort.mass
    )
    return lambda report: vb.fit(model, space, key, ascent, report)


def _given[Record](default: Record, effort: Effort) -> Record:
    """Return the engine's record with what was asked for in place of defaults."""
    fields = default.__dataclass_fields__  # type: ignore[attr-defined]
    asked = {
        name: value
        for name, value in asdict(effort).items()
        if name in fields and value is not None
    }
    return replace(default, **asked)  # type: ignore[type-var]
