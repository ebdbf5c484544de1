"""One whole fit, from a data frame in memory to a label for each item, and its figures.

Timed is everything that a caller waits for: coding the frame's text, laying it out,
compiling, climbing, checks and the table of labels. Not timed are imports and reading
the frame from disk, which no fit can help; `process_seconds` holds them as well.
"""

import warnings

from benchmarks.measure import Clock, Figures


def consilience(
    path: str,
    model: str,
    engine: str,
    tolerance: float | None = None,
    draws: int | None = None,
) -> Figures:
    """Fit by consilience."""
    import pandas as pd

    import consilience as cs
    from consilience.fitting import fit
    from consilience.inference import EngineOptions

    table = pd.read_parquet(path)
    frame, truth = table[["task", "worker", "label"]], _truth(table)
    del table
    spent, clock, parts = compiling(), Clock(), {}
    with clock.timed():
        with _part(parts, "read_seconds"):
            responses = cs.read(frame)
        with _part(parts, "fit_seconds"):
            effort = EngineOptions(tolerance=tolerance, draws=draws)
            fitted = fit(responses, model=model, engine=engine, effort=effort)
        with _part(parts, "table_seconds"):
            items = fitted.items()
    chosen = items.set_index("item")["label"].astype("str")
    optimization = fitted.data["optimization"]
    return {
        **clock.figures,
        **parts,
        "compile_seconds": sum(spent),
        "sweeps": int(optimization["objective"].count()),
        "draws": fitted.data["posterior"].sizes["draw"],
        "accuracy": _share_right(chosen, truth),
    }


def compiling() -> list[float]:
    """Return a list that JAX fills from now on with the seconds it compiles."""
    import jax

    seconds: list[float] = []

    def note(event: str, duration: float, **_: object) -> None:
        if event in COMPILING:
            seconds.append(duration)

    jax.monitoring.register_event_duration_secs_listener(note)
    return seconds


# Of JAX: turning a traced program into XLA's terms and that into machine code.
COMPILING = (
    "/jax/core/compile/jaxpr_to_mlir_module_duration",
    "/jax/core/compile/backend_compile_duration",
)


def crowd_kit(path: str, tolerance: float, sweeps: int = 1000) -> Figures:
    """Fit by crowd-kit's DawidSkene."""
    import pandas as pd

    warnings.simplefilter("ignore")  # it uses what pandas 3 warns of
    from crowdkit.aggregation import DawidSkene

    table = pd.read_parquet(path)
    frame, truth = table[["task", "worker", "label"]], _truth(table)
    del table
    clock = Clock()
    with clock.timed():
        fitted = DawidSkene(n_iter=sweeps, tol=tolerance).fit(frame)
    return {
        **clock.figures,
        "sweeps": len(fitted.loss_history_),
        "accuracy": _share_right(fitted.labels_, truth),
    }


def crowd_kit_method(path: str, name: str) -> Figures:
    """Fit by a method of crowd-kit with its own settings."""
    import pandas as pd

    warnings.simplefilter("ignore")  # it uses what pandas 3 warns of
    from crowdkit import aggregation

    table = pd.read_parquet(path)
    frame, truth = table[["task", "worker", "label"]], _truth(table)
    del table
    clock = Clock()
    with clock.timed():
        labels = getattr(aggregation, name)().fit_predict(frame)
    return {**clock.figures, "accuracy": _share_right(labels, truth)}


def _part(parts, name):
    from contextlib import contextmanager
    from time import perf_counter

    @contextmanager
    def measured():
        started = perf_counter()
        yield
        parts[name] = perf_counter() - started

    return measured()


def _truth(table):
    return table.drop_duplicates("task").set_index("task")["truth"]


def _share_right(chosen, truth) -> float:
    aligned = truth.reindex(chosen.index)
    return float((chosen.to_numpy(str) == aligned.to_numpy(str)).mean())
