"""The sections of the page in the order in which they are read, one file for each."""

from dataclasses import replace

from consilience.reports.content import Listing, Note, Part, Report, Section
from consilience.reports.sections import data, diagnostics, overview
from consilience.reports.sections.in_short import summary

__all__ = ["sections"]


def sections(report: Report) -> list[Section]:
    """Return the sections of a report; one about nothing is left out."""
    made = (
        summary(report),
        overview.findings(report),
        overview.figures(report),
        _heat(report),
        overview.overview(report),
        data.data(report),
        overview.agreement(report),
        overview.annotators(report),
        _confusion(report),
        overview.check(report),
        overview.items(report),
        data.pairs(report),
        overview.models(report),
        diagnostics.predictive(report),
        diagnostics.diagnostics(report),
        diagnostics.caution(report),
    )
    return [
        replace(section, parts=tuple(_spelled(report, part) for part in section.parts))
        for section in made
        if section is not None
    ]


def _spelled(report: Report, part: Part) -> Part:
    """Return sentences with arguments as the user types them."""
    if isinstance(part, Note):
        return replace(part, text=report.spelled(part.text))
    if isinstance(part, Listing):
        return replace(part, entries=tuple(map(report.spelled, part.entries)))
    return part


def _heat(report: Report) -> Section | None:
    """Return the confusion of people and models, to zoom into."""
    if report.study is None or "class_confusion" not in report.study.figures:
        return None
    return Section(
        "heat",
        "Confusion of people and models",
        (),
        app="matrices",
        selects=(("left", "Left"), ("right", "Right")),
        hint="Rows are the data set's labels, columns what items are called. Escape "
        "zooms out.",
    )


def _confusion(report: Report) -> Section | None:
    if all(run.table("confusion").empty for run in report.runs):
        return None
    return Section(
        "confusion",
        "Confusion",
        (),
        app="matrices",
        selects=(("who", "Whose answers"),),
        hint="Each row is a truth, each number the share of the answers about it.",
    )
