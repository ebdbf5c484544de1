"""Which engine to take where none is named: by size, and by what the model has."""

from typing import Any

from consilience.model import AnnotatorModel
from consilience.truth import Space

# On two cores, hierarchical Dawid-Skene with 8,000 answers took half a minute, most of
# it compiling; the cost is linear in answers x states.
MAX_SAMPLED = 40_000


def choose(model: AnnotatorModel[Any], space: Space) -> tuple[str, str]:
    """Return the engine's name, and why it was chosen.

    Parameters
    ----------
    model
        The model to fit.
    space
        What can be true, and the answers.
    """
    size = len(space.unit) * space.state.shape[1]
    if "nuts" in model.engines and size <= MAX_SAMPLED:
        return "nuts", (
            f"{len(space.unit):,} answers x {space.state.shape[1]} states are few "
            "enough to sample the exact posterior"
        )
    first = model.engines[0]
    if "nuts" not in model.engines:
        return first, "it is the one that suits the model"
    return first, (
        f"{len(space.unit):,} answers x {space.state.shape[1]} states would take NUTS "
        f"long; beyond {MAX_SAMPLED:,} the closed form is taken"
    )
