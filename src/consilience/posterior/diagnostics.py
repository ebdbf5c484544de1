"""The table `diagnostics`: the checks' verdicts as the fit carries them."""

import numpy as np
import pandas as pd
import xarray as xr


def diagnostics(data: xr.DataTree) -> pd.DataFrame:
    """Verdicts of the checks, each with a remedy.

    Parameters
    ----------
    data
        A fit.

    Returns
    -------
    Columns name, value, limit, ok, remedy; empty when no check was run.
    """
    if "diagnostics" in data.children:
        group = data["diagnostics"]
        found = {
            name: group[name].to_numpy()
            for name in ("name", "value", "limit", "ok", "remedy")
        }
    else:
        found = dict.fromkeys(("name", "value", "limit", "ok", "remedy"), np.zeros(0))
    return pd.DataFrame(
        {
            "name": pd.Series(found["name"], dtype="str"),
            "value": found["value"].astype(np.float64),
            "limit": found["limit"].astype(np.float64),
            "ok": found["ok"].astype(bool),
            "remedy": pd.Series(found["remedy"], dtype="str"),
        }
    )
