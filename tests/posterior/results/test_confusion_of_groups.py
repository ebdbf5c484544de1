"""Confusion in each group of labels, from draws."""

import numpy as np
import pytest
import xarray as xr

from consilience.posterior import Fit


def fit_of(posterior):
    cells = {"true_class": ["absent", "present"], "given_class": ["no", "yes"]}
    constant = xr.Dataset(
        coords={name: np.array(each, object) for name, each in cells.items()}
    )
    root = xr.Dataset(attrs={"prob": 0.5, "model": "contains", "kind": "contains"})
    groups = {"/": root, "posterior": posterior, "constant_data": constant}
    return Fit(xr.DataTree.from_dict(groups))


def test_each_group_has_a_confusion_with_bounds():
    generator = np.random.default_rng(0)
    draws = generator.dirichlet([2, 3], (1, 40, 3, 2))
    dims = ("chain", "draw", "group", "true_class", "given_class")
    names = np.array(["bird", "dog", "thing"], object)
    posterior = xr.Dataset({"group_confusion": (dims, draws)}, {"group": names})
    table = fit_of(posterior).confusion(groups=True)
    assert list(table.columns) == [
        "group",
        "true_label",
        "given_label",
        "probability",
        "lower",
        "upper",
    ]
    rows = table.astype(dict.fromkeys(table.columns[:3], "str")).set_index(
        ["group", "true_label", "given_label"]
    )
    result = rows.loc[("dog", "present", "yes")]
    values = draws[0, :, 1, 1, 1]
    assert result["probability"] == pytest.approx(values.mean())
    assert result["lower"] == pytest.approx(np.quantile(values, 0.25, method="weibull"))
    assert result["upper"] == pytest.approx(np.quantile(values, 0.75, method="weibull"))
    sums = rows["probability"].groupby(["group", "true_label"]).sum()
    assert sums.to_numpy() == pytest.approx(np.ones(6))
