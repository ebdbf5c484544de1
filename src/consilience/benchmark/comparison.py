r"""Methods compared on the same items of the same sets.

A mean over sets is a mean of the sets' values, each set counting the same, and its
bounds come from resampling the items of every set; the sets themselves are taken as
given.

Ranks go from 1, the best; equal values share the mean of their places. A method that
failed on a set comes last there. Only what a method says by default is ranked, not the
other posteriors of the same fit.

**Differences of methods from one of them, paired by item.** In the mean over S sets
there are two standard errors: `se` takes the sets as given, :math:`\sqrt{\sum_s
\mathrm{se}_s^2} / S`; `se_sets` takes them as drawn from the sets there could be,
:math:`\operatorname{sd}(d_1, \dots, d_S) / \sqrt{S}`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from consilience.benchmark.datasets import METRICS, Measured, Protocol, measure, paired
from consilience.benchmark.runs import Result
from consilience.intervals import bounds
from consilience.scoring.metrics import Metric, interval
from consilience.whole_folder import whole_files

FIGURES = ("seconds", "compile_seconds", "peak_mib")
_COLUMNS = ("set", "method", "metric", "value", "lower", "upper", "sets")
_HIGHER = ("accuracy",)
MEAN = "mean"
type Table = Mapping[tuple[str, str], Measured | None]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The tables of a benchmark."""

    results: pd.DataFrame
    differences: pd.DataFrame
    runs: pd.DataFrame
    reference: str
    protocol: Protocol


def compare(
    gold: Mapping[str, pd.DataFrame], results: Iterable[Result], protocol: Protocol
) -> Comparison:
    """Measure all results, by the gold of each set, and put them side by side."""
    every_result = list(results)
    without = {one.method for one in every_result if not one.outcome["probabilistic"]}
    measured: dict[tuple[str, str], Measured | None] = {}
    for result in every_result:
        metrics = METRICS[:1] if result.method in without else METRICS
        for name, table in _variants(result):
            measured[result.data, name] = (
                None
                if table is None
                else measure(table, result.data, gold[result.data], metrics, protocol)
            )
    names = list(dict.fromkeys(method for _, method in measured))
    order = list(gold)
    runs = _runs(every_result, gold)
    values = _values(measured, order, names, protocol)
    no_probabilities = values["method"].isin(without) & (values["metric"] != METRICS[0])
    values = values[~no_probabilities]
    reference = _reference(names, values, protocol.against)
    whole = {result.method for result in every_result}
    ranked = _ranks(values[values["method"].isin(whole)])
    figures = runs[runs["method"].isin(names)]
    figures = figures.melt(["set", "method"], FIGURES, "metric")
    figures = _with_means(figures.assign(sets=figures["value"].notna().astype(int)))
    return Comparison(
        results=pd.concat([values, ranked, figures], ignore_index=True)[list(_COLUMNS)],
        differences=_differences(measured, order, names, reference, protocol),
        runs=runs,
        reference=reference,
        protocol=protocol,
    )


def mean_table(comparison: Comparison) -> pd.DataFrame:
    """Return the means over sets, the least log-loss first."""
    results = comparison.results
    mean = results[results["set"] == MEAN]
    names = list(dict.fromkeys(results["method"]))
    wide = mean.pivot_table(
        index="method", columns="metric", values="value", dropna=False, sort=False
    ).reindex(index=names)
    done = mean[mean["metric"] == "accuracy"].set_index("method")["sets"]
    wide["sets"] = done.reindex(wide.index).fillna(0).astype(int)
    # A method that failed somewhere has the mean of other, maybe easier, sets.
    wide["part"] = wide["sets"] < wide["sets"].max()
    return wide.sort_values(
        ["part", "log_loss", "accuracy"], ascending=[True, True, False]
    )


def write_tables(comparison: Comparison, folder: Path) -> list[Path]:
    """Write the tables as Parquet, all of them or none."""
    names = ("results", "differences", "runs")
    with whole_files(folder) as partial:
        for name in names:
            table: pd.DataFrame = getattr(comparison, name)
            table.to_parquet(partial / f"{name}.parquet", index=False)
    return [folder / f"{name}.parquet" for name in names]


def _variants(result: Result) -> list[tuple[str, pd.DataFrame | None]]:
    if result.labels is None:
        return [(result.method, None)]
    return [
        (f"{result.method} ({name!s})" if name else result.method, rows)
        for name, rows in result.labels.groupby("variant", sort=False)
    ]


def _differences(
    measured: Table,
    order: Sequence[str],
    names: Sequence[str],
    reference: str,
    protocol: Protocol,
) -> pd.DataFrame:
    """Return the differences of all methods from one, by set and in the mean."""
    columns = ["method", "reference", "metric", "set", "difference", "se", "se_sets"]
    rows: list[tuple[object, ...]] = []
    for method, metric in product(names, METRICS):
        ours = _sets_with_metric(measured, order, reference, metric)
        theirs = _sets_with_metric(measured, order, method, metric)
        both = [name for name in order if name in ours and name in theirs]
        if method == reference or not both:
            continue
        pairs = [paired(theirs[name], ours[name], metric) for name in both]
        gaps, errors, resampled = (np.array(part) for part in zip(*pairs, strict=True))
        number = len(both)
        of_sets = gaps.std(ddof=1) / np.sqrt(number) if number > 1 else np.nan
        error = np.sqrt((errors**2).sum()) / number
        mean = (gaps.mean(), error, resampled.mean(0), of_sets, number)
        each = [(*pair, np.nan, 1) for pair in pairs]
        for name, (gap, se, draws, se_sets, sets) in zip(
            [*both, MEAN], [*each, mean], strict=True
        ):
            interval_of = bounds(draws, protocol.prob)
            head = (method, reference, metric, name)
            rows.append((*head, gap, se, se_sets, *map(float, interval_of), sets))
    return pd.DataFrame(rows, columns=[*columns, "lower", "upper", "sets"])


def _values(
    measured: Table, order: Sequence[str], names: Sequence[str], protocol: Protocol
) -> pd.DataFrame:
    """Return every metric of every method, by set and in the mean."""
    rows: list[tuple[object, ...]] = []
    for method, metric in product(names, METRICS):
        by_set = _sets_with_metric(measured, order, method, metric)
        tried = [name for name in order if (name, method) in measured]
        places = [(name, [by_set[name]] if name in by_set else []) for name in tried]
        for place, several in [*places, (MEAN, list(by_set.values()))]:
            estimate = Metric(np.nan, np.nan, np.nan)
            if several:
                value = float(np.mean([one.values[metric] for one in several]))
                resampled = np.mean([one.resampled[metric] for one in several], 0)
                estimate = interval(metric, value, resampled, protocol.prob)
            rows.append((place, method, metric, *astuple(estimate), len(several)))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _reference(names: Sequence[str], values: pd.DataFrame, against: str | None) -> str:
    if against in names:
        return str(against)
    if against is None and "auto" in names:
        return "auto"
    mean = values[(values["set"] == MEAN) & values["value"].notna()]
    for metric in ("log_loss", "accuracy"):
        rows = mean[mean["metric"] == metric]
        if len(rows):
            most = rows[rows["sets"] == rows["sets"].max()]
            ordered = most.sort_values("value", ascending=metric == "log_loss")
            return str(ordered["method"].iloc[0])
    return names[0] if names else ""


def _ranks(values: pd.DataFrame) -> pd.DataFrame:
    """Rank the methods on each set, and take the mean of a method's ranks."""
    of_sets = values[values["set"] != MEAN]
    sign = of_sets["metric"].isin(_HIGHER).map({True: -1.0, False: 1.0})
    place = (
        (sign * of_sets["value"])
        .groupby([of_sets["set"], of_sets["metric"]])
        .rank(na_option="bottom")
    )
    names = "rank_" + of_sets["metric"]
    return _with_means(of_sets.assign(metric=names, value=place, sets=1))


def _with_means(by_set: pd.DataFrame) -> pd.DataFrame:
    """Return values by set, without intervals, and their means over the sets."""
    both = by_set.groupby(["method", "metric"], sort=False)
    mean = both.agg(value=("value", "mean"), sets=("sets", "sum")).reset_index()
    table = pd.concat([by_set, mean.assign(set=MEAN)], ignore_index=True)
    return table.assign(lower=np.nan, upper=np.nan)


def _runs(results: Sequence[Result], gold: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    facts = ("model", "engine", "reported", "version", "silent", *FIGURES)
    return pd.DataFrame(
        [
            {
                "set": result.data,
                "method": result.method,
                "items": gold[result.data]["item"].nunique(),
                "status": result.outcome["status"],
                "reason": result.outcome["reason"],
                **{name: result.outcome.get(name) for name in facts},
            }
            for result in results
        ]
    ).astype(dict.fromkeys(FIGURES, "float64"))


def _sets_with_metric(
    measured: Table, order: Sequence[str], method: str, metric: str
) -> dict[str, Measured]:
    """Return a method's sets on which it has the metric."""
    by_set = {name: measured.get((name, method)) for name in order}
    return {name: one for name, one in by_set.items() if one and metric in one.values}
