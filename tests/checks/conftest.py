"""Fits with given draws, so that nothing here waits for a sampler."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest
import xarray as xr


@pytest.fixture
def tree() -> Callable[..., xr.DataTree]:
    """Build a fit of one annotator from draws of the confusion."""

    def build(
        *,
        confusion: np.ndarray,
        engine: str = "nuts",
        others: Mapping[str, np.ndarray] | None = None,
        stats: Mapping[str, np.ndarray] | None = None,
        optimization: xr.Dataset | None = None,
        votes: np.ndarray | None = None,
    ) -> xr.DataTree:
        num_true, num_given = confusion.shape[-2:]
        names = {
            "annotator": ["ana"],
            "true_class": [f"state {k}" for k in range(num_true)],
            "given_class": [f"answer {k}" for k in range(num_given)],
        }
        cells = ("chain", "draw", "annotator", "true_class", "given_class")
        groups = {
            "/": xr.Dataset(attrs={"kind": "choice", "engine": engine, "prob": 0.9}),
            "posterior": xr.Dataset(
                {
                    "confusion": (cells, confusion[:, :, None]),
                    **{
                        name: (("chain", "draw"), values)
                        for name, values in (others or {}).items()
                    },
                },
                coords=names,
            ),
            "truth": xr.Dataset(
                {
                    name: (("item", "candidate"), np.full((2, num_true), 1 / num_true))
                    for name in ("probability", "lower", "upper")
                }
            ),
            "constant_data": xr.Dataset(
                {
                    "candidate_class": ("candidate", np.arange(num_true)),
                    "num_responses": ("item", np.array([60, 40])),
                    "annotator_responses": ("annotator", np.array([100])),
                    "annotator_identified": ("annotator", np.array([True])),
                    "votes": (
                        ("given_class", "true_class"),
                        np.eye(num_given) if votes is None else votes,
                    ),
                },
                coords=names,
            ),
        }
        if stats is not None:
            groups["sample_stats"] = xr.Dataset(
                {name: (("chain", "draw"), result) for name, result in stats.items()}
            )
        if optimization is not None:
            groups["optimization"] = optimization
        return xr.DataTree.from_dict(groups)

    return build


@pytest.fixture
def skilled() -> np.ndarray:
    """Draws of a good annotator's confusion: four chains of 500, three states."""
    key = np.random.default_rng(20)
    rows = [np.eye(3)[k] * 16 + 2 for k in range(3)]
    return np.stack([key.dirichlet(row, size=(4, 500)) for row in rows], axis=2)
