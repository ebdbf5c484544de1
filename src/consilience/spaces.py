"""The space of possible truths that fits the kind of the responses."""

import pandas as pd

from consilience.errors import DataError
from consilience.objects.space import objects
from consilience.presence.space import presence, similar_sets
from consilience.responses import Responses
from consilience.truth.choice import candidates, classes, offered_lists, similarity
from consilience.truth.space import ChoiceSpace, Space


def space_of(
    responses: Responses,
    *,
    lists: pd.DataFrame | None = None,
    gold: pd.DataFrame | None = None,
    num_states: int = 2,
    alike: pd.DataFrame | None = None,
    contains: Responses | None = None,
    fixed: bool = True,
) -> Space:
    """Return the space that fits the kind of the responses.

    `lists` has the candidates of each item, or (contains) numbers known of each item
    and label; `gold` the truth of some items; `alike` how alike two labels are. Of kind
    contains labels have two or three states; of objects, there may be answers of kind
    `contains` besides. The truth that gold gives is fixed, or not.
    """
    if responses.kind == "contains":
        space = presence(responses, num_states, gold, lists, fixed=fixed)
        return similar_sets(space, alike)
    if responses.kind == "objects":
        if gold is not None:
            raise DataError(
                "gold labels enter fits of kind objects by models, and no rules or "
                "predictions; leave them out, and compare the run with them "
                "(`consilience score`)"
            )
        return objects(responses, lists, contains, alike)
    return choice_space(responses, lists, gold, alike, fixed=fixed)


def choice_space(
    responses: Responses,
    lists: pd.DataFrame | None = None,
    gold: pd.DataFrame | None = None,
    alike: pd.DataFrame | None = None,
    *,
    fixed: bool = True,
) -> ChoiceSpace:
    """Return the space of one label an item; by default of those on its screen."""
    lists = offered_lists(responses) if lists is None else lists
    if lists is None:
        space = classes(responses, gold, fixed=fixed)
    else:
        space = candidates(responses, lists, gold, fixed=fixed)
    return space if alike is None else similarity(space, alike)
