"""Fits and responses that hold no more than a test of analyses needs."""

from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

import consilience as cs
from consilience.posterior import Fit
from consilience.posterior.stored import with_tables

PAIRS = ("item", "candidate")


def names_of(number):
    return [f"i{place}" for place in range(number)]


def tree_of(kind, model="dawid_skene", **groups):
    about = {"kind": kind, "model": model, "prob": 0.9, "classifiers": "[]"}
    root = xr.Dataset(attrs=about)
    return xr.DataTree.from_dict({"/": root, **groups})


def truth_of(probability):
    nothing = np.full(probability.shape, np.nan)
    values = {"probability": probability, "lower": nothing, "upper": nothing}
    return xr.Dataset({name: (PAIRS, value) for name, value in values.items()})


def choice_fit(probability, labels, kind="choice", covariates=None, **constant):
    """Return a fit that holds the probabilities of the truth of items i0, i1, ..."""
    probability = np.asarray(probability, float)
    items = np.array(names_of(len(probability)), object)
    variables = {
        "candidate_class": ("candidate", np.arange(probability.shape[1])),
        "unit_item": ("item", items),
        "num_responses": ("item", np.ones(len(items), int)),
    }
    names = {"item": items, "true_class": np.array(list(labels), object)}
    if covariates:
        names["covariate"] = list(covariates)
    known = xr.Dataset(variables | constant, names)
    return Fit(tree_of(kind, constant_data=known, truth=truth_of(probability)))


def contains_fit(rows, present=0.5):
    """Return a fit of answers: item, label, and how many said yes, maybe and no."""
    item, label, *counts = zip(*rows, strict=True)
    counts = np.array(counts).T[:, ::-1]  # no, maybe, yes
    unit, answer = np.nonzero(counts)
    chance = np.broadcast_to(np.asarray(present, float), len(rows))
    constant = {
        "unit_item": ("item", np.array(item, object)),
        "unit_label": ("item", np.array(label, object)),
        "num_responses": ("item", counts.sum(1)),
        "candidate_class": ("candidate", np.arange(2)),
        "present": ("true_class", np.array([0.0, 1.0])),
    }
    names = {"true_class": ["absent", "present"], "given_class": ["no", "maybe", "yes"]}
    columns = {"item": unit, "answer": answer, "n": counts[unit, answer]}
    observed = {name: ("response", column) for name, column in columns.items()}
    return Fit(
        tree_of(
            "contains",
            constant_data=xr.Dataset(
                constant, {name: np.array(each, object) for name, each in names.items()}
            ),
            observed_data=xr.Dataset(observed),
            truth=truth_of(np.stack([1 - chance, chance], 1)),
        )
    )


def tables_fit(tables, **groups):
    """Return a fit of kind objects that holds these tables."""
    return Fit(with_tables(tree_of("objects", **groups), tables))


def objects_responses(rows, dataset_labels, labels=None):
    """Read item, annotator, label and whether it is the main one, as objects."""
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label", "main"])
    items = pd.DataFrame({"item": dataset_labels.keys()})
    items["dataset_label"] = list(dataset_labels.values())
    return replace(cs.read(frame, kind="objects", labels=labels), items=items)


def as_labels(dataset_labels):
    """Return labels by item as `evaluate` takes those of the data set."""
    names = {"item": dataset_labels.keys(), "label": dataset_labels.values()}
    return pd.DataFrame(names)


def predicted(**labels):
    """Return predictions of models: for each item its labels, the best first."""
    return pd.DataFrame(
        [
            (model, item, label, rank)
            for model, rows in labels.items()
            for item, ranked in rows.items()
            for rank, label in enumerate(ranked.split(), 1)
        ],
        columns=["model", "item", "label", "rank"],
    )


def values(evaluation, model):
    """Return what a model reaches, by metric and subset."""
    table = evaluation.models[evaluation.models["model"] == model]
    return table.set_index(["metric", "subset"])["value"].to_dict()


LAMPS = (
    # i: lamp and shade, twice; the data set says lamp.
    ("i", "a", "lamp", True),
    ("i", "a", "shade", False),
    ("i", "b", "lamp", True),
    ("i", "b", "shade", False),
    # j: shade is the main one of two; the data set says lamp.
    ("j", "a", "shade", True),
    ("j", "a", "lamp", False),
    # k: one object, called shade twice and lamp once; the data set says lamp.
    ("k", "a", "shade", True),
    ("k", "b", "shade", True),
    ("k", "c", "lamp", True),
    # l: one object, called shade, as the data set says.
    ("l", "a", "shade", True),
)
OF_LAMPS = {"i": "lamp", "j": "lamp", "k": "lamp", "l": "shade"}
