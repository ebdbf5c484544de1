"""K-fold cross-validation: by item, by annotator, or by response.

What is held out leaves the fit but not the roster. Folds by item ask how probable all
answers about new items are; by annotator, how probable each answer of a new annotator
is, from what others say of the item; by response, how probable an answer is from all
others. Leave-one-response-out (`compare`) is the last with a fold for each answer, at
the price of one fit; folds of items or annotators need a fit each.

References
----------
Merkle, Furr and Rabe-Hesketh (2019), Bayesian comparison of latent variable models:
conditional versus marginal likelihoods.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy.special import logsumexp

from consilience import annotators
from consilience.errors import OptionError
from consilience.fitting.inputs import (
    Table,
    as_responses,
    check_options,
    check_seed,
    reporter,
)
from consilience.fitting.request import Study
from consilience.fitting.single import Single, fit_one
from consilience.inference import EngineOptions
from consilience.model import HostModel, logarithms, stack_chains
from consilience.progress import Progress, Reporter, silent
from consilience.responses import Responses
from consilience.truth import Space

type By = Literal["item", "annotator", "response"]


@dataclass(frozen=True, slots=True, eq=False)
class _Fold:
    test: Bool[np.ndarray, " N"]
    group: Int[np.ndarray, " N"]


def cross_validate(  # noqa: PLR0913 (the public face; each argument stands alone)
    responses: Responses | Table,
    model: str = "hierarchical_dawid_skene",
    *,
    by: By = "item",
    folds: int = 5,
    engine: Literal["gibbs", "vb", "nuts", "svi"] = "vb",
    seed: int = 0,
    candidates: Table | None = None,
    gold: Table | None = None,
    effort: EngineOptions = EngineOptions(),  # noqa: B008 (a frozen record)
    progress: bool | Reporter = False,
) -> pd.DataFrame:
    """Estimate the predictive density of held-out answers by cross-validation.

    Parameters
    ----------
    responses : Responses, data frame or path
        Responses, or anything that `read` accepts.
    model : str, default "hierarchical_dawid_skene"
        Name of a model whose answers are drawn from tables.
    by : {"item", "annotator", "response"}, default "item"
        What is held out.
    folds : int, default 5
        Number of parts, each held out in turn.
    engine : {"gibbs", "vb", "nuts", "svi"}, default "vb"
        An engine that draws parameters.
    seed, candidates, gold, effort, progress : optional
        As for `fit`.

    Returns
    -------
    pandas.DataFrame
        One row per fold: fold, answers (held out), elpd (mean log predictive density
        of a held-out answer, in nats) and se, clustered by what is held out. The
        standard error is NaN for a single item, annotator or response.

    Raises
    ------
    OptionError
        If there are fewer items (annotators, responses) than folds, or if the model
        cannot be scored in this way.

    See Also
    --------
    compare : Leave out one answer at a time, at the cost of one fit.
    cross_validate_objects : The same for responses of kind objects.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
    >>> table = cs.cross_validate(responses, "multinomial", folds=3)
    >>> table[["fold", "answers", "elpd"]].round(2)
       fold  answers  elpd
    0     0       60 -1.15
    1     1       60 -1.24
    2     2       60 -1.08
    """
    study = Study.read(as_responses(responses), candidates=candidates, gold=gold)
    seed = check_seed(seed)
    check_options(effort)
    rows = []
    with reporter(progress) as report:
        space = study.space(annotators.fittable(model).states)
        for number, fold in enumerate(_folds(space, by, folds, seed)):
            # Counted no times, not taken out: all folds then have one layout.
            part = replace(space, n=np.where(fold.test, 0, space.n))
            single = fit_one(
                model,
                part,
                (seed, number),
                engine=engine,
                effort=effort,
                report=silent,
            )
            elpd = _log_predictive(single, space, part, fold, by)
            total = np.bincount(fold.group[fold.test], elpd)
            size = np.bincount(fold.group[fold.test], space.n[fold.test])
            total, size = total[size > 0], size[size > 0]
            mean = total.sum() / size.sum()
            se = np.nan
            if len(size) > 1:
                spread = (total - mean * size).var(ddof=1) * len(size)
                se = np.sqrt(spread) / size.sum()
            rows.append((number, int(size.sum()), mean, se))
            report(Progress(f"folds by {by}", number + 1, folds))
    return pd.DataFrame(rows, columns=["fold", "answers", "elpd", "se"])


def _folds(space: Space, by: By, folds: int, seed: int) -> list[_Fold]:
    groups = {
        "item": space.unit,
        "annotator": space.annotator,
        "response": np.arange(len(space.unit)),
    }
    if by not in groups:
        msg = f"there are no folds by {by!r}; choose item, annotator or response"
        raise OptionError(msg)
    group = groups[by]
    number = int(group.max(initial=-1)) + 1
    if not 2 <= folds <= number:
        msg = (
            f"{folds} folds were asked for, of {number} {by}s; give from 2 to {number}"
        )
        raise OptionError(msg)
    order = np.random.default_rng(seed).permutation(number)
    fold_of = np.empty(number, int)
    fold_of[order] = np.arange(number) % folds
    return [_Fold(fold_of[group] == fold, group) for fold in range(folds)]


def _log_predictive(
    single: Single, whole: Space, part: Space, fold: _Fold, by: By
) -> Float[np.ndarray, " H"]:
    """Return n times log p of each held answer; of an item, its share of the whole."""
    model = single.model
    if not model.on_host:
        msg = (
            f"{single.name} cannot be cross-validated: its answers are not drawn from "
            "tables with Dirichlet rows; choose another model"
        )
        raise OptionError(msg)
    flat = {
        name: np.asarray(stack_chains(values), float)
        for name, values in single.result.parameters.items()
    }
    size = np.bincount(whole.unit, whole.n, whole.num_units)
    number = len(next(iter(flat.values())))
    if number < 2:
        msg = f"{single.name} was fitted without draws; ask for some (`draws=`)"
        raise OptionError(msg)
    tables = HostModel(model, whole if by == "item" else part)
    responses = tuple(
        codes[fold.test] for codes in (whole.unit, whole.annotator, whole.answer)
    )
    drawn = []
    for draw in range(number):
        values = {name: value[draw] for name, value in flat.items()}
        logs = logarithms(values, tables.closed)
        if by == "item":
            drawn.append(tables.posterior(logs)[0])
        else:
            drawn.append(tables.from_outside(logs, responses))
    mean = logsumexp(np.stack(drawn), axis=0) - np.log(number)
    n = whole.n[fold.test]
    if by == "item":
        # The items' log probabilities, dealt out evenly over their answers.
        test_unit = whole.unit[fold.test]
        mean = mean[test_unit] / size[test_unit]
    log_density: Float[np.ndarray, " H"] = n * mean
    return log_density
