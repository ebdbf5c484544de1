"""The table `labels`: the posterior probability of each label of each item.

For choice a row is an item and one of its candidates, and the probability is that of
the candidate being the truth. For contains a row is an item and a label asked about,
and the probability is that of the label being present: the sum over states k of
P(state k) w_k, where w_k, the fit's `present`, says how far state k counts as present.

**Soft labels: one row per item and one probability per label, to train a model on.**
For choice the probabilities of a row sum to one, and a label that is not a candidate of
an item has probability 0. For contains each is the probability that the label is
present, and is empty where the label was not asked about: nothing is known there, which
is not the same as 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped

from consilience.errors import OptionError
from consilience.intervals import bounds
from consilience.model.draws import stack_chains
from consilience.posterior.results.frames import category, names
from consilience.posterior.stored_fit.restored import stored
from consilience.responses.text import natural_order, text_array
from consilience.when_used import xr

# Some 2 GB in double precision.
_MAX_CELLS = 250_000_000


def labels(data: xr.DataTree) -> pd.DataFrame:
    """Posterior probability of each label of each item."""
    kept = stored(data, "labels")
    if kept is not None:
        return kept
    if data.attrs["kind"] == "contains":
        return _present_labels(data)
    items = data["constant_data"]["unit_item"].to_numpy()
    return labels_of_candidates(candidates(data), items, names(data, "true_class"))


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """What may be true of each unit, and how probable that is; NaN at padding."""

    state: Int[np.ndarray, "#U M"]  # -1 is padding; one row where units share it
    probability: Float[np.ndarray, "U M"]
    lower: Float[np.ndarray, "U M"]
    upper: Float[np.ndarray, "U M"]


def labels_of_candidates(
    truth: Candidates,
    items: Shaped[np.ndarray, " U"],
    states: Shaped[np.ndarray, " K"],
) -> pd.DataFrame:
    """Return the table `labels` of a fit of kind choice or objects."""
    state = np.broadcast_to(truth.state, truth.probability.shape).ravel()
    listed = state >= 0
    place = slice(None) if listed.all() else listed
    unit = np.repeat(np.arange(len(items), dtype=np.int32), truth.state.shape[1])
    return pd.DataFrame(
        {
            "item": category(unit[place], items),
            "label": category(state[place], states),
            "probability": truth.probability.ravel()[place],
            "lower": truth.lower.ravel()[place],
            "upper": truth.upper.ravel()[place],
        }
    )


def candidates(data: xr.DataTree) -> Candidates:
    """Return the candidates of every unit, padded where it has fewer than the most."""
    truth = data["truth"].to_dataset().transpose("item", "candidate", ...)
    probability = truth["probability"].to_numpy()
    candidate_class = data["constant_data"]["candidate_class"]
    if "item" in candidate_class.dims:
        candidate_class = candidate_class.transpose("item", "candidate")
    state = np.broadcast_to(candidate_class.to_numpy(), probability.shape)
    lower, upper = truth["lower"].to_numpy(), truth["upper"].to_numpy()
    if (candidate_class.to_numpy() < 0).any():
        real = state >= 0
        probability, lower, upper = (
            np.where(real, values, np.nan) for values in (probability, lower, upper)
        )
    return Candidates(state=state, probability=probability, lower=lower, upper=upper)


def by_label(
    data: xr.DataTree, truth: Float[np.ndarray, "D U S"]
) -> Float[np.ndarray, "D N"]:
    """Return posteriors of the truth in the order of the table `labels`."""
    state = candidates(data).state
    if data.attrs["kind"] == "contains":
        weights = data["constant_data"]["present"].to_numpy().astype(np.float64)
        weight = np.where(state >= 0, weights[state], 0.0)
        present: Float[np.ndarray, "D N"] = np.nansum(weight * truth, axis=2)
        return present
    unit, column = np.nonzero(state >= 0)
    return truth[:, unit, column]


def presence(
    data: xr.DataTree,
) -> tuple[Float[np.ndarray, " U"], Float[np.ndarray, " U"], Float[np.ndarray, " U"]]:
    """P(the label asked about is present) of each unit, with bounds.

    The bounds of a sum of several states do not follow from the states' own bounds.
    They are stated where presence, or absence, is one state alone; elsewhere they are
    NaN unless the engine wrote `present_lower` and `present_upper` into `truth`.
    """
    truth = candidates(data)
    weights = data["constant_data"]["present"].to_numpy().astype(np.float64)
    weight = np.where(truth.state >= 0, weights[truth.state], 0.0)
    probability = np.nansum(weight * truth.probability, axis=1)
    group = data["truth"]
    if "present_lower" in group.data_vars:
        lower = group["present_lower"].to_numpy()
        upper = group["present_upper"].to_numpy()
    elif np.array_equal(np.sort(weights)[-2:], [0, 1]) and weights.sum() == 1:
        lower, upper = _state_bounds(truth, int(weights.argmax()))
    elif weights.sum() == len(weights) - 1 and weights.min() == 0:
        absent_lower, absent_upper = _state_bounds(truth, int(weights.argmin()))
        lower, upper = 1 - absent_upper, 1 - absent_lower
    else:
        lower = upper = np.full(len(probability), np.nan)
    return probability, lower, upper


def _state_bounds(
    truth: Candidates, state: int
) -> tuple[Float[np.ndarray, " U"], Float[np.ndarray, " U"]]:
    """Bounds of one state's probability; zero for a unit that does not have it."""
    chosen = truth.state == state
    lower, upper = (
        np.where(chosen, bound, 0.0).sum(axis=1) for bound in (truth.lower, truth.upper)
    )
    return lower, upper


def _present_labels(data: xr.DataTree) -> pd.DataFrame:
    probability, lower, upper = presence(data)
    constant = data["constant_data"]
    item, items = pd.factorize(constant["unit_item"].to_numpy().astype(object))
    label, asked = pd.factorize(constant["unit_label"].to_numpy().astype(object))
    # Units list the labels item by item; over all items they stand in natural order.
    order = natural_order(text_array(asked))
    return pd.DataFrame(
        {
            "item": category(item, items),
            "label": category(np.argsort(order)[label], asked[order]),
            "probability": probability,
            "lower": lower,
            "upper": upper,
        }
    )


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
