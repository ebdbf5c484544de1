r"""Run every method on every set, and keep the results, each whole or absent.

**Smoothed vote shares: what to beat with probabilities that know no annotator.**

.. math::

   p(z_i = k) = \frac{n_{ik} + 1/K}{n_i + 1}

One imagined answer is spread evenly over the K labels, so that no label is impossible.
Its accuracy is that of the majority vote.
"""

import json
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from consilience import annotators
from consilience.benchmark.datasets import DataSet
from consilience.errors import OptionError
from consilience.model import Model
from consilience.responses import Responses
from consilience.whole_folder import whole_files

type Outcome = dict[str, Any]
KIND = "choice"  # of the data sets that methods are compared on
SMOOTHED = "smoothed_shares"  # the baseline
COLUMNS = ("item", "label", "probability")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to run."""

    folder: Path
    seed: int = 0
    again: bool = False
    seconds: float = float("inf")


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """One method on one set."""

    data: str
    method: str
    key: Mapping[str, Any]
    outcome: Mapping[str, Any]
    labels: pd.DataFrame | None  # none where it failed


@dataclass(frozen=True, slots=True)
class Step:
    """A method is about to be run, or its result is there (`result` is not None)."""

    number: int
    total: int
    data: str
    method: str
    result: Result | None = None
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Method:
    """One method."""

    name: str
    module: str
    setting: str
    package: str = "consilience"
    probabilistic: bool = True


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a method says."""

    labels: pd.DataFrame
    variants: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


def run_all(
    sets: Sequence[DataSet],
    methods: Sequence[Method],
    plan: Plan,
    report: Callable[[Step], None],
    run: Callable[[DataSet, Method, int], tuple[Outcome, pd.DataFrame | None]]
    | None = None,
) -> list[Result]:
    """Run what is not kept yet, one after the other."""
    results: list[Result] = []
    total = len(sets) * len(methods)
    for data in sets:
        for method in methods:
            number = len(results) + 1
            result = None if plan.again else _load_stored(data, method, plan)
            before = result is not None
            if result is None:
                report(Step(number, total, data.name, method.name))
                made = (
                    run(data, method, plan.seed)
                    if run
                    else predict(method, data.responses, plan.seed)
                )
                result = _result(data, method, plan, *made)
                save(result, plan.folder)
            report(Step(number, total, data.name, method.name, result, kept=before))
            results.append(result)
    return results


def predict(
    method: Method, responses: Responses, seed: int
) -> tuple[Outcome, pd.DataFrame | None]:
    """Run a method; return how it went, and its labels where all went well."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            load_method = import_module(method.module).load(method.setting)
            started = time.perf_counter()
            prediction = load_method(responses, seed)
            seconds = time.perf_counter() - started
        table = _variants(prediction)
    except MemoryError as error:
        reason = one_line(error) or "out of memory"
        return {"status": "memory", "reason": reason}, None
    except Exception as error:  # noqa: BLE001 (whatever a method raises is its result)
        return {"status": "error", "reason": one_line(error)}, None
    try:
        number = version(method.package)
    except PackageNotFoundError:
        number = "unknown"
    facts = {"version": number, **prediction.facts}
    return {"status": "done", "reason": "", "seconds": seconds, **facts}, table


def one_line(error: BaseException) -> str:
    """Return an error as one line."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= 300 else f"{text[:300]}…"


def other_stored_results(
    sets: Sequence[DataSet], results: Sequence[Result], plan: Plan
) -> Iterator[Result]:
    """Give what the folder holds besides, of the same answers and the same seed."""
    there = {(result.data, result.method) for result in results}
    for data in sets:
        same = {"responses": data.fingerprint, "seed": plan.seed}
        for path in sorted((plan.folder / data.name).glob("*.json")):
            other = stored(path)
            if other is None or (data.name, other.method) in there:
                continue
            if same.items() <= dict(other.key).items():
                yield other


def _result(
    data: DataSet,
    method: Method,
    plan: Plan,
    outcome: Outcome,
    table: pd.DataFrame | None,
) -> Result:
    """Keep what a method says of the items with gold."""
    labels = None
    if table is not None:
        try:
            labels, silent = _gold_items(table, data)
            outcome = {**outcome, "silent": silent}
        except ValueError as error:
            outcome = {"status": "error", "reason": one_line(error)}
    outcome = {**outcome, "probabilistic": method.probabilistic}
    return Result(data.name, method.name, _key(data, method, plan), outcome, labels)


def _variants(prediction: Prediction) -> pd.DataFrame:
    tables = {"": prediction.labels, **prediction.variants}
    parts = [
        table[list(COLUMNS)]
        .astype({"item": "str", "label": "str", "probability": "float64"})
        .assign(variant=name)
        for name, table in tables.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _gold_items(table: pd.DataFrame, data: DataSet) -> tuple[pd.DataFrame, int]:
    items, labels = data.items, data.labels
    parts, most = [], 0
    for name, rows in table.groupby("variant", sort=False):
        stated, silent = complete(rows, items, labels)
        parts.append(stated.assign(variant=name))
        most = max(most, silent)
    return pd.concat(parts, ignore_index=True), most


def complete(
    table: pd.DataFrame, items: Sequence[str], labels: Sequence[str]
) -> tuple[pd.DataFrame, int]:
    """Return the probabilities of labels of some items, which sum to one for each."""
    stated = table[list(COLUMNS)].astype({"item": "str", "label": "str"})
    stated = stated[stated["item"].isin(list(items))]
    if (stated["probability"] < 0).any():
        raise ValueError(
            f"a probability is {stated['probability'].min():g}, less than 0"
        )
    by_item = stated.groupby("item")["probability"]
    total = by_item.transform("sum", min_count=1)
    whole = by_item.transform("count") == by_item.transform("size")
    meant = np.isfinite(total) & (total > 0) & whole
    kept = stated[meant].assign(probability=lambda rows: rows["probability"] / total)
    silent = sorted(set(items) - set(kept["item"]))
    filled = pd.DataFrame(
        {
            "item": np.repeat(np.array(silent, dtype=object), len(labels)),
            "label": np.tile(np.array(labels, dtype=object), len(silent)),
            "probability": 1 / max(len(labels), 1),
        }
    )
    parts = [part for part in (kept, filled) if len(part)]
    return pd.concat(parts, ignore_index=True), len(silent)


def _load_stored(data: DataSet, method: Method, plan: Plan) -> Result | None:
    """Return what is kept, if it is what would be found now."""
    result = stored(_path(plan.folder, data.name, method.name))
    if result is None or dict(result.key) != _key(data, method, plan):
        return None
    outcome = result.outcome
    if outcome["status"] == "timeout" and outcome["limit"] < plan.seconds:
        return None
    return result


def _key(data: DataSet, method: Method, plan: Plan) -> dict[str, Any]:
    return {
        "responses": data.fingerprint,
        "gold": len(data.gold),
        "module": method.module,
        "setting": method.setting,
        "seed": plan.seed,
    }


def library_methods(engine: str = "auto") -> tuple[Method, ...]:
    """Every model for choice, the choice made by the data, and a baseline."""
    settings = {SMOOTHED: SMOOTHED, "auto": "auto"}
    for name in annotators.names():
        model = annotators.load(name)
        # Some need the classes of the items besides the answers.
        if KIND in model.kinds and not (isinstance(model, Model) and model.of_classes):
            chosen = engine if engine in model.engines else model.engines[0]
            settings[name] = name if engine == "auto" else f"{name}/{chosen}"
    return tuple(Method(name, __name__, each) for name, each in settings.items())


def choose_methods(
    names: Sequence[str], available: Sequence[Method]
) -> tuple[Method, ...]:
    """Return the methods asked for, each once."""
    methods = {method.name: method for method in available}
    for name in names:
        if name not in methods:
            raise OptionError(
                f"there is no method {name!r} here; choose among {', '.join(methods)}"
            )
    chosen = [methods[name] for name in names]
    ours = [method for method in available if method.package == "consilience"]
    return tuple(dict.fromkeys(chosen or ours))


def load(setting: str) -> Callable[[Responses, int], Prediction]:
    """Import what a fit needs; return the fit of `model` or `model/engine`."""
    if setting == SMOOTHED:
        return lambda responses, _seed: Prediction(smoothed_shares(responses))
    from consilience.fitting import fit  # noqa: PLC0415 (only where it fits)
    from consilience.posterior.labels import labels  # noqa: PLC0415

    model, _, engine = setting.partition("/")

    def predict(responses: Responses, seed: int) -> Prediction:
        fitted = fit(responses, model=model, engine=engine or "auto", seed=seed)
        attributes, truth = fitted.data.attrs, fitted.data["truth"].attrs
        # Where a fit has both posteriors, its tables give the one that a check chose.
        both = "reported" in truth
        raw = {"raw": fitted.with_(truth="raw").labels()} if both else {}
        facts = {name: attributes[name] for name in ("model", "engine")}
        facts["reported"] = truth.get("reported", "raw")
        return Prediction(labels(fitted.data), raw, facts)

    return predict


def smoothed_shares(responses: Responses) -> pd.DataFrame:
    """Share of each label in the answers about each item, smoothed."""
    given = responses.table.dropna(subset="label")
    count = given.groupby(["item", "label"], observed=False)["n"].sum()
    smooth = count + 1 / len(given["label"].cat.categories)
    share = smooth / smooth.groupby(level="item", observed=False).transform("sum")
    table = share.rename("probability").reset_index()
    return table.astype({"item": "object", "label": "object"})


def save(result: Result, folder: Path) -> None:
    """Keep a result; without both of its files, none is there."""
    path = _path(folder, result.data, result.method)
    record: dict[str, Any] = {"data": result.data, "method": result.method}
    record |= {"key": dict(result.key), "outcome": dict(result.outcome)}
    text = json.dumps(record, indent=1, ensure_ascii=False)
    with whole_files(path.parent) as partial:
        if result.labels is not None:
            result.labels.to_parquet(partial / f"{path.stem}.parquet")
        (partial / path.name).write_text(text + "\n", encoding="utf-8")
        # Labels of another run must never stand beside the new record.
        path.with_suffix(".parquet").unlink(missing_ok=True)


def stored(path: Path) -> Result | None:
    """Return what is kept of a method on a set; None where nothing is."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        done = record["outcome"]["status"] == "done"
        labels = pd.read_parquet(path.with_suffix(".parquet")) if done else None
        return Result(**record, labels=labels)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # absent, or damaged: it is run again


def _path(folder: Path, data: str, method: str) -> Path:
    # A method's name may hold a point: `with_suffix` must not take it for one.
    return folder / data / f"{method.replace('.', '-')}.json"
