"""The models of this package, fitted as `consilience fit` does."""

from collections.abc import Callable

from consilience.responses import Responses
from consilience.scoring.prediction import Prediction

# JAX: turning a traced program into XLA's terms, and that into machine code.
_COMPILING = (
    "/jax/core/compile/jaxpr_to_mlir_module_duration",
    "/jax/core/compile/backend_compile_duration",
)


def load(name: str) -> Callable[[Responses, int], Prediction]:
    """Import what a fit needs and return the model's fit.

    Parameters
    ----------
    name
        Name of the model, or auto; after a slash the engine, unless it is auto.
    """
    import jax  # noqa: PLC0415 (only in the process that fits)

    from consilience.fitting import fit  # noqa: PLC0415
    from consilience.posterior.results.labels import labels  # noqa: PLC0415

    compiling: list[float] = []

    def note(event: str, duration_secs: float, **_: str | int) -> None:
        if event in _COMPILING:
            compiling.append(duration_secs)

    jax.monitoring.register_event_duration_secs_listener(note)
    model, _, engine = name.partition("/")

    def predict(responses: Responses, seed: int) -> Prediction:
        fitted = fit(responses, model=model, engine=engine or "auto", seed=seed)
        attributes, truth = fitted.data.attrs, fitted.data["truth"].attrs
        facts = {
            "model": attributes["model"],
            "engine": attributes["engine"],
            "told": truth.get("told", "raw"),
            "compile_seconds": sum(compiling),
        }
        # Where a fit has both posteriors, its tables give the one that a check chose.
        both = "told" in truth
        raw = {"raw": fitted.with_truth("raw").labels()} if both else {}
        return Prediction(labels(fitted.data), raw, facts)

    return predict
