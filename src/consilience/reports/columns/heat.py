"""The confusion of people and of models, level by level of the hierarchy of labels."""

from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from consilience.errors import ConsilienceError
from consilience.figures import StudyFigures
from consilience.figures.record import PEOPLE
from consilience.reports.columns.coded import estimate
from consilience.truth.hierarchy import label_groups


def heat(study: StudyFigures | None) -> dict[str, Any] | None:
    """Return the confusions of a study, classes first; None where there are none."""
    if study is None:
        return None
    try:
        cells = study.confusion(0)
    except ConsilienceError:
        return None
    labels = study.responses.labels
    classes = cells[["true_label", "given_label"]].astype("str").to_numpy()
    codes = pd.Index(labels["label"].astype("str"))
    codes = codes[codes.isin(classes.ravel())]  # superclasses may be labels as well
    levels = [(np.arange(len(codes)), codes)]
    tables = [cells]
    for level in range(1, study.depth + 1):
        with suppress(ConsilienceError):  # people's alone has one level of superclasses
            tables.append(study.confusion(level))
            levels.append(label_groups(codes, labels, level))
    there = set(tables[0]["who"].astype("str"))
    models = study.models if there - {PEOPLE} else []
    who = [PEOPLE, *reversed(models)]
    return {
        "who": who,
        "levels": [
            {
                "names": [study.name_of(label) for label in names],
                "up": _up(
                    groups, levels[place + 1][0] if place + 1 < len(levels) else None
                ),
                "parties": [_party(table, one, names) for one in who],
            }
            for place, ((groups, names), table) in enumerate(
                zip(levels, tables, strict=True)
            )
        ],
    }


def _up(
    groups: Int[np.ndarray, " K"], above: Int[np.ndarray, " K"] | None
) -> list[int]:
    """Return the place above of each group; of the last level there is none."""
    if above is None:
        return []
    first = np.unique(groups, return_index=True)[1]
    return [int(place) for place in above[first]]


def _party(table: pd.DataFrame, who: str, names: pd.Index) -> dict[str, Any]:
    cells = table[(table["who"].astype("str") == who) & (table["probability"] > 0)]
    return {
        "t": names.get_indexer(pd.Index(cells["true_label"].astype("str"))).tolist(),
        "g": names.get_indexer(pd.Index(cells["given_label"].astype("str"))).tolist(),
        **estimate(cells, np.arange(len(cells))),
    }
