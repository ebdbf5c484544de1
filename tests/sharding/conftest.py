"""What fits of shards, and in memory, say of the truth."""

import pandas as pd
import pytest


def _probabilities(fits):
    raw = [
        (fit.with_(truth="raw") if "truth" in fit.data.children else fit).labels()
        for fit in fits
    ]
    table = pd.concat([each.astype({"item": "str", "label": "str"}) for each in raw])
    return table.set_index(["item", "label"])["probability"].sort_index()


@pytest.fixture(scope="session")
def probabilities():
    """Return the untempered probability of each item and label, of all fits."""
    return _probabilities
