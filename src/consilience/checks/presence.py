"""Checks of yes, maybe and no: what makes a label present, and who errs with whom.

Answers say how much a label looks to be there, and not from where on it is. Where
sensible meanings of *present* call very different shares of the pairs present, their
probabilities depend on the meaning that was chosen.
"""

from __future__ import annotations

import json

import numpy as np

from consilience.checks.verdict import Verdict, at_most, too_little
from consilience.posterior.results.presence import share_present
from consilience.when_used import xr

# Of the pairs. On thirteen kinds of simulated studies the share of pairs present was
# wrong by .05 on average, and by .1 or more in three kinds.
DIFFERENCE = 0.1
# Of residuals: a fifth of what one annotator adds to a prediction is known already.
CORRELATION = 0.2


def presence(data: xr.DataTree) -> list[Verdict]:
    """Return the verdicts `meaning_of_present` and `annotators_alike`."""
    return [*_meaning(data), *_alike(data)]


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
    least, most = (
        f"{row['share']:.0%} by '{row['meaning']}'"
        for row in table.iloc[[int(share.argmin()), int(share.argmax())]].to_dict(
            "records"
        )
    )
    how = (
        "the answers do not say what makes a label present: of the pairs "
        f"{least} and {most}; give gold labels of some pairs (`gold=`), which "
        "calibrate it, or name a meaning (model contains, the prior's settings panel "
        "and maybe)"
    )
    return [too_little("meaning_of_present", DIFFERENCE, how, apart)]


def _alike(data: xr.DataTree) -> list[Verdict]:
    if "most_alike" not in data.attrs:
        return []
    pair = json.loads(data.attrs["most_alike"])
    remedy = (
        f"the errors of {pair['first']} and {pair['second']} go together (correlation "
        f"{pair['correlation']:.2f} after all other answers), which the model cannot "
        "explain: does one copy the other, or do they answer another question? If they "
        "are samples of one, say so (`annotators=`, column repeat_of)"
    )
    clear = pair["correlation"] if pair["z"] > pair["limit"] else 0.0
    return [at_most("annotators_alike", clear, CORRELATION, remedy)]
