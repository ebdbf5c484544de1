"""How long a fit will take, roughly: to know before a long one is started.

The costs are lines in the size of the study, set to what the benchmark `fit_seconds`
measures: processor seconds on two cores, compiling included.
"""

from collections.abc import Mapping
from types import MappingProxyType

from consilience import annotators
from consilience.inference import EngineOptions
from consilience.responses import Responses

# Seconds, and seconds for each answer (choice: times the number of labels; nuts: also
# times the root of the number of parameters).
COSTS: Mapping[tuple[str, str], tuple[float, float]] = MappingProxyType(
    {
        ("choice", "em"): (0.5, 1.5e-6),
        ("choice", "vb"): (0.5, 4e-6),
        ("choice", "gibbs"): (3.0, 5e-6),
        ("choice", "svi"): (12.0, 1.5e-5),
        ("choice", "nuts"): (12.0, 2.5e-4),
        ("contains", "em"): (6.0, 2e-4),
        ("contains", "vb"): (0.5, 2e-5),
        ("objects", "em"): (9.0, 2.3e-3),
    }
)
FACTOR = 3  # above the largest error on the studies that the costs were set to (2.03)
_USUAL_STEPS = 2000  # of warm-up and sampling by nuts
# Models with a parameter or none for each annotator, not a confusion matrix.
_FEW_PARAMETERS = (
    "glad",
    "item_difficulty",
    "mace",
    "multinomial",
    "one_coin_dawid_skene",
    "shared_errors",
)


def expected_seconds(
    responses: Responses, model: str, engine: str, effort: EngineOptions
) -> float | None:
    """Return how long a fit will take, roughly."""
    kind = responses.kind
    size = responses.num_responses * (responses.num_labels if kind == "choice" else 1)
    if model == "auto" and engine == "auto":
        engines = ["gibbs", "vb", "vb", "vb"] if kind == "choice" else ["em"]
    elif engine == "auto":
        engines = [annotators.load(model).engines[0]]
    else:
        engines = [engine]
    costs = [COSTS.get((kind, each)) for each in engines]
    if None in costs:
        return None
    total = sum(base + rate * size for base, rate in filter(None, costs))
    if engines == ["nuts"]:
        each = 1 if model in _FEW_PARAMETERS else responses.num_labels**2
        parameters = max(responses.num_annotators * each, 1)
        base, rate = COSTS[kind, "nuts"]
        total = base + rate * size * parameters**0.5
        steps = (effort.tune or _USUAL_STEPS / 2) + (effort.draws or _USUAL_STEPS / 2)
        total *= max(steps / _USUAL_STEPS, 0.25)
    return total
