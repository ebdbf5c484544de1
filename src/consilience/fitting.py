"""From responses to a fit."""

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import jax
import pandas as pd

from consilience import annotators
from consilience.checks import all_checks, as_dataset
from consilience.errors import OptionError
from consilience.inference import Effort, choose, run
from consilience.inference.progress import Reporter, bar, silent
from consilience.model import fits_in_memory
from consilience.posterior import Fit
from consilience.posterior.tree import tree, with_diagnostics
from consilience.responses import ReadOptions, Responses, read
from consilience.responses.side_tables import side_table, text_frame
from consilience.truth import Space, space_of

__all__ = ["Effort", "fit"]

type Table = pd.DataFrame | str | Path


def fit(  # noqa: PLR0913 (the public face; each argument stands alone)
    responses: Responses | Table,
    *,
    model: str = "auto",
    engine: str = "auto",
    seed: int = 0,
    candidates: Table | None = None,
    similarity: Table | None = None,
    gold: Table | None = None,
    states: int = 2,
    prior: Mapping[str, float] | None = None,
    effort: Effort = Effort(),  # noqa: B008 (a frozen record)
    progress: bool | Reporter = False,
) -> Fit:
    """Fit an annotator model: who is reliable in what, and what is true.

    Parameters
    ----------
    responses
        Responses, or anything that `read` takes.
    model
        Name of a model; "auto" is hierarchical Dawid-Skene where annotators have ids,
        the pooled multinomial where none has, and `structured` where labels are so many
        that a table of them would not fit in memory.
    engine
        nuts, vb, em or svi; "auto" goes by size. `fit.data.attrs` says what and why.
    seed
        One seed gives one result.
    candidates
        Columns item, label and optionally log_odds: which labels can be true of which
        item (choice).
    similarity
        Columns label_a, label_b, value: how alike two labels are (`structured`).
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
    check_seed(seed)
    candidates, gold = _table(candidates, "candidates"), _table(gold, "gold")
    alike = _table(similarity, "similarity")
    with jax.enable_x64(True):  # noqa: FBT003 (the way JAX spells it)
        space = space_of(
            responses, lists=candidates, gold=gold, num_states=states, alike=alike
        )
        name = _default_model(space) if model == "auto" else model
        chosen = annotators.load(name, prior)
        engine, reason = choose(chosen, name, engine, space)
        with _reporter(progress) as report:
            result = run(chosen, space, engine, jax.random.key(seed), effort, report)
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


def check_seed(seed: int) -> None:
    """Refuse a seed that is none.

    Raises
    ------
    OptionError
        It is negative or has more than 32 bits.
    """
    if not 0 <= seed < 2**32:
        msg = f"seed is {seed}; a seed is a whole number from 0 to {2**32 - 1}"
        raise OptionError(msg)


def _reporter(progress: bool | Reporter) -> AbstractContextManager[Reporter]:  # noqa: FBT001 (what the caller of `fit` said)
    if isinstance(progress, bool):
        return bar() if progress else nullcontext(silent)
    return nullcontext(progress)


def _table(given: Table | None, what: str) -> pd.DataFrame | None:
    if given is None:
        return None
    table = side_table(given, ReadOptions(), what)
    return text_frame(table, {name: name for name in table.columns})


def _default_model(space: Space) -> str:
    name = "hierarchical_dawid_skene" if space.known.any() else "multinomial"
    fits = fits_in_memory(annotators.load(name), space)
    return name if fits else "structured"
