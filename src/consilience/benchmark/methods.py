"""The methods that can be compared: the models of this package and a baseline."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consilience import annotators
from consilience.errors import UnknownModelError
from consilience.model import AnnotatorModel
from consilience.responses import Responses
from consilience.scoring.prediction import Prediction

KIND = "choice"  # of the data sets that methods are compared on


@dataclass(frozen=True, slots=True)
class Method:
    """One method."""

    name: str
    module: str
    setting: str
    package: str = "consilience"
    probabilistic: bool = True


def library_methods(engine: str = "auto") -> tuple[Method, ...]:
    """Every model for choice, the choice made by the data, and a baseline."""
    takes = filter(_finds_truths, annotators.names())
    models = tuple(
        Method(name, __name__, _with_engine(name, engine)) for name in ("auto", *takes)
    )
    return (Method("smoothed_shares", "consilience.scoring.shares", ""), *models)


def choose_methods(
    names: Sequence[str], available: Sequence[Method]
) -> tuple[Method, ...]:
    """Return the methods asked for, each once."""
    methods = {method.name: method for method in available}
    for name in names:
        if name not in methods:
            msg = f"there is no method {name!r} here; choose among {', '.join(methods)}"
            raise UnknownModelError(msg)
    chosen = [methods[name] for name in names]
    ours = [method for method in available if method.package == "consilience"]
    return tuple(dict.fromkeys(chosen or ours))


def load(setting: str) -> Callable[[Responses, int], Prediction]:
    """Import what a fit needs and return the fit of a model of this package.

    Parameters
    ----------
    setting
        Name of the model, or auto; after a slash the engine, unless it is auto.
    """
    from consilience.fitting import fit  # noqa: PLC0415 (only where it fits)
    from consilience.posterior.results.labels import labels  # noqa: PLC0415

    model, _, engine = setting.partition("/")

    def predict(responses: Responses, seed: int) -> Prediction:
        fitted = fit(responses, model=model, engine=engine or "auto", seed=seed)
        attributes, truth = fitted.data.attrs, fitted.data["truth"].attrs
        # Where a fit has both posteriors, its tables give the one that a check chose.
        both = "reported" in truth
        return Prediction(
            labels(fitted.data),
            {"raw": fitted.with_truth("raw").labels()} if both else {},
            {
                "model": attributes["model"],
                "engine": attributes["engine"],
                "reported": truth.get("reported", "raw"),
            },
        )

    return predict


def _finds_truths(name: str) -> bool:
    """Return whether a model needs answers alone, and not the classes of items."""
    model = annotators.load(name)
    of_classes = isinstance(model, AnnotatorModel) and model.of_classes
    return KIND in model.kinds and not of_classes


def _with_engine(name: str, engine: str) -> str:
    if engine == "auto" or name == "auto":
        return name
    has = annotators.load(name).engines
    return f"{name}/{engine if engine in has else has[0]}"
