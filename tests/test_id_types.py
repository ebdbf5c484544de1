"""Every table that comes out of a fit carries the types of the ids that went in."""

import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.posterior import Fit, export
from consilience.responses.id_types import ROLES

# What the columns of each kind of table hold that are not ids of the responses.
WORDS = {"contains": {"true_label", "given_label"}}
NULLABLE = {"int32": "Int32", "int64": "Int64", "uint8": "UInt8"}
TYPES = {"item": "int32", "annotator": "uint8", "label": "int64"}


def answers(kind: str) -> pd.DataFrame:
    """Twelve items, four annotators, three labels, all of them numbers."""
    rng = np.random.default_rng(1)
    rows = []
    for item in range(12):
        for annotator in range(4):
            label = item % 3 if rng.random() < 0.7 else int(rng.integers(3))
            row = {"item": 500 + item, "annotator": 10 + annotator, "label": label}
            if kind == "contains":
                row["answer"] = "yes" if label == item % 3 else "no"
            rows.append(row)
            if kind == "objects":
                rows[-1]["main"] = True
                if rng.random() < 0.3:
                    rows.append({**row, "label": (label + 1) % 3, "main": False})
    return pd.DataFrame(rows).astype(TYPES)


MODELS = {
    "choice": ("bayesian_dawid_skene", "vb"),
    "contains": ("contains_states", "vb"),
    "rule": ("tsipras2020", "auto"),
    "objects": ("objects", "em"),
}
# Its numbers do not matter here: two sweeps have all tables.
OPTIONS = {"objects": cs.EngineOptions(restarts=1, iterations=2, draws=0)}


@pytest.fixture(scope="module", params=list(MODELS))
def fitted(request, tmp_path_factory):
    """Return responses of numbers, and a fit of them that was saved and read again."""
    model, engine = MODELS[request.param]
    kind = "objects" if request.param == "rule" else request.param
    responses = cs.read(answers(kind), kind=kind)
    folder = tmp_path_factory.mktemp(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        effort = OPTIONS.get(request.param, cs.EngineOptions())
        fit = cs.fit(responses, model=model, engine=engine, effort=effort)
        fit.save(folder / "run")
    return responses, cs.load(folder / "run"), folder


def check(frame: pd.DataFrame, kind: str, types: dict[str, str] = TYPES) -> int:
    """Hold the columns of ids of a table to the types that went in; count them."""
    result = 0
    for name in set(ROLES) & set(frame.columns) - WORDS.get(kind, set()):
        kept = types[ROLES[name]]
        gaps = frame[name].isna().any()
        assert str(frame[name].dtype) == (NULLABLE[kept] if gaps else kept), name
        result += 1
    return result


def tables_of(fit: Fit) -> dict[str, pd.DataFrame]:
    """Return every table of a fit by name."""
    return {name: fit.table(name) for name in fit.tables}


def test_every_table_of_a_fit_has_the_types_that_went_in(fitted):
    responses, fit, _ = fitted
    tables = tables_of(fit)
    counted = {name: check(table, responses.kind) for name, table in tables.items()}
    assert {"labels", "items", "annotators", "confusion"} <= counted.keys()
    assert counted["labels"] == 2
    assert counted["annotators"] == 1
    if fit.data.attrs["model"] == "objects":
        assert counted["same_object"] == 3
        assert counted["ambiguity"] == counted["panels"] == 1


def test_the_files_of_a_run_and_of_an_export_keep_the_types(fitted, tmp_path):
    responses, fit, folder = fitted
    whats = [path.stem for path in (folder / "run" / "tables").glob("*.parquet")]
    export(fit, [*whats, "soft_labels"], "parquet", tmp_path / "out")
    for place in (folder / "run" / "tables", tmp_path / "out"):
        for path in place.glob("*.parquet"):
            check(pd.read_parquet(path), responses.kind)
    export(fit, ["items"], "csv", tmp_path / "csv")
    csv = pd.read_csv(tmp_path / "csv" / "items.csv")
    assert csv["item"].tolist() == fit.items()["item"].tolist()


def test_what_is_told_of_new_items_has_the_types_of_the_new_items(fitted):
    responses, fit, _ = fitted
    if fit.data.attrs["model"] == "tsipras2020":
        pytest.skip("a rule learns nothing")
    types = {**TYPES, "item": "int64"}
    new = answers(responses.kind).astype(types)
    again = cs.predict(fit, cs.read(new[new["item"] < 506], kind=responses.kind))
    for table in tables_of(again).values():
        check(table, responses.kind, types)


def test_analyses_have_the_types_that_went_in(fitted):
    responses, fit, _ = fitted
    kind = responses.kind
    results: list[object] = []
    given = answers(kind)
    named = given.drop_duplicates("item")[["item", "label"]]
    if kind == "contains":
        results += [
            cs.contains.decide(fit),
            cs.contains.more_answers(fit, futures=2, max_answers=2),
        ]
    if kind == "choice":
        said = named.assign(rank=1)
        evaluation = cs.evaluate(fit, said, dataset_labels=named, resamples=10)
        results += [
            cs.agreement(responses, by=("label", "pair"), resamples=0),
            evaluation.labels,
            evaluation.confusion().table(),
        ]
    tables = [
        value
        for each in results
        for value in (
            [getattr(each, field.name) for field in dataclasses.fields(each)]
            if dataclasses.is_dataclass(each)
            else [each]
        )
        if isinstance(value, pd.DataFrame)
    ]
    total = sum(check(table, "analysis") for table in tables)
    assert total == {"choice": 6, "contains": 4, "objects": 0}[kind]


def test_answers_that_come_one_by_one_keep_their_types(fitted):
    responses, fit, _ = fitted
    if fit.data.attrs["model"] == "tsipras2020":
        pytest.skip("a rule learns nothing")
    given = answers(responses.kind)
    one_by_one = cs.Sequential(fit)
    for item in (501, 500):
        part = given[given["item"] == item]
        labels = responses.labels["label"].tolist()
        one_by_one.update(cs.read(part, kind=responses.kind, labels=labels))
    table = one_by_one.table("items")
    assert table["item"].tolist() == [500, 501]
    assert check(table, responses.kind) >= 2


@pytest.mark.parametrize("dtype", ["int64", "str", "bool", "float64"])
def test_an_estimators_fit_knows_the_ids_that_went_in(dtype):
    rows = [(t, w, (t + (w == 2)) % 2) for t in range(4) for w in range(3)]
    data = pd.DataFrame(rows, columns=["task", "worker", "label"])
    data = data.astype({"task": dtype, "label": dtype, "worker": "str"})
    result = cs.sklearn.BayesianDawidSkene(engine="em").fit(data)
    items = result.fit_.items()
    assert items["item"].dtype == items["label"].dtype == dtype
    assert result.labels_.index.dtype == dtype
    assert items["item"].tolist() == result.labels_.index.tolist()
    assert result.fit_.annotators()["annotator"].tolist() == ["0", "1", "2"]


def test_an_estimator_takes_ids_that_cannot_be_text_all_the_same():
    tasks = [("a", 1), ("b", 2)]
    rows = [(task, worker, "x\ny"[worker]) for task in tasks for worker in (0, 2)]
    data = pd.DataFrame(rows, columns=["task", "worker", "label"])
    result = cs.sklearn.MajorityVote().fit(data)
    assert result.labels_.index.tolist() == tasks


def test_a_confusion_of_superclasses_keeps_the_types_of_annotators():
    responses = cs.read(answers("choice"))
    labels = responses.labels.assign(parent=["pet", "pet", "wild"])
    responses = dataclasses.replace(responses, labels=labels)
    fit = cs.fit(responses, model="hierarchical_dawid_skene", engine="vb")
    table = fit.confusion(level=1)
    assert str(table["annotator"].dtype) == NULLABLE[TYPES["annotator"]]
    assert set(table["annotator"].dropna()) <= {10, 11, 12, 13}
    assert set(table["true_label"]) == {"pet", "wild"}
