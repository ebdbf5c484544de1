"""Pairs of labels of objects: which come together, and which are confused."""

from typing import Any

import numpy as np

from consilience.reports.columns.coded import ONE, Names, scale
from consilience.reports.record import Report


def pairs(report: Report, labels: Names) -> dict[str, Any]:
    """Return the pairs of the report's tables; those of choice are in its confusion."""
    content: dict[str, Any] = {}
    table = report.pairs.get("objects_that_come_together")
    if table is not None:
        content["together"] = {
            "a": labels.add(table["class_label"]).tolist(),
            "b": labels.add(table["label"]).tolist(),
            "together": table["together"].to_numpy(np.int64).tolist(),
            "items": table["items"].to_numpy(np.int64).tolist(),
            "share": scale(table["share"], ONE).tolist(),
        }
    table = report.pairs.get("labels_with_another_main_object")
    if table is not None:
        content["confused"] = {
            "a": labels.add(table["label_a"]).tolist(),
            "b": labels.add(table["label_b"]).tolist(),
            "there": scale(table["a_called_b"], ONE).tolist(),
            "back": scale(table["b_called_a"], ONE).tolist(),
        }
    return content
