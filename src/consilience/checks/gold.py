"""Whether a fit agrees with gold labels as often as it believes to.

Of gold left out, the most probable labels are to be right as often as the mean of their
probabilities says; in standard errors of as many independent items.
"""

from __future__ import annotations

from consilience.checks.verdict import Verdict, at_most, cannot_tell
from consilience.when_used import xr

LIMIT = 2.33  # one fit in a hundred fails by chance
FEWEST = 10  # items of gold, of which it can be judged


def gold(data: xr.DataTree) -> list[Verdict]:
    """Judge the fit by gold that it was given."""
    if "gold" not in data.children:
        return []
    about = data["gold"].attrs
    surprise, sentence = float(about["surprise"]), str(about["sentence"])
    if int(about["items"]) < FEWEST:
        how = f"{sentence}; with {FEWEST} items or more it can be judged"
        return [cannot_tell("gold", LIMIT, how, surprise)]
    how = (
        f"{sentence}; labels that are left out are wrong more often than their "
        "probabilities say: look at the items where gold disagrees, and give gold of "
        "more items, drawn at random"
    )
    return [at_most("gold", surprise, LIMIT, how)]
