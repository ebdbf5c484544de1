"""The best labels of each image of a batch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float, UInt8
from scipy.special import softmax

from consilience.classifiers.pooled.predictions import ANSWER_SCHEMA
from consilience.classifiers.running.classifier import Classifier
from consilience.classifiers.running.pace import Workers
from consilience.classifiers.running.reading_ahead import Prepared


def classify_batch(
    batch: Sequence[Prepared],
    classifiers: Sequence[Classifier],
    keep: int,
    workers: Workers,
) -> tuple[pa.Table, list[dict[str, Any]]]:
    """Return the answers about a batch, and what became of each of its images."""
    usable = [image for image in batch if image.squares]
    reasons = {image.item: image.reason for image in batch}
    tables = []
    for place, classifier in enumerate(classifiers):
        if not usable:
            continue
        squares = np.stack([image.squares[place] for image in usable])
        logits = classifier.logits(pad_batch(squares, workers))[: len(usable)]
        finite = np.isfinite(logits).all(1)
        for at in np.flatnonzero(~finite):
            item = usable[at].item
            reason = f"{classifier.name} returns numbers that are not finite"
            reasons[item] = "; ".join(filter(None, (reasons[item], reason)))
        items = [usable[at].item for at in np.flatnonzero(finite)]
        tables.append(best_labels(items, classifier, logits[finite], keep))
    rows = [
        {
            "item": image.item,
            "width": image.width,
            "height": image.height,
            "note": image.note or None,
            "reason": reasons[image.item] or None,
        }
        for image in batch
    ]
    empty = ANSWER_SCHEMA.empty_table()
    return (pa.concat_tables(tables) if tables else empty), rows


def best_labels(
    items: Sequence[str],
    classifier: Classifier,
    logits: Float[np.ndarray, "B K"],
    keep: int,
) -> pa.Table:
    """Return the most probable labels of each image, first the most probable."""
    first = np.argsort(-logits, axis=1, kind="stable")[:, :keep]
    top = np.take_along_axis(logits, first, 1)
    share = np.take_along_axis(softmax(logits.astype(float), axis=1), first, 1)
    number, kept = first.shape
    labels = np.unique(first)
    place = np.searchsorted(labels, first.ravel())

    def encode(codes: np.ndarray, names: Sequence[str]) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(
            pa.array(codes, pa.int32()), pa.array(names, pa.string())
        )

    return pa.table(
        {
            "item": encode(np.repeat(np.arange(number), kept), list(items)),
            "model": encode(np.zeros(number * kept), [classifier.name]),
            "rank": pa.array(np.tile(np.arange(1, kept + 1), number), pa.int16()),
            "label": encode(place, [classifier.labels.label[i] for i in labels]),
            "logit": pa.array(top.ravel(), pa.float32()),
            "probability": pa.array(share.ravel(), pa.float32()),
        },
        schema=ANSWER_SCHEMA,
    )


def pad_batch(
    squares: UInt8[np.ndarray, "B S S 3"], workers: Workers
) -> UInt8[np.ndarray, "C S S 3"]:
    """Fill the last batch up, where each new shape would have CUDA search again."""
    lacking = workers.batch - len(squares)
    if not workers.fixed or lacking <= 0:
        return squares
    return np.concatenate([squares, np.zeros_like(squares[:1]).repeat(lacking, 0)])
