"""How long a fit will take, roughly: to know before a long one is started.

The costs are lines in the size of the study, measured on two processor cores by the
benchmark `fit_seconds`, compiling included. Fits of other models by the same engine
took up to four times as long, or a fourth.
"""

from collections.abc import Mapping
from types import MappingProxyType

from consilience import annotators
from consilience.inference import EngineOptions
from consilience.responses import Responses

# Seconds, and seconds for each answer (choice: times the number of labels).
COSTS: Mapping[tuple[str, str], tuple[float, float]] = MappingProxyType(
    {
        ("choice", "em"): (2.0, 1e-5),
        ("choice", "vb"): (4.0, 2e-5),
        ("choice", "gibbs"): (5.0, 5e-5),
        ("choice", "svi"): (15.0, 1e-4),
        ("choice", "nuts"): (20.0, 2e-3),
        ("contains", "em"): (8.0, 5e-3),
        ("contains", "vb"): (5.0, 1e-3),
        ("objects", "em"): (40.0, 1e-2),
    }
)
FACTOR = 4  # within which other models are
_USUAL_STEPS = 2000  # of warm-up and sampling by nuts


def expected_seconds(
    responses: Responses, model: str, engine: str, effort: EngineOptions
) -> float | None:
    """Return how long a fit will take, roughly.

    Parameters
    ----------
    responses
        What is fitted.
    model, engine
        As for `fit`.
    effort
        `tune` and `draws` are used (nuts).

    Returns
    -------
    Seconds, within a factor of `FACTOR` on a machine of two cores; None where nothing
    was measured.
    """
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
        steps = (effort.tune or _USUAL_STEPS / 2) + (effort.draws or _USUAL_STEPS / 2)
        total *= max(steps / _USUAL_STEPS, 0.25)
    return total
