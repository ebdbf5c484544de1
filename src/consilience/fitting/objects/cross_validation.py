"""How well the model of objects predicts a response from the others about its item.

Of each response it is asked how probable the set of labels is that it names, and the
label that it marks as the main one, given some of the other responses about the item
and a model fitted to the items of other folds. The outcome space is blind to the
response: it is the labels that those others name, the data set's own, and *something
else*. A set is the named labels among those, and whether there is something else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from consilience import annotators
from consilience.errors import OptionError
from consilience.fitting.inputs import (
    Table,
    as_candidates,
    as_similarity,
    both_tasks,
    check_options,
    check_seed,
    reporter,
)
from consilience.fitting.objects.contexts import contexts
from consilience.fitting.objects.new_label import probability_of_new_label
from consilience.fitting.objects.predictive_density import score_responses
from consilience.inference import EngineOptions, run
from consilience.model import AnnotatorModel, parameters_from_draw
from consilience.model.layout import lay_out
from consilience.objects.layout.pooling import pool
from consilience.objects.layout.space import objects
from consilience.progress import Progress, Reporter, silent
from consilience.responses import Responses
from consilience.truth import ObjectsSpace
from consilience.truth.parts import some_units


def cross_validate_objects(  # noqa: PLR0913 (the public face; each argument stands alone)
    responses: Responses | Table,
    folds: Int[np.ndarray, " I"] | int = 5,
    *,
    only: Sequence[int] | None = None,
    others: int | None = None,
    seed: int = 0,
    candidates: Table | None = None,
    similarity: Table | None = None,
    contains: Responses | Table | None = None,
    prior: Mapping[str, float] | None = None,
    effort: EngineOptions = EngineOptions(),  # noqa: B008 (a frozen record)
    progress: bool | Reporter = False,
) -> pd.DataFrame:
    """Predict each response of kind objects by a model fitted without its item.

    Parameters
    ----------
    responses : Responses, data frame or path
        Responses of kind objects, or anything that `read` accepts.
    folds : int or array of int, default 5
        The fold of each item, in the order of the items' codes. A number assigns the
        items to so many folds at random.
    only : sequence of int, optional
        The folds that are predicted; all by default.
    others : int, optional
        How many of the other responses about the item are given, drawn at random; all
        by default.
    seed : int, default 0
        Seed of the folds, of the choice of other responses, and of the fits.
    candidates : data frame or path, optional
        Columns item, label and prior covariates.
    similarity : data frame or path, optional
        As for `fit`.
    contains : Responses, data frame or path, optional
        Responses of kind contains about the same items, as for `fit`.
    prior : mapping of str to float, optional
        Settings of the model's prior to change.
    effort : EngineOptions, optional
        Settings of the optimizer.
    progress : bool or callable, default False
        True shows a progress bar. A function is called with each `Progress`.

    Returns
    -------
    pandas.DataFrame
        One row per response: item, fold, n (how often it was given, where equal
        responses share a row), selected and main (log predictive density of the set
        and of the main label, in nats), `top` (probability that the most probable
        label is the main one), `new_label` and `new_main` (whether the response names
        a label that no other response names, or has such a label as the main one).

    Raises
    ------
    OptionError
        If there is not one fold for each item, or there are fewer than two folds.

    See Also
    --------
    cross_validate : The same for models whose answers are drawn from tables.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(
    ...     kind="objects", items=16, annotators=8, classes=6, per_item=4, seed=0
    ... )
    >>> table = cs.cross_validate_objects(study.responses, folds=2)
    >>> list(table.columns)
    ['item', 'fold', 'n', 'selected', 'main', 'top', 'new_label', 'new_main']
    """
    given, beside = both_tasks(responses, contains)
    seed = check_seed(seed)
    check_options(effort)
    with jax.enable_x64(True), reporter(progress) as report:  # noqa: FBT003 (JAX's way)
        space = objects(
            given,
            as_candidates(candidates, given),
            beside,
            as_similarity(similarity, given.labels["label"]),
        )
        fold = _folds(folds, space.num_units, seed)
        model = annotators.fittable("objects", prior)
        tables, test_folds = [], np.unique(fold if only is None else only)
        for number, test_fold in enumerate(test_folds):
            tables.append(
                _of_fold(
                    model,
                    space,
                    fold == test_fold,
                    others,
                    (seed, int(test_fold)),
                    effort,
                )
            )
            tables[-1].insert(1, "fold", int(test_fold))
            report(Progress("folds", number + 1, len(test_folds)))
    return pd.concat(tables, ignore_index=True)


def _folds(
    folds: Int[np.ndarray, " I"] | int, items: int, seed: int
) -> Int[np.ndarray, " I"]:
    if isinstance(folds, int):
        if not 2 <= folds <= items:
            msg = f"{folds} folds of {items} items; give from 2 to {items}"
            raise OptionError(msg)
        order = np.random.default_rng(seed).permutation(items)
        return order % folds
    if len(folds) != items or len(np.unique(folds)) < 2:
        msg = f"{len(folds)} folds were given; give one of two or more to {items} items"
        raise OptionError(msg)
    return folds


def _of_fold(
    model: AnnotatorModel[Any],
    space: ObjectsSpace,
    test: Bool[np.ndarray, " U"],
    others: int | None,
    seed: tuple[int, int],
    effort: EngineOptions,
) -> pd.DataFrame:
    named = space.named
    training = replace(space, named=replace(named, observed=~test))
    result = run(model, training, "em", seed, effort, silent)
    observations = lay_out(model, training)
    values = {name: value[0, 0] for name, value in result.parameters.items()}
    parameters = parameters_from_draw(model, observations, values)
    counts = pool(training)
    training_items = some_units(space, np.flatnonzero(~test))
    training_contexts = contexts(
        training_items, others, seed[0] + 1, max_responses=20_000
    )
    test_contexts = contexts(some_units(space, np.flatnonzero(test)), others, seed[0])
    new_label, new_main = probability_of_new_label(
        training_contexts, test_contexts, counts
    )
    names = observations.layout.names
    selected, main, top = score_responses(test_contexts, counts, names, parameters)
    rare = np.log(training_contexts.empty)
    log_new_label = np.where(
        test_contexts.new_label,
        np.log(new_label)
        + np.where(test_contexts.kept == 0, rare, np.log1p(-training_contexts.empty)),
        np.log1p(-new_label),
    )
    return pd.DataFrame(
        {
            "item": test_contexts.space.unit_item[test_contexts.unit],
            "n": test_contexts.n,
            "selected": log_new_label
            + np.where(test_contexts.kept == 0, 0.0, selected),
            "main": np.where(
                test_contexts.new_main, np.log(new_main), np.log1p(-new_main) + main
            ),
            "top": np.where(test_contexts.new_main, 0.0, top),
            "new_label": test_contexts.new_label,
            "new_main": test_contexts.new_main,
        }
    )
