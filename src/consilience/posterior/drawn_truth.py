r"""The posterior of the truth by draw of the parameters.

A fit gives p(truth | answers) with the parameters averaged over. Sums over many items
vary with the parameters more than any one item shows, since these are the same for all
items: whoever sums has to know the truth draw by draw,

.. math::

   p^{(d)}_{uk} = p(z_u = k \mid y, \phi^{(d)}).

The parameters are put back into the model, one draw after the other. A tempered
posterior moves with its draws: distances in log-odds are divided by the design effect.
All are weighted at last by one number for each state of each unit and normalised, so
that each draw is a distribution and their mean is what the fit gives (which `vb` has by
other means than by its draws).

References
----------
Deming and Stephan (1940), On a least squares adjustment of a sampled frequency table
when the expected marginal totals are known: the weights, by iterative proportional
fitting.
"""

from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float, Int
from scipy.special import expit, logit

from consilience.intervals import bounds
from consilience.model import (
    AnnotatorModel,
    TableModel,
    Tables,
    logarithms,
    thin,
)
from consilience.posterior.results.labels import candidates
from consilience.posterior.stored_fit.restored import (
    restored_draws,
    restored_model,
    restored_space,
)
from consilience.truth import Space, merge_identical

MAX_DRAWS = 40  # draws: quantiles of a thousand weightings vary by more than they do
_LEAST, _CLOSE, _SWEEPS = 1e-300, 1e-6, 500
NUMBERS = 2**25  # held at once: 256 MiB


def drawn_truth(
    data: xr.DataTree, max_draws: int = MAX_DRAWS
) -> Float[np.ndarray, "D U S"]:
    """Return P(state) of each unit, draw by draw; NaN at padding."""
    reported = candidates(data).probability
    max_draws = min(max_draws, NUMBERS // max(reported.size, 1))
    values = restored_draws(data)
    if max_draws < 2 or not values or "similarity" in values:
        return reported[None]
    sizes = data["posterior"].sizes
    if sizes["chain"] * sizes["draw"] < 2:
        return reported[None]
    model, space = restored_model(data), restored_space(data)
    drawn = _parameters_from_draw(model, space, values, max_draws)
    if drawn is None:
        return reported[None]
    truth = data["truth"]
    if truth.attrs.get("reported") == "tempered":
        drawn = _tempered(drawn, reported, truth["design_effect"].to_numpy())
    return with_mean(drawn, reported)


def with_mean(
    drawn: Float[np.ndarray, "D U S"], mean: Float[np.ndarray, "U S"]
) -> Float[np.ndarray, "D U S"]:
    """Weight the states of each unit so that the mean of the draws is a given one."""
    padding = np.isnan(drawn) | np.isnan(mean)
    weighted = np.where(padding, 0.0, np.maximum(drawn, _LEAST))
    aim = np.where(np.isnan(mean), 0.0, mean)
    for _ in range(_SWEEPS):
        weighted /= weighted.sum(2, keepdims=True)
        factor = aim / np.maximum(weighted.mean(0), _LEAST)
        if np.abs(factor * weighted.mean(0) - weighted.mean(0)).max() < _CLOSE:
            break
        weighted *= factor
    return np.where(padding, np.nan, weighted / weighted.sum(2, keepdims=True))


def truth_bounds(
    data: xr.DataTree, prob: float
) -> tuple[Float[np.ndarray, "U S"], Float[np.ndarray, "U S"]] | None:
    """Return bounds of P(state) of each unit, not tempered, over all draws kept."""
    size = candidates(data).probability.size
    values = restored_draws(data)
    if not values or "similarity" in values:
        return None
    sizes = data["posterior"].sizes
    most = min(sizes["chain"] * sizes["draw"], NUMBERS // max(size, 1))
    if most < 2:
        return None
    drawn = _parameters_from_draw(
        restored_model(data), restored_space(data), values, most
    )
    if drawn is None:
        return None
    return bounds(drawn, prob)


def _parameters_from_draw(
    model: AnnotatorModel[Any], space: Space, values: dict[str, Any], max_draws: int
) -> Float[np.ndarray, "D U S"] | None:
    place: slice | Int[np.ndarray, " U"] = slice(None)
    if not model.whole_items:
        merged = merge_identical(space)
        space, place = merged.space, merged.place
    if isinstance(model, TableModel):
        tables = Tables(model, space)
        if not {*tables.priors} <= values.keys():
            return None
        logs = (logarithms(draw, tables.closed) for draw in thin(values, max_draws))
        beliefs = (tables.posterior(each)[1] for each in logs)
        return np.stack([tables.truth(belief)[place] for belief in beliefs])
    from consilience.posterior.stored_fit.compiled_reader import compiled_reader

    read = compiled_reader(model, space, values.keys())
    if read is None:
        return None
    return np.stack([read(draw)[0][place] for draw in thin(values, max_draws)])


def _tempered(
    drawn: Float[np.ndarray, "D U S"],
    reported: Float[np.ndarray, "U S"],
    design_effect: Float[np.ndarray, " U"],
) -> Float[np.ndarray, "D U S"]:
    """Move the tempered posterior as the raw one moves, by less."""
    small = np.finfo(float).eps
    raw = logit(np.clip(drawn, small, 1 - small))
    distance = (raw - raw.mean(0)) / design_effect[:, None]
    odds = expit(logit(np.clip(reported, small, 1 - small)) + distance)
    total = np.nansum(odds, axis=2, keepdims=True)
    tempered: Float[np.ndarray, "D U S"] = odds / total
    return tempered
