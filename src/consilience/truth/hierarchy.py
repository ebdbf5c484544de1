"""Levels of a hierarchy of labels."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Int

from consilience.errors import OptionError


def label_groups(
    names: pd.Index, labels: pd.DataFrame | Mapping[str, str] | None, level: int
) -> tuple[Int[np.ndarray, " K"], pd.Index]:
    """Return the group of each label, some steps up a hierarchy."""
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
