from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

from consilience.benchmark.comparison import compare, write_tables
from consilience.benchmark.datasets import METRICS, Protocol, measure, paired
from consilience.benchmark.runs import Result
from consilience.errors import CannotWriteError
from consilience.intervals import bounds

QUICK = Protocol(resamples=200)


class Study(NamedTuple):
    """A set whose truth is always x."""

    name: str
    gold: pd.DataFrame


def a_set(name, size):
    items = [f"{i:04d}" for i in range(size)]
    return Study(name, pd.DataFrame({"item": items, "label": "x"}))


def measured(data, truth, metrics=METRICS, protocol=QUICK):
    return measure(says(data, truth), data.name, data.gold, metrics, protocol)


def compared(sets, results, protocol):
    return compare({one.name: one.gold for one in sets}, results, protocol)


def says(data, truth, variant=""):
    """Return the table of a method that gives the truth these probabilities."""
    items = data.gold["item"]
    parts = [
        pd.DataFrame({"item": items, "label": label, "probability": p})
        for label, p in (("x", np.asarray(truth)), ("y", 1 - np.asarray(truth)))
    ]
    return pd.concat(parts, ignore_index=True).assign(variant=variant)


def done(data, method, truth, *, probabilistic=True, variants=()):
    tables = [says(data, truth), *(says(data, p, name) for name, p in variants)]
    outcome = {"status": "done", "reason": "", "probabilistic": probabilistic}
    outcome |= {"seconds": 2.0, "peak_mib": 100.0, "version": "1.2", "silent": 0}
    return Result(data.name, method, {}, outcome, pd.concat(tables))


def failed(data, method):
    outcome = {"status": "timeout", "reason": "not done", "probabilistic": True}
    return Result(data.name, method, {}, outcome, None)


def row(table, **where):
    chosen = table
    for name, value in where.items():
        chosen = chosen[chosen[name] == value]
    assert len(chosen) == 1, chosen
    return chosen.iloc[0]


def test_metrics_and_differences_are_those_worked_by_hand():
    data = a_set("one", 4)
    results = [
        done(data, "auto", [0.9, 0.8, 0.5, 0.4]),
        done(data, "other", [0.9, 0.6, 0.2, 0.0]),
    ]
    result = compared([data], results, QUICK)
    # auto is right on 1, 1, 1/2 and 0 items, other on 1, 1, 0 and 0.
    value = row(result.results, set="one", method="auto", metric="accuracy")["value"]
    assert value == pytest.approx(2.5 / 4)
    loss = row(result.results, set="one", method="other", metric="log_loss")["value"]
    assert loss == pytest.approx(-np.log([0.9, 0.6, 0.2, 1e-10]).mean())
    mild = row(result.results, set="one", method="other", metric="log_loss_1e-3")
    assert mild["value"] == pytest.approx(-np.log([0.9, 0.6, 0.2, 1e-3]).mean())
    # Differences by item: 0, 0, -1/2, 0, so their mean is -1/8 and their variance
    # (3 (1/8)^2 + (3/8)^2) / 3 = 1/16; its root over the root of 4 is 1/8.
    difference = row(result.differences, set="one", method="other", metric="accuracy")
    assert difference["difference"] == pytest.approx(-1 / 8)
    assert difference["se"] == pytest.approx(1 / 8)
    assert difference["reference"] == "auto"


def test_the_standard_error_of_a_pair_is_that_of_the_paired_t_test():
    generator = np.random.default_rng(0)
    data = a_set("one", 50)
    first, second = generator.uniform(0.05, 0.95, (2, 50))
    one, other = measured(data, first), measured(data, second)
    losses = -np.log(first), -np.log(second)
    difference, error, _ = paired(one, other, "log_loss")
    assert difference / error == pytest.approx(ttest_rel(*losses).statistic)
    # The bootstrap agrees, within four standard errors of a spread of 200 draws.
    resampled = paired(one, other, "log_loss")[2]
    assert abs(resampled.std() / error - 1) < 4 / np.sqrt(2 * 200)


def test_a_mean_over_sets_has_two_standard_errors():
    sets = [a_set("one", 4), a_set("two", 4)]
    results = [
        done(sets[0], "auto", [0.9, 0.9, 0.9, 0.9]),
        done(sets[0], "other", [0.9, 0.9, 0.1, 0.9]),
        done(sets[1], "auto", [0.1, 0.9, 0.9, 0.9]),
        done(sets[1], "other", [0.9, 0.9, 0.9, 0.9]),
    ]
    result = compared(sets, results, QUICK)
    mean = row(result.differences, set="mean", method="other", metric="accuracy")
    # -1/4 and +1/4, each with the standard error 1/4.
    assert mean["difference"] == 0
    assert mean["se"] == pytest.approx(np.sqrt(2 / 16) / 2)
    assert mean["se_sets"] == pytest.approx(np.sqrt(1 / 8) / np.sqrt(2))
    assert mean["sets"] == 2


STUDIES, HALF = 48, 0.5


def coverage(spread_seed):
    """Return how often a 50% interval of a difference holds it, over studies.

    The second method loses .1 more on average than the first on the same items. With
    `spread_seed` the two are resampled apart, as if they had seen different items.
    """
    held = []
    for study in range(STUDIES):
        generator = np.random.default_rng(study)
        data = a_set("one", 60)
        loss = generator.uniform(0.2, 2.0, 60)
        more = loss + generator.uniform(-0.1, 0.3, 60)
        seeds = (Protocol(seed=seed, resamples=150) for seed in (0, spread_seed))
        both = [
            measured(data, np.exp(-each), METRICS[1:2], protocol)
            for each, protocol in zip((more, loss), seeds, strict=True)
        ]
        resampled = paired(*both, "log_loss")[2]
        lower, upper = bounds(resampled, HALF)
        held.append(lower <= 0.1 <= upper)
    return np.mean(held)


# Four standard errors of a share of the studies, and what 60 items and 150 resamples,
# whose quantiles are a little narrow, take off.
MARGIN = 4 * np.sqrt(HALF * (1 - HALF) / STUDIES) + 0.02


def test_half_of_the_intervals_with_a_chance_of_one_half_hold_a_difference():
    assert abs(coverage(spread_seed=0) - HALF) < MARGIN
    # Those of methods that are resampled apart do not.
    assert abs(coverage(spread_seed=1) - HALF) > MARGIN


def test_a_failure_has_no_value_comes_last_and_is_left_out_of_means():
    sets = [a_set("one", 3), a_set("two", 3)]
    results = [
        done(sets[0], "auto", [0.9, 0.9, 0.9]),
        done(sets[0], "other", [0.9, 0.2, 0.9]),
        done(sets[1], "auto", [0.9, 0.2, 0.2]),
        failed(sets[1], "other"),
    ]
    result = compared(sets, results, QUICK)
    nothing = row(result.results, set="two", method="other", metric="accuracy")
    assert np.isnan(nothing["value"])
    mean = row(result.results, set="mean", method="other", metric="accuracy")
    assert (mean["value"], mean["sets"]) == (pytest.approx(2 / 3), 1)
    rank = row(result.results, set="mean", method="other", metric="rank_accuracy")
    assert rank["value"] == 2
    pair = row(result.differences, set="mean", method="other", metric="accuracy")
    assert (pair["difference"], pair["sets"]) == (pytest.approx(-1 / 3), 1)
    assert row(result.runs, set="two", method="other")["reason"] == "not done"


def test_equal_values_share_a_rank():
    data = a_set("one", 2)
    results = [done(data, name, [0.9, 0.9]) for name in ("auto", "other")]
    results.append(done(data, "third", [0.1, 0.9]))
    result = compared([data], results, QUICK)
    ranks = [
        row(result.results, set="one", method=name, metric="rank_accuracy")["value"]
        for name in ("auto", "other", "third")
    ]
    assert ranks == [1.5, 1.5, 3.0]


def test_a_variant_of_a_fit_stands_as_a_method_of_its_own():
    data = a_set("one", 2)
    fitted = done(data, "ebcc", [0.8, 0.8], variants=[("raw", [0.99, 0.99])])
    result = compared([data], [fitted], QUICK)
    loss = row(result.results, set="one", method="ebcc (raw)", metric="log_loss")
    assert loss["value"] == pytest.approx(-np.log(0.99))
    ranked = result.results[result.results["metric"] == "rank_log_loss"]
    assert set(ranked["method"]) == {"ebcc"}
    assert result.reference == "ebcc (raw)"  # no auto: the least log-loss


def test_the_tables_are_parquet(tmp_path):
    sets = [a_set("bees", 4), a_set("ants", 4)]
    results = [
        *(done(each, "auto", [0.9, 0.9, 0.2, 0.6]) for each in sets),
        done(sets[0], "other", [0.9, 0.5, 0.5, 0.1]),
        failed(sets[1], "other"),
    ]
    result = compared(sets, results, QUICK)
    assert all(file.exists() for file in write_tables(result, tmp_path))
    results = pd.read_parquet(tmp_path / "results.parquet")
    columns = ["set", "method", "metric", "value", "lower", "upper", "sets"]
    assert list(results.columns) == columns
    named = set(results["metric"])
    assert {"accuracy", "log_loss", "brier", "ece", "seconds", "peak_mib"} <= named
    assert set(results["set"]) == {"bees", "ants", "mean"}
    runs = pd.read_parquet(tmp_path / "runs.parquet")
    assert sorted(runs["status"]) == ["done", "done", "done", "timeout"]
    assert len(pd.read_parquet(tmp_path / "differences.parquet")) == 10
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWriteError, match=r"cannot be written.*choose another"):
        write_tables(result, tmp_path / "file")
