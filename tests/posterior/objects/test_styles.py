"""How people in general answer, by hand from the parameters."""

import numpy as np
import pytest
import xarray as xr
from scipy.special import expit

from consilience.posterior.objects import styles

AXES = ("chain", "draw")


def fit_of():
    values = {
        "single_label": (["mean_and_spread"], [[0.5, np.log(2.0)]]),
        "detection": (["detection_level"], [[-2.0, np.log(3.0)]]),
        "duplicate_name": (["names", "mean_and_spread"], [[[-1.5, 1.0], [0.2, 2.0]]]),
        "high_detection": (["block_covariate"], [[0.4, 9.0]]),
    }
    variables = {
        name: ((*AXES, *axes), np.array([value]))
        for name, (axes, value) in values.items()
    }
    root = xr.Dataset(attrs={"prob": 0.9})
    posterior = xr.Dataset(variables)
    return xr.DataTree.from_dict({"/": root, "posterior": posterior})


def test_shares_are_those_of_the_typical_item():
    result = styles(fit_of()).set_index("style")["share"]
    share = expit(0.4)
    assert result["single_label"] == pytest.approx(expit(0.5))
    assert result["recall"] == pytest.approx((1 - share) * expit(-2) + share * expit(1))
    assert result["rival_name"] == pytest.approx(expit(-1.5))
    assert result["synonym"] == pytest.approx(expit(0.2))


def test_other_models_have_no_styles():
    nothing = xr.DataTree.from_dict({"/": xr.Dataset(), "posterior": xr.Dataset()})
    assert styles(nothing).empty
