"""How a fit shows itself: a line of text, and HTML in a notebook."""

from __future__ import annotations

import json

import pandas as pd

from consilience.notebook import Part, as_html
from consilience.posterior.results.annotators import annotators
from consilience.posterior.results.comparison import comparison
from consilience.posterior.results.diagnostics import FAILED, diagnostics, tally
from consilience.posterior.results.items import items
from consilience.responses.tables.id_types import Types, restored
from consilience.when_used import xr


def text(data: xr.DataTree) -> str:
    """Return a fit in one line."""
    attributes, checks = data.attrs, diagnostics(data)
    counted = [f"{number:,} {what}" for what, number in _counts(data).items()]
    judged = f"; checks: {tally(checks)}" if len(checks) else ""
    return (
        f"Fit({attributes['model']} by {attributes['engine']}, {attributes['kind']}: "
        f"{', '.join(counted)}{judged})"
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
    failed = checks[checks["outcome"] == FAILED]
    remarks = [
        f"{row['name']}: {row['value']:.3g} where the limit is {row['limit']:.3g}; "
        f"{row['remedy']}"
        for row in failed.to_dict("records")
    ]
    people = annotators(data).dropna(subset="accuracy")
    people = people.sort_values("accuracy", kind="stable")
    parts = [
        Part("items", restored(items(data), types)),
        Part("least accurate annotators", restored(people, types)),
        Part("models compared", _without_seconds(comparison(data))),
    ]
    assumed = json.loads(attributes["assumptions"])
    title = f"Fit: {attributes['model']} by {attributes['engine']}"
    return as_html(title, facts, parts, remarks, {"assumed": assumed})


def _without_seconds(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns="seconds", errors="ignore")


def _counts(data: xr.DataTree) -> dict[str, int]:
    counts = {"items": len(items(data)), "annotators": len(annotators(data))}
    if "observed_data" in data.children:
        counts["answers"] = int(data["observed_data"]["n"].sum())
    return counts
