"""Intervals of what is counted over items hold as often as they say; twins do not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import consilience as cs
from consilience.posterior import Fit
from consilience.posterior.stored import with_tables

TWINS, ITEMS, LABELS, VALID, BESIDE = 40, 60, 3, 0.4, 0.3


def fit_of(tables):
    root = xr.Dataset(attrs={"kind": "objects", "prob": 0.9})
    return Fit(with_tables(xr.DataTree.from_dict({"/": root}), tables))


def valid(seed, times):
    """Return bounds of how many labels are valid, and of how many items have two."""
    generator = np.random.default_rng(seed)
    named = np.repeat(generator.random((ITEMS, LABELS)) < VALID, times, axis=0)
    item, label = np.indices(named.shape)
    shares = pd.DataFrame(
        {
            "item": pd.Categorical([f"i{k:03d}" for k in item.ravel()]),
            "label": pd.Categorical([f"l{k}" for k in label.ravel()]),
            "named": np.where(named, 0.8, 0.1).ravel(),
        }
    )
    result = cs.valid_labels(
        fit_of({"labels": shares}), [0.5], resamples=200, seed=seed
    )
    return result[["lower", "upper"]].to_numpy()


def beside(seed, times):
    """Return bounds of how often another object comes with a class."""
    generator = np.random.default_rng(seed)
    there = np.repeat(generator.random(ITEMS) < BESIDE, times)
    names = [f"i{k:03d}" for k in range(len(there))]
    others = [name for name, other in zip(names, there, strict=True) if other]
    objects = pd.DataFrame(
        {
            "item": pd.Categorical([*names, *others]),
            "object": [0] * len(names) + [1] * len(others),
            "label": pd.Categorical(["a"] * len(names) + ["b"] * len(others)),
            "share": 1.0,
            "probability": 1.0,
            "main_probability": 1.0,
        }
    )
    main = pd.Categorical(["a"] * len(names))
    items = pd.DataFrame({"item": pd.Categorical(names), "label": main})
    items = items.assign(main_label=main, responses=1)
    frame = pd.DataFrame({"item": names, "annotator": "x", "label": "a", "main": True})
    known = pd.DataFrame({"item": names, "dataset_label": "a"})
    responses = replace(cs.read(frame, kind="objects"), items=known)
    fit = fit_of({"items": items, "objects": objects})
    result = cs.cooccurring(fit, responses, min_items=1)
    return result[["lower", "upper"]].to_numpy()


TRUTH = {
    valid: [LABELS * VALID, VALID**3 + 3 * VALID**2 * (1 - VALID)],
    beside: [BESIDE],
}


def held(bounds_of, studies, times):
    bounds = np.array([bounds_of(seed, times) for seed in range(studies)])
    truth = np.array(TRUTH[bounds_of])
    return ((bounds[..., 0] <= truth) & (bounds[..., 1] >= truth)).mean(0)


@pytest.mark.parametrize("studies", [40, pytest.param(200, marks=pytest.mark.study)])
@pytest.mark.parametrize("bounds_of", [valid, beside])
def test_bounds_of_counts_hold_nine_times_in_ten(bounds_of, studies):
    share = held(bounds_of, studies, 1)
    assert (np.abs(share - 0.9) < 4 * np.sqrt(0.9 * 0.1 / studies)).all()


@pytest.mark.parametrize("bounds_of", [valid, beside])
def test_the_same_check_catches_items_that_count_four_times(bounds_of):
    share = held(bounds_of, TWINS, 4)
    assert (np.abs(share - 0.9) > 4 * np.sqrt(0.9 * 0.1 / TWINS)).any()
