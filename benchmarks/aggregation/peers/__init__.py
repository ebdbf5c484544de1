"""Other packages' methods, one file each, imported only where one is run.

A file names its package (`PACKAGE`, and `MODULE`, the name it is imported by), its
methods (`METHODS`: name, and whether it states probabilities), and gives
`load(name)`: a function from responses and a seed to a `Prediction`. Loading imports
the package, so that a clock around the function does not count that.
"""

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
