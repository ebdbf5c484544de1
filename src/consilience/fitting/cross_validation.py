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

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy.special import logsumexp

from consilience import annotators
from consilience.errors import OptionError
from consilience.fitting.inputs import Table, as_responses
from consilience.fitting.request import Request, Study
from consilience.fitting.single import Single, fit_one
from consilience.inference import EngineOptions
from consilience.model import HostModel, Model, logarithms, thin
from consilience.posterior.leave_one_out import ratio_se
from consilience.progress import Progress, Reporter, reporter, silent
from consilience.responses import Responses
from consilience.truth import Space

type By = Literal["item", "annotator", "response"]


def cross_validate(  # noqa: PLR0913 (the public face; each argument stands alone)
    responses: Responses | Table,
    model: str | Model[Any] = "hierarchical_dawid_skene",
    *,
    by: By = "item",
    folds: int = 5,
    engine: Literal["gibbs", "vb", "nuts"] = "vb",
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
    model : str or Model, default "hierarchical_dawid_skene"
        A model whose answers are drawn from tables.
    by : {"item", "annotator", "response"}, default "item"
        What is held out.
    folds : int, default 5
        Number of parts, each held out in turn.
    engine : {"gibbs", "vb", "nuts"}, default "vb"
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
    request = Request(engine=engine, seed=seed, effort=effort)
    rows = []
    with reporter(progress) as report:
        name = annotators.find(model)
        space = study.space(annotators.fittable(name).states)
        group, fold = _folds(space, by, folds, request.seed)
        for number in range(folds):
            test = fold == number
            # Counted no times, not taken out: all folds then have one layout.
            part = replace(space, n=np.where(test, 0, space.n))
            seeds = (request.seed, number)
            single = fit_one(name, part, request, silent, seed=seeds)
            elpd = _log_predictive(single, space, part, test, by)
            total = np.bincount(group[test], elpd)
            size = np.bincount(group[test], space.n[test])
            total, size = total[size > 0], size[size > 0]
            mean, se = total.sum() / size.sum(), ratio_se(total[None], size)[0]
            rows.append((number, int(size.sum()), mean, se))
            report(Progress(f"folds by {by}", number + 1, folds))
    return pd.DataFrame(rows, columns=["fold", "answers", "elpd", "se"])


def _folds(
    space: Space, by: By, folds: int, seed: int
) -> tuple[Int[np.ndarray, " N"], Int[np.ndarray, " N"]]:
    """Return of each answer what is held out together with it, and in which fold."""
    groups = {
        "item": space.unit,
        "annotator": space.annotator,
        "response": np.arange(len(space.unit)),
    }
    if by not in groups:
        raise OptionError(
            f"there are no folds by {by!r}; choose item, annotator or response"
        )
    group = groups[by]
    number = int(group.max(initial=-1)) + 1
    if not 2 <= folds <= number:
        raise OptionError(
            f"{folds} folds were asked for, of {number} {by}s; give from 2 to {number}"
        )
    order = np.random.default_rng(seed).permutation(number)
    return group, np.argsort(order)[group] % folds


def _log_predictive(
    single: Single, whole: Space, part: Space, test: Bool[np.ndarray, " N"], by: By
) -> Float[np.ndarray, " H"]:
    """Return n times log p of each held answer; of an item, its share of the whole."""
    model = single.model
    if not model.on_host:
        raise OptionError(
            f"{single.name} cannot be cross-validated: its answers are not drawn from "
            "tables with Dirichlet rows; choose another model"
        )
    parameters = single.result.parameters
    chains, number = next(iter(parameters.values())).shape[:2]
    draws = list(thin(parameters, chains * number))
    if len(draws) < 2:
        raise OptionError(
            f"{single.name} was fitted without draws; ask for some (`draws=`)"
        )
    tables = HostModel(model, whole if by == "item" else part)
    unit, annotator, answer, n = (
        each[test] for each in (whole.unit, whole.annotator, whole.answer, whole.n)
    )
    drawn = []
    for values in draws:
        logs = logarithms(values, tables.closed)
        if by == "item":
            drawn.append(tables.posterior(logs)[0])
        else:
            drawn.append(tables.from_outside(logs, (unit, annotator, answer)))
    mean = logsumexp(np.stack(drawn), axis=0) - np.log(len(draws))
    if by == "item":
        # The items' log probabilities, dealt out evenly over their answers.
        size = np.bincount(whole.unit, whole.n, whole.num_units)
        mean = mean[unit] / size[unit]
    return n * mean
