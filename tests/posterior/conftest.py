"""Fits with given draws, so that nothing here waits for a sampler."""

import json
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
import xarray as xr

from consilience.posterior.fit import Fit

PAIR = ("item", "candidate")
AXES = {
    "prevalence": ("chain", "draw", "true_class"),
    "confusion": ("chain", "draw", "annotator", "true_class", "given_class"),
    "candidate_class": PAIR,
    "num_responses": ("item",),
    "annotator_responses": ("annotator",),
    "annotator_identified": ("annotator",),
    "votes": ("given_class", "true_class"),
    "unit_item": ("item",),
    "unit_label": ("item",),
    "present": ("true_class",),
}
ATTRIBUTES = {
    "model": "dawid_skene",
    "engine": "vb",
    "engine_reason": "asked for",
    "seed": 7,
    "prob": 0.9,
    "seconds": 0.5,
    "version": "0.1.0",
    "assumptions": json.dumps(["Annotators answer independently given the truth."]),
    "sources": json.dumps({"answers.csv": "0" * 64}),
    "settings": json.dumps({"restarts": 3, "prior": None}),
}


def _fit(
    kind: str,
    names: Mapping[str, np.ndarray],
    drawn: Mapping[str, np.ndarray | None],
    truth: Sequence[np.ndarray],
    constant: Mapping[str, object],
    **groups: xr.Dataset,
) -> Fit:
    """Build a fit; where no draws are given, annotators are right and labels alike."""
    size, answers = len(names["true_class"]), len(names["given_class"])
    confusion, prevalence = drawn["confusion"], drawn["prevalence"]
    if confusion is None:
        one = np.eye(size) if size == answers else np.full((size, answers), 1 / answers)
        shape = (1, 1, len(names["annotator"]), size, answers)
        confusion = np.broadcast_to(one, shape)
    if prevalence is None:
        prevalence = np.full((*confusion.shape[:2], size), 1 / size)
    posterior = {"prevalence": prevalence, "confusion": confusion}
    parts = zip(("probability", "lower", "upper"), truth, strict=True)
    known = {name: np.asarray(value) for name, value in constant.items()}
    return Fit(
        xr.DataTree.from_dict(
            {
                "/": xr.Dataset(attrs=ATTRIBUTES | {"kind": kind}),
                "posterior": xr.Dataset(
                    {
                        name: (AXES[name], np.asarray(value, np.float32))
                        for name, value in posterior.items()
                    },
                    names,
                ),
                "truth": xr.Dataset(
                    {name: (PAIR, value) for name, value in parts},
                    {"item": names["item"]},
                ),
                "constant_data": xr.Dataset(
                    {
                        name: (AXES[name][-value.ndim :], value)
                        for name, value in known.items()
                    },
                    names,
                ),
                **groups,
            }
        )
    )


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
        dtype: type = np.float64,
    ) -> Fit:
        truth = np.asarray(probability, dtype=dtype)
        number, width = truth.shape
        candidates = range(width) if candidate_class is None else candidate_class
        items = [f"image {k}" for k in range(number)] if items is None else items
        names = {"item": items, "annotator": annotators}
        names |= {"true_class": classes, "given_class": classes}
        columns = {"annotator": [0, 0, 0, 1], "item": [1, 2, 2, 2]}
        columns |= {"answer": [0, 1, 1, 0], "n": [1, 1, 1, 1]}
        return _fit(
            "choice",
            {name: np.asarray(each, dtype=str) for name, each in names.items()},
            {"confusion": confusion, "prevalence": prevalence},
            (truth, truth - 0.05, truth + 0.05),
            {
                "candidate_class": np.asarray(candidates, np.int32),
                "num_responses": np.arange(number),
                "annotator_responses": annotator_responses,
                "annotator_identified": known,
                "votes": np.eye(len(classes)),
                "unit_item": np.asarray(items, dtype=str),
            },
            observed_data=xr.Dataset(
                {name: ("response", values) for name, values in columns.items()}
            ),
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
        votes = [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]
        names = {"item": np.arange(3), "annotator": np.array(["ana"])}
        names["true_class"] = np.asarray(states, dtype=str)
        names["given_class"] = np.array(["no", "maybe", "yes"])
        return _fit(
            "contains",
            names,
            {"confusion": confusion, "prevalence": prevalence},
            (truth, truth - 0.05, truth + 0.1),
            {
                "candidate_class": np.arange(len(states)),
                "num_responses": [4, 2, 0],
                "annotator_responses": [6],
                "annotator_identified": [True],
                "votes": np.eye(3) if len(states) == 3 else votes,
                "present": np.asarray(present, dtype=float),
                "unit_item": ["img1", "img1", "img2"],
                "unit_label": ["dog", "cat", "cat"],
            },
        )

    return build


def with_posterior(fit: Fit, **variables: object) -> Fit:
    """Return the fit with variables of its draws added, or (None) taken out."""
    tree = fit.data.copy()
    gone = [name for name, value in variables.items() if value is None]
    more = {name: value for name, value in variables.items() if value is not None}
    posterior = tree["posterior"].to_dataset()
    tree["posterior"] = xr.DataTree(posterior.drop_vars(gone).assign(more))
    return Fit(tree)
