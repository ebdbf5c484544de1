r"""Methods compared on the same items of the same sets.

Every method is measured under the same bootstrap of a set's items, so that a difference
of two methods is free of the luck that they share. A mean over sets is a mean of the
sets' values, each set counting the same, and its bounds come from resampling the items
of every set; the sets themselves are taken as given.

The standard error of a difference on one set is that of the mean of the items'
differences, :math:`\operatorname{sd}(d_1, \dots, d_I) / \sqrt{I}` (for the ECE, which
is no mean over items, the spread of the bootstrap's differences). In the mean over S
sets there are two: `se` takes the sets as given,
:math:`\sqrt{\sum_s \mathrm{se}_s^2} / S`; `se_sets` takes them as drawn from the sets
there could be, :math:`\operatorname{sd}(d_1, \dots, d_S) / \sqrt{S}`.

Ranks go from 1, the best; equal values share the mean of their places. A method that
failed on a set comes last there. Only what a method says by default is ranked, not the
other posteriors of the same fit.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.benchmark.choice_metrics import item_scores
from consilience.benchmark.kept import Result
from consilience.benchmark.metrics import interval, resample

MEAN = "mean"
METRICS = ("accuracy", "log_loss", "log_loss_1e-3", "brier", "ece")
# A method that is sure of a wrong label loses 23 nats here, as in crowd-kit's own code,
# and 7 there: between the two lies what one thinks such a mistake costs.
CLIPS: Mapping[str, float] = {"log_loss": 1e-10, "log_loss_1e-3": 1e-3}
FIGURES = ("seconds", "compile_seconds", "peak_mib")
_COLUMNS = ("set", "method", "metric", "value", "lower", "upper", "sets")
_HIGHER = ("accuracy",)
_BLOCK = 2**22


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """How to compare.

    Attributes
    ----------
    seed
        Of the bootstrap.
    resamples
        Of the items of each set.
    mass
        Share of the resamples between the bounds.
    bins
        At most so many bins in the ECE; None: as many as the data bear.
    against
        The method from which differences are taken; None: auto, or, where it has not
        been run, the method of the least mean log-loss.
    """

    seed: int = 0
    resamples: int = 1000
    mass: float = 0.9
    bins: int | None = None
    against: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One method on one set.

    Attributes
    ----------
    values
        The metrics by name.
    by_item
        What each item adds, by metric; the ECE is not among them.
    resampled
        The metrics under the bootstrap.
    """

    values: Mapping[str, float]
    by_item: Mapping[str, Float[np.ndarray, " I"]]
    resampled: Mapping[str, Float[np.ndarray, " R"]]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The tables of a benchmark.

    Attributes
    ----------
    results
        Columns set, method, metric, value, lower, upper, sets: of every set and, as
        the set called mean, of the mean over the sets on which the method did not
        fail, of which there are `sets`. NaN where a method failed.
    differences
        Columns set, method, reference, metric, difference, se, se_sets, lower, upper,
        sets.
    runs
        Columns set, method, items, status, reason, model, engine, told, version,
        silent, seconds, compile_seconds, peak_mib.
    reference
        The method that differences are taken from.
    protocol
        How it was compared.
    """

    results: pd.DataFrame
    differences: pd.DataFrame
    runs: pd.DataFrame
    reference: str
    protocol: Protocol


def compare(
    gold: Mapping[str, pd.DataFrame],
    results: Iterable[Result],
    protocol: Protocol,
) -> Comparison:
    """Measure all results and put them side by side.

    Parameters
    ----------
    gold
        Columns item, label, of each set by its name.
    results
        What the methods said of them. Of one that states no probabilities the accuracy
        alone is measured.
    protocol
        How to compare.
    """
    found = list(results)
    without = {one.method for one in found if not one.outcome["probabilistic"]}
    measured: dict[tuple[str, str], Measured | None] = {}
    for result in found:
        metrics = METRICS[:1] if result.method in without else METRICS
        for name, table in _variants(result):
            measured[result.data, name] = (
                None
                if table is None
                else measure(table, result.data, gold[result.data], metrics, protocol)
            )
    names = list(dict.fromkeys(method for _, method in measured))
    order = list(gold)
    runs = _runs(found, gold)
    values = pd.DataFrame(_values(measured, order, names, protocol))
    no_probabilities = values["method"].isin(without) & (values["metric"] != METRICS[0])
    values = values[~no_probabilities]
    reference = _reference(names, values, protocol.against)
    whole = {result.method for result in found}
    ranked = _ranks(values[values["method"].isin(whole)])
    figures = pd.DataFrame(_figures(runs, names))
    return Comparison(
        results=pd.concat([values, ranked, figures], ignore_index=True)[list(_COLUMNS)],
        differences=pd.DataFrame(
            _differences(measured, order, names, reference, protocol)
        ),
        runs=runs,
        reference=reference,
        protocol=protocol,
    )


def measure(
    table: pd.DataFrame,
    name: str,
    gold: pd.DataFrame,
    metrics: Sequence[str],
    protocol: Protocol,
) -> Measured:
    """Measure what a method says of a set.

    Parameters
    ----------
    table
        Columns item, label, probability.
    name
        Of the set; fixes how its items are resampled.
    gold
        Columns item, label.
    metrics
        Which metrics.
    protocol
        How.
    """
    scores = item_scores(table, gold, protocol.bins)
    by_item = {
        "accuracy": scores.right,
        **{
            metric: -np.log(np.maximum(scores.truth, clip))
            for metric, clip in CLIPS.items()
        },
        "brier": scores.brier,
    }
    by_item = {name: column for name, column in by_item.items() if name in metrics}
    columns = np.column_stack(list(by_item.values()))

    def under(
        weights: Float[np.ndarray, "R I"],
    ) -> dict[str, Float[np.ndarray, " R"]]:
        total = weights.sum(axis=1)
        means = weights @ columns / total[:, None]
        found = dict(zip(by_item, means.T, strict=True))
        if "ece" in metrics:
            found["ece"] = np.abs(weights @ scores.gaps).sum(axis=1) / total
        return found

    num_items = len(columns)
    step = max(1, _BLOCK // num_items)
    seed = protocol.seed + zlib.crc32(name.encode())
    value = under(np.ones((1, num_items)))
    return Measured(
        values={name: float(one[0]) for name, one in value.items()},
        by_item=by_item,
        resampled=resample(under, num_items, protocol.resamples, step, seed),
    )


def _variants(result: Result) -> list[tuple[str, pd.DataFrame | None]]:
    if result.labels is None:
        return [(result.method, None)]
    return [
        (f"{result.method} ({name!s})" if name else result.method, rows)
        for name, rows in result.labels.groupby("variant", sort=False)
    ]


type _Table = Mapping[tuple[str, str], Measured | None]


def _there(
    measured: _Table, order: Sequence[str], method: str, metric: str
) -> dict[str, Measured]:
    """Return a method's sets on which it has the metric."""
    found = {name: measured.get((name, method)) for name in order}
    return {name: one for name, one in found.items() if one and metric in one.values}


def _values(
    measured: _Table, order: Sequence[str], names: Sequence[str], protocol: Protocol
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for method in names:
        for metric in METRICS:
            there = _there(measured, order, method, metric)
            tried = [name for name in order if (name, method) in measured]
            for name in tried:
                head = {"set": name, "method": method, "metric": metric, "sets": 1}
                one = there.get(name)
                if one is None:
                    rows.append({**head, **_nothing(), "sets": 0})
                    continue
                bounds = interval(
                    metric, one.values[metric], one.resampled[metric], protocol.mass
                )
                rows.append({**head, **_bounded(bounds)})
            head = {"set": MEAN, "method": method, "metric": metric}
            if not there:
                rows.append({**head, **_nothing(), "sets": 0})
                continue
            value = float(np.mean([one.values[metric] for one in there.values()]))
            resampled = np.mean([one.resampled[metric] for one in there.values()], 0)
            bounds = interval(metric, value, resampled, protocol.mass)
            rows.append({**head, **_bounded(bounds), "sets": len(there)})
    return rows


def _bounded(metric: object) -> dict[str, float]:
    return {name: getattr(metric, name) for name in ("value", "lower", "upper")}


def _nothing() -> dict[str, float]:
    return dict.fromkeys(("value", "lower", "upper"), float("nan"))


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
    each = of_sets.assign(value=place, sets=1)
    both = each.groupby(["method", "metric"], sort=False)["value"]
    mean = both.agg(["mean", "size"]).set_axis(["value", "sets"], axis="columns")
    ranks = pd.concat([each, mean.reset_index().assign(set=MEAN)], ignore_index=True)
    names = "rank_" + ranks["metric"]
    return ranks.assign(metric=names, lower=np.nan, upper=np.nan)


def _differences(
    measured: _Table,
    order: Sequence[str],
    names: Sequence[str],
    reference: str,
    protocol: Protocol,
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for method in names:
        if method == reference:
            continue
        for metric in METRICS:
            ours = _there(measured, order, reference, metric)
            theirs = _there(measured, order, method, metric)
            both = [name for name in order if name in ours and name in theirs]
            pairs = [paired(theirs[name], ours[name], metric) for name in both]
            head = {"method": method, "reference": reference, "metric": metric}
            for name, (difference, error, resampled) in zip(both, pairs, strict=True):
                rows.append(
                    {
                        **head,
                        "set": name,
                        "difference": difference,
                        "se": error,
                        "se_sets": float("nan"),
                        **_between(resampled, protocol.mass),
                        "sets": 1,
                    }
                )
            if not pairs:
                continue
            each = np.array([pair[0] for pair in pairs])
            errors = np.array([pair[1] for pair in pairs])
            several = len(each) > 1
            rows.append(
                {
                    **head,
                    "set": MEAN,
                    "difference": float(each.mean()),
                    "se": float(np.sqrt((errors**2).sum()) / len(each)),
                    "se_sets": (
                        float(each.std(ddof=1) / np.sqrt(len(each)))
                        if several
                        else float("nan")
                    ),
                    **_between(np.mean([pair[2] for pair in pairs], 0), protocol.mass),
                    "sets": len(each),
                }
            )
    return rows


def paired(
    one: Measured, other: Measured, metric: str
) -> tuple[float, float, Float[np.ndarray, " R"]]:
    """Return the first's metric less the second's, paired by item.

    Parameters
    ----------
    one, other
        Two methods on one set.
    metric
        Name of the metric.

    Returns
    -------
    The difference, its standard error, and its bootstrap.
    """
    resampled = np.asarray(one.resampled[metric]) - np.asarray(other.resampled[metric])
    difference = one.values[metric] - other.values[metric]
    if metric not in one.by_item:
        return difference, float(resampled.std(ddof=1)), resampled
    each = np.asarray(one.by_item[metric]) - np.asarray(other.by_item[metric])
    error = each.std(ddof=1) / np.sqrt(len(each)) if len(each) > 1 else np.nan
    return difference, float(error), resampled


def _between(resampled: Float[np.ndarray, " R"], mass: float) -> dict[str, float]:
    lower, upper = np.quantile(resampled, [(1 - mass) / 2, (1 + mass) / 2])
    return {"lower": float(lower), "upper": float(upper)}


def _runs(results: Sequence[Result], gold: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    facts = ("model", "engine", "told", "version", "silent", *FIGURES)
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


def _figures(runs: pd.DataFrame, names: Sequence[str]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    bounds = {"lower": float("nan"), "upper": float("nan")}
    for method, of_method in runs[runs["method"].isin(names)].groupby(
        "method", sort=False
    ):
        for metric in FIGURES:
            head = {"method": method, "metric": metric, **bounds}
            rows += [
                {**head, "set": name, "value": value, "sets": int(value == value)}  # noqa: PLR0124 (NaN)
                for name, value in zip(of_method["set"], of_method[metric], strict=True)
            ]
            known = of_method[metric].dropna()
            mean = float(known.mean()) if len(known) else float("nan")
            rows.append({**head, "set": MEAN, "value": mean, "sets": len(known)})
    return rows
