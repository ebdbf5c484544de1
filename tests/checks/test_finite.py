import numpy as np
import xarray as xr

from consilience.checks.optimization import finite


def test_numbers_pass(tree, skilled):
    (verdict,) = finite(tree(confusion=skilled))
    assert verdict.ok


def test_a_draw_that_is_no_number_fails(tree, skilled):
    skilled[0, 3, 1, 2] = np.nan
    skilled[1, 0, 0, 0] = np.inf
    (verdict,) = finite(tree(confusion=skilled))
    assert verdict.value == 2
    assert not verdict.ok


def test_a_probability_that_is_no_number_fails_but_padding_does_not(tree, skilled):
    data = tree(confusion=skilled)
    broken = data["truth"]["probability"].copy()
    broken[1, 2] = np.nan
    data["truth"]["probability"] = broken
    assert not finite(data)[0].ok
    data["constant_data"]["candidate_class"] = xr.DataArray(
        [0, 1, -1], dims="candidate"
    )
    assert finite(data)[0].ok
