import importlib
from importlib.util import find_spec

import pandas as pd
import pytest
from benchmarks.aggregation import __main__ as aggregation

import consilience as cs


def test_a_package_that_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr(aggregation, "find_spec", lambda _: None)
    result, absent = aggregation.peers()
    assert result == ()
    assert absent == ("crowd-kit", "peerannot", "cleanlab")


def test_the_peers_of_an_installed_package_are_methods(monkeypatch):
    monkeypatch.setattr(
        aggregation, "find_spec", lambda name: name == "crowdkit" or None
    )
    names = {method.name: method for method in aggregation.peers()[0]}
    assert names["crowd-kit.DawidSkene"].probabilistic
    assert not names["crowd-kit.KOS"].probabilistic
    assert names["crowd-kit.GLAD"].package == "crowd-kit"
    assert "crowd-kit.GoldMajorityVote" not in names


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
    assert "[1/1] first smoothed_shares: 0.0 s" in capsys.readouterr().out
    assert len(pd.read_parquet(tmp_path / "runs.parquet")) == 1
    assert "# 1 method on 1 data set" in (tmp_path / "benchmark.md").read_text()
    assert (tmp_path / "benchmark.svg").exists()
