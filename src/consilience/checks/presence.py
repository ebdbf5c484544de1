"""Checks of yes, maybe and no: what is seen, what is present.

Where annotators do not look, each answers by habit, and a model that is fitted to them
takes what habits share for what labels look like. Then each answer is predicted from
all others no better than from how its annotator answers elsewhere.

Answers say how much a label looks to be there, and not from where on it is. Where
sensible meanings of *present* call very different shares of the pairs present, their
probabilities depend on the meaning that was chosen.
"""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from consilience.checks.verdict import Verdict, at_least, at_most, cannot_tell
from consilience.posterior.labels import share_present
from consilience.truth import ContainsSpace
from consilience.when_used import xr

# Of the pairs. On medical relations .05 fewer were called present than experts say,
# and the meanings were .09 apart.
DIFFERENCE = 0.05
# Nats an answer. On fourteen kinds of simulated studies the gain was .13 to .38, and
# below .002 where nobody looked.
GAIN = 0.01


class BeyondHabit(NamedTuple):
    """How much better answers are predicted from others than from habit, in nats."""

    gain: float
    error: float


def beyond_habit(space: ContainsSpace, elpd: Float[np.ndarray, " N"]) -> BeyondHabit:
    """Compare scores of answers with how their annotators answer elsewhere."""
    people, answers = space.num_annotators, len(space.answers)
    cell = space.annotator.astype(np.int64) * answers + space.answer
    count = np.bincount(cell, space.n, people * answers).reshape(people, answers)
    everyone = count.sum(0) / count.sum()
    # The answer itself is left out; as many are imagined as there are different ones.
    alike = count.ravel()[cell] - 1 + answers * everyone[space.answer]
    whole = count.sum(1)[space.annotator] - 1 + answers
    difference = elpd - np.log(alike / whole)
    gain = float(np.average(difference, weights=space.n))
    of_unit = np.bincount(space.unit, (difference - gain) * space.n, space.num_units)
    return BeyondHabit(gain, float(np.sqrt((of_unit**2).sum()) / space.n.sum()))


def presence(data: xr.DataTree) -> list[Verdict]:
    """Return the verdicts of responses of kind contains."""
    return [*_seen(data), *_meaning(data)]


def _seen(data: xr.DataTree) -> list[Verdict]:
    if "beyond_habit" not in data.attrs:
        return []
    beyond = BeyondHabit(**json.loads(data.attrs["beyond_habit"]))
    how = (
        "annotators agree hardly more than by habit, so their answers say hardly "
        "anything of which labels are present; look at the task and at who answered"
    )
    gain = beyond.gain
    lowest, highest = (gain + each * beyond.error for each in (-2, 2))
    if highest < 2 * GAIN or (lowest > 0 and gain >= GAIN):
        return [at_least("beyond_habit", gain, GAIN, how)]
    how = f"more answers are needed: {how}"
    return [cannot_tell("beyond_habit", GAIN, how, gain)]


def _meaning(data: xr.DataTree) -> list[Verdict]:
    table = share_present(data)
    chosen = json.loads(data.attrs.get("settings", "{}")).get("prior", {}).get("panel")
    if table is None or chosen:
        return []
    share = table["share"].to_numpy()
    apart = float(np.nanmax(np.abs(share - share[0])))
    if apart <= DIFFERENCE:
        return [at_most("meaning_of_present", apart, DIFFERENCE, "")]
    if "sharpness" in data["posterior"]:
        # Gold labels have calibrated what is reported.
        return []
    extremes = table.iloc[[int(share.argmin()), int(share.argmax())]]
    least, most = (
        f"{row['share']:.0%} by '{row['meaning']}'"
        for row in extremes.to_dict("records")
    )
    how = (
        "the answers do not say what makes a label present: of the pairs "
        f"{least} and {most}; give gold labels of some pairs, by which the model "
        "contains calibrates it (`gold=`), or name a meaning (its prior's settings "
        "panel and maybe)"
    )
    return [cannot_tell("meaning_of_present", DIFFERENCE, how, apart)]
