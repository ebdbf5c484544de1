"""The tables of a fit by name, among them those of its checks and of its comparison.

On disk a table is a Parquet file whose text is dictionary-encoded: each name is stored
once. The file's metadata carries, under the key `consilience`, a JSON object with the
table's name, the probability between `lower` and `upper`, what kind of interval that
is, the model and the engine.

**The table `comparison`: the models that were compared, the best first.** elpd is the
mean log probability of an answer given all others, in nats; `weight` is the share of a
model in the mixture that predicts answers best, and `best` the probability that it
alone predicts best, were there more items like these.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from consilience.errors import OptionError, not_among
from consilience.notebook import Part, as_html
from consilience.posterior.annotators import (
    annotator_groups,
    covariate_effects,
    group_differences,
    relative_information,
    skills,
)
from consilience.posterior.confusion import confusion
from consilience.posterior.effective import effective_numbers
from consilience.posterior.flags import flagged_annotators, flagged_first
from consilience.posterior.labels import items, items_to_check, labels
from consilience.posterior.objects import OF_ITEMS, object_table, styles
from consilience.posterior.stored import stored, stored_names
from consilience.posterior.trust import FAILED, PASSED, diagnostics, tally, trust
from consilience.responses.id_types import Types, restored
from consilience.tables import CATALOGUE, Schema
from consilience.when_used import xr

OF_GOLD = (
    *("fit", "items", "log_loss", "log_loss_lower", "log_loss_upper"),
    *("accuracy", "accuracy_lower", "accuracy_upper"),
)
SEEN = 0.005  # weight of a model of a mean that is named
COLUMNS = ("elpd", "se", "difference", "difference_se", "weight", "best", "seconds")


def gold(data: xr.DataTree) -> pd.DataFrame:
    """Return what gold labels add, on gold left out."""
    table = stored(data, "gold")
    return pd.DataFrame(columns=list(OF_GOLD)) if table is None else table


def comparison(data: xr.DataTree) -> pd.DataFrame:
    """Models that were compared for the model "auto"."""
    if "comparison" not in data.children:
        none = {name: np.zeros(0) for name in COLUMNS}
        return pd.DataFrame({"model": pd.Series([], dtype="str"), **none})
    group = data["comparison"]
    names = pd.Series(group["model"].to_numpy(), dtype="str")
    columns = {name: group[name].to_numpy().astype(float) for name in COLUMNS}
    return pd.DataFrame({"model": names, **columns})


def as_dataset(table: pd.DataFrame) -> xr.Dataset:
    """Lay the table out as the group `comparison` of a fit."""
    columns = {"model": table["model"].to_numpy(dtype=object)}
    columns |= {name: table[name].to_numpy() for name in COLUMNS}
    return xr.Dataset({name: ("candidate_model", c) for name, c in columns.items()})


_ROWS = 10  # of a table in a notebook
_OF_GROUPS = ("annotator_groups", "group_differences")
_OF_COLUMNS = ("covariate_effects", "relative_information")
TABLES: Mapping[str, Callable[[xr.DataTree], pd.DataFrame]] = MappingProxyType(
    {
        "labels": labels,
        "items": items,
        "annotators": flagged_annotators,
        "annotator_groups": annotator_groups,
        "group_differences": group_differences,
        "confusion": confusion,
        "diagnostics": diagnostics,
        "comparison": comparison,
        "covariate_effects": covariate_effects,
        "relative_information": relative_information,
        **{name: partial(object_table, name=name) for name in OF_ITEMS},
        "styles": styles,
        "gold": gold,
        "independence": effective_numbers,
    }
)

# What is computed when it is asked for, not kept with a run.
ASKED: Mapping[str, Callable[[xr.DataTree], pd.DataFrame]] = MappingProxyType(
    {"check": items_to_check}
)


class DescribedTable(pd.DataFrame):
    """A table of a fit: a data frame that states what its columns mean.

    What is made of it, such as some of its rows, is an ordinary data frame.
    """

    _metadata: ClassVar[list[str]] = ["schema", "prob"]
    schema: Schema
    prob: float

    @property
    def meanings(self) -> dict[str, str]:
        """What each column means, by its name."""
        means = {}
        for column in self.schema.results:
            means[column.name] = column.means or column.words
            if column.bounds is not None:
                of = f"bound of the {100 * self.prob:g} % interval of {column.name}"
                lower, upper = column.bounds
                means |= {lower: f"lower {of}", upper: f"upper {of}"}
        return {name: means[name] for name in map(str, self.columns) if name in means}

    def __repr__(self) -> str:
        """Return it as a data frame does; checks each with its outcome and remedy."""
        if "remedy" not in self.columns:
            return super().__repr__()
        lines = [f"checks: {tally(self)}"] if len(self) else ["no checks"]
        rows = self[self["outcome"] != PASSED].to_dict("records")
        lines += [f"{row['name']}: {row['outcome']}; {row['remedy']}" for row in rows]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the first and last rows, and what the columns mean."""
        listed = [f"{name}: {meaning}" for name, meaning in self.meanings.items()]
        head = as_html(self.schema.title, {}, folded={"columns": listed})
        rows = self.to_html(max_rows=_ROWS, show_dimensions=True, notebook=True)
        return f"{head}{rows}"


def named_table(data: xr.DataTree, name: str, types: Types) -> DescribedTable:
    """Return a table of a fit by its name."""
    made = ASKED.get(name, TABLES.get(name))
    if made is None:
        raise OptionError(not_among("table", name, [*names_of(data), *asked(data)]))
    table = DescribedTable(restored(made(data), types))
    table.schema, table.prob = CATALOGUE[name], float(data.attrs["prob"])
    return table


def names_of(data: xr.DataTree) -> tuple[str, ...]:
    """Return the names of the tables that a fit has, for what it was fitted to."""
    kept = stored_names(data)
    columns = () if covariate_effects(data).empty else _OF_COLUMNS
    people = () if styles(data).empty else ("styles",)
    groups = () if annotator_groups(data).empty else _OF_GROUPS
    worth = () if effective_numbers(data).empty else ("independence",)
    absent = {*OF_ITEMS, *_OF_COLUMNS, *_OF_GROUPS, "styles", "gold", "independence"}
    absent -= {*kept, *columns, *people, *groups, *worth}
    return tuple(name for name in TABLES if name not in absent)


def asked(data: xr.DataTree) -> tuple[str, ...]:
    """Return the names of the tables that are not kept with a run."""
    looks = data.attrs["kind"] != "objects" and "observed_data" in data.children
    return ("check",) if looks else ()


def about(data: xr.DataTree) -> dict[str, str | float]:
    """Return what a table's numbers mean and where they come from."""
    return {
        "prob": float(data.attrs["prob"]),
        "interval": "equal-tailed",
        "model": str(data.attrs["model"]),
        "engine": str(data.attrs["engine"]),
        "version": str(data.attrs["version"]),
        "checks": trust(diagnostics(data)),
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


def text(data: xr.DataTree) -> str:
    """Return a fit in one line."""
    attributes, checks = data.attrs, diagnostics(data)
    counted = [f"{number:,} {what}" for what, number in _counts(data).items()]
    judged = f"; checks: {tally(checks)}" if len(checks) else ""
    return (
        f"Fit({attributes['model']} by {attributes['engine']}, {attributes['kind']}: "
        f"{', '.join(counted)}{judged}; tables: {', '.join(names_of(data))})"
    )


def html(data: xr.DataTree, types: Types) -> str:
    """Return a fit as HTML: what was fitted, failed checks, first rows of tables."""
    attributes, checks = data.attrs, diagnostics(data)
    facts = {
        "kind": attributes["kind"],
        **{what: f"{number:,}" for what, number in _counts(data).items()},
        "engine": f"{attributes['engine']} ({attributes['engine_reason']})",
        "intervals": f"{100 * float(attributes['prob']):g} %",
        "seconds": f"{float(attributes['seconds']):.1f}",
    }
    if "truth" in data.children and "reported" in data["truth"].attrs:
        facts["posterior of the truth"] = data["truth"].attrs["reported"]
    if len(checks):
        facts["checks"] = tally(checks)
    facts["tables"] = ", ".join(names_of(data))
    remarks = [
        f"{row['name']}: {row['value']:.3g} where the limit is {row['limit']:.3g}; "
        f"{row['remedy']}"
        for row in checks[checks["outcome"] == FAILED].to_dict("records")
    ]
    people = flagged_first(flagged_annotators(data)).dropna(subset="accuracy")
    compared = comparison(data).drop(columns="seconds", errors="ignore")
    parts = [
        Part("items", restored(items(data), types)),
        Part("annotators to talk to first", restored(people, types)),
        Part("models compared", compared),
    ]
    assumed = json.loads(attributes["assumptions"])
    title = f"Fit: {attributes['model']} by {attributes['engine']}"
    return as_html(title, facts, parts, remarks, {"assumed": assumed})


def _counts(data: xr.DataTree) -> dict[str, int]:
    counts = {"items": len(items(data)), "annotators": len(skills(data))}
    if "observed_data" in data.children:
        counts["answers"] = int(data["observed_data"]["n"].sum())
    return counts
