"""The tables of a run by name, and their Parquet files.

Text is dictionary-encoded: each name is held once. The file's metadata carries, under
the key `consilience`, a JSON object with the table's name, the probability between
`lower` and `upper`, what kind of interval that is, the model and the engine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from consilience.posterior.objects.stored_objects import (
    ambiguity,
    object_counts,
    objects,
    panels,
    same_object,
)
from consilience.posterior.objects.styles import styles
from consilience.posterior.results.annotator_groups import (
    annotator_groups,
    group_differences,
)
from consilience.posterior.results.annotators import annotators
from consilience.posterior.results.comparison import comparison
from consilience.posterior.results.confusion import confusion
from consilience.posterior.results.covariate_effects import (
    covariate_effects,
    relative_information,
)
from consilience.posterior.results.diagnostics import diagnostics
from consilience.posterior.results.items import items
from consilience.posterior.results.labels import labels
from consilience.posterior.stored_fit.stored import stored_names
from consilience.when_used import xr

TABLES: Mapping[str, Callable[[xr.DataTree], pd.DataFrame]] = MappingProxyType(
    {
        "labels": labels,
        "items": items,
        "annotators": annotators,
        "annotator_groups": annotator_groups,
        "group_differences": group_differences,
        "confusion": confusion,
        "diagnostics": diagnostics,
        "comparison": comparison,
        "covariate_effects": covariate_effects,
        "relative_information": relative_information,
        "objects": objects,
        "object_counts": object_counts,
        "same_object": same_object,
        "ambiguity": ambiguity,
        "panels": panels,
        "styles": styles,
    }
)
_OF_GROUPS = ("annotator_groups", "group_differences")
_OF_COLUMNS = ("covariate_effects", "relative_information")
_OF_OBJECTS = ("objects", "object_counts", "same_object", "ambiguity", "panels")


def names_of(data: xr.DataTree) -> tuple[str, ...]:
    """Return the names of the tables that a fit has, for what it was fitted to."""
    kept = stored_names(data)
    columns = () if covariate_effects(data).empty else _OF_COLUMNS
    people = () if styles(data).empty else ("styles",)
    groups = () if annotator_groups(data).empty else _OF_GROUPS
    absent = {*_OF_OBJECTS, *_OF_COLUMNS, *_OF_GROUPS, "styles"}
    absent -= {*kept, *columns, *people, *groups}
    return tuple(name for name in TABLES if name not in absent)


def about(data: xr.DataTree) -> dict[str, str | float]:
    """Say what a table's numbers mean and where they come from."""
    return {
        "prob": float(data.attrs["prob"]),
        "interval": "equal-tailed",
        "model": str(data.attrs["model"]),
        "engine": str(data.attrs["engine"]),
        "version": str(data.attrs["version"]),
    }


def write_parquet(
    frame: pd.DataFrame, path: Path, about_it: Mapping[str, str | float]
) -> None:
    """Write one table as Parquet."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    note = json.dumps({"table": path.stem, **about_it}).encode()
    table = table.replace_schema_metadata(
        {**(table.schema.metadata or {}), b"consilience": note}
    )
    pq.write_table(table, path, compression="zstd")
