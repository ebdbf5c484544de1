"""Fits with given draws, so that nothing here waits for a sampler."""

import json
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import xarray as xr

from consilience.posterior.fit import Fit


def _attributes(kind: str) -> dict[str, str | float | int]:
    return {
        "model": "dawid_skene",
        "engine": "vb",
        "engine_reason": "asked for",
        "kind": kind,
        "seed": 7,
        "prob": 0.9,
        "seconds": 0.5,
        "version": "0.1.0",
        "assumptions": json.dumps(["Annotators answer independently given the truth."]),
        "sources": json.dumps({"answers.csv": "0" * 64}),
        "settings": json.dumps({"restarts": 3, "prior": None}),
    }


@pytest.fixture
def choice_fit() -> Callable[..., Fit]:
    """Build a fit of choice responses from draws and probabilities."""

    def build(
        *,
        probability: Sequence[Sequence[float]] = ((0.9, 0.1), (0.5, 0.5), (0.25, 0.75)),
        candidate_class: Sequence[Sequence[int]] | Sequence[int] | None = None,
        confusion: np.ndarray | None = None,
        prevalence: np.ndarray | None = None,
        classes: Sequence[str] = ("cat", "dog"),
        items: Sequence[str] | None = None,
        annotators: Sequence[str] = ("ana", "ben"),
        known: Sequence[bool] = (True, True),
        annotator_responses: Sequence[int] = (3, 1),
        spread: float = 0.05,
        dtype: type = np.float64,
    ) -> Fit:
        truth = np.asarray(probability, dtype=dtype)
        num_items, num_candidates = truth.shape
        num_classes = len(classes)
        if candidate_class is None:
            candidate_class = range(num_candidates)
        candidate = np.asarray(candidate_class, dtype=np.int32)
        if confusion is None:
            confusion = np.broadcast_to(
                np.eye(num_classes), (1, 1, len(annotators), num_classes, num_classes)
            )
        if prevalence is None:
            prevalence = np.full((*confusion.shape[:2], num_classes), 1 / num_classes)
        if items is None:
            items = [f"image {index}" for index in range(num_items)]
        names = {
            "item": np.asarray(items, dtype=str),
            "annotator": np.asarray(annotators, dtype=str),
            "true_class": np.asarray(classes, dtype=str),
            "given_class": np.asarray(classes, dtype=str),
        }
        return Fit(
            xr.DataTree.from_dict(
                {
                    "/": xr.Dataset(attrs=_attributes("choice")),
                    "posterior": xr.Dataset(
                        {
                            "prevalence": (
                                ("chain", "draw", "true_class"),
                                np.asarray(prevalence, dtype=np.float32),
                            ),
                            "confusion": (
                                (
                                    "chain",
                                    "draw",
                                    "annotator",
                                    "true_class",
                                    "given_class",
                                ),
                                np.asarray(confusion, dtype=np.float32),
                            ),
                        },
                        coords=names,
                    ),
                    "truth": xr.Dataset(
                        {
                            "probability": (("item", "candidate"), truth),
                            "lower": (("item", "candidate"), truth - spread),
                            "upper": (("item", "candidate"), truth + spread),
                        },
                        coords={"item": names["item"]},
                    ),
                    "constant_data": xr.Dataset(
                        {
                            "candidate_class": (
                                ("item", "candidate")[2 - candidate.ndim :],
                                candidate,
                            ),
                            "num_responses": ("item", np.arange(num_items)),
                            "annotator_responses": (
                                "annotator",
                                np.asarray(annotator_responses),
                            ),
                            "annotator_identified": ("annotator", np.asarray(known)),
                            "votes": (
                                ("given_class", "true_class"),
                                np.eye(num_classes),
                            ),
                            "unit_item": ("item", names["item"]),
                        },
                        coords=names,
                    ),
                    "observed_data": xr.Dataset(
                        {
                            "annotator": ("response", np.array([0, 0, 0, 1])),
                            "item": ("response", np.array([1, 2, 2, 2])),
                            "answer": ("response", np.array([0, 1, 1, 0])),
                            "n": ("response", np.array([1, 1, 1, 1])),
                        }
                    ),
                }
            )
        )

    return build


@pytest.fixture
def contains_fit() -> Callable[..., Fit]:
    """Build a fit of contains responses: units are items with a label."""

    def build(
        *,
        states: Sequence[str] = ("absent", "present"),
        present: Sequence[float] = (0.0, 1.0),
        probability: Sequence[Sequence[float]] = ((0.2, 0.8), (0.9, 0.1), (0.5, 0.5)),
        confusion: np.ndarray | None = None,
        prevalence: np.ndarray | None = None,
    ) -> Fit:
        truth = np.asarray(probability)
        votes = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
        if len(states) == 3:
            votes = np.eye(3)
        if confusion is None:
            confusion = np.full((1, 1, 1, len(states), 3), 1 / 3)
        if prevalence is None:
            prevalence = np.full((*confusion.shape[:2], len(states)), 1 / len(states))
        names = {
            "item": np.arange(3),
            "annotator": np.array(["ana"]),
            "true_class": np.asarray(states, dtype=str),
            "given_class": np.array(["no", "maybe", "yes"]),
        }
        cells = ("chain", "draw", "annotator", "true_class", "given_class")
        pair = ("item", "candidate")
        return Fit(
            xr.DataTree.from_dict(
                {
                    "/": xr.Dataset(attrs=_attributes("contains")),
                    "posterior": xr.Dataset(
                        {
                            "prevalence": (("chain", "draw", "true_class"), prevalence),
                            "confusion": (cells, confusion),
                        },
                        coords=names,
                    ),
                    "truth": xr.Dataset(
                        {
                            "probability": (pair, truth),
                            "lower": (pair, truth - 0.05),
                            "upper": (pair, truth + 0.1),
                        }
                    ),
                    "constant_data": xr.Dataset(
                        {
                            "candidate_class": ("candidate", np.arange(len(states))),
                            "num_responses": ("item", np.array([4, 2, 0])),
                            "annotator_responses": ("annotator", np.array([6])),
                            "annotator_identified": ("annotator", np.array([True])),
                            "votes": (("given_class", "true_class"), votes),
                            "present": ("true_class", np.asarray(present, dtype=float)),
                            "unit_item": ("item", np.array(["img1", "img1", "img2"])),
                            "unit_label": ("item", np.array(["dog", "cat", "cat"])),
                        },
                        coords=names,
                    ),
                }
            )
        )

    return build
