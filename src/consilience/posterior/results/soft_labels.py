"""Soft labels: one row per item and one probability per label, to train a model on.

For choice the probabilities of a row sum to one, and a label that is not a candidate of
an item has probability 0. For contains each is the probability that the label is
present, and is empty where the label was not asked about: nothing is known there, which
is not the same as 0.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from consilience.errors import OptionError
from consilience.posterior.results.labels import labels
from consilience.when_used import xr

# Some 2 GB in double precision.
_MAX_CELLS = 250_000_000


def soft_labels(data: xr.DataTree) -> pd.DataFrame:
    """Spread the probabilities out, one column per label."""
    table = labels(data)
    items, names = table["item"].cat.categories, table["label"].cat.categories
    if "item" in names:
        msg = (
            "soft labels: a label is named 'item', as is the column of the items; "
            "export the table `labels`, or rename that label"
        )
        raise OptionError(msg)
    if len(items) * len(names) > _MAX_CELLS:
        msg = (
            f"soft labels: {len(items):,} items by {len(names):,} labels are too many "
            f"for one table (at most {_MAX_CELLS:,} cells); export the table "
            "`labels`, which lists candidates only"
        )
        raise OptionError(msg)
    absent = np.nan if data.attrs["kind"] == "contains" else 0.0
    wide = np.full((len(items), len(names)), absent)
    wide[table["item"].cat.codes, table["label"].cat.codes] = table["probability"]
    frame = pd.DataFrame(wide, columns=names)
    frame.insert(0, "item", items)
    return frame
