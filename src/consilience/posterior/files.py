"""Tables as files for other programs: CSV, JSON, Excel, Hugging Face, Label Studio.

**Text in CSV.** A spreadsheet takes a cell for a formula when it starts with `=`, `+`,
`-`, `@` or a tab, and runs it, wherever the text came from. In CSV, text (and a
column's name) that starts with one of these, or with an apostrophe, gets one apostrophe
before it; a plain number such as `-1` is left as it is. Whoever reads the file takes
one leading apostrophe off and has the text back. In Excel all text is marked as text.

**A folder that `datasets.load_dataset` loads.** Each table is one configuration, a
Parquet file whose labels are a `ClassLabel`; `soft_labels` is laid out to train on.

**Predictions for Label Studio.** A task keeps its data and gets one prediction, whose
score is the probability of its least certain decision: sorting by it puts first what
needs another look.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from consilience.errors import OptionError, SourceError
from consilience.posterior.tables import write_parquet
from consilience.responses.sources.json_file import read_json
from consilience.responses.tools.label_studio import item_of, path_of, taxonomy_labels
from consilience.visible import visible

if TYPE_CHECKING:
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet


SOFT = "soft_labels"
_CARD = """---
configs:
{configs}
---
# {title}

Written by consilience {version}: {model} by {engine}, fitted to answers of annotators.
{intervals}
Load a table by its name, here the first:

```python
from datasets import load_dataset

table = load_dataset("PATH OR REPOSITORY", "{first}")["train"]
```

| table | rows |
| --- | ---: |
{tables}
"""
type Note = Mapping[str, str | float]
# The full-width forms are read as the plain ones by spreadsheets set to Japanese.
_FORMULA = "^[=+\\-@\t\r\n'\uff1d\uff0b\uff0d\uff20]"
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
CSV_RULE = (
    "text that starts with = + - @, a tab, a line break or an apostrophe has one more "
    "apostrophe before it, numbers excepted; take one leading apostrophe off"
)
ABOUT = "about"
_MAX_ROWS, _MAX_COLUMNS, _MAX_TEXT = 1_048_576, 16_384, 32_767
_HERE = ("labels", "image", "choices")  # the controls that `write_tasks` writes


def write_dataset(
    tables: Mapping[str, pd.DataFrame],
    folder: Path,
    note: Mapping[str, str | float],
    labels: Sequence[str],
    *,
    several: bool,
) -> None:
    """Write the Parquet files and the card."""
    for name, frame in tables.items():
        if name == SOFT:
            columns, features = _to_train_on(frame, labels, several=several)
        else:
            columns, features = _coded(frame, labels)
        table = pa.table(columns)
        about = json.dumps({"info": {"features": features}}).encode()
        table = table.replace_schema_metadata({b"huggingface": about})
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
    configs = "\n".join(
        f"- config_name: {name}\n  data_files: {name}.parquet"
        + "\n  default: true" * (place == 0)
        for place, name in enumerate(tables)
    )
    prob = note.get("prob")
    card = _CARD.format(
        configs=configs,
        title="Labels inferred from answers of annotators",
        version=note["version"],
        model=note["model"],
        engine=note["engine"],
        intervals=f"Bounds are of {float(prob):.0%} intervals." if prob else "",
        first=next(iter(tables)),
        tables="\n".join(f"| {name} | {len(t):,} |" for name, t in tables.items()),
    )
    (folder / "README.md").write_text(card, encoding="utf-8")


def _coded(
    frame: pd.DataFrame, labels: Sequence[str]
) -> tuple[dict[str, pa.Array], dict[str, Any]]:
    """Return the columns, labels as codes, and what they are in the library's terms."""
    columns: dict[str, pa.Array] = {}
    features: dict[str, Any] = {}
    for name in map(str, frame.columns):
        column = frame[name]
        if "label" in name and _are_labels(column, labels):
            codes = pd.Index(labels).get_indexer(pd.Index(column.astype("object")))
            columns[name] = pa.array(codes, pa.int64(), mask=codes < 0)
            features[name] = _class_label(labels)
            continue
        array = pa.Array.from_pandas(column)
        if pa.types.is_dictionary(array.type):
            array = array.cast(array.type.value_type)
        if pa.types.is_large_string(array.type):
            array = array.cast(pa.string())
        columns[name] = array
        kind = {"double": "float64", "float": "float32"}.get(
            str(array.type), str(array.type)
        )
        features[name] = {"dtype": kind, "_type": "Value"}
    return columns, features


def _are_labels(column: pd.Series, labels: Sequence[str]) -> bool:
    values = column.dropna().unique()
    return len(values) > 0 and bool(pd.Index(values).isin(labels).all())


def _to_train_on(
    wide: pd.DataFrame, labels: Sequence[str], *, several: bool
) -> tuple[dict[str, pa.Array], dict[str, Any]]:
    items, features = _coded(wide[["item"]], ())
    shares = wide[list(labels)].to_numpy(float)
    lists = pa.ListArray.from_arrays(
        np.arange(0, shares.size + 1, len(labels), dtype=np.int32),
        pa.array(shares.ravel(), from_pandas=True),
    )
    columns: dict[str, pa.Array]
    if several:
        named: dict[str, Any] = {
            "labels": {"feature": _class_label(labels), "_type": "Sequence"}
        }
        sets = [np.flatnonzero(row > 0.5).tolist() for row in shares]
        columns = {"labels": pa.array(sets, pa.list_(pa.int64()))}
    else:
        named = {"label": _class_label(labels)}
        columns = {"label": pa.array(shares.argmax(axis=1), pa.int64())}
    number = {"dtype": "float64", "_type": "Value"}
    features |= named | {"probabilities": {"feature": number, "_type": "Sequence"}}
    return items | columns | {"probabilities": lists}, features


def _class_label(labels: Sequence[str]) -> dict[str, Any]:
    return {"names": list(labels), "_type": "ClassLabel"}


def _write_csv(frame: pd.DataFrame, path: Path, _: Note) -> None:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    names = _safe(pa.array(table.column_names, pa.string())).to_pylist()
    # Arrow's writer quotes all text, so that a null (an empty cell) and an empty text
    # (an empty cell in quotes) stay apart, and writes the shortest digits that give
    # the same number back.
    columns = [_safe(_shortest(column)) for column in table.columns]
    pyarrow.csv.write_csv(pa.table(columns, names=names), path)


def _shortest(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return numbers of single precision as the shortest decimals that name them."""
    if column.type != pa.float64():
        return column
    single = pc.cast(column, pa.float32(), safe=False)
    decimal = pc.cast(pc.cast(single, pa.string()), pa.float64())
    return pc.if_else(pc.equal(single.cast(pa.float64()), column), decimal, column)


def _safe(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Return a column whose text is marked."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    formula, number = (
        pc.match_substring_regex(column, each) for each in (_FORMULA, _NUMBER)
    )
    mark, nothing = (pa.scalar(each, column.type) for each in ("'", ""))
    marked = pc.binary_join_element_wise(mark, column, nothing)
    return pc.if_else(pc.and_not(formula, number), marked, column)


def _write_json(frame: pd.DataFrame, path: Path, _: Note) -> None:
    path.write_text(_json(frame), encoding="utf-8")


def _json(frame: pd.DataFrame) -> str:
    numbers = frame.select_dtypes("float64").columns
    decimals = {
        name: _shortest(pa.chunked_array([pa.array(frame[name])])).to_numpy()
        for name in numbers
    }
    return frame.assign(**decimals).to_json(
        orient="records", force_ascii=False, double_precision=15, indent=None
    )


def _write_excel(frame: pd.DataFrame, path: Path, note: Note) -> None:
    write_workbook({path.stem: frame}, path, note)


def write_json_tables(
    tables: Mapping[str, pd.DataFrame], path: Path, note: Note
) -> None:
    """Write several tables as one JSON object: each by its name, and `about`."""
    with path.open("w", encoding="utf-8") as file:
        file.write(f'{{"about": {json.dumps(note)}')
        for name, frame in tables.items():
            file.write(f",\n{json.dumps(name)}: {_json(frame)}")
        file.write("}\n")


def write_workbook(
    tables: Mapping[str, pd.DataFrame], path: Path, note: Mapping[str, str | float]
) -> None:
    """Write tables as the sheets of one workbook."""
    from openpyxl import Workbook  # noqa: PLC0415 (only where a workbook is written)

    for name, frame in tables.items():
        if len(frame) >= _MAX_ROWS or len(frame.columns) > _MAX_COLUMNS:
            raise OptionError(
                f"{path.name}: the table {name} has {len(frame):,} rows and "
                f"{len(frame.columns):,} columns, and a sheet has {_MAX_ROWS:,} and "
                f"{_MAX_COLUMNS:,}; use the format parquet or csv"
            )
    book = Workbook(write_only=True)
    about = pd.DataFrame({"name": list(note), "value": list(map(str, note.values()))})
    for name, frame in {**tables, **({ABOUT: about} if note else {})}.items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        for row in _rows(frame, sheet):
            sheet.append(row)
    book.save(path)


def _rows(frame: pd.DataFrame, sheet: WriteOnlyWorksheet) -> Iterator[list[Any]]:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 (as above)

    def cell(value: Any) -> Any:
        if isinstance(value, str):
            # A cell of a text that looks like a formula is otherwise one.
            written = WriteOnlyCell(sheet, visible(value)[:_MAX_TEXT])
            written.data_type = "s"
            return written
        if isinstance(value, np.generic):
            value = value.item()
        return None if pd.isna(value) else value

    yield [cell(str(name)) for name in frame.columns]
    columns = [frame[name].astype("object").tolist() for name in frame.columns]
    for row in zip(*columns, strict=True):
        yield list(map(cell, row))


@dataclass(frozen=True, slots=True)
class Control:
    """The tag of the labelling configuration that a prediction fills in."""

    from_name: str
    to_name: str
    type: str
    paths: Mapping[str, list[str]] = field(default_factory=dict)

    def value(self, labels: list[str]) -> dict[str, Any]:
        """Return labels as the value of a result."""
        if self.type == "rating":
            return {"rating": int(labels[0])} if labels else {}
        if self.type == "pairwise":
            return {"selected": labels[0]} if labels else {}
        if self.type == "taxonomy":
            return {"taxonomy": [self.paths.get(label, [label]) for label in labels]}
        return {"choices": labels}


def write_predictions(
    labels: pd.DataFrame,
    path: Path,
    tasks: Path,
    note: Mapping[str, str | float],
    *,
    several: bool,
    item: str | None = None,
) -> None:
    """Write the tasks with predictions, to be imported into a project."""
    read_json(tasks)  # which says where a file is broken
    given = json.loads(tasks.read_text(encoding="utf-8-sig"))
    if not isinstance(given, list) or not all(
        isinstance(task, dict) and isinstance(task.get("data"), dict) for task in given
    ):
        raise SourceError(
            f"{tasks}: is not a list of tasks with data; export the project as JSON"
        )
    by_item = dict(iter(labels.astype({"item": "str"}).groupby("item", observed=True)))
    control = _control(given, set(labels["label"].astype("str").unique()))
    version = f"consilience {note['version']} {note['model']}"
    written, matched = [], 0
    for task in given:
        name = _item(task, item, tasks)
        kept = {key: task[key] for key in ("id", "data", "meta") if key in task}
        if name in by_item:
            matched += 1
            kept["predictions"] = [
                _prediction(by_item[name], control, version, several=several)
            ]
        written.append(kept)
    if not matched:
        first = _item(given[0], item, tasks) if given else "none"
        raise OptionError(
            f"{tasks}: no task is an item of the fit (the first task is {first!r}, the "
            f"first item {next(iter(by_item), 'none')!r}); name the field of the "
            "tasks' data that names the item (`item=`)"
        )
    text = json.dumps(written, ensure_ascii=False, indent=1)
    path.write_text(f"{text}\n", encoding="utf-8")


def _item(task: Mapping[str, Any], item: str | None, source: Path) -> str:
    field = item_of(task["data"], item, str(source))
    return str(task.get("id") if field is None else task["data"].get(field))


def _prediction(
    rows: pd.DataFrame, control: Control, version: str, *, several: bool
) -> dict[str, Any]:
    """Return the prediction of one task."""
    rows = rows.sort_values("probability", ascending=False, kind="stable")
    if several:
        chosen = rows[rows["probability"] > 0.5]
        score = float(
            rows["probability"].where(lambda p: p > 0.5, lambda p: 1 - p).min()
        )
    else:
        chosen = rows.head(1)
        score = float(chosen["probability"].iloc[0])
    result = {
        "from_name": control.from_name,
        "to_name": control.to_name,
        "type": control.type,
        "value": control.value([str(label) for label in chosen["label"]]),
        "score": score,
    }
    return {"model_version": version, "score": score, "result": [result]}


def _control(tasks: list[dict[str, Any]], labels: set[str]) -> Control:
    """Return the control whose answers in the export are most often our labels."""
    counts: Counter[tuple[str, str, str]] = Counter()
    label_of = taxonomy_labels(tasks)
    for result in _results(tasks):
        value = result["value"]
        answers = {
            "rating": [value.get("rating")],
            "pairwise": [value.get("selected")],
            "taxonomy": [label_of.get(path_of(p)) for p in value.get("taxonomy") or ()],
        }.get(result["type"], value.get("choices") or ())
        if labels & set(map(str, answers)):
            counts[result["from_name"], result["to_name"], result["type"]] += 1
    if not counts:
        return Control(*_HERE)
    paths = {label: list(path) for path, label in label_of.items()}
    return Control(*counts.most_common(1)[0][0], paths)


def _results(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for task in tasks:
        works = (*(task.get("annotations") or ()), *(task.get("completions") or ()))
        for work in works:
            for result in work.get("result") or ():
                if {"from_name", "to_name", "type", "value"} <= set(result):
                    yield result


WRITERS: Mapping[str, Callable[[pd.DataFrame, Path, Note], None]] = MappingProxyType(
    {
        "csv": _write_csv,
        "parquet": write_parquet,
        "json": _write_json,
        "xlsx": _write_excel,
    }
)
# Formats in which one file holds several tables.
SEVERAL: Mapping[str, Callable[[Mapping[str, pd.DataFrame], Path, Note], None]] = (
    MappingProxyType({"json": write_json_tables, "xlsx": write_workbook})
)
