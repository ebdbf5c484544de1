"""Data sets of Hugging Face: folders, and the names of classes that they record.

A folder that was saved to disk holds Arrow files beside `dataset_info.json`; a folder
like a repository of the hub holds Parquet files in `data/`, and a card. Classes are
numbers there, whose names the features say: in the folder, in the metadata of the
Parquet files, or in the card.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from consilience.errors import ColumnError, SourceError
from consilience.responses.sources.arrow_columns import read_arrow_file
from consilience.responses.sources.frames import Frame, readable

INFO, STATE, SPLITS = "dataset_info.json", "state.json", "dataset_dict.json"
_METADATA = b"huggingface"
_CLASS = re.compile(r"\s*['\"]?(\d+)['\"]?:\s*['\"]?(.*?)['\"]?\s*")
_SHARD = re.compile(r"(.+?)(?:-\d{5}-of-\d{5})?(?:-[0-9a-f]{16})?\.parquet")


def is_data_set(folder: Path) -> bool:
    """Say whether a folder is a data set of Hugging Face."""
    if (folder / SPLITS).is_file() or (folder / STATE).is_file():
        return True
    return bool(_shards(folder)) and not (folder / "responses.parquet").exists()


def read_data_set(folder: Path) -> Frame:
    """Read the rows of a data set, with the names of their classes."""
    source = str(folder)
    if (folder / SPLITS).is_file():
        names = _json(folder / SPLITS).get("splits", [])
        return read_data_set(folder / str(_one(names, source, f"{source}/NAME")))
    if (folder / STATE).is_file():
        files = _json(folder / STATE).get("_data_files", [])
        paths = [folder / Path(str(each["filename"])).name for each in files]
        info = _json(folder / INFO) if (folder / INFO).is_file() else {}
        table = _stacked(paths, read_arrow_file, source)
        return with_class_names(table, info.get("features"), source, folder)
    splits = _shards(folder)
    split = _one(list(splits), source, "one of their files")
    table = _stacked(splits[split], parquet.read_table, source)
    features = features_of(table.schema.metadata) or _card(folder / "README.md")
    return with_class_names(table, features, source, folder)


def with_recorded_names(frame: Frame, path: Path) -> Frame:
    """Name the file, and classes as the metadata of its table record their names."""
    table = cast("pa.Table", frame.data)
    features = features_of(table.schema.metadata)
    named = with_class_names(table, features, str(path), path)
    return replace(named, unusable=frame.unusable)


def features_of(metadata: Mapping[bytes, bytes] | None) -> Any:
    """Return the features that metadata of Arrow or Parquet record; None: none."""
    try:
        record = json.loads((metadata or {}).get(_METADATA, b"{}"))
        return record.get("info", {}).get("features")
    except (ValueError, AttributeError, RecursionError):
        return None


def with_class_names(
    table: pa.Table, features: Any, source: str, file: Path | None = None
) -> Frame:
    """Write the names of classes in place of their numbers."""
    orders: dict[str, tuple[str, ...]] = {}
    for place, name in enumerate(table.column_names if features else ()):
        feature = _feature(features, name)
        if feature is not None and _names_in(feature):
            array = table.column(place).combine_chunks()
            if isinstance(array, pa.ChunkedArray):
                array = pa.array([], array.type)
            named = _named(array, feature, name, orders)
            table = table.set_column(place, name, named)
    note = "classes are called by the names that the features record"
    return Frame(
        data=table, name=source, file=file, notes=(note,) * bool(orders), orders=orders
    )


def _feature(features: Any, name: str) -> Any:
    return features.get(name) if isinstance(features, dict) else None


def _names_in(feature: Any) -> bool:
    if isinstance(feature, list):
        return any(map(_names_in, feature))
    if not isinstance(feature, dict):
        return False
    return _class_names(feature) is not None or any(map(_names_in, feature.values()))


def _class_names(feature: Mapping[str, Any]) -> tuple[str, ...] | None:
    names = feature.get("names")
    if feature.get("_type") != "ClassLabel" or not isinstance(names, list):
        return None
    return tuple(map(str, names))


def _named(
    array: pa.Array, feature: Any, name: str, orders: dict[str, tuple[str, ...]]
) -> pa.Array:
    """Name the classes of an array of any depth."""
    kind = array.type
    if isinstance(feature, list):
        feature = {"feature": feature[0] if feature else None}
    if not isinstance(feature, dict):
        return array
    names = _class_names(feature)
    inner = feature.get("feature")
    if names is not None and pa.types.is_integer(kind):
        orders[name] = names
        codes = array.fill_null(-1).to_numpy(zero_copy_only=False)
        if codes.max(initial=-1) >= len(names):
            raise SourceError(
                f"column {name!r} holds class {codes.max()}, and {len(names)} classes "
                "have names; save the data set again"
            )
        texts = pa.array([*names, None], pa.string())
        return texts.take(pa.array(np.where(codes < 0, len(names), codes)))
    if isinstance(array, (pa.ListArray, pa.LargeListArray)) and inner is not None:
        values = _named(array.values, inner, name, orders)
        return type(array).from_arrays(array.offsets, values, mask=array.is_null())
    if pa.types.is_struct(kind):
        fields = inner if isinstance(inner, dict) else feature
        of_lists = isinstance(inner, dict)  # a sequence of records is kept so
        parts = []
        for place in range(kind.num_fields):
            key = kind.field(place).name
            each = _feature(fields, key)
            each = {"feature": each} if of_lists and each is not None else each
            parts.append(_named(array.field(place), each, key, orders))
        keys = [kind.field(place).name for place in range(kind.num_fields)]
        return pa.StructArray.from_arrays(parts, keys, mask=array.is_null())
    return array


def _stacked(
    paths: Sequence[Path], read: Callable[[Path], pa.Table], source: str
) -> pa.Table:
    if not paths:
        raise SourceError(f"{source}: the data set has no file of rows; save it again")
    with readable(source):
        tables = [read(path) for path in paths]
        return pa.concat_tables(tables, promote_options="default")


def _one(names: Sequence[str], source: str, how: str) -> str:
    if len(names) == 1:
        return names[0]
    listed = ", ".join(map(repr, names))
    raise ColumnError(
        f"{source}: there are several splits ({listed}), whose items may have the same "
        f"names; name one as the source ({how})"
    )


def _shards(folder: Path) -> dict[str, list[Path]]:
    """Return the Parquet files of each split of a folder like one of the hub."""
    data = folder / "data"
    place = data if data.is_dir() else folder
    shards: dict[str, list[Path]] = {}
    for path in sorted(place.glob("*.parquet")):
        match = _SHARD.fullmatch(path.name)
        if match and (place == data or "-of-" in path.name):
            shards.setdefault(match[1], []).append(path)
    return shards


def _json(path: Path) -> dict[str, Any]:
    with readable(str(path)):
        return msgspec.json.decode(path.read_bytes(), type=dict)


def _card(path: Path) -> dict[str, Any] | None:
    """Read the names of classes in the head of a card, which is YAML of one shape."""
    if not path.is_file():
        return None
    with readable(str(path)):
        text = path.read_text("utf-8")
    head = re.match(r"---\r?\n(.*?)\r?\n---", text, re.DOTALL)
    features: dict[str, dict[int, str]] = {}
    classes: dict[int, str] = {}
    for line in head[1].splitlines() if head else ():
        if name := re.fullmatch(r"\s*-?\s*name:\s*['\"]?(.+?)['\"]?\s*", line):
            classes = features[name[1]] = {}
        elif each := _CLASS.fullmatch(line):
            classes[int(each[1])] = each[2]
    return {
        name: {"_type": "ClassLabel", "names": [each[k] for k in sorted(each)]}
        for name, each in features.items()
        if each
    }
