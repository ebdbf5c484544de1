"""Fits of any engine are what ArviZ expects: chains and draws that have numbers."""

import arviz_stats
import pandas as pd
import pytest

import consilience as cs

ANSWERS = pd.DataFrame(
    [(f"i{i}", who, "ab"[i % 2]) for i in range(6) for who in "xyz"],
    columns=["item", "annotator", "label"],
)


@pytest.mark.parametrize("engine", ["vb", "em"])
def test_chains_and_draws_are_numbered_and_arviz_summarises_them(engine):
    data = cs.fit(ANSWERS, model="one_coin_dawid_skene", engine=engine).data
    sampled = [node for node in data.subtree if {"chain", "draw"} & set(node.dims)]
    assert data["posterior"] in sampled
    for node in sampled:
        for axis in {"chain", "draw"} & set(node.dims):
            assert node[axis].to_numpy().tolist() == list(range(node.sizes[axis]))
    if engine == "vb":
        table = arviz_stats.summary(data, var_names=["prevalence"])
        assert table["mean"].astype(float).sum() == pytest.approx(1, abs=0.02)
