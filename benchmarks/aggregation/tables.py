"""Responses as other packages want them: a row per answer, text throughout."""

import numpy as np
import pandas as pd

from consilience.errors import KindError
from consilience.responses import Responses


def answers_table(responses: Responses) -> pd.DataFrame:
    """Return the answers, each as often as it was given.

    Parameters
    ----------
    responses
        Responses of the kind choice, every annotator with an id.

    Returns
    -------
    Columns task, worker, label.

    Raises
    ------
    KindError
        Some annotator has no id.
    """
    given = responses.table[responses.table["label"].notna()]
    if given["annotator"].isna().any():
        msg = "some answers name no annotator, and this method needs to know them"
        raise KindError(msg)
    columns = {"task": "item", "worker": "annotator", "label": "label"}
    table = pd.DataFrame(
        {
            name: given[column].astype("str").to_numpy()
            for name, column in columns.items()
        }
    )
    repeats = given["n"].to_numpy()
    return table.iloc[np.repeat(np.arange(len(table)), repeats)].reset_index(drop=True)
