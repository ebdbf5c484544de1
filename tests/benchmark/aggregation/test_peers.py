import importlib
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from benchmarks.aggregation import __main__ as aggregation
from benchmarks.aggregation.page import page

import consilience as cs
from consilience.benchmark.comparison import compare
from consilience.benchmark.datasets import Protocol
from consilience.benchmark.runs import Result


def test_a_package_that_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr(aggregation, "find_spec", lambda _: None)
    result, absent = aggregation.peers()
    assert result == ()
    assert absent == ("crowd-kit", "peerannot", "cleanlab")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("package", ["crowd_kit", "peerannot", "cleanlab"])
def test_a_peers_methods_answer_where_it_is_installed(package):
    peer = importlib.import_module(f"benchmarks.aggregation.peers.{package}")
    if find_spec(peer.MODULE) is None:
        pytest.skip(f"{peer.PACKAGE} is not installed")
    study = cs.simulate(items=30, annotators=6, classes=2, per_item=4, seed=0)
    for name in peer.METHODS:
        table = peer.load(name)(study.responses, 0).labels
        assert {"item", "label", "probability"} <= set(table.columns)


def test_methods_are_compared_and_the_page_is_written(crowd, tmp_path, capsys):
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    aggregation.main(
        [str(crowd / "first"), "--models", "smoothed_shares", "--out", str(tmp_path)]
    )
    assert "[1/1] first smoothed_shares: 0." in capsys.readouterr().out
    assert len(pd.read_parquet(tmp_path / "runs.parquet")) == 1
    assert "# 1 method on 1 data set" in (tmp_path / "benchmark.md").read_text()
    assert (tmp_path / "benchmark.svg").exists()


def result(name, method, outcome, truth=None):
    labels = None
    if truth is not None:
        items = np.repeat(["1", "2", "3", "4"], 2)
        probability = np.ravel([(p, 1 - p) for p in truth])
        labels = pd.DataFrame(
            {"item": items, "label": ["x", "y"] * len(truth), "variant": ""}
        ).assign(probability=probability)
    base = {"reason": "", "probabilistic": True, "version": "1.4"}
    return Result(name, method, {}, {**base, **outcome}, labels)


@pytest.fixture
def comparison():
    gold = pd.DataFrame({"item": ["1", "2", "3", "4"], "label": "x"})
    ok = {"status": "done", "seconds": 1.25, "peak_mib": 300.0, "silent": 0}
    slow = {"status": "timeout", "reason": "not done after 9 s"}
    results = [
        result("bees", "auto", ok, [0.9, 0.9, 0.9, 0.6]),
        result("bees", "crowd-kit.MACE", {**ok, "silent": 2}, [0.9, 0.5, 0.5, 0.1]),
        result("ants", "auto", ok, [0.9, 0.9, 0.2, 0.6]),
        result("ants", "crowd-kit.MACE", slow),
    ]
    return compare({"bees": gold, "ants": gold}, results, Protocol(resamples=50))


def test_the_page_shows_means_differences_failures_and_how_it_was_taken(
    comparison, tmp_path
):
    items = {"bees": 4, "ants": 4}
    text = page(comparison, items)
    assert "# 2 methods on 2 data sets" in text
    assert "| `auto` | 2 | **0.8750 (" in text
    assert "| `crowd-kit.MACE` | 1 of 2 | 0.5000 (" in text
    # Items differ by 0, -1/2, -1/2 and -1: the mean -1/2, its error .2041.
    assert "| `crowd-kit.MACE` | -0.5000 ± 0.2041 () |" in text
    assert "| `crowd-kit.MACE` | 0.5000 | timeout | 0.5000 |" in text
    assert "| `crowd-kit.MACE` | timeout | ants | not done after 9 s |" in text
    assert "`crowd-kit.MACE` on bees (2 items)" in text
    assert "consilience 1.4, crowd-kit 1.4." in text
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    aggregation.write(comparison, items, tmp_path)
    drawn = (tmp_path / "benchmark.svg").read_text(encoding="utf-8")
    assert "crowd-kit.MACE" in drawn
