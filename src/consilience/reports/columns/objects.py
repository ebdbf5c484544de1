"""The objects of each item: labels, counts, pairs of labels, ambiguity."""

from typing import Any

import numpy as np

from consilience.reports.columns.coded import (
    ONE,
    Names,
    group_starts,
    scale,
    scatter,
)
from consilience.reports.record import Run


def objects(run: Run, items: Names, labels: Names) -> dict[str, Any]:
    """Return what a run of kind objects says of each item.

    Parameters
    ----------
    run
        The run.
    items, labels
        Names so far.
    """
    table, number = run.table("objects"), len(items.codes)
    item = items.add(table["item"])
    order = np.lexsort((table["object"].to_numpy(), item))
    content: dict[str, Any] = {
        **group_starts(item[order], number),
        "object": table["object"].to_numpy(np.int64)[order].tolist(),
        "label": labels.add(table["label"])[order].tolist(),
        "share": scale(table["share"], ONE)[order].tolist(),
        "p": scale(table["probability"], ONE)[order].tolist(),
        "main": scale(table["main_probability"], ONE)[order].tolist(),
    }
    counts = run.table("object_counts")
    if len(counts):
        at = items.add(counts["item"])
        order = np.lexsort((counts["objects"], counts["tau"].fillna(-1), at))
        content["counts"] = {
            **group_starts(at[order], number),
            "tau": scale(counts["tau"], ONE)[order].tolist(),
            "objects": counts["objects"].to_numpy(np.int64)[order].tolist(),
            "p": scale(counts["probability"], ONE)[order].tolist(),
        }
    same = run.table("same_object")
    if len(same):
        at = items.add(same["item"])
        order = np.argsort(at, kind="stable")
        content["same"] = {
            **group_starts(at[order], number),
            "a": labels.add(same["label_a"])[order].tolist(),
            "b": labels.add(same["label_b"])[order].tolist(),
            "p": scale(same["probability"], ONE)[order].tolist(),
        }
        if "synonyms" in same:
            content["same"]["synonyms"] = scale(same["synonyms"], ONE)[order].tolist()
    ambiguity = run.table("ambiguity")
    if len(ambiguity):
        at = items.add(ambiguity["item"])
        content["ambiguity"] = {
            part: scatter(scale(ambiguity[part], ONE), at, number)
            for part in ("structure", "naming", "salience")
        }
    return content
