"""The raw answers, item by item."""

from typing import Any

import numpy as np
import pandas as pd

from consilience.reports.columns.coded import Names, group_starts
from consilience.reports.record import Run


def answers(run: Run, items: Names, labels: Names, people: Names) -> dict[str, Any]:
    """Return who gave which answers about each item."""
    if run.answers is None:
        return {}
    table = run.answers
    item = items.add(table["item"])
    order = np.argsort(item, kind="stable")
    order = order[item[order] >= 0]
    content: dict[str, Any] = {
        **group_starts(item[order], len(items.codes)),
        "who": people.add(table["annotator"])[order].tolist(),
        "label": labels.add(table["label"])[order].tolist(),
    }
    if run.kind == "contains":
        words = pd.Categorical(table["answer"], categories=["no", "maybe", "yes"])
        content["answer"] = words.codes[order].tolist()
    if (table["n"] != 1).any():
        content["n"] = table["n"].to_numpy(np.int64)[order].tolist()
    if "main" in table:
        content["main"] = table["main"].to_numpy(np.int64)[order].tolist()
        content["response"] = table["response"].to_numpy(np.int64)[order].tolist()
    return content
