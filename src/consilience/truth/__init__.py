"""What can be true of an item, and the answers about it, coded for the models."""

import pandas as pd

from consilience.errors import KindError
from consilience.responses import Responses
from consilience.truth.candidates import candidates, offered_lists
from consilience.truth.classes import classes
from consilience.truth.observations import (
    Observations,
    minibatches,
    observe,
    vote_counts,
)
from consilience.truth.presence import presence
from consilience.truth.space import ANONYMOUS, Space

__all__ = [
    "ANONYMOUS",
    "Observations",
    "Space",
    "candidates",
    "classes",
    "minibatches",
    "observe",
    "presence",
    "space_of",
    "vote_counts",
]


def space_of(
    responses: Responses,
    *,
    lists: pd.DataFrame | None = None,
    gold: pd.DataFrame | None = None,
    num_states: int = 2,
) -> Space:
    """Return the space that fits the kind of the responses.

    Parameters
    ----------
    responses
        Responses of one kind.
    lists
        Candidates of each item (choice); by default what was on screen, where the
        responses list it, else every label.
    gold
        The truth of some items.
    num_states
        States of a label's presence (contains): 2 or 3.

    Raises
    ------
    KindError
        No space is made for the kind of the responses.
    """
    if responses.kind == "contains":
        return presence(responses, num_states, gold)
    if responses.kind == "choice":
        lists = offered_lists(responses) if lists is None else lists
        if lists is None:
            return classes(responses, gold)
        return candidates(responses, lists, gold)
    msg = (
        f"responses are of kind {responses.kind!r}, which no model fits yet; "
        "models take the kinds choice and contains"
    )
    raise KindError(msg)
