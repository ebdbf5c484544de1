"""Fit answers in shards: parameters from all items, results shard by shard."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from consilience import annotators as models
from consilience.checks import all_checks, as_dataset
from consilience.continuing import branch, cut_short, journal
from consilience.errors import OptionError, not_among
from consilience.fitting.automatic import Mixed, Worth, going_on, worth_fitting
from consilience.fitting.comparing import reported_as
from consilience.fitting.gold import GROUP
from consilience.fitting.gold_columns import gold_of
from consilience.fitting.grid_trait import Trait
from consilience.fitting.grid_trait import learn as learn_trait
from consilience.fitting.halves import HALVES, Additions, Half, by_halves, mixed_single
from consilience.fitting.inputs import Table
from consilience.fitting.request import Request, Study
from consilience.fitting.sharded_study import GOLD, RULES, Learned, ShardedStudy, learn
from consilience.fitting.single import Single, fit_outcome
from consilience.fitting.with_gold import (
    Lesson,
    Tables,
    as_draws,
    drawn_truths,
    draws_of,
    host_of_tables,
    logs_near,
    taught_by,
)
from consilience.inference import EngineOptions
from consilience.inference.ascent import Steps
from consilience.inference.augmentation import (
    GIVEN_BURN_IN,
    counted_in,
    tables_given_truth,
)
from consilience.inference.options import check_fits, generator_of, seed_for
from consilience.inference.result import check_kind
from consilience.inference.sharded import no_closed_forms
from consilience.model import Model
from consilience.model.contract import Sizes
from consilience.posterior import ITEMS, LABELS, Fit
from consilience.posterior.annotators import skills
from consilience.posterior.labels import with_meaning
from consilience.posterior.tree import Outcome, with_groups
from consilience.progress import Progress, Reporter, reporter, silent
from consilience.responses.id_types import restored
from consilience.sharding import Shards
from consilience.whole_folder import Replaceable, whole_folder

LEAST = 0.0005  # probability of a label that is written (choice)
# Draws of the truth, of which tables of annotators are drawn where there is gold: each
# is a pass over all answers.
FEWEST_DRAWS, MOST_DRAWS = 5, 50


class ShardedFit:
    """A fit of shards: what was learned from all, and the results of each.

    See Also
    --------
    consilience.shards.fit : Returns it.

    Examples
    --------
    >>> import tempfile
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     shards = study(0, num_photos=30).shards(f"{folder}/shards")
    ...     fit = cs.shards.fit(shards, model="dawid_skene", engine="em")
    ...     sum(len(part.items()) for part in fit.parts())
    30
    """

    def __init__(
        self,
        study: ShardedStudy,
        request: Request,
        learned: Sequence[Learned],
        mixed: Mixed | None,
        presence: tuple[Trait, Additions] | None = None,
    ) -> None:
        self.study, self.request, self._presence = study, request, presence
        self._learned, self._mixed, self._cut_short = learned, mixed, cut_short()
        self._lesson: Lesson | None = None

    @property
    def model(self) -> Model[Any]:
        """The model whose annotators are reported."""
        if self._lesson is not None:
            return self._tables.model
        return self._learned[0].model

    @property
    def sweeps(self) -> int:
        """How many sweeps the optimization of that model took; none, where it drew."""
        how = self._learned[0].how
        return 0 if how is None else int(np.isfinite(how.objective).sum())

    @property
    def shards(self) -> Shards:
        """The answers."""
        return self.study.shards

    def part(self, place: int) -> Fit:
        """Return the fit of the items of a shard, with what was learned from all."""
        data = self._outcome(place).tree()
        constant = data["constant_data"].to_dataset()
        counts = ("annotator", self._learned[0].answers)
        constant = constant.assign(annotator_responses=counts)
        data = with_meaning(with_groups(data, constant_data=constant))
        return Fit(with_groups(data, diagnostics=as_dataset(all_checks(data))))

    def _outcome(self, place: int) -> Outcome:
        study, space, single, table = self._single(place)
        items = pd.unique(space.unit_item).size
        shown = (
            f"annotators and confusions are learned from all {self.shards.num_items:,} "
            f"items in {len(self.shards):,} shards; tables of items show the "
            f"{items:,} items of shard {place + 1}"
        )
        remarks, finish = (shown, *self.study.remarks), None
        if self._lesson is not None:
            study, fixed = self._with_states().part(place)
            gold, prob = gold_of(space, fixed), self.request.effort.prob
            corrected = self._lesson.corrected(space, gold, single, prob, self._tables)
            single, space, finish = corrected.single, fixed, corrected.kept
        outcome = fit_outcome(study, self.request, space, single, remarks)
        number = [self.shards.num_items, self.shards.num_answers]
        more: dict[str, Any] = {"of_all": number}
        more |= {"cut_short": self._cut_short} if self._cut_short else {}
        attributes = {**outcome.attributes, **more}
        outcome = replace(outcome, attributes=attributes, comparison=table)
        return outcome if finish is None else replace(outcome, finish=finish)

    def _single(self, place: int) -> tuple[Study, Any, Single, pd.DataFrame | None]:
        """Return what was learned from the answers says of a shard."""
        study, space = self._with_states().without_gold().part(place)
        if self._presence is not None:
            return study, space, self._by_halves(place, *self._presence), None
        fits = [each.single(space) for each in self._learned]
        if self._mixed is None:
            return study, space, fits[0], None
        return study, space, self._mixed.single(fits, space), self._mixed.table

    def _with_states(self) -> ShardedStudy:
        return replace(self.study, num_states=self._learned[0].model.states)

    def learn_from_gold(self, report: Reporter) -> None:
        """Learn from the answers about items with gold, and draw all tables again."""
        _, space, single, _ = self._single(GOLD)
        gold = gold_of(space, self._with_states().space(GOLD))
        if not len(gold.unit):
            return
        generator = generator_of(seed_for(self.request.seed, GROUP))
        given = self.study.gold
        lesson = taught_by(space, gold, single, self.request, given, generator)
        self._lesson, self._tables = lesson, Tables(single.model, {})
        some = min(max(draws_of(single), FEWEST_DRAWS), MOST_DRAWS)
        counts: list[dict[str, Any]] = [{} for _ in range(GIVEN_BURN_IN + some)]
        for place in range(len(self.shards) if draws_of(single) else 0):
            _, space, single, _ = self._single(place)
            gold = gold_of(space, self._with_states().space(place))
            host = host_of_tables(single, space)
            truths = drawn_truths(lesson.learned, space, single, gold, some)
            logs = logs_near(host, single)
            draws = counted_in(host, truths, generator)
            for total, counted in zip(counts, draws, strict=True):
                for name, count in counted(logs).items():
                    total[name] = total.get(name, 0.0) + count
            report(Progress("correcting", place + 1, len(self.shards)))
            if place == len(self.shards) - 1:
                fixed = [lambda _, of_draw=each: of_draw for each in counts]
                drawn = tables_given_truth(host, fixed, generator)
                self._tables = Tables(host.model, as_draws(drawn, single))

    def _by_halves(self, place: int, trait: Trait, added: Additions) -> Single:
        """Mix what the models say of presence in a shard."""
        fits, halves = _halves(self.study.without_gold(), self._learned, place)
        mixed = by_halves(halves, trait, self.request.effort.prob, added)
        return mixed_single(fits[0], mixed)

    def parts(self) -> Iterator[Fit]:
        """Give the fit of each shard in turn."""
        for place in range(len(self.shards)):
            yield self.part(place)

    def annotators(self) -> pd.DataFrame:
        """Return the skill of annotators in all shards; flags are of each `part`."""
        first = self.part(0)
        return restored(skills(first.data), first.types)

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
                self._write(place, partial)
                progress(Progress("writing", place + 1, len(self.shards)))
            for file in [*first.iterdir()]:
                file.rename(partial / file.name)
            first.rmdir()

    def _write(self, place: int, folder: Path) -> None:
        """Write the tables of the items and labels of a shard."""
        shown = Fit(self._outcome(place))  # whose tree is never laid out
        labels = shown.labels()[["item", "label", "probability"]]
        if self.shards.kind == "choice":
            labels = labels[labels["probability"] >= LEAST]
        for name, table in ((ITEMS, shown.items()), (LABELS, labels)):
            table.to_parquet(folder / name / f"{place:05d}.parquet", index=False)
        del shown, labels, table
        pa.default_memory_pool().release_unused()


def fit_shards(  # noqa: PLR0913 (the public face; each argument stands alone)
    shards: Shards | str | Path,
    *,
    model: str | Model[Any] = "auto",
    engine: str = "auto",
    gold: Table | None = None,
    candidates: Table | None = None,
    annotators: Table | None = None,
    seed: int = 0,
    prior: Mapping[str, float] | None = None,
    effort: EngineOptions = EngineOptions(),  # noqa: B008 (a frozen record)
    max_seconds: float | None = None,
    checkpoint: str | Path | None = None,
    progress: bool | Reporter = False,
) -> ShardedFit:
    """Fit a model to answers in shards, of kind choice or contains.

    The log-likelihood and the parameters are those of the same fit in memory, to
    rounding. Intervals need draws, which `effort` requests; each takes a sweep.

    Parameters
    ----------
    shards : Shards or path
        The answers, or their folder.
    model : str or Model, default "auto"
        A model whose parameters have closed forms. "auto" compares models on items of
        the first shard and fits the best to all shards, as `fit` does where answers
        are many, and mixes their posteriors. Of contains it averages two models, as
        `fit` does.
    engine : {"auto", "vb", "em"}, default "auto"
        Inference engine; "auto" is the first of these that fits the model.
    gold, candidates, annotators : data frame or path, optional
        As for `fit`, in memory: what is known of items and annotators. Candidates have
        log-odds or none; annotators have groups.
    seed, prior, effort, max_seconds, checkpoint, progress : optional
        As for `fit`. `effort` has the restarts (by default one), sweeps, tolerance,
        draws (by default none) and prob.

    Returns
    -------
    ShardedFit
        What was learned, and a fit for each shard.

    Raises
    ------
    OptionError
        If the engine or a setting does not exist.
    FitError
        If the model has no closed forms, as contains, glad and those with correlated
        rows.

    See Also
    --------
    fit : Fit answers in memory.

    Examples
    --------
    >>> import tempfile
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     shards = study(0, num_photos=30).shards(f"{folder}/shards")
    ...     fit = cs.shards.fit(shards, model="hierarchical_dawid_skene")
    ...     int(fit.annotators()["responses"].sum())
    180
    """
    if not isinstance(shards, Shards):
        shards = Shards.load(shards)
    name = model if model == "auto" else models.find(model)
    chosen, engine = _chosen(name, engine, prior, shards)
    request = Request(model=name, engine=engine, seed=seed, prior=prior, effort=effort)
    _check_effort(effort, engine)
    steps = Steps().asked(effort)
    tables = {"gold": gold, "candidates": candidates, "annotators": annotators}
    study = ShardedStudy.read(shards, **tables)
    if chosen is not None:
        study = replace(study, num_states=chosen.states)
    inputs = (version("consilience"), study, replace(request, started=0.0), chosen)
    whole, study = study, study.without_gold()
    folder = None if checkpoint is None else Path(checkpoint)
    with journal(folder, inputs, max_seconds), reporter(progress) as report:
        mixed = None
        if chosen is None and shards.kind == "contains":
            fitted = {each: Worth(models.fittable(each)) for each in HALVES}
        elif chosen is None:
            fitted, mixed = worth_fitting(study, request, report)
        else:
            fitted = {name: Worth(chosen)}
        learned = []
        for each, (of_model, sample) in fitted.items():
            tell, shown = report, f"{each}, all shards"
            if chosen is None:  # one bar a model, as where models are compared
                tell = reported_as(shown, report)
            asked = replace(study, num_states=of_model.states)
            with branch(shown) if chosen is None else nullcontext():
                going = steps
                if sample is not None and sample.engine == "vb":
                    going = going_on(steps, sample, request)
                fitting = learn(each, of_model, asked, request, going, tell, sample)
                learned.append(fitting)
        presence = None
        if chosen is None and shards.kind == "contains":
            presence = _presence(study, learned, effort.prob)
        fit = ShardedFit(whole, request, learned, mixed, presence)
        if whole.with_gold is not None:
            fit.learn_from_gold(report)
        return fit


def _halves(
    study: ShardedStudy, learned: Sequence[Learned], place: int
) -> tuple[list[Single], list[Half]]:
    """Return what each model says of a shard."""
    fits, halves = [], []
    for each in learned:
        space = replace(study, num_states=each.model.states).space(place)
        fits.append(each.single(space))
        halves.append(Half(each.name, space, fits[-1].result, fits[-1].tempering))
    return fits, halves


def _presence(
    study: ShardedStudy, learned: Sequence[Learned], prob: float
) -> tuple[Trait, Additions]:
    """Learn the latent trait from all shards, and of labels what the first shows."""
    _, halves = _halves(study, learned, 0)
    share = sum(half.share() for half in halves) / len(halves)
    spaces = (study.space(place) for place in range(len(study.shards)))
    trait = learn_trait(spaces, study.shards.num_answers, share)
    return trait, by_halves(halves, trait, prob).added


def _chosen(
    name: str, engine: str, prior: Mapping[str, float] | None, shards: Shards
) -> tuple[Model[Any] | None, str]:
    """Return the model, or None where several are compared, and the engine."""
    if engine not in {"auto", *RULES}:
        raise OptionError(not_among("engine", engine, ("auto", *RULES)))
    if name == "auto":
        if engine == "em" or prior:
            raise OptionError(
                "auto fits several models by vb; name one for another engine or a prior"
            )
        return None, "vb"
    chosen = models.fittable(name, prior)
    check_kind(chosen, name, shards.kind)
    engines = [each for each in ("vb", "em") if each in chosen.engines]
    people, labels = len(shards.annotators), len(shards.labels)
    sizes = Sizes(people, 1, labels, labels, np.zeros(people, int), np.eye(labels))
    if not engines or not chosen.closed(sizes):
        raise no_closed_forms(name)
    check_fits(name, engine, chosen.engines)
    return chosen, engines[0] if engine == "auto" else engine


def _check_effort(effort: EngineOptions, engine: str) -> None:
    """Refuse what fits of shards do not take of it."""
    given = {key for key, value in asdict(effort).items() if value is not None}
    unused = sorted(given - {"restarts", "iterations", "tolerance", "draws", "prob"})
    if unused:
        raise OptionError(
            f"fits of shards have no {', '.join(unused)}; their effort is restarts, "
            "sweeps, tolerance, draws and prob"
        )
    if engine == "em" and effort.draws:
        raise OptionError(
            "em takes no draws of shards; models with closed forms have them by "
            '`engine="vb"`, or leave `draws=` out'
        )
