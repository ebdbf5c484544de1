"""Joint draws of the truth, from which anything can be computed.

A draw takes the parameters from one draw of the posterior and, given these, the truth
of every item. So what all items have in common, such as how lenient annotators are,
moves all of them together, as no table of single probabilities shows.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from consilience.errors import OptionError, not_among
from consilience.posterior.stored import label_values, names
from consilience.posterior.truth import candidates, drawn_truth
from consilience.when_used import xr

TRUTH = "truth"


def state_draws(data: xr.DataTree, number: int, seed: int) -> Int[np.ndarray, "D U"]:
    """Draw the state of every unit so many times."""
    drawn, listed = drawn_truth(data, number), candidates(data).state
    generator = np.random.default_rng(seed)
    states = np.empty((number, len(listed)), np.int32)
    for draw in range(number):
        cumulative = np.nancumsum(drawn[draw % len(drawn)], 1)
        point = generator.random((len(listed), 1)) * cumulative[:, -1:]
        slot = np.minimum((cumulative <= point).sum(1), listed.shape[1] - 1)
        states[draw] = np.take_along_axis(listed, slot[:, None], 1)[:, 0]
    return states


def joint_draws_of(
    data: xr.DataTree, name: str, number: int, seed: int
) -> xr.DataArray:
    """Return draws of the truth, or of a parameter, along the dimension `draw`."""
    if "posterior" in data.children and name in data["posterior"].data_vars:
        drawn = data["posterior"][name].drop_vars(["chain", "draw"], errors="ignore")
        drawn = drawn.stack(of_all=("chain", "draw"), create_index=False)
        return drawn.rename(of_all="draw").transpose("draw", ...)
    if name != TRUTH:
        there = [*map(str, data["posterior"].data_vars)] if "posterior" in data else []
        raise OptionError(not_among("draws", name, [TRUTH, *there]))
    if number < 1:
        msg = f"draws: {number} draws of the truth were asked for; give 1 or more"
        raise OptionError(msg)
    if data.attrs["kind"] == "objects" or "truth" not in data.children:
        msg = (
            "draws: the truth can be drawn of kind choice and contains; shares of "
            "objects with intervals are in `study_summary`"
        )
        raise OptionError(msg)
    states, constant = state_draws(data, number, seed), data["constant_data"]
    items = constant["unit_item"].to_numpy()
    if data.attrs["kind"] == "contains":
        values: Float[np.ndarray, "D U"] = constant["present"].to_numpy()[states]
        labels = constant["unit_label"].to_numpy()
        coords = {"item": ("pair", items), "label": ("pair", labels)}
        return xr.DataArray(values, coords, ("draw", "pair"), name=TRUTH)
    classes = names(data, "true_class")
    if data.attrs.get("ordered"):
        classes = label_values(classes)
    return xr.DataArray(classes[states], {"item": items}, ("draw", "item"), name=TRUTH)
