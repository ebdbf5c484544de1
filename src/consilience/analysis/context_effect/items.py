r"""The leading question, where objects are named and labels are asked about.

Asked *is there a laptop?*, people grant what they would not have listed. Where both
tasks were set about the same items and fitted in one likelihood, the odds of the two
can be held against each other: of things that listers seldom see, and of things that
they often see (`consilience.objects.likelihood.endorsement`).
"""

import numpy as np
import pandas as pd
import xarray as xr

from consilience.errors import OptionError
from consilience.posterior.stored_fit.draws import draws, estimate

SELDOM, OFTEN = "a thing seldom seen", "a thing often seen"
CONTRASTS = {
    "one of several names": "of a thing with several names, against one name",
    "own": "of the data set's own label, against others",
}


def leading_of_objects(data: xr.DataTree) -> pd.DataFrame:
    """Return how much likelier things are granted than seen.

    Parameters
    ----------
    data
        A fit of kind objects, with answers of kind contains.

    Returns
    -------
    Columns contrast, odds_ratio, lower, upper, seen, granted: a row each for things
    seldom and often seen (odds of being granted, with one name and not the data set's
    own, over those that a lister sees it), and a row for what makes a name be granted
    more or less. Bounds are NaN where the engine gave no draws.

    Raises
    ------
    OptionError
        No answers of kind contains were fitted.
    """
    leading, granting = (
        draws(data, name, (axis,))
        for name, axis in (("leading", "how_often"), ("granting", "asked_covariate"))
    )
    if leading is None or granting is None:
        msg = (
            "the fit has no answers of kind contains beside those of kind objects; "
            "give both tasks to the fit (`contains=`)"
        )
        raise OptionError(msg)
    names = [str(name) for name in data["posterior"]["asked_covariate"].to_numpy()]
    effects = np.concatenate([leading, granting[:, 1:]], axis=1)
    estimates = estimate(effects, float(data.attrs["mass"]))
    granted = np.asarray(draws(data, "granted", ("how_often",)), float)
    odds = np.log(granted) - np.log1p(-granted) - leading
    nothing = np.full(len(names) - 1, np.nan)
    return pd.DataFrame(
        {
            "contrast": [SELDOM, OFTEN, *(CONTRASTS[name] for name in names[1:])],
            "odds_ratio": np.exp(estimates.mean),
            "lower": np.exp(estimates.lower),
            "upper": np.exp(estimates.upper),
            "seen": np.append((1 / (1 + np.exp(-odds))).mean(0), nothing),
            "granted": np.append(granted.mean(0), nothing),
        }
    )
