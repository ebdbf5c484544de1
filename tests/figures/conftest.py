"""A small study of everything: objects, superclasses, models, yes-or-no answers."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import consilience as cs

MODELS = {"weak": 0.3, "middling": 0.5, "strong": 0.8}
CLASSES = 6


@pytest.fixture(scope="session")
def parts():
    return make_parts()


def make_parts():
    """Return a fit, its responses, predictions and a fit of yes-or-no answers."""
    study = cs.simulate(
        kind="objects", items=60, annotators=12, classes=CLASSES, per_item=6, seed=7
    )
    labels = study.responses.labels
    parents = ["=animals"] * (CLASSES // 2) + ["tools"] * (CLASSES // 2)
    named = labels.assign(
        parent=parents, name=[f"name of {label}" for label in labels["label"]]
    )
    responses = replace(study.responses, labels=named)
    fit = cs.fit(responses, model="tsipras2020")
    return {
        "fit": fit,
        "responses": responses,
        "predictions": predictions(responses),
        "contains": asked_alone(responses),
    }


def predictions(responses) -> pd.DataFrame:
    """Return two labels of each item by each model, with its probabilities."""
    generator = np.random.default_rng(0)
    names = responses.labels["label"].astype("str").to_numpy()
    items = responses.items["item"].astype("str").to_numpy()
    own = responses.items["dataset_label"].astype("str").to_numpy()
    tables = []
    for model, right in MODELS.items():
        hit = generator.random(len(items)) < right
        first = np.where(hit, own, generator.choice(names, len(items)))
        second = np.where(first == own, names[0], own)
        second = np.where(second == first, names[1], second)
        for rank, label, share in ((1, first, 0.7), (2, second, 0.2)):
            columns = {"model": model, "item": items, "label": label}
            columns |= {"rank": rank, "probability": share}
            tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def asked_alone(responses) -> cs.Fit:
    """Return a fit of answers about each label of each item, alone."""
    generator = np.random.default_rng(1)
    names = responses.labels["label"].astype("str").to_numpy()
    own = responses.items["dataset_label"].astype("str").to_numpy()
    items = responses.items["item"].astype("str").to_numpy()
    rows = [
        (item, label, f"rater {rater}", "yes" if yes else "no")
        for item, right in zip(items, own, strict=True)
        for label in names
        for rater, yes in enumerate(
            generator.random(4) < (0.8 if label == right else 0.3)
        )
    ]
    frame = pd.DataFrame(rows, columns=["item", "label", "annotator", "answer"])
    answers = cs.read(frame, kind="contains")
    return cs.fit(answers, model="contains_counts", engine="em", seed=0)


@pytest.fixture(scope="session")
def study(parts):
    inputs = {name: parts[name] for name in ("predictions", "contains")}
    made = cs.study(parts["fit"], parts["responses"], resamples=50, **inputs)
    assert made.left_out == {}
    return made
