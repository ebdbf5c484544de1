"""The space of a fit of kind contains again, from what its tree keeps.

What gold labels excluded is not kept: the space says that anything can be true.
"""

import json

import numpy as np
import xarray as xr

from consilience.truth import Space
from consilience.truth.space import Covariates, Groups


def known_space(data: xr.DataTree) -> Space:
    """Return who answered what about which pair of item and label.

    Parameters
    ----------
    data
        A fit of kind contains.
    """
    constant, observed = data["constant_data"], data["observed_data"]
    states = tuple(map(str, constant["true_class"].to_numpy()))
    return Space(
        kind="contains",
        unit_item=constant["unit_item"].to_numpy(),
        unit_label=constant["unit_label"].to_numpy(),
        annotators=constant["annotator"].to_numpy(),
        known=constant["annotator_known"].to_numpy().astype(bool),
        states=states,
        answers=tuple(map(str, constant["given_class"].to_numpy())),
        unit=observed["item"].to_numpy().astype(np.int32),
        annotator=observed["annotator"].to_numpy().astype(np.int32),
        answer=observed["answer"].to_numpy().astype(np.int32),
        n=observed["n"].to_numpy(),
        state=np.arange(len(states), dtype=np.int32)[None],
        log_prior=np.zeros((1, len(states))),
        votes=constant["votes"].transpose("given_class", "true_class").to_numpy(),
        present=constant["present"].to_numpy(),
        assumptions=tuple(json.loads(data.attrs["assumptions"])),
        groups=_groups(data),
        covariates=_covariates(data),
    )


def _groups(data: xr.DataTree) -> Groups | None:
    constant = data["constant_data"]
    if "unit_group" not in constant:
        return None
    names = constant["group"].to_numpy()
    return Groups(constant["unit_group"].to_numpy().astype(np.int32), names)


def _covariates(data: xr.DataTree) -> Covariates | None:
    constant = data["constant_data"]
    if "beforehand" not in constant:
        return None
    value = constant["beforehand"].transpose("item", "covariate").to_numpy()
    return Covariates(
        value=value,
        names=tuple(map(str, constant["covariate"].to_numpy())),
        centre=constant["covariate_centre"].to_numpy(),
        spread=constant["covariate_spread"].to_numpy(),
        known=np.ones(len(value), bool),
    )
