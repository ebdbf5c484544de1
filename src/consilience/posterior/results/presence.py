"""What makes a label present, and how many would be by other meanings."""

from __future__ import annotations

import pandas as pd

from consilience.intervals import bounds
from consilience.model.draws import stack_chains
from consilience.when_used import xr


def share_present(data: xr.DataTree) -> pd.DataFrame | None:
    """Return the share of pairs present by each meaning, the reported one first.

    Columns meaning, share, lower and upper; None where the model has one meaning.
    """
    posterior = data["posterior"]
    if "share_present" not in posterior:
        return None
    drawn = posterior["share_present"].transpose("chain", "draw", "meaning")
    values = stack_chains(drawn.to_numpy()).astype(float)
    lower, upper = bounds(values, data.attrs["prob"])
    table = pd.DataFrame(
        {
            "meaning": posterior["meaning"].to_numpy().astype(str),
            "share": values.mean(0),
            "lower": lower,
            "upper": upper,
        }
    )
    return table.dropna(subset="share", ignore_index=True)
