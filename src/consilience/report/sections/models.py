"""Models: the tables of an evaluation, drawn as they are."""

from consilience.report.content import Note, Section
from consilience.report.record import Report
from consilience.report.sections.table import as_it_is


def models(report: Report) -> Section | None:
    """Return the section; None where no evaluation was given."""
    if not report.evaluation:
        return None
    tables = [as_it_is(name, table) for name, table in report.evaluation.items()]
    said = [sentence for run in report.runs for sentence in run.assumptions]
    circular = [each for each in said if "candidate" in each or "predictions" in each]
    notes = [
        Note(f"Labels that were found with a model's help favour it: {each}", "mind")
        for each in dict.fromkeys(circular)
    ]
    return Section("models", "Models", (*notes, *tables))
