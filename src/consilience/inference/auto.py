"""Which engine to take where none is named: by size, and by what the model has."""

from typing import Any

from consilience.model import AnnotatorModel, splits
from consilience.truth import Space

# On two cores, hierarchical Dawid-Skene with 8,000 answers took half a minute, most of
# it compiling; the cost is linear in answers x states.
MAX_SAMPLED = 40_000
# Models of this kind sum over partitions at each step: on two cores a study of 60 items
# had not been sampled after five minutes.
LONG_TO_SAMPLE = "objects"


def choose(model: AnnotatorModel[Any], space: Space) -> tuple[str, str]:
    """Return the engine's name, and why it was chosen.

    Parameters
    ----------
    model
        The model to fit.
    space
        What can be true, and the answers.
    """
    states = space.state.shape[1] * splits(model)
    many = f"{len(space.unit):,} answers x {states} states"
    if space.kind == LONG_TO_SAMPLE and "nuts" in model.engines:
        return model.engines[0], (
            f"NUTS takes long for models of kind {space.kind}; ask for it by name, for "
            "bounds that hold what is uncertain of the parameters"
        )
    if "nuts" in model.engines and len(space.unit) * states <= MAX_SAMPLED:
        return "nuts", f"{many} are few enough to sample the exact posterior"
    first = model.engines[0]
    if "nuts" not in model.engines:
        return first, "it is the one that suits the model"
    instead = "a point estimate" if model.dirichlet is None else "the closed form"
    return first, (
        f"{many} would take NUTS long; beyond {MAX_SAMPLED:,} {instead} is taken"
    )
