"""Diagnostics: results of the checks, and the comparison of models."""

import pandas as pd

from consilience.posterior.results.diagnostics import FAILED
from consilience.reports.content import (
    Facts,
    Note,
    Part,
    Section,
    Table,
    number,
    numbers,
    texts,
)
from consilience.reports.record import Report, Run


def diagnostics(report: Report) -> Section:
    """Return the section."""
    parts: list[Part] = []
    for run in report.runs:
        who = f", {run.name}" if len(report.runs) > 1 else ""
        parts.append(_run_facts(run))
        checks = run.table("diagnostics")
        if checks.empty:
            parts.append(Note(f"{run.name}: no check was run on this result", "mind"))
        else:
            parts.append(_checks(checks, who))
        compared = run.table("comparison")
        if len(compared):
            parts.append(_comparison(compared, who))
    return Section("diagnostics", "Diagnostics", tuple(parts))


def _run_facts(run: Run) -> Facts:
    return Facts(
        (
            ("Run", run.name),
            ("Model", run.model),
            ("Engine", f"{run.engine}: {run.engine_reason}"),
            ("Posterior shown", run.reported_posterior),
            ("Seconds", number(run.seconds)),
            ("Program", f"consilience {run.version}"),
        )
    )


def _checks(checks: pd.DataFrame, who: str) -> Table:
    verdicts = checks["outcome"].replace(FAILED, "FAILED")
    return Table(
        f"Checks{who}",
        (
            texts("Check", checks["name"]),
            texts("Verdict", verdicts),
            numbers("Found", list(checks["value"])),
            numbers("Allowed", list(checks["limit"])),
            texts("What to do", checks["remedy"]),
        ),
    )


def _comparison(compared: pd.DataFrame, who: str) -> Table:
    return Table(
        f"Models compared by how well they predict each answer from the others{who}",
        (
            texts("Model", compared["model"]),
            numbers("Nats an answer", list(compared["elpd"]), "{:.4f}"),
            numbers("To the best", list(compared["difference"]), "{:.4f}"),
            numbers("Its standard error", list(compared["difference_se"]), "{:.4f}"),
            numbers("Share of the truth", list(compared["weight"]), "{:.2f}"),
        ),
    )
