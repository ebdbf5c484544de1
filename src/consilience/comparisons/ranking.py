"""The ranking of systems: scores, ranks and judges with intervals, and predictions."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import tomli_w
from jaxtyping import Float
from scipy.special import expit, ndtri

from consilience.comparisons import laplace
from consilience.comparisons.checks import (
    Scored,
    agreeing_groups,
    left_out,
    mixed_chains,
    one_scale,
)
from consilience.comparisons.model import TRAITS, Estimate, Prior, counted, log_outcomes
from consilience.comparisons.reading import read
from consilience.comparisons.record import Comparisons
from consilience.errors import DataError, OptionError, SourceError, not_a, not_among
from consilience.executors import products_on_one_thread
from consilience.intervals import bounds, check_prob
from consilience.posterior import export_table
from consilience.whole_folder import whole_folder

MARKER = "ranking.toml"
_ENGINES, _BY = ("laplace", "nuts"), ("item", "judge", "comparison")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Ranking:
    """Systems ranked from comparisons.

    Attributes
    ----------
    comparisons : Comparisons
        What was fitted.
    estimate : Estimate
        Scores and traits of judges, and draws.
    covariates : dict
        Root mean square of each covariate.
    engine, prob, seed, prior
        What was asked for.

    See Also
    --------
    consilience.comparisons.fit : Rank systems.
    consilience.comparisons.load : Read a ranking that was saved.

    Examples
    --------
    >>> import consilience as cs
    >>> rows = {"first": [*"xyxz"], "second": [*"yxzy"], "winner": [*"xxxz"]}
    >>> ranking = cs.comparisons.fit(cs.comparisons.read(rows))
    >>> list(ranking.scores()["system"])
    ['x', 'z', 'y']
    >>> list(ranking.ranks().columns)
    ['system', 'rank', 'lower', 'upper', 'p_best']
    """

    comparisons: Comparisons
    estimate: Estimate
    covariates: dict[str, float]
    engine: str
    prob: float
    seed: int
    prior: Prior

    def scores(self) -> pd.DataFrame:
        """Return the score of each system, the best first.

        The scores have mean zero, in log-odds of an average judge. win_rate is the
        probability to win against a system of score 0, half of ties included.
        """
        comparisons, draws = self.comparisons, self.estimate.score_draws
        lower, upper = bounds(draws, self.prob)
        both = np.concatenate([comparisons.first, comparisons.second])
        p = self._average(draws, None)
        return self._by_system(
            comparisons=np.bincount(both, minlength=len(lower)),
            score=self.estimate.score,
            lower=lower,
            upper=upper,
            win_rate=(p[..., 0] + p[..., 2] / 2).mean(0),
        )

    def ranks(self) -> pd.DataFrame:
        """Return the median rank of each system, with bounds; 1 is the best."""
        tail = (1 - self.prob) / 2
        lower, rank, upper = np.quantile(
            self._ranks, [tail, 0.5, 1 - tail], axis=0, method="inverted_cdf"
        )
        p_best = (self._ranks == 1).mean(0)
        return self._by_system(rank=rank, lower=lower, upper=upper, p_best=p_best)

    def rank_probabilities(self) -> pd.DataFrame:
        """Return the probability of each rank of each system, systems by ranks."""
        ranks = range(1, len(self.comparisons.systems) + 1)
        return self._by_system(**{str(n): (self._ranks == n).mean(0) for n in ranks})

    def differences(self, group: str | None = None) -> pd.DataFrame:
        """Return the difference of each two systems, with bounds.

        p_greater is the posterior probability that the score is greater; p_wins and
        p_tie are those of one answer of an average judge (of a group, if named) without
        a bias to the first place.
        """
        names, tables = np.array(self.comparisons.systems), []
        score, draws = self.estimate.score, self.estimate.score_draws
        order = np.argsort(-score, kind="stable")
        for one in order:
            others = order[order != one]
            gap = draws[:, [one]] - draws[:, others]
            lower, upper = bounds(gap, self.prob)
            p = self._average(gap, group).mean(0)
            columns = {
                "system": names[one],
                "other_system": names[others],
                "difference": score[one] - score[others],
                "lower": lower,
                "upper": upper,
                "p_greater": (gap > 0).mean(0),
                "p_wins": p[:, 0],
                "p_tie": p[:, 2],
            }
            tables.append(pd.DataFrame(columns))
        return pd.concat(tables, ignore_index=True)

    def judges(self) -> pd.DataFrame:
        """Return the traits of each judge, with bounds.

        discrimination is 1 on geometric average. Between two systems that are equal,
        first_place is the probability of the first where there is no tie, and ties is
        that of a tie.
        """
        comparisons, estimate = self.comparisons, self.estimate
        number = len(comparisons.judges)
        columns = {
            "judge": comparisons.judges,
            "group": np.array(comparisons.groups)[comparisons.group_of],
            "comparisons": np.bincount(comparisons.judge, minlength=number),
        }
        width = ndtri((1 + self.prob) / 2) * estimate.judge_errors
        for place, name in enumerate(TRAITS):
            for suffix, sign in (("", 0), ("_lower", -1), ("_upper", 1)):
                trait = estimate.judge_traits[:, place] + sign * width[:, place]
                shown = expit(trait - np.log(2) * (name == "ties"))
                columns[name + suffix] = shown if place else np.exp(trait)
        return pd.DataFrame(columns)

    def coefficients(self) -> pd.DataFrame:
        """Return the coefficient of each covariate, per unit, with bounds."""
        draws = self.estimate.coefficient_draws / np.array([*self.covariates.values()])
        lower, upper = bounds(draws, self.prob)
        columns = {"covariate": [*self.covariates], "coefficient": draws.mean(0)}
        return pd.DataFrame({**columns, "lower": lower, "upper": upper})

    def predict(self, comparisons: Comparisons) -> pd.DataFrame:
        """Return the probabilities of first, second and tie of each comparison.

        A judge who is unknown answers as the average of the group.

        Raises
        ------
        DataError
            If a system is unknown.
        """
        place = _places(self.comparisons.systems, comparisons.systems)
        if (place < 0).any():
            name = comparisons.systems[int(np.argmax(place < 0))]
            raise DataError(not_among("system", name, self.comparisons.systems))
        score = self.estimate.score[place]
        trait = self._traits(comparisons)[comparisons.judge]
        gap = score[comparisons.first] - score[comparisons.second]
        x = _covariates(comparisons, self.covariates)
        h = np.exp(trait[:, 0]) * gap + trait[:, 1]
        h += x @ self.estimate.coefficient_draws.mean(0)
        p = np.exp(log_outcomes(h, trait[:, 2]))
        return pd.DataFrame(p, columns=["p_first", "p_second", "p_tie"])

    def log_loss(self, comparisons: Comparisons | None = None) -> float:
        """Return the mean log-loss of comparisons, by default of those fitted."""
        given = self.comparisons if comparisons is None else comparisons
        p = self.predict(given).to_numpy()
        return float(-np.log(p[np.arange(len(given)), given.outcome]).mean())

    def leave_one_out(self) -> Float[np.ndarray, " N"]:
        """Return the log probability of each comparison given all others.

        By a step of Newton from the mode, with scales held; what comparisons of one
        item have in common is seen in `cross_validate`.
        """
        counts = counted(
            self.comparisons, _covariates(self.comparisons, self.covariates)
        )
        at = laplace.mode(counts, self.prior)
        return left_out(at, counts, self.comparisons.outcome)

    def diagnostics(self) -> pd.DataFrame:
        """Return the checks, as `Fit.diagnostics` does.

        pairs: whether one score a system describes who beats whom; groups: whether
        groups of judges agree on the scores; rhat: whether chains agree.
        """
        given = self.comparisons
        verdicts = [one_scale(given, self.predict(given).to_numpy())]
        verdicts += agreeing_groups(self._by_group())
        if self.engine == "nuts":
            verdicts.append(mixed_chains(self.estimate.score_draws))
        return pd.DataFrame(
            [asdict(verdict) | {"ok": verdict.ok} for verdict in verdicts]
        )

    def _by_group(self) -> Iterator[Scored]:
        """Give the scores by each group of judges that compared all it names."""
        group = self.comparisons.group_of[self.comparisons.judge]
        for code, name in enumerate(self.comparisons.groups):
            rows = group == code
            if len(self.comparisons.groups) > 1 and rows.any():
                part = read(self.comparisons.table[rows])
                try:
                    alone = fit(part, covariates=[*self.covariates], prior=self.prior)
                except DataError:  # parts that are never compared
                    continue
                draws = alone.estimate.score_draws
                yield Scored(name, part.systems, draws.mean(0), np.cov(draws.T))

    def cross_validate(
        self, folds: int = 10, by: Literal["item", "judge", "comparison"] = "item"
    ) -> float:
        """Return the mean log-loss of comparisons that the fit has not seen.

        Of items, judges or comparisons, a fold is left out in turn; as many folds as
        there are units leave one out. The engine is laplace.
        """
        if by not in _BY:
            raise OptionError(not_among("unit", by, _BY))
        given = self.comparisons
        unit = np.arange(len(given)) if by == "comparison" else getattr(given, by)
        _, unit = np.unique(unit, return_inverse=True)
        number = int(unit.max()) + 1
        if folds < 2 or number < 2:
            raise OptionError(f"{folds} folds of {number} units; give at least two")
        order = np.random.default_rng(self.seed).permutation(number)
        fold = (order * min(folds, number) // number)[unit]
        total = 0.0
        for each in np.unique(fold):
            seen, left = given.take(fold != each), given.take(fold == each)
            counts = counted(seen, _covariates(seen, self.covariates))
            mode = laplace.estimated(laplace.mode(counts, self.prior), counts)
            fitted = replace(self, comparisons=seen, estimate=mode)
            total += fitted.log_loss(left) * len(left)
        return total / len(given)

    def save(self, out: str | Path, *, overwrite: bool = False) -> None:
        """Write the ranking as a folder: Parquet files, settings, and tables as CSV."""
        settings = {name: getattr(self, name) for name in ("engine", "prob", "seed")}
        settings |= {"prior": asdict(self.prior), "covariates": self.covariates}
        replaceable = MARKER if overwrite else None
        with whole_folder(Path(out), replaceable=replaceable) as partial:
            (partial / MARKER).write_text(tomli_w.dumps(settings), "utf-8")
            self.comparisons.table.to_parquet(partial / "comparisons.parquet")
            for name, values in self.estimate._asdict().items():
                table = pd.DataFrame(values.reshape(len(values), -1)).rename(
                    columns=str
                )
                table.to_parquet(partial / f"{name}.parquet")
            for name in ("scores", "ranks", "differences", "judges"):
                export_table(getattr(self, name)(), partial / f"{name}.csv")

    def __repr__(self) -> str:
        """Return what was compared, and the scores."""
        table = self.scores().round(2).to_string(index=False)
        return f"Ranking from {self.comparisons!r}, {self.prob:.0%} intervals\n{table}"

    @property
    def _ranks(self) -> np.ndarray:
        return np.argsort(np.argsort(-self.estimate.score_draws, axis=1), axis=1) + 1

    def _by_system(self, **columns: np.ndarray) -> pd.DataFrame:
        """Return columns beside the systems, the best first."""
        table = pd.DataFrame({"system": self.comparisons.systems, **columns})
        order = np.argsort(-self.estimate.score, kind="stable")
        return table.iloc[order].reset_index(drop=True)

    def _average(self, gap: np.ndarray, group: str | None) -> np.ndarray:
        """Return p(outcome) for an average judge, of draws of differences."""
        groups = self.comparisons.groups
        if group is not None and group not in groups:
            raise OptionError(not_among("group", group, groups))
        if group is None:
            log_ties = self.estimate.group_draws[..., 2].mean(1)
            return np.exp(log_outcomes(gap, log_ties[:, None]))
        trait = self.estimate.group_draws[:, groups.index(group)]
        return np.exp(log_outcomes(np.exp(trait[:, [0]]) * gap, trait[:, [2]]))

    def _traits(self, comparisons: Comparisons) -> Float[np.ndarray, "j 3"]:
        """Return the traits of the judges of other comparisons."""
        usual = self.estimate.group_draws.mean(0)
        group = _places(self.comparisons.groups, comparisons.groups)
        average = usual.mean(0) * [0.0, 1.0, 1.0]
        traits = np.where(group[:, None] < 0, average, usual[group])
        traits = traits[comparisons.group_of]
        place = _places(self.comparisons.judges, comparisons.judges)
        traits[place >= 0] = self.estimate.judge_traits[place[place >= 0]]
        return traits


@products_on_one_thread()
def fit(
    comparisons: Comparisons,
    *,
    covariates: Sequence[str] = (),
    prior: Prior | None = None,
    engine: Literal["laplace", "nuts"] = "laplace",
    prob: float = 0.9,
    seed: int = 0,
) -> Ranking:
    """Rank systems from comparisons of two each by judges.

    Bradley-Terry scores with Davidson's ties, where judges differ in discrimination, in
    their bias to what is shown first and in their rate of ties. If items have several
    comparisons, intervals allow for their correlation (engine laplace).

    Parameters
    ----------
    comparisons : Comparisons
        From `read`.
    covariates : sequence of str, optional
        Columns of numbers: what the first system has more of than the second.
    prior : Prior, optional
        Usual scales of scores and judges.
    engine : {"laplace", "nuts"}, default "laplace"
        A normal approximation at the mode, or draws by Hamiltonian Monte Carlo.
    prob : float, default 0.9
        Probability of the intervals.
    seed : int, default 0
        Seed of draws and of folds.

    Returns
    -------
    Ranking
        Tables of scores, ranks, differences and judges.

    Raises
    ------
    DataError
        If the systems fall into parts that are never compared with each other.
    OptionError
        If an option is invalid.

    References
    ----------
    Bradley and Terry (1952); Davidson (1970); Davidson and Beaver (1977).

    See Also
    --------
    consilience.comparisons.read : Read comparisons.
    consilience.fit : Infer true labels from answers about items.

    Examples
    --------
    >>> import consilience as cs
    >>> rows = {"first": [*"xyxz"], "second": [*"yxzy"], "winner": [*"xxxz"]}
    >>> ranking = cs.comparisons.fit(cs.comparisons.read(rows))
    >>> ranking.ranks()["system"].iloc[0]
    'x'
    """
    if not isinstance(comparisons, Comparisons):
        expected = "what consilience.comparisons.read returns"
        raise OptionError(not_a("comparisons", comparisons, expected))
    if engine not in _ENGINES:
        raise OptionError(not_among("engine", engine, _ENGINES))
    check_prob(prob)
    comparisons.check_connected()
    names = [covariates] if isinstance(covariates, str) else covariates
    roots = {
        name: float(np.sqrt((comparisons.column(name) ** 2).mean())) for name in names
    }
    scale = {name: root or 1.0 for name, root in roots.items()}
    prior = prior or Prior()
    counts = counted(comparisons, _covariates(comparisons, scale))
    if engine == "nuts":
        from consilience.comparisons.nuts import drawn  # noqa: PLC0415 (JAX)

        estimate = drawn(counts, prior, seed)
    else:
        at = laplace.mode(counts, prior)
        wide = laplace.clustered(at, counts, comparisons.outcome, comparisons.item)
        estimate = laplace.estimated(at, counts, wide, seed)
    return Ranking(
        comparisons=comparisons,
        estimate=estimate,
        covariates=scale,
        engine=engine,
        prob=prob,
        seed=seed,
        prior=prior,
    )


def load(folder: str | Path) -> Ranking:
    """Read a ranking that `Ranking.save` wrote.

    Parameters
    ----------
    folder : str or Path
        The folder.

    Returns
    -------
    Ranking
        The ranking.

    Raises
    ------
    SourceError
        If the folder holds no ranking.

    See Also
    --------
    consilience.comparisons.fit : Rank systems.

    Examples
    --------
    >>> import tempfile
    >>> import consilience as cs
    >>> rows = {"first": [*"xyxz"], "second": [*"yxzy"], "winner": [*"xxxz"]}
    >>> ranking = cs.comparisons.fit(cs.comparisons.read(rows))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ranking.save(f"{folder}/ranking")
    ...     again = cs.comparisons.load(f"{folder}/ranking")
    >>> again.scores().equals(ranking.scores())
    True
    """
    folder = Path(folder)
    if not (folder / MARKER).is_file():
        raise SourceError(f"{folder}: holds no {MARKER}, so it is no ranking")
    settings = tomllib.loads((folder / MARKER).read_text("utf-8"))
    tables = {
        name: pd.read_parquet(folder / f"{name}.parquet") for name in Estimate._fields
    }
    # In the order of memory that they had, in which means are to the last digit alike.
    values: dict[str, np.ndarray] = {
        name: np.ascontiguousarray(table, np.float64) for name, table in tables.items()
    }
    values["score"] = values["score"][:, 0]
    number = len(values["score_draws"])
    values["group_draws"] = values["group_draws"].reshape(number, -1, 3)
    # A table without columns has lost its rows.
    shape = (number, len(settings["covariates"]))
    values["coefficient_draws"] = values["coefficient_draws"].reshape(shape)
    settings["prior"] = Prior(**settings["prior"])
    comparisons = read(folder / "comparisons.parquet")
    return Ranking(comparisons=comparisons, estimate=Estimate(**values), **settings)


def _covariates(
    comparisons: Comparisons, scale: dict[str, float]
) -> Float[np.ndarray, "N C"]:
    columns = [comparisons.column(name) / each for name, each in scale.items()]
    return np.array(columns).reshape(len(columns), len(comparisons)).T


def _places(names: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """Return where the names that are wanted stand; -1: nowhere."""
    return pd.Index([*names]).get_indexer(pd.Index([*wanted]))
