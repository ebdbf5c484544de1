"""Overview: what was fitted, the diagnostics, and the certainty of the items."""

from consilience.posterior.results.diagnostics import FAILED, PASSED, tally
from consilience.reports import charts
from consilience.reports.content import (
    Chart,
    Facts,
    Note,
    Part,
    Section,
    Table,
    counts,
    number,
    texts,
)
from consilience.reports.record import Report, Run


def overview(report: Report) -> Section:
    """Return the section."""
    parts: list[Part] = [
        verdict(run, named=len(report.runs) > 1) for run in report.runs
    ]
    parts.append(_facts(report) if len(report.runs) == 1 else _side_by_side(report))
    parts += [_certainty(run, named=len(report.runs) > 1) for run in report.runs]
    return Section("overview", "Overview", tuple(parts))


def verdict(run: Run, *, named: bool) -> Note:
    """Say whether the checks of a run passed."""
    checks, who = run.table("diagnostics"), f"{run.name}: " if named else ""
    if checks.empty:
        return Note(f"{who}no check was run on this result", "mind")
    summary = f"checks: {tally(checks)}"
    bad = checks.loc[checks["outcome"] == FAILED, "name"]
    together = bad == "independence"
    if (~together).any():
        return Note(f"{who}do not trust this fit yet: {summary}", "bad")
    if together.any():
        tempered = run.reported_posterior == "tempered"
        summary += "; errors of annotators are correlated, so probabilities are "
        summary += "tempered" if tempered else "overconfident"
    good = (checks["outcome"] == PASSED).all()
    return Note(f"{who}{summary}", "good" if good else "mind")


def _facts(report: Report) -> Facts:
    run = report.runs[0]
    pairs = [*_counts(report, run), ("Model", run.model), ("Engine", run.engine)]
    pairs.append(("Seed", str(run.seed)))
    pairs.append(("Intervals", f"{run.prob:.0%}, equal-tailed"))
    return Facts(tuple(pairs))


def _counts(report: Report, run: Run) -> list[tuple[str, str]]:
    items = run.table("items")
    pairs = [("Items", f"{len(items):,}")]
    if report.description is not None:
        description = report.description
        people = f"{description.annotators:,}"
        if description.anonymous:
            people += f" and {description.anonymous:,} anonymous answers"
        pairs += [("Answers", f"{description.answers:,}"), ("Annotators", people)]
        pairs.append(("Labels", f"{description.labels:,}"))
    if "tied" in items:
        pairs.append(("Tied items", f"{int(items['tied'].sum()):,}"))
    return pairs


def _side_by_side(report: Report) -> Table:
    runs = report.runs
    return Table(
        "The runs",
        (
            texts("Run", [run.name for run in runs]),
            texts("Model", [run.model for run in runs]),
            texts("Engine", [run.engine for run in runs]),
            texts("Posterior", [run.reported_posterior for run in runs]),
            counts("Items", [len(run.table("items")) for run in runs]),
            counts("Tied", [run.table("items")["tied"].sum() for run in runs]),
            texts("Seed", [run.seed for run in runs]),
            texts("Seconds", [number(run.seconds) for run in runs]),
        ),
    )


def _certainty(run: Run, *, named: bool) -> Chart:
    items = run.table("items")
    probability = items["probability"].dropna()
    sure = int((probability >= 0.95).sum())
    who = f"{run.name}: " if named else ""
    what = {"contains": "present", "objects": "the main one"}.get(run.kind, "right")
    caption = (
        f"{who}{sure:,} of {len(probability):,} items have a label that is {what} with "
        "probability 0.95 or more"
    )
    return Chart(
        charts.certainty(list(items["probability"])), f"Histogram. {caption}", caption
    )
