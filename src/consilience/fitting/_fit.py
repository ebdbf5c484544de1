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
from consilience.model import DIMS, Heuristic
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
    """Fit an annotator model: how reliable annotators are, and what is true.

    Parameters
    ----------
    responses : Responses, data frame, path or sequence of paths
        Responses, or anything that `read` accepts.
    model : str, default "auto"
        Name of a model (see `consilience.annotators.names`). "auto" compares several
        models by how well they predict each answer from the others, and averages
        their posteriors of the truth. Annotators and confusions are those of the
        best model; `Fit.comparison` shows the ranking. Where there is nothing to
        compare, "auto" is the pooled multinomial if no annotator has an id, and
        `structured` if a table of all labels would not fit in memory. For contains
        it is `contains` if there are covariates of labels or many answers, else
        `contains_states`; and `contains_counts` if no annotator has an id.
    engine : {"auto", "nuts", "vb", "em", "svi"}, default "auto"
        Inference engine. "auto" takes the one that answers in seconds, never nuts;
        `fit.data.attrs` records the choice and the reason. With the model "auto",
        an engine other than vb fits the best model alone.
    seed : int, default 0
        Seed of the random number generator.
    candidates : data frame or path, optional
        Columns item and label: the labels that can be true of an item (choice), or
        that were asked about (contains). Further columns of numbers are prior
        covariates, whose weights are learned. The column `log_odds` is used as it
        is (choice).
    similarity : data frame or path, optional
        Columns label_a, label_b and value: how similar two labels are (`structured`
        and models of objects), or which labels are similar, so that one makes a
        yes to the other more likely (`contains`). `co_confusion` returns such a
        table; a folder of candidates stands for it.
    gold : data frame or path, optional
        Columns item and label (contains: and answer): the truth of some items.
    states : {2, 3}, optional
        Number of states of a label's presence (contains); 3 adds *unclear*. By
        default the number that the model is meant for.
    contains : Responses, data frame or path, optional
        Responses of kind contains about the same items. With responses of kind
        objects they enter one likelihood (`objects`, `objects_by_annotator`). Not
        needed if `responses` hold both kinds.
    prior : mapping of str to float, optional
        Settings of the model's prior to change, by name.
    prior_from : Fit, optional
        An earlier fit of the same model, with draws. Its posterior of the annotators,
        matched by name, and of the population becomes the prior (contains,
        contains_counts, glad, item_difficulty). To keep all parameters as they
        were, see `predict`.
    effort : EngineOptions, optional
        Number of draws, restarts and steps, and the tolerance of the engine.
    progress : bool or callable, default False
        True shows a progress bar. A function is called with each `Progress`.

    Returns
    -------
    Fit
        Posterior of the truth and of the parameters, with diagnostics.

    Raises
    ------
    UnknownModelError, UnknownEngineError, OptionError
        If a name or a setting does not exist.
    ConsilienceError
        If the responses cannot be read or fitted; the message says how to fix them.

    See Also
    --------
    predict : Apply an earlier fit to new items.
    compare : Compare models on the same responses.
    Sequential : Update the truth of items as answers arrive.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
    >>> fit = cs.fit(responses, model="dawid_skene")
    >>> fit.items()[["item", "label", "probability"]].head(3).round(2)
            item     label  probability
    0  photo-001  malamute          1.0
    1  photo-002     husky          1.0
    2  photo-003   samoyed          1.0
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
    if isinstance(chosen, Heuristic):
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
    lists, gold_table = as_candidates(candidates, given), as_table(gold, "gold")
    remarks = on_names(candidates, given)
    alike = as_similarity(similarity, given.labels["label"])
    with reporter(progress) as report:

        def space_with(number: int) -> Space:
            return space_of(
                given,
                lists=lists,
                gold=gold_table,
                num_states=number,
                alike=alike,
                contains=beside,
            )

        name, why = model, None
        if model == "auto" and given.kind == "contains":
            name, why = which_contains(space_with(states or 2))

        def space_for(name: str) -> Space:
            return space_with(
                states or (2 if name == "auto" else annotators.fittable(name).states)
            )

        informative = None
        if prior_from is None:
            space = space_for(name)
        else:
            from consilience.fitting.earlier import (
                align,
                check_previous,
                with_informative_prior,
            )

            name = prior_from.data.attrs["model"] if model == "auto" else name
            why = "it is that of the earlier fit" if model == "auto" else why
            previous = check_previous(name, annotators.load(name, prior), prior_from)
            space = align(space_for(name), prior_from)
            informative, remark = with_informative_prior(previous, space, prior_from)
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
                informative=informative,
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
    """Say what is known of labels that the model does not use."""
    parameters, unused = single.result.parameters, []
    if space.covariates is not None and "weight" not in parameters:
        names = ", ".join(space.covariates.names)
        unused += [f"the prior covariates ({names})"]
    if similar and space.kind == "contains" and "led" not in parameters:
        unused += ["the similarity of labels"]
    return [f"{single.name} does not use {each}" for each in unused]
