"""Models compared without gold labels, by how well each predicts answers.

Each model is fitted by `vb`, its prevalence held near the shares of votes, or by
`gibbs`; exact leave-one-response-out scores it. The scores give
the share of each model in the mixture that predicts answers best (stacking), how far
each falls short of the best, and with which standard error. Shares are then shrunk
towards equal ones of the models whose labels do not drift.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience import annotators
from consilience.continuing import branch
from consilience.errors import OptionError
from consilience.fitting.inputs import Table, as_responses
from consilience.fitting.request import Request, Study
from consilience.fitting.single import Single, fit_one
from consilience.inference import EngineOptions, choose
from consilience.inference.options import seed_for
from consilience.model import PREVALENCE, Coding, LogDirichlet, Model, num_substates
from consilience.model.language import Interpreter, interpreter, run_by
from consilience.posterior.leave_one_out import (
    leave_one_response_out,
    shrink_weights,
    standing,
)
from consilience.posterior.tables import COLUMNS
from consilience.posterior.truth import MIXTURE
from consilience.progress import Progress, Reporter, reporter
from consilience.responses import Responses
from consilience.truth import Space
from consilience.truth.coding import some_units

# What `auto` compares, models that see different things: annotators with a skill and a
# habit and items of different ease, one confusion of all errors, annotators of a few
# kinds, and kinds of each label. On sixteen public sets, the hierarchical and the
# class-conditional model had no weight beside these that made labels better.
CANDIDATES = ("correlated_dawid_skene", "shared_errors", "community_bcc", "ebcc")
IF_ORDERED = ("ordinal_dawid_skene",)
# Models whose subtypes can exchange items between labels and keep the labels' shares.
HIDES_DRIFT = ("ebcc",)
# Annotators x states x answers beyond which rows with effects take too long (a fit of
# 500,000 did not end in 150 seconds), and what stands in for them.
MAX_CELLS, STAND_IN = 100_000, "hierarchical_dawid_skene"
# Items that votes add to the prior of the prevalence of a model fitted by `vb`, for
# each item there is: half of the prevalence is theirs. Without them labels drift to the
# answers of others. Of 0, .3, 1 and 3, 1 is best on the other families whichever family
# of public sets is left out.
NEAR_VOTES = 1.0
MAX_COMPARED = 100_000  # answers; beyond, a sample of the items is compared on
# Draws of each model: scores then have a Monte Carlo error below their own. Fewer where
# draws would together visit more answers x states than the first number, and fewer
# still beyond the second.
DRAWS, ENOUGH, FEWEST = 200, 60, 20
MAX_VISITS, MAX_OF_ENOUGH = 2_400_000, 10_000_000
# Answers x states below which models are fitted one after another: arrays are so short
# that threads would wait for each other.
MANY_VISITS = 100_000


def compare(
    responses: Responses | Table,
    models: Sequence[str | Model[Any]] = CANDIDATES,
    *,
    seed: int = 0,
    candidates: Table | None = None,
    gold: Table | None = None,
    effort: EngineOptions = EngineOptions(),  # noqa: B008 (a frozen record)
    progress: bool | Reporter = False,
) -> pd.DataFrame:
    """Compare models by how well they predict each answer from all others.

    No gold labels are needed. The comparison is of answers, not of the truth: a model
    that predicts answers better need not be closer to the truth. The prevalence of
    models fitted by `vb` is held near the shares of votes, as `auto` does.

    Parameters
    ----------
    responses : Responses, data frame or path
        Responses, or anything that `read` accepts.
    models : sequence of str or Model
        Names of models with closed-form updates, or models of one's own.
    seed, candidates, gold, effort, progress : optional
        As for `fit`.

    Returns
    -------
    pandas.DataFrame
        Columns model, elpd (mean leave-one-out log predictive density of an answer, in
        nats), se, difference and difference_se (from the best model, paired by item),
        weight (in the mixture of "auto"), best (probability of being the model that
        predicts best) and seconds; the best model first.

    Raises
    ------
    OptionError
        If there is no such model, or it cannot be scored in this way.

    See Also
    --------
    cross_validate : Predict whole items, annotators or responses that are left out.
    Fit.comparison : The comparison behind a fit of the model "auto".

    References
    ----------
    Vehtari, Gelman and Gabry (2017), Practical Bayesian model evaluation using
    leave-one-out cross-validation and WAIC. Yao, Vehtari, Simpson and Gelman (2018),
    Using stacking to average Bayesian predictive distributions.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> responses = study(0, num_photos=30).responses()
    >>> models = ["hierarchical_dawid_skene", "shared_errors"]
    >>> table = cs.compare(responses, models)
    >>> table[["model", "elpd", "difference"]].round(3)
                          model   elpd  difference
    0  hierarchical_dawid_skene -0.907        0.00
    1             shared_errors -0.937       -0.03
    """
    study = Study.read(as_responses(responses), candidates=candidates, gold=gold)
    request = Request(seed=seed, effort=effort)
    with reporter(progress) as report:
        space = sample(study.space(), request.seed)
        names = [annotators.find(model) for model in models]
        _, table = compare_models(space, names, request, report)
    return table


def compare_models(
    space: Space, names: Sequence[str], request: Request, report: Reporter
) -> tuple[list[Single], pd.DataFrame]:
    """Fit and score models; return the fits, and the table of how they stand."""
    if not names:
        raise OptionError("no model was named; name those to compare")
    for name in names:
        choose(annotators.fittable(name), name, host_engine(name), space)
    draws = request.effort.draws
    if draws is not None and draws < 2:
        raise OptionError(
            f"models are compared by draws, and {draws} were asked for; ask for two or "
            "more, or name one model to fit"
        )
    work = [
        partial(_score, name, f"{name} ({number} of {len(names)})", space, request)
        for number, name in enumerate(names, 1)
    ]
    few = len(space.unit) * space.state.shape[1] < MANY_VISITS
    done = side_by_side(work, report, threads=1 if few else None)
    fits = [fitted for fitted, _ in done]
    scores = np.stack([elpd for _, elpd in done])
    table = standing(scores, space.unit, space.n, request.seed)
    shown, stacked = ~np.isin(names, HIDES_DRIFT), table["weight"].to_numpy()
    table = table.assign(
        model=pd.Series([each.name for each in fits], dtype="str"),
        weight=shrink_weights(stacked, _drift(space, fits), shown),
        seconds=[each.seconds for each in fits],
    )
    table = table.sort_values("elpd", ascending=False, kind="stable")
    fits = [fits[place] for place in table.index]
    return fits, table[["model", *COLUMNS]].reset_index(drop=True)


def lead(table: pd.DataFrame) -> str:
    """Say which model predicts answers best, and how far it is ahead."""
    best, second = table.iloc[0], table.iloc[1]
    return (
        f"of {len(table)} models {best['model']} predicts answers best, by "
        f"{-second['difference']:.4f} ± {second['difference_se']:.4f} nats an answer "
        f"over {second['model']}"
    )


def mixture_of(shares: Iterable[tuple[str, float]]) -> str:
    """Say which share of a mixture each model has, where it is worth a word."""
    shown = (f"{name} {share:.2f}" for name, share in shares if share >= 0.005)
    return f"{MIXTURE}: {', '.join(shown)}"


def _score(
    name: str, shown: str, space: Space, request: Request, report: Reporter
) -> tuple[Single, Float[np.ndarray, " N"]]:
    """Fit a model, and score each answer by the others."""
    effort = request.effort
    if effort.draws is None and host_engine(name) == "vb":
        effort = replace(effort, draws=_draws(name, space))
    request = replace(request, effort=effort)
    fitted = fit_near_votes(name, shown, space, request, report)
    scores = leave_one_response_out(fitted.model, space, fitted.result.parameters)
    if scores is None:
        raise OptionError(
            f"{name} cannot be compared: it needs draws of a closed-form posterior of "
            "tables; leave it out, or compare by cross_validate"
        )
    return fitted, scores


def reported_as(shown: str, report: Reporter) -> Reporter:
    """Return a reporter of one bar a model: one for each start fills the screen."""

    def tell(progress: Progress) -> None:
        note = f"{progress.phase} {progress.note}"
        report(Progress(shown, progress.done, progress.total, note))

    return tell


def fit_near_votes(
    name: str, shown: str, space: Space, request: Request, report: Reporter
) -> Single:
    """Fit a model as it is compared: on the host, with a seed of its own."""
    with branch(shown):
        return fit_one(
            name,
            space,
            replace(request, engine=host_engine(name)),
            reported_as(shown, report),
            seed=seed_for(request.seed, name),
            informative=near_votes(name, space),
        )


def worth_comparing(space: Space, *, ordered: bool) -> tuple[str, ...]:
    """Return the models that `auto` compares."""
    cells = space.num_annotators * len(space.states) * len(space.answers)
    if cells > MAX_CELLS:
        return STAND_IN, *CANDIDATES[1:]
    return *CANDIDATES, *(IF_ORDERED if ordered else ())


def host_engine(name: str) -> str:
    """Return the engine that fits a model for comparison, on the host where it can."""
    return "gibbs" if "gibbs" in annotators.fittable(name).engines else "vb"


def near_votes(name: str, space: Space, units: int | None = None) -> Model[Any]:
    """Return a model whose prevalence is held near the shares of votes."""
    model = annotators.fittable(name)
    if not (model.on_host and model.closed(space)):
        return model
    votes = NEAR_VOTES * (units or space.num_units) * _vote_shares(space)

    def program(data: Coding, prior: Any) -> Any:
        with run_by(_WithItems(interpreter(), votes)):
            return model.program(data, prior)

    return replace(model, program=program)


@dataclass(frozen=True)
class _WithItems:
    """Runs a program as another does, with more imagined items of each state."""

    other: Interpreter
    items: Float[np.ndarray, " K"]

    def sample(
        self,
        name: str,
        distribution: Any,
        dims: tuple[str, ...],
        sizes: Mapping[str, int],
    ) -> Any:
        """Return the value of a parameter."""
        if name == PREVALENCE:
            distribution = LogDirichlet(distribution.concentration + self.items)
        return self.other.sample(name, distribution, dims, sizes)

    def deterministic(
        self, name: str, value: Callable[[], Any], dims: tuple[str, ...]
    ) -> None:
        """Keep a quantity."""
        self.other.deterministic(name, value, dims)


def _draws(name: str, space: Space) -> int:
    """Return how many draws of a model are taken by default."""
    split = num_substates(annotators.fittable(name))
    visits = len(space.unit) * int(space.state.shape[1]) * split
    visits = max(visits, 1)
    enough = min(ENOUGH, MAX_OF_ENOUGH // visits)
    return min(DRAWS, max(FEWEST, enough, MAX_VISITS // visits))


def _drift(space: Space, fits: Sequence[Single]) -> Float[np.ndarray, " A"]:
    """Return how far each fit moves the shares of states from those of the votes."""
    votes, moved = _vote_shares(space), []
    for belief in (each.result.belief for each in fits):
        state = np.broadcast_to(space.state, belief.shape)
        shares = np.bincount(state.ravel(), belief.ravel(), len(votes))
        moved.append(np.abs(shares / space.num_units - votes).sum() / 2)
    return np.array(moved)


def _vote_shares(space: Space) -> Float[np.ndarray, " K"]:
    """Return the share of each state in the votes, all items weighing the same."""
    size = np.bincount(space.unit, space.n, space.num_units)
    share = np.bincount(space.answer, space.n / size[space.unit], len(space.answers))
    return share @ space.votes / share.sum()


def sample(space: Space, seed: int) -> Space:
    """Return the space, or where answers are many that of items drawn at random."""
    if len(space.unit) <= MAX_COMPARED:
        return space
    share = MAX_COMPARED / len(space.unit)
    generator = np.random.default_rng(seed)
    number = max(int(share * space.num_units), 1)
    units = generator.choice(space.num_units, number, replace=False)
    return some_units(space, np.sort(units))


class StoppedError(Exception):
    """Another piece of the work has failed, or was interrupted."""


def side_by_side[Found](
    work: Sequence[Callable[[Reporter], Found]],
    report: Reporter,
    *,
    threads: int | None = None,
) -> list[Found]:
    """Do pieces of work in threads, as many at once as there are processors."""
    stopped = Event()

    def heeded(progress: Progress) -> None:
        if stopped.is_set():
            raise StoppedError
        report(progress)

    threads = min(len(work), threads or os.cpu_count() or 1)
    with ThreadPoolExecutor(threads, thread_name_prefix="fit") as pool:
        # What is set of a context, such as the journal, is not set of other threads.
        futures = [pool.submit(copy_context().run, each, heeded) for each in work]
        try:
            return [future.result() for future in futures]
        except BaseException:
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
