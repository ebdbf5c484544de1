"""A folder that `datasets.load_dataset` of Hugging Face loads, on disk or from the hub.

Each table is one configuration, a Parquet file whose labels are a `ClassLabel`. The
table `soft_labels` is laid out to train on: item, label (contains: labels) and
probabilities, a list in the order of the labels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

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
