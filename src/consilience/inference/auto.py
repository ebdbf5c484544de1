"""The default engine of a model: the one that answers in seconds."""

from typing import Any

from consilience.model import Model, num_substates
from consilience.truth import ContainsSpace, ObjectsSpace, Space

# Of the posterior bootstrap, enough for bounds of nine tenths; each costs an
# optimization. (Those about the mode, of models of classes, cost next to nothing.)
DRAWS = 50
# Answers x states up to which a model without a closed form takes draws by default:
# with as many, all draws take about as long as compiling the first optimization.
MAX_DRAWN = 40_000
# The same of pairs of item and label, whose draws are short optimizations from the top
# (200,000 answers on 61 nodes).
MAX_DRAWN_PAIRS = 25_000_000


def choose(model: Model[Any]) -> tuple[str, str]:
    """Return the engine's name, and why it was chosen.

    NUTS is never chosen: compiling alone takes it ten seconds and more.
    """
    first = model.engines[0]
    if "nuts" not in model.engines:
        return first, "it is the one that suits the model"
    return first, (
        "it is the fastest; the engine nuts, which samples the exact posterior and "
        "takes longer, is used on request"
    )


def draws(model: Model[Any], space: Space, engine: str) -> int | None:
    """Return how many draws to take where none were asked for; None: the usual.

    A model without a closed form gets them too, from which bounds are read, where they
    take seconds.
    """
    if engine != "em" or not model.by_gradient:
        return None
    if model.of_classes:
        return DRAWS
    visits = len(space.unit) * space.state.shape[1] * num_substates(model)
    if isinstance(space, ContainsSpace):
        return DRAWS if visits <= MAX_DRAWN_PAIRS else None
    few = visits <= MAX_DRAWN and not isinstance(space, ObjectsSpace)
    return DRAWS if few else None
