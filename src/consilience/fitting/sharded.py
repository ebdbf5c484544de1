"""Fit answers in shards: parameters from all items, results shard by shard."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Int

from consilience import annotators
from consilience.checks import all_checks, as_dataset
from consilience.checks.independence import Residual, residual_correlation
from consilience.continuing import cut_short, journal
from consilience.errors import FitError, OptionError, not_among
from consilience.fitting.request import Request, Study
from consilience.fitting.single import Single, fit_outcome, temper_result
from consilience.inference import EngineOptions
from consilience.inference.ascent import Optimum, Steps, logs_of, point
from consilience.inference.engines import em, vb
from consilience.inference.options import check_fits, generator_of, override
from consilience.inference.result import Optimization, at_a_point
from consilience.inference.sharded import ShardedModel, optimize_shards
from consilience.model import HostModel, Model
from consilience.posterior import Fit
from consilience.posterior.tree import Outcome, with_groups
from consilience.progress import Progress, Reporter, reporter, silent
from consilience.shards import Shards
from consilience.whole_folder import Replaceable, whole_folder

MODEL, ENGINE = "hierarchical_dawid_skene", "vb"
RULES = {"em": em.RULE, "vb": vb.RULE}
REMARK = "no draws are taken of shards, so annotators have no intervals"
LEAST = 0.0005  # probability of a label that is written
ITEMS, LABELS = "all_items", "all_labels"  # folders of Parquet files, one of each shard


class ShardedFit:
    """A fit of shards: what was learned from all, and the results of each.

    See Also
    --------
    consilience.fit_shards : Returns it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     source = Path(folder) / "answers.parquet"
    ...     study(0, num_photos=30).answers.to_parquet(source)
    ...     columns = {"item": "photo", "label": "animal"}
    ...     shards = cs.write_shards(source, Path(folder) / "shards", **columns)
    ...     fit = cs.fit_shards(shards, model="dawid_skene", engine="em")
    ...     sum(len(part.items()) for part in fit.parts())
    30
    """

    def __init__(
        self,
        shards: Shards,
        request: Request,
        sweeps: ShardedModel,
        where: Optimum,
        how: Optimization,
    ) -> None:
        self.shards, self.request = shards, request
        self._sweeps, self._how, self._cut_short = sweeps, how, cut_short()
        self._logs = logs_of(RULES[request.engine], where)
        self._parameters = point(cast("HostModel", sweeps), where)
        self._seconds = time.monotonic() - request.started

    @property
    def model(self) -> Model[Any]:
        """The model that was fitted."""
        return self._sweeps.model

    @property
    def sweeps(self) -> int:
        """How many sweeps the optimization took."""
        return int(np.isfinite(self._how.objective).sum())

    def part(self, place: int) -> Fit:
        """Return the fit of the items of a shard, with what was learned from all."""
        data = self._outcome(place).tree()
        constant = data["constant_data"].to_dataset()
        counts = ("annotator", self._answers_of_annotators)
        constant = constant.assign(annotator_responses=counts)
        data = with_groups(data, constant_data=constant)
        return Fit(with_groups(data, diagnostics=as_dataset(all_checks(data))))

    def _outcome(self, place: int) -> Outcome:
        responses = self.shards.responses(place)
        fitted, space = self._sweeps.part(place), self.shards.coded(responses)
        swept = fitted.sweep(self._logs)
        result = at_a_point(
            self._parameters,
            fitted.truth(swept.belief),
            swept.log_likelihood,
            self._how,
            (REMARK,),
        )
        tempering = None
        if self._residual is not None:
            tempering = temper_result(self._residual, "tempered", space, result)
        single = Single(
            name=self.request.model,
            model=self.model,
            engine=self.request.engine,
            reason="it fits shards",
            result=result,
            tempering=tempering,
            seconds=self._seconds,
        )
        study = Study(responses=responses)
        shown = (
            f"annotators and confusions are learned from all {self.shards.num_items:,} "
            f"items in {len(self.shards):,} shards; tables of items show the "
            f"{space.num_units:,} items of shard {place + 1}"
        )
        outcome = fit_outcome(study, self.request, space, single, (shown,))
        cut = {"cut_short": self._cut_short} if self._cut_short else {}
        return replace(outcome, attributes={**outcome.attributes, **cut})

    def parts(self) -> Iterator[Fit]:
        """Give the fit of each shard in turn."""
        for place in range(len(self.shards)):
            yield self.part(place)

    def annotators(self) -> pd.DataFrame:
        """Return the table of annotators, of all shards."""
        return self.part(0).annotators()

    def save(
        self,
        folder: str | Path,
        *,
        overwrite: bool = False,
        progress: Reporter = silent,
    ) -> None:
        """Write a run of the first shard, and Parquet files of all items and labels.

        The run is as that of any other fit; `all_items` and `all_labels` beside it are
        folders that Arrow, DuckDB, polars and pandas read as one table each. Labels of
        a probability below .0005 are left out.
        """
        marker: Replaceable = "run.toml" if overwrite else None
        with whole_folder(Path(folder), replaceable=marker) as partial:
            first = partial / "first"
            self.part(0).save(first)
            for name in (ITEMS, LABELS):
                (partial / name).mkdir()

            for place in range(len(self.shards)):
                part = Fit(self._outcome(place))  # whose tree is never laid out
                labels = part.labels()[["item", "label", "probability"]]
                labels = labels[labels["probability"] >= LEAST]
                for name, table in ((ITEMS, part.items()), (LABELS, labels)):
                    table.to_parquet(partial / name / f"{place:05d}.parquet")
                del part, labels, table
                pa.default_memory_pool().release_unused()
                progress(Progress("writing", place + 1, len(self.shards)))
            for file in [*first.iterdir()]:
                file.rename(partial / file.name)
            first.rmdir()

    @cached_property
    def _residual(self) -> Residual | None:
        parameters = {
            name: np.asarray(value)[None, None]
            for name, value in self._parameters.items()
        }
        return residual_correlation(self.model, self.shards.space(0), parameters)

    @cached_property
    def _answers_of_annotators(self) -> Int[np.ndarray, " J"]:
        total = np.zeros(self.shards.space(0).num_annotators)
        for place in range(len(self.shards)):
            space = self.shards.space(place)
            total += np.bincount(space.annotator, space.n, len(total))
        return total.astype(np.int64)


def fit_shards(  # noqa: PLR0913 (the public face; each argument stands alone)
    shards: Shards,
    *,
    model: str | Model[Any] = MODEL,
    engine: str = ENGINE,
    seed: int = 0,
    prior: Mapping[str, float] | None = None,
    effort: EngineOptions = EngineOptions(),  # noqa: B008 (a frozen record)
    max_seconds: float | None = None,
    checkpoint: str | Path | None = None,
    progress: bool | Reporter = False,
) -> ShardedFit:
    """Fit a model to answers in shards, of kind choice.

    The log-likelihood and the parameters are those of the same fit in memory, to
    rounding. Annotators have no intervals, since no draws are taken.

    Parameters
    ----------
    shards : Shards
        The answers.
    model : str or Model, default "hierarchical_dawid_skene"
        A model whose parameters have closed forms.
    engine : {"vb", "em"}, default "vb"
        Inference engine.
    seed, prior, effort, max_seconds, checkpoint, progress : optional
        As for `fit`. `effort` has the restarts (by default one), sweeps and tolerance.

    Returns
    -------
    ShardedFit
        What was learned, and a fit for each shard.

    Raises
    ------
    OptionError
        If the engine or a setting does not exist.
    FitError
        If the model has parameters without closed forms.

    See Also
    --------
    fit : Fit answers in memory.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     source = Path(folder) / "answers.parquet"
    ...     study(0, num_photos=30).answers.to_parquet(source)
    ...     columns = {"item": "photo", "label": "animal"}
    ...     shards = cs.write_shards(source, Path(folder) / "shards", **columns)
    ...     fit = cs.fit_shards(shards)
    ...     int(fit.annotators()["responses"].sum())
    180
    """
    name = annotators.find(model)
    if engine not in RULES:
        raise OptionError(not_among("engine", engine, tuple(RULES)))
    request = Request(model=name, engine=engine, seed=seed, prior=prior, effort=effort)
    chosen = annotators.fittable(name, prior)
    if chosen.rule or chosen.by_gradient or not chosen.on_host:
        msg = (
            f"{name} has parameters without closed forms, and shards are fitted by "
            "models without such, as dawid_skene and hierarchical_dawid_skene are; "
            "choose one of these"
        )
        raise FitError(msg)
    check_fits(name, engine, chosen.engines)
    given = {key: value for key, value in asdict(effort).items() if value is not None}
    unused = sorted({*given} - {"restarts", "sweeps", "tolerance", "prob"})
    if unused:
        msg = (
            f"fits of shards have no {', '.join(unused)}: no draws are taken; their "
            "effort is restarts, sweeps and tolerance"
        )
        raise OptionError(msg)
    steps = override(Steps(), given)
    inputs = (version("consilience"), shards, replace(request, started=0.0), chosen)
    folder = None if checkpoint is None else Path(checkpoint)
    with journal(folder, inputs, max_seconds), reporter(progress) as report:
        sweeps = ShardedModel(chosen, shards.space, len(shards))
        where, how = optimize_shards(
            sweeps, RULES[engine], steps, generator_of(seed), report
        )
        return ShardedFit(shards, request, sweeps, where, how)
