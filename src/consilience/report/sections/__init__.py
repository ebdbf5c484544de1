"""The sections of the page in the order in which they are read, one file for each."""

from consilience.report.content import Section
from consilience.report.record import Report
from consilience.report.sections.agreement import agreement
from consilience.report.sections.annotators import annotators
from consilience.report.sections.caution import caution
from consilience.report.sections.data import data
from consilience.report.sections.diagnostics import diagnostics
from consilience.report.sections.items import items
from consilience.report.sections.models import models
from consilience.report.sections.overview import overview
from consilience.report.sections.pairs import pairs

__all__ = ["sections"]


def sections(report: Report) -> list[Section]:
    """Return the sections of a report; one about nothing is left out."""
    made = (
        overview(report),
        data(report),
        agreement(report),
        annotators(report),
        _confusion(report),
        items(report),
        pairs(report),
        models(report),
        diagnostics(report),
        caution(report),
    )
    return [section for section in made if section is not None]


def _confusion(report: Report) -> Section | None:
    if all(run.table("confusion").empty for run in report.runs):
        return None
    return Section("confusion", "Confusion", (), app="confusion")
