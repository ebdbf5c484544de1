"""Levels of a hierarchy of labels."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Int

from consilience.errors import OptionError


def label_groups(
    names: pd.Index, labels: pd.DataFrame | Mapping[str, str] | None, level: int
) -> tuple[Int[np.ndarray, " K"], pd.Index]:
    """Return the group of each label, some steps up a hierarchy.

    Parameters
    ----------
    names
        The labels.
    labels
        Columns label and parent, or the parent of each label. Parents may stand there
        with parents of their own. What has none is a group by itself.
    level
        How many steps up; 0: the labels themselves.

    Raises
    ------
    OptionError
        The level is below zero, or there are no parents to go up to.
    """
    if level < 0 or (level and labels is None):
        msg = f"level {level}: give 0, or labels with the column parent to go up"
        raise OptionError(msg)
    parent: dict[str, str] = {}
    if isinstance(labels, pd.DataFrame):
        table = labels[["label", "parent"]].dropna().astype("str")
        parent = dict(zip(table["label"], table["parent"], strict=True))
    elif labels is not None:
        parent = {str(label): str(above) for label, above in labels.items()}
    parent = {label: above for label, above in parent.items() if above}
    if level and not parent:
        msg = (
            f"level {level}: no label has a parent; give labels with the column parent"
        )
        raise OptionError(msg)
    ancestors = [str(name) for name in names]
    for _ in range(level):
        ancestors = [parent.get(name, name) for name in ancestors]
    code, groups = pd.factorize(pd.Index(ancestors))
    return code.astype(np.int64), pd.Index(groups)
