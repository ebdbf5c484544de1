"""From responses to a fit."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from consilience import annotators
from consilience.checks import all_checks, as_dataset
from consilience.fitting.automatic import fit_auto
from consilience.fitting.inputs import (
    Table,
    as_candidates,
    as_similarity,
    as_table,
    both_tasks,
    check_fit,
    check_options,
    check_seed,
    classifiers_of,
    on_names,
    reporter,
    types_in,
)
from consilience.fitting.rule import REMARK, WHY, apply_heuristic, heuristic_tree
from consilience.fitting.single import Single, fit_one
from consilience.fitting.which_contains import which_contains
from consilience.inference import EngineOptions, check_engine
from consilience.model import DIMS
from consilience.posterior import Fit
from consilience.posterior.results.comparison import as_dataset as comparison_dataset
from consilience.posterior.stored_fit.tree import tree, with_groups
from consilience.progress import Reporter
from consilience.responses import Responses
from consilience.spaces import space_of
from consilience.truth import Space


def fit(  # noqa: PLR0913 (the public face; each argument stands alone)
    responses: Responses | Table,
    *,
    model: str = "auto",
    engine: str = "auto",
    seed: int = 0,
    candidates: Table | None = None,
    similarity: Table | None = None,
    gold: Table | None = None,
    states: int | None = None,
    contains: Responses | Table | None = None,
    prior: Mapping[str, float] | None = None,
    prior_from: Fit | None = None,
    effort: EngineOptions = EngineOptions(),  # noqa: B008 (a frozen record)
    progress: bool | Reporter = False,
) -> Fit:
    """Fit an annotator model: who is reliable in what, and what is true.

    Parameters
    ----------
    responses
        Responses, or anything that `read` takes.
    model
        Name of a model. "auto" compares several by how well they foresee each answer
        from the others, and mixes what they believe of the truth; annotators and
        confusions are those of the best one, and `fit.comparison()` tells how all
        stand. Where there is nothing to compare it is the pooled multinomial where no
        annotator has an id, and `structured` where labels are so many that a table of
        them would not fit in memory. For contains it is `contains` where something is
        known of labels or answers are many, else `contains_states`; and
        `contains_counts` where no annotator has an id.
    engine
        nuts, vb, em or svi; "auto" takes the one that answers in seconds, never nuts.
        `fit.data.attrs` says what and why.
        With the model "auto", another than vb fits the best model alone.
    seed
        One seed gives one result.
    candidates
        Columns item, label: which labels can be true of which item (choice), or were
        asked about (contains); and columns of numbers known of them beforehand, whose
        weights are learned. `log_odds` is taken as it is (choice).
    similarity
        Columns label_a, label_b, value: how alike two labels are (`structured`, models
        of objects); or which are similar, so that the one leads to a yes for the other
        (`contains`). `co_confusion` tells such a table; a folder of candidates stands
        for it.
    gold
        Columns item, label (contains: and answer): the truth of some items.
    states
        States of a label's presence (contains): 2, or 3 with *unclear* between; None:
        as many as the model is meant for.
    contains
        Responses of kind contains about the same items, anonymous or not, in whatever
        `read` takes: with responses of kind objects they enter one likelihood
        (`objects`, `objects_by_annotator`). Responses that hold both kinds need it not.
    prior
        Settings of the model's prior to change, by name.
    prior_from
        An earlier fit of the same model, with draws: what it learned of annotators,
        matched by name, and of the population is the prior (contains, contains_counts,
        glad, item_difficulty). To keep all as it was learned, see `predict`.
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
    seed = check_seed(seed)
    check_options(effort)
    check_engine(engine)
    if prior_from is not None:
        check_fit(prior_from, "prior_from")
    given, beside = both_tasks(responses, contains)
    common: dict[str, Any] = {
        "model_asked": model,
        "kind": given.kind,
        "seed": seed,
        "mass": effort.mass,
        "version": version("consilience"),
        "sources": {**given.sources, **({} if beside is None else beside.sources)},
        "told_of": classifiers_of(candidates, similarity),
    }
    chosen = None if model == "auto" else annotators.load(model, prior)
    if chosen is not None and chosen.rule is not None:
        tables = apply_heuristic(
            chosen,
            model,
            engine,
            given,
            candidates=candidates,
            similarity=similarity,
            gold=gold,
            contains=beside,
        )
        attributes = common | {
            "id_types": dict(given.types),
            "model": model,
            "engine": chosen.engines[0],
            "engine_reason": WHY,
            "seconds": round(time.monotonic() - started, 3),
            "assumptions": [*given.assumptions, REMARK],
            "settings": {},
        }
        return Fit(heuristic_tree(tables, given, attributes))
    lists, known = as_candidates(candidates, given), as_table(gold, "gold")
    remarks = on_names(candidates, given)
    alike = as_similarity(similarity, given.labels["label"])
    with reporter(progress) as report:

        def laid_out(number: int) -> Space:
            return space_of(
                given,
                lists=lists,
                gold=known,
                num_states=number,
                alike=alike,
                contains=beside,
            )

        name, why = model, None
        if model == "auto" and given.kind == "contains":
            name, why = which_contains(laid_out(states or 2))
        if prior_from is not None:
            from consilience.fitting.earlier import (
                align,
                check_previous,
                with_informative_prior,
            )

            name = prior_from.data.attrs["model"] if model == "auto" else name
            why = "it is that of the earlier fit" if model == "auto" else why
            check_previous(name, annotators.load(name), prior_from)
        space = laid_out(
            states or (2 if name == "auto" else annotators.load(name).states)
        )
        told = None
        if prior_from is not None:
            space = align(space, prior_from)
            told, remark = with_informative_prior(
                annotators.load(name, prior), space, prior_from
            )
            remarks.append(remark)
        table = None
        if name == "auto":
            single, table = fit_auto(
                space, seed, engine=engine, prior=prior, effort=effort, report=report
            )
        else:
            single = fit_one(
                name,
                space,
                seed,
                engine=engine,
                prior=prior,
                informed=told,
                effort=effort,
                report=report,
            )
    settings = {
        "effort": asdict(effort),
        "prior": asdict(single.model.prior),
        "states": len(space.states) if space.kind == "contains" else 2,
        "precision": "float64",
    }
    types, lost = types_in(space, given.types)
    attributes = common | {
        "id_types": types,
        "model": single.name,
        "engine": single.engine,
        "engine_reason": single.reason if why is None else f"{why}; {single.reason}",
        "seconds": round(time.monotonic() - started, 3),
        "assumptions": [
            *space.assumptions,
            *remarks,
            *lost,
            *single.result.remarks,
            *_unused(space, single, similar=alike is not None),
        ],
        "settings": settings,
    }
    data = tree(
        space,
        single.result,
        {**DIMS, **single.model.dims},
        attributes,
        single.tempering,
    )
    if space.kind == "objects":
        import jax

        from consilience.fitting.objects.conditioning import with_objects

        with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
            data = with_objects(
                data, space, single.model, single.result, seed=seed, mass=effort.mass
            )
    groups = {"diagnostics": as_dataset(all_checks(data))}
    if table is not None:
        groups["comparison"] = comparison_dataset(table)
    return Fit(with_groups(data, **groups))


def _unused(space: Space, single: Single, *, similar: bool) -> list[str]:
    """Say what is known of labels that the model makes nothing of."""
    found, unused = single.result.parameters, []
    if space.covariates is not None and "weight" not in found:
        names = ", ".join(space.covariates.names)
        unused += [f"what is known beforehand ({names})"]
    if similar and space.kind == "contains" and "led" not in found:
        unused += ["which labels are similar"]
    return [f"{single.name} makes nothing of {each}" for each in unused]
